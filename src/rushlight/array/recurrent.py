"""Recurrent layers over whole sequences: simple (tanh, relu), LSTM and GRU, forward and backward by hand.

How. A sequence is data of shape (rows, features), time step after time step, with the number of sequences still running
at each step (PyTorch's packed form; a padded batch is the case where all steps are equal). The inputs of all steps go
through one matrix product; a step then costs one product with the hidden state and a few elementwise passes. Backward
keeps the gates' cotangents of all steps and makes the weights' gradients by one matrix product each at the end. The
loop goes over time steps only.

The LSTM's sigmoids are taken as (1 + tanh(z / 2)) / 2, so that one tanh makes all four gates; the halves are folded
into the weights.

Memory. Kept for backward: the gates and the states of every step.
"""

import numpy as np

from .widening import through_float32

__all__ = [
    "gru_layer",
    "gru_layer_backward",
    "lstm_layer",
    "lstm_layer_backward",
    "rnn_layer",
    "rnn_layer_backward",
]


def _steps(batch_sizes, reverse):
    """(first row, last row, running sequences) of each step, in the order in which they are computed."""
    spans, low = [], 0
    for size in batch_sizes:
        spans.append((low, low + size, size))
        low += size
    return spans[::-1] if reverse else spans


def _inputs(input, weight, bias):
    """The input's share of the gates for all steps at once, with every bias that can be added now."""
    gates = input @ weight.T
    if bias is not None:
        gates += bias
    return gates


def _previous(states, initial, spans, reverse):
    """The hidden state before each step, as rows in the order of the data."""
    before = np.empty_like(states)
    if reverse:
        for step, (low, high, size) in enumerate(spans):
            if step == 0:
                before[low:high] = initial[:size]
                continue
            last_low, last_high, last_size = spans[step - 1]
            before[low : low + last_size] = states[last_low:last_high]
            before[low + last_size : high] = initial[last_size:size]
        return before
    for step, (low, high, size) in enumerate(spans):
        before[low:high] = initial[:size] if step == 0 else states[spans[step - 1][0] : spans[step - 1][0] + size]
    return before


def _finals(states, initial, spans, reverse):
    """The last state of each sequence."""
    final = np.array(initial)
    if reverse:
        if spans:
            low, high, size = spans[-1]
            final[:size] = states[low:high]
        return final
    for step, (low, high, size) in enumerate(spans):
        following = spans[step + 1][2] if step + 1 < len(spans) else 0
        final[following:size] = states[low + following : high]
    return final


# Simple ---------------------------------------------------------------------------------------------------------------


@through_float32
def rnn_layer(input, hx, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse, nonlinearity):
    """h' = f(W_ih x + b_ih + W_hh h + b_hh) with f = tanh or relu: (states (rows, H), final state (B, H))."""
    bias = None if bias_ih is None else bias_ih + bias_hh
    states = _inputs(input, weight_ih, bias)
    spans = _steps(batch_sizes, reverse)
    recurrent = np.ascontiguousarray(weight_hh.T)
    state = hx
    for low, high, size in spans:
        state = _fit(state, hx, size)
        part = states[low:high]
        part += state @ recurrent
        if nonlinearity == "tanh":
            np.tanh(part, out=part)
        else:
            np.maximum(part, 0, out=part)
        state = part
    return states, _finals(states, hx, spans, reverse)


def _fit(state, initial, size):
    """The states that go on: fewer sequences forward in time, more (from their initial states) backward."""
    have = state.shape[0]
    if have == size:
        return state
    return state[:size] if have > size else np.concatenate([state, initial[have:size]])


@through_float32
def rnn_layer_backward(
    grad, grad_final, input, hx, weight_ih, weight_hh, has_biases, states, batch_sizes, reverse, nonlinearity
):
    """Cotangents of (input, hx, weight_ih, weight_hh, bias) of `rnn_layer`; both biases have the same."""
    spans = _steps(batch_sizes, reverse)
    gates = np.empty_like(states)
    slope = 1 - states * states if nonlinearity == "tanh" else (states > 0).astype(states.dtype)
    carried = grad_final
    kept = np.zeros_like(hx)
    for step in range(len(spans) - 1, -1, -1):
        low, high, size = spans[step]
        carried = _fit_back(carried, grad_final, kept, size)
        part = gates[low:high]
        np.add(carried, grad[low:high], out=part)
        part *= slope[low:high]
        carried = part @ weight_hh
    kept[: carried.shape[0]] = carried
    gh = _with_unreached(kept, grad_final, spans)
    before = _previous(states, hx, spans, reverse)
    return (*_weights(gates, gates, input, before, weight_ih, has_biases), gh)


