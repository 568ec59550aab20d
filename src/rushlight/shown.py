"""Classes that users see under PyTorch's module names, whatever they imported them by."""

_OWN = __name__.partition(".")[0]


class Shown:
    """Base that gives subclasses defined in this package their module name in PyTorch, and keeps pickles free of it."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if cls.__module__.partition(".")[0] == _OWN:
            cls.__module__ = "torch." + cls.__module__.partition(".")[2]

    def __reduce_ex__(self, protocol):
        reduced = super().__reduce_ex__(max(protocol, 2))
        cls = type(self)
        if not cls.__module__.startswith("torch."):
            return reduced
        # a pickle that names the class by PyTorch's module could not be read where `torch` is not rushlight
        from .nn.modules.module import _instance

        return (_instance, (cls.__module__.partition(".")[2], cls.__qualname__), *reduced[2:])
