"""Functions that PyTorch has removed, or warns of at each call: their names are there, and say so in PyTorch's words."""

import warnings

from ..tensor import Tensor
from .table import PLACES

_GONE = "This function was deprecated since version 1.9 and is now removed."
_INSTEAD = {
    "eig": " `torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real tensors mimicking "
    "complex tensors.\n\nL, _ = torch.eig(A) should be replaced with:\nL_complex = torch.linalg.eigvals(A)\n\nand\n\n"
    "L, V = torch.eig(A, eigenvectors=True) should be replaced with:\nL_complex, V_complex = torch.linalg.eig(A)",
    "symeig": " The default behavior has changed from using the upper triangular portion of the matrix by default to using "
    "the lower triangular portion.\n\nL, _ = torch.symeig(A, upper=upper) should be replaced with:\n"
    "L = torch.linalg.eigvalsh(A, UPLO='U' if upper else 'L')\n\nand\n\n"
    "L, V = torch.symeig(A, eigenvectors=True) should be replaced with:\n"
    "L, V = torch.linalg.eigh(A, UPLO='U' if upper else 'L')",
    "solve": " `torch.solve` is deprecated in favor of `torch.linalg.solve`. `torch.linalg.solve` has its arguments reversed "
    "and does not return the LU factorization.\n\nTo get the LU factorization see `torch.lu`, which can be used with "
    "`torch.lu_solve` or `torch.lu_unpack`.\nX = torch.solve(B, A).solution should be replaced with:\n"
    "X = torch.linalg.solve(A, B)",
    "lstsq": " `torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.\n`torch.linalg.lstsq` has reversed arguments and "
    "does not return the QR decomposition in the returned tuple (although it returns other information about the problem)."
    "\n\nTo get the QR decomposition consider using `torch.linalg.qr`.\n\nThe returned solution in `torch.lstsq` stored the "
    "residuals of the solution in the last m - n columns of the returned value whenever m > n. In torch.linalg.lstsq, the "
    "residuals are in the field 'residuals' of the returned named tuple.\n\nThe unpacking of the solution, as in\n"
    "X, _ = torch.lstsq(B, A).solution[:A.size(1)]\nshould be replaced with:\nX = torch.linalg.lstsq(A, B).solution",
    "matrix_rank": "\nPlease use the `torch.linalg.matrix_rank` function instead. The parameter 'symmetric' was renamed in "
    "`torch.linalg.matrix_rank()` to 'hermitian'.",
}


def _removed(name, instead):
    def function(*args, **kwargs):
        raise RuntimeError(_GONE + instead)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Removed from PyTorch; raises RuntimeError that says what to call instead."
    PLACES[""][name] = function
    if name != "matrix_rank":
        setattr(Tensor, name, function)


for _name, _text in _INSTEAD.items():
    _removed(_name, _text)


def reinforce(self, reward):
    """Removed from PyTorch; raises RuntimeError that says what to call instead."""
    raise RuntimeError(
        "reinforce() was removed.\nUse torch.distributions instead.\nSee https://pytorch.org/docs/main/distributions.html\n\n"
        "Instead of:\n\nprobs = policy_network(state)\naction = probs.multinomial()\nnext_state, reward = env.step(action)\n"
        "action.reinforce(reward)\naction.backward()\n\nUse:\n\nprobs = policy_network(state)\n"
        "# NOTE: categorical is equivalent to what used to be called multinomial\nm = torch.distributions.Categorical(probs)\n"
        "action = m.sample()\nnext_state, reward = env.step(action)\nloss = -m.log_prob(action) * reward\nloss.backward()\n"
    )


def resize(self, *sizes):
    """The same elements in another shape; deprecated by PyTorch, which recommends ``reshape``."""
    warnings.warn("non-inplace resize is deprecated", stacklevel=2)
    return _resized(self, sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes)


def resize_as(self, tensor):
    """``resize`` to the shape of another tensor."""
    warnings.warn("non-inplace resize_as is deprecated", stacklevel=2)
    return _resized(self, tensor.shape)


def _resized(tensor, sizes):
    from ..autograd._functions import Resize

    return Resize.apply(tensor, tuple(sizes))


for _function in (reinforce, resize, resize_as):
    setattr(Tensor, _function.__name__, _function)
