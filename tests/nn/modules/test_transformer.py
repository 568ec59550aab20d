"""Transformers: which position sees which, what padding does, and PyTorch's warnings."""

import copy
import pickle
import warnings

import pytest

import rushlight as torch
from rushlight import nn


def layer(**options):
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, **options)


def influence(function, x, position):
    """The positions that the result at ``position`` depends on."""
    x = x.clone().requires_grad_()
    function(x)[0, position].pow(2).sum().backward()
    return [n for n, g in enumerate(x.grad[0]) if g.abs().max() > 1e-9]


def test_the_causal_mask_hides_what_comes_later():
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    assert mask.tolist()[0] == [0, float("-inf"), float("-inf"), float("-inf")]
    encoder, x = nn.TransformerEncoder(layer(), 2), torch.randn(1, 4, 8)
    assert influence(lambda x: encoder(x, mask), x, 1) == [0, 1]
    assert influence(lambda x: encoder(x), x, 1) == [0, 1, 2, 3]


def test_padding_is_not_looked_at():
    encoder, x = layer(), torch.randn(1, 4, 8)
    padding = torch.tensor([[False, False, False, True]])
    assert influence(lambda x: encoder(x, src_key_padding_mask=padding), x, 0) == [0, 1, 2]


def test_the_decoder_looks_at_the_whole_memory():
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 1).eval()
    target = torch.randn(1, 3, 8)
    assert influence(lambda memory: decoder(target, memory), torch.randn(1, 5, 8), 0) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("first", [False, True])
def test_a_layer_is_its_blocks(first):
    module, x = layer(norm_first=first, activation="gelu"), torch.randn(2, 3, 8)

    def network(x):
        return module.linear2(nn.functional.gelu(module.linear1(x)))

    def attention(x):
        return module.self_attn(x, x, x)[0]

    if first:
        middle = x + attention(module.norm1(x))
        expected = middle + network(module.norm2(middle))
    else:
        middle = module.norm1(x + attention(x))
        expected = module.norm2(middle + network(middle))
    torch.testing.assert_close(module(x), expected)


def test_padding_comes_out_as_zeros_in_evaluation():
    encoder, x = nn.TransformerEncoder(layer(), 1).eval(), torch.randn(2, 3, 8)
    padding = torch.tensor([[False, False, True], [False, False, False]])
    recorded = encoder(x, src_key_padding_mask=padding)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = encoder(x, src_key_padding_mask=padding)
    assert result[0, 2].tolist() == [0.0] * 8
    torch.testing.assert_close(result[~padding], recorded[~padding])
    assert recorded[0, 2].abs().max() > 0


def test_padding_stays_where_the_fast_path_is_switched_off():
    encoder, x = nn.TransformerEncoder(layer(), 1).eval(), torch.randn(1, 3, 8)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad():
            result = encoder(x, src_key_padding_mask=torch.tensor([[False, False, True]]))
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert result[0, 2].abs().max() > 0


def test_layers_are_copies():
    encoder = nn.TransformerEncoder(layer(), 2)
    assert torch.equal(encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight)
    assert encoder.layers[0].linear1.weight is not encoder.layers[1].linear1.weight


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_copies_and_pickles_give_the_same(activation):
    module, x = layer(activation=activation), torch.randn(2, 3, 8)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(x), module(x))


def test_what_keeps_padding_in_is_warned_of():
    with pytest.warns(UserWarning, match="because encoder_layer.norm_first was True"):
        nn.TransformerEncoder(layer(norm_first=True), 1)


def test_sizes_that_do_not_fit():
    model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    with pytest.raises(RuntimeError, match="the batch number of src and tgt must be equal"):
        model(torch.ones(2, 3, 8), torch.ones(1, 3, 8))
    with pytest.raises(RuntimeError, match="must be equal to d_model"):
        model(torch.ones(2, 3, 8), torch.ones(2, 3, 4))
