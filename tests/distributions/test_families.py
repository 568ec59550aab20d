"""Distributions: densities by their formulas, moments by draws, transforms by their inverses, and what is refused."""

import copy
import math
import pickle

import pytest

import rushlight as torch
from rushlight import distributions as D
from rushlight.distributions import constraints, transforms


def close(actual, expected, tolerance=1e-6):
    return torch.allclose(actual, torch.as_tensor(expected, dtype=actual.dtype), rtol=tolerance, atol=tolerance)


def test_normal_density_entropy_and_cdf():
    normal = D.Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    value = torch.tensor([0.5, 3.0])
    expected = [-0.125 - 0.5 * math.log(2 * math.pi), -0.5 - math.log(2.0) - 0.5 * math.log(2 * math.pi)]
    assert close(normal.log_prob(value), expected)
    assert close(normal.entropy(), [0.5 + 0.5 * math.log(2 * math.pi) + math.log(s) for s in (1.0, 2.0)])
    assert close(normal.icdf(normal.cdf(value)), value, 1e-4)


def test_categorical_policy_gradient():
    logits = torch.tensor([0.1, 0.9, -2.0], requires_grad=True)
    D.Categorical(logits=logits).log_prob(torch.tensor(1)).backward()
    probs = logits.detach().softmax(-1)
    assert close(logits.grad, torch.tensor([0.0, 1.0, 0.0]) - probs)


def test_independent_sums_over_event_dimensions():
    base = D.Normal(torch.zeros(4, 3), torch.ones(4, 3))
    joint = D.Independent(base, 1)
    value = torch.ones(4, 3)
    assert (joint.batch_shape, joint.event_shape) == ((4,), (3,))
    assert close(joint.log_prob(value), base.log_prob(value).sum(-1))
    assert close(joint.entropy(), base.entropy().sum(-1))


@pytest.mark.parametrize(
    "distribution",
    [
        D.Gamma(torch.tensor(2.5), torch.tensor(1.5)),
        D.Beta(torch.tensor(2.0), torch.tensor(3.0)),
        D.Laplace(torch.tensor(0.5), torch.tensor(0.7)),
        D.Poisson(torch.tensor(4.0)),
        D.Binomial(10, torch.tensor(0.3)),
        D.Gumbel(torch.tensor(1.0), torch.tensor(0.5)),
        D.Uniform(torch.tensor(-1.0), torch.tensor(2.0)),
        D.Weibull(torch.tensor(1.5), torch.tensor(2.0)),
        D.Dirichlet(torch.tensor([1.0, 2.0, 3.0])),
        D.MultivariateNormal(torch.tensor([0.0, 1.0]), torch.tensor([[2.0, 0.5], [0.5, 1.0]])),
    ],
    ids=lambda d: type(d).__name__,
)
def test_draws_have_the_moments_that_are_said(distribution):
    torch.manual_seed(0)
    draws = distribution.sample((4000,))
    assert close(draws.mean(0), distribution.mean, 0.12)
    assert close(draws.var(0), distribution.variance, 0.25)


def test_reparameterised_gradient_of_a_normal_draw():
    loc, scale = torch.zeros(5, requires_grad=True), torch.full((5,), 2.0, requires_grad=True)
    value = D.Normal(loc, scale).rsample()
    value.sum().backward()
    assert close(loc.grad, torch.ones(5))
    assert close(scale.grad, value.detach() / 2.0)


def test_divergence_of_normals_and_of_independent_ones():
    p = D.Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    q = D.Normal(torch.zeros(2), torch.ones(2))
    expected = torch.tensor([0.0, 0.5 * (4.0 + 1.0 - 1.0 - math.log(4.0))])
    assert close(D.kl_divergence(p, q), expected)
    assert close(D.kl_divergence(D.Independent(p, 1), D.Independent(q, 1)), expected.sum())


def test_divergence_agrees_with_the_mean_log_ratio():
    torch.manual_seed(1)
    for p, q in (
        (D.Gamma(torch.tensor(2.0), torch.tensor(1.0)), D.Normal(torch.tensor(1.0), torch.tensor(2.0))),
        (D.Beta(torch.tensor(2.0), torch.tensor(2.0)), D.Gamma(torch.tensor(2.0), torch.tensor(3.0))),
        (D.Uniform(torch.tensor(0.2), torch.tensor(0.7)), D.Beta(torch.tensor(2.0), torch.tensor(3.0))),
    ):
        draws = p.sample((4000,))
        assert close(D.kl_divergence(p, q), (p.log_prob(draws) - q.log_prob(draws)).mean(), 0.1)


def test_divergence_without_a_formula():
    with pytest.raises(
        NotImplementedError, match=r"No KL\(p \|\| q\) is implemented for p type Normal and q type StudentT"
    ):
        D.kl_divergence(D.Normal(0.0, 1.0), D.StudentT(1.0))


@pytest.fixture
def own_registry(monkeypatch):
    """Divergences registered in a test are gone after it."""
    monkeypatch.setattr(D.kl, "_KL_REGISTRY", dict(D.kl._KL_REGISTRY))
    monkeypatch.setattr(D.kl, "_KL_MEMOIZE", {})


