"""Recurrent layers, packed sequences, embeddings, attention and transformers beside PyTorch.

`test_modules.py` runs PyTorch's module database over the same classes; here is what that does not ask: packed sequences of unsorted
lengths, dropout between layers, error texts, warnings, second derivatives, weights that are exchanged, padding in evaluation mode.
"""

import copy
import importlib
import itertools
import pickle

import pytest

torch = pytest.importorskip("torch")

from tests.parity.module_scenes import add_lines  # noqa: E402
from tests.parity.scenes import Scenes, compare  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene, nn = Scenes(), torch.nn
    rnn = importlib.import_module(f"{torch.__name__}.nn.utils.rnn")
    _add_packing(scene, torch, rnn)
    _add_recurrent(scene, torch, nn, rnn)
    _add_recurrent_errors(scene, torch, nn, rnn)
    _add_cells(scene, torch, nn)
    _add_embeddings(scene, torch, nn)
    _add_transformers(scene, torch, nn)
    return scene


# ------------------------------------------------------------------------------------------------------------ packing


def _add_packing(scene, torch, rnn):
    def padded(*shape, seed=0):
        torch.manual_seed(seed)
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    def there_and_back(lengths, batch_first=False, **options):
        x = padded(4, 3, 2) if not batch_first else padded(3, 4, 2)
        packed = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        y, found = rnn.pad_packed_sequence(packed, batch_first, **options)
        y.pow(2).sum().backward()
        return packed, y, found, x.grad, type(packed.data.grad_fn), type(y.grad_fn)

    def second_derivative():
        x = padded(4, 3, 2)
        packed = rnn.pack_padded_sequence(x, [4, 2, 1])
        y, _ = rnn.pad_packed_sequence(packed, total_length=6)
        (g,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        return torch.autograd.grad(g.pow(2).sum(), x)

    def sequences(*lengths):
        torch.manual_seed(0)
        return [torch.randn(n, 2, dtype=torch.float64, requires_grad=True) for n in lengths]

    def pad(*lengths, **options):
        each = sequences(*lengths)
        y = rnn.pad_sequence(each, **options)
        y.pow(2).sum().backward()
        return y, [x.grad for x in each], type(y.grad_fn)

    def converted():
        packed = rnn.pack_sequence(sequences(2, 3), enforce_sorted=False)
        kinds = [
            getattr(packed, name)().data.dtype for name in ("float", "half", "long", "int", "short", "char", "byte")
        ]
        same = packed.to("cpu") is packed, packed.double() is packed, packed.cpu() is packed
        return [str(kind) for kind in kinds], same, packed.to(torch.float32), packed.is_cuda

    def copied():
        packed = rnn.pack_sequence([torch.ones(2), torch.ones(3)], enforce_sorted=False)
        return str(packed), packed, copy.deepcopy(packed), pickle.loads(pickle.dumps(packed)), len(packed)

    x = torch.zeros(4, 3, 2)
    add_lines(
        scene,
        pack=lambda: there_and_back([4, 2, 1]),
        pack_unsorted=lambda: there_and_back([2, 4, 1]),
        pack_batch_first=lambda: there_and_back([1, 4, 4], True),
        pack_short=lambda: there_and_back([3, 2, 1]),
        pack_padding_value=lambda: there_and_back([2, 4, 1], padding_value=-1.0, total_length=6),
        pack_second_derivative=second_derivative,
        pack_sequence=lambda: rnn.pack_sequence(sequences(3, 2, 1)),
        pack_sequence_unsorted=lambda: rnn.pack_sequence(sequences(1, 3, 2), enforce_sorted=False),
        pack_converted=converted,
        pack_copied=copied,
        pad_sequence=lambda: pad(2, 3, 1),
        pad_sequence_left=lambda: pad(2, 3, 1, batch_first=True, padding_side="left", padding_value=0.5),
        pad_sequence_of_a_tensor=lambda: rnn.pad_sequence(torch.ones(2, 3)),
        unpad_sequence=lambda: rnn.unpad_sequence(torch.arange(6.0).view(3, 2), torch.tensor([3, 1])),
        unpack_sequence=lambda: rnn.unpack_sequence(rnn.pack_sequence(sequences(1, 3, 2), enforce_sorted=False)),
        invert_permutation=lambda: (rnn.invert_permutation(torch.tensor([2, 0, 1])), rnn.invert_permutation(None)),
        pack_lengths_increasing=lambda: rnn.pack_padded_sequence(x, [1, 2, 4]),
        pack_lengths_too_few=lambda: rnn.pack_padded_sequence(x, [4, 2]),
        pack_lengths_zero=lambda: rnn.pack_padded_sequence(x, [4, 2, 0]),
        pack_lengths_of_two_dimensions=lambda: rnn.pack_padded_sequence(x, torch.tensor([[4, 2, 1]])),
        pack_nothing=lambda: rnn.pack_padded_sequence(torch.zeros(0, 0, 2), torch.tensor([], dtype=torch.int64)),
        pack_a_vector=lambda: rnn.pack_padded_sequence(torch.ones(4), [4]),
        pad_too_short=lambda: rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [4, 2, 1]), total_length=3),
        pad_side=lambda: rnn.pad_sequence([torch.ones(2)], padding_side="middle"),
        pad_nothing=lambda: rnn.pad_sequence([]),
        pad_number=lambda: rnn.pad_sequence(3),
        pad_shapes=lambda: rnn.pad_sequence([torch.ones(2, 3), torch.ones(3, 2)]),
        packed_by_hand=lambda: rnn.PackedSequence(torch.ones(3)),
    )


