"""Recurrent layers over whole sequences (RNN, LSTM, GRU) and their cells of one step."""

import math
import numbers
import warnings
import weakref

from ... import empty, gru, gru_cell, lstm, lstm_cell, rnn_relu, rnn_relu_cell, rnn_tanh, rnn_tanh_cell, zeros
from ...amp.autocast_mode import is_autocast_enabled
from ...parameter import Parameter
from .. import init
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

#: how many gates a layer of each mode has, and the function that runs it
_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_FUNCTIONS = {"LSTM": lstm, "GRU": gru, "RNN_TANH": rnn_tanh, "RNN_RELU": rnn_relu}


def apply_permutation(tensor, permutation, dim=1):
    """``tensor.index_select(dim, permutation)``, which PyTorch asks to be written instead."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        FutureWarning,
        stacklevel=2,
    )
    return tensor.index_select(dim, permutation)


def _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size):
    if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater "
            f"than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=3,
        )
    for name, value in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _uniform(module):
    """Draw all parameters anew, uniform in +-1/sqrt(hidden_size)."""
    bound = 1.0 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: size of an element of a sequence.
        hidden_size: size of the hidden state.
        num_layers: so many layers, each over the outputs of the one before.
        bias: whether ``bias_ih`` and ``bias_hh`` are added.
        batch_first: sequences are (B, T, input_size) rather than (T, B, input_size); states are (layers, B, ...) in any case.
        dropout: probability with which outputs of all layers but the last are dropped in training.
        bidirectional: a second run of each layer goes back through the sequence; its outputs stand behind those of the first.
        proj_size: if positive, hidden states are projected to that size (LSTM only).

    Parameters of layer k: ``weight_ih_lk`` (gates x hidden_size, input), ``weight_hh_lk`` (gates x hidden_size, hidden),
    ``bias_ih_lk``, ``bias_hh_lk`` (gates x hidden_size,), ``weight_hr_lk`` (proj_size, hidden_size); with ``_reverse`` at the end
    those that go back. All start uniform in +-1/sqrt(hidden_size).
    """

    __constants__ = [
        *("mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"),
        "proj_size",
    ]
    __jit_unused_properties__ = ["all_weights"]

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._flat_weight_refs = []
        _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        # PyTorch's order of registration, which is that of the state dictionary and of the random draws
        self._flat_weights_names = []
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in self._suffixes():
                names = []
                for kind, shape in self._weight_shapes(layer):
                    name = f"{kind}_l{layer}{suffix}"
                    setattr(self, name, Parameter(empty(shape, device=device, dtype=dtype)))
                    names.append(name)
                self._all_weights.append(names)
                self._flat_weights_names += names
        self._init_flat_weights()
        self.reset_parameters()

    def _suffixes(self):
        return ("", "_reverse") if self.bidirectional else ("",)

    def _output_size(self):
        """Size of the hidden state that a layer hands on."""
        return self.proj_size or self.hidden_size

    def _weight_shapes(self, layer):
        """(kind, shape) of the parameters of one direction of a layer."""
        gates = _GATES[self.mode] * self.hidden_size
        hidden = self._output_size()
        yield "weight_ih", (gates, self.input_size if layer == 0 else hidden * len(self._suffixes()))
        yield "weight_hh", (gates, hidden)
        if self.bias:
            yield "bias_ih", (gates,)
            yield "bias_hh", (gates,)
        if self.proj_size:
            yield "weight_hr", (self.proj_size, self.hidden_size)

    # ------------------------------------------------------------------------------- the weights as one list, in order
    # Whoever replaces a weight (pruning, parametrisations, functional_call, plain assignment) is noticed at the next call.

    def _init_flat_weights(self):
        self._flat_weights = [getattr(self, name, None) for name in self._flat_weights_names]
        self._flat_weight_refs = [None if each is None else weakref.ref(each) for each in self._flat_weights]
        self.flatten_parameters()

    def _weights_have_changed(self):
        for name, ref in zip(self._flat_weights_names, self._flat_weight_refs, strict=True):
            weight = getattr(self, name, None)
            if weight is not None and ref is not None and ref() is not weight:
                return True
        return False

    def _update_flat_weights(self):
        if self._weights_have_changed():
            self._init_flat_weights()

    def __setattr__(self, attr, value):
        names = self.__dict__.get("_flat_weights_names")
        if names is not None and attr in names:
            self._flat_weights[names.index(attr)] = value
        super().__setattr__(attr, value)

    def flatten_parameters(self):
        """Nothing: weights lie in one piece of memory for the sake of cuDNN only, and there is no GPU."""

    def _apply(self, fn, recurse=True):
        self._flat_weight_refs = []
        result = super()._apply(fn, recurse)
        self._init_flat_weights()
        return result

    @property
    def all_weights(self):
        """The parameters, a list for each direction of each layer."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self):
        """Draw all parameters anew."""
        _uniform(self)

    def __getstate__(self):
        self._update_flat_weights()
        state = super().__getstate__()
        del state["_flat_weight_refs"]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)
        self._flat_weight_refs = [None if each is None else weakref.ref(each) for each in self._flat_weights]

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            *(("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0)),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value != default if name in ("proj_size", "num_layers", "dropout") else value is not default:
                text += f", {name}={value}"
        return text

    # ---------------------------------------------------------------------------------------------------------- checks

    def check_input(self, input, batch_sizes):
        """ValueError or RuntimeError unless dtype, number of dimensions and last size fit the weights."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype and not is_autocast_enabled("cpu"):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: input.to({dtype}), or "
                f"convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _batch(self, input, batch_sizes):
        if batch_sizes is not None:
            return int(batch_sizes[0])
        return input.size(0 if self.batch_first else 1)

    def get_expected_hidden_size(self, input, batch_sizes):
        """The shape that the hidden state must have for this input (T, B, ...) or these packed rows."""
        return (self.num_layers * len(self._suffixes()), self._batch(input, batch_sizes), self._output_size())

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """RuntimeError unless a state has the shape expected."""
        if tuple(hx.size()) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Check input and hidden state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The hidden state with its sequences in another order; as it is for None."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ------------------------------------------------------------------------------------------------------------- run

    def _begin(self, input, batch_sizes):
        """The hidden state to start from if none is given."""
        shape = self.get_expected_hidden_size(input, batch_sizes)
        return zeros(shape, dtype=input.dtype, device=input.device)

    def _run(self, hx, *where):
        """(output, hidden state) of the function of this mode; ``where`` is the input, or the rows and the batch sizes."""
        settings = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        output, *states = _FUNCTIONS[self.mode](
            *where, hx, *settings, *(() if len(where) == 2 else (self.batch_first,))
        )
        return output, self._as_hidden(states)

    def _as_hidden(self, states):
        return states[0]

    def _forward_packed(self, packed, hx):
        data, batch_sizes, order, back = packed
        hx = self._begin(data, batch_sizes) if hx is None else self.permute_hidden(hx, order)
        self._check_packed(data, hx, batch_sizes)
        output, hidden = self._run(hx, data, batch_sizes)
        return PackedSequence(output, batch_sizes, order, back), self.permute_hidden(hidden, back)

    def _check_packed(self, data, hx, batch_sizes):
        self.check_forward_args(data, hx, batch_sizes)

    def _forward_padded(self, input, hx):
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(0 if self.batch_first else 1)
        if hx is None:
            hx = self._begin(input, None)
        else:
            hx = self._with_batch(hx, batched)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(hx, input)
        if batched:
            return output, hidden
        return output.squeeze(0 if self.batch_first else 1), self._without_batch(hidden)

    def _with_batch(self, hx, batched):
        """A hidden state as (layers, B, hidden)."""
        kind, dims = ("batched", 3) if batched else ("unbatched", 2)
        if hx.dim() != dims:
            raise RuntimeError(f"For {kind} {dims}-D input, hx should also be {dims}-D but got {hx.dim()}-D tensor")
        return hx if batched else hx.unsqueeze(1)

    def _without_batch(self, hidden):
        return hidden.squeeze(1)

    def _forward(self, name, suffix, input, hx):
        self._update_flat_weights()
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D{suffix} instead")
        return self._forward_padded(input, hx)


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu (J. Elman, 1990).

    ``RNN(input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0,
    bidirectional=False, device=None, dtype=None)``; see `RNNBase`.
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = (*args[:3], *args[4:])
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{self.nonlinearity.upper()}", *args, **kwargs)

    def forward(self, input, hx=None):
        """(outputs of the last layer, final hidden states (layers x directions, B, H)).

        Args:
            input: (T, B, input_size), (B, T, input_size) with ``batch_first``, (T, input_size), or a `PackedSequence`.
            hx: hidden states to start from (layers x directions, B, H), without B for an input without; zeros by default.
        """
        return self._forward("RNN", " tensor", input, hx)


