"""Automatic differentiation: ``torch.autograd``."""

import importlib
import sys
import types

from .modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled  # noqa: F401

__all__ = [  # noqa: F822 - most of them are loaded at first use
    *("Function", "NestedIOFunction", "Variable", "backward", "detect_anomaly", "enable_grad"),
    *("enforce_grad_layout_policy", "grad", "grad_mode", "gradcheck", "gradgradcheck", "inference_mode", "no_grad"),
    *("set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled", "variable"),
]

#: names of this package that live in modules which import tensors, loaded at first use
_LAZY = {
    **dict.fromkeys(("backward", "grad", "GradientEdge", "get_gradient_edge"), "calls"),
    "Variable": "variable",
    **dict.fromkeys(("Function", "NestedIOFunction"), "function"),
    **dict.fromkeys(("detect_anomaly", "set_detect_anomaly"), "anomaly"),
    "gradgradcheck": "gradcheck",
    "inference_mode": "inference",
    "SavedTensor": "saved",
    **dict.fromkeys(("_profiler_enabled", "_supported_activities", "kineto_available", "ProfilerActivity"), "profiler"),
    **dict.fromkeys(("_record_function_with_args_enter", "_record_function_with_args_exit"), "profiler"),
    "DeviceType": "profiler_util",
    **dict.fromkeys(("set_multithreading_enabled", "is_multithreading_enabled", "is_view_replay_enabled"), "grad_mode"),
    **dict.fromkeys(("_unsafe_preserve_version_counter", "_force_original_view_tracking"), "grad_mode"),
    "enforce_grad_layout_policy": "grad_mode",
}


def __getattr__(name):
    home = _LAZY.get(name)
    if home is not None:
        value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value
    if name == "torch":
        # PyTorch's module imports it, and old programs reach through
        return sys.modules[__name__.partition(".")[0]]
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
    from ..missing import explain

    raise AttributeError(explain("torch.autograd", name))


def __dir__():
    return sorted({*globals(), *_LAZY, *__all__})


class _Package(types.ModuleType):
    """This package. Its ``gradcheck`` and ``variable`` are the functions, also after the modules of these names are imported."""

    @property
    def gradcheck(self):
        return importlib.import_module(f"{__name__}.gradcheck").gradcheck

    @gradcheck.setter
    def gradcheck(self, module):
        """The import system wants to bind the module; it stays in ``sys.modules``."""

    @property
    def variable(self):
        return importlib.import_module(f"{__name__}.variable").variable

    @variable.setter
    def variable(self, module):
        """Likewise."""


sys.modules[__name__].__class__ = _Package
