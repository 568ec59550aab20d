"""Special functions: torch.erf, torch.lgamma, torch.special.*, and their derivatives."""

import math

from .. import dtypes
from ..array import special as kernels
from ..array import special_bessel as bessel
from ..array import special_gamma as gamma
from ..array import special_polynomials as polynomials
from ..tensor import Tensor
from . import undifferentiable
from .elementwise import guard_inplace
from .table import PLACES, TENSOR, binary, composite, elementwise, unary

# -------------------------------------------------------------------------------------- error function, distributions

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _gauss(F, x, scale):
    return F.exp(-(x * x)) * scale


unary(
    *("erf", kernels.erf, lambda F, x: _gauss(F, x, _TWO_OVER_ROOT_PI)),
    **dict(kind="float", aliases=("special_erf",)),
)
unary(
    *("erfc", kernels.erfc, lambda F, x: _gauss(F, x, -_TWO_OVER_ROOT_PI)),
    **dict(kind="float", aliases=("special_erfc",)),
)
unary(
    *("erfinv", kernels.erfinv, lambda F, y: F.exp(y * y) * (0.5 * math.sqrt(math.pi))),
    **dict(kind="float", aliases=("special_erfinv",)),
)
unary("special_erfcx", kernels.erfcx, lambda F, x, y: 2 * x * y - _TWO_OVER_ROOT_PI, kind="float", inplace=False)
unary(
    *("special_ndtr", kernels.ndtr, lambda F, x: F.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))),
    **dict(kind="float", inplace=False, out="copies"),
)
unary(
    *("special_log_ndtr", kernels.log_ndtr),
    lambda F, x: math.sqrt(2 / math.pi) / F.special_erfcx(x * -math.sqrt(0.5)),
    **dict(kind="float", inplace=False),
)
unary(
    *("special_ndtri", kernels.ndtri, lambda F, y: F.exp(y * y * 0.5) * math.sqrt(2 * math.pi)),
    **dict(kind="float", inplace=False),
)
unary("special_entr", kernels.entr, lambda F, x: -(F.log(x) + 1), kind="float", inplace=False)


def _nan_outside(F, x):
    """0 on [0, 1] and NaN elsewhere."""
    return F.zeros_like(x) / ((x >= 0) & (x <= 1))


def _logit(F, g, x, eps):
    slope = g / (x * (1 - x))
    if eps is None:  # NaN outside [0, 1], as the logarithm is
        return slope + _nan_outside(F, x)
    return F._masked(slope, (x >= eps) & (x <= 1 - eps))


unary("logit", kernels.logit, _logit, kind="float", aliases=("special_logit",))

# ------------------------------------------------------------------------------------------------- gamma functions

unary(
    *("lgamma", gamma.lgamma, lambda F, x: F.digamma(x)),
    **dict(kind="float", aliases=("special_gammaln",)),
)
unary(
    *("digamma", gamma.digamma, lambda F, x: F.polygamma(1, x)),
    **dict(kind="float", aliases=("special_digamma", "special_psi")),
)
elementwise(
    *("_polygamma", lambda input, n: gamma.polygamma(n, input), ("input",)),
    dict(input=lambda F, x, n: F._polygamma(x, n + 1)),
    **dict(kind="float", node_name="PolygammaBackward0", method=False, function=False),
)


@composite("polygamma", method=False, out=True, aliases=("special_polygamma",))
def polygamma(F, n, input):
    """The n-th derivative of `digamma`."""
    return F._polygamma(input, n)


Tensor.polygamma = lambda self, n: TENSOR._polygamma(self, n)
Tensor.polygamma_ = lambda self, n: TENSOR._polygamma_(self, n)


def _igamma_partial(F, x, other):
    """d igamma / d other: other**(input - 1) exp(-other) / gamma(input)."""
    return F.exp((x - 1) * F.log(other) - other - F.lgamma(x))


