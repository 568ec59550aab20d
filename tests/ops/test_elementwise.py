"""Derivatives of elementwise operators: finite differences, kinks, ties, poles, double backward, in place and `out=`."""

import math

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import grad

D = torch.float64
inf, nan = math.inf, math.nan


def leaf(*values):
    return torch.tensor(list(values), dtype=D, requires_grad=True)


def pull(y, *inputs):
    return [None if g is None else g.tolist() for g in grad(y.sum(), inputs, allow_unused=True)]


def numeric(f, x, h=1e-6):
    """Central differences of an elementwise function."""
    return (f(x + h) - f(x - h)) / (2 * h)


MIDDLE = (0.3, 0.45, 0.7, 0.9)
WIDE = (-2.3, -0.6, 0.4, 1.7)
ABOVE = (1.2, 1.7, 2.6, 4.1)

UNARY = {
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "cosh", "tanh", "asinh", "atan", "exp", "exp2", "expm1"), WIDE),
    **dict.fromkeys(("sigmoid", "erf", "erfc", "abs", "square", "neg", "sinc", "deg2rad", "rad2deg", "frac"), WIDE),
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv", "logit", "sqrt", "log", "log2", "log10", "log1p"), MIDDLE),
    **dict.fromkeys(("reciprocal", "rsqrt", "lgamma", "digamma", "special.ndtri", "special.entr"), MIDDLE),
    **dict.fromkeys(("i0", "special.i0e", "special.i1", "special.i1e", "special.ndtr", "special.log_ndtr"), WIDE),
    **dict.fromkeys(("special.erfcx",), WIDE),
    "acosh": ABOVE,
}


def find(name):
    found = torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", UNARY)
def test_first_and_second_derivatives_agree_with_differences(name):
    f = find(name)
    x = leaf(*UNARY[name])
    (g,) = grad(f(x).sum(), x, create_graph=True)
    plain = x.detach()
    assert torch.allclose(g, numeric(f, plain), rtol=1e-7, atol=1e-7)
    (backward_only,) = grad(f(x).sum(), x)
    assert torch.allclose(g, backward_only, rtol=1e-14)

    def slope(v):
        v = v.clone().requires_grad_()
        return grad(f(v).sum(), v)[0]

    if g.requires_grad:
        (second,) = grad(g.sum(), x, allow_unused=True)
        second = torch.zeros_like(plain) if second is None else second
        assert torch.allclose(second, numeric(slope, plain), rtol=1e-6, atol=1e-6)


BINARY = (
    "add",
    "sub",
    "rsub",
    "mul",
    "div",
    "pow",
    "atan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "xlogy",
    "maximum",
    "fmin",
)
BINARY += ("special.xlog1py", "fmod", "remainder", "copysign", "ldexp")


@pytest.mark.parametrize("name", BINARY)
def test_both_partials_and_broadcasting(name):
    f = find(name)
    x = torch.tensor([[0.4], [1.3], [2.6]], dtype=D, requires_grad=True)
    other = leaf(0.7, 1.9)
    y = f(x, other)
    dx, dy = grad(y.sum(), (x, other), create_graph=True)
    assert dx.shape == (3, 1) and dy.shape == (2,)
    a, b = x.detach(), other.detach()
    assert torch.allclose(dx, numeric(lambda v: f(v, b), a).sum(1, keepdim=True), rtol=1e-6, atol=1e-7)
    if name != "copysign":
        assert torch.allclose(dy, numeric(lambda v: f(a, v), b).sum(0), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ("addcmul", "addcdiv"))
def test_fused_multiply_and_divide(name):
    f = find(name)
    x, a, b = leaf(1.0, 2.0), leaf(0.5, -1.5), leaf(2.0, 0.7)
    made = grad(f(x, a, b, value=0.3).sum(), (x, a, b))
    for k, each in enumerate((x, a, b)):
        given = [t.detach() for t in (x, a, b)]

        def moved(v, k=k, given=given):
            return f(*given[:k], v, *given[k + 1 :], value=0.3)

        assert torch.allclose(made[k], numeric(moved, each.detach()), rtol=1e-7, atol=1e-8)


