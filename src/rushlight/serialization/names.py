"""Objects by the names PyTorch's files have for them, and the other way round.

A file names ``torch.nn.modules.linear.Linear``. Whether the name ``torch`` stands for rushlight in this process or not, that is
rushlight's class here.
"""

import importlib

from .. import alias
from ..ops.random import Generator

__all__ = ["find", "name_of"]

_OURS, _THEIRS = alias._OURS, alias._THEIRS
#: modules of PyTorch's core whose functions rushlight has elsewhere
_ELSEWHERE = {"torch._C._nn": "nn.functional", "torch._C._VariableFunctions": "", "torch._C": ""}

#: objects that rushlight has under a name of its own: PyTorch's module and name to its
_RENAMED = {("torch.nn.modules.module", "_WrappedHook"): ("torch.nn.modules.module_hooks", "WrappedHook")}
#: classes whose home here has no name in PyTorch
_HOMELESS = {Generator: ("torch._C", "Generator")}
_THEIR_NAMES = {ours: theirs for theirs, ours in _RENAMED.items()}


def find(module, name):
    """The object of rushlight that PyTorch knows as ``module.name``.

    ModuleNotFoundError or AttributeError, each with one sentence, where there is none.
    """
    module, name = _RENAMED.get((module, name), (module, name))
    if module in _ELSEWHERE:
        rest = _ELSEWHERE[module]
    elif module == "torch.cuda" and name.endswith(("Storage", "Tensor")):
        rest = ""  # memory of a device that is not here; where it goes is said by its location
    elif alias._public(module):
        rest = module.partition(".")[2]
    else:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)
    try:
        found = importlib.import_module(f"{_OURS}.{rest}" if rest else _OURS)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the file names {module}.{name}, and rushlight has no module {module}", name=module
        ) from error
    for part in name.split("."):
        found = getattr(found, part)
    return found


def name_of(obj, name):
    """(module, name) by which PyTorch would know an object of rushlight; None for what is not one, or is private.

    ``name`` is the object's qualified name.
    """
    if isinstance(obj, type) and obj in _HOMELESS:
        return _HOMELESS[obj]
    module = getattr(obj, "__module__", None)
    if not isinstance(module, str):
        return None
    top, _, rest = module.partition(".")
    if top not in (_OURS, _THEIRS):
        return None
    theirs = f"{_THEIRS}.{rest}" if rest else _THEIRS
    try:
        found = find(theirs, name)
    except (ImportError, AttributeError):
        return None
    return _THEIR_NAMES.get((theirs, name), (theirs, name)) if found is obj else None