# ---------------------------------------------------------------------------------------------------------- recurrent


def _add_recurrent(scene, torch, nn, rnn):
    def tensors(result):
        for each in result:
            if isinstance(each, rnn.PackedSequence):
                yield each.data
            elif isinstance(each, tuple):
                yield from tensors(each)
            else:
                yield each

    def outcome(module, *args):
        torch.manual_seed(7)
        result = module(*args)
        loss = sum((each * (k + 1)).pow(2).sum() for k, each in enumerate(tensors(result)))
        loss.backward()
        return result, [(name, p.grad) for name, p in module.named_parameters()]

    def packed(seed=3):
        torch.manual_seed(seed)
        x = torch.randn(5, 4, 3, dtype=torch.float64, requires_grad=True)
        return x, rnn.pack_padded_sequence(x, [3, 5, 1, 3], enforce_sorted=False)

    def run_packed(kind, options, given):
        torch.manual_seed(1)
        module = getattr(nn, kind)(3, 4, 2, dropout=0.4, dtype=torch.float64, **options)
        x, sequence = packed()
        shape = (2 * (1 + options.get("bidirectional", False)), 4)
        begin = torch.randn(*shape, options.get("proj_size", 4), dtype=torch.float64)
        if kind == "LSTM":
            begin = (begin, torch.randn(*shape, 4, dtype=torch.float64))
        found = outcome(module, sequence, *((begin,) if given else ()))
        return found, x.grad, module

    choices = itertools.product(("RNN", "LSTM", "GRU"), (False, True), (False, True))
    for kind, bidirectional, given in choices:
        options = {"bidirectional": bidirectional}
        if kind == "LSTM":
            options["proj_size"] = 2
        if kind == "RNN":
            options["nonlinearity"] = "relu"
        name = f"packed_{kind}_{bidirectional}_{given}"
        add_lines(scene, **{name: lambda args=(kind, options, given): run_packed(*args)})

    def second_derivatives(kind, **options):
        torch.manual_seed(1)
        module = getattr(nn, kind)(3, 4, dtype=torch.float64, **options)
        x, sequence = packed()
        leaves = [x, *module.parameters()]
        loss = sum(each.pow(2).sum() for each in tensors(module(sequence)))
        first = torch.autograd.grad(loss, leaves, create_graph=True)
        return first, torch.autograd.grad(sum(each.pow(2).sum() for each in first), leaves)

    def dropped(kind):
        torch.manual_seed(1)
        module = getattr(nn, kind)(3, 4, 3, dropout=0.5, batch_first=True)
        x = torch.linspace(-1, 1, 60).view(4, 5, 3)
        return outcome(module, x), module.eval()(x)

    def exchanged():
        torch.manual_seed(1)
        module = nn.LSTM(3, 4)
        x = torch.ones(2, 1, 3)
        before = module(x)[0]
        module.weight_hh_l0 = nn.Parameter(torch.zeros(16, 4))
        changed = module(x)[0]
        stateless = importlib.import_module(f"{torch.__name__}.nn.utils.stateless")
        called = stateless._functional_call(module, {"weight_ih_l0": torch.zeros(16, 3)}, x)[0]
        return before, changed, called, module(x)[0], module.double()(x.double())[0]

    def state(module):
        return module, list(module.state_dict()), module.all_weights, module._all_weights

    def fresh(kind, *args, **options):
        torch.manual_seed(1)
        return kind(*args, **options)

    add_lines(
        scene,
        lstm_second_derivatives=lambda: second_derivatives("LSTM", proj_size=2, bidirectional=True),
        gru_second_derivatives=lambda: second_derivatives("GRU", bidirectional=True),
        rnn_second_derivatives=lambda: second_derivatives("RNN"),
        lstm_dropout=lambda: dropped("LSTM"),
        gru_dropout=lambda: dropped("GRU"),
        rnn_dropout=lambda: dropped("RNN"),
        weights_exchanged=exchanged,
        lstm_state=lambda: state(fresh(nn.LSTM, 3, 4, 2, bidirectional=True, proj_size=2)),
        gru_state=lambda: state(fresh(nn.GRU, 3, 4, bias=False)),
        rnn_state=lambda: state(fresh(nn.RNN, 3, 4, 2, "relu", False)),
        base_state=lambda: state(fresh(nn.RNNBase, "LSTM", 3, 4, 2, False, True, 0.1, True, 2)),
        lstm_without_batch=lambda: outcome(fresh(nn.LSTM, 3, 4, batch_first=True), torch.ones(5, 3)),
        gru_empty_batch=lambda: fresh(nn.GRU, 3, 4)(torch.ones(5, 0, 3)),
        lstm_bfloat16=lambda: [
            [list(each.shape), str(each.dtype)]
            for each in tensors(fresh(nn.LSTM, 3, 4, dtype=torch.bfloat16)(torch.ones(5, 2, 3, dtype=torch.bfloat16)))
        ],
        lstm_copied=lambda: copy.deepcopy(fresh(nn.LSTM, 3, 4))(torch.ones(2, 1, 3)),
        lstm_pickled=lambda: pickle.loads(pickle.dumps(fresh(nn.LSTM, 3, 4)))(torch.ones(2, 1, 3)),
    )


