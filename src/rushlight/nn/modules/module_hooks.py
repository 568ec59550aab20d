"""What hooks of modules are made of, above all those run in the backward pass.

A backward hook needs a place in the graph on either side of the module: `BackwardHook` puts an identity (`BackwardHookFunction`)
over the inputs and one over the outputs, and calls the user's hooks from the nodes of the two.
"""

import functools
import weakref

from ...autograd.function import Function
from ...autograd.graph import warn_user
from ...autograd.hooks import RemovableHandle
from ...autograd.modes import is_grad_enabled
from ...ops.creation import zeros
from ...tensor import Tensor

__all__ = ["BackwardHook", "BackwardHookFunction", "WrappedHook", "added", "warn_of_older_hook"]


class WrappedHook:
    """A hook that may want its module as first argument, which it refers to weakly."""

    def __init__(self, hook, module=None):
        self.hook = hook
        functools.update_wrapper(self, hook)
        self.with_module = module is not None
        if self.with_module:
            self.module = weakref.ref(module)

    def __call__(self, *args, **kwargs):
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self):
        state = {"hook": self.hook, "with_module": self.with_module}
        if self.with_module:
            state["module"] = self.module()
        return state

    def __setstate__(self, state):
        self.hook, self.with_module = state["hook"], state["with_module"]
        if self.with_module:
            if state["module"] is None:
                raise RuntimeError("You are trying to revive the hook of a dead Module!")
            self.module = weakref.ref(state["module"])


def added(hooks, hook, extra=None, prepend=False):
    """Keep `hook` in `hooks`; the handle that takes it away, from the dictionaries `extra` too."""
    handle = RemovableHandle(hooks, extra_dict=extra)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


# ---------------------------------------------------------------------------------------------- the backward pass


class BackwardHookFunction(Function):
    """Passes tensors and gradients on as they are; its node is where hooks are hung."""

    @staticmethod
    def forward(ctx, *tensors):
        ctx.mark_non_differentiable(*[each for each in tensors if not each.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *gradients):
        return gradients


class BackwardHook:
    """Calls the backward hooks of one call of a module, with gradients where tensors were and None for other values."""

    def __init__(self, module, user_hooks, user_pre_hooks):
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs = None
        self.n_outputs = self.n_inputs = -1
        self.output_tensors_index = self.input_tensors_index = None
        self.input_zeros = ()

    @staticmethod
    def _spread(index, values, count):
        """The values at their places among None."""
        spread = [None] * count
        for place, value in zip(index, values):
            spread[place] = value
        return tuple(spread)

    def _pass_through(self, args, prepare):
        """The values with their tensors passed through the identity, whose node is given to `prepare`; their places."""
        index = [i for i, each in enumerate(args) if isinstance(each, Tensor)]
        if not (is_grad_enabled() and any(args[i].requires_grad for i in index)):
            return args, None
        passed = BackwardHookFunction.apply(*[args[i] for i in index])
        node = next(each.grad_fn for each in passed if each.grad_fn is not None)
        prepare(node)
        values = list(args)
        for place, each in zip(index, passed):
            values[place] = each
        # a named tuple is made of its fields, not of one sequence
        return (tuple(values) if type(args) is tuple else type(args)(*values)), index

    def setup_input_hook(self, args):
        """The arguments as forward is to see them."""
        args, self.input_tensors_index = self._pass_through(args, lambda node: node.register_hook(self._after))
        self.n_inputs = len(args)
        if self.input_tensors_index is not None:
            self.input_zeros = [
                None if args[i].requires_grad else _zeros_like(args[i]) for i in self.input_tensors_index
            ]
        return args

    def setup_output_hook(self, result):
        """The result as the caller is to see it."""
        alone = not isinstance(result, tuple)
        outputs = (result,) if alone else result
        outputs, self.output_tensors_index = self._pass_through(outputs, lambda node: node.register_hook(self._before))
        self.n_outputs = len(outputs)
        return outputs[0] if alone else outputs

    def _before(self, _, grad_outputs):
        """Runs when the gradients of the outputs are there."""
        self.grad_outputs = self._spread(self.output_tensors_index, grad_outputs, self.n_outputs)
        for hook in self.user_pre_hooks:
            replaced = hook(self.module, self.grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(self.grad_outputs):
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(replaced)}, but expected {len(self.grad_outputs)}"
                )
            self.grad_outputs = replaced
        grads = self.grad_outputs
        if self.input_tensors_index is None:
            self._without_inputs()
        return None if grads is None else tuple(grads[i] for i in self.output_tensors_index)

    def _without_inputs(self):
        """No input wants a gradient, so nothing will run on their side: the hooks are called at once."""
        warn_user(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
            "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#"
            "torch.nn.Module.register_full_backward_hook for more details."
        )
        for hook in self.user_hooks:
            replaced = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if replaced is not None and not (isinstance(replaced, tuple) and all(each is None for each in replaced)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for all gradients."
                )
        self.grad_outputs = None

    def _after(self, grad_inputs, _):
        """Runs when the gradients of the inputs are there."""
        if self.grad_outputs is None:
            # the gradient came to the inputs by another way than the outputs, as in double backward
            return None
        # hooks see zeros for inputs that want no gradient, as those are what the identity over the inputs would pass on
        shown = [zeros() if grad is None and zeros else grad for grad, zeros in zip(grad_inputs, self.input_zeros)]
        grads = self._spread(self.input_tensors_index, shown, self.n_inputs)
        for hook in self.user_hooks:
            replaced = hook(self.module, grads, self.grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(grads):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(replaced)}, but expected {len(grads)}"
                )
            grads = replaced
        self.grad_outputs = None
        return tuple(
            None if grad is None else grads[place] for place, grad in zip(self.input_tensors_index, grad_inputs)
        )


