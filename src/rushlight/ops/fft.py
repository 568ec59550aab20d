"""``torch.fft`` and the short-time transform, composed of three operators whose derivatives are one another."""

from .. import dtypes
from ..array import fft as kernels
from ..array.arguments import wrap_dim
from .creation import check_options, give, named_dtype
from .linalg import complex_dtype, dtype_of
from .linalg_out import accept_out, complex_out, floating_out, worded
from .linalg_warnings import tell, tell_once
from .table import PLACES, composite, differentiable

_function = dict(method=False)
_private = dict(method=False, function=False)


# -------------------------------------------------------------------------------------------------- the three operators


def _r2c_vjp(F, g, x_shape, dim, normalization, onesided):
    if onesided:  # the half that was not kept had no influence of its own
        last = dim[-1]
        missing = x_shape[last] - g.shape[last]
        g = F.constant_pad_nd(g, (0, 0) * (g.ndim - 1 - last) + (0, missing))
    return F.real(F._fft_c2c(g, dim, normalization, False))


def _c2r_vjp(F, g, x_shape, dim, normalization):
    last = dim[-1]
    half = F._fft_r2c(g, dim, normalization, True)
    # each coefficient but those that are their own mirror image stood for two
    half = F._scale_slice(half, last, 1, g.shape[last] - half.shape[last], 2)
    missing = x_shape[last] - half.shape[last]
    return F.constant_pad_nd(half, (0, 0) * (half.ndim - 1 - last) + (0, missing)) if missing else half


differentiable(
    *("_fft_c2c", kernels.c2c),
    **dict(
        vjp=lambda F, g, dim, normalization, forward: F._fft_c2c(g, dim, normalization, not forward),
        **dict(linear=True, node_name="FftC2CBackward0", **_private),
    ),
)
differentiable("_fft_r2c", kernels.r2c, vjp=_r2c_vjp, linear=True, node_name="FftR2CBackward0", **_private)
differentiable("_fft_c2r", kernels.c2r, vjp=_c2r_vjp, linear=True, node_name="FftC2RBackward0", **_private)
differentiable(
    *("_scale_slice", kernels.scale_slice),
    **dict(
        vjp=lambda F, g, dim, start, length, factor: F._scale_slice(g, dim, start, length, factor),
        **dict(linear=True, **_private),
    ),
)


# ---------------------------------------------------------------------------------------------------------- arguments


def _wrap(dim, ndim):
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, ndim)


def _promoted(F, input, to_complex=False):
    """The input as floating point (integers in the default dtype), or complex."""
    dtype = dtype_of(input)
    if dtype.category < 2:
        input, dtype = _cast(F, input, dtypes.get_default_dtype()), dtypes.get_default_dtype()
    if dtype.itemsize == 2:
        raise RuntimeError(f"Unsupported dtype {dtype.legacy}")
    if to_complex and not dtype.is_complex:
        return _cast(F, input, dtype.to_complex())
    return input


def _cast(F, input, dtype):
    return F._to_dtype(input, dtype)


def _check_count(n):
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")


def _resize(F, input, dims, sizes):
    """Cut or padded with zeros at the end to the given sizes."""
    pad = [0] * (2 * input.ndim)
    needed = False
    for d, n in zip(dims, sizes):
        have = input.shape[d]
        if n < have:
            input = F.narrow(input, d, 0, n)
        elif n > have:
            pad[2 * (input.ndim - 1 - d) + 1] = n - have
            needed = True
    return F.constant_pad_nd(input, tuple(pad)) if needed else input


def _sizes_and_dims(input, s, dim):
    """(sizes, dims) of an n-dimensional transform; a size of -1 is the input's own."""
    ndim = input.ndim
    if isinstance(dim, int):
        dim = (dim,)
    if isinstance(s, int):
        s = (s,)
    if dim is not None:
        dims = tuple([_wrap(d, ndim) for d in dim])
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - len(s), ndim))
    else:
        dims = tuple(range(ndim))
    sizes = [input.shape[d] if s is None or s[i] == -1 else s[i] for i, d in enumerate(dims)]
    for n in sizes:
        _check_count(n)
    return sizes, dims


