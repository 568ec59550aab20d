"""``torch._C``: the few names of PyTorch's compiled core that programs take from there."""

import weakref

from .. import Generator, Size, device, dtype, layout  # noqa: F401
from ..absent import absent
from ..array.linalg import LinAlgError as _LinAlgError  # noqa: F401
from ..autograd import graph
from ..autograd.anomaly import running
from ..autograd.engine import current_pass
from ..autograd.forward_ad import _is_fwd_grad_enabled, _set_fwd_grad_enabled  # noqa: F401
from ..autograd.grad_mode import is_multithreading_enabled
from ..autograd.graph_tools import will_execute
from ..autograd.shells import class_answers
from ..missing import module_getattr
from ..ops.dispatch import functions
from ..overrides import DisableTorchFunction, DisableTorchFunctionSubclass, _disabled_torch_function_impl  # noqa: F401
from ..overrides import EnableTorchFunction as _EnableTorchFunction  # noqa: F401
from ..tensor import Tensor as TensorBase  # noqa: F401
from ..utils._python_dispatch import _DisableTorchDispatch  # noqa: F401
from . import _autograd, _functions, _functorch, _nn, _profiler  # noqa: F401

__all__ = []


def _current_autograd_node():
    """The node that is running in this thread, or None."""
    return running.node


def _will_engine_execute_node(node):
    """Whether the running backward pass will execute a node; RuntimeError outside of one."""
    if not isinstance(node, graph.Node):
        raise RuntimeError(f"_will_engine_execute_node expects an grad_fn, but got {type(node).__name__}")
    found = current_pass()
    if found is None:
        raise RuntimeError("_get_graph_exec_info should only be called during the backward pass")
    return will_execute(found, node)


def _current_graph_task_id():
    """The number of the running backward pass, -1 outside of one."""
    found = current_pass()
    return -1 if found is None else found.number


def _current_graph_task_execution_order():
    """The nodes that the running backward pass executes, in their order. RuntimeError outside of one."""
    found = current_pass()
    if found is None:
        raise RuntimeError("_current_graph_task_execution_order should only be called during the backward pass")
    if is_multithreading_enabled():
        raise RuntimeError(
            "get_current_graph_task_execution_order expects the current backward to be executed with multithreading disabled, e.g. by "
            "running:\n\n>>> with torch.autograd.set_multithreading_enabled(False):\n...     torch.autograd.grad(...)\n"
        )
    return found.execution_order()


class _WeakTensorRef:
    """Whether a tensor is still there."""

    def __init__(self, tensor):
        self._ref = weakref.ref(tensor)

    def expired(self):
        return self._ref() is None


def _log_api_usage_once(event):
    """Nothing is counted."""


def _get_default_device():
    """The kind of device on which tensors are made."""
    from ..defaults import get_default_device

    return get_default_device().type


def _get_accelerator(check=None):
    """The device of the accelerator: the CPU, as there is none."""
    return device("cpu")


def _get_privateuse1_backend_name():
    return "privateuseone"


def _is_torch_function_mode_enabled():
    """Whether a `TorchFunctionMode` is on."""
    return bool(functions.modes)


def _is_torch_function_enabled():
    """Whether the classes of arguments are asked."""
    return functions.off is None


def _is_torch_function_all_disabled():
    """Whether neither classes nor modes are asked."""
    return functions.off == "all"


def _len_torch_function_stack():
    """How many `TorchFunctionMode`s are on."""
    return len(functions.modes)


def _get_function_stack_at(level):
    """One of them; 0 is the outermost."""
    return functions.modes[level]


def _dispatch_isTensorSubclassLike(tensor):
    """Whether a tensor's class answers for operators."""
    return class_answers(type(tensor))


#: the class of the class of tensors
_TensorMeta = type(TensorBase)
Graph, Node, Value = [
    absent(f"torch._C.{name}", "rushlight traces no code into graphs") for name in ("Graph", "Node", "Value")
]

PyTorchFileReader = absent("torch._C.PyTorchFileReader", "rushlight reads files with torch.load")


def _get_tracing_state():
    """None: nothing is traced."""


__getattr__ = module_getattr(__name__)
