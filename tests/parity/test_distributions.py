"""Distributions beside PyTorch's: draws from the same seed, gradients, densities, moments, divergences, printed forms and refusals."""

import pickle
import warnings

import numpy as np
import pytest

import rushlight

oracle = pytest.importorskip("torch")

MODULES = (oracle, rushlight)
#: per-test inputs in float64
POSITIVE = [[0.7, 2.5, 1.0], [3.0, 0.3, 5.5]]
REAL = [[-1.2, 0.4, 2.0], [0.0, 3.1, -0.6]]
UNIT = [[0.2, 0.5, 0.9], [0.75, 0.01, 0.4]]
SIMPLEX = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]
SPD = [[2.0, 0.5, 0.1], [0.5, 1.5, -0.2], [0.1, -0.2, 1.0]]
TRIL = [[1.2, 0.0, 0.0], [0.3, 0.8, 0.0], [-0.4, 0.1, 1.5]]
#: name, keyword parameters (lists become float64 tensors)
EXAMPLES = [
    ("Bernoulli", dict(probs=UNIT)),
    ("Bernoulli", dict(logits=REAL)),
    ("Bernoulli", dict(probs=0.3)),
    ("Beta", dict(concentration1=POSITIVE, concentration0=[1.5, 0.5, 2.0])),
    ("Beta", dict(concentration1=2.0, concentration0=3.0)),
    ("Binomial", dict(total_count=10, probs=UNIT)),
    ("Binomial", dict(total_count=[3.0, 5.0, 8.0], logits=REAL)),
    ("Categorical", dict(probs=SIMPLEX)),
    ("Categorical", dict(logits=REAL)),
    ("Categorical", dict(logits=[0.1, 0.9, -2.0])),
    ("Cauchy", dict(loc=REAL, scale=POSITIVE)),
    ("Cauchy", dict(loc=0.0, scale=1.0)),
    ("Chi2", dict(df=POSITIVE)),
    ("ContinuousBernoulli", dict(probs=UNIT)),
    ("ContinuousBernoulli", dict(logits=REAL)),
    ("Dirichlet", dict(concentration=POSITIVE)),
    ("Exponential", dict(rate=POSITIVE)),
    ("Exponential", dict(rate=1.5)),
    ("FisherSnedecor", dict(df1=POSITIVE, df2=[4.5, 6.0, 9.0])),
    ("Gamma", dict(concentration=POSITIVE, rate=[0.5, 1.0, 2.0])),
    ("Gamma", dict(concentration=0.4, rate=1.0)),
    ("GeneralizedPareto", dict(loc=REAL, scale=POSITIVE, concentration=[0.3, 0.0, -0.4])),
    ("Geometric", dict(probs=UNIT)),
    ("Geometric", dict(logits=REAL)),
    ("Gumbel", dict(loc=REAL, scale=POSITIVE)),
    ("Gumbel", dict(loc=1.0, scale=2.0)),
    ("HalfCauchy", dict(scale=POSITIVE)),
    ("HalfNormal", dict(scale=POSITIVE)),
    ("InverseGamma", dict(concentration=POSITIVE, rate=[0.5, 1.0, 2.0])),
    ("Kumaraswamy", dict(concentration1=POSITIVE, concentration0=[1.5, 0.5, 2.0])),
    ("LKJCholesky", dict(dim=3, concentration=[0.5, 2.0])),
    ("Laplace", dict(loc=REAL, scale=POSITIVE)),
    ("LogNormal", dict(loc=REAL, scale=[0.5, 0.2, 1.0])),
    ("LogisticNormal", dict(loc=REAL, scale=POSITIVE)),
    ("LowRankMultivariateNormal", dict(loc=REAL, cov_factor=[[1.0], [0.3], [-0.5]], cov_diag=[0.5, 1.0, 2.0])),
    ("Multinomial", dict(total_count=6, probs=SIMPLEX)),
    ("Multinomial", dict(total_count=4, logits=REAL)),
    ("MultivariateNormal", dict(loc=REAL, covariance_matrix=SPD)),
    ("MultivariateNormal", dict(loc=REAL, precision_matrix=SPD)),
    ("MultivariateNormal", dict(loc=[0.1, 0.2, 0.3], scale_tril=TRIL)),
    ("NegativeBinomial", dict(total_count=POSITIVE, probs=UNIT)),
    ("NegativeBinomial", dict(total_count=3, logits=REAL)),
    ("Normal", dict(loc=REAL, scale=POSITIVE)),
    ("Normal", dict(loc=0.5, scale=2.0)),
    ("OneHotCategorical", dict(probs=SIMPLEX)),
    ("OneHotCategoricalStraightThrough", dict(logits=REAL)),
    ("Pareto", dict(scale=POSITIVE, alpha=[3.5, 1.5, 2.5])),
    ("Poisson", dict(rate=POSITIVE)),
    ("RelaxedBernoulli", dict(temperature=[0.7], probs=UNIT)),
    ("RelaxedBernoulli", dict(temperature=[0.7], logits=REAL)),
    ("RelaxedOneHotCategorical", dict(temperature=[0.7], probs=SIMPLEX)),
    ("StudentT", dict(df=POSITIVE, loc=REAL, scale=POSITIVE)),
    ("Uniform", dict(low=REAL, high=[4.0, 5.0, 6.0])),
    ("Uniform", dict(low=0.0, high=2.0)),
    ("VonMises", dict(loc=REAL, concentration=POSITIVE)),
    ("Weibull", dict(scale=POSITIVE, concentration=[1.5, 0.8, 2.5])),
    ("Wishart", dict(df=[5.0, 6.5], covariance_matrix=SPD)),
]
IDS = [f"{name}-{'-'.join(given)}-{i}" for i, (name, given) in enumerate(EXAMPLES)]
every_example = pytest.mark.parametrize(("name", "given"), EXAMPLES, ids=IDS)


