"""Call a module with other parameters and buffers than its own."""

import contextlib
import warnings

from ...tensor import Tensor

__all__ = ["functional_call"]

_ABSENT = object()


def _tied(module, given):
    """``given`` with a value for every name of a tensor that the module has under several."""
    names = {}
    for known in (module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)):
        for name, tensor in known:
            names.setdefault(id(tensor), []).append(name)
    result = dict(given)
    for group in names.values():
        values = [given[name] for name in group if name in given]
        if len(group) == 1 or not values:
            continue
        if any(each is not values[0] for each in values):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(group)}, which are tied. Consider using tie_weights=False"
            )
        result.update(dict.fromkeys(group, values[0]))
    return result


def _check_names(module, given):
    """RuntimeError unless ``given`` names exactly the module's parameters and buffers."""
    own = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    own += [name for name, _ in module.named_buffers(remove_duplicate=False)]
    problems = []
    for text, keys in (
        ("Unexpected", [name for name in given if name not in own]),
        ("Missing", [name for name in own if name not in given]),
    ):
        if keys:
            problems.append(f"{text} key(s): {', '.join(map(repr, sorted(keys)))}.")
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(problems))


def _swap(module, name, value):
    """Put ``value`` (a tensor, None or `_ABSENT`) at a dotted path, past all checks of registration; returns what was there."""
    path, _, name = name.rpartition(".")
    owner = module.get_submodule(path)
    if value is not _ABSENT and value is not None and not isinstance(value, Tensor):
        raise TypeError(f"{value} is not an instance of torch.Tensor")
    for place in (owner._parameters, owner._buffers):
        if name in place:
            before = place[name]
            if value is _ABSENT:
                del place[name]
            else:
                place[name] = value
            return before
    before = getattr(owner, name, _ABSENT)
    if before is not _ABSENT and before is not None and not isinstance(before, Tensor):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of torch.Tensor")
    if value is not _ABSENT:
        setattr(owner, name, value)
    elif before is not _ABSENT:
        delattr(owner, name)
    return before


@contextlib.contextmanager
def _reparametrize_module(module, parameters_and_buffers, tie_weights=False, strict=False, stack_weights=False):
    """Within, the module has the tensors given; what it replaced them by in the meantime is written back to the dictionary."""
    given = _tied(module, parameters_and_buffers) if tie_weights else parameters_and_buffers
    if strict:
        _check_names(module, given)
    before = {}
    try:
        for name, value in given.items():
            before[name] = _swap(module, name, value)
        yield
    finally:
        names = reversed(before) if stack_weights else before
        after = {name: _swap(module, name, before[name]) for name in names}
        for name in parameters_and_buffers:
            if after.get(name, _ABSENT) is not _ABSENT:
                parameters_and_buffers[name] = after[name]


def _functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """``module(*args, **kwargs)`` with other parameters and buffers.

    Args:
        parameters_and_buffers: tensors by name; those not named stay.
        args: positional arguments, a tuple; anything else is the only one.
        kwargs: keyword arguments, a dictionary.
        tie_weights: a tensor that the module has under several names is replaced under all.
        strict: RuntimeError unless all parameters and buffers, and nothing else, are named.
    """
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **({} if kwargs is None else kwargs))


def functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """The older place of ``torch.func.functional_call``."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future version of "
        "PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
