"""``torch.utils._contextlib``: what libraries derive their own context managers from, which decorate too."""

from ..autograd.modes import ContextDecorator
from ..missing import module_getattr

__all__ = []


class _DecoratorContextManager(ContextDecorator):
    """A context manager that also decorates functions and generators; ``clone`` makes the one of a call.

    Subclasses define ``__enter__`` and ``__exit__``, and ``clone`` if they take arguments.
    """


class _NoParamDecoratorContextManager(_DecoratorContextManager):
    """The same without arguments, so that ``@manager`` decorates as ``@manager()`` does."""

    def __new__(cls, orig_func=None):
        made = super().__new__(cls)
        return made if orig_func is None else made(orig_func)


def context_decorator(ctx, func):
    """``func`` within a context: ``ctx`` makes one for each call, or is one to be used again and again."""
    if callable(ctx) and hasattr(ctx, "__enter__"):
        raise AssertionError(
            f"Passed in {ctx} is both callable and also a valid context manager (has __enter__), making it ambiguous which interface "
            "to use.  If you intended to pass a context manager factory, rewrite your call as context_decorator(lambda: ctx()); if you "
            "intended to pass a context manager directly, rewrite your call as context_decorator(lambda: ctx)"
        )
    if isinstance(func, type):
        raise RuntimeError(
            "Cannot decorate classes; it is ambiguous whether or not only the constructor or all methods should have the context "
            "manager applied; additionally, decorating a class at definition-site will prevent use of the identifier as a conventional "
            "type.  To specify which methods to decorate, decorate each of them individually."
        )

    class Around(_DecoratorContextManager):
        def clone(self):
            return self

        def __enter__(self):
            self._within = ctx() if callable(ctx) else ctx
            return self._within.__enter__()

        def __exit__(self, *exc):
            return self._within.__exit__(*exc)

    return Around()(func)


__getattr__ = module_getattr(__name__)
