"""Recurrent layers and cells: torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu and the cells of one step.

A layer's one direction is one operator with a kernel for the whole sequence and a backward pass by hand; stacking, the
two directions, dropout between layers and packed sequences are put together here.
"""

from ..array import recurrent as kernels
from . import packed as _packing  # noqa: F401 - declares what makes packed sequences
from .recompute import pull_through
from .table import RAW, composite, differentiable

# One step -------------------------------------------------------------------------------------------------------------


def _gates(F, input, hx, w_ih, w_hh, b_ih, b_hh):
    return F.linear(input, w_ih, b_ih), F.linear(hx, w_hh, b_hh)


def _parts(F, value, count):
    width = value.shape[-1] // count
    return [F.narrow(value, -1, k * width, width) for k in range(count)]


def _lstm_step(F, input, h, c, w_ih, w_hh, b_ih, b_hh, w_hr=None):
    inner, outer = _gates(F, input, h, w_ih, w_hh, b_ih, b_hh)
    i, f, g, o = _parts(F, F.add(inner, outer), 4)
    c = F.add(F.mul(F.sigmoid(f), c), F.mul(F.sigmoid(i), F.tanh(g)))
    h = F.mul(F.sigmoid(o), F.tanh(c))
    return (h if w_hr is None else F.linear(h, w_hr)), c


def _gru_step(F, input, h, w_ih, w_hh, b_ih, b_hh):
    inner, outer = _gates(F, input, h, w_ih, w_hh, b_ih, b_hh)
    (ri, zi, ni), (ro, zo, no) = _parts(F, inner, 3), _parts(F, outer, 3)
    reset, update = F.sigmoid(F.add(ri, ro)), F.sigmoid(F.add(zi, zo))
    new = F.tanh(F.add(ni, F.mul(reset, no)))
    return F.add(new, F.mul(update, F.sub(h, new)))


def _rnn_step(F, input, h, w_ih, w_hh, b_ih, b_hh, nonlinearity):
    inner, outer = _gates(F, input, h, w_ih, w_hh, b_ih, b_hh)
    return (F.tanh if nonlinearity == "tanh" else F.relu)(F.add(inner, outer))


def _check_cell(input, hidden, w_ih, w_hh, gates, name):
    if input.ndim not in (1, 2):
        raise RuntimeError(f"{name}: expected input to be 1D or 2D, got {input.ndim}D")
    if input.shape[-1] != w_ih.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {w_ih.shape[1]}")
    for number, each in enumerate(hidden):
        size = w_hh.shape[1] if number == 0 else w_hh.shape[0] // gates
        if each.shape[min(1, each.ndim - 1)] != size:
            found = each.shape[min(1, each.ndim - 1)]
            raise RuntimeError(f"hidden{number} has inconsistent hidden_size: got {found}, expected {size}")
        if input.ndim == 2 and input.shape[0] != each.shape[0]:
            raise RuntimeError(
                f"Input batch size {input.shape[0]} doesn't match hidden{number} batch size {each.shape[0]}"
            )


