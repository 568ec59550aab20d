"""Recurrent layers against their cells, step by step, and packed sequences against sequences run alone."""

import copy
import math
import pickle

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.autograd import gradcheck, gradgradcheck
from rushlight.nn.utils.rnn import (
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
)
from rushlight.nn.utils.stateless import _functional_call

KINDS = {"RNN": (nn.RNN, nn.RNNCell), "GRU": (nn.GRU, nn.GRUCell), "LSTM": (nn.LSTM, nn.LSTMCell)}


def cell_of(layer, kind):
    cell = KINDS[kind][1](layer.input_size, layer.hidden_size, dtype=torch.float64)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(cell, name, getattr(layer, name + "_l0"))
    return cell


def hidden(state):
    return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_repeated(kind):
    layer = KINDS[kind][0](3, 4, dtype=torch.float64)
    cell, x = cell_of(layer, kind), torch.randn(5, 2, 3, dtype=torch.float64)
    state, expected = None, []
    for step in x:
        state = cell(step, state)
        expected.append(hidden(state))
    output, final = layer(x)
    torch.testing.assert_close(output, torch.stack(expected))
    torch.testing.assert_close(hidden(final)[0], expected[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_are_run_each_to_its_end(kind):
    layer = KINDS[kind][0](3, 4, 2, bidirectional=True, dtype=torch.float64)
    sequences = [torch.randn(n, 3, dtype=torch.float64) for n in (2, 4, 1)]
    output, final = layer(pack_sequence(sequences, enforce_sorted=False))
    for number, (own, each) in enumerate(zip(unpack_sequence(output), sequences)):
        alone, last = layer(each)
        torch.testing.assert_close(own, alone)
        torch.testing.assert_close(hidden(final)[:, number], hidden(last))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_both_orders(kind):
    layer = KINDS[kind][0](2, 3, dtype=torch.float64, **({"proj_size": 2} if kind == "LSTM" else {}))
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(x, *weights):
        given = dict(zip(layer._flat_weights_names, weights))
        output, final = _functional_call(layer, given, (pack_padded_sequence(x, [3, 1]),))
        return output.data, hidden(final)

    assert gradcheck(run, (x, *layer.parameters()))
    assert gradgradcheck(run, (x, *layer.parameters()))


def test_directions_stand_side_by_side():
    layer = nn.GRU(3, 4, bidirectional=True)
    x = torch.randn(5, 3)
    output, final = layer(x)
    assert output.shape == (5, 8)
    torch.testing.assert_close(output[-1, :4], final[0])
    torch.testing.assert_close(output[0, 4:], final[1])


def test_dropout_is_between_layers_and_in_training_only():
    layer = nn.LSTM(3, 4, 2, dropout=1.0)
    x = torch.randn(5, 1, 3)
    nothing = copy.deepcopy(layer)
    with torch.no_grad():
        nothing.weight_ih_l1.zero_()
    torch.testing.assert_close(layer(x)[0], nothing(x)[0])
    assert not torch.allclose(layer.eval()(x)[0], nothing.eval()(x)[0])


def test_parameters_start_within_one_over_root_hidden():
    layer = nn.LSTM(3, 16, 2)
    values = torch.nn.utils.parameters_to_vector(layer.parameters())
    assert values.abs().max() <= 0.25 and values.abs().max() > 0.24


def test_exchanged_weights_are_used():
    layer = nn.RNN(2, 2)
    for name in layer._flat_weights_names:
        setattr(layer, name, nn.Parameter(torch.zeros_like(getattr(layer, name))))
    assert layer(torch.ones(3, 2))[0].tolist() == [[0, 0]] * 3
    layer.bias_ih_l0.data.fill_(1.0)
    assert layer(torch.ones(3, 2))[0][0, 0].item() == pytest.approx(math.tanh(1.0))


def test_copies_and_pickles_use_their_own_weights():
    layer, x = nn.GRU(2, 3), torch.ones(4, 2)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], layer(x)[0])
        twin.weight_ih_l0.data.zero_()
        assert not torch.equal(twin(x)[0], layer(x)[0])


def test_padding_and_packing_undo_each_other():
    sequences = [torch.arange(float(n)) + 10 * n for n in (2, 4, 1)]
    packed = pack_sequence(sequences, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-1.0)
    assert lengths.tolist() == [2, 4, 1]
    assert torch.equal(padded, pad_sequence(sequences, batch_first=True, padding_value=-1.0))
    assert [each.tolist() for each in unpack_sequence(packed)] == [each.tolist() for each in sequences]


@pytest.mark.parametrize(("kind", "dtype"), [("LSTM", "bfloat16"), ("RNN", "bfloat16"), ("GRU", "float32")])
def test_mixed_precision_lowers_what_pytorch_lowers(kind, dtype):
    layer = KINDS[kind][0](3, 4)
    with torch.autocast("cpu"):
        output, _ = layer(torch.ones(2, 1, 3))
    assert output.dtype is getattr(torch, dtype)
    output.sum().backward()
    assert layer.weight_hh_l0.grad.dtype is torch.float32


def test_proj_size_is_for_lstm_alone():
    with pytest.raises(ValueError, match="only supported for LSTM"):
        nn.GRU(3, 4, proj_size=2)


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_outputs_may_be_written_to_before_backward(kind):
    layer = getattr(torch.nn, kind)(3, 4).double()
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad((layer(x)[0] * 2).sum(), x)
    (found,) = torch.autograd.grad(layer(x)[0].mul_(2).sum(), x)
    assert torch.equal(found, expected)
