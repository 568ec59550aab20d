"""``torch.optim.optimizer``: what every optimiser is: groups of parameters, state kept for each, hooks, and checkpoints.

How the update itself is computed is no business of this class; see ``_elementwise`` for the optimisers that are declared by a rule.
"""

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

from .. import dtypes
from ..autograd.hooks import RemovableHandle
from ..autograd.modes import marked, set_grad, thread
from ..parameter import Parameter, clear_gradients
from ..shown import Shown
from ..tensor import Tensor

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]

#: hooks of all optimisers, by the number of their handle
_global_optimizer_pre_hooks = OrderedDict()
_global_optimizer_post_hooks = OrderedDict()


class _RequiredParameter:
    """Stands in ``defaults`` for an option that has none: each group must give it."""

    def __repr__(self):
        return "<required parameter>"


required = _RequiredParameter()

_params_doc = (
    "params (iterable): parameters or (name, parameter) pairs to optimise, or dicts that define groups of them"
)
_foreach_doc = "foreach (bool, optional): accepted and checked; on the CPU every parameter is updated in turn"
_fused_doc = (
    "fused (bool, optional): obey ``grad_scale`` and ``found_inf`` of a gradient scaler, and keep ``step`` in float32"
)
_capturable_doc = (
    "capturable (bool, optional): for graphs of accelerators; a step on the CPU refuses it, as PyTorch's does"
)
_differentiable_doc = (
    "differentiable (bool, optional): record the step, so that gradients flow through it (default: False)"
)
_maximize_doc = "maximize (bool, optional): maximise the objective instead of minimising it (default: False)"


# -------------------------------------------------------------------------------------- what optimisers are written with


def _use_grad_for_differentiable(func):
    """Run ``func(self, ...)`` with recording on or off as the optimiser's ``differentiable`` says."""

    @functools.wraps(func)
    def recorded(*args, **kwargs):
        was = set_grad(bool(args[0].defaults["differentiable"]))
        try:
            return func(*args, **kwargs)
        finally:
            set_grad(was)

    return recorded


def _get_value(x):
    """The number in a tensor of one element; a number as it is."""
    return x.item() if isinstance(x, Tensor) else x


def _stack_if_compiling(x):
    """A list as it is: nothing is traced here, so nothing needs stacking."""
    return x


def _to_scalar(x):
    """A hyperparameter given as a tensor of one element becomes 0-dimensional."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def _get_scalar_dtype(is_fused=None):
    """The dtype of state that is one number, such as ``step``."""
    if not is_fused and dtypes.get_default_dtype() is dtypes.float64:
        return dtypes.float64
    return dtypes.float32


def _get_capturable_supported_devices(supports_xla=True):
    return ["cuda", "xpu", "hpu", "privateuseone", *(["xla"] if supports_xla else [])]


_FUSED_DEVICES = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


def _device_dtype_check_for_fused(p, cuda_unsupported=False):
    """Refuse ``fused=True`` for parameters that are not floating."""
    if not p.dtype.is_floating_point:
        devices = [each for each in _FUSED_DEVICES if not (cuda_unsupported and each == "cuda")]
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of "
            f"supported devices: {devices} but {p.dtype} and {p.device.type}"
        )


def _default_to_fused_or_foreach(params, differentiable, use_fused=False):
    """(fused, foreach) where the user said neither: on the CPU PyTorch takes parameters in turn."""
    if differentiable:
        return False, False
    plain = all(p is None or (type(p) in (Tensor, Parameter) and p.dtype.is_floating_point) for p in params)
    return use_fused and plain, False


def _view_as_real(params, *state_and_grads):
    """Replace the complex tensors of the lists by real views of them, in place."""
    for i, p in enumerate(params):
        if p.is_complex():
            for each in (params, *state_and_grads):
                each[i] = each[i].view_as_real()


def _disable_dynamo_if_unsupported(single_tensor_fn=None):
    """A decorator that changes nothing: there is no compiler to keep out."""
    return lambda func: func


# ------------------------------------------------------------------------------------------------------------- hooks


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook):
    """Call ``hook(optimizer, args, kwargs)`` before each step of any optimiser; it may return new ``(args, kwargs)``.

    Returns a handle with ``remove()``.
    """
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call ``hook(optimizer, args, kwargs)`` after each step of any optimiser. Returns a handle with ``remove()``."""
    return _register(_global_optimizer_post_hooks, hook)


_HOOKS = tuple(
    f"_optimizer_{when}_hooks"
    for when in (
        *("step_pre", "step_post", "state_dict_pre", "state_dict_post"),
        *("load_state_dict_pre", "load_state_dict_post"),
    )
)


