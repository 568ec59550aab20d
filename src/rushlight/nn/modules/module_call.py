"""One call of a module that has hooks, its own or those common to all modules."""

from ...autograd.graph import warn_user
from ...tensor import Tensor
from . import module as home  # where the hooks common to all modules are; still being loaded when this line runs
from .module_hooks import BackwardHook, WrappedHook, warn_of_older_hook

__all__ = ["Call"]


class Call:
    """One call of a module that has hooks."""

    def __init__(self, module, args, kwargs):
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result = None
        self.called = set()

    def run(self):
        try:
            return self._run()
        except Exception:
            self._call_remaining()
            raise

    def _run(self):
        module = self.module
        full, older = module._get_backward_hooks()
        pre = module._get_backward_pre_hooks()
        self._before()
        backward = None
        if full or pre:
            backward = BackwardHook(module, full, pre)
            self.args = backward.setup_input_hook(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        self._after()
        if backward is not None:
            if not isinstance(self.result, (Tensor, tuple)):
                warn_user(
                    "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                    f"{type(self.result)}"
                )
            self.result = backward.setup_output_hook(self.result)
        if older:
            self._hang_older(older)
        return self.result

    def _before(self):
        module = self.module
        for number, hook in (*home._global_forward_pre_hooks.items(), *module._forward_pre_hooks.items()):
            if number in module._forward_pre_hooks_with_kwargs:
                replaced = hook(module, self.args, self.kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                    )
                self.args, self.kwargs = replaced
            else:
                replaced = hook(module, self.args)
                if replaced is not None:
                    self.args = replaced if isinstance(replaced, tuple) else (replaced,)

    def _after(self):
        module = self.module
        for number, hook in (*home._global_forward_hooks.items(), *module._forward_hooks.items()):
            if number in module._forward_hooks_always_called or number in home._global_forward_hooks_always_called:
                self.called.add(number)
            self._call(
                hook, number in module._forward_hooks_with_kwargs or number in home._global_forward_hooks_with_kwargs
            )

    def _call(self, hook, with_kwargs):
        if with_kwargs:
            replaced = hook(self.module, self.args, self.kwargs, self.result)
        else:
            replaced = hook(self.module, self.args, self.result)
        if replaced is not None:
            self.result = replaced

    def _call_remaining(self):
        """After an error: the hooks that are to be called always and were not yet; their own errors become warnings."""
        module = self.module
        # as in PyTorch, the keywords go to the module's own hooks only
        groups = (
            ("global module", home._global_forward_hooks, home._global_forward_hooks_always_called, ()),
            ("module", module._forward_hooks, module._forward_hooks_always_called, module._forward_hooks_with_kwargs),
        )
        for spoken, hooks, always, with_kwargs in groups:
            for number, hook in hooks.items():
                if number not in always or number in self.called:
                    continue
                try:
                    self._call(hook, number in with_kwargs)
                except Exception as error:
                    warn_user(
                        f"{spoken} forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
                        f"raised in forward: {error}"
                    )

    def _hang_older(self, hooks):
        value = self.result
        while not isinstance(value, Tensor):
            if isinstance(value, dict):
                value = next(each for each in value.values() if isinstance(each, Tensor))
            else:
                value = value[0]
        node = value.grad_fn
        if node is not None:
            for hook in hooks:
                node.register_hook(WrappedHook(hook, self.module))
            warn_of_older_hook(self.args, self.result, node)