def _add_recurrent_errors(scene, torch, nn, rnn):  # noqa: C901 - a list
    kinds = (nn.RNN, nn.LSTM, nn.GRU)
    settings = {
        "dropout_above_one": dict(dropout=1.5),
        "dropout_bool": dict(dropout=True),
        "dropout_of_one_layer": dict(dropout=0.2),
        "no_layers": dict(num_layers=0),
        "layers_float": dict(num_layers=1.0),
        "proj_size_negative": dict(proj_size=-1),
        "proj_size_large": dict(proj_size=4),
        "bias_number": dict(bias=2),
        "batch_first_number": dict(batch_first=1),
        "bidirectional_number": dict(bidirectional=1),
        "unknown": dict(foo=1),
        "hidden_size_zero": dict(hidden_size=0),
        "hidden_size_float": dict(hidden_size=4.0),
        "input_size_zero": dict(input_size=0),
        "input_size_float": dict(input_size=3.0),
    }

    def states(kind, *shape):
        each = torch.zeros(*shape)
        return (each, each) if kind is nn.LSTM else each

    x = torch.zeros(6, 5, 3)
    for kind in kinds:
        name = kind.__name__
        for what, options in settings.items():
            given = {"input_size": 3, "hidden_size": 4, **options}
            add_lines(scene, **{f"{name}_{what}": lambda kind=kind, given=given: kind(**given)})
        calls = {
            "input_width": lambda m, kind: m(torch.zeros(6, 5, 2)),
            "input_vector": lambda m, kind: m(torch.zeros(5)),
            "input_4d": lambda m, kind: m(torch.zeros(1, 6, 5, 3)),
            "input_dtype": lambda m, kind: m(x.double()),
            "input_integers": lambda m, kind: m(x.long()),
            "no_steps": lambda m, kind: m(torch.zeros(0, 5, 3)),
            "state_batch": lambda m, kind: m(x, states(kind, 2, 4, 4)),
            "state_layers": lambda m, kind: m(x, states(kind, 1, 5, 4)),
            "state_without_batch": lambda m, kind: m(x, states(kind, 5, 4)),
            "state_with_batch": lambda m, kind: m(x[:, 0], states(kind, 2, 4, 4)),
            "state_width": lambda m, kind: m(x[:, 0], states(kind, 2, 3)),
            "packed_state_batch": lambda m, kind: m(
                rnn.pack_padded_sequence(x, [6, 5, 4, 3, 2]), states(kind, 2, 4, 4)
            ),
            "packed_width": lambda m, kind: m(rnn.pack_padded_sequence(x[..., :2], [6, 5, 4, 3, 2])),
        }
        for what, call in calls.items():
            add_lines(scene, **{f"{name}_{what}": lambda kind=kind, call=call: call(kind(3, 4, 2), kind)})
    wide, narrow = torch.zeros(2, 5, 4), torch.zeros(2, 5, 3)
    add_lines(
        scene,
        lstm_cell_state_width=lambda: nn.LSTM(3, 4, 2)(x, (wide, narrow)),
        lstm_cell_state_dims=lambda: nn.LSTM(3, 4, 2)(x, (wide, narrow[0])),
        lstm_unbatched_state_dims=lambda: nn.LSTM(3, 4, 2)(x[:, 0], (wide[:, 0], wide)),
        rnn_nonlinearity=lambda: nn.RNN(3, 4, nonlinearity="x"),
        rnn_base_mode=lambda: nn.RNNBase("FOO", 3, 4),
        rnn_base_forward=lambda: nn.RNNBase("RNN_TANH", 3, 4)(x),
    )