class Optimizer(Shown):
    """Base of all optimisers.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and the options of a group; in an order that does not
            change from run to run.
        defaults: the options of groups that do not give their own.

    ``param_groups`` is the list of groups, ``state`` maps a parameter to what is kept for it.
    """

    def __init__(self, params, defaults):
        self.defaults = defaults
        for name in _HOOKS:
            setattr(self, name, OrderedDict())
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + _typename(params)
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if len(groups) == 0:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        self._warned_capturable_if_run_uncaptured = True

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        for name in _HOOKS:
            if name not in self.__dict__:
                setattr(self, name, OrderedDict())
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self):
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # --------------------------------------------------------------------------------------------------- the step

    def step(self, closure=None):
        """Update the parameters once; ``closure`` computes the loss again and returns it."""
        raise NotImplementedError

    @staticmethod
    def profile_hook_step(func):
        """``func``, a step, with the hooks around it and a mark for the profiler."""

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            self = args[0]
            with marked(f"Optimizer.step#{type(self).__name__}.step"):
                return hooked(self, args, kwargs)

        def hooked(self, args, kwargs):
            if _global_optimizer_pre_hooks or self._optimizer_step_pre_hooks:
                args, kwargs = before(self, args, kwargs)
            out = func(*args, **kwargs)
            self._optimizer_step_code()
            if _global_optimizer_post_hooks or self._optimizer_step_post_hooks:
                for hook in chain(self._optimizer_step_post_hooks.values(), _global_optimizer_post_hooks.values()):
                    hook(self, args, kwargs)
            return out

        def before(self, args, kwargs):
            for hook in chain(_global_optimizer_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
                result = hook(self, args, kwargs)
                if result is not None:
                    if not (isinstance(result, tuple) and len(result) == 2):
                        raise RuntimeError(
                            f"{func} must return None or a tuple of (new_args, new_kwargs), but got {result}."
                        )
                    args, kwargs = result
            return args, kwargs

        return wrapper

    def _patch_step_function(self):
        """Put the hooks around the class's own ``step``, once for each class."""
        self._zero_grad_profile_name = f"Optimizer.zero_grad#{type(self).__name__}.zero_grad"
        if not getattr(type(self).step, "hooked", None):
            type(self).step = self.profile_hook_step(type(self).step)
            type(self).step.hooked = True

    def _optimizer_step_code(self):
        """Called after each step; profilers put their own in its place."""

    def _accelerator_graph_capture_health_check(self):
        """Nothing to check: without an accelerator no graph is being captured."""

    _cuda_graph_capture_health_check = _accelerator_graph_capture_health_check

    def zero_grad(self, set_to_none=True):
        """Drop the gradients of all parameters, or fill them with zeros if ``set_to_none`` is False."""
        with marked(self._zero_grad_profile_name):
            for group in self.param_groups:
                clear_gradients(group["params"], set_to_none)

    # ------------------------------------------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook):
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ``(args, kwargs)``."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call ``hook(optimizer)`` before ``state_dict``; ``prepend`` puts it before the others."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call ``hook(optimizer, state_dict)`` on what ``state_dict`` made; it may return another."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call ``hook(optimizer, state_dict)`` with a shallow copy of what is to be loaded; it may return another."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call ``hook(optimizer)`` after ``load_state_dict``."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # ------------------------------------------------------------------------------------------------ checkpoints

    def state_dict(self):
        """What a checkpoint keeps: ``{"state": {number: ...}, "param_groups": [...]}``, parameters numbered in order.

        The tensors in it are the optimiser's own, not copies.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for number, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), number)
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            start += len(packed["params"])
            groups.append(packed)
        made = {
            "state": {numbers[id(k)] if isinstance(k, Tensor) else k: value for k, value in self.state.items()},
            "param_groups": groups,
        }
        for hook in self._optimizer_state_dict_post_hooks.values():
            result = hook(self, made)
            if result is not None:
                made = result
        return made

    def load_state_dict(self, state_dict):
        """Take over what ``state_dict`` returned, state cast to the parameters' dtypes.

        Raises:
            ValueError: the groups, or the numbers of parameters in them, do not fit.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            result = hook(self, state_dict)
            if result is not None:
                state_dict = result
        groups = self.param_groups
        saved = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(group["params"]) != len(other["params"]) for group, other in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        params = {
            number: p for group, other in zip(groups, saved) for number, p in zip(other["params"], group["params"])
        }
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = _fit(params[key], value, key, state_dict["param_groups"])
            else:
                state[key] = value
        for group, other in zip(groups, saved):
            other["params"] = group["params"]
            if "param_names" in group:
                other.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @staticmethod
    def _process_value_according_to_param_policy(param, value, param_id, param_groups, key=None):
        """A loaded tensor as the state of ``param``: of its dtype if that is floating; ``step`` keeps its own."""
        if key == "step":
            group = next((each for each in param_groups if param_id in each["params"]), {})
            in_single = group.get("fused", False) or group.get("capturable", False)
            return value.to(dtype=dtypes.float32) if in_single else value
        return value.to(dtype=param.dtype) if param.is_floating_point() else value

    # ----------------------------------------------------------------------------------------------------- groups

    def add_param_group(self, param_group):
        """Add a group: a dict with ``params`` and any options that differ from the defaults.

        Raises:
            TypeError: it is no dict, its parameters are a set, or one of them is no tensor.
            ValueError: a non-leaf, a missing required option, names for some only, or a parameter that is in a group already.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [each[0] for each in params if isinstance(each, tuple)]
        params = [each[1] if isinstance(each, tuple) else each for each in params]
        param_group["params"] = params
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + _typename(p))
            if not self.defaults.get("differentiable", None) and not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                how = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {how} to the optimizer"
                )
        known = {p for group in self.param_groups for p in group["params"]}
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)


def _fit(param, value, number, groups, key=None):
    """A value of a loaded state as state of ``param``: containers anew, tensors cast."""
    if isinstance(value, Tensor):
        return Optimizer._process_value_according_to_param_policy(param, value, number, groups, key)
    if isinstance(value, dict):
        return {k: _fit(param, v, number, groups, k) for k, v in value.items()}
    if isinstance(value, Iterable):
        return type(value)(_fit(param, v, number, groups) for v in value)
    return value


def _typename(obj):
    if isinstance(obj, Tensor):
        return obj.type()
    return f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix("builtins.")


def evaluate(closure):
    """The loss that a step's closure computes, recorded whatever the step itself is; None without a closure."""
    if closure is None:
        return None
    was = thread.grad
    set_grad(True)
    try:
        return closure()
    finally:
        set_grad(was)
