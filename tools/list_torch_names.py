"""Write `src/rushlight/data/torch_names.txt`: the public names of the real PyTorch, module by module.

    python tools/list_torch_names.py

Needs PyTorch (the version is written into the file). The list is data for `rushlight.missing`, which tells a name that
is not there yet from a name that PyTorch does not have either, and for `tools/coverage.py`.

Format: a line `[torch.nn]` opens a module or class, the following lines hold its names, separated by blanks. What
`torch` shows only for its own machinery stands apart under `[torch (internals)]`.
"""

import importlib
import pathlib
import re
import textwrap
import warnings

TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "rushlight" / "data" / "torch_names.txt"

MODULES = (
    "torch",
    "torch.Tensor",
    "torch.autograd",
    "torch.autograd.forward_ad",
    "torch.autograd.function",
    "torch.autograd.functional",
    "torch.autograd.gradcheck",
    "torch.autograd.graph",
    "torch.autograd.profiler",
    "torch.autograd.variable",
    "torch.amp",
    "torch.cpu",
    "torch.cuda",
    "torch.distributed",
    "torch.distributions",
    "torch.distributions.constraints",
    "torch.distributions.kl",
    "torch.distributions.transforms",
    "torch.export",
    "torch.fft",
    "torch.func",
    "torch.fx",
    "torch.futures",
    "torch.hub",
    "torch.jit",
    "torch.library",
    "torch.linalg",
    "torch.masked",
    "torch.mps",
    "torch.multiprocessing",
    "torch.nested",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.attention",
    "torch.nn.init",
    "torch.nn.modules",
    "torch.nn.parallel",
    "torch.nn.parameter",
    "torch.nn.utils",
    "torch.nn.utils.parametrizations",
    "torch.nn.utils.parametrize",
    "torch.nn.utils.prune",
    "torch.nn.utils.rnn",
    "torch.onnx",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.swa_utils",
    "torch.overrides",
    "torch.profiler",
    "torch.quasirandom",
    "torch.random",
    "torch.return_types",
    "torch.serialization",
    "torch.signal",
    "torch.signal.windows",
    "torch.sparse",
    "torch.special",
    "torch.testing",
    "torch.types",
    "torch.utils",
    "torch.utils.benchmark",
    "torch.utils.checkpoint",
    "torch.utils.data",
    "torch.utils.data.distributed",
    "torch.utils.dlpack",
    "torch.utils.hooks",
    "torch.version",
)

# Names that modules show by accident: what they import for their own use.
ACCIDENTS = {
    "annotations",
    "torch",
    "common_args",
    "factory_common_args",
    "reduceops_common_args",
    "multi_dim_common",
    "sys",
    "os",
    "math",
    "warnings",
    "re",
    "typing",
    "functools",
    "itertools",
    "inspect",
}


def public(module, holder):
    """The public names of a module or class: its `__all__` and whatever else it shows without an underscore."""
    import types

    names = set(getattr(holder, "__all__", ()) or ())
    for name in dir(holder):
        if name.startswith("_") and not (isinstance(holder, type) and name.startswith("__")):
            continue
        if name in ACCIDENTS:
            continue
        try:
            value = getattr(holder, name)
        except Exception:  # a descriptor that refuses to be read from the class
            names.add(name)
            continue
        if isinstance(value, types.ModuleType) and not value.__name__.startswith("torch"):
            continue
        if getattr(value, "__module__", None) in ("typing", "typing_extensions", "collections.abc"):
            continue
        names.add(name)
    if isinstance(holder, type):
        names -= set(dir(object))
        names -= {"__dict__", "__weakref__", "__module__", "__annotations__", "__static_attributes__"}
    return sorted(n for n in names if n.isidentifier())


# Functions PyTorch shows in `torch` for its own C++ code: kernels of other devices and libraries, quantised arithmetic.
INTERNAL = re.compile(
    r"(cudnn|miopen|mkldnn|fbgemm|quantize|quantized|q_|fake_quantize|fused_moving|batch_norm_|native_(channel|dropout|norm)"
    r"|sym_|fork|wait$|parse_|merge_type|import_ir|unify_type|read_vitals|set_vital|vitals|init_num_threads|autocast_|clear_autocast"
    r"|set_autocast|get_autocast|is_autocast|default_generator|cpp|classproperty|get_file_path|prepare_multiprocessing|to_dlpack"
    r"|[a-z0-9_]+_copy$|bits|quint|qint|float8|float4|int[1-7]$|uint[1-7]$|bit$|segment_reduce"
    r"|embedding_renorm|ccol_indices|crow_indices|col_indices|row_indices|sspaddmm|hspmm|dsmm|hsmm|smm|saddmm|spmm)"
)


# Classes of PyTorch's C++ side that users do meet.
PUBLIC_CLASSES = {
    *(
        "Generator",
        "Size",
        "device",
        "dtype",
        "finfo",
        "iinfo",
        "layout",
        "memory_format",
        "qscheme",
        "Event",
        "Stream",
    ),
    *("AcceleratorError", "OutOfMemoryError", "Tag", "Tensor"),
}
PUBLIC_COPIES = {"index_copy"}


def is_internal(name, value):
    """Whether a name in `torch` is there for PyTorch's own machinery: TorchScript's classes, kernels of its C++ side."""
    import torch

    if isinstance(value, type):
        tensor_class = name.endswith(("Tensor", "Storage")) and not name.startswith("Q")
        script = "Script" in name or not hasattr(torch, "__all__") or name not in torch.__all__
        return name not in PUBLIC_CLASSES and not tensor_class and (hasattr(torch._C, name) or script)
    if name in PUBLIC_COPIES:
        return False
    return bool(INTERNAL.match(name)) or (name.isupper() and not isinstance(value, float))


def main():
    warnings.simplefilter("ignore")
    import torch

    lines = [f"# Public names of PyTorch {torch.__version__.split('+')[0]}, written by tools/list_torch_names.py"]
    for module in MODULES:
        holder = torch.Tensor if module == "torch.Tensor" else importlib.import_module(module)
        found = public(module, holder)
        internals = [n for n in found if is_internal(n, getattr(holder, n, None))] if module == "torch" else []
        groups = {module: [n for n in found if n not in internals], f"{module} (internals)": internals}
        for title, group in groups.items():
            if group or title == module:
                lines.append(f"[{title}]")
                lines += textwrap.wrap(" ".join(group), 118, break_on_hyphens=False, break_long_words=False)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {len(MODULES)} modules")


if __name__ == "__main__":
    main()
