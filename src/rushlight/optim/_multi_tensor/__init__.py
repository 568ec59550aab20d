"""``torch.optim._multi_tensor``: the optimisers with ``foreach=True``, kept for scripts that say so by this name."""

import functools as _functools

from ... import optim as _optim

__all__ = [
    *("ASGD", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop"),
]


def _foreach(name):
    base = getattr(_optim, name)
    return type(
        name, (base,), {"__init__": _functools.partialmethod(base.__init__, foreach=True), "__module__": __name__}
    )


globals().update({name: _foreach(name) for name in __all__})
