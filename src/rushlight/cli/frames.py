"""Tracebacks with the user's frames: how the script was started, and what rushlight did inside, is left out.

PyTorch's own work happens in compiled code that leaves no frames, so a script's traceback ends at the line that called it. Here it
does too. ``RUSHLIGHT_TRACEBACK=full`` in the environment shows everything, for whoever looks for an error in rushlight.
"""

import os
import re
import sys
import types

__all__ = ["report", "trim"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_LIBRARIES = ("numpy", "scipy", "ml_dtypes", "numba")


def _is_machinery(frame):
    """Whether a frame belongs to rushlight."""
    return frame.f_code.co_filename.startswith(_PACKAGE)


def _is_library(frame):
    """Whether a frame is of a library that rushlight works with; called from rushlight, it is rushlight's own business."""
    file = frame.f_code.co_filename
    if frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES or file.startswith("<frozen "):
        return True
    return file.startswith(_STANDARD) and "site-packages" not in file


def _visible(traceback):
    """All entries of a traceback, and those to show."""
    entries, shown, inside = [], [], False
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    for entry in entries:
        # a hook or function of the user's that rushlight calls is shown again
        inside = _is_machinery(entry.tb_frame) or (inside and _is_library(entry.tb_frame))
        if not inside:
            shown.append(entry)
    return entries, shown


def trim(error, seen=None):
    """Leave rushlight's frames out of an exception's traceback, and of the exceptions that led to it."""
    seen = set() if seen is None else seen
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    entries, shown = _visible(error.__traceback__)
    if len(shown) < len(entries):
        rest = None
        for entry in reversed(shown):
            rest = types.TracebackType(rest, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        error.__traceback__ = rest
    trim(error.__cause__, seen)
    trim(error.__context__, seen)
    for inner in getattr(error, "exceptions", ()) if isinstance(error, BaseExceptionGroup) else ():
        trim(inner, seen)


def _say_what_is_missing(error):
    """``from torch import x`` drops what rushlight says about a missing ``x``; say it again below Python's own message."""
    module = getattr(error, "name", None) or ""
    name = re.match(r"cannot import name '(\w+)' from", str(error))
    if isinstance(error, ImportError) and module.partition(".")[0] == "rushlight" and name:
        try:
            getattr(sys.modules[module], name.group(1))
        except (AttributeError, KeyError) as missing:
            error.add_note(str(missing))


def report(error):
    """Show an exception that nobody caught, as the interpreter would, by way of ``sys.excepthook``."""
    _say_what_is_missing(error)
    if os.environ.get("RUSHLIGHT_TRACEBACK") != "full":
        trim(error)
    sys.excepthook(type(error), error, error.__traceback__)
