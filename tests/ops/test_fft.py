"""torch.fft and the short-time transform: against NumPy, and their derivatives against differences."""

import warnings

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops import linalg_warnings
from tests.ops.differences import check

rng = np.random.default_rng(0)
REAL = rng.standard_normal((2, 5))
COMPLEX = REAL + 1j * rng.standard_normal((2, 5))


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 3, 8])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, n, norm):
    x = REAL if name in ("rfft", "ihfft") else COMPLEX
    function = getattr(torch.fft, name)
    found = function(torch.from_numpy(x), n, norm=norm)
    np.testing.assert_allclose(found.resolve_conj().numpy(), getattr(np.fft, name)(x, n, norm=norm), atol=1e-13)
    if norm is None:
        check(lambda t: function(t, n), x, second=False)
        if name in ("fft", "ifft"):
            check(lambda t: function(t, n, dim=0), REAL, second=False)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"])
@pytest.mark.parametrize("s", [None, (3, 4)])
def test_several_dimensions(name, s):
    x = REAL if name.startswith("r") else COMPLEX
    function = getattr(torch.fft, name)
    axes = (0, 1)
    wanted = getattr(np.fft, name)(x, s, axes)
    np.testing.assert_allclose(function(torch.from_numpy(x), s, axes).numpy(), wanted, atol=1e-13)
    check(lambda t: function(t, s, axes), x, second=False)


def test_hermitian_transforms_are_each_others_inverse():
    x = torch.from_numpy(REAL)
    half = torch.fft.ihfftn(x)
    np.testing.assert_allclose(torch.fft.hfftn(half, (2, 5)).numpy(), REAL, atol=1e-14)
    check(lambda t: torch.fft.hfft2(t), COMPLEX, second=False)
    check(lambda t: torch.fft.ihfft2(t), REAL, second=False)


def test_second_derivatives():
    check(lambda t: torch.fft.irfft(torch.fft.rfft(t, 6) ** 2, 7) ** 2, REAL, tol=1e-4)


def test_single_precision_stays_single():
    x = torch.ones(4)
    assert torch.fft.fft(x).dtype is torch.complex64
    assert torch.fft.irfft(torch.fft.rfft(x)).dtype is torch.float32
    assert torch.fft.fft(torch.arange(4)).dtype is torch.complex64


def test_shifts_and_frequencies():
    for n in (4, 5):
        x = torch.fft.fftfreq(n)
        assert torch.fft.fftshift(x).tolist() == sorted(x.tolist())
        assert torch.fft.ifftshift(torch.fft.fftshift(x)).tolist() == x.tolist()
    assert torch.fft.rfftfreq(5, d=0.5).tolist() == pytest.approx([0, 0.4, 0.8])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: torch.fft.fft(torch.tensor(1.0)),
            IndexError,
            "Dimension specified as -1 but tensor has no dimensions",
        ),
        (lambda: torch.fft.fft(torch.ones(3), n=0), RuntimeError, "Invalid number of data points (0) specified"),
        (lambda: torch.fft.fftn(torch.ones(3, 3), dim=(0, 0)), RuntimeError, "FFT dims must be unique"),
        (
            lambda: torch.fft.rfft(torch.ones(3) * 1j),
            RuntimeError,
            "rfft expects a real input tensor, but got ComplexFloat",
        ),
    ],
)
def test_refusals_are_in_pytorchs_words(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "options", [{}, {"window": True}, {"normalized": True}, {"onesided": False}, {"win_length": 6}]
)
def test_short_time_transform_is_undone(options):
    options = dict(options, hop_length=2)
    width = options.get("win_length", 8)
    window = torch.from_numpy(np.hanning(width + 2)[1:-1]) if options.pop("window", False) else None
    x = torch.from_numpy(rng.standard_normal((2, 24)))
    frames = torch.stft(x, 8, window=window, return_complex=True, **options)
    assert frames.shape[1] == (8 if options.get("onesided") is False else 5)
    np.testing.assert_allclose(
        torch.istft(frames, 8, window=window, length=24, **options).numpy(), x.numpy(), atol=1e-12
    )


def test_short_time_transform_has_derivatives():
    window = np.hanning(10)[1:-1]
    x = rng.standard_normal(20)

    def forth_and_back(x, window):
        spectrum = torch.stft(x, 8, 2, window=window, return_complex=True)
        return torch.istft(spectrum * torch.abs(spectrum), 8, 2, window=window)

    check(forth_and_back, x, window, second=False, tol=1e-5)


def test_stft_asks_for_return_complex():
    with pytest.raises(RuntimeError, match="stft requires the return_complex parameter be given for real inputs"):
        torch.stft(torch.ones(16), 8)


def test_an_inverse_without_its_window_is_warned_of_once():
    spectrum = torch.stft(torch.ones(64), 16, window=torch.ones(16), return_complex=True)
    linalg_warnings.forget()
    with pytest.warns(UserWarning, match="Please provide the same window used by stft"):
        torch.istft(spectrum, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.istft(spectrum, 16)
