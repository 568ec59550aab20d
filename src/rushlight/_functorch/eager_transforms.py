"""``torch._functorch.eager_transforms``."""

from ..func import debug_unwrap, functionalize, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from ..func.trees import check_argnums, chosen

__all__ = [
    "debug_unwrap",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "vjp",
]


def _slice_argnums(args, argnums, as_tuple=True):
    """The arguments that ``argnums`` names: a tuple, or with ``as_tuple=False`` the one itself that an int names."""
    places = check_argnums(argnums, len(args))
    found = chosen(args, places)
    return (found,) if as_tuple and isinstance(places, int) else found
