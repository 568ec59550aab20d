"""A module's state as a dictionary: writing it, and reading it back with every disagreement named."""

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

from ... import __future__ as _future
from ...autograd.modes import no_grad
from ...parameter import Parameter
from ...tensor import Tensor
from .module_hooks import WrappedHook, added

__all__ = ["StateMixin"]

EXTRA_STATE = "_extra_state"

_KEYS_DOC = "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ("missing_keys", "unexpected_keys"))):
    """What `load_state_dict` returns: the keys that only one side has."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _never(name):
    return RuntimeError(
        f"Reached a code path in Module.{name}() that should never be called. Please file an issue at "
        "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
    )


def _quoted(keys):
    return ", ".join(f'"{key}"' for key in keys)


def _tensor_like(value):
    return isinstance(value, Tensor) or hasattr(type(value), "__torch_function__")


class StateMixin:
    """The part of `Module` that deals with state dictionaries."""

    #: version of the layout of the module's own entries, kept in the dictionary's ``_metadata``
    _version = 1

    # ------------------------------------------------------------------------------------------------------- hooks

    def _register_state_dict_hook(self, hook):
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after writing; what it returns replaces the dictionary."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return added(self._state_dict_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after writing; it changes the dictionary in place."""
        hook._from_public_api = True
        return added(self._state_dict_hooks, hook)

    def register_state_dict_pre_hook(self, hook):
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` writes."""
        return added(self._state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        return added(self._load_state_dict_pre_hooks, WrappedHook(hook, self if with_module else None))

    def register_load_state_dict_pre_hook(self, hook):
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``
        before this module reads its entries."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook):
        """Call ``hook(module, incompatible_keys)`` after this module and its children have read; it may change the keys."""
        return added(self._load_state_dict_post_hooks, hook)

    # ----------------------------------------------------------------------------------------------------- writing

    def get_extra_state(self):
        """What else belongs into the state dictionary; override together with `set_extra_state`."""
        raise _never("get_extra_state")

    def set_extra_state(self, state):
        """Take back what `get_extra_state` returned."""
        raise _never("set_extra_state")

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Write this module's own entries, without its children's."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by dotted name.

        The values share memory with the module; they are detached unless ``keep_vars``.

        Args:
            destination: a dictionary to write to (a new OrderedDict by default).
            prefix: put before each name.
        """
        if args:
            warnings.warn(
                f"Positional args are being deprecated, use kwargs instead. Refer to {_KEYS_DOC} for details.",
                FutureWarning,
                stacklevel=2,
            )
            if destination is None:
                destination = args[0]
            if len(args) > 1 and prefix == "":
                prefix = args[1]
            if len(args) > 2 and keep_vars is False:
                keep_vars = args[2]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, metadata)
            if replaced is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = replaced
        return destination

    # ----------------------------------------------------------------------------------------------------- reading

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Take the values of `state_dict` into the parameters and buffers of the same names.

        Args:
            strict: whether a key that only one side has is an error.
            assign: take the tensors themselves in place of copying their values.

        Returns:
            A named tuple of ``missing_keys`` and ``unexpected_keys``.

        Raises:
            RuntimeError: all disagreements in one text; entries that agree have been taken over by then, as in PyTorch.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing, unexpected, errors = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata
        _load(self, state_dict, "", metadata, assign, (missing, unexpected, errors))
        if strict:
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if errors:
            joined = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{joined}")
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Read this module's own entries; what disagrees is appended to the three lists."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = {name: param for name, param in self._parameters.items() if param is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                own[name] = buffer
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, mine in own.items():
            key = prefix + name
            if key in state_dict:
                _take(self, name, mine, key, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)
        extra_key = prefix + EXTRA_STATE
        if _overrides(self, "set_extra_state"):
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if not strict:
            return
        for key in state_dict:
            if key.startswith(prefix) and key != extra_key:
                first, dot, _ = key[len(prefix) :].partition(".")
                if first not in (self._modules if dot else own):
                    unexpected_keys.append(key)


def _overrides(module, name):
    return getattr(type(module), name) is not getattr(StateMixin, name)


def _load(module, state_dict, prefix, metadata, assign, lists):
    """Let `module` and those below it read their entries of `state_dict`."""
    local = {} if metadata is None else metadata.get(prefix[:-1], {})
    if assign:
        local["assign_to_params_buffers"] = assign
    missing, unexpected, _ = lists
    module._load_from_state_dict(state_dict, prefix, local, True, *lists)
    for name, child in module._modules.items():
        if child is not None:
            start = f"{prefix}{name}."
            below = {key: value for key, value in state_dict.items() if key.startswith(start)}
            _load(child, below, start, metadata, assign, lists)
    keys = _IncompatibleKeys(missing, unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, if "
                "incompatible_keys need to be modified, it should be done inplace."
            )


def _take(module, name, mine, key, value, assign, errors):
    """Take one entry over, or say in `errors` why not."""
    if not _tensor_like(value):
        errors.append(
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but received '
            f"{type(value)}"
        )
        return
    lazy = hasattr(type(mine), "cls_to_become")  # uninitialised: no shape to compare yet
    if not lazy:
        if mine.ndim == 0 and tuple(value.shape) == (1,):
            # files from before PyTorch 0.4 have one-element tensors where there are scalars now
            value = value[0]
        if tuple(value.shape) != tuple(mine.shape):
            errors.append(
                f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current model is "
                f"{mine.shape}."
            )
            return
    try:
        with no_grad():
            if not assign:
                mine.copy_(value)
                return
            if _future.get_swap_module_params_on_conversion():
                mine.data = value.detach()
                return
            if isinstance(mine, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad_(mine.requires_grad)
                else:
                    value = Parameter(value, requires_grad=mine.requires_grad)
            setattr(module, name, value)
    except Exception as error:
        errors.append(
            f'While copying the parameter named "{key}", whose dimensions in the model are {mine.size()} and whose dimensions in the '
            f"checkpoint are {value.size()}, an exception occurred : {error.args}."
        )