def _add_cells(scene, torch, nn):
    def run(kind, options, batched, given):
        torch.manual_seed(1)
        module = kind(3, 4, dtype=torch.float64, **options)
        lead = (5,) if batched else ()
        x = torch.randn(*lead, 3, dtype=torch.float64, requires_grad=True)
        h = torch.randn(*lead, 4, dtype=torch.float64)
        state = (h, 2 * h) if kind is nn.LSTMCell else h
        result = module(x, *((state,) if given else ()))
        each = result if isinstance(result, tuple) else (result,)
        sum((k + 1) * part.pow(2).sum() for k, part in enumerate(each)).backward()
        gradients = [(name, p.grad) for name, p in module.named_parameters()]
        return result, [type(part.grad_fn) for part in each], x.grad, gradients, module, list(module.state_dict())

    x = torch.zeros(5, 3)
    relu = {"nonlinearity": "relu"}
    variants = (
        (nn.RNNCell, {}),
        (nn.RNNCell, relu),
        (nn.LSTMCell, {}),
        (nn.GRUCell, {}),
        (nn.GRUCell, {"bias": False}),
    )
    for number, (kind, options) in enumerate(variants):
        for batched, given in itertools.product((False, True), repeat=2):
            args = (kind, options, batched, given)
            add_lines(scene, **{f"cell_{number}_{batched}_{given}": lambda args=args: run(*args)})

        def states(*shape, kind=kind):
            each = torch.zeros(*shape)
            return (each, each) if kind is nn.LSTMCell else each

        calls = {
            "width": lambda m, s: m(torch.zeros(5, 2)),
            "dims": lambda m, s: m(torch.zeros(5, 2, 3)),
            "scalar": lambda m, s: m(torch.zeros(())),
            "state_batch": lambda m, s: m(x, s(4, 4)),
            "state_dims": lambda m, s: m(x, s(5, 4, 1)),
            "state_width": lambda m, s: m(x, s(5, 3)),
            "state_with_batch": lambda m, s: m(x[0], s(1, 4)),
        }
        for what, call in calls.items():
            make = lambda kind=kind, options=options, call=call, s=states: call(kind(3, 4, **options), s)  # noqa: E731
            add_lines(scene, **{f"cell_{number}_{what}": make})
    add_lines(scene, cell_nonlinearity=lambda: nn.RNNCell(3, 4, nonlinearity="x")(torch.zeros(5, 3)))


