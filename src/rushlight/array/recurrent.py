"""Recurrent layers over whole sequences: simple (tanh, relu), LSTM and GRU, forward and backward by hand.

How. A sequence is data of shape (rows, features), time step after time step, with the number of sequences still running
at each step (PyTorch's packed form; a padded batch is the case where all steps are equal). The inputs of all steps go
through one matrix product; a step then costs one product with the hidden state and a few elementwise passes. Backward
keeps the gates' cotangents of all steps and makes the weights' gradients by one matrix product each at the end. The
loop goes over time steps only.

Sigmoids are taken as (1 + tanh(z / 2)) / 2, with the halves folded into the weights, so that one tanh makes all gates of an
LSTM's step. The gates of a layer are kept one after the other, (gates, rows, H), so that every pass goes over memory that lies
together: on columns of a row-wise (rows, gates x H) each is several times slower. Their cotangents are written row-wise, which
is what the products with the weights want.

The data is (rows, features) with packed sequences and (steps, batch, features) with padded ones; results have the same form.

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


def _rows(data):
    """Data of either form as (rows, features)."""
    return data.reshape(-1, data.shape[-1])


def _turned(weight, order, halved):
    """A weight (gates x H, features) as (gates, features, H) with the gates in `order`; the first `halved` of them by half."""
    gates = np.array(weight.reshape(len(order), -1, weight.shape[1])[order].transpose(0, 2, 1), order="C")
    gates[:halved] *= 0.5
    return gates


def _turned_bias(bias, order, halved):
    """A bias (gates x H,) as (gates, 1, H), likewise."""
    gates = bias.reshape(len(order), 1, -1)[order]
    gates[:halved] *= 0.5
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
    """h' = f(W_ih x + b_ih + W_hh h + b_hh) with f = tanh or relu.

    Returns (outputs (..., H), final state (B, H), states (..., H)): the outputs again, which backward reads and users
    cannot write to.
    """
    states = _rows(input) @ weight_ih.T
    if bias_ih is not None:
        states += bias_ih + bias_hh
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
    return _like(states.copy(), input), _finals(states, hx, spans, reverse), _like(states, input)


def _like(rows, data):
    """Rows in the form of the data."""
    return rows.reshape(*data.shape[:-1], rows.shape[1])


def _fit(state, initial, size):
    """The states that go on: fewer sequences forward in time, more (from their initial states) backward."""
    have = state.shape[0]
    if have == size:
        return state
    return state[:size] if have > size else np.concatenate([state, initial[have:size]])


@through_float32
def rnn_layer_backward(
    grad,
    grad_final,
    input,
    hx,
    weight_ih,
    weight_hh,
    has_biases,
    states,
    batch_sizes,
    reverse,
    nonlinearity,
    need_input=True,
):
    """Cotangents of (input, hx, weight_ih, weight_hh, bias) of `rnn_layer`; both biases have the same."""
    spans = _steps(batch_sizes, reverse)
    grad, states = _rows(grad), _rows(states)
    gates = np.empty_like(states)
    slope = 1 - states * states if nonlinearity == "tanh" else (states > 0).astype(states.dtype)
    carried = grad_final
    kept = np.zeros_like(hx)
    for low, high, size in reversed(spans):
        carried = _fit_back(carried, grad_final, kept, size)
        part = gates[low:high]
        np.add(carried, grad[low:high], out=part)
        part *= slope[low:high]
        carried = part @ weight_hh
    kept[: carried.shape[0]] = carried
    gh = _with_unreached(kept, grad_final, spans)
    before = _previous(states, hx, spans, reverse)
    return (*_weights(gates, gates, input, before, weight_ih, has_biases, need_input), gh)


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


def _weights(gates_ih, gates_hh, input, before, weight_ih, has_biases, need_input):
    """(input or None, weight_ih, weight_hh, bias_ih, bias_hh) from the gates' cotangents of all steps."""
    bias_ih = bias_hh = None
    if has_biases:
        # by BLAS, which is twice as fast as NumPy's sum over rows
        ones = np.ones(gates_ih.shape[0], gates_ih.dtype)
        bias_ih = ones @ gates_ih
        bias_hh = bias_ih.copy() if gates_hh is gates_ih else ones @ gates_hh
    pulled = (gates_ih @ weight_ih).reshape(input.shape) if need_input else None
    return pulled, gates_ih.T @ _rows(input), gates_hh.T @ before, bias_ih, bias_hh


# LSTM -----------------------------------------------------------------------------------------------------------------

#: the gates as they are kept: input, forget, output (these three are sigmoids), cell
_KEPT = [0, 1, 3, 2]