@composite("lstm_cell", method=False)
def lstm_cell(F, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an LSTM: (h, c) from `input` (B, I) and `hx` = (h (B, H), c (B, H))."""
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    _check_cell(input, hx, w_ih, w_hh, 4, "lstm_cell")
    return _lstm_step(F, input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)


@composite("gru_cell", method=False)
def gru_cell(F, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a GRU: h (B, H) from `input` (B, I) and `hx` (B, H)."""
    _check_cell(input, (hx,), w_ih, w_hh, 3, "gru_cell")
    return _gru_step(F, input, hx, w_ih, w_hh, b_ih, b_hh)


@composite("rnn_tanh_cell", method=False)
def rnn_tanh_cell(F, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """tanh(W_ih x + b_ih + W_hh h + b_hh)."""
    _check_cell(input, (hx,), w_ih, w_hh, 1, "rnn_tanh_cell")
    return _rnn_step(F, input, hx, w_ih, w_hh, b_ih, b_hh, "tanh")


@composite("rnn_relu_cell", method=False)
def rnn_relu_cell(F, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """relu(W_ih x + b_ih + W_hh h + b_hh)."""
    _check_cell(input, (hx,), w_ih, w_hh, 1, "rnn_relu_cell")
    return _rnn_step(F, input, hx, w_ih, w_hh, b_ih, b_hh, "relu")


# One layer in one direction, as an operator ---------------------------------------------------------------------------


def _composed(F, step, input, states, batch_sizes, reverse):
    """A sequence of steps from differentiable operators: (outputs, *final states)."""
    lead = input.shape[:-1]
    input = F.reshape(input, (-1, input.shape[-1]))
    spans, low = [], 0
    for size in batch_sizes:
        spans.append((low, size))
        low += size
    running, outputs = [F.narrow(s, 0, 0, spans[-1 if reverse else 0][1]) for s in states], [None] * len(spans)
    ended = []
    for number in reversed(range(len(spans))) if reverse else range(len(spans)):
        low, size = spans[number]
        have = running[0].shape[0]
        if have < size:
            running = [F.cat([r, F.narrow(s, 0, have, size - have)]) for r, s in zip(running, states)]
        elif have > size:
            ended.append([F.narrow(r, 0, size, have - size) for r in running])
            running = [F.narrow(r, 0, 0, size) for r in running]
        running = list(step(F.narrow(input, 0, low, size), *running))
        outputs[number] = running[0]
    ended.append(running)
    finals = [F.cat([part[k] for part in reversed(ended)]) for k in range(len(states))]
    for k, state in enumerate(states):
        missing = state.shape[0] - finals[k].shape[0]
        if missing:
            finals[k] = F.cat([finals[k], F.narrow(state, 0, state.shape[0] - missing, missing)])
    outputs = F.cat(outputs)
    return (F.reshape(outputs, (*lead, outputs.shape[-1])), *finals)


def _node_name(values):
    """PyTorch's name for what makes the outputs: its steps are nodes of their own, but for oneDNN's LSTM."""
    input = values[0]
    if input.ndim == 2:
        return "CatBackward0"
    # the LSTM alone has a weight_hr
    plain = len(values) == 10 and values[7] is None
    return "MkldnnRnnLayerBackward0" if plain and input.dtype.name == "float32" else "StackBackward0"


def _zeros_for(F, g, likes):
    return [F.zeros_like(like) if each is None else each for each, like in zip(g, likes)]


def _packed(present, pulled):
    return tuple(each for each, there in zip(pulled, present) if there)


def _pull_lstm(F, g, needs, input, hx, cx, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, batch_sizes, reverse, y):
    present = (True,) * 5 + (bias_ih is not None, bias_hh is not None, weight_hr is not None)
    if F is RAW:
        grads = _zeros_for(F, g, y[:3])
        gx, gwi, gwh, gbi, gbh, gh, gc, gr = kernels.lstm_layer_backward(
            *(*grads, input, hx, cx, weight_ih, weight_hh, bias_ih is not None, weight_hr, y[0], y[3], y[4]),
            *(batch_sizes, reverse, needs[0]),
        )
        return _packed(present, (gx, gh, gc, gwi, gwh, gbi, gbh, gr))

    def compose(F, input, hx, cx, w_ih, w_hh, b_ih, b_hh, w_hr):
        def step(x, h, c):
            return _lstm_step(F, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)

        return _composed(F, step, input, (hx, cx), batch_sizes, reverse)

    inputs = (input, hx, cx, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
    return _packed(present, pull_through(compose, inputs, tuple(g)))


differentiable(
    "_lstm_layer",
    kernels.lstm_layer,
    vjp_all=_pull_lstm,
    returns="list",
    nondiff=(3, 4),
    node_name=_node_name,
)


def _pull_gru(F, g, needs, input, hx, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse, y):
    present = (True,) * 4 + (bias_ih is not None, bias_hh is not None)
    if F is RAW:
        grads = _zeros_for(F, g, (y[2], y[1]))
        gx, gwi, gwh, gbi, gbh, gh = kernels.gru_layer_backward(
            *(*grads, input, hx, weight_ih, weight_hh, bias_ih is not None, y[2], y[3], y[4], batch_sizes, reverse),
            *(needs[0],),
        )
        return _packed(present, (gx, gh, gwi, gwh, gbi, gbh))

    def compose(F, input, hx, w_ih, w_hh, b_ih, b_hh):
        def step(x, h):
            return (_gru_step(F, x, h, w_ih, w_hh, b_ih, b_hh),)

        return _composed(F, step, input, (hx,), batch_sizes, reverse)

    return _packed(present, pull_through(compose, (input, hx, weight_ih, weight_hh, bias_ih, bias_hh), tuple(g)))


differentiable(
    "_gru_layer",
    kernels.gru_layer,
    vjp_all=_pull_gru,
    returns="list",
    nondiff=(2, 3, 4),
    saves=(1, 2, 3, 4),
    node_name=_node_name,
)


def _pull_rnn(F, g, needs, input, hx, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse, nonlinearity, y):
    present = (True,) * 4 + (bias_ih is not None, bias_hh is not None)
    if F is RAW:
        grads = _zeros_for(F, g, (y[2], y[1]))
        gx, gwi, gwh, gbi, gbh, gh = kernels.rnn_layer_backward(
            *(*grads, input, hx, weight_ih, weight_hh, bias_ih is not None, y[2], batch_sizes, reverse, nonlinearity),
            *(needs[0],),
        )
        return _packed(present, (gx, gh, gwi, gwh, gbi, gbh))

    def compose(F, input, hx, w_ih, w_hh, b_ih, b_hh):
        def step(x, h):
            return (_rnn_step(F, x, h, w_ih, w_hh, b_ih, b_hh, nonlinearity),)

        return _composed(F, step, input, (hx,), batch_sizes, reverse)

    return _packed(present, pull_through(compose, (input, hx, weight_ih, weight_hh, bias_ih, bias_hh), tuple(g)))


differentiable(
    "_rnn_layer",
    kernels.rnn_layer,
    vjp_all=_pull_rnn,
    returns="list",
    nondiff=(2,),
    saves=(1, 2),
    node_name=_node_name,
)


# Stacks of layers -----------------------------------------------------------------------------------------------------


def _arguments(name, args, kwargs):
    """The two forms of PyTorch's call: padded (..., batch_first) and packed (data, batch_sizes, ...)."""
    padded = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
    packed = ("data", "batch_sizes", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional")
    is_packed = "batch_sizes" in kwargs or (
        len(args) > 2 and hasattr(args[1], "dtype") and isinstance(args[3], (list, tuple))
    )
    names = packed if is_packed else padded
    values = dict(zip(names, args), **kwargs)
    missing = [each for each in names if each not in values]
    if missing:
        raise TypeError(f"{name}() missing {len(missing)} required positional arguments: " + ", ".join(missing))
    return values, is_packed


def _stack(F, layer, states, data, batch_sizes, values, per_direction):
    """All layers and directions over data (rows, features) or (T, B, features): (outputs, final states with a row for each)."""
    directions = 2 if values["bidirectional"] else 1
    params = list(values["params"])
    finals = [[] for _ in states]
    for level in range(values["num_layers"]):
        outputs = []
        for direction in range(directions):
            number = level * directions + direction
            own = params[number * per_direction : (number + 1) * per_direction]
            begun = [F.select(state, 0, number) for state in states]
            out, *last = layer(data, begun, own, batch_sizes, direction == 1)
            outputs.append(out)
            for kept, each in zip(finals, last):
                kept.append(each)
        data = outputs[0] if directions == 1 else F.cat(outputs, -1)
        if values["dropout"] and values["train"] and level < values["num_layers"] - 1:
            data = F.dropout(data, values["dropout"], True)
    return data, [F.stack(each) for each in finals]


def _run(F, name, layer, args, kwargs, per_direction):
    values, packed = _arguments(name, args, kwargs)
    states = values["hx"]
    states = list(states) if isinstance(states, (list, tuple)) else [states]
    if packed:
        data, sizes = values["data"], tuple(int(s) for s in values["batch_sizes"].tolist())
        _check_packed(data, sizes, states, values["params"][0])
        out, finals = _stack(F, layer, states, data, sizes, values, per_direction)
        return (out, *finals)
    input = values["input"]
    unbatched = input.ndim == 2
    if unbatched:
        input = F.unsqueeze(input, 1)
        states = [F.unsqueeze(s, 1) if s.ndim == 2 else s for s in states]
    elif values["batch_first"]:
        input = F.transpose(input, 0, 1)
    steps, batch = input.shape[:2]
    if steps == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    out, finals = _stack(F, layer, states, input, (batch,) * steps, values, per_direction)
    if unbatched:
        return (F.squeeze(out, 1), *(F.squeeze(each, 1) for each in finals))
    if values["batch_first"]:
        out = F.transpose(out, 0, 1)
    return (out, *finals)


def _check_packed(data, sizes, states, weight):
    """RuntimeError in PyTorch's words unless the rows fit the first weight and the states the batch."""
    if data.shape[-1] != weight.shape[1]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({data.shape[0]}x{data.shape[-1]} and "
            f"{weight.shape[1]}x{weight.shape[0]})"
        )
    for state in states:
        if state.shape[1] != sizes[0]:
            raise RuntimeError(
                f"The size of tensor a ({state.shape[1]}) must match the size of tensor b ({sizes[0]}) at non-singleton "
                "dimension 0"
            )


def _weights(own, has_biases, projected=False):
    """(w_ih, w_hh, b_ih, b_hh, w_hr) of one direction's parameters."""
    own = list(own)
    w_hr = own.pop() if projected else None
    w_ih, w_hh = own[:2]
    b_ih, b_hh = own[2:4] if has_biases else (None, None)
    return w_ih, w_hh, b_ih, b_hh, w_hr


@composite("lstm", method=False)
def lstm(F, *args, **kwargs):
    """Stacked LSTM: lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first), or packed
    lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional): (outputs, h, c).

    `hx` = (h, c); `params` for each layer and direction w_ih, w_hh(, b_ih, b_hh)(, w_hr).
    """
    values, _ = _arguments("lstm", args, kwargs)
    states = values["hx"]
    if len(states) != 2:
        raise RuntimeError("lstm expects two hidden states")
    projected = states[0].shape[-1] != states[1].shape[-1]
    has_biases = values["has_biases"]

    def layer(data, begun, own, batch_sizes, reverse):
        w_ih, w_hh, b_ih, b_hh, w_hr = _weights(own, has_biases, projected)
        return F._lstm_layer(data, begun[0], begun[1], w_ih, w_hh, b_ih, b_hh, w_hr, batch_sizes, reverse)[:3]

    return _run(F, "lstm", layer, args, kwargs, (4 if has_biases else 2) + projected)


@composite("gru", method=False)
def gru(F, *args, **kwargs):
    """Stacked GRU, with the arguments of `lstm` and one hidden state: (outputs, h)."""
    has_biases = _arguments("gru", args, kwargs)[0]["has_biases"]

    def layer(data, begun, own, batch_sizes, reverse):
        w_ih, w_hh, b_ih, b_hh, _ = _weights(own, has_biases)
        return F._gru_layer(data, begun[0], w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse)[:2]

    return _run(F, "gru", layer, args, kwargs, 4 if has_biases else 2)


def _simple(F, name, nonlinearity, args, kwargs):
    has_biases = _arguments(name, args, kwargs)[0]["has_biases"]

    def layer(data, begun, own, batch_sizes, reverse):
        w_ih, w_hh, b_ih, b_hh, _ = _weights(own, has_biases)
        return F._rnn_layer(data, begun[0], w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse, nonlinearity)[:2]

    return _run(F, name, layer, args, kwargs, 4 if has_biases else 2)


@composite("rnn_tanh", method=False)
def rnn_tanh(F, *args, **kwargs):
    """Stacked simple recurrence with tanh, with the arguments of `gru`: (outputs, h)."""
    return _simple(F, "rnn_tanh", "tanh", args, kwargs)


@composite("rnn_relu", method=False)
def rnn_relu(F, *args, **kwargs):
    """Stacked simple recurrence with relu, with the arguments of `gru`: (outputs, h)."""
    return _simple(F, "rnn_relu", "relu", args, kwargs)