class GRU(RNNBase):
    """Gated recurrent units (K. Cho et al., 2014).

    r = s(W_ir x + b_ir + W_hr h + b_hr), z = s(W_iz x + b_iz + W_hz h + b_hz),
    n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h with the logistic function s.

    ``GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, device=None,
    dtype=None)``; see `RNNBase`.
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input, hx=None):
        """As `RNN.forward`."""
        return self._forward("GRU", "", input, hx)


class LSTM(RNNBase):
    """Long short-term memory (S. Hochreiter and J. Schmidhuber, 1997), with projections of the hidden state if asked (H. Sak et al., 2014).

    i, f, o = s(W x + b + U h + d) each with its own weights, g = tanh(W_g x + b_g + U_g h + d_g), c' = f c + i g,
    h' = o tanh(c') with the logistic function s.

    ``LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, proj_size=0,
    device=None, dtype=None)``; see `RNNBase`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input, batch_sizes):
        """The shape that the cell state must have for this input."""
        return (self.num_layers * len(self._suffixes()), self._batch(input, batch_sizes), self.hidden_size)

    def check_forward_args(self, input, hidden, batch_sizes):
        self.check_input(input, batch_sizes)
        expected = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for place, size in enumerate(expected):
            self.check_hidden_size(hidden[place], size, f"Expected hidden[{place}] size {{}}, got {{}}")

    def permute_hidden(self, hx, permutation):
        return hx if permutation is None else tuple(hx[k].index_select(1, permutation) for k in (0, 1))

    def forward(self, input, hx=None):
        """(outputs of the last layer, (final hidden states, final cell states)).

        Args:
            input: (T, B, input_size), (B, T, input_size) with ``batch_first``, (T, input_size), or a `PackedSequence`.
            hx: (hidden states (layers x directions, B, H or proj_size), cell states (layers x directions, B, H)) to start from,
                without B for an input without; zeros by default.
        """
        return self._forward("LSTM", "", input, hx)

    def _begin(self, input, batch_sizes):
        cell = zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype, device=input.device)
        return super()._begin(input, batch_sizes), cell

    def _as_hidden(self, states):
        return tuple(states)

    def _check_packed(self, data, hx, batch_sizes):
        """Nothing: PyTorch leaves it to the operator here."""

    def _with_batch(self, hx, batched):
        dims, kind = (3, "batched") if batched else (2, "unbatched")
        if hx[0].dim() != dims or hx[1].dim() != dims:
            raise RuntimeError(
                f"For {kind} {dims}-D input, hx and cx should also be {dims}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
        return hx if batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))

    def _without_batch(self, hidden):
        return hidden[0].squeeze(1), hidden[1].squeeze(1)


