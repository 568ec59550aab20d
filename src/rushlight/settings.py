"""Process-wide settings of PyTorch that have nothing to change here: they are checked, kept and given back.

Every operator of rushlight is deterministic, and matrix products of float32 are computed in float32.
"""

import warnings

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_warn_always",
    "use_deterministic_algorithms",
]

_DEBUG_MODES = ("default", "warn", "error")

_deterministic = _warn_only = False
_precision = "highest"
_warn_always = False
_warned = set()


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Ask for deterministic algorithms; there are no others."""
    global _deterministic, _warn_only
    if not isinstance(mode, bool):
        raise TypeError(
            f"_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not {type(mode).__name__}"
        )
    _deterministic, _warn_only = mode, warn_only


def are_deterministic_algorithms_enabled():
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled():
    return _warn_only


def set_deterministic_debug_mode(debug_mode):
    """0 or "default", 1 or "warn", 2 or "error"."""
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got " + debug_mode
            )
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode():
    return (1 if _warn_only else 2) if _deterministic else 0


def set_float32_matmul_precision(precision):
    """Allow products in less than float32 ("high", "medium"), which are not made here."""
    global _precision
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call has no effect.",
            stacklevel=2,
        )
        return
    _precision = precision


def get_float32_matmul_precision():
    return _precision


def set_warn_always(b, /):
    """Whether warnings that are given once in a process are given each time; False unless set."""
    global _warn_always
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _warn_always = b


def is_warn_always_enabled():
    return _warn_always


def first_warning(what):
    """Whether the warning that ``what`` names is to be given: the first time, or always if so set."""
    if what in _warned and not _warn_always:
        return False
    _warned.add(what)
    return True
