"""Writing results where the caller wants them: the in-place forms of operators, and ``out=``."""

import warnings

import numpy as np

from .. import dtypes, inplace
from ..array.shape import resized
from ..autograd.modes import set_grad, state, thread
from ..tensor import Tensor, edge_of, refit
from . import dispatch, record
from .answering import ask, foreign
from .binding import bind, require_tensors, type_error
from .compute import compute
from .record import make_node
from .table import as_array

__all__ = [
    "copy_out",
    "execute_inplace",
    "inplace_function",
    "resize_out",
    "share_counter",
    "store",
    "store_out",
    "write",
    "write_out",
]

_ndarray = np.ndarray
_SEQUENCES = (list, tuple)


def inplace_function(op, face):
    """The method ``name_``, or a function of that name."""
    from .fast import _MISSING, fast_inplace

    def function(*args, **kwargs):
        args = tuple([each for each in args if each is not _MISSING])
        values = bind(op, args, kwargs)
        if state.rare or foreign(values):
            result = _divert_inplace(op, face, args, kwargs, values)
            if result is not NotImplemented:
                return result
        return execute_inplace(op, values)

    return fast_inplace(op, function) if op.elementwise else function


def _divert_inplace(op, face, args, kwargs, values):
    result = ask(face, values, args, kwargs)
    if result is not NotImplemented:
        return result
    if dispatch.intercept is not None and state.rare:
        result = dispatch.intercept(op, values, "inplace")
        if result is not NotImplemented:
            return result
    return NotImplemented if dispatch.ask_classes is None else dispatch.ask_classes(op, values, "inplace")


#: operators whose target may hold elements that share memory, and may be what the others read; some warn of it
_LENIENT = frozenset(
    (
        *("_zero", "_masked_fill_value", "_masked_fill_tensor", "_index_fill_value", "_index_fill_tensor"),
        *("tril", "triu", "addmm", "addmv", "addbmm", "baddbmm", "_index_put"),
    )
)
#: operators that leave the node of what they write as it is
_UNRECORDED = frozenset(("logical_and", "logical_not", "logical_or", "logical_xor"))
#: those that may read what they write, but not write an element twice
_READING = frozenset(("_fill", "masked_scatter", "ldexp"))
#: those that warn where elements of the target share memory, and what they call themselves then
_WARNING = {"_index_put": "index_put_", "_masked_fill_tensor": "masked_fill_", "_masked_fill_value": "masked_fill_"}
_WARNING |= {"_index_fill_value": "index_fill_", "_index_fill_tensor": "index_fill_"}
#: those that refuse to read memory which they write, also where it is that of the very same elements
_APART = frozenset(
    (
        "_scatter",
        "_scatter_value",
        "_scatter_reduced",
        "scatter_add",
        "scatter_reduce",
        "index_add",
        "index_copy",
        "index_reduce",
        "_index_put",
        "put",
    )
)


def _check_target(op, target, values):
    """Refuse or warn of memory shared between elements of the target, or with other arguments."""
    array = target._a
    if op.name == "_copy" and values[1]._vc is target._vc and inplace.same_place(array, values[1]._a):
        return
    if op.name in _WARNING:
        inplace.warn_of_shared_elements(array, _WARNING[op.name])
    elif op.name not in _LENIENT and (op.name != "_fill" or isinstance(values[1], Tensor)):
        inplace.check_memory(array)
    if op.name in _APART:
        for value in values[1:]:
            for each in value if value.__class__ in _SEQUENCES else (value,):
                if isinstance(each, Tensor) and each._vc is target._vc:
                    inplace.check_no_overlap(array, each._a)
    elif op.name not in _LENIENT and op.name not in _READING:
        for value in values[1:]:
            if isinstance(value, Tensor) and value._vc is target._vc:
                inplace.check_apart(array, value._a)


def execute_inplace(op, values):
    """Run an operator and write its result into its first argument."""
    require_tensors(op, values)
    target = values[0]
    if op.name in _UNRECORDED and thread.grad:
        was = set_grad(False)
        try:
            return execute_inplace(op, values)
        finally:
            set_grad(was)
    if target._view is not None:
        inplace.written_edge(target)
    raws, edges, layout, _ = dispatch.unwrap(op, values)
    recorded = thread.grad and any(edge is not None for edge in edges)
    inplace.check(target, recorded)
    array = target._a
    late = op.name in ("index_add", "index_reduce", "put")  # these look at their arguments first
    if not late:
        _check_target(op, target, values)
    result = as_array(compute(op, raws))
    if late:
        _check_target(op, target, values)
    if result.shape != array.shape:
        array = _refit(op, target, raws, result.shape)
    result_dtype = dtypes.of(result.dtype)
    if result_dtype is not target._dtype:
        inplace.cast_check(result_dtype, target._dtype)
    original = None
    if recorded and _needs_original(op):
        original = array.copy()
        if state.duals:
            record.copied(target, original)
    if op.name in _WARNING and 0 in array.strides:
        # elements that share memory are written where they change only, or the last of them would undo what was written
        np.copyto(array, result, where=result != array)
    else:
        write(array, result)
    if not recorded:
        inplace.finish(target, None)
        return target
    counter = [target._vc[0] + 1]
    node = make_node(op, values, raws, edges, layout, (array,), (counter,), original)
    share_counter(node, counter, target._vc)
    inplace.finish(target, node)
    return target