@through_float32
def lstm_layer(input, hx, cx, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, batch_sizes, reverse):
    """One direction of an LSTM; gates in PyTorch's order input, forget, cell, output.

    Returns (outputs (..., P), final h (B, P), final c (B, H), gates (4, rows, H), cells (rows, H)); P is H, or the rows of
    `weight_hr` (P, H) where there is a projection.
    """
    hidden = cx.shape[1]
    gates = np.matmul(_rows(input), _turned(weight_ih, _KEPT, 3))
    if bias_ih is not None:
        gates += _turned_bias(bias_ih + bias_hh, _KEPT, 3)
    recurrent = _turned(weight_hh, _KEPT, 3)
    projection = None if weight_hr is None else np.ascontiguousarray(weight_hr.T)
    rows = gates.shape[1]
    cells = np.empty((rows, hidden), gates.dtype)
    outputs = np.empty((rows, hx.shape[1]), gates.dtype)
    spans = _steps(batch_sizes, reverse)
    h, c = hx, cx
    most = max((size for _, _, size in spans), default=0)
    scratch = np.empty((4, most, hidden), gates.dtype)
    narrow = np.empty((most, hidden), gates.dtype)
    product, added = scratch, narrow
    # the calls themselves are half of a small step: results are given by place, which is faster than by name
    for low, high, size in spans:
        if h.shape[0] != size:
            h, c = _fit(h, hx, size), _fit(c, cx, size)
        if product.shape[1] != size:
            product, added = scratch[:, :size], narrow[:size]
        part = gates[:, low:high]
        part += np.matmul(h, recurrent, product)
        np.tanh(part, part)
        _to_sigmoids(part[:3])
        i, f, o, g = part
        cell = np.multiply(f, c, cells[low:high])
        cell += np.multiply(i, g, added)
        h = outputs[low:high]
        out = np.tanh(cell, h if projection is None else added)
        out *= o
        if projection is not None:
            np.matmul(out, projection, h)
        c = cell
    finals = _finals(outputs, hx, spans, reverse), _finals(cells, cx, spans, reverse)
    return (_like(outputs, input), *finals, gates, cells)


def _to_sigmoids(halves):
    """tanh(z / 2) -> sigmoid(z), in place."""
    halves *= 0.5
    halves += 0.5


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
    need_input=True,
):
    """Cotangents of (input, weight_ih, weight_hh, bias_ih, bias_hh, hx, cx, weight_hr) of `lstm_layer`.

    That of the input is None unless `need_input`.
    """
    hidden = cx.shape[1]
    spans = _steps(batch_sizes, reverse)
    grad, outputs = _rows(grad), _rows(outputs)
    i, f, o, g = gates
    tanh_c = np.tanh(cells)
    # What the cotangents of the gates (in PyTorch's order) are multiplied by, for all steps at once; the cotangent of the
    # cell, or for the last gate that of the output, remains.
    slopes = np.empty_like(gates)
    np.subtract(1, gates[:2], out=slopes[:2])
    slopes[:2] *= gates[:2]
    slopes[0] *= g
    slopes[1] *= _previous(cells, cx, spans, reverse)
    np.multiply(g, g, out=slopes[2])
    np.subtract(1, slopes[2], out=slopes[2])
    slopes[2] *= i
    np.subtract(1, o, out=slopes[3])
    slopes[3] *= o
    slopes[3] *= tanh_c
    through = np.multiply(tanh_c, tanh_c)
    np.subtract(1, through, out=through)
    through *= o
    pulled = np.empty_like(outputs) if weight_hr is not None else None
    flat = np.empty((gates.shape[1], 4 * hidden), gates.dtype)
    dh, dc = grad_h, grad_c
    kept_h, kept_c = np.zeros_like(hx), np.zeros_like(cx)
    for low, high, size in reversed(spans):
        dh, dc = _fit_back(dh, grad_h, kept_h, size), _fit_back(dc, grad_c, kept_c, size)
        dh = dh + grad[low:high]
        if weight_hr is not None:
            pulled[low:high] = dh
            dh = dh @ weight_hr
        dc = dc + dh * through[low:high]
        part = flat[low:high]
        wide = part.reshape(size, 4, hidden).transpose(1, 0, 2)
        np.multiply(slopes[:3, low:high], dc, out=wide[:3])
        np.multiply(slopes[3, low:high], dh, out=wide[3])
        dh = part @ weight_hh
        dc *= f[low:high]
    kept_h[: dh.shape[0]], kept_c[: dc.shape[0]] = dh, dc
    gh, gc = _with_unreached(kept_h, grad_h, spans), _with_unreached(kept_c, grad_c, spans)
    hidden_before = _previous(outputs, hx, spans, reverse)
    gr = None if weight_hr is None else pulled.T @ (o * tanh_c)
    return (*_weights(flat, flat, input, hidden_before, weight_ih, has_biases, need_input), gh, gc, gr)