def test_lerp_by_number_and_by_tensor():
    a, b, w = leaf(1.0, 2.0), leaf(3.0, -1.0), leaf(0.25, 0.8)
    assert pull(torch.lerp(a, b, w), a, b, w) == [[0.75, pytest.approx(0.2)], [0.25, 0.8], [2.0, -3.0]]
    assert pull(torch.lerp(a, b, 0.25), a, b) == [[0.75, 0.75], [0.25, 0.25]]


# --------------------------------------------------------------------------------------------- kinks, ties and poles


def test_subgradients_at_kinks():
    x = leaf(0.0, -0.0, 2.0, -2.0)
    assert pull(torch.abs(x), x) == [[0, 0, 1, -1]]
    assert pull(torch.sqrt(leaf_ := leaf(0.0)), leaf_) == [[inf]]
    assert pull(torch.sgn(x), x) == [[0, 0, 0, 0]]
    assert pull(torch.clamp(x, 0.0, 2.0), x) == [[1, 1, 1, 0]]
    assert pull(torch.clamp(x, max=-2.0), x) == [[0, 0, 0, 1]]


def test_ties_share_the_cotangent():
    a, b = leaf(1.0, 3.0, 2.0), leaf(1.0, 2.0, 3.0)
    assert pull(torch.maximum(a, b), a, b) == [[0.5, 1, 0], [0.5, 0, 1]]
    assert pull(torch.minimum(a, b), a, b) == [[0.5, 0, 1], [0.5, 1, 0]]
    assert pull(torch.fmax(a, b), a, b) == [[1, 1, 0], [0, 0, 1]]


def test_clamp_between_tensors():
    x, low, high = leaf(-3.0, 0.0, 3.0, 0.0), leaf(-1.0, -1.0, -1.0, 2.0), leaf(1.0, 1.0, 1.0, 1.0)
    assert pull(torch.clamp(x, low, high), x, low, high) == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]]


def test_powers_at_zero():
    x = leaf(0.0, 0.0, 2.0)
    exponent = leaf(0.0, 2.0, 3.0)
    dx, de = pull(torch.pow(x, exponent), x, exponent)
    assert dx == [0, 0, 12] and de == [0, 0, pytest.approx(8 * math.log(2))]
    assert pull(x**0, x) == [[0, 0, 0]]
    assert pull(x**2, x) == [[0, 0, 4]]
    assert pull(0**exponent, exponent) == [[0, 0, 0]]


def test_atan2_and_hypot_at_the_origin():
    a, b = leaf(0.0), leaf(0.0)
    assert pull(torch.atan2(a, b), a, b) == [[0], [0]]
    assert all(math.isnan(g[0]) for g in pull(torch.hypot(a, b), a, b))


def test_a_mask_stops_infinite_and_nan_cotangents():
    x = leaf(-1.0, 1.0)
    g = torch.tensor([inf, 1.0], dtype=D)
    for f in (lambda v: torch.clamp(v, min=0.0), torch.relu, torch.nan_to_num):
        (made,) = grad(f(x), x, g)
        assert made.tolist() == ([0.0, 1.0] if f is not torch.nan_to_num else [inf, 1.0])
    x = leaf(nan, 1.0)
    assert grad(torch.nan_to_num(x), x, torch.tensor([inf, 1.0], dtype=D))[0].tolist() == [0.0, 1.0]


def test_xlogy_where_both_are_zero():
    a, b = leaf(0.0, 2.0), leaf(0.0, 3.0)
    da, db = pull(torch.xlogy(a, b), a, b)
    assert da == [0, pytest.approx(math.log(3))] and math.isnan(db[0]) and db[1] == pytest.approx(2 / 3)