def build(torch, name, given, dtype="float64", grad=False, **options):
    """The distribution, and its tensor parameters."""
    parameters = {
        key: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=grad) if isinstance(value, list) else value
        for key, value in given.items()
    }
    tensors = [each for each in parameters.values() if isinstance(each, torch.Tensor)]
    return getattr(torch.distributions, name)(**parameters, **options), tensors


def outcome(torch, action):
    """What an action gives, as something to compare: an array with its dtype, or the exception's type and text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = action(torch)
    except Exception as error:
        # what was overwritten, and where, is said in more words here
        return type(error).__name__, str(error).replace("rushlight.", "torch.").partition(" inplace operation:")[0]
    return [each.detach().numpy() if isinstance(each, torch.Tensor) else each for each in flat(result)]


def flat(result):
    return [leaf for each in result for leaf in flat(each)] if isinstance(result, (list, tuple)) else [result]


def agree(action, rtol=1e-9, atol=1e-10):
    theirs, ours = (outcome(torch, action) for torch in MODULES)
    if not isinstance(theirs, list) or not isinstance(ours, list):
        assert ours == theirs
        return
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            assert one.shape == other.shape
            single = other.dtype == np.float32
            np.testing.assert_allclose(
                one, other, rtol=max(rtol, 1e-5) if single else rtol, atol=max(atol, 1e-6) if single else atol
            )
        else:
            assert one == other


@every_example
@pytest.mark.parametrize("shape", [(), (5,), (0,), (2, 3)])
def test_draws_are_those_of_the_same_seed(name, given, shape):
    def draw(torch):
        torch.manual_seed(7)
        return build(torch, name, given)[0].sample(shape), torch.rand(2)

    agree(draw)


@every_example
def test_reparameterised_draws_have_the_same_gradients(name, given):
    def draw(torch):
        torch.manual_seed(3)
        distribution, parameters = build(torch, name, given, grad=True)
        value = distribution.rsample((4,))
        if not parameters:
            return value
        weights = torch.arange(value.numel(), dtype=value.dtype).reshape(value.shape).cos()
        return value, torch.autograd.grad((value * weights).sum(), parameters, allow_unused=True)

    agree(draw, rtol=1e-7)


@every_example
def test_densities_and_their_gradients(name, given):
    def density(torch):
        torch.manual_seed(1)
        distribution, parameters = build(torch, name, given, grad=True)
        value = distribution.sample((3,)).detach()
        result = distribution.log_prob(value)
        return result, torch.autograd.grad(result.sum(), parameters, allow_unused=True) if parameters else 0

    agree(density, rtol=1e-8)


@every_example
@pytest.mark.parametrize("what", ["mean", "mode", "variance", "stddev"])
def test_moments(name, given, what):
    agree(lambda torch: getattr(build(torch, name, given)[0], what))


@every_example
@pytest.mark.parametrize("what", ["entropy", "perplexity", "enumerate_support"])
def test_entropies_and_supports(name, given, what):
    agree(lambda torch: getattr(build(torch, name, given)[0], what)())


@every_example
def test_distribution_functions(name, given):
    def functions(torch):
        torch.manual_seed(2)
        distribution, _ = build(torch, name, given)
        return distribution.cdf(distribution.sample((2,)))

    def inverse(torch):
        return build(torch, name, given)[0].icdf(torch.tensor([[0.1], [0.7]], dtype=torch.float64))

    agree(functions, rtol=1e-8)
    agree(inverse, rtol=1e-8)


@every_example
def test_expanded_distributions(name, given):
    def expanded(torch):
        torch.manual_seed(5)
        base = build(torch, name, given)[0]
        distribution = base.expand((3, *base.batch_shape))
        value = distribution.sample()
        return (
            *(tuple(distribution.batch_shape), tuple(distribution.event_shape), type(distribution).__name__),
            *(value, distribution.log_prob(value), repr(distribution)),
        )

    agree(expanded, rtol=1e-8)


@every_example
def test_printed_forms_and_declarations(name, given):
    def declared(torch):
        distribution = build(torch, name, given)[0]
        return (
            *(repr(distribution), str(distribution.support), distribution.has_rsample),
            *(distribution.has_enumerate_support, str(sorted(distribution.arg_constraints.items()))),
            *(str(tuple(distribution.batch_shape)), str(tuple(distribution.event_shape))),
            type(distribution).__module__.rpartition("rushlight.")[2].removeprefix("torch."),
        )

    agree(declared)


@every_example
def test_float32(name, given):
    def draw(torch):
        torch.manual_seed(11)
        distribution = build(torch, name, given, dtype="float32")[0]
        value = distribution.sample((6,))
        return value, distribution.log_prob(value)

    agree(draw, rtol=2e-4, atol=2e-4)


@every_example
def test_pickled_distributions_come_back(name, given):
    distribution = build(rushlight, name, given)[0]
    again = pickle.loads(pickle.dumps(distribution))
    assert repr(again) == repr(distribution)


@every_example
def test_bad_parameters_are_refused_in_the_same_words(name, given):
    for key, value in given.items():
        if isinstance(value, list):
            broken = {**given, key: (-np.abs(np.array(value)) - 1).tolist()}
            agree(lambda torch, broken=broken: repr(build(torch, name, broken, validate_args=True)[0]))
            nan = {**given, key: (np.array(value) * np.nan).tolist()}
            agree(lambda torch, nan=nan: repr(build(torch, name, nan, validate_args=True)[0]))


@every_example
def test_bad_values_are_refused_in_the_same_words(name, given):
    def bad(torch, make):
        distribution = build(torch, name, given)[0]
        return distribution.log_prob(make(torch, torch.zeros(*distribution.batch_shape, *distribution.event_shape)))

    for make in (
        lambda torch, zero: zero - 2.5,
        lambda torch, zero: zero * float("nan"),
        lambda torch, zero: torch.zeros(7),
        lambda torch, zero: 0.5,
    ):
        agree(lambda torch, make=make: bad(torch, make), rtol=1e-5, atol=1e-6)


PAIRS = sorted(
    {(p.__name__, q.__name__) for p, q in oracle.distributions.kl._KL_REGISTRY} - {("ExponentialFamily",) * 2}
)
FIRST = {}
for _name, _given in EXAMPLES:
    if all(isinstance(v, (list, int)) for v in _given.values()):
        FIRST.setdefault(_name, []).append((_name, _given))


def wrapped(torch, name, variant):
    """An example of a family, for those made of others as well."""
    D = torch.distributions
    if name == "Independent":
        return D.Independent(wrapped(torch, "Normal", variant), 1)
    if name == "TransformedDistribution":
        return D.TransformedDistribution(wrapped(torch, "Normal", variant), D.ExpTransform())
    example = FIRST[name][variant % len(FIRST[name])]
    return build(torch, *example)[0]


@pytest.mark.parametrize(("p", "q"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_divergences(p, q):
    for variant in range(2):
        agree(
            lambda torch, variant=variant: torch.distributions.kl_divergence(
                wrapped(torch, p, variant), wrapped(torch, q, 1 - variant)
            ),
            rtol=1e-8,
        )


def test_the_same_pairs_have_divergences():
    ours = rushlight.distributions.kl._KL_REGISTRY
    assert {(p.__name__, q.__name__) for p, q in ours} - {("ExponentialFamily",) * 2} == set(PAIRS)


TRANSFORMS = {
    "exp": lambda T, t: T.ExpTransform(),
    "power": lambda T, t: T.PowerTransform(t.tensor(1.5)),
    "sigmoid": lambda T, t: T.SigmoidTransform(),
    "softplus": lambda T, t: T.SoftplusTransform(),
    "tanh": lambda T, t: T.TanhTransform(),
    "abs": lambda T, t: T.AbsTransform(),
    "affine": lambda T, t: T.AffineTransform(1.0, -2.0),
    "affine-vector": lambda T, t: T.AffineTransform(t.zeros(3), t.tensor([1.0, 2.0, 3.0]), event_dim=1),
    "softmax": lambda T, t: T.SoftmaxTransform(),
    "stick": lambda T, t: T.StickBreakingTransform(),
    "corr": lambda T, t: T.CorrCholeskyTransform(),
    "compose": lambda T, t: T.ComposeTransform([T.AffineTransform(0.5, 2.0), T.SigmoidTransform()]),
    "compose-mixed": lambda T, t: T.ComposeTransform([T.TanhTransform(), T.StickBreakingTransform()]),
    "independent": lambda T, t: T.IndependentTransform(T.ExpTransform(), 1),
    "reshape": lambda T, t: T.ReshapeTransform((3,), (3, 1)),
    "cat": lambda T, t: T.CatTransform([T.ExpTransform(), T.TanhTransform()], dim=-1, lengths=[1, 2]),
    "stack": lambda T, t: T.StackTransform([T.ExpTransform(), T.TanhTransform(), T.identity_transform], dim=-1),
    "cdf": lambda T, t: T.CumulativeDistributionTransform(t.distributions.Normal(0.0, 1.0)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("cache", [0, 1])
def test_transforms(name, cache):
    def both_ways(torch):
        transform = TRANSFORMS[name](torch.distributions.transforms, torch).with_cache(cache)
        x = torch.tensor([[0.3, 0.8, 1.1], [0.2, 1.9, 0.4]], dtype=torch.float64)
        y = transform(x)
        return (
            *(y, transform.inv(y.clone()), repr(transform), repr(transform.inv), transform.inv.inv is transform),
            *(str(tuple(transform.forward_shape(x.shape))), str(tuple(transform.inverse_shape(y.shape)))),
            *(transform.bijective, str(transform.domain), str(transform.codomain), transform.inv(y) is x),
        )

    def jacobian(torch):
        transform = TRANSFORMS[name](torch.distributions.transforms, torch).with_cache(cache)
        x = torch.tensor([[0.3, 0.8, 1.1], [0.2, 1.9, 0.4]], dtype=torch.float64)
        return transform.log_abs_det_jacobian(x, transform(x))

    agree(both_ways)
    agree(jacobian)


CONSTRAINTS = {
    **{
        name: lambda C, t, name=name: getattr(C, name)
        for name in (
            *("boolean", "one_hot", "nonnegative_integer", "positive_integer", "real", "real_vector", "positive"),
            *("nonnegative", "unit_interval", "simplex", "lower_triangular", "lower_cholesky", "corr_cholesky"),
            *("square", "symmetric", "positive_semidefinite", "positive_definite", "dependent"),
        )
    },
    "interval": lambda C, t: C.interval(-1.0, 2.0),
    "half_open": lambda C, t: C.half_open_interval(-1.0, 2.0),
    "greater_than": lambda C, t: C.greater_than(0.5),
    "less_than": lambda C, t: C.less_than(0.5),
    "independent": lambda C, t: C.independent(C.positive, 1),
    "cat": lambda C, t: C.cat([C.positive, C.real], dim=-1, lengths=[1, 2]),
    "stack": lambda C, t: C.stack([C.positive, C.real, C.unit_interval], dim=-1),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_and_the_way_to_them(name):
    for value in (SPD, TRIL, [[0.0, 1.0, 0.0]] * 3, [[0.2, 0.5, 0.3]] * 3, [[1.0, 2.0, -1.0]] * 3):

        def check(torch, value=value):
            constraint = CONSTRAINTS[name](torch.distributions.constraints, torch)
            return constraint.check(torch.tensor(value, dtype=torch.float64)), repr(constraint)

        agree(check)
    for registry in ("biject_to", "transform_to"):

        def way(torch, registry=registry):
            transform = getattr(torch.distributions, registry)(
                CONSTRAINTS[name](torch.distributions.constraints, torch)
            )
            return repr(transform), transform(torch.tensor(SPD, dtype=torch.float64))

        agree(way)


def test_mixtures():
    def mixture(torch):
        D = torch.distributions
        torch.manual_seed(4)
        mixed = D.MixtureSameFamily(
            D.Categorical(torch.tensor(SIMPLEX)), D.Normal(torch.tensor(REAL), torch.tensor(POSITIVE))
        )
        value = mixed.sample((3,))
        return value, mixed.log_prob(value), mixed.cdf(value), mixed.mean, mixed.variance, repr(mixed)

    agree(mixture, rtol=1e-5, atol=1e-6)


def test_names_are_pytorchs():
    for module in ("", "constraints", "transforms", "constraint_registry", "kl", "utils"):
        theirs, ours = oracle.distributions, rushlight.distributions
        if module:
            theirs, ours = getattr(theirs, module), getattr(ours, module)
        for name in theirs.__all__:
            assert hasattr(ours, name), (module, name)


def test_default_validation_can_be_switched_off():
    def unchecked(torch):
        D = torch.distributions
        D.Distribution.set_default_validate_args(False)
        try:
            return D.Normal(torch.tensor(0.0), torch.tensor(-1.0)).log_prob(torch.tensor(1.0))
        finally:
            D.Distribution.set_default_validate_args(True)

    agree(unchecked)