# One step -------------------------------------------------------------------------------------------------------------


class RNNCellBase(Module):
    """What the cells have in common: weights (num_chunks x hidden_size, ...), uniform in +-1/sqrt(hidden_size)."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size

        def new(*shape):
            return Parameter(empty(shape, device=device, dtype=dtype))

        self.weight_ih = new(gates, input_size)
        self.weight_hh = new(gates, hidden_size)
        if bias:
            self.bias_ih = new(gates)
            self.bias_hh = new(gates)
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw all parameters anew."""
        _uniform(self)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        own = self.__dict__
        if own.get("bias", True) is not True:
            text += f", bias={self.bias}"
        if own.get("nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _check_dims(self, value, what):
        if value.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {value.dim()}D instead")

    def _step(self, function, input, hx):
        """``function`` on input (B, input_size) or (input_size,) and one hidden state of the same form (zeros for None)."""
        self._check_dims(input, "input")
        if hx is not None:
            self._check_dims(hx, "hidden")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            hx = None if hx is None else hx.unsqueeze(0)
        if hx is None:
            hx = self._zeros(input)
        result = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result if batched else result.squeeze(0)

    def _zeros(self, input):
        return zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    Args:
        nonlinearity: "tanh" or "relu".
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, num_chunks=1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        """h' (B, H) from input (B, input_size) and hx (B, H), or all without B."""
        return self._step(self._function, input, hx)

    def _function(self, *args):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return (rnn_tanh_cell if self.nonlinearity == "tanh" else rnn_relu_cell)(*args)


class GRUCell(RNNCellBase):
    """One step of a `GRU`."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, num_chunks=3, device=device, dtype=dtype)

    def forward(self, input, hx=None):
        """h' (B, H) from input (B, input_size) and hx (B, H), or all without B."""
        return self._step(gru_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, num_chunks=4, device=device, dtype=dtype)

    def forward(self, input, hx=None):
        """(h', c') (B, H) from input (B, input_size) and hx = (h, c), or all without B."""
        self._check_dims(input, "input")
        for place, value in enumerate(hx or ()):
            self._check_dims(value, f"hx[{place}]")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            hx = None if hx is None else (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        if hx is None:
            hx = (self._zeros(input),) * 2
        h, c = lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))