# ----------------------------------------------------------------------------------------------------- one dimension


def _complex_1d(F, input, n, dim, norm, forward):
    input = _promoted(F, input)
    dim = _wrap(dim, input.ndim)
    n = input.shape[dim] if n is None else n
    _check_count(n)
    factor = kernels.normalization(norm, forward)
    input = _resize(F, input, (dim,), (n,))
    if complex_dtype(input):
        return F._fft_c2c(input, (dim,), factor, forward)
    whole = F._fft_r2c(input, (dim,), factor, False)
    return whole if forward else F.conj(whole)


def _real_1d(F, name, input, n, dim, norm, forward):
    input = _promoted(F, input)
    if complex_dtype(input):
        raise RuntimeError(f"{name} expects a real input tensor, but got {dtype_of(input).legacy}")
    dim = _wrap(dim, input.ndim)
    n = input.shape[dim] if n is None else n
    _check_count(n)
    half = F._fft_r2c(_resize(F, input, (dim,), (n,)), (dim,), kernels.normalization(norm, forward), True)
    return half if forward else F.conj(half)


def _to_real_1d(F, input, n, dim, norm, forward):
    input = _promoted(F, input, True)
    dim = _wrap(dim, input.ndim)
    n = 2 * (input.shape[dim] - 1) if n is None else n
    _check_count(n)
    factor = kernels.normalization(norm, forward)
    input = _resize(F, input, (dim,), (n // 2 + 1,))
    return F._fft_c2r(F.conj(input) if forward else input, (dim,), factor, n)


def _halved(name, input, s, dim):
    """(sizes of the complex data, dims, size of the last dimension when real)."""
    if isinstance(s, int):
        s = (s,)
    given = s is not None and len(s) and s[-1] != -1
    sizes, dims = _sizes_and_dims(input, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = sizes[-1] if given else 2 * (input.shape[dims[-1]] - 1)
    _check_count(last)
    sizes[-1] = last // 2 + 1
    return sizes, dims, last


def _declare_1d():
    @composite("fft_fft", **_function)
    def fft_fft(F, input, n=None, dim=-1, norm=None):
        return _complex_1d(F, input, n, dim, norm, True)

    @composite("fft_ifft", **_function)
    def fft_ifft(F, input, n=None, dim=-1, norm=None):
        return _complex_1d(F, input, n, dim, norm, False)

    @composite("fft_rfft", **_function)
    def fft_rfft(F, input, n=None, dim=-1, norm=None):
        return _real_1d(F, "rfft", input, n, dim, norm, True)

    @composite("fft_ihfft", **_function)
    def fft_ihfft(F, input, n=None, dim=-1, norm=None):
        return _real_1d(F, "ihfft", input, n, dim, norm, False)

    @composite("fft_irfft", **_function)
    def fft_irfft(F, input, n=None, dim=-1, norm=None):
        return _to_real_1d(F, input, n, dim, norm, False)

    @composite("fft_hfft", **_function)
    def fft_hfft(F, input, n=None, dim=-1, norm=None):
        return _to_real_1d(F, input, n, dim, norm, True)


_declare_1d()


# ----------------------------------------------------------------------------------------------- several dimensions


def _complex_n(F, input, s, dim, norm, forward):
    sizes, dims = _sizes_and_dims(input, s, dim)
    input = _resize(F, _promoted(F, input, True), dims, sizes)
    return F._fft_c2c(input, dims, kernels.normalization(norm, forward), forward)


def _rfftn(F, input, s, dim, norm):
    if complex_dtype(input):
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {dtype_of(input).legacy}")
    sizes, dims = _sizes_and_dims(input, s, dim)
    if not dims:
        raise RuntimeError("rfftn must transform at least one axis")
    input = _resize(F, _promoted(F, input), dims, sizes)
    return F._fft_r2c(input, dims, kernels.normalization(norm, True), True)


def _irfftn(F, input, s, dim, norm):
    sizes, dims, last = _halved("irfftn", input, s, dim)
    input = _resize(F, _promoted(F, input, True), dims, sizes)
    return F._fft_c2r(input, dims, kernels.normalization(norm, False), last)


def _hfftn(F, input, s, dim, norm):
    sizes, dims, last = _halved("hfftn", input, s, dim)
    input = _resize(F, _promoted(F, input, True), dims, sizes)
    factor = kernels.normalization(norm, True)
    if len(dims) > 1:
        input = F._fft_c2c(input, dims[:-1], factor, True)
    return F._fft_c2r(F.conj(input), dims[-1:], factor, last)


def _ihfftn(F, input, s, dim, norm):
    sizes, dims = _sizes_and_dims(input, s, dim)
    if not dims:
        raise RuntimeError("ihfftn must transform at least one axis")
    if complex_dtype(input):
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {dtype_of(input).legacy}")
    input = _resize(F, _promoted(F, input), dims, sizes)
    factor = kernels.normalization(norm, False)
    half = F.conj_physical(F._fft_r2c(input, dims[-1:], factor, True))
    return F._fft_c2c(half, dims[:-1], factor, False) if len(dims) > 1 else half


def _declare_n(name, run):
    """The n-dimensional form and the one of two dimensions."""

    def n_dimensional(F, input, s=None, dim=None, norm=None):
        return run(F, input, s, dim, norm)

    def two_dimensional(F, input, s=None, dim=(-2, -1), norm=None):
        return run(F, input, s, dim, norm)

    composite(f"fft_{name}n", **_function)(n_dimensional)
    composite(f"fft_{name}2", **_function)(two_dimensional)


_declare_n("fft", lambda F, input, s, dim, norm: _complex_n(F, input, s, dim, norm, True))
_declare_n("ifft", lambda F, input, s, dim, norm: _complex_n(F, input, s, dim, norm, False))
_declare_n("rfft", _rfftn)
_declare_n("irfft", _irfftn)
_declare_n("hfft", _hfftn)
_declare_n("ihfft", _ihfftn)


def _accept_out():
    def last_step(x, *rest, **more):
        return complex_out("fft"), "_fft_c2c" if complex_dtype(x) else "_fft_r2c", False

    def mirrored(x, *rest, **more):
        return complex_out("ifft"), "_fft_c2c" if complex_dtype(x) else "aten::conj_physical", False

    def mirrored_n(default):
        def asked(input, s=None, dim=default, norm=None):
            if len(_sizes_and_dims(input, s, dim)[1]) > 1:
                return complex_out("ihfftn"), "_fft_c2c", False
            return worded("Found dtype {dtype} but expected {target}"), "aten::conj_physical", False

        return asked

    accept_out("fft_fft", varying=last_step)
    accept_out("fft_ifft", varying=mirrored)
    accept_out("fft_rfft", complex_out("rfft"), "_fft_r2c")
    accept_out("fft_ihfft", complex_out("ihfft"), "aten::conj_physical")
    accept_out("fft_irfft", floating_out("irfft"), "_fft_c2r")
    accept_out("fft_hfft", floating_out("hfft"), "_fft_c2r")
    for form in ("n", "2"):
        for name in ("fft", "ifft"):
            accept_out(f"fft_{name}{form}", complex_out("fftn"), "_fft_c2c")
        accept_out(f"fft_rfft{form}", complex_out("rfftn"), "_fft_r2c")
        accept_out(f"fft_ihfft{form}", varying=mirrored_n(None if form == "n" else (-2, -1)))
        accept_out(f"fft_irfft{form}", floating_out("irfftn"), "_fft_c2r")
        accept_out(f"fft_hfft{form}", floating_out("hfftn"), "_fft_c2r")


_accept_out()


# ------------------------------------------------------------------------------------------------ order and frequencies


def _shift(F, input, dim, amount):
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    dims = tuple([wrap_dim(d, input.ndim) for d in dims])
    return F.roll(input, tuple([amount(input.shape[d]) for d in dims]), dims)


@composite("fft_fftshift", **_function)
def fft_fftshift(F, input, dim=None):
    return _shift(F, input, dim, lambda n: n // 2)


@composite("fft_ifftshift", **_function)
def fft_ifftshift(F, input, dim=None):
    return _shift(F, input, dim, lambda n: (n + 1) // 2)


def _frequencies(name, half):
    def function(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
        check_options(name, layout, device, pin_memory)
        wanted = named_dtype(name, dtype, out)
        made = kernels.frequencies(n, d, dtypes.get_default_dtype() if wanted is None else wanted, half)
        return give(name, made, out, wanted, requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "torch.fft"
    PLACES["fft"][name] = function


_frequencies("fftfreq", False)
_frequencies("rfftfreq", True)


# ------------------------------------------------------------------------------------------------ short-time transform


def _window(F, window, win_length, n_fft, like):
    """The window padded to the transform's length on both sides; ones where none is given."""
    if window is None:
        if win_length == n_fft:
            return None
        window = F.ones((win_length,), dtype=dtype_of(like))
    if win_length < n_fft:
        left = (n_fft - win_length) // 2
        window = F.constant_pad_nd(window, (left, n_fft - win_length - left))
    return window


def _kind(x):
    """How PyTorch's texts name a tensor: torch.FloatTensor."""
    return f"torch.{dtype_of(x).legacy}Tensor"


def _list(shape):
    return "[" + ", ".join(str(int(n)) for n in shape) + "]"


def _flag(value):
    return "None" if value is None else int(bool(value))


@composite("stft")
def stft(
    F,
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    pad_mode="reflect",
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false.")
    if center:
        lead = (1,) * (3 - input.ndim)
        amount = n_fft // 2
        padded = F._nn_pad(F.reshape(input, (*lead, *input.shape)), (amount, amount), pad_mode)
        input = F.reshape(padded, tuple(padded.shape[3 - input.ndim :]))
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    shown = "None" if window is None else f"{_kind(window)}{{{_list(window.shape)}}}"
    text = (
        f"stft({_kind(input)}{_list(input.shape)}, n_fft={n_fft}, hop_length={hop}, win_length={width}, window={shown}, "
        f"normalized={int(bool(normalized))}, onesided={_flag(onesided)}, return_complex={_flag(return_complex)}, "
        f"align_to_window={_flag(align_to_window)}) "
    )
    if return_complex is None and not complex_dtype(input) and not (window is not None and complex_dtype(window)):
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    if dtype_of(input).category < 2:
        raise RuntimeError(f"{text}: expected a tensor of floating point or complex values")
    if input.ndim not in (1, 2):
        raise RuntimeError(f"{text}: expected a 1D or 2D tensor")
    length = input.shape[-1]
    if not 0 < n_fft <= length:
        raise RuntimeError(f"{text}: expected 0 < n_fft < {length}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{text}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < width <= n_fft:
        raise RuntimeError(f"{text}: expected 0 < win_length <= n_fft, but got win_length={width}")
    if window is not None and (window.ndim != 1 or window.shape[0] != width):
        raise RuntimeError(
            f"{text}: expected a 1D window tensor of size equal to win_length={width}, but got window with size "
            f"{_list(window.shape)}"
        )
    is_complex = complex_dtype(input) or (window is not None and complex_dtype(window))
    onesided = not is_complex if onesided is None else onesided
    if window is None:
        tell_once("stft")
    window = _window(F, window, width, n_fft, input)
    if align_to_window:
        raise NotImplementedError("stft: rushlight does not have align_to_window=True")
    frames = F.unfold(input, -1, n_fft, hop)  # (batch, count, n_fft)
    if window is not None:
        frames = frames * window
    if is_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    factor = 1 if normalized else 0
    last = (frames.ndim - 1,)
    if is_complex:
        result = F._fft_c2c(_promoted(F, frames, True), last, factor, True)
    else:
        result = F._fft_r2c(frames, last, factor, bool(onesided))
    result = F.transpose(result, -1, -2)
    if return_complex or (return_complex is None and is_complex):
        return result
    return F.view_as_real(result)


@composite("istft")
def istft(
    F,
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    normalized=False,
    onesided=None,
    length=None,
    return_complex=False,
):
    if window is None:
        tell_once("istft without a window")
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if not complex_dtype(input):
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    shown = "None" if window is None else f"{_kind(window)}{{{_list(window.shape)}}}"
    text = (
        f"istft(CPU{dtype_of(input).legacy}Type{_list(input.shape)}, n_fft={n_fft}, hop_length={hop}, win_length={width}, "
        f"window={shown}, center={int(bool(center))}, normalized={int(bool(normalized))}, onesided={_flag(onesided)}, "
        f"length={length}, return_complex={int(bool(return_complex))}) "
    )
    if input.ndim not in (2, 3):
        raise RuntimeError(f"{text}: expected a tensor with 3 or 4 dimensions, but got {input.ndim + 1}")
    rows, count = input.shape[-2:]
    expected = n_fft // 2 + 1 if onesided or (onesided is None and rows != n_fft) else n_fft
    if rows != expected:
        side = (
            f"n_fft / 2 + 1 when onesided=True, but got {rows}"
            if expected != n_fft
            else (f"n_fft when onesided=False, but got {rows}")
        )
        raise RuntimeError(
            f"{text}: expected the frequency dimension (3rd to the last) of the input tensor to match {side}"
        )
    onesided = rows != n_fft if onesided is None else onesided
    if not 0 < hop <= width:
        raise RuntimeError(f"{text}: expected 0 < hop_length <= win_length")
    if not 0 < width <= n_fft:
        raise RuntimeError(f"{text}: expected 0 < win_length <= n_fft")
    if window is not None and (window.ndim != 1 or window.shape[0] != width):
        raise RuntimeError(f"{text}: Invalid window shape. window has to be 1D and length of `win_length`")
    if onesided and (return_complex or (window is not None and complex_dtype(window))):
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if window is None:
        window = F.ones((width,), dtype=dtype_of(input).to_real())
    window = _window(F, window, width, n_fft, input)

    frames = F.transpose(input if input.ndim == 3 else F.unsqueeze(input, 0), 1, 2)
    factor = 1 if normalized else 2
    if return_complex:
        frames = F._fft_c2c(frames, (2,), factor, False)
    else:
        if not onesided:
            frames = F.narrow(frames, -1, 0, n_fft // 2 + 1)
        frames = F._fft_c2r(frames, (2,), factor, n_fft)
    signal = F._overlap_add(F.transpose(frames * window, 1, 2), hop)
    squares = F.expand(F.unsqueeze(F.unsqueeze(window * window, 0), -1), (1, n_fft, count))
    envelope = F._overlap_add(squares, hop)

    total = n_fft + hop * (count - 1)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    stop = min(end, total)
    signal = F.narrow(signal, 1, start, stop - start)
    envelope = F.narrow(envelope, 1, start, stop - start)
    smallest = F.amin(F.abs(envelope))
    if not float(getattr(smallest, "_a", smallest)) > 1e-11:
        raise RuntimeError(f"{text}window overlap add min: 1\n[ CPUBoolType{{}} ]")
    signal = signal / envelope
    if input.ndim == 2:
        signal = F.squeeze(signal, 0)
    if end > total:
        tell("istft")
        signal = F.constant_pad_nd(signal, (0, end - total))
    return signal


def _overlap_add_vjp(F, g, x_shape, hop):
    return F.transpose(F.unfold(g, -1, x_shape[-2], hop), -1, -2)


differentiable("_overlap_add", kernels.overlap_add, vjp=_overlap_add_vjp, linear=True, **_private)