# --------------------------------------------------------------------------------------------------------- embeddings


def _add_embeddings(scene, torch, nn):
    indices = torch.tensor([[1, 2, 0], [4, 1, 1]])

    def run(kind, *args, call=(), pretrained=None, **options):
        torch.manual_seed(1)
        if pretrained is None:
            module = kind(*args, **options)
        else:
            module = kind.from_pretrained(pretrained, *args, **options)
        y = module(indices, *call)
        if module.weight.requires_grad:
            y.pow(2).sum().backward()
        return y, module.weight, module.weight.grad, module, list(module.state_dict())

    table = torch.arange(15.0).view(5, 3)
    weights = torch.tensor([[0.5, 1.0, 2.0], [1.0, -1.0, 0.25]])
    add_lines(
        scene,
        embedding=lambda: run(nn.Embedding, 5, 3),
        embedding_padding=lambda: run(nn.Embedding, 5, 3, padding_idx=-4),
        embedding_norm=lambda: run(nn.Embedding, 5, 3, max_norm=1.0, norm_type=1.0),
        embedding_frequency=lambda: run(nn.Embedding, 5, 3, scale_grad_by_freq=True),
        embedding_pretrained=lambda: run(nn.Embedding, pretrained=table.clone()),
        embedding_pretrained_trained=lambda: run(nn.Embedding, False, 1, pretrained=table.clone()),
        bag_mean=lambda: run(nn.EmbeddingBag, 5, 3),
        bag_sum=lambda: run(nn.EmbeddingBag, 5, 3, mode="sum", padding_idx=1),
        bag_max=lambda: run(nn.EmbeddingBag, 5, 3, mode="max", max_norm=0.5),
        bag_weights=lambda: run(nn.EmbeddingBag, 5, 3, mode="sum", call=(None, weights)),
        bag_pretrained=lambda: run(nn.EmbeddingBag, pretrained=table.clone(), mode="sum"),
        bag_pretrained_trained=lambda: run(nn.EmbeddingBag, False, pretrained=table.clone()),
        bag_offsets=lambda: nn.EmbeddingBag.from_pretrained(table, mode="sum", include_last_offset=True)(
            indices.view(-1), torch.tensor([0, 2, 2, 6])
        ),
        embedding_padding_outside=lambda: nn.Embedding(5, 3, padding_idx=5),
        embedding_padding_outside_below=lambda: nn.Embedding(5, 3, padding_idx=-6),
        bag_padding_outside=lambda: nn.EmbeddingBag(5, 3, padding_idx=5),
        embedding_weight_shape=lambda: nn.Embedding(5, 3, _weight=torch.ones(3, 5)),
        embedding_pretrained_vector=lambda: nn.Embedding.from_pretrained(torch.ones(3)),
        embedding_outside=lambda: nn.Embedding(5, 3)(torch.tensor([5])),
        embedding_of_floats=lambda: nn.Embedding(5, 3)(torch.ones(2)),
        bag_without_offsets=lambda: nn.EmbeddingBag(5, 3)(torch.tensor([1, 2])),
        bag_with_offsets=lambda: nn.EmbeddingBag(5, 3)(indices, torch.tensor([0])),
        bag_weights_of_mean=lambda: nn.EmbeddingBag(5, 3)(indices, None, weights),
        bag_mode=lambda: nn.EmbeddingBag(5, 3, mode="median")(indices),
    )


