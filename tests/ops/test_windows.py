"""Window functions: torch.hann_window and its kin, torch.signal.windows."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.signal import windows

D = torch.float64


@pytest.mark.parametrize("n", (0, 1, 2, 5, 8))
def test_symmetric_windows_are_those_of_numpy(n):
    for name, expected in (
        ("hann", np.hanning),
        ("hamming", np.hamming),
        ("blackman", np.blackman),
        ("bartlett", np.bartlett),
    ):
        assert np.allclose(getattr(windows, name)(n, dtype=D).numpy(), expected(n), atol=1e-15), name
        made = getattr(torch, f"{name}_window")(n, periodic=False, dtype=D)
        assert np.allclose(made.numpy(), expected(n), atol=1e-15), name
    assert np.allclose(windows.kaiser(n, beta=5.0, dtype=D).numpy(), np.kaiser(n, 5.0), atol=1e-15)


def test_a_periodic_window_is_a_longer_one_without_its_end():
    for make in (
        torch.hann_window,
        torch.hamming_window,
        torch.blackman_window,
        torch.bartlett_window,
        torch.kaiser_window,
    ):
        assert torch.allclose(make(6, dtype=D), make(7, periodic=False, dtype=D)[:6], rtol=1e-14, atol=1e-15)
    for name in ("cosine", "gaussian", "exponential", "nuttall", "general_hamming"):
        make = getattr(windows, name)
        assert torch.allclose(make(6, sym=False, dtype=D), make(7, dtype=D)[:6], rtol=1e-14, atol=1e-15)


def test_formulas_of_the_others():
    assert windows.gaussian(5, std=2.0, dtype=D).tolist() == pytest.approx(
        [np.exp(-(k**2) / 8) for k in (-2, -1, 0, 1, 2)]
    )
    assert windows.exponential(4, center=1.0, sym=False, tau=2.0, dtype=D).tolist() == pytest.approx(
        [np.exp(-abs(k - 1) / 2) for k in range(4)]
    )
    assert windows.general_cosine(5, a=[0.5, 0.3, 0.2], dtype=D).tolist() == pytest.approx([0.4, 0.3, 1.0, 0.3, 0.4])
    assert windows.cosine(2, dtype=D).tolist() == pytest.approx([np.sqrt(0.5)] * 2)


def test_dtype_gradient_and_errors():
    assert torch.hann_window(4).dtype is torch.float32
    assert torch.hann_window(4, dtype=D, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="hann_window requires non-negative window_length, got window_length=-1"):
        torch.hann_window(-1)
    with pytest.raises(
        RuntimeError, match=r"hann_window expects floating point dtypes, got: TensorOptions\(dtype=long int"
    ):
        torch.hann_window(4, dtype=torch.int64)
    with pytest.raises(TypeError, match="'window_length' .* must be int, not float"):
        torch.hann_window(2.5)
    with pytest.raises(ValueError, match="general_cosine expects float32 or float64 dtypes, got: torch.float16"):
        windows.hann(4, dtype=torch.float16)
    with pytest.raises(ValueError, match="Center must be None for symmetric windows"):
        windows.exponential(4, center=1.0)
    with pytest.raises(ValueError, match="Standard deviation must be positive, got: 0 instead."):
        windows.gaussian(4, std=0)
    with pytest.raises(ValueError, match="Coefficients cannot be empty"):
        windows.general_cosine(4, a=[])
