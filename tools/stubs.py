"""Write the stubs of what the op table makes at import: Tensor's methods, and the functions of torch and its modules of functions.

    python tools/stubs.py [FOLDER]    # into src/rushlight, or another copy of the package

The package is built with them (`setup.py`); they are not kept in the repository. Type checkers and editors read them. Names, parameters and the first line of what a function says of itself are those of the running
package. A result is named where it is the same for every call, and Any where it is not (`max` gives a tensor or a pair); so are arguments.
"""

import importlib
import inspect
import keyword
import pathlib
import pkgutil
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import rushlight  # noqa: E402
import rushlight.alias  # noqa: E402
from rushlight import Tensor  # noqa: E402
from rushlight.ops.table import OPS  # noqa: E402

#: modules whose functions the op table makes, and packages that find their classes when they are first asked for
MODULES = ("nn.functional", "linalg", "fft", "special", "signal.windows")
PACKAGES = ("", "nn", "utils", "utils.data", "distributions")

HEAD = '''"""Written by tools/stubs.py from the op table: do not edit."""

# fmt: off

import builtins
from collections.abc import Iterator
from typing import Any

from . import devices, dtypes
from .size import Size

def __getattr__(name: str) -> Any: ...

class Tensor:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
'''
#: methods and attributes that are tensors, beyond elementwise operators and what writes in place
TENSORS = """T H mT mH data real imag abs addmm all any argmax argmin argsort baddbmm bmm clamp clip clone contiguous cpu cumprod cumsum
detach diag diagonal dist dot double expand expand_as fill_diagonal flatten flip float gather half index_select int inverse log_softmax
logsumexp long masked_fill masked_select matmul mean mm movedim mv narrow new_empty new_full new_ones new_tensor new_zeros norm outer
permute prod repeat repeat_interleave reshape reshape_as roll scatter scatter_add select softmax squeeze std sum swapaxes t take to
transpose tril triu unflatten unfold unsqueeze var view view_as where bool bfloat16""".split()
#: functions that give a tensor whatever they are given, beyond those that are methods too
MADE = """tensor as_tensor asarray from_numpy frombuffer scalar_tensor zeros ones empty full eye rand randn randint randperm zeros_like
ones_like empty_like full_like rand_like randn_like randint_like arange range linspace logspace complex polar cat concat concatenate
stack hstack vstack dstack column_stack einsum bernoulli normal poisson multinomial tril_indices triu_indices vander cartesian_prod
block_diag kron cdist conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear bilinear relu gelu silu elu
leaky_relu log_softmax softmax softmin gumbel_softmax layer_norm batch_norm group_norm instance_norm rms_norm dropout embedding
embedding_bag one_hot pad interpolate grid_sample affine_grid unfold fold avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_avg_pool3d cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy
binary_cross_entropy_with_logits ctc_loss cosine_similarity pairwise_distance normalize scaled_dot_product_attention pixel_shuffle
pixel_unshuffle det inv pinv solve cholesky norm vector_norm matrix_norm matrix_exp matrix_power multi_dot eigvals eigvalsh svdvals cond
vdot cross householder_product fft ifft fft2 ifft2 fftn ifftn rfft irfft rfft2 irfft2 rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift
ifftshift""".split()
#: other results
RESULTS = {
    "shape": "Size",
    "dtype": "dtypes.dtype",
    "device": "devices.device",
    **dict.fromkeys(
        ("ndim", "itemsize", "nbytes", "dim", "numel", "nelement", "element_size", "storage_offset"), "int"
    ),
    **dict.fromkeys(("data_ptr", "__len__", "__int__", "__index__", "__hash__", "get_device"), "int"),
    **dict.fromkeys(("requires_grad", "is_leaf", "is_floating_point", "is_complex", "is_contiguous"), "bool"),
    **dict.fromkeys(("__bool__", "__contains__", "is_cuda", "is_sparse", "is_cpu", "is_meta", "equal"), "bool"),
    **dict.fromkeys(("backward", "__setitem__", "retain_grad"), "None"),
    "__float__": "float",
    "__complex__": "complex",
    **dict.fromkeys(("__repr__", "__format__"), "str"),
    "__iter__": "Iterator[Tensor]",
    "__getitem__": "Tensor",
}
#: what every class has
COMMON = set(dir(object)) - {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__"} | {
    *("__dict__", "__module__", "__slots__", "__weakref__", "__torch_function__"),
}


def result(name, value):
    """The type of an attribute, or of what a method returns."""
    if name in RESULTS:
        known = RESULTS[name]
        return f"builtins.{known}" if known in ("int", "bool", "float", "complex", "str") else known
    operator = name.startswith("__") and name not in ("__deepcopy__", "__copy__") and callable(value)
    op = OPS.get(name)
    elementwise = op is not None and op.elementwise
    written = name.endswith("_") and not name.startswith("_")
    if name in TENSORS or elementwise or written or operator and not name.startswith(("__array", "__dlpack")):
        return "Tensor"
    return "Any"


