"""Write `src/rushlight/tensor.pyi`: Tensor as type checkers and editors see it, whose methods the op table hangs on at import.

    python tools/stubs.py            # write it
    python tools/stubs.py --check    # exit status 1 where it is not up to date

Names and parameters are those of the running package. A result is named where it is the same for every call, and Any where it is not
(`max` gives a tensor or a pair); so are arguments. What a function of `torch` itself is, checkers find no further than that it is there.
"""

import inspect
import keyword
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATH = ROOT / "src/rushlight/tensor.pyi"
sys.path.insert(0, str(ROOT / "src"))

from rushlight import Tensor  # noqa: E402
from rushlight.ops.table import OPS  # noqa: E402

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


def parameters(name, function):
    """The parameters after the tensor itself, as they stand in a stub."""
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
    if not given or any(keyword.iskeyword(p.name) for p in given):
        return loose
    if given[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        given = given[1:]
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
        optional = (
            not starred
            and optional
            or p.default is not p.empty
            or p.name in ("dim", "other", "keepdim")
            and name[0] != "_"
        )
        parts.append(f"{p.name}: Any" + (" = ..." if optional else ""))
    return ", ".join([*parts, "**kwargs: Any"] if names & {"dim", "keepdim", "other"} and name[0] != "_" else parts)


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
    given = parameters(name, value)
    return f"    def {name}(self{', ' if given else ''}{given}) -> {kind}: ...{ignored}\n"


def stub():
    """The text of the stub file."""
    return HEAD + "".join(member(name) for name in sorted(set(dir(Tensor)) | set(vars(Tensor))) if name not in COMMON)


def main():
    text = stub()
    if sys.argv[1:] != ["--check"]:
        PATH.write_text(text, encoding="utf-8")
    elif not PATH.exists() or PATH.read_text(encoding="utf-8") != text:
        sys.exit(f"{PATH} is not up to date: python tools/stubs.py writes it")


if __name__ == "__main__":
    main()
