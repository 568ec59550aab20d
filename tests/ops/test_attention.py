"""Attention and recurrent operators: derivatives to second order, masks, packed sequences."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)
Q, K, V = (rng.standard_normal(s) for s in ((1, 2, 3, 2), (1, 2, 4, 2), (1, 2, 4, 3)))


@pytest.mark.parametrize(
    "options",
    [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": torch.tensor(rng.random((3, 4)) > 0.3)}],
)
def test_fused_attention(options):
    check(lambda q, k, v: F["scaled_dot_product_attention"](q, k, v, **options), Q, K, V)


def test_fused_and_composed_attention_agree():
    q, k, v = (torch.tensor(each, requires_grad=True) for each in (Q, K, V))
    fused = F["scaled_dot_product_attention"](q, k, v)
    assert node(fused) == "ScaledDotProductFlashAttentionForCpuBackward0"
    mask = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    composed = F["scaled_dot_product_attention"](q, k, v, attn_mask=mask)
    np.testing.assert_allclose(fused.detach().numpy(), composed.detach().numpy())
    check(
        lambda m: F["scaled_dot_product_attention"](q.detach(), k.detach(), v.detach(), m), rng.standard_normal((3, 4))
    )


def test_groups_of_heads_share_keys():
    wide = F["scaled_dot_product_attention"](
        torch.tensor(Q), torch.tensor(K[:, :1]), torch.tensor(V[:, :1]), enable_gqa=True
    )
    repeated = F["scaled_dot_product_attention"](
        torch.tensor(Q), torch.tensor(K[:, [0, 0]]), torch.tensor(V[:, [0, 0]])
    )
    np.testing.assert_allclose(wide.numpy(), repeated.numpy())


def test_a_mask_and_causality_exclude_each_other():
    with pytest.raises(RuntimeError, match="Explicit attn_mask should not be set when is_causal=True"):
        F["scaled_dot_product_attention"](*(torch.tensor(e) for e in (Q, K, V)), torch.zeros(3, 4), is_causal=True)


def multi_head(need_weights, mask=None, padding=None):
    def call(x, w, b, out):
        result, weights = F["multi_head_attention_forward"](
            x, x, x, 4, 2, w, b, None, None, False, 0.0, out, None,
            key_padding_mask=padding, need_weights=need_weights, attn_mask=mask,
        )  # fmt: skip
        return result

    return call


def test_multi_head_attention_with_and_without_weights():
    x, w, b, out = (rng.standard_normal(s) for s in ((3, 2, 4), (12, 4), (12,), (4, 4)))
    check(multi_head(True), x, w, b, out)
    given = [torch.tensor(each) for each in (x, w, b, out)]
    mask = torch.tensor(np.triu(np.ones((3, 3), bool), 1))
    padding = torch.tensor([[False, False, True], [False, False, False]])
    for options in ({}, {"mask": mask}, {"mask": mask, "padding": padding}):
        one, other = multi_head(True, **options)(*given), multi_head(False, **options)(*given)
        np.testing.assert_allclose(one.numpy(), other.numpy())


def weights(gates, inputs, hidden, count=1, projected=0):
    made = []
    for _ in range(count):
        width = projected or hidden
        made += [
            rng.standard_normal(s) * 0.5
            for s in ((gates * hidden, inputs), (gates * hidden, width), (gates * hidden,), (gates * hidden,))
        ]
        if projected:
            made.append(rng.standard_normal((projected, hidden)) * 0.5)
    return made


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh"])
def test_recurrent_layers(kind):
    states = [rng.standard_normal((1, 2, 2))] * (2 if kind == "lstm" else 1)
    params = weights({"lstm": 4, "gru": 3, "rnn_tanh": 1}[kind], 2, 2)

    def call(x, *rest):
        held, given = rest[: len(states)], rest[len(states) :]
        hx = held if kind == "lstm" else held[0]
        out, *finals = getattr(torch, kind)(x, hx, given, True, 1, 0.0, True, False, False)
        return torch.cat([out.reshape(-1), *(f.reshape(-1) * 0.5 for f in finals)])

    check(call, rng.standard_normal((2, 2, 2)), *states, *params, atol=1e-5)


def test_a_stack_of_two_directions_is_its_cells_one_by_one():
    from rushlight.ops.table import TENSOR

    x = torch.tensor(rng.standard_normal((3, 2, 2)))
    params = [torch.tensor(w) for w in weights(4, 2, 3, 2) + weights(4, 6, 3, 2)]
    h, c = torch.tensor(rng.standard_normal((4, 2, 3))), torch.tensor(rng.standard_normal((4, 2, 3)))
    out, hn, cn = TENSOR.lstm(x, (h, c), params, True, 2, 0.0, False, True, False)
    rows = list(x)
    for layer in range(2):
        both = []
        for direction in range(2):
            n = 2 * layer + direction
            state, outputs = (h[n], c[n]), []
            for row in reversed(rows) if direction else rows:
                state = TENSOR.lstm_cell(row, state, *params[4 * n : 4 * n + 4])
                outputs.append(state[0])
            np.testing.assert_allclose(hn[n].numpy(), state[0].numpy())
            np.testing.assert_allclose(cn[n].numpy(), state[1].numpy())
            both.append(outputs[::-1] if direction else outputs)
        rows = [torch.cat(pair, 1) for pair in zip(*both, strict=True)]
    np.testing.assert_allclose(out.numpy(), torch.stack(rows).numpy())


def test_packed_sequences_are_the_padded_ones_without_the_padding():
    params = [torch.tensor(w) for w in weights(3, 2, 3)]
    x = rng.standard_normal((3, 2, 2))
    packed = torch.tensor(np.concatenate([x[0], x[1], x[2, :1]]))
    h = torch.zeros(1, 2, 3, dtype=torch.float64)
    out, hn = torch.gru(packed, torch.tensor([2, 2, 1]), h, params, True, 1, 0.0, False, False)
    full, _ = torch.gru(torch.tensor(x), h, params, True, 1, 0.0, False, False, False)
    np.testing.assert_allclose(out.numpy(), np.concatenate([full[0], full[1], full[2, :1]]))
    np.testing.assert_allclose(hn[0, 0].numpy(), full[2, 0].numpy())
    np.testing.assert_allclose(hn[0, 1].numpy(), full[1, 1].numpy())