def parameters(name, function, skip):
    """The parameters but the first `skip` of them, as they stand in a stub."""
    loose = "*args: Any, **kwargs: Any"
    op = getattr(getattr(function, "__wrapped__", None), "op", None)
    if op is not None and op.varargs is not None:
        return loose
    try:
        given = list(inspect.signature(function).parameters.values())
    except ValueError:
        return loose
    if name.startswith("__") and len(given) > 2 and given[-1].kind is inspect.Parameter.VAR_KEYWORD:
        return "other: Any"
    if skip and not given or any(keyword.iskeyword(p.name) for p in given):
        return loose
    if given and given[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        given = given[skip:]
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in given):
        return loose
    names = {p.name for p in given}
    parts, starred, optional = [], False, False
    for p in given:
        if p.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        if p.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        # NumPy's names may stand for these
        numpys = p.name in ("dim", "other", "keepdim") and name[0] != "_"
        optional = not starred and optional or p.default is not p.empty or numpys
        parts.append(f"{p.name}: Any" + (" = ..." if optional else ""))
    return ", ".join([*parts, "**kwargs: Any"] if names & {"dim", "keepdim", "other"} and name[0] != "_" else parts)


def body(function, indent):
    """What follows a function's head: its first sentence, for editors to show, or nothing."""
    said = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ").strip()
    if not said or '"' in said[-1:] or "\\" in said:
        return " ...\n"
    return f'\n{indent}    """{said}"""\n'


def member(name):
    """The lines of an attribute or method."""
    value = inspect.getattr_static(Tensor, name)
    if type(value).__name__ == "_NotThere":
        return ""
    if isinstance(value, (classmethod, staticmethod)):
        return f"    @staticmethod\n    def {name}(*args: Any, **kwargs: Any) -> Any: ...\n"
    kind = result(name, value)
    if not callable(value):
        fixed = isinstance(value, property) and name not in ("data", "grad", "requires_grad") and kind != "Any"
        return f"    @property\n    def {name}(self) -> {kind}: ...\n" if fixed else f"    {name}: {kind}\n"
    ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
    given = parameters(name, value, 1)
    head = f"    def {name}(self{', ' if given else ''}{given}) -> {kind}:"
    return f"{head} ...{ignored}\n" if name[:2] == "__" else head + body(value, "    ")


def tensor_stub():
    """``tensor.pyi``."""
    return HEAD + "".join(member(name) for name in sorted(set(dir(Tensor)) | set(vars(Tensor))) if name not in COMMON)


def written_in(value, name):
    """The module of the package in whose source a class is written, or None."""
    for module in list(sys.modules.values()):
        own = getattr(module, "__name__", "").startswith("rushlight.") and vars(module).get(name) is value
        if own and f"class {name}" in inspect.getsource(module):
            return module.__name__.removeprefix("rushlight.")
    return None


def entry(name, value, above, module):
    """The lines of a name of `module`; `above` is the package as the module sees it, ``.`` or ``..``."""
    if isinstance(value, types.ModuleType):
        inside, _, last = value.__name__.rpartition(".")
        own = f"{inside}.".startswith("rushlight.") and last == name
        return f"from {above}{inside[len('rushlight.') :]} import {name} as {name}\n" if own else ""
    if isinstance(value, type):
        where = written_in(value, name)
        return f"from {above}{where} import {name} as {name}\n" if where else f"{name}: Any\n"
    if isinstance(value, types.FunctionType):
        tensor = result(name, value) == "Tensor" or name in MADE
        return f"def {name}({parameters(name, value, 0)}) -> {'Tensor' if tensor else 'Any'}:" + body(value, "")
    known = {"dtype": "_dtype", "memory_format": "_memory_format", "float": "builtins.float"}
    return f"{name}: {known.get(type(value).__name__, 'Any')}\n"


def module_stub(module, package):
    """The stub of a module of functions, or of a package, with its modules."""
    names = {name: getattr(module, name) for name in dir(module) if name[0] != "_" or name == "__version__"}
    above = "." * max(module.__name__.count(".") + package, 1)
    inside = [found.name for found in pkgutil.iter_modules(module.__path__)] if package else []
    hidden = rushlight.alias._PRIVATE if module is rushlight else ()
    modules = [name for name in inside if name[0] != "_" and name not in hidden]
    names = {name: value for name, value in names.items() if name not in modules or not inspect.ismodule(value)}
    head = '"""Written by tools/stubs.py from the running package: do not edit."""\n\n# fmt: off\n\n'
    head += f"import builtins\nfrom typing import Any\n\nfrom {above}dtypes import dtype as _dtype\n"
    head += f"from {above}ops.core import memory_format as _memory_format\n"
    head += f"from {above}tensor import Tensor as Tensor\n\n"
    names.pop("Tensor", None)
    head += "".join(f"from . import {name} as {name}\n" for name in modules if name not in names)
    return head + "".join(entry(name, value, above, module) for name, value in sorted(names.items()))


def stubs():
    """The text of every stub file, by path from the package."""
    found = {"tensor.pyi": tensor_stub()}
    for name in MODULES:
        found[name.replace(".", "/") + ".pyi"] = module_stub(importlib.import_module(f"rushlight.{name}"), False)
    for name in PACKAGES:
        module = importlib.import_module(f"rushlight.{name}".rstrip("."))
        found[f"{name}/__init__.pyi".replace(".", "/", name.count(".")).lstrip("/")] = module_stub(module, True)
    return found


def main():
    home = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "src/rushlight"
    for path, text in stubs().items():
        (home / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
