"""``backward`` and ``grad``: what users call, checked as PyTorch checks it, then handed to the engine."""

import operator
import sys
from typing import Any, NamedTuple

import numpy as np

from ..inplace import functions
from ..parameter import Parameter
from ..settings import first_warning
from ..size import Size
from ..tensor import Tensor, edge_of, wrap
from . import engine
from .graph import Leaf, Node, Output, describe
from .modes import state, thread
from .refusing import check_inputs

__all__ = ["GradientEdge", "backward", "get_gradient_edge", "grad"]


class GradientEdge(NamedTuple):
    """A place of the graph: an output of a node, usable where ``grad`` and ``backward`` take tensors."""

    node: Node
    output_nr: int
    ownership_token: Any = None

    @property
    def edge(self):
        """The place as the engine has it."""
        node, index = self.node, self.output_nr
        if node.width > 1 or not isinstance(node.shape, tuple) or (node.shape and isinstance(node.shape[0], tuple)):
            return Output(node, index, node.shape[index], node.dtype[index])
        if index:
            raise IndexError("tuple index out of range")
        return node


def get_gradient_edge(tensor):
    """The ``GradientEdge`` of a tensor that requires grad: its place in the graph, without the tensor."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node, index = describe(edge_of(tensor))
    if node is None:
        raise AssertionError("Expected gradient function to be set")
    return GradientEdge(node, index)


def _edge(output):
    return output.edge if isinstance(output, GradientEdge) else edge_of(output)


def _as_tuple(value):
    if isinstance(value, (Tensor, GradientEdge)) or hasattr(value, "__torch_function__"):
        return (value,)
    return tuple(value)


def _roots(outputs, gradients, create_graph):
    """(edge, cotangent) of every output, with the checks of PyTorch in its order."""
    edges = [_edge(output) for output in outputs]
    checked = []
    for i, (output, edge, given) in enumerate(zip(outputs, edges, gradients)):
        if isinstance(output, GradientEdge):
            shape, dtype = edge.shape, edge.dtype
        else:
            shape, dtype = output._a.shape, output._dtype
        if isinstance(given, Tensor):
            if given._a.shape != shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of {given.shape} and output[{i}] has a shape of {Size(shape)}."
                )
            if given._dtype is not dtype:
                if dtype.is_complex != given._dtype.is_complex:
                    raise RuntimeError(
                        "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
                        f"grad_output[{i}] has a dtype of {given._dtype!r} and output[{i}] has a dtype of {dtype!r}."
                    )
                given = given.to(dtype)
            checked.append(given)
        elif given is None:
            if edge is None:
                checked.append(None)
                continue
            if _count(shape) != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if not dtype.is_floating_point:
                raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {dtype!r}")
            if isinstance(output, Tensor) and (_answers(output) or state.rare and (state.shells or _modes())):
                checked.append(functions().ones_like(output))
                continue
            checked.append(wrap(np.ones(shape, dtype.numpy), dtype))
        else:
            raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if None in edges:
        raise RuntimeError(f"element {edges.index(None)} of tensors does not require grad and does not have a grad_fn")
    return list(zip(edges, checked if create_graph else [given._a for given in checked]))


def _tangents():
    """Whether forward mode is on: the gradients then carry tangents, which operators on tensors compute."""
    module = sys.modules.get(__package__ + ".forward_ad")
    return module is not None and module.propagating()


def _levels():
    """Whether a level of ``vmap`` or ``jvp``, a mode or some tensor's class must see what the rules do."""
    if state.shells:
        return True
    module = sys.modules.get(__package__ + ".levels")
    return module is not None and module.sees_rules()


def _answers(output):
    """Whether an output is a tensor whose class answers for operators: so do its gradients'."""
    kind = output.__class__
    return (
        kind is not Tensor and isinstance(output, Tensor) and kind.__torch_dispatch__ is not Tensor.__torch_dispatch__
    )


def _of_class(outputs):
    """Whether the first of the outputs is no plain tensor, and some class answers."""
    return bool(outputs) and outputs[0].__class__ is not Tensor and any(map(_answers, outputs))


def _modes():
    """Whether a dispatch mode is to see what is made."""
    module = sys.modules.get(__package__ + ".levels")
    return module is not None and any(hasattr(each, "mode") for each in module._stack.interpreters)