def _refit(op, target, raws, shape):
    """The array to write a result of another shape into, where the operator resizes its target; else the refusal."""
    if op.misfit is None:
        raise RuntimeError(f"output with shape {list(target._a.shape)} doesn't match the broadcast shape {list(shape)}")
    op.misfit(target, raws, shape)
    return target._a


def write(array, result):
    """Store ``result`` in ``array``, whatever their dtypes."""
    if not array.flags.writeable:
        raise RuntimeError("the memory of this tensor is read-only: it shares a NumPy array that cannot be written to")
    if result.dtype.kind == "c" and array.dtype.kind != "c":
        result = result.real
    np.copyto(array, result, casting="unsafe")


def _needs_original(op):
    if op.joint is not None:
        return "input" in op.joint.needs
    return any("input" in rule.needs for rule in op.rules.values())


def share_counter(node, placeholder, counter):
    """The saved result belongs to the written tensor's own counter, at the version it is about to have."""
    saved = node.saved
    for name, mark in saved.marks.items():
        if mark.__class__ is tuple and mark[2] is placeholder:
            saved.marks[name] = (*mark[:2], counter)
    if node.guard:
        node.guard = tuple(counter if each is placeholder else each for each in node.guard)


# ---------------------------------------------------------------------------------------------------------- out=


def write_out(op, values, out):
    """``out=``: the result goes into a tensor given by the caller."""
    outs = out if out.__class__ in _SEQUENCES else (out,)
    raws, edges, layout, _ = dispatch.unwrap(op, values)
    for each in outs:
        if not isinstance(each, Tensor):
            raise type_error(op, "out", 0, each)
    if op.out == "copies":
        return copy_out(op.public(*values), out)
    recorded = thread.grad and op.spoken_out is not False
    if recorded and (any(e is not None for e in edges) or any(edge_of(t) is not None for t in outs)):
        raise RuntimeError(
            f"{op.spoken_out or op.name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    require_tensors(op, values)
    if op.prepare_out is not None:
        raws = op.prepare_out(raws, outs)
    result = compute(op, raws)
    many = result.__class__ in _SEQUENCES
    results = [as_array(each) for each in result] if many else [as_array(result)]
    pairs = list(zip(outs, results))
    for each, array in reversed(pairs) if op.out == "same, last first" else pairs:
        _check_out(op, dtypes.of(array.dtype), each, raws)
        if op.elementwise:
            for raw in raws:
                if raw.__class__ is _ndarray:
                    inplace.check_apart(each._a, raw)
    if many:
        for each, array in zip(outs, results):
            store(each, array)
        return dispatch.result_class(op)(*outs) if op.returns not in (None, "list") else tuple(outs)
    store(outs[0], results[0])
    return out


def _check_out(op, dtype, target, raws):
    """What an operator asks of its ``out=`` beyond a dtype its result can be cast to."""
    if op.check_out is not None:
        op.check_out(dtype, target._dtype)
    if op.out in ("same", "same, last first") and dtype is not target._dtype:
        raise RuntimeError(
            f"Expected out tensor to have dtype {dtype.cpp_name}, but got {target._dtype.cpp_name} instead"
        )
    if op.apart and any(_meet(raw, target._a) for raw in raws):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def _meet(raw, array):
    """Whether an argument (an array or a list of them) is, or shares memory with, ``array``."""
    if raw.__class__ in _SEQUENCES:
        return any(_meet(each, array) for each in raw)
    return isinstance(raw, _ndarray) and inplace.overlap(raw, array)


def copy_out(result, out):
    """``out=`` of functions that PyTorch ends with a copy: recorded, and refused to leaves as any other write in place."""
    inplace.cast_check(result._dtype, out._dtype)
    resize_out(out, result._a.shape)
    return out.copy_(result)


def store_out(name, result, out):
    """``out=`` of a composite."""
    outs = out if out.__class__ in _SEQUENCES else (out,)
    results = result if isinstance(result, tuple) else (result,)
    for each, made in zip(outs, results):
        if thread.grad and (edge_of(made) is not None or edge_of(each) is not None):
            raise RuntimeError(
                f"{name}(): functions with out=... arguments don't support automatic differentiation, "
                "but one of the arguments requires grad."
            )
        store(each, made._a)
    return out


def store(target, array):
    """Write ``array`` into an ``out=`` tensor, resizing it as PyTorch does."""
    inplace.cast_check(dtypes.of(array.dtype), target._dtype)
    resize_out(target, array.shape)
    inplace.check_memory(target._a)
    inplace.announce(target)
    write(target._a, array)
    inplace.finish(target, None)


def resize_out(target, shape):
    """Give an ``out=`` tensor the shape of the result; with a warning if it has elements."""
    if target._a.shape == shape:
        return
    if target._a.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(target._a.shape)}, which does not match "
            f"the required output shape {list(shape)}. This behavior is deprecated, and in a future PyTorch release outputs will "
            "not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to "
            "zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=5,
        )
    target._a = resized(target._a, shape)
    refit(target)
