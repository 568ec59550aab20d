"""``torch.utils.module_tracker``: which modules run just now, forward or in backward."""

import weakref

from ..autograd import calls, engine
from ..autograd.graph_tools import register_multi_grad_hook
from ..nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from ..tensor import Tensor
from ._pytree import tree_leaves

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """Within the block, ``parents`` is the set of names of the modules that run, and "Global".

    A module is called by the name of the outermost one's class and its place in it: ``Net.layers.0``. In backward (``is_bw``) a module
    runs from when a gradient of its outputs is there until all gradients of its inputs are; where none of these is wanted, until the end.

        >>> with ModuleTracker() as tracker:
        ...     net(x)  # in the forward of net.layers[0]: tracker.parents == {"Global", "Net", "Net.layers.0"}
    """

    def __init__(self):
        self.parents = {"Global"}
        self._names = weakref.WeakKeyDictionary()
        self._cleared = False

    @property
    def is_bw(self):
        return engine.current_pass() is not None

    def __enter__(self):
        self._handles = (register_module_forward_pre_hook(self._enter), register_module_forward_hook(self._leave))
        return self

    def __exit__(self, *exc):
        for handle in self._handles:
            handle.remove()

    def _name(self, module):
        """Its name; the modules below it have their names from now on."""
        if module not in self._names:
            name = type(module).__name__
            for place, each in module.named_modules():
                self._names.setdefault(each, f"{name}.{place}" if place else name)
        return self._names[module]

    def _enter(self, module, inputs):
        name = self._name(module)
        self.parents.add(name)
        wanted = _recorded(inputs)
        if wanted:
            register_multi_grad_hook(wanted, lambda gradients: self.parents.discard(name))

    def _leave(self, module, inputs, output):
        name = self._name(module)
        self.parents.discard(name)
        wanted = _recorded(output)
        if wanted:
            register_multi_grad_hook(wanted, lambda gradient: self._enter_backward(name), mode="any")

    def _enter_backward(self, name):
        if not self._cleared:
            self._cleared = True
            calls._queue_callback(self._clear)
        self.parents.add(name)

    def _clear(self):
        """At the end of a backward pass nothing runs."""
        self.parents, self._cleared = {"Global"}, False


def _recorded(values):
    return [each for each in tree_leaves(values) if isinstance(each, Tensor) and each.requires_grad]
