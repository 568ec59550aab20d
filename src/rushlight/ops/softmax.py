"""Softmax, its logarithm and softmin, as functions of torch, of torch.nn.functional and as methods."""

from ..array import softmax as kernels
from .functional import functional
from .table import composite, differentiable

_private = dict(method=False, function=False)


differentiable(
    *("_softmax", kernels.softmax),
    **dict(
        vjp=lambda F, g, y, dim: F._softmax_backward_data(g, y, dim),
        node_name="SoftmaxBackward0",
        out="same",
        spoken_out="aten::softmax",
        **_private,
    ),
)
differentiable(
    *("_log_softmax", kernels.log_softmax),
    **dict(
        vjp=lambda F, g, y, dim: F._log_softmax_backward_data(g, y, dim),
        node_name="LogSoftmaxBackward0",
        out="same",
        spoken_out="aten::log_softmax",
        **_private,
    ),
)


def _softmax_backward_vjp(F, g, grad_output, output, dim):
    # y (gy - sum(gy y)): linear in gy and self-adjoint; in y, the product rule
    inner = F.sum(g * output, dim, True)
    total = F.sum(grad_output * output, dim, True)
    return F._softmax_backward_data(g, output, dim), g * grad_output - g * total - grad_output * inner


def _log_softmax_backward_vjp(F, g, grad_output, output, dim):
    # gy - exp(y) sum(gy)
    weighted = g * F.exp(output)
    return g - F.sum(weighted, dim, True), -weighted * F.sum(grad_output, dim, True)


differentiable("_softmax_backward_data", kernels._softmax_backward_data, vjp_all=_softmax_backward_vjp, **_private)
differentiable(
    "_log_softmax_backward_data", kernels._log_softmax_backward_data, vjp_all=_log_softmax_backward_vjp, **_private
)


@composite("softmax")
def softmax(F, input, dim, dtype=None, *, out=None):
    return F._softmax(input, dim, dtype) if out is None else F._softmax(input, dim, dtype, out=out)


@composite("log_softmax")
def log_softmax(F, input, dim, dtype=None, *, out=None):
    return F._log_softmax(input, dim, dtype) if out is None else F._log_softmax(input, dim, dtype, out=out)


@composite("special_softmax", method=False)
def special_softmax(F, input, dim, dtype=None):
    return F._softmax(input, dim, dtype)


@composite("special_log_softmax", method=False)
def special_log_softmax(F, input, dim, *, dtype=None):
    return F._log_softmax(input, dim, dtype)


def _implicit_dim(name, ndim, stacklevel):
    import warnings

    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _functional(name, apply):
    def function(F, input, dim=None, _stacklevel=3, dtype=None):
        if dim is None:
            dim = _implicit_dim(name, input.ndim, _stacklevel + 1)
        return apply(F, input, dim, dtype)

    functional(name)(function)


_functional("softmax", lambda F, input, dim, dtype: F._softmax(input, dim, dtype))
_functional("log_softmax", lambda F, input, dim, dtype: F._log_softmax(input, dim, dtype))
_functional("softmin", lambda F, input, dim, dtype: F._softmax(-input, dim, dtype))