def _fit_back(carried, grad_final, kept, size):
    """Going back through the steps: sequences that end here bring their final cotangent, those that begin leave theirs."""
    have = carried.shape[0]
    if have == size:
        return carried
    if have < size:
        return np.concatenate([carried, grad_final[have:size]])
    kept[size:have] = carried[size:have]
    return carried[:size]


def _with_unreached(kept, grad_final, spans):
    """Sequences of no steps at all: their final state is their initial one."""
    most = max((size for _, _, size in spans), default=0)
    if most < kept.shape[0]:
        kept[most:] += grad_final[most:]
    return kept


def _weights(gates_ih, gates_hh, input, before, weight_ih, has_biases):
    """(input, weight_ih, weight_hh, bias_ih, bias_hh) from the gates' cotangents of all steps."""
    bias_ih = bias_hh = None
    if has_biases:
        bias_ih = gates_ih.sum(axis=0)
        bias_hh = bias_ih.copy() if gates_hh is gates_ih else gates_hh.sum(axis=0)
    return gates_ih @ weight_ih, gates_ih.T @ input, gates_hh.T @ before, bias_ih, bias_hh


# LSTM -----------------------------------------------------------------------------------------------------------------


@through_float32
def lstm_layer(input, hx, cx, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, batch_sizes, reverse):
    """One direction of an LSTM; gates in PyTorch's order input, forget, cell, output.

    Returns (outputs (rows, P), final h (B, P), final c (B, H), gates (rows, 4 H), cells (rows, H)); P is H, or the rows
    of `weight_hr` (P, H) where there is a projection.
    """
    hidden = cx.shape[1]
    halves = np.full(4 * hidden, 0.5, input.dtype)
    halves[2 * hidden : 3 * hidden] = 1
    bias = None if bias_ih is None else (bias_ih + bias_hh) * halves
    gates = _inputs(input, weight_ih * halves[:, None], bias)
    recurrent = np.ascontiguousarray((weight_hh * halves[:, None]).T)
    projection = None if weight_hr is None else np.ascontiguousarray(weight_hr.T)
    cells = np.empty((input.shape[0], hidden), gates.dtype)
    outputs = np.empty((input.shape[0], hx.shape[1]), gates.dtype)
    spans = _steps(batch_sizes, reverse)
    shift = 1 - halves
    h, c = hx, cx
    most = max((size for _, _, size in spans), default=0)
    scratch = np.empty((most, 4 * hidden), gates.dtype)
    narrow = np.empty((most, hidden), gates.dtype)
    for low, high, size in spans:
        h, c = _fit(h, hx, size), _fit(c, cx, size)
        part = gates[low:high]
        part += np.matmul(h, recurrent, out=scratch[:size])
        np.tanh(part, out=part)
        part *= halves
        part += shift
        cell = cells[low:high]
        np.multiply(part[:, hidden : 2 * hidden], c, out=cell)
        cell += np.multiply(part[:, :hidden], part[:, 2 * hidden : 3 * hidden], out=narrow[:size])
        h = outputs[low:high]
        if projection is None:
            np.tanh(cell, out=h)
            h *= part[:, 3 * hidden :]
        else:
            np.tanh(cell, out=narrow[:size])
            narrow[:size] *= part[:, 3 * hidden :]
            np.matmul(narrow[:size], projection, out=h)
        c = cell
    return outputs, _finals(outputs, hx, spans, reverse), _finals(cells, cx, spans, reverse), gates, cells


@through_float32
def lstm_layer_backward(
    grad,
    grad_h,
    grad_c,
    input,
    hx,
    cx,
    weight_ih,
    weight_hh,
    has_biases,
    weight_hr,
    outputs,
    gates,
    cells,
    batch_sizes,
    reverse,
):
    """Cotangents of (input, weight_ih, weight_hh, bias_ih, bias_hh, hx, cx, weight_hr) of `lstm_layer`."""
    hidden = cx.shape[1]
    spans = _steps(batch_sizes, reverse)
    before = _previous(cells, cx, spans, reverse)
    i, f, g, o = (gates[:, k * hidden : (k + 1) * hidden] for k in range(4))
    tanh_c = np.tanh(cells)
    # What the four gates' cotangents are multiplied by, for all steps at once: the cell's or the output's cotangent
    # remains.
    slopes = np.empty_like(gates)
    np.multiply(g * i, 1 - i, out=slopes[:, :hidden])
    np.multiply(before * f, 1 - f, out=slopes[:, hidden : 2 * hidden])
    np.multiply(i, 1 - g * g, out=slopes[:, 2 * hidden : 3 * hidden])
    np.multiply(tanh_c * o, 1 - o, out=slopes[:, 3 * hidden :])
    through = o * (1 - tanh_c * tanh_c)
    pulled = np.empty_like(outputs) if weight_hr is not None else None
    dh, dc = grad_h, grad_c
    kept_h, kept_c = np.zeros_like(hx), np.zeros_like(cx)
    for step in range(len(spans) - 1, -1, -1):
        low, high, size = spans[step]
        dh, dc = _fit_back(dh, grad_h, kept_h, size), _fit_back(dc, grad_c, kept_c, size)
        dh = dh + grad[low:high]
        if weight_hr is not None:
            pulled[low:high] = dh
            dh = dh @ weight_hr
        dc = dc + dh * through[low:high]
        part = slopes[low:high]
        wide = part.reshape(size, 4, hidden)
        wide[:, :3] *= dc[:, None, :]
        wide[:, 3] *= dh
        dh = part @ weight_hh
        dc = dc * f[low:high]
    kept_h[: dh.shape[0]], kept_c[: dc.shape[0]] = dh, dc
    gh, gc = _with_unreached(kept_h, grad_h, spans), _with_unreached(kept_c, grad_c, spans)
    hidden_before = _previous(outputs, hx, spans, reverse)
    gr = None if weight_hr is None else pulled.T @ (o * tanh_c)
    return (*_weights(slopes, slopes, input, hidden_before, weight_ih, has_biases), gh, gc, gr)


