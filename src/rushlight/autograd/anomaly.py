"""Anomaly mode: which line of the forward pass made the node whose derivative failed or is NaN.

While it is on, every node notes the traceback of the call that made it and, if it was made while another node ran (a derivative of a
derivative), that node. When a node then fails, or returns NaN, both are shown in a warning before the error is raised.
"""

import os
import sys
import threading
import traceback
import warnings

import numpy as np

from .graph import PACKAGE
from .modes import ContextDecorator, enter_rare, leave_rare

__all__ = [
    "check_outputs",
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "note",
    "report",
    "running",
    "set_detect_anomaly",
]

_on = False
_check_nan = True


class _Running(threading.local):
    node = None


#: the node that is running in this thread, kept for ``torch._C._current_autograd_node`` and for parents
running = _Running()


def is_anomaly_enabled():
    """Whether anomaly mode is on."""
    return _on


def is_anomaly_check_nan_enabled():
    return _check_nan


def _set(mode, check_nan):
    global _on, _check_nan
    if bool(mode) != _on:
        (enter_rare if mode else leave_rare)()
    _on, _check_nan = bool(mode), bool(check_nan)


class set_detect_anomaly(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Turn anomaly mode on or off at once; as a context manager it is put back at the end of the block.

    Args:
        mode: on or off.
        check_nan: whether NaN in a gradient is an error.
    """

    def __init__(self, mode, check_nan=True):
        for position, (name, value) in enumerate((("enabled", mode), ("check_nan", check_nan)), 1):
            if not isinstance(value, bool):
                raise TypeError(
                    f"set_anomaly_enabled(): argument '{name}' (position {position}) must be bool, not {type(value).__name__}"
                )
        self.mode, self.check_nan = mode, check_nan
        self.prev, self.prev_check_nan = _on, _check_nan
        _set(mode, check_nan)

    def clone(self):
        return type(self)(self.mode, self.check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        _set(self.prev, self.prev_check_nan)


class detect_anomaly(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Within the block, errors and NaN in backward name the forward call that made the failing node.

    >>> with torch.autograd.detect_anomaly():
    ...     loss = model(x)
    ...     loss.backward()
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        self.prev = _on
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
            UserWarning,
            stacklevel=2,
        )

    def clone(self):
        return type(self)(self.check_nan)

    def __enter__(self):
        self.prev, self.prev_check_nan = _on, _check_nan
        _set(True, self.check_nan)

    def __exit__(self, *exc):
        _set(self.prev, self.prev_check_nan)


def note(node):
    """Remember where a new node was made, if anomaly mode is on."""
    if _on:
        metadata = node.metadata
        metadata["traceback_"] = traceback.format_stack(_calling())
        if running.node is not None:
            metadata["parent_"] = running.node


def _calling():
    """The innermost frame that called an operator: of the program, or of modules and the like, which are Python in PyTorch too."""
    frame = sys._getframe(2)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        floor, deeper, _ = file[len(PACKAGE) :].partition(os.sep)
        if not file.startswith(PACKAGE) or (deeper and floor not in ("array", "autograd", "ops")):
            break
        frame = frame.f_back
    return frame


def report(node):
    """Warn about the forward call of a failing node and of those whose derivative it is."""
    found = node.metadata.get("traceback_")
    _warn(
        f"Error detected in {node.name()}. "
        + (_UNKNOWN if found is None else f"Traceback of forward call that caused the error:\n{''.join(found)}")
    )
    parent = node.metadata.get("parent_")
    while parent is not None:
        start = f"\n\nPrevious calculation was induced by {parent.name()}. "
        found = parent.metadata.get("traceback_")
        if found is None:
            _warn(start + _UNKNOWN)
            break
        _warn(f"{start}Traceback of forward call that induced the previous calculation:\n{''.join(found)}")
        parent = parent.metadata.get("parent_")


_UNKNOWN = "No forward pass information available. Enable detect anomaly during forward pass for more information."


def _warn(text):
    """Warn; where warnings are errors, print it, as the error that backward failed with is the one to raise."""
    try:
        warnings.warn(text, UserWarning, stacklevel=3)
    except UserWarning:
        traceback.print_exc()


def check_outputs(node, received):
    """RuntimeError if a node returned NaN and anomaly mode looks for it."""
    if not _check_nan:
        return
    for i, each in enumerate(received):
        if each is None:
            continue
        array = getattr(each, "_a", each)
        if np.asarray(array).dtype.kind in "fcV" and np.isnan(np.asarray(array)).any():
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")


for _class in (detect_anomaly, set_detect_anomaly):
    _class.__module__ = "torch.autograd.anomaly_mode"  # where users find them in PyTorch