def _zeros_like(tensor):
    """A function that makes zeros of the tensor's kind without keeping the tensor alive."""
    return functools.partial(zeros, tuple(tensor.shape), dtype=tensor.dtype)


def _all_tensors(values):
    return isinstance(values, Tensor) or (isinstance(values, tuple) and all(isinstance(v, Tensor) for v in values))


def warn_of_older_hook(inputs, result, node):
    """Say where an older backward hook will not see what its name promises."""
    start = "Using non-full backward hooks on a Module that does not "
    end = " Please use register_full_backward_hook to get the documented behavior."
    text = None
    if not _all_tensors(result):
        text = (
            start
            + "return a single Tensor or a tuple of Tensors is deprecated and will be removed in future versions. This hook "
            "will be missing some of the grad_output." + end
        )
    elif not _all_tensors(inputs):
        text = (
            start
            + "take as input a single Tensor or a tuple of Tensors is deprecated and will be removed in future versions. "
            "This hook will be missing some of the grad_input." + end
        )
    else:
        result = (result,) if isinstance(result, Tensor) else result
        inputs = (inputs,) if isinstance(inputs, Tensor) else inputs
        made_by = {each.grad_fn for each in result if each.grad_fn is not None}
        start = "Using a non-full backward hook when "
        if not made_by or (len(made_by) == 1 and node not in made_by):
            text = (
                start
                + "outputs are nested in python data structure is deprecated and will be removed in future versions. This "
                "hook will be missing some grad_output."
            )
        elif len(made_by) > 1:
            text = (
                start
                + "outputs are generated by different autograd Nodes is deprecated and will be removed in future versions. "
                "This hook will be missing some grad_output." + end
            )
        elif {each.grad_fn for each in inputs if each.grad_fn is not None} != {n for n, _ in node.next_functions}:
            text = (
                start
                + "the forward contains multiple autograd Nodes is deprecated and will be removed in future versions. This "
                "hook will be missing some grad_input." + end
            )
    if text is not None:
        warn_user(text, FutureWarning)
