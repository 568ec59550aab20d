"""Which transform leads from unconstrained numbers to a constraint: ``biject_to`` one to one, ``transform_to`` any."""

from numbers import Number

from . import constraints, transforms

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Makers of transforms, by the class of the constraint."""

    def __init__(self):
        self._registry = {}
        super().__init__()

    def register(self, constraint, factory=None):
        """Register ``factory(constraint)`` for a constraint's class; a decorator without ``factory``."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        if isinstance(constraint, constraints.Constraint):
            constraint = type(constraint)
        if not isinstance(constraint, type) or not issubclass(constraint, constraints.Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[constraint] = factory
        return factory

    def __call__(self, constraint):
        """The transform from the unconstrained to a constraint; NotImplementedError where none is registered."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _register(factory, *kinds, registries=(biject_to, transform_to)):
    for registry in registries:
        for kind in kinds:
            registry.register(kind, factory)


def _exp_and(bound, scale):
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(bound, scale)])


def _to_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, Number) and low == 0 and isinstance(high, Number) and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


_register(lambda c: transforms.identity_transform, constraints.real)  # type: ignore[has-type]
_register(lambda c: transforms.ExpTransform(), constraints.positive, constraints.nonnegative)
_register(lambda c: _exp_and(c.lower_bound, 1), constraints.greater_than, constraints.greater_than_eq)
_register(lambda c: _exp_and(c.upper_bound, -1), constraints.less_than)
_register(_to_interval, constraints.interval, constraints.half_open_interval)
_register(lambda c: transforms.CorrCholeskyTransform(), constraints.corr_cholesky)
_register(lambda c: transforms.StickBreakingTransform(), constraints.simplex, registries=(biject_to,))
_register(lambda c: transforms.SoftmaxTransform(), constraints.simplex, registries=(transform_to,))
_register(lambda c: transforms.LowerCholeskyTransform(), constraints.lower_cholesky, registries=(transform_to,))
_register(
    *(lambda c: transforms.PositiveDefiniteTransform(), constraints.positive_definite),
    *(constraints.positive_semidefinite,),
    registries=(transform_to,),
)


def _by_parts(registry):
    """Constraints made of others, by the transforms of these."""
    registry.register(
        constraints.independent,
        lambda c: transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims),
    )
    registry.register(
        constraints.cat,
        lambda c: transforms.CatTransform([registry(each) for each in c.cseq], c.dim, c.lengths),
    )
    registry.register(
        constraints.stack, lambda c: transforms.StackTransform([registry(each) for each in c.cseq], c.dim)
    )


_by_parts(biject_to)
_by_parts(transform_to)