binary(
    *("igamma", gamma.igamma, undifferentiable.partial("igamma: input"), _igamma_partial),
    **dict(numbers="none", aliases=("special_gammainc",)),
    jvp=dict(input=undifferentiable.tangent("igamma"), other=lambda F, t, x, other: t * _igamma_partial(F, x, other)),
)
binary(
    *("igammac", gamma.igammac, undifferentiable.partial("igammac: input")),
    lambda F, x, other: -_igamma_partial(F, x, other),
    **dict(numbers="none", aliases=("special_gammaincc",)),
    jvp=dict(input=undifferentiable.tangent("igammac"), other=lambda F, t, x, other: -t * _igamma_partial(F, x, other)),
)


def _zeta_partial(F, x, other):
    # the first argument may be a number, which the kernel wants as an array
    return -x * F.special_zeta(x + F.ones_like(other), other)


binary(
    *("special_zeta", gamma.zeta, undifferentiable.partial("zeta")),
    _zeta_partial,
    **dict(kind="float", numbers="one", inplace=False),
    jvp=dict(
        input=undifferentiable.tangent("special_zeta"),
        other=lambda F, t, x, other: t * _zeta_partial(F, x, other),
    ),
)


def _mvlgamma_partial(F, x, p):
    return sum(F.digamma(x - 0.5 * k) for k in range(1, p)) + F.digamma(x)


def _mvlgamma_out(result, out):
    if not dtypes.can_cast(result, out):
        # PyTorch's text names the result's dtype twice
        raise RuntimeError(
            f"mvlgamma: result type {result.legacy} can't be cast to the desired output type {result.legacy}"
        )


elementwise(
    *("mvlgamma", gamma.mvlgamma, ("input",), dict(input=_mvlgamma_partial)),
    **dict(kind="float", aliases=("special_multigammaln",), check_out=_mvlgamma_out),
)


def _refuse_integral_mvlgamma(self):
    if self.dtype.category < dtypes.float32.category:
        raise RuntimeError(
            f"mvlgamma: result type {self.dtype.legacy} can't be cast to the desired output type "
            f"{dtypes.get_default_dtype().legacy}"
        )


guard_inplace("mvlgamma_", _refuse_integral_mvlgamma)

# ------------------------------------------------------------------------------------------------ Bessel and others


def _i1_over(F, x, i1, limit):
    """i1(x) / x, and its limit at 0."""
    nothing = x == 0
    return F._masked(i1 / (x + nothing), ~nothing) + F._masked(F.zeros_like(x) + limit, nothing)


unary("i0", bessel.i0, lambda F, x: F.special_i1(x), kind="float", aliases=("special_i0",))
unary(
    *("special_i1", bessel.i1, lambda F, x, y: F.i0(x) - _i1_over(F, x, y, 0.5)),
    **dict(kind="float", inplace=False, node_name="SpecialI1Backward0"),
)
unary(
    *("special_i0e", bessel.i0e, lambda F, x, y: F.special_i1e(x) - F.sgn(x) * y),
    **dict(kind="float", inplace=False, node_name="SpecialI0EBackward0"),
)
unary(
    *("special_i1e", bessel.i1e, lambda F, x, y: F.special_i0e(x) - y * F.sgn(x) - _i1_over(F, x, y, 0.5)),
    **dict(kind="float", inplace=False, node_name="SpecialI1EBackward0"),
)


# what follows PyTorch takes for constants: no gradient is wanted for their results, and no tangent
for _name in (
    *("airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "spherical_bessel_j0"),
    *("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"),
):
    unary("special_" + _name, getattr(bessel, _name), kind="float", inplace=False)
unary("special_modified_bessel_i0", bessel.i0, kind="float", inplace=False)
unary("special_modified_bessel_i1", bessel.i1, kind="float", inplace=False)

for _name in (
    *("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w"),
    *("shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u"),
    *("shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w"),
    *("hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"),
):
    elementwise("special_" + _name, getattr(polynomials, _name), ("input", "n"), {}, kind="float", inplace=False)

# only methods, not functions
for _name in ("erfinv_", "lgamma_", "digamma_", "igamma_", "igammac_", "mvlgamma_"):
    PLACES[""].pop(_name, None)
for _name in [name for name in PLACES["special"] if name.endswith("_")]:
    del PLACES["special"][_name]