# ------------------------------------------------------------------------------------------------------- transformers


def _add_transformers(scene, torch, nn):  # noqa: C901 - a list
    def fresh(kind, *args, **options):
        torch.manual_seed(1)
        return kind(*args, **options)

    def trained(module, *args, **options):
        torch.manual_seed(2)
        y = module.train()(*args, **options)
        y.pow(2).sum().backward()
        return y, [p.grad.abs().sum() for p in module.parameters()]

    def layer(**options):
        return fresh(nn.TransformerEncoderLayer, 8, options.pop("nhead", 2), 16, dtype=torch.float64, **options)

    def sequence(*shape):
        torch.manual_seed(4)
        return torch.randn(*shape, dtype=torch.float64)

    x = sequence(3, 5, 8)
    ends = torch.tensor([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]).bool()
    gaps = ends.clone()
    gaps[:, 0] = True
    causal = nn.Transformer.generate_square_subsequent_mask(5)

    def encoder(layers=2, norm=None, **options):
        inner = {k: options.pop(k) for k in list(options) if k not in ("enable_nested_tensor", "mask_check")}
        return nn.TransformerEncoder(layer(**inner), layers, norm, **options)

    def evaluated(module, *args, **options):
        with torch.no_grad():
            return module.eval()(*args, **options)

    add_lines(
        scene,
        causal_mask=lambda: (causal, nn.Transformer.generate_square_subsequent_mask(2, dtype=torch.float64)),
        layer_text=lambda: (layer(), list(layer().state_dict())),
        layer_dropout=lambda: trained(layer(batch_first=True), x),
        layer_norm_first=lambda: trained(layer(norm_first=True, activation="gelu", bias=False), x),
        layer_of_module_activation=lambda: trained(layer(activation=nn.SiLU()), x),
        layer_masks=lambda: trained(layer(batch_first=True), x, causal.double(), ends.double() * -2),
        layer_masks_of_two_kinds=lambda: trained(layer(batch_first=True), x, causal.double(), ends),
        layer_causal=lambda: trained(layer(batch_first=True), x, causal.double(), is_causal=True),
        layer_evaluated=lambda: evaluated(layer(batch_first=True), x, src_key_padding_mask=ends),
        layer_pickled=lambda: evaluated(pickle.loads(pickle.dumps(layer(batch_first=True, activation="gelu"))), x),
        layer_without_batch=lambda: trained(layer(), x[0]),
        encoder_text=lambda: encoder(batch_first=True),
        encoder_of_batch_second=lambda: encoder(),
        encoder_of_norm_first=lambda: encoder(norm_first=True),
        encoder_of_odd_heads=lambda: encoder(nhead=1, batch_first=True),
        encoder_without_bias=lambda: encoder(bias=False, batch_first=True),
        encoder_of_other_activation=lambda: encoder(activation=torch.tanh, batch_first=True).use_nested_tensor,
        encoder_of_another_layer=lambda: nn.TransformerEncoder(fresh(nn.Linear, 2, 2), 1),
        encoder_quiet=lambda: encoder(enable_nested_tensor=False),
        encoder_dropout=lambda: trained(encoder(batch_first=True), x, src_key_padding_mask=ends),
        encoder_finds_causal=lambda: trained(encoder(batch_first=True, dropout=0.0), x, causal.double()),
        encoder_bool_mask=lambda: trained(encoder(batch_first=True), x, causal != 0),
        encoder_integer_mask=lambda: encoder(batch_first=True)(x, src_key_padding_mask=ends.long()),
        encoder_gaps_evaluated=lambda: evaluated(encoder(batch_first=True), x, src_key_padding_mask=gaps),
        encoder_both_masks_evaluated=lambda: evaluated(encoder(), x, (sequence(3, 3) > 1), ends.t()[:, :3].t()[:3].t()),
        decoder_text=lambda: nn.TransformerDecoder(fresh(nn.TransformerDecoderLayer, 8, 2, 16), 2, nn.LayerNorm(8)),
        decoder_dropout=lambda: trained(
            nn.TransformerDecoder(
                fresh(nn.TransformerDecoderLayer, 8, 2, 16, batch_first=True, dtype=torch.float64), 2
            ),
            *(x, sequence(3, 4, 8)),
            tgt_mask=causal.double(),
            memory_key_padding_mask=ends[:, :4],
        ),
        transformer=lambda: trained(
            fresh(nn.Transformer, 8, 2, 2, 2, 16, batch_first=True, dtype=torch.float64), x, sequence(3, 4, 8)
        ),
        transformer_batches=lambda: fresh(nn.Transformer, 8, 2, 1, 1, 16)(torch.ones(4, 3, 8), torch.ones(4, 2, 8)),
        transformer_sizes=lambda: fresh(nn.Transformer, 8, 2, 1, 1, 16)(torch.ones(4, 3, 8), torch.ones(4, 3, 6)),
        layer_activation=lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"),
        layer_heads=lambda: nn.TransformerEncoderLayer(8, 3),
    )

    def padding(**options):
        """The first use in a process warns, so whether it does depends on the order of the scenes: values only."""
        module = encoder(norm=nn.LayerNorm(8, dtype=torch.float64), batch_first=True, **options)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [
                evaluated(module, x, src_key_padding_mask=mask)
                for mask in (ends, ends.double().masked_fill(ends, float("-inf")), ends | (ends.sum(1, True) == 3))
            ]

    add_lines(
        scene,
        encoder_padding_evaluated=padding,
        encoder_padding_unchecked=lambda: padding(mask_check=False),
        encoder_padding_with_gradients=lambda: encoder(batch_first=True).eval()(x, src_key_padding_mask=ends),
    )

    def attention(*args, **options):
        torch.manual_seed(1)
        call = options.pop("call", {})
        module = nn.MultiheadAttention(*args, dtype=torch.float64, **options)
        torch.manual_seed(5)
        return module(x, x, x, **call), module, module.in_proj_weight, module.out_proj.bias

    add_lines(
        scene,
        attention=lambda: attention(8, 2, dropout=0.3),
        attention_heads_apart=lambda: attention(8, 2, batch_first=True, call={"average_attn_weights": False}),
        attention_added=lambda: attention(8, 4, add_bias_kv=True, add_zero_attn=True),
        attention_causal=lambda: attention(
            8, 2, batch_first=True, call={"need_weights": False, "attn_mask": causal.double(), "is_causal": True}
        ),
        attention_causal_without_mask=lambda: attention(8, 2, call={"is_causal": True}),
        attention_padding_of_wrong_batch=lambda: attention(8, 2, call={"key_padding_mask": torch.zeros(3, 3)}),
        attention_padding_of_wrong_length=lambda: attention(8, 2, call={"key_padding_mask": torch.zeros(5, 4)}),
        attention_mask_of_wrong_shape=lambda: attention(8, 2, call={"attn_mask": torch.zeros(2, 2)}),
        attention_evaluated_masked=lambda: attention(
            8, 2, batch_first=True, call={"key_padding_mask": ends, "attn_mask": causal != 0}
        ),
        attention_sizes=lambda: nn.MultiheadAttention(8, 3),
        attention_no_heads=lambda: nn.MultiheadAttention(8, 0),
        attention_class=lambda: nn.MultiheadAttention.__module__,
        attention_file=lambda: nn.modules.activation.MultiheadAttention is nn.MultiheadAttention,
    )


@pytest.mark.parametrize("name", scenes(torch))
def test_both_libraries_show_the_same(name):
    assert compare(scenes, name) is None
