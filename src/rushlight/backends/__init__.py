"""``torch.backends``: switches of PyTorch's libraries. None of them is here; asking is answered truthfully, setting has no effect to have."""

import contextlib
import importlib.machinery
import sys
import types

from ..missing import module_getattr
from . import mha  # noqa: F401


class _Switches:
    """Settings that keep what they are set to."""

    def __init__(self, **switches):
        self.__dict__.update(switches)


class _Backend(types.ModuleType):
    """The module of a library of PyTorch's that is not here: ``is_available()`` is False, and its switches keep what they are set to."""

    def __init__(self, name, **switches):
        super().__init__(f"{__name__}.{name}", f"``torch.backends.{name}``: a library that is not here.")
        self.__spec__ = importlib.machinery.ModuleSpec(self.__name__, None)
        self.__dict__.update(switches)
        sys.modules[self.__name__] = self

    def __getattr__(self, name):
        return module_getattr(self.__name__)(name)

    def is_available(self):
        return False

    def is_built(self):
        return False

    def version(self):
        return None

    @contextlib.contextmanager
    def flags(self, **switches):
        """Within the block the switches are as given."""
        before = {name: self.__dict__[name] for name in switches if name in self.__dict__}
        unknown = set(switches) - set(before)
        if unknown:
            raise TypeError(f"flags() got an unexpected keyword argument '{min(unknown)}'")
        self.__dict__.update(switches)
        try:
            yield
        finally:
            self.__dict__.update(before)


class _Attention(_Backend):
    """``torch.backends.cuda``, with the switches of the kernels for attention; there is one way to compute it here."""

    _kernels = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True}

    def __getattr__(self, name):
        if name.startswith("enable_") and name.endswith("_sdp") and name[7:-4] in self._kernels:
            return lambda enabled: self._kernels.__setitem__(name[7:-4], bool(enabled))
        if name.endswith("_sdp_enabled") and name[:-12] in self._kernels:
            return lambda: self._kernels[name[:-12]]
        return super().__getattr__(name)

    @contextlib.contextmanager
    def sdp_kernel(self, enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
        """Within the block the switches are as given."""
        before = dict(self._kernels)
        self._kernels.update(
            flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
        )
        try:
            yield
        finally:
            self._kernels.update(before)


cudnn = _Backend(
    "cudnn",
    enabled=True,
    benchmark=False,
    benchmark_limit=None,
    deterministic=False,
    allow_tf32=True,
    fp32_precision="none",
    conv=_Switches(fp32_precision="none"),
    rnn=_Switches(fp32_precision="none"),
)
cuda = _Attention(
    "cuda",
    matmul=_Switches(
        allow_tf32=False,
        allow_fp16_reduced_precision_reduction=True,
        allow_bf16_reduced_precision_reduction=True,
        fp32_precision="none",
    ),
    preferred_linalg_library=None,
)
mps = _Backend("mps")
mkl = _Backend("mkl")
mkldnn = _Backend("mkldnn", enabled=False, deterministic=False, allow_tf32=None, fp32_precision="none")
nnpack = _Backend("nnpack")
openmp = _Backend("openmp")
opt_einsum = _Backend("opt_einsum", enabled=False, strategy=None)
quantized = _Backend("quantized", engine="none", supported_engines=["none"])
__getattr__ = module_getattr(__name__)
