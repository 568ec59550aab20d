"""``functorch``: the name under which ``torch.func`` was a package of its own.

Programs of that time import it still. Its functions are those of ``torch.func``, which calling them recommends.
"""

import functools
import warnings

from .. import func as _func
from .._functorch import make_functional as _state
from ..missing import module_getattr

__all__ = [
    *("combine_state_for_ensemble", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp"),
    *("make_functional", "make_functional_with_buffers", "vjp", "vmap"),
]

FunctionalModule, FunctionalModuleWithBuffers = _state.FunctionalModule, _state.FunctionalModuleWithBuffers


def _renamed(function, advice):
    name = function.__name__
    text = (
        f"We've integrated functorch into PyTorch. As the final step of the integration, `functorch.{name}` is deprecated as of PyTorch "
        f"2.0 and will be deleted in a future version of PyTorch >= 2.3. Please use `{advice}` instead; see the PyTorch 2.0 release notes "
        "and/or the `torch.func` migration guide for more details https://pytorch.org/docs/main/func.migrating.html"
    )

    @functools.wraps(function)
    def renamed(*args, **kwargs):
        warnings.warn(text, FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    return renamed


vmap = _renamed(_func.vmap, "torch.vmap")
for _name in ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "functionalize"):
    globals()[_name] = _renamed(getattr(_func, _name), f"torch.func.{_name}")
make_functional = _renamed(_state.make_functional, "torch.func.functional_call")
make_functional_with_buffers = _renamed(_state.make_functional_with_buffers, "torch.func.functional_call")
combine_state_for_ensemble = _renamed(_state.combine_state_for_ensemble, "torch.func.stack_module_state")

__getattr__ = module_getattr(__name__)