@pytest.mark.usefixtures("own_registry")
def test_divergences_can_be_registered_for_subclasses():
    class Mine(D.Normal):
        pass

    assert close(D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0)), 0.0)
    D.register_kl(Mine, Mine)(lambda p, q: torch.tensor(7.0))
    assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == 7


@pytest.mark.usefixtures("own_registry")
def test_two_equally_close_divergences_are_warned_of():
    class Mine(D.Normal):
        pass

    D.register_kl(Mine, D.Normal)(lambda p, q: torch.tensor(1.0))
    D.register_kl(D.Normal, Mine)(lambda p, q: torch.tensor(2.0))
    with pytest.warns(
        RuntimeWarning, match=r"Ambiguous kl_divergence\(Mine, Mine\)\. Please register_kl\(Mine, Mine\)"
    ):
        assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == 1


def test_bad_parameters_and_values_name_themselves():
    with pytest.raises(ValueError, match=r"Expected parameter scale \(Tensor of shape \(\)\) of distribution Normal"):
        D.Normal(torch.tensor(0.0), torch.tensor(-1.0))
    with pytest.raises(ValueError, match=r"to be within the support \(Boolean\(\)\)"):
        D.Bernoulli(torch.tensor(0.5)).log_prob(torch.tensor(0.3))
    with pytest.raises(ValueError, match="must be a Tensor"):
        D.Normal(0.0, 1.0).log_prob(0.5)


def test_expand_pickle_and_copy():
    normal = D.Normal(torch.tensor(0.0), torch.tensor(1.0)).expand((2, 3))
    assert normal.sample((4,)).shape == (4, 2, 3)
    for again in (pickle.loads(pickle.dumps(normal)), copy.deepcopy(normal)):
        assert repr(again) == repr(normal) == "Normal(loc: torch.Size([2, 3]), scale: torch.Size([2, 3]))"


@pytest.mark.parametrize(
    "transform",
    [
        transforms.ExpTransform(),
        transforms.SigmoidTransform(),
        transforms.TanhTransform(),
        transforms.SoftplusTransform(),
        transforms.AffineTransform(1.0, -3.0),
        transforms.ComposeTransform([transforms.AffineTransform(0.5, 2.0), transforms.ExpTransform()]),
    ],
    ids=repr,
)
def test_jacobians_are_the_derivatives(transform):
    x = torch.linspace(-1.0, 1.0, 7, dtype=torch.float64, requires_grad=True)
    y = transform(x)
    (derivative,) = torch.autograd.grad(y.sum(), x)
    assert close(transform.log_abs_det_jacobian(x, y), derivative.abs().log(), 1e-9)
    assert close(transform.inv(y), x, 1e-9)


def test_a_cache_gives_back_the_very_input():
    x = torch.tensor([50.0])
    assert transforms.TanhTransform(cache_size=1).inv is not None
    cached = transforms.TanhTransform(cache_size=1)
    assert cached.inv(cached(x)) is x
    assert torch.isinf(transforms.TanhTransform().inv(torch.ones(1))).all()


@pytest.mark.parametrize("name", ["positive", "unit_interval", "simplex", "corr_cholesky", "real"])
def test_registered_bijections_land_within(name):
    constraint = getattr(constraints, name)
    torch.manual_seed(2)
    value = D.biject_to(constraint)(torch.randn(4, 6, dtype=torch.float64))
    assert constraint.check(value).all()


def test_transformed_normal_is_log_normal():
    by_hand = D.TransformedDistribution(D.Normal(0.5, 0.3), [transforms.ExpTransform()])
    ready = D.LogNormal(0.5, 0.3)
    value = torch.tensor([0.5, 1.0, 3.0])
    assert close(by_hand.log_prob(value), ready.log_prob(value))
    assert close(by_hand.cdf(value), ready.cdf(value))


def test_empty_sample_shapes():
    assert D.Uniform(torch.zeros(3), torch.ones(3)).sample((0,)).shape == (0, 3)
    assert D.Normal(torch.zeros(0), torch.ones(0)).rsample((2,)).shape == (2, 0)


def test_classes_are_shown_under_pytorchs_names_and_travel_under_none():
    made = D.LogNormal(torch.zeros(2), torch.ones(2))
    assert repr(D.Normal) == "<class 'torch.distributions.normal.Normal'>"
    assert repr(D.ExpTransform) == "<class 'torch.distributions.transforms.ExpTransform'>"
    pickled = pickle.dumps(made)
    assert b"torch.distributions" not in pickled
    assert type(pickle.loads(pickled)) is type(copy.deepcopy(made)) is D.LogNormal
    assert repr(pickle.loads(pickled)) == repr(made)


def test_parameters_of_one_shape_are_kept_as_they_are():
    loc, scale = torch.zeros(2), torch.ones(2)
    assert D.Normal(loc, scale).loc is loc and D.Normal(loc, 1.0).scale.shape == (2,)


def test_divergences_are_registered_for_classes():
    with pytest.raises(TypeError, match=r"issubclass\(\) arg 1 must be a class"):
        D.register_kl(3, D.Normal)


def test_transformed_families_expand():
    assert D.Gumbel(torch.zeros(2), torch.ones(2)).expand((3, 2)).sample().shape == (3, 2)
