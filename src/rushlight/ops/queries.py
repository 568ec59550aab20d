"""Questions about a tensor that need no arithmetic: its sign, its layout, whether it is a single nonzero number.

rushlight's tensors are strided and on the CPU, so several have one answer; those about sparse tensors are refused in
PyTorch's words.
"""

from .. import inplace
from ..tensor import Tensor
from .table import PLACES, TENSOR

__all__ = []


def _asked(name, answer, doc, method=True):
    """Show ``answer(tensor)`` as ``torch.<name>``, and as the method where `method` and the tensor has none yet."""

    def query(input):
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        return answer(input)

    query.__name__ = query.__qualname__ = name
    query.__module__ = "torch"
    query.__doc__ = doc
    PLACES[""][name] = query
    if method and name not in Tensor.__dict__:
        setattr(Tensor, name, query)


_asked("is_nonzero", bool, "Whether a tensor of one element is not zero; RuntimeError for none or several elements.")
_asked("is_signed", lambda x: x.dtype.is_signed, "Whether the dtype has negative numbers.")
_asked("is_conj", lambda x: x.is_conj(), "Whether the tensor is a lazily conjugated view.")
_asked("is_neg", lambda x: x.is_neg(), "Whether the tensor is a lazily negated view.")
_asked("is_inference", lambda x: x.is_inference(), "Whether the tensor was made in inference mode.")
_asked("is_distributed", lambda x: False, "Always False: tensors live in one process.")
_asked("get_device", lambda x: -1, "The index of the tensor's accelerator; -1, for it is on the CPU.")


def is_same_size(input, other):
    """Whether two tensors have one shape."""
    return input.shape == other.shape


PLACES[""]["is_same_size"] = is_same_size


def _method(function):
    setattr(Tensor, function.__name__, function)
    return function


@_method
def dim_order(self, *, ambiguity_check=False):
    """The dimensions from the one with the largest step in memory to the smallest; equal ones in their own order.

    With ``ambiguity_check`` the order must be the only one (RuntimeError where dimensions of one element could stand elsewhere), or, for a
    list of memory formats, the tensor must be in just one of them.
    """
    if not isinstance(ambiguity_check, (bool, list)):
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    steps = self.stride()
    formats = ambiguity_check if isinstance(ambiguity_check, list) else ()
    ambiguous = 1 in self._a.shape or len(set(steps)) < len(steps)
    if ambiguity_check and ambiguous and sum(self.is_contiguous(memory_format=each) for each in formats) != 1:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
        )
    return tuple(sorted(range(len(steps)), key=lambda dim: -steps[dim]))


@_method
def sparse_dim(self):
    """0: no dimension is sparse."""
    return 0


@_method
def dense_dim(self):
    """The number of dimensions, which are all dense."""
    return self._a.ndim


@_method
def dequantize(self):
    """The tensor in float32; it is not quantised."""
    return self.float()


PLACES[""]["dequantize"] = dequantize


@_method
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor itself, which is dense already; ``masked_grad`` is about sparse ones."""
    return self if dtype is None else self.to(dtype)


@_method
def pin_memory(self, device=None):
    """Refused in PyTorch's words: pinned memory is for copies to an accelerator."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


def _sparse_only(name, text):
    def refused(self):
        raise RuntimeError(text)

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = "Refused: this is no sparse tensor."
    setattr(Tensor, name, refused)


_sparse_only("is_coalesced", "is_coalesced expected sparse coordinate tensor layout but got Strided")
_sparse_only("values", "values expected sparse tensor layout but got Strided")
_sparse_only("coalesce", "coalesce expected sparse coordinate tensor layout but got Strided")
for _kind, _names in (("row", ("crow_indices", "col_indices")), ("column", ("ccol_indices", "row_indices"))):
    for _name in _names:
        _sparse_only(_name, f"{_name} expected sparse {_kind} compressed tensor layout but got Strided")
_sparse_only("indices", "indices expected sparse coordinate tensor layout but got Strided")


# ------------------------------------------------------------------------------------- a Python function on every element


def _written_by(name, function, self, *others):
    """Write ``function(element, elements of the others)`` into `self`, element by element, with Python's speed."""
    if any(each.requires_grad for each in (self, *others)):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    for each in others:
        if each.dtype is not self.dtype:
            raise TypeError(f"{name}: expected {self.type()} for 'other' (got {each.type()})")
    columns = [TENSOR.expand(each, self.shape)._a.reshape(-1).tolist() for each in others]
    values = [function(*each) for each in zip(self._a.reshape(-1).tolist(), *columns)]
    for each in values:
        if not isinstance(each, (bool, int, float, complex)):
            raise TypeError(f"must be real number, not {type(each).__name__}")
    inplace.check(self, False)
    flat = self._a.flat
    for place, each in enumerate(values):
        flat[place] = each
    inplace.finish(self, None)
    return self


@_method
def apply_(self, callable):
    """Replace every element by ``callable(element)``; for tensors without gradient."""
    return _written_by("apply_", callable, self)


@_method
def map_(self, tensor, callable):
    """Replace every element ``a`` by ``callable(a, b)``, ``b`` from `tensor`, which broadcasts."""
    return _written_by("map_", callable, self, tensor)


@_method
def map2_(self, x, y, callable):
    """Replace every element ``a`` by ``callable(a, b, c)``, with ``b`` and ``c`` from `x` and `y`."""
    return _written_by("map2_", callable, self, x, y)
