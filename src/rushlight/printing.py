"""How tensors are shown, to the character as PyTorch shows them.

The rules (from PyTorch's documented options and its observed output): all numbers of a tensor share one format and one width,
chosen from its finite non-zero values. Whole numbers are shown as ``3.``, others with ``precision`` digits, and scientific
notation is used when the largest magnitude is over 1000 times the smallest or over 1e8, or the smallest under 1e-4. Tensors of
more than ``threshold`` elements show ``edgeitems`` at both ends of each dimension, and only those decide the format.

The work is done on raw arrays: a large tensor is cut down to what is shown before anything is formatted, and widths come from the
extreme values (the length of a formatted number grows with its magnitude), so nothing is formatted twice.
"""

import contextlib
import math

import numpy as np

from . import dtypes
from .autograd.modes import state, thread
from .tensor import reading

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions", "tensor_repr"]


class _Options:
    """The options in force; one object, changed in place."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self):
        self.precision = 4
        self.threshold = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode = None


PRINT_OPTS = _Options()

_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Set how tensors are shown.

    ``precision``: digits after the point (4). ``threshold``: the number of elements above which a tensor is summarised (1000).
    ``edgeitems``: how many items a summary shows at each end of a dimension (3). ``linewidth``: characters a line (80).
    ``profile``: ``"default"``, ``"short"`` or ``"full"``, applied before the other options; another name changes nothing.
    ``sci_mode``: True or False forces scientific notation on or off, None (also when left out) decides by the values.
    Options that are None keep their value, except ``sci_mode``.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = _PROFILES.get(profile, {}) if isinstance(profile, str) else {}
    for name, value in (*chosen.items(), *given.items()):
        if value is not None:
            setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions():
    """The options in force, as a dictionary that ``set_printoptions`` accepts as keywords."""
    return {
        name: getattr(PRINT_OPTS, name) for name in ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    }


@contextlib.contextmanager
def printoptions(**options):
    """A ``with`` block under other print options; takes what ``set_printoptions`` takes."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


# ------------------------------------------------------------------------------------------------ one format for all


class _Format:
    """The common format of the real numbers in ``values``: ``width`` in characters, and a call turns a Python number to text.

    Zeros and non-finite values do not take part in choosing it: they are padded to the width of the others.
    """

    __slots__ = ("spec", "width", "write")

    def __init__(self, values):
        self.width = 1
        kind = values.dtype.kind
        if kind == "b":
            self.write = str
            self.width = max((len(str(bool(v))) for v in np.unique(values)), default=1)
        elif kind in "iu":
            self.write = str
            if values.size:
                self.width = max(len(str(int(values.min()))), len(str(int(values.max()))))
        else:
            self._choose(np.asarray(values, dtype=np.float64))

    def __call__(self, value):
        return self.write(value).rjust(self.width)

    def _choose(self, values):
        values = values[np.isfinite(values) & (values != 0)]
        if not values.size:
            self.write = _whole
            return
        magnitudes = np.abs(values)
        smallest, largest = float(magnitudes.min()), float(magnitudes.max())
        scientific = PRINT_OPTS.sci_mode
        if scientific is None:
            with np.errstate(over="ignore"):
                ratio = np.float64(largest) / np.float64(smallest)
            scientific = bool(ratio > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4)
        # the extremes of either sign are the longest: of all numbers with a sign, length grows with the magnitude, except that
        # small magnitudes have long exponents
        longest = [float(values.min()), float(values.max())]
        longest += [float(v.flat[np.abs(v).argmin()]) for v in (values[values < 0], values[values > 0]) if v.size]
        if scientific:
            self.spec = f".{PRINT_OPTS.precision}e"
            self.write = self._by_spec
            self.width = max(len(format(v, self.spec)) for v in longest)
        elif np.array_equal(values, np.ceil(values)):
            self.write = _whole
            self.width = max(len(format(v, ".0f")) + 1 for v in longest)
        else:
            self.spec = f".{PRINT_OPTS.precision}f"
            self.write = self._by_spec
            self.width = max(len(format(v, self.spec)) for v in longest)

    def _by_spec(self, value):
        return format(value, self.spec)


def _whole(value):
    text = f"{value:.0f}"
    return text + "." if math.isfinite(value) else text


def _complex_text(real, imag):
    """One complex number from the texts of its parts; the imaginary one carries its sign and no padding."""
    imag = imag.lstrip() + "j"
    return real + (imag if imag[0] in "+-" else "+" + imag)


# ------------------------------------------------------------------------------------------------ layout


def _edges(array):
    """What a summary shows of an array: in each dimension longer than two edges, the first and the last items only."""
    edge = PRINT_OPTS.edgeitems
    shown = [range(size) if size <= 2 * edge else [*range(edge), *range(size - edge, size)] for size in array.shape]
    return array[np.ix_(*shown)] if shown else array