def _count(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Accumulate the gradients of ``tensors`` into the ``.grad`` of the leaves below them.

    Args:
        tensors: a tensor (or GradientEdge) or a sequence of them.
        grad_tensors: the cotangents, one for each, shaped like it; None for scalars, which get 1.
        retain_graph: keep what the graph saved, so that it can be used again (default: ``create_graph``).
        create_graph: record the gradients themselves, so that they can be differentiated.
        inputs: accumulate into these only.

    Raises RuntimeError with PyTorch's text for non-scalar outputs without cotangents, mismatched shapes, a graph used twice, and
    saved values that were written to.
    """
    if grad_variables is not None:
        import warnings

        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use "
                "`grad_tensors`."
            )
        grad_tensors = grad_variables
    if inputs is not None:
        inputs = _as_tuple(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    outputs = _as_tuple(tensors)
    for each in outputs:
        if not isinstance(each, (Tensor, GradientEdge)):
            raise AssertionError("Expected output to be a torch.Tensor")
    if grad_tensors is None:
        given = (None,) * len(outputs)
    elif isinstance(grad_tensors, Tensor):
        given = (grad_tensors,)
    else:
        given = tuple(grad_tensors)
    if len(given) != len(outputs):
        given = _enough(given, outputs)
    if thread.transforms:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp instead "
            "or call backward() outside of functorch transforms."
        )
    keep = create_graph if retain_graph is None else retain_graph
    if keep is not False and keep is not True:
        keep = bool(operator.index(keep))
    on_tensors = create_graph or (state.rare > 0 and (_levels() or _tangents())) or _of_class(outputs)
    roots = _roots(outputs, given, on_tensors)
    if create_graph:
        _warn_of_cycle()
    if inputs is None:
        engine.backward(roots, keep=keep, create_graph=on_tensors, record=create_graph)
        return
    edges = []
    for each in inputs:
        _require_place(each)
        if isinstance(each, Tensor):
            # the gradient of a non-leaf is accumulated by retaining it
            each.retain_grad()
        edges.append(_edge(each))
    engine.backward(roots, keep=keep, create_graph=on_tensors, inputs=edges, record=create_graph)


def _enough(given, outputs):
    """As many gradients as there are outputs; those too many are left out, as PyTorch leaves them out."""
    if len(given) < len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    return given[: len(outputs)]


def _require_place(each):
    if not isinstance(each, (Tensor, GradientEdge)):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(each).__name__}")


def _warn_of_cycle():
    """Once for a process: a gradient that is part of a graph refers to its leaf, which refers to its gradient."""
    if first_warning("create_graph"):
        import warnings

        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can "
            "cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this "
            "function, make sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid the "
            "leak.",
            UserWarning,
            stacklevel=4,
        )


_PLAIN = frozenset((Tensor, Parameter))
#: asks modes and the classes of tensors whether they answer for ``grad`` (set by ``overrides``): (name, function, tensors, args, kwargs)
ask = None


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of ``outputs`` with respect to ``inputs``, as a tuple; nothing is accumulated.

    Args as in ``backward``; ``allow_unused`` returns None for inputs that were not used, ``materialize_grads`` zeros.

        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> torch.autograd.grad(x**2, x)
        (tensor(6.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    if state.rare or not _PLAIN.issuperset(map(type, (*outputs, *inputs))):
        options = dict(grad_outputs=grad_outputs, retain_graph=retain_graph, create_graph=create_graph)
        options.update(only_inputs=only_inputs, allow_unused=allow_unused, is_grads_batched=is_grads_batched)
        options["materialize_grads"] = materialize_grads
        answer = ask("torch.autograd.grad", grad, (*outputs, *inputs), (outputs, inputs), options)
        if answer is not NotImplemented:
            return answer
    for each in outputs:
        if not isinstance(each, (Tensor, GradientEdge)):
            raise AssertionError("Expected output to be a torch.Tensor")
    if is_grads_batched:
        from .batched import grad_batched

        return grad_batched(
            *(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
        )
    if not only_inputs:
        import warnings

        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts of "
            "the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    given = _as_tuple(grad_outputs) if grad_outputs is not None else (None,) * len(outputs)
    if len(given) != len(outputs):
        given = _enough(given, outputs)
    keep = create_graph if retain_graph is None else retain_graph
    if keep is not False and keep is not True:
        keep = bool(operator.index(keep))
    on_tensors = create_graph or (state.rare > 0 and (_levels() or _tangents())) or _of_class(outputs)
    roots = _roots(outputs, given, on_tensors)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    edges = []
    for each in inputs:
        _require_place(each)
        edge = _edge(each)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    captured = engine.grad(roots, edges, keep=keep, create_graph=on_tensors, record=create_graph)
    result = []
    for i, (each, edge) in enumerate(zip(inputs, edges)):
        found = captured.get(edge)
        if found is None:
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set allow_unused=True if "
                    "this is the desired behavior."
                )
            result.append(_zeros(each, create_graph) if materialize_grads else None)
        elif isinstance(found, Tensor):
            result.append(found)
        else:
            found = np.asarray(found)
            result.append(wrap(found if found.base is None and found.flags.writeable else found.copy(), edge.dtype))
    return tuple(result)


def _zeros(each, requires_grad):
    if isinstance(each, GradientEdge):
        raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
    made = wrap(np.zeros(each._a.shape, each._dtype.numpy), each._dtype)
    return made.requires_grad_() if requires_grad else made


def _tensor_backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Accumulate the gradient of this tensor into the leaves it was computed from; see ``torch.autograd.backward``."""
    if (
        not state.special
        and not state.hooks
        and not create_graph
        and inputs is None
        and gradient is None
        and self.__class__ is Tensor
        and self._a.size == 1
        and self._dtype.is_floating_point
        and not thread.transforms
    ):
        edge = self._edge if self._view is None else edge_of(self)
        if edge is not None:
            engine._run_plain(((edge, np.ones(self._a.shape, self._a.dtype)),), bool(retain_graph))
            return
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


_tensor_backward.__name__, _tensor_backward.__qualname__ = "backward", "Tensor.backward"
Tensor.backward = _tensor_backward


def _call_node(self, *cotangents):
    """The cotangents a node passes on, given those of its outputs (tensors or None); recorded, and nothing saved is freed."""
    check_inputs(cotangents, self.width)
    if all(each is None for each in cotangents) and not getattr(self, "takes_undefined", False):
        received = [None] * len(self.next)
    else:
        received = self.run_graph(cotangents[0] if self.width == 1 else cotangents, True)
    received = tuple(received if self.shows is None else self.shows(tuple(received)))
    return received[0] if len(received) == 1 else received


def _call_leaf(self, *cotangents):
    """Accumulate a gradient into a leaf."""
    check_inputs(cotangents, 1)
    engine.accumulate(self, cotangents[0])
    return ()


Node.__call__ = _call_node
Leaf.__call__ = _call_leaf


def _queue_callback(callback):
    """Call ``callback()`` when the backward pass that is running has finished."""
    running = engine.current_pass()
    if running is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    running.at_end(callback)
