"""Running an optimiser on other parameters and state than its own, for a while."""

import contextlib
from collections import defaultdict

from ..tensor import Tensor

_WHO = "swap_in_optimizer_params_and_state requires"


@contextlib.contextmanager
def swap_in_optimizer_params_and_state(optimizer, swapin_parameters, swapin_optim_state):
    """Within the context, ``optimizer`` has the given parameters, state and options; afterwards its own again.

    Args:
        optimizer: one whose state exists already.
        swapin_parameters: dict of tensors, in the order of the optimiser's parameters.
        swapin_optim_state: what ``optimizer.state_dict()`` of such parameters returns; its tensors are written to in place.

    Raises:
        RuntimeError: the state does not fit the optimiser.
    """
    state, groups = _checked(optimizer, swapin_parameters, swapin_optim_state)
    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        taken = defaultdict(dict)
        for live, other, params in groups:
            live.update({key: value for key, value in other.items() if key != "params"}, params=params)
            for p, number in zip(params, other["params"]):
                taken[p] = dict(state.get(number, {}))
        optimizer.state = taken
        yield
    finally:
        for group, own in zip(optimizer.param_groups, own_groups):
            group.clear()
            group.update(own)
        optimizer.state = own_state


def _checked(optimizer, parameters, given):
    """The state by number, and (live group, given group, parameters) for each group."""
    if not optimizer.state:
        raise RuntimeError(f"{_WHO} initialized optimizer state.")
    if not isinstance(given, dict):
        raise RuntimeError(f"{_WHO} a DCP-style optimizer state_dict.")
    state, given_groups = given.get("state"), given.get("param_groups")
    if not isinstance(state, dict):
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param state dicts, "
            f"got {type(state).__name__}."
        )
    if any(isinstance(key, Tensor) for key in state):
        raise RuntimeError(f"{_WHO} optimizer.state_dict()-style state keyed by packed parameter ids.")
    if any(isinstance(key, int) and not isinstance(value, dict) for key, value in state.items()):
        raise RuntimeError(f"{_WHO} per-parameter optimizer state entries to be dictionaries.")
    if not isinstance(given_groups, list):
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['param_groups'] to be a list of param-group dicts, got {type(given_groups).__name__}."
        )
    if len(optimizer.param_groups) != len(given_groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    flat, start, known, groups = list(parameters.values()), 0, set(), []
    for index, (live, other) in enumerate(zip(optimizer.param_groups, given_groups)):
        numbers = _checked_group(index, live, other)
        known.update(numbers)
        stop = start + len(numbers)
        if stop > len(flat):
            raise RuntimeError(f"{_WHO} the explicit parameter state to match optimizer.param_groups ordering.")
        groups.append((live, other, flat[start:stop]))
        start = stop
    extra = [key for key in state if key not in known]
    if extra:
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['state'] to be keyed only by packed parameter ids from param_groups[*]['params']; "
            f"got extra keys {extra!r}."
        )
    return state, groups


def _checked_group(index, live, other):
    """The numbers of a given group's parameters."""
    if not isinstance(other, dict):
        raise RuntimeError(f"{_WHO} each optimizer param group to be a dictionary.")
    numbers = other.get("params")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise RuntimeError(
            f"{_WHO} optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed parameter ids."
        )
    if len(live["params"]) != len(numbers):
        raise RuntimeError(
            f"swapin_optim_state param group {index} has a different number of params than the live optimizer param group."
        )
    only_given, only_live = [key for key in other if key not in live], [key for key in live if key not in other]
    if only_given or only_live:
        raise RuntimeError(
            f"{_WHO} optimizer.state_dict()-style param group keys to exactly match the live optimizer group keys for "
            f"group {index}. Keys only in swap-in: {only_given}. Keys only in live: {only_live}."
        )
    return numbers


swap_in_optimizer_params_and_state.__module__ = "torch.optim"
