"""Mixed precision: which operators compute in half precision, which must not, and the context in which they do so.

Within ``autocast`` products, convolutions and attention take their float32 arguments in the lower dtype, and losses, decompositions and
other delicate functions take half-precision arguments in float32; everything else computes in what it is given. The lists are those of
PyTorch's CPU backend.
"""

import functools
import threading
import warnings

from .. import dtypes
from ..autograd import levels
from ..autograd.graph import Leaf
from ..autograd.modes import thread
from ..devices import device
from ..ops import dispatch
from ..ops.table import TENSOR
from ..tensor import Tensor, edge_of

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

#: operators and functions that compute in the lower dtype
_LOWER = frozenset(
    (
        *("addbmm", "addmm", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d"),
        *("conv_transpose2d", "conv_transpose3d", "convolution", "linalg_vecdot", "linear", "matmul", "mm"),
        *("prelu", "_nn_linear", "_nn_scaled_dot_product_attention", "scaled_dot_product_attention"),
        # what recurrent layers are made of; a GRU keeps its state in the dtype it comes in
        *("_lstm_layer", "_rnn_layer"),
    )
)
#: and those that compute in float32
_FULL = frozenset(
    (
        *("avg_pool3d", "cdist", "cholesky", "cholesky_inverse", "cholesky_solve", "cosine_embedding_loss", "ctc_loss"),
        *("grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "inverse", "linalg_cholesky", "linalg_cholesky_ex"),
        *(
            "linalg_cond",
            "linalg_eig",
            "linalg_eigh",
            "linalg_eigvals",
            "linalg_eigvalsh",
            "linalg_householder_product",
        ),
        *(
            "linalg_inv",
            "linalg_inv_ex",
            "linalg_lstsq",
            "linalg_matrix_rank",
            "linalg_qr",
            "linalg_solve",
            "linalg_svd",
        ),
        *(
            "linalg_svdvals",
            "linalg_tensorinv",
            "linalg_tensorsolve",
            "lu_solve",
            "max_pool3d",
            "nanquantile",
            "pinverse",
        ),
        *("polar", "prod", "qr", "quantile", "stft", "svd", "trace", "triangular_solve", "view_as_complex"),
        *(
            "fft_fft",
            "fft_ifft",
            "fft_fft2",
            "fft_ifft2",
            "fft_fftn",
            "fft_ifftn",
            "fft_rfft",
            "fft_irfft",
            "fft_rfft2",
        ),
        *("fft_irfft2", "fft_rfftn", "fft_irfftn", "fft_hfft", "fft_ihfft", "binary_cross_entropy_with_logits"),
        *("hinge_embedding_loss", "margin_ranking_loss", "poisson_nll_loss", "triplet_margin_loss", "kl_div"),
        *(
            f"_nn_{name}"
            for name in (
                *("adaptive_avg_pool3d", "adaptive_max_pool3d", "binary_cross_entropy", "cosine_embedding_loss"),
                *("binary_cross_entropy_with_logits", "cross_entropy", "ctc_loss", "grid_sample", "huber_loss"),
                *("hinge_embedding_loss", "kl_div", "l1_loss", "margin_ranking_loss", "max_pool3d", "max_unpool2d"),
                *("max_unpool3d", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "nll_loss"),
                *("poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss"),
            )
        ),
    )
)
#: and those whose arguments must agree: in the widest of their dtypes
_WIDEST = frozenset(("cat", "index_copy", "stack"))


class _Settings(threading.local):
    enabled = False
    dtype = dtypes.bfloat16
    cache_enabled = True
    depth = 0

    def __init__(self):
        # of devices other than the CPU, where it is not float16
        self.elsewhere = dict.fromkeys(("hpu", "maia", "xla"), dtypes.bfloat16)


_settings = _Settings()
_cached = threading.local()


def _lowered(tensor):
    """A tensor in the lower dtype; leaves that are trained are converted once for the whole context."""
    dtype = _settings.dtype
    if tensor._dtype is not dtypes.float32 and not (tensor._dtype.itemsize == 2 and tensor._dtype is not dtype):
        return tensor
    if not tensor._dtype.is_floating_point:
        return tensor
    keep = _settings.cache_enabled and thread.grad and tensor._view is None and isinstance(edge_of(tensor), Leaf)
    if not keep:
        return TENSOR._to_dtype(tensor, dtype)
    found = _cached.tensors.get(id(tensor))
    if found is None:
        # the tensor is kept too, so that its identity is not given to another
        found = _cached.tensors[id(tensor)] = (tensor, TENSOR._to_dtype(tensor, dtype))
    return found[1]


def _full(tensor):
    return (
        TENSOR._to_dtype(tensor, dtypes.float32)
        if tensor._dtype.itemsize == 2 and tensor._dtype.is_floating_point
        else tensor
    )


def _map(function, values):
    """``function`` of every tensor among the values, and within lists of them."""
    made, changed = [], False
    for value in values:
        new = value
        if isinstance(value, Tensor):
            new = function(value)
        elif isinstance(value, (list, tuple)) and any(isinstance(each, Tensor) for each in value):
            new = [function(each) if isinstance(each, Tensor) else each for each in value]
        changed = changed or new is not value
        made.append(new)
    return made, changed


def _widest(values):
    found = [v for value in values for v in (value if isinstance(value, (list, tuple)) else (value,))]
    floating = [v._dtype for v in found if isinstance(v, Tensor) and v._dtype.is_floating_point]
    if not any(dtype is dtypes.float32 for dtype in floating):
        return None
    return lambda tensor: _full(tensor)


def _how(name, values):
    """How the tensors of a call are converted, or None."""
    if not _settings.enabled:
        return None
    if name in _LOWER:
        return _lowered
    if name in _FULL:
        return _full
    return _widest(values) if name in _WIDEST else None


def _interpret(op, values, how):
    """Stands before operators while a context is entered."""
    convert = _how(op.name, values) if how is None else None
    if convert is None:
        return NotImplemented
    made, changed = _map(convert, values)
    return levels.execute(op, tuple(made)) if changed else NotImplemented


def _cast_arguments(name, args, kwargs):
    convert = _how(name, (*args, *kwargs.values()))
    if convert is None:
        return args, kwargs
    return tuple(_map(convert, args)[0]), dict(zip(kwargs, _map(convert, kwargs.values())[0]))


dispatch.cast_arguments = _cast_arguments

#: the kinds of devices that PyTorch has mixed precision for
_KNOWN = ("cpu", "cuda", "xpu", "mps", "xla", "hpu", "ipu", "mtia", "maia", "privateuseone")


def _kind_of(device_type):
    """The kind of a device named by a string; ValueError or RuntimeError, in PyTorch's words, where it names none."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    return device(device_type).type


def is_autocast_available(device_type):
    """Whether PyTorch knows mixed precision for this kind of device."""
    return _kind_of(device_type) in _KNOWN


class autocast:  # noqa: N801 - PyTorch's name
    """A context manager and decorator within which operators choose their precision.

    Args:
        device_type: "cpu"; any other is switched off with a warning, as PyTorch does where there is no such device.
        dtype: the lower dtype, bfloat16 (the default) or float16.
        enabled: False switches an outer context off.
        cache_enabled: convert each parameter only once within the outermost context.
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        device_type = self.device = _kind_of(device_type)
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if device_type != "cpu" and enabled:
            warnings.warn(
                "CUDA is not available or torch_xla is imported. Disabling autocast."
                if device_type == "cuda"
                else f"User provided device_type of '{device_type}', but {device_type.upper()} is not available. Disabling",
                stacklevel=2,
            )
            enabled = False
        if device_type == "cpu" and enabled and self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._cache_enabled = _settings.cache_enabled if cache_enabled is None else cache_enabled
        self._before = []

    def __enter__(self):
        if self.device != "cpu":
            return self
        self._before.append((_settings.enabled, _settings.dtype, _settings.cache_enabled))
        if _settings.depth == 0:
            _cached.tensors = {}
            levels.push(_interpret)
        _settings.depth += 1
        _settings.enabled, _settings.dtype = self._enabled, self.fast_dtype
        _settings.cache_enabled = self._cache_enabled
        return self

    def __exit__(self, *exc):
        if self.device != "cpu":
            return False
        _settings.enabled, _settings.dtype, _settings.cache_enabled = self._before.pop()
        _settings.depth -= 1
        if _settings.depth == 0:
            levels.remove(_interpret)
            _cached.tensors = {}
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def within(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return within


# ----------------------------------------------------------------------------------------------- torch.is_autocast_*


def is_autocast_enabled(device_type=None):
    """Whether operators choose their precision now, for a device (default: CUDA, so False)."""
    kind = "cuda" if device_type is None else _kind_of(device_type)
    if kind not in _KNOWN:
        raise RuntimeError("unknown device type for autocast in get_autocast_dispatch_key_from_device_type")
    return kind == "cpu" and _settings.enabled


def is_autocast_cpu_enabled():
    warnings.warn(
        "torch.is_autocast_cpu_enabled() is deprecated. Please use torch.is_autocast_enabled('cpu') instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return _settings.enabled


def get_autocast_dtype(device_type):
    """The lower dtype of a device; RuntimeError for a device without one."""
    kind = _kind_of(device_type)
    if kind not in _KNOWN:
        raise RuntimeError("unsupported scalarType")
    return _settings.dtype if kind == "cpu" else _settings.elsewhere.get(kind, dtypes.float16)


def set_autocast_dtype(device_type, dtype):
    """Choose the lower dtype of a device."""
    get_autocast_dtype(device_type)
    kind = _kind_of(device_type)
    if kind == "cpu":
        _settings.dtype = dtype
    else:
        _settings.elsewhere[kind] = dtype


def get_autocast_cpu_dtype():
    return _settings.dtype


def is_autocast_cache_enabled():
    return _settings.cache_enabled


def set_autocast_cache_enabled(enabled):
    _settings.cache_enabled = enabled


def clear_autocast_cache():
    """Forget the parameters converted so far."""
    _cached.tensors = {}


# -------------------------------------------------------------------------------------- autograd.Function under autocast


def _cast(value, dtype):
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value._dtype is not dtypes.float64 else value
    if isinstance(value, dict):
        return {key: _cast(each, dtype) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(each, dtype) for each in value)
    return value


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorate the ``forward`` of a ``Function`` that is to run under autocast.

    With ``cast_inputs`` its floating arguments are converted to that dtype and the body runs with autocast off; the backward then runs
    as the forward did, see ``custom_bwd``.
    """
    _kind_of(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args, **kwargs):
        args[0]._dtype = get_autocast_dtype(device_type)
        enabled = is_autocast_enabled(device_type)
        args[0]._fwd_used_autocast = enabled and cast_inputs is None
        if cast_inputs is None or not enabled:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd=None, *, device_type):
    """Decorate the ``backward`` of a ``Function`` whose forward has ``custom_fwd``: it runs in the mode the forward ran in."""
    _kind_of(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args, **kwargs):
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated
