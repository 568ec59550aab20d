"""How a gamma or Dirichlet variable moves with its parameters while its quantile stays (implicit reparameterisation).

For a variable x with distribution function F(x; a), dx/da = -(dF/da) / (dF/dx). The formulas are PyTorch's, so that gradients agree with its
own: series near the ends, saddle-point expansions for large parameters, and rational approximations between; relative error about 1e-3
and less. Each region is computed for the elements that lie in it.
"""

import numpy as np

from .special_gamma import digamma

__all__ = ["dirichlet_grad", "standard_gamma_grad"]


def _where(shape, dtype, regions):
    """An array put together of ``(mask, function, arrays)``: the function of the arrays' elements under each mask."""
    out = np.zeros(shape, dtype)
    for mask, function, arrays in regions:
        if mask.any():
            out[mask] = function(*[each[mask] for each in arrays])
    return out


def _working(*arrays):
    """Arrays of one shape in double precision."""
    return np.broadcast_arrays(*[np.asarray(each, np.float64) for each in arrays])


# ------------------------------------------------------------------------------------------------------------- gamma


def standard_gamma_grad(input, output):
    """d x / d alpha for ``output`` x drawn from the standard gamma distribution of shape ``input`` alpha."""
    alpha, x = _working(input, output)
    small = x < 0.8
    large = ~small & (alpha > 8)
    near = large & (0.9 * alpha <= x) & (x <= 1.1 * alpha)
    regions = (
        (small, _gamma_series, (alpha, x)),
        (near, _gamma_near, (alpha, x)),
        (large & ~near, _gamma_saddle, (alpha, x)),
        (~small & ~large, _gamma_rational, (alpha, x)),
    )
    return _where(x.shape, np.float64, regions).astype(np.asarray(output).dtype)


def _gamma_series(alpha, x):
    """Taylor series of the incomplete gamma function, for small x."""
    numerator, denominator = np.ones_like(x), alpha.copy()
    first, second = numerator / denominator, numerator / denominator**2
    for i in range(1, 6):
        numerator = numerator * (-x / i)
        denominator = denominator + 1
        first = first + numerator / denominator
        second = second + numerator / denominator**2
    power = x**alpha
    density = x ** (alpha - 1) * np.exp(-x)
    cdf = power * first
    by_alpha = (np.log(x) - digamma(alpha)) * cdf - power * second
    result = -by_alpha / density
    return np.where(np.isnan(result), 0, result)


def _gamma_near(alpha, x):
    """Expansion of the saddle-point formula where x is near alpha."""
    first = 1 + 24 * alpha * (1 + 12 * alpha)
    second = 1440 * alpha**2 + 6 * x * (53 - 120 * x) - 65 * x**2 / alpha + alpha * (107 + 3600 * x)
    return first * second / (1244160 * alpha**4)


def _gamma_saddle(alpha, x):
    """Rice's saddle-point expansion, for large alpha."""
    root = np.sqrt(8 * alpha)
    log_ratio = np.log(x / alpha)
    term = (x - alpha - alpha * log_ratio) ** -1.5
    both = root / (alpha - x) + np.where(x < alpha, -term, term)
    inner = log_ratio * both - np.sqrt(2 / alpha) * (alpha + x) / (alpha - x) ** 2
    stirling = 1 + 1 / (12 * alpha) * (1 + 1 / (24 * alpha))
    return -stirling * x * inner / root


#: powers of log(x / alpha) by powers of log(alpha): four of the numerator, then four of the denominator
_GAMMA = np.array(
    [
        [0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084],
        [0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623],
        [
            0.040121004,
            -0.0065914022,
            -0.0026286047,
            -0.0013441777,
            0.017050642,
            -0.0021309326,
            0.00085092367,
            -1.5247877e-07,
        ],
    ]
)


def _gamma_rational(alpha, x):
    u, v = np.log(x / alpha), np.log(alpha)
    by_v = [_GAMMA[0, i] + u * (_GAMMA[1, i] + u * _GAMMA[2, i]) for i in range(8)]
    p = by_v[0] + v * (by_v[1] + v * (by_v[2] + v * by_v[3]))
    q = by_v[4] + v * (by_v[5] + v * (by_v[6] + v * by_v[7]))
    return np.exp(p / q)


# --------------------------------------------------------------------------------------------------------- Dirichlet


def dirichlet_grad(x, alpha, total):
    """d x / d alpha for a coordinate x of a Dirichlet variable; ``total`` is the sum of all concentrations."""
    dtype = np.asarray(x).dtype
    x, alpha, total = _working(x, alpha, total)
    beta = total - alpha
    boundary = total * x * (1 - x)
    low = (x <= 0.5) & (boundary < 2.5)
    high = ~low & (x >= 0.5) & (boundary < 0.75)
    middle = ~low & ~high & (alpha > 6) & (beta > 6)
    rest = ~(low | high | middle)
    regions = (
        (low, _beta_low, (x, alpha, beta)),
        (high, lambda x, alpha, beta: -_beta_high(1 - x, beta, alpha), (x, alpha, beta)),
        (middle, _beta_middle, (x, alpha, beta)),
        (rest, _beta_rational, (x, alpha, total)),
    )
    return _where(x.shape, np.float64, regions).astype(dtype)