# GRU ------------------------------------------------------------------------------------------------------------------


@through_float32
def gru_layer(input, hx, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse):
    """One direction of a GRU; gates in PyTorch's order reset, update, new.

    n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = n + z (h - n). Returns (states (rows, H), final state (B, H),
    gates (rows, 3 H) after their nonlinearities, recurrent share of n (rows, H)).
    """
    hidden = hx.shape[1]
    gates = _inputs(input, weight_ih, bias_ih)
    recurrent = np.ascontiguousarray(weight_hh.T)
    states = np.empty((input.shape[0], hidden), gates.dtype)
    shares = np.empty((input.shape[0], hidden), gates.dtype)
    spans = _steps(batch_sizes, reverse)
    h = hx
    for low, high, size in spans:
        h = _fit(h, hx, size)
        both = h @ recurrent
        if bias_hh is not None:
            both += bias_hh
        part = gates[low:high]
        # NumPy's tanh is ten times slower on a slice of columns, so the gates are made in arrays of their own.
        sigmoids = part[:, : 2 * hidden] + both[:, : 2 * hidden]
        sigmoids *= 0.5
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        shares[low:high] = both[:, 2 * hidden :]
        new = sigmoids[:, :hidden] * both[:, 2 * hidden :]
        new += part[:, 2 * hidden :]
        np.tanh(new, out=new)
        part[:, : 2 * hidden], part[:, 2 * hidden :] = sigmoids, new
        state = states[low:high]
        np.subtract(h, new, out=state)
        state *= sigmoids[:, hidden:]
        state += new
        h = state
    return states, _finals(states, hx, spans, reverse), gates, shares


@through_float32
def gru_layer_backward(
    grad, grad_h, input, hx, weight_ih, weight_hh, has_biases, states, gates, shares, batch_sizes, reverse
):
    """Cotangents of (input, weight_ih, weight_hh, bias_ih, bias_hh, hx) of `gru_layer`."""
    hidden = hx.shape[1]
    spans = _steps(batch_sizes, reverse)
    before = _previous(states, hx, spans, reverse)
    r, z, n = (gates[:, k * hidden : (k + 1) * hidden] for k in range(3))
    slope_n = (1 - z) * (1 - n * n)
    slope_z = (before - n) * z * (1 - z)
    slope_r = shares * r * (1 - r)
    inner, outer = np.empty_like(gates), np.empty_like(gates)  # cotangents of the input's and of the recurrent shares
    dh = grad_h
    kept = np.zeros_like(hx)
    for step in range(len(spans) - 1, -1, -1):
        low, high, size = spans[step]
        dh = _fit_back(dh, grad_h, kept, size)
        dh = dh + grad[low:high]
        part = inner[low:high]
        dn = dh * slope_n[low:high]
        part[:, 2 * hidden :] = dn
        np.multiply(dh, slope_z[low:high], out=part[:, hidden : 2 * hidden])
        np.multiply(dn, slope_r[low:high], out=part[:, :hidden])
        back = outer[low:high]
        back[:, : 2 * hidden] = part[:, : 2 * hidden]
        np.multiply(dn, r[low:high], out=back[:, 2 * hidden :])
        dh = dh * z[low:high]
        dh += back @ weight_hh
    kept[: dh.shape[0]] = dh
    gh = _with_unreached(kept, grad_h, spans)
    return (*_weights(inner, outer, input, before, weight_ih, has_biases), gh)
