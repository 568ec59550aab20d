"""``torch.distributions``: probability distributions with samples, densities and divergences."""

import importlib as _importlib

from ..missing import explain as _explain

#: what users find here, and the file it lies in
_HOME = {
    "Bernoulli": "bernoulli",
    "Beta": "beta",
    "Binomial": "binomial",
    "Categorical": "categorical",
    "Cauchy": "cauchy",
    "Chi2": "chi2",
    "ContinuousBernoulli": "continuous_bernoulli",
    "Dirichlet": "dirichlet",
    "Distribution": "distribution",
    "Exponential": "exponential",
    "ExponentialFamily": "exp_family",
    "FisherSnedecor": "fishersnedecor",
    "Gamma": "gamma",
    "GeneralizedPareto": "generalized_pareto",
    "Geometric": "geometric",
    "Gumbel": "gumbel",
    "HalfCauchy": "half_cauchy",
    "HalfNormal": "half_normal",
    "Independent": "independent",
    "InverseGamma": "inverse_gamma",
    "Kumaraswamy": "kumaraswamy",
    "LKJCholesky": "lkj_cholesky",
    "Laplace": "laplace",
    "LogNormal": "log_normal",
    "LogisticNormal": "logistic_normal",
    "LowRankMultivariateNormal": "lowrank_multivariate_normal",
    "MixtureSameFamily": "mixture_same_family",
    "Multinomial": "multinomial",
    "MultivariateNormal": "multivariate_normal",
    "NegativeBinomial": "negative_binomial",
    "Normal": "normal",
    "OneHotCategorical": "one_hot_categorical",
    "OneHotCategoricalStraightThrough": "one_hot_categorical",
    "Pareto": "pareto",
    "Poisson": "poisson",
    "RelaxedBernoulli": "relaxed_bernoulli",
    "RelaxedOneHotCategorical": "relaxed_categorical",
    "StudentT": "studentT",
    "TransformedDistribution": "transformed_distribution",
    "Uniform": "uniform",
    "VonMises": "von_mises",
    "Weibull": "weibull",
    "Wishart": "wishart",
    "biject_to": "constraint_registry",
    "identity_transform": "transforms",
    "kl_divergence": "kl",
    "register_kl": "kl",
    "transform_to": "constraint_registry",
    **{
        name: "transforms"
        for name in (
            *("AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform"),
            *("CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform"),
            *(
                "PositiveDefiniteTransform",
                "PowerTransform",
                "ReshapeTransform",
                "SigmoidTransform",
                "SoftmaxTransform",
            ),
            *("SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform"),
        )
    },
}
__all__ = [*_HOME]


def __getattr__(name):
    # files are loaded when they are asked for: most programs need one or two of forty
    home = _HOME.get(name)
    if home is not None:
        value = globals()[name] = getattr(_importlib.import_module(f"{__name__}.{home}"), name)
        return value
    try:
        return _importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    raise AttributeError(_explain("torch.distributions", name))


def __dir__():
    return [*globals(), *_HOME]