def test_double_backward_of_square_and_cube():
    x = leaf(1.5, -2.0)
    (g,) = grad((x**3).sum(), x, create_graph=True)
    (h,) = grad(g.sum(), x, create_graph=True)
    (third,) = grad(h.sum(), x)
    assert g.tolist() == [6.75, 12.0] and h.tolist() == [9.0, -12.0] and third.tolist() == [6.0, 6.0]


def test_what_has_no_derivative_says_so():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="derivative for aten::floor_divide is not implemented"):
        (x // 2).sum().backward()
    with pytest.raises(NotImplementedError, match="the derivative for 'igamma: input' is not implemented."):
        torch.igamma(x, x).sum().backward()
    assert not (x > 1).requires_grad


# ------------------------------------------------------------------------------------------------------ complex rules


@pytest.mark.parametrize("name", ("exp", "log", "sin", "tanh", "sqrt", "reciprocal", "sigmoid", "asinh", "square"))
def test_holomorphic_functions_conjugate_their_derivative(name):
    f = find(name)
    z = torch.tensor([0.4 + 0.3j, -0.7 + 1.1j], dtype=torch.complex128, requires_grad=True)
    (g,) = grad(f(z).sum().real if hasattr(f(z).sum(), "real") else f(z), z)
    h = 1e-6
    derivative = (f(z.detach() + h) - f(z.detach() - h)) / (2 * h)
    assert np.allclose(g.numpy(), derivative.numpy().conj(), rtol=1e-8)


def test_abs_and_angle_of_complex_numbers():
    z = torch.tensor([3 + 4j, 0j], dtype=torch.complex128, requires_grad=True)
    assert np.allclose(grad(torch.abs(z).sum(), z)[0].numpy(), [0.6 + 0.8j, 0])
    assert np.allclose(grad(torch.angle(z).sum(), z)[0].numpy(), [(-4 + 3j) / 25, 0])


# --------------------------------------------------------------------------------------------------- dtypes, writing


def test_result_dtypes():
    i, b = torch.tensor([1, 2]), torch.tensor([True, False])
    assert (i / i).dtype is torch.float32 and (i // i).dtype is torch.int64
    assert torch.sin(i).dtype is torch.float32 and torch.sqrt(b).dtype is torch.float32
    assert (b + b).dtype is torch.bool and torch.square(b).dtype is torch.int64
    assert torch.float_power(i, 2).dtype is D
    assert (torch.tensor([1.0], dtype=torch.float16) * 2).dtype is torch.float16
    assert torch.clamp(i, 0.5).dtype is torch.float32


def test_writing_in_place_and_into_out():
    x = torch.tensor([1.0, 4.0])
    assert x.sqrt_() is x and x.tolist() == [1, 2]
    assert x.add_(x, alpha=2).tolist() == [3, 6]
    assert x.clamp_(max=4).tolist() == [3, 4] and x.pow_(2).tolist() == [9, 16]
    into = torch.empty(2)
    assert torch.sub(x, 1, out=into) is into and into.tolist() == [8, 15]
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.tensor([1, 2]).div_(2)
    with pytest.raises(RuntimeError, match="Found dtype Double but expected Float"):
        torch.floor(x, out=torch.empty(2, dtype=D))
    with pytest.raises(RuntimeError, match="In-place abs is not supported for complex tensors."):
        torch.tensor([1j]).abs_()
    with pytest.raises(RuntimeError, match="the base given to float_power_ has dtype Float"):
        x.float_power_(2)


def test_an_in_place_operator_keeps_the_derivative_of_what_was_there():
    x = leaf(0.5, 2.0)
    y = x * 1
    y.pow_(2).mul_(3)
    assert pull(y, x) == [[3.0, 12.0]]


def test_numbers_where_tensors_belong_are_refused():
    x = torch.tensor([1.0])
    with pytest.raises(TypeError, match=r"atan2\(\): argument 'other' \(position 2\) must be Tensor, not int"):
        torch.atan2(x, 2)
    with pytest.raises(TypeError, match=r"polar\(\): argument 'angle' \(position 2\) must be Tensor, not int"):
        torch.polar(x, 2)


# ------------------------------------------------------------------------------------------- the short ways in place

SHORT = {
    "addcmul_": lambda x, a, b: x.addcmul_(a, b, value=0.3),
    "addcdiv_": lambda x, a, b: x.addcdiv_(a, b, value=-2),
    "addcdiv_ without a factor": lambda x, a, b: x.addcdiv_(a, b),
    "lerp_ near": lambda x, a, b: x.lerp_(a, 0.25),
    "lerp_ far": lambda x, a, b: x.lerp_(a, 0.75),
    "clamp_": lambda x, a, b: x.clamp_(-0.5, 0.5),
    "clamp_ by name": lambda x, a, b: x.clamp_(max=0.1),
}


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("size", (7, 100_000))
def test_short_ways_write_what_the_general_path_computes(name, size):
    rng = np.random.default_rng(0)
    x, a, b = (torch.from_numpy(rng.standard_normal(size) + 0.1) for _ in range(3))
    # asked for a gradient, the general path runs
    recorded = SHORT[name](x.clone().requires_grad_() * 1, a, b)
    assert recorded.requires_grad
    quick, version = x.clone(), None
    version = quick._version
    assert SHORT[name](quick, a, b) is quick
    assert quick._version == version + 1
    assert torch.equal(quick, recorded.detach())
    rows = x[: size // 7 * 7].reshape(-1, 7)[:, ::2]
    parts = [each[: size // 7 * 7].reshape(-1, 7)[:, ::2] for each in (a, b)]
    assert torch.equal(
        SHORT[name](rows.clone(), *parts), SHORT[name](rows.clone().requires_grad_() * 1, *parts).detach()
    )


def test_short_ways_leave_errors_to_the_general_path():
    x = torch.ones(3)
    with pytest.raises(RuntimeError, match=r"output with shape \[3\] doesn't match the broadcast shape \[2, 3\]"):
        x.addcmul_(torch.ones(2, 3), torch.ones(3))
    with pytest.raises(RuntimeError, match="At least one of 'min' or 'max' must not be None"):
        x.clamp_()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        torch.ones(3, requires_grad=True).lerp_(x, 0.5)
    assert torch.tensor([1, 5]).clamp_(2, 3).tolist() == [2, 3]


def test_division_of_small_integers_by_numbers_they_cannot_hold():
    x = torch.tensor([7, 200], dtype=torch.uint8)
    assert (x / 256).tolist() == [7 / 256, 200 / 256]
    assert (x / -2).tolist() == [-3.5, -100]
    assert torch.div(x, 2, rounding_mode="floor").dtype is torch.uint8
    assert (
        type(torch.div(torch.ones(1, requires_grad=True), 2, rounding_mode="trunc").grad_fn).__name__ == "DivBackward2"
    )
    y = torch.tensor([3.0, 8.0])
    assert y.div_(2, rounding_mode="floor") is y and y.tolist() == [1, 4]
    y /= 4
    assert y.tolist() == [0.25, 1]
    with pytest.raises(RuntimeError, match="found 'up'"):
        torch.div(x, x, rounding_mode="up")


@pytest.mark.parametrize("name", ("atan2", "copysign", "xlogy", "floor", "deg2rad", "signbit", "erf"))
def test_complex_numbers_are_refused(name):
    z = torch.tensor([1j, 2.0])
    arguments = (z, z) if name in ("atan2", "copysign", "xlogy") else (z,)
    with pytest.raises((NotImplementedError, RuntimeError), match="not implemented for|not supported for complex"):
        find(name)(*arguments)


@pytest.mark.parametrize("name", ["nextafter", "heaviside", "isclose", "polar"])
def test_operands_that_do_not_broadcast(name):
    with pytest.raises(RuntimeError, match=r"The size of tensor a \(2\) must match the size of tensor b \(3\)"):
        getattr(torch, name)(torch.ones(2), torch.ones(3))