def _contents(array, indent):
    """The bracketed numbers of a non-empty array whose first bracket stands in column ``indent``."""
    shape = array.shape
    summarise = array.size > PRINT_OPTS.threshold
    edge = PRINT_OPTS.edgeitems
    if summarise and shape and not edge:
        return "[...]"
    if summarise:
        array = _edges(array)
    if array.dtype.kind not in "biufc":
        array = array.astype(np.float32)  # bfloat16: every value is a float32
    if array.dtype.kind == "c":
        real, imag = _Format(array.real), _Format(array.imag)
        numbers = array.ravel().tolist()
        texts = [_complex_text(real(number.real), imag(number.imag)) for number in numbers]
        width = real.width + imag.width + 1
    else:
        one = _Format(array)
        texts = [one(number) for number in array.ravel().tolist()]
        width = one.width
    if not shape:
        return texts[0]

    shown = array.shape
    cut = [summarise and size > 2 * edge for size in shape]
    last = len(shape) - 1
    # room for the numbers of a line: each is followed by a comma and a blank
    per_line = max(1, math.floor((PRINT_OPTS.linewidth - indent - last) / (width + 2)))
    between = ",\n" + " " * (indent + last + 1)
    size = shown[last]
    lines = []
    for start in range(0, len(texts), size):
        row = texts[start : start + size]
        if cut[last]:
            row.insert(edge, " ...")
        if len(row) > per_line:
            row = [", ".join(row[i : i + per_line]) for i in range(0, len(row), per_line)]
            lines.append("[" + between.join(row) + "]")
        else:
            lines.append("[" + ", ".join(row) + "]")
    for axis in range(last - 1, -1, -1):
        size = shown[axis]
        between = "," + "\n" * (last - axis) + " " * (indent + axis + 1)
        grouped = []
        for start in range(0, len(lines), size):
            group = lines[start : start + size]
            if cut[axis]:
                group.insert(edge, "...")
            grouped.append("[" + between.join(group) + "]")
        lines = grouped
    return lines[0]


def format_tensor(
    array,
    dtype,
    *,
    prefix="tensor(",
    requires_grad=False,
    grad_fn_name=None,
    tangent=None,
    contents=None,
):
    """The text of a tensor: its numbers and whatever distinguishes it.

    ``array``: the values, an ndarray of any shape. ``dtype``: its rushlight dtype, named in the text unless it is one that
    ``torch.tensor`` would choose by itself. ``prefix``: what stands before the numbers. ``grad_fn_name``: the name of the node
    that made it, or None. ``tangent``: the text of its forward-mode tangent, or None. ``contents``: shown in place of the numbers.
    """
    notes = []
    default = dtypes.get_default_dtype()
    if array.size == 0:
        # nothing to infer shape and dtype from
        if array.ndim != 1:
            notes.append(f"size={tuple(array.shape)}")
        if dtype is not default:
            notes.append(f"dtype={dtype}")
        body = "[]"
    else:
        if not PRINT_OPTS.edgeitems:
            notes.append(f"size={tuple(array.shape)}")
        default_complex = dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
        if dtype not in (default, default_complex, dtypes.int64, dtypes.bool):
            notes.append(f"dtype={dtype}")
        body = None if contents is not None else _contents(array, len(prefix))
    if contents is not None:
        body = contents
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    if tangent is not None:
        notes.append(f"tangent={tangent}")

    return add_notes(prefix + body, notes, len(prefix))


def add_notes(text, notes, indent, on_a_new_line=False):
    """The text of a tensor's numbers with ``notes`` after it, each on the line if it fits, and the closing parenthesis."""
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        if on_a_new_line or column + len(note) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + note
            column = indent + len(note)
            on_a_new_line = False
        else:
            text += ", " + note
            column += len(note) + 2
    return text + ")"


#: the classes shown as ``tensor(...)``, as PyTorch names them; a subclass is shown under its own name
_PLAIN = {("torch", "Tensor"), ("torch.nn.parameter", "Parameter")}


def _is_plain(cls):
    return (cls.__module__, cls.__qualname__) in _PLAIN


def _node_name(tensor):
    """The name of the node that made a tensor; "Invalid" where looking it up is refused."""
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return "Invalid"
    return None if node is None else type(node).__name__


def tensor_repr(tensor, *, tensor_contents=None, tangent=None):
    """``repr`` of a tensor. ``tensor_contents`` replaces the numbers; ``tangent``: its tangent in forward mode, a tensor or None."""
    cls = type(tensor)
    if tangent is None and state.duals and thread.forward:
        from .autograd.forward_ad import tangent_of

        tangent = tangent_of(tensor)
    plain = _is_plain(cls)
    prefix = "tensor(" if plain else cls.__name__ + "("
    text = format_tensor(
        reading(tensor),
        tensor.dtype,
        prefix=prefix,
        requires_grad=tensor.requires_grad,
        grad_fn_name=_node_name(tensor),
        tangent=None if tangent is None else f"{tangent}",
        contents=tensor_contents,
    )
    if not plain and (
        getattr(tensor, "_is_param", False) or any(c.__name__ == "Parameter" and _is_plain(c) for c in cls.__mro__)
    ):
        text = f"Parameter({text})"
    return text


def parameter_repr(parameter):
    """``repr`` of an ``nn.Parameter``: PyTorch puts a line before the tensor's text."""
    return "Parameter containing:\n" + tensor_repr(parameter)
