"""``torch.nn.Module``: what holds parameters, buffers and other modules, and calls ``forward`` with the hooks around it.

Parameters, buffers and submodules live in three dictionaries beside ``__dict__``, so attribute access to them goes through
``__getattr__`` and ``__setattr__``. State dictionaries are in `module_state`, calls
with hooks in `module_call`.
"""

import importlib
import inspect
import sys
import warnings
from collections import OrderedDict
from copyreg import __newobj__  # type: ignore[attr-defined]
from types import FunctionType

from ... import __future__ as _future
from ...autograd.modes import no_grad
from ...parameter import Parameter, clear_gradients
from ...tensor import Tensor
from ..parameter import Buffer
from . import module_state
from .module_call import Call
from .module_hooks import WrappedHook, added
from .module_state import EXTRA_STATE, StateMixin

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

# PyTorch's names
_EXTRA_STATE_KEY_SUFFIX = EXTRA_STATE
_IncompatibleKeys = module_state._IncompatibleKeys
_WrappedHook = WrappedHook
_OWN = __name__.partition(".")[0]


def _typename(value):
    from ... import typename

    return typename(value)


def _addindent(text, spaces):
    """`text` with every line but the first set in; blank lines stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line if line.strip() else "" for line in rest)])


def _replaced(hooks, module, name, value):
    """`value` after the registration hooks common to all modules have seen it."""
    for hook in hooks.values():
        other = hook(module, name, value)
        if other is not None:
            value = other
    return value


def _check_name(module, name, kind, known):
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
    if kind == "module" and hasattr(module, name) and name not in known:
        raise KeyError(f"attribute '{name}' already exists")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if kind != "module" and hasattr(module, name) and name not in known:
        raise KeyError(f"attribute '{name}' already exists")


def _discard(name, *places):
    for place in places:
        if isinstance(place, set):
            place.discard(name)
        else:
            place.pop(name, None)


# ------------------------------------------------------------------------------------------ hooks common to all modules

# under PyTorch's names, by which tests take all of them away at once
_global_buffer_registration_hooks = OrderedDict()
_global_module_registration_hooks = OrderedDict()
_global_parameter_registration_hooks = OrderedDict()
_global_backward_pre_hooks = OrderedDict()
_global_backward_hooks = OrderedDict()
#: whether the common backward hooks are full ones; None while there were none
_global_is_full_backward_hook = None
_global_forward_pre_hooks = OrderedDict()
_global_forward_hooks = OrderedDict()
_global_forward_hooks_always_called = OrderedDict()
_global_forward_hooks_with_kwargs = OrderedDict()


def register_module_buffer_registration_hook(hook):
    """Call ``hook(module, name, buffer)`` whenever a module registers a buffer; what it returns replaces the buffer."""
    return added(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook):
    """Call ``hook(module, name, submodule)`` whenever a module registers another; what it returns replaces it."""
    return added(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook):
    """Call ``hook(module, name, parameter)`` whenever a module registers a parameter; what it returns replaces it."""
    return added(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook):
    """Call ``hook(module, args)`` before every module's forward; what it returns replaces the arguments."""
    return added(_global_forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Call ``hook(module, args, output)`` after every module's forward; what it returns replaces the output."""
    handle = added(_global_forward_hooks, hook, _global_forward_hooks_always_called)
    if with_kwargs:
        _global_forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        _global_forward_hooks_always_called[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook):
    """Call ``hook(module, grad_output)`` before the gradients of any module's inputs are computed."""
    return added(_global_backward_pre_hooks, hook)


def _register_common_backward(hook, full):
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of them."
        )
    _global_is_full_backward_hook = full
    return added(_global_backward_hooks, hook)


def register_module_backward_hook(hook):
    """The older form of `register_module_full_backward_hook`, which sees only the last operation of the module."""
    return _register_common_backward(hook, False)


def register_module_full_backward_hook(hook):
    """Call ``hook(module, grad_input, grad_output)`` when the gradients of any module's inputs have been computed."""
    return _register_common_backward(hook, True)


#: the attributes a module is born with, and what makes each one's first value
_FIELDS = (
    *(("training", lambda: True), ("_parameters", dict), ("_buffers", dict), ("_non_persistent_buffers_set", set)),
    *(("_backward_pre_hooks", OrderedDict), ("_backward_hooks", OrderedDict), ("_is_full_backward_hook", lambda: None)),
    *(("_forward_hooks", OrderedDict), ("_forward_hooks_with_kwargs", OrderedDict)),
    *(("_forward_hooks_always_called", OrderedDict), ("_forward_pre_hooks", OrderedDict)),
    *(("_forward_pre_hooks_with_kwargs", OrderedDict), ("_state_dict_hooks", OrderedDict)),
    *(("_state_dict_pre_hooks", OrderedDict), ("_load_state_dict_pre_hooks", OrderedDict)),
    *(("_load_state_dict_post_hooks", OrderedDict), ("_modules", dict)),
)


