"""``torch._C``: the few names of PyTorch's compiled core that programs take from there."""

from . import Generator, Size, device, dtype, layout  # noqa: F401
from .autograd.anomaly import running
from .autograd.engine import current_task
from .missing import module_getattr
from .overrides import DisableTorchFunction, DisableTorchFunctionSubclass, _disabled_torch_function_impl  # noqa: F401
from .tensor import Tensor as TensorBase  # noqa: F401

__all__ = []


def _current_autograd_node():
    """The node that is running in this thread, or None."""
    return running.node


def _will_engine_execute_node(node):
    """Whether the running backward pass will reach a node. RuntimeError outside of one."""
    task = current_task()
    if task is None:
        raise RuntimeError("_get_graph_exec_info should only be called during the backward pass")
    return task.will_run(node)


def _log_api_usage_once(event):
    """Nothing is counted."""


def _get_tracing_state():
    """None: nothing is traced."""


__getattr__ = module_getattr(__name__)
