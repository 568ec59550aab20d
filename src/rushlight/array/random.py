"""PyTorch's CPU random streams, number for number, on raw arrays: the one module that the floors above import.

The parts: `random_generator` (the engine and its state), `random_normal` (Box-Muller), `random_fill` (in-place samplers),
`random_create` (new arrays), `random_permute` (permutations), `random_reject` (Poisson, binomial, gamma, Dirichlet),
`ties` (the order of equal quotients in `multinomial`).

Every sampler consumes the draws that PyTorch 2.13 consumes, so whatever comes after stays in step, and states interchange
with ``torch.Generator`` at any moment.

Bit for bit PyTorch's: `uniform_`, `rand` (every dtype, any bounds), `random_`, `randint`, `randperm`, `bernoulli`, dropout
and rrelu noise, `geometric_`, `multinomial`, `poisson`, `binomial`; `normal_` and `randn` in float32, float16,
bfloat16 and complex64 (against PyTorch on x86; see `random_normal`), and the arrays of fewer than 16 elements or with gaps
in every dtype; `exponential_`, `cauchy_`, `log_normal_` and gamma in every dtype; Dirichlet in float32.

In float64 bit for bit where NumPy's cosine is the C library's (measured on Linux), else to an ulp: `normal_` of 16 elements
and more. In float64 to an ulp: Dirichlet.

Wheels of PyTorch older than 2.13 differ in places (`bernoulli` on Intel processors, `randint` for ranges between 2**28 and
2**32, float16 normals).
"""

from .random_create import (
    bernoulli,
    dropout_noise,
    feature_dropout_noise,
    multinomial,
    normal,
    rand,
    randint,
    randn,
    rrelu_noise,
)
from .random_fill import (
    bernoulli_,
    cauchy_,
    exponential_,
    geometric_,
    log_normal_,
    normal_,
    random_,
    rrelu_noise_,
    uniform_,
)
from .random_generator import (
    STATE_BYTES,
    Generator,
    default_generator,
    fork,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .random_permute import randperm
from .random_reject import _sample_dirichlet, _standard_gamma, binomial, poisson

__all__ = [
    "STATE_BYTES",
    "Generator",
    "_sample_dirichlet",
    "_standard_gamma",
    "bernoulli",
    "bernoulli_",
    "binomial",
    "cauchy_",
    "default_generator",
    "dropout_noise",
    "exponential_",
    "feature_dropout_noise",
    "fork",
    "geometric_",
    "get_rng_state",
    "initial_seed",
    "log_normal_",
    "manual_seed",
    "multinomial",
    "normal",
    "normal_",
    "poisson",
    "rand",
    "randint",
    "randn",
    "random_",
    "randperm",
    "rrelu_noise",
    "rrelu_noise_",
    "seed",
    "set_rng_state",
    "uniform_",
]