class Module(StateMixin):
    """Base class of everything a model is built from.

    Define ``forward``; assign parameters, buffers and other modules in ``__init__`` after ``super().__init__()``:

        >>> class Model(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = torch.nn.Linear(2, 1)
        ...     def forward(self, x):
        ...         return self.layer(x)

    ``training`` says whether the module is in training or evaluation mode (see `train` and `eval`).
    """

    dump_patches = False
    #: whether ``__init__`` hands its arguments on to the next class in line, for multiple inheritance
    call_super_init = False
    _compiled_call_impl = None

    def __init__(self, *args, **kwargs):
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        fields = self.__dict__
        for name, make in _FIELDS:
            fields[name] = make()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input):
        """What the module computes; every subclass defines it. Call the module, not this, so that hooks run."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # ------------------------------------------------------------------------------------------------ registration

    def register_buffer(self, name, tensor, persistent=True):
        """Add a tensor that belongs to the state but is not a parameter; not in state dictionaries unless ``persistent``."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_name(self, name, "buffer", self._buffers)
        if tensor is not None and not (isinstance(tensor, Tensor) or hasattr(tensor, "__torch_function__")):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = _replaced(_global_buffer_registration_hooks, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name, param):
        """Add a parameter under a name; None reserves the name."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        _check_name(self, name, "parameter", self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{_typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
                )
            if param.grad_fn:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To express "
                    f"'{name}' as a function of another Tensor, compute the value in the forward() method."
                )
            param = _replaced(_global_parameter_registration_hooks, self, name, param)
        self._parameters[name] = param

    def add_module(self, name, module):
        """Add a submodule under a name; None reserves the name."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        _check_name(self, name, "module", self._modules)
        self._modules[name] = _replaced(_global_module_registration_hooks, self, name, module)

    def register_module(self, name, module):
        """The same as `add_module`."""
        self.add_module(name, module)

    # -------------------------------------------------------------------------------------------------- attributes

    def __getattr__(self, name):
        fields = self.__dict__
        # written out, as every use of a parameter comes by here
        known = fields.get("_parameters")
        if known is not None and name in known:
            return known[name]
        known = fields.get("_buffers")
        if known is not None and name in known:
            return known[name]
        known = fields.get("_modules")
        if known is not None and name in known:
            return known[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name, value):
        fields = self.__dict__
        params = fields.get("_parameters")
        is_buffer = False
        if isinstance(value, Tensor):
            if isinstance(value, Parameter):
                if params is None:
                    raise AttributeError("cannot assign parameters before Module.__init__() call")
                own = type(self).register_parameter is not Module.register_parameter
                if name in params and value.grad_fn is None and not (own or _global_parameter_registration_hooks):
                    params[name] = value  # the short way to take another in its place
                    return
                _discard(name, fields, self._buffers, self._modules, self._non_persistent_buffers_set)
                self.register_parameter(name, value)
                return
            is_buffer = isinstance(value, Buffer)
        elif isinstance(value, Module) and not (params and name in params):
            modules = fields.get("_modules")
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            _discard(name, fields, params, self._buffers, self._non_persistent_buffers_set)
            modules[name] = _replaced(_global_module_registration_hooks, self, name, value)
            return
        if params and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
            return
        modules = fields.get("_modules")
        if modules and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            modules[name] = _replaced(_global_module_registration_hooks, self, name, value)
            return
        buffers = fields.get("_buffers")
        if is_buffer or (buffers and name in buffers):
            self._set_buffer(name, value)
            return
        object.__setattr__(self, name, value)

    def _set_buffer(self, name, value):
        if value is not None and not (isinstance(value, Tensor) or hasattr(value, "__torch_function__")):
            raise TypeError(
                f"cannot assign '{_typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        if getattr(self.register_buffer, "__func__", None) is Module.register_buffer:
            self.register_buffer(name, value, persistent)
        elif "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            raise RuntimeError(
                "Registering a non-persistent buffer on a Module subclass that implements register_buffer() without the persistent "
                "argument is not allowed."
            )

    def __delattr__(self, name):
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def __dir__(self):
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        # the numbers of a Sequential's modules are no attribute names
        return sorted(name for name in names if not name[0].isdigit())

    def get_submodule(self, target):
        """The module at a dotted path; AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Put a module at a dotted path; with ``strict`` one must be there already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if hasattr(parent, name):
            if not isinstance(getattr(parent, name), Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        elif strict:
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        setattr(parent, name, module)

    def _member(self, target):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name, getattr(module, name)

    def get_parameter(self, target):
        """The parameter at a dotted path; AttributeError if there is none."""
        _, name, param = self._member(target)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target):
        """The buffer at a dotted path; AttributeError if there is none."""
        module, name, buffer = self._member(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    # ----------------------------------------------------------------------------------------------------- walking

    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate=True):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield f"{path}.{name}" if path else name, value

    def parameters(self, recurse=True):
        """The parameters, each once; without the submodules' unless ``recurse``."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of dotted name and parameter."""
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers, each once; without the submodules' unless ``recurse``."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of dotted name and buffer."""
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def children(self):
        """The modules directly below, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self):
        """Pairs of name and module directly below."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate=True):
        """This module and all below."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Pairs of dotted name and module: this one (named by the prefix alone) and all below."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def apply(self, fn):
        """Call ``fn(module)`` on all below and on this one, in that order."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ------------------------------------------------------------------------------------------------- conversions

    def _apply(self, fn, recurse=True):
        """Put ``fn(tensor)`` in the place of every parameter, gradient and buffer; parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        anew = (
            _future.get_overwrite_module_params_on_conversion() and not _future.get_swap_module_params_on_conversion()
        )
        for name, param in self._parameters.items():
            if param is None:
                continue
            grad = param.grad
            with no_grad():
                value, grad_value = fn(param), None if grad is None else fn(grad)
            if anew:
                param = self._parameters[name] = Parameter(value, param.requires_grad)
                if grad is not None:
                    param.grad = grad_value.requires_grad_(grad.requires_grad)
                continue
            with no_grad():
                param.data = value
                if grad is not None:
                    grad.data = grad_value
            if grad is not None:
                param.grad = grad
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Convert in place: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(tensor)``, ``to(memory_format=...)``.

        Only floating and complex tensors change dtype.
        """
        from ...ops.core import _parse_to

        kwargs = {name: value for name, value in kwargs.items() if name != "non_blocking"}
        dtype, copy, format = _parse_to(args, kwargs)
        if copy:
            raise RuntimeError(".to() does not accept copy argument")
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may change, and some modules might not "
                    "work as expected when using complex tensors as parameters or buffers. Please file an issue at "
                    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a complex module does not work as "
                    "expected.",
                    stacklevel=2,
                )

        def convert(tensor):
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            if format is not None and tensor.dim() in (4, 5):
                return tensor.to(tensor.dtype if wanted is None else wanted, memory_format=format)
            return tensor if wanted is None else tensor.to(wanted)

        return self._apply(convert)

    def type(self, dst_type):
        """Convert all parameters and buffers to a dtype, in place."""
        return self._apply(lambda t: t.type(dst_type))

    def _floating_to(self, dtype):
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self):
        """Convert floating parameters and buffers to float32, in place."""
        from ...dtypes import float32

        return self._floating_to(float32)

    def double(self):
        """Convert floating parameters and buffers to float64, in place."""
        from ...dtypes import float64

        return self._floating_to(float64)

    def half(self):
        """Convert floating parameters and buffers to float16, in place."""
        from ...dtypes import float16

        return self._floating_to(float16)

    def bfloat16(self):
        """Convert floating parameters and buffers to bfloat16, in place."""
        from ...dtypes import bfloat16

        return self._floating_to(bfloat16)

    def cpu(self):
        """Move to the CPU, where everything is here."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device=None):
        """Move to a CUDA device; refused, as there is none here."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self, device=None):
        """Move to an XPU device; refused, as there is none here."""
        return self.to("xpu" if device is None else device)

    def ipu(self, device=None):
        """Move to an IPU device; refused, as there is none here."""
        return self.to("ipu" if device is None else device)

    def mtia(self, device=None):
        """Move to an MTIA device; refused, as there is none here."""
        return self.to("mtia" if device is None else device)

    def to_empty(self, *, device, recurse=True):
        """Put uninitialised tensors of the same kinds in the place of all parameters and buffers."""
        from ... import empty_like

        return self._apply(lambda t: empty_like(t, device=device), recurse=recurse)

    def share_memory(self):
        """Move all parameters and buffers to memory that child processes share."""
        return self._apply(lambda t: t.share_memory_())

    # ------------------------------------------------------------------------------------------------------- modes

    def train(self, mode=True):
        """Set training mode (or evaluation mode) for this module and all below."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Set evaluation mode for this module and all below."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Turn recording for all parameters on or off."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters, or fill them with zeros."""
        clear_gradients(self.parameters(), set_to_none)

    # ------------------------------------------------------------------------------------------------------- hooks

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call ``hook(module, grad_output)`` before the gradients of the inputs are computed; what it returns replaces them."""
        return added(self._backward_pre_hooks, hook, prepend=prepend)

    def _register_backward(self, hook, full, prepend):
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
            )
        self._is_full_backward_hook = full
        return added(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook):
        """The older form of `register_full_backward_hook`, which sees only the last operation of the module."""
        return self._register_backward(hook, False, False)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are there; it may return others."""
        return self._register_backward(hook, True, prepend)

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments.

        With ``with_kwargs``: ``hook(module, args, kwargs)``, which returns None or both.
        """
        handle = added(self._forward_pre_hooks, hook, self._forward_pre_hooks_with_kwargs, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call ``hook(module, args, output)`` (or ``hook(module, args, kwargs, output)``) after forward.

        What it returns replaces the output. With ``always_call`` it is called although forward raised.
        """
        extra = [self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
        handle = added(self._forward_hooks, hook, extra, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def _get_backward_hooks(self):
        """(full hooks, older hooks), common ones first."""
        full, older = [], []
        if _global_is_full_backward_hook is not None:
            (full if _global_is_full_backward_hook else older).extend(_global_backward_hooks.values())
        if self._is_full_backward_hook is not None:
            (full if self._is_full_backward_hook else older).extend(self._backward_hooks.values())
        return full, older

    def _get_backward_pre_hooks(self):
        return [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    # ----------------------------------------------------------------------------------------------------- calling

    def _wrapped_call_impl(self, *args, **kwargs):
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return self._call_impl(*args, **kwargs)

    __call__ = _wrapped_call_impl

    def _call_impl(self, *args, **kwargs):
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _global_forward_hooks
            or _global_forward_pre_hooks
            or _global_backward_hooks
            or _global_backward_pre_hooks
        ):
            return self.forward(*args, **kwargs)
        return Call(self, args, kwargs).run()

    def compile(self, *args, **kwargs):
        """Call through ``torch.compile`` from now on."""
        from ... import compile

        self._compiled_call_impl = compile(self._call_impl, *args, **kwargs)

    # ---------------------------------------------------------------------------------------------------- printing

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What `repr` shows of the module itself; override it."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        extra = extra.split("\n") if extra else []
        below = [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        if not extra and not below:
            return f"{self._get_name()}()"
        if len(extra) == 1 and not below:
            return f"{self._get_name()}({extra[0]})"
        lines = "\n  ".join(extra + below)
        return f"{self._get_name()}(\n  {lines}\n)"

    # ---------------------------------------------------------------------------------------------------- pickling

    def __reduce_ex__(self, protocol):
        reduced = super().__reduce_ex__(max(protocol, 2))
        if reduced[0] is not __newobj__ or sys.modules.get("torch.nn") is sys.modules.get(_OWN + ".nn"):
            return reduced  # `torch` is rushlight: the pickle is the one PyTorch would write
        # the library's classes and functions are shown under PyTorch's names, by which they could not be found
        make, args, state, *rest = reduced
        if isinstance(state, dict) and any(type(value) is FunctionType for value in state.values()):
            state = {name: _by_name(value) for name, value in state.items()}
        cls = type(self)
        if cls.__module__.startswith("torch."):
            make, args = _instance, (cls.__module__.partition(".")[2], cls.__qualname__)
        return (make, args, state, *rest)

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        for name, make in _FIELDS:
            if name not in self.__dict__:
                # from a version of PyTorch that did not have it yet
                self.__dict__[name] = make()

    def _replicate_for_data_parallel(self):
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        replica._is_replica = True
        return replica


def _named(module, qualname):
    """A class or function of the library, by PyTorch's name for it without "torch.", for pickles."""
    found = importlib.import_module(f"{_OWN}.{module}" if module else _OWN)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _instance(module, qualname):
    """An empty instance of a class of the library, for pickles."""
    cls = _named(module, qualname)
    return cls.__new__(cls)


class _Reference:
    """Stands for a function of the library in a state that is pickled or copied: what comes back is the function."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return _named, (self.function.__module__.partition(".")[2], self.function.__qualname__)


def _by_name(value):
    if type(value) is FunctionType and value.__module__.partition(".")[0] == "torch":
        return _Reference(value)
    return value
