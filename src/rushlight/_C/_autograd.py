"""``torch._C._autograd``: what programs ask there of saved tensors, of version counters and of the running backward pass."""

from ..autograd import saved
from ..autograd.engine import current_pass
from ..autograd.saved import SavedTensor
from ..missing import module_getattr

__all__ = ["SavedTensor"]


def _get_current_graph_task_keep_graph():
    """Whether the running backward pass keeps the graph; True outside of one."""
    found = current_pass()
    return found is None or bool(found.keep)


def _saved_tensors_hooks_is_enabled():
    return saved.disabled() is None


def _saved_tensors_hooks_get_disabled_error_message():
    return saved.disabled()


def _saved_tensors_hooks_disable(message):
    saved.disable(message)


def _saved_tensors_hooks_enable():
    saved.disable(None)


def _push_saved_tensors_default_hooks(pack_hook, unpack_hook):
    saved.push(pack_hook, unpack_hook)


def _pop_saved_tensors_default_hooks():
    saved.pop()


def _top_saved_tensors_default_hooks(ignore_is_tracing=False):
    return saved.active_hooks()


def _unsafe_set_version_counter(tensors, versions):
    """Set the version of each tensor; what was saved of it is trusted to be right."""
    for tensor, version in zip(tensors, versions, strict=True):
        tensor._vc[0] = version


__getattr__ = module_getattr(__name__)
