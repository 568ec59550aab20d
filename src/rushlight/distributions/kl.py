"""Kullback-Leibler divergences, and the registry they are found in by the types of the two distributions.

``kl.py`` finds and registers; the formulas are in ``_kl_same`` (two of one family) and ``_kl_cross`` (of two families).
"""

import warnings

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY = {}
_KL_MEMOIZE = {}


def register_kl(type_p, type_q):
    """Decorate ``fun(p, q)`` as the divergence of distributions of these types and of their subclasses."""
    for kind in (type_p, type_q):
        issubclass(kind, object)  # TypeError for what is no class, in PyTorch's words

    def decorator(fun):
        _KL_REGISTRY[type_p, type_q] = fun
        _KL_MEMOIZE.clear()
        return fun

    return decorator


def _most_specific(pairs):
    """The pair of the closest first class, of those the one of the closest second."""
    best = pairs[0]
    for pair in pairs[1:]:
        first = next((i for i in range(2) if pair[i] is not best[i]), None)
        if first is not None and issubclass(pair[first], best[first]):
            best = pair
    return best


def _dispatch_kl(type_p, type_q):
    pairs = [(p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not pairs:
        return NotImplemented
    left_p, left_q = _most_specific(pairs)
    right_q, right_p = _most_specific([(q, p) for p, q in pairs])
    found = _KL_REGISTRY[left_p, left_q]
    if found is not _KL_REGISTRY[right_p, right_q]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({left_p.__name__}, {right_q.__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return found


def kl_divergence(p, q):
    """The divergence of q from p, the mean of ``log p(x) - log q(x)`` for x of p; a tensor of the batch's shape.

    Raises NotImplementedError where no formula is registered for the two types.
    """
    key = type(p), type(q)
    fun = _KL_MEMOIZE.get(key)
    if fun is None:
        fun = _KL_MEMOIZE[key] = _dispatch_kl(*key)
    if fun is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type {q.__class__.__name__}"
        )
    return fun(p, q)


from . import _kl_cross, _kl_same  # noqa: E402, F401 - register their formulas

_kl_expfamily_expfamily = _kl_same._kl_expfamily_expfamily