# GRU ------------------------------------------------------------------------------------------------------------------

#: the gates as they are kept: reset, update (these two are sigmoids), new
_IN_ORDER = [0, 1, 2]


@through_float32
def gru_layer(input, hx, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse):
    """One direction of a GRU; gates in PyTorch's order reset, update, new.

    n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = n + z (h - n). Returns (outputs (..., H), final state (B, H),
    states (..., H), gates (3, rows, H) after their nonlinearities, recurrent share of n (rows, H)). The states are the
    outputs again, which backward reads and users cannot write to.
    """
    hidden = hx.shape[1]
    gates = np.matmul(_rows(input), _turned(weight_ih, _IN_ORDER, 2))
    bias_new = None
    if bias_ih is not None:
        bias = bias_ih.copy()
        bias[: 2 * hidden] += bias_hh[: 2 * hidden]
        gates += _turned_bias(bias, _IN_ORDER, 2)
        bias_new = bias_hh[2 * hidden :]
    recurrent = _turned(weight_hh, _IN_ORDER, 2)
    rows = gates.shape[1]
    states = np.empty((rows, hidden), gates.dtype)
    shares = np.empty((rows, hidden), gates.dtype)
    spans = _steps(batch_sizes, reverse)
    most = max((size for _, _, size in spans), default=0)
    scratch = np.empty((3, most, hidden), gates.dtype)
    h = hx
    for low, high, size in spans:
        h = _fit(h, hx, size)
        both = np.matmul(h, recurrent, out=scratch[:, :size])
        sigmoids, new, share = gates[:2, low:high], gates[2, low:high], shares[low:high]
        sigmoids += both[:2]
        np.tanh(sigmoids, out=sigmoids)
        _to_sigmoids(sigmoids)
        if bias_new is None:
            share[...] = both[2]
        else:
            np.add(both[2], bias_new, out=share)
        new += np.multiply(sigmoids[0], share, out=both[2])
        np.tanh(new, out=new)
        state = states[low:high]
        np.subtract(h, new, out=state)
        state *= sigmoids[1]
        state += new
        h = state
    return _like(states.copy(), input), _finals(states, hx, spans, reverse), _like(states, input), gates, shares


@through_float32
def gru_layer_backward(
    grad,
    grad_h,
    input,
    hx,
    weight_ih,
    weight_hh,
    has_biases,
    states,
    gates,
    shares,
    batch_sizes,
    reverse,
    need_input=True,
):
    """Cotangents of (input, weight_ih, weight_hh, bias_ih, bias_hh, hx) of `gru_layer`."""
    hidden = hx.shape[1]
    spans = _steps(batch_sizes, reverse)
    grad, states = _rows(grad), _rows(states)
    before = _previous(states, hx, spans, reverse)
    r, z, n = gates
    # what the cotangent of the new gate (reset) or of the state (update, new) is multiplied by
    slopes = np.subtract(1, gates)
    slopes[:2] *= gates[:2]
    slopes[0] *= shares
    slopes[1] *= before - n
    np.multiply(n, n, out=slopes[2])
    np.subtract(1, slopes[2], out=slopes[2])
    slopes[2] *= 1 - z
    rows = gates.shape[1]
    # cotangents of the input's and of the recurrent shares
    inner, outer = np.empty((2, rows, 3 * hidden), gates.dtype)
    dh = grad_h
    kept = np.zeros_like(hx)
    for low, high, size in reversed(spans):
        dh = _fit_back(dh, grad_h, kept, size)
        dh = dh + grad[low:high]
        wide, back = (each[low:high].reshape(size, 3, hidden).transpose(1, 0, 2) for each in (inner, outer))
        np.multiply(slopes[1:, low:high], dh, out=wide[1:])
        np.multiply(slopes[0, low:high], wide[2], out=wide[0])
        back[:2] = wide[:2]
        np.multiply(wide[2], r[low:high], out=back[2])
        dh *= z[low:high]
        dh += outer[low:high] @ weight_hh
    kept[: dh.shape[0]] = dh
    gh = _with_unreached(kept, grad_h, spans)
    return (*_weights(inner, outer, input, before, weight_ih, has_biases, need_input), gh)
