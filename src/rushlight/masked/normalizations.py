"""Masked functions whose result has the shape of the input: ``function(input, dim, *, dtype=None, mask=None)``.

`mask` (bool, broadcast to `input`; it may not have more dimensions) is true where an element counts. `dim` is one
dimension. A row with nothing left gives nan in the softmax family and passes the running value on in cumsum and cumprod.
"""

from ..ops.table import TENSOR as F
from .masks import canonical_dims, replace_masked
from .reductions import norm

__all__ = ["cumprod", "cumsum", "log_softmax", "normalize", "softmax", "softmin"]


def _along_dim(name, operation, operator, doc):
    """A function that runs `operator` along one dimension of the input filled with the identity of `operation`."""

    def function(input, dim, *, dtype=None, mask=None):
        dtype = dtype or input.dtype
        dim = canonical_dims(dim, input.ndim)[0]
        return operator(replace_masked(operation, input, mask), dim, dtype=dtype)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


cumsum = _along_dim("cumsum", "sum", F.cumsum, "Running sums along `dim`; a masked element adds nothing.")
cumprod = _along_dim("cumprod", "prod", F.cumprod, "Running products along `dim`; a masked element changes nothing.")
softmax = _along_dim("softmax", "amax", F.softmax, "Softmax along `dim`; 0 at the masked elements.")
log_softmax = _along_dim("log_softmax", "amax", F.log_softmax, "Logarithm of `softmax`; -inf at the masked elements.")


def softmin(input, dim, *, dtype=None, mask=None):
    """``softmax(-input)`` along `dim`; 0 at the masked elements."""
    dtype = dtype or input.dtype
    dim = canonical_dims(dim, input.ndim)[0]
    return F.softmax(-replace_masked("amin", input, mask), dim, dtype=dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """`input`, 0 at the masked elements, over its masked norm of order `ord` along `dim` (at least `eps`)."""
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return replace_masked("sum", input, mask) / F.maximum(size, size.new_full([], eps))