def _beta_low(x, alpha, beta):
    """Series of the incomplete beta function near zero."""
    factor = digamma(alpha) - digamma(alpha + beta) - np.log(x)
    numerator = np.ones_like(x)
    series = numerator / alpha * (factor + 1 / alpha)
    for i in range(1, 11):
        numerator = numerator * ((i - beta) * x / i)
        denominator = alpha + i
        series = series + numerator / denominator * (factor + 1 / denominator)
    result = x * (1 - x) ** -beta * series
    return np.where(np.isnan(result), 0, result)


def _beta_high(x, alpha, beta):
    """The derivative by the other parameter, near zero."""
    factor = digamma(alpha + beta) - digamma(beta)
    numerator, product, slope = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    series = factor / alpha
    for i in range(1, 9):
        numerator = numerator * (-x / i)
        # the product of beta - 1, beta - 2, ... and its derivative
        slope = slope * (beta - i) + product
        product = product * (beta - i)
        series = series + numerator / (alpha + i) * (slope + factor * product)
    result = -((1 - x) ** (1 - beta)) * series
    return np.where(np.isnan(result), 0, result)


def _beta_middle(x, alpha, beta):
    """Rice's saddle-point expansion, for large alpha and beta."""
    total = alpha + beta
    mean = alpha / total
    deviation = np.sqrt(alpha * beta / (total + 1)) / total
    near = (mean - 0.1 * deviation <= x) & (x <= mean + 0.1 * deviation)
    regions = ((near, _beta_near_mean, (x, alpha, beta)), (~near, _beta_saddle, (x, alpha, beta)))
    return _where(x.shape, np.float64, regions)


def _beta_near_mean(x, alpha, beta):
    poly = (
        47 * x * (beta * beta) ** 2
        + alpha * ((43 + 20 * (16 + 27 * beta) * x) * (beta * beta) * beta
        + alpha * (3 * (59 + 180 * beta - 90 * x) * (beta * beta)
        + alpha * ((453 + 1620 * beta * (1 - x) - 455 * x) * beta
        + alpha * (8 * (1 - x) * (135 * beta - 11)))))
    )  # fmt: skip
    prefactor_numerator = (1 + 12 * alpha) * (1 + 12 * beta) / (alpha + beta) ** 2
    prefactor_denominator = 12960 * alpha**3 * beta**2 * (1 + 12 * (alpha + beta))
    return prefactor_numerator / (1 - x) * poly / prefactor_denominator


def _beta_saddle(x, alpha, beta):
    total = alpha + beta
    mean = alpha / total
    prefactor = -x / np.sqrt(2 * alpha * beta / total)
    stirling = (
        (1 + 1 / (12 * alpha) + 1 / (288 * alpha**2))
        * (1 + 1 / (12 * beta) + 1 / (288 * beta**2))
        / (1 + 1 / (12 * total) + 1 / (288 * total**2))
    )
    first = 2 * alpha**2 * (x - 1) + alpha * beta * (x - 1) - x * beta**2
    axbx = alpha * (x - 1) + beta * x
    second_denominator = np.sqrt(2 * alpha / beta) * total**1.5 * axbx**2
    by_first = first / second_denominator
    second = 0.5 * np.log(alpha / (total * x))
    third = np.sqrt(8 * alpha * beta / total) / (beta * x + alpha * (x - 1))
    base = beta * np.log(beta / (total * (1 - x))) + alpha * np.log(alpha / (total * x))
    fourth = base**-1.5
    both = third + np.where(x < mean, fourth, -fourth)
    return stirling * prefactor * (by_first + second * both)


#: numerator and denominator: powers of log(x), of log(alpha) - log(x), and of log(total) - that
_BETA = np.array(
    [
        [
            [
                [1.003668233, -0.01061107488, -0.0657888334, 0.01201642863],
                [0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033],
                [-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013],
            ],
            [
                [0.221950385, -0.3187676331, 0.01799915743, 0.01074823814],
                [-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057],
                [0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05],
            ],
            [
                [-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565],
                [0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181],
                [0.005900514878, -0.001936558688, -9.495446725e-06, 5.385558597e-05],
            ],
        ],
        [
            [
                [1, -0.02924021934, -0.04438342661, 0.007285809825],
                [0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521],
                [-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149],
            ],
            [
                [0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273],
                [0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956],
                [-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05],
            ],
            [
                [0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05],
                [0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05],
                [-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06],
            ],
        ],
    ]
)


def _beta_rational(x, alpha, total):
    u = np.log(x)
    a = np.log(alpha) - u
    b = np.log(total) - a
    p, q = np.zeros_like(x), np.zeros_like(x)
    for i in range(3):
        for j in range(3):
            scale = u**i * a**j
            p = p + scale * sum(_BETA[0, i, j, k] * b**k for k in range(4))
            q = q + scale * sum(_BETA[1, i, j, k] * b**k for k in range(4))
    return p / q * x * (digamma(total) - digamma(alpha)) / (total - alpha)
