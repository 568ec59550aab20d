"""The general path of a call: bind, unwrap, compute, wrap, record.

Ordinary elementwise calls on float tensors never come here (see ``fast``); everything else does: mixed dtypes, Python numbers of
another category, subclasses, ``out=``, errors, and all operators that are not elementwise.
"""

import numpy as np

from .. import dtypes, inplace
from ..autograd.modes import state, thread
from ..parameter import Parameter
from ..tensor import Tensor, edge_of, wrap, wrap_view
from .record import Layout, make_node
from .table import OPS, RAW, as_array

_ndarray = np.ndarray

#: names that NumPy's users write for PyTorch's, accepted by PyTorch too
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}

#: what may stand before an operator in this thread: functions of (op, values, proceed); the innermost is called
intercept = None


# --------------------------------------------------------------------------------------------------------- binding


def bind(op, args, kwargs):
    """The bound arguments in the order of ``op.params``; TypeError in PyTorch's words."""
    try:
        return (op.bind or op.binder())(*args, **kwargs)
    except TypeError as error:
        if kwargs:
            renamed = {
                (_NUMPY_NAMES[k] if k in _NUMPY_NAMES and k not in op.params and _NUMPY_NAMES[k] in op.params else k): v
                for k, v in kwargs.items()
            }
            if renamed.keys() != kwargs.keys():
                return bind(op, args, renamed)
        raise _binding_error(op, args, kwargs, error) from None


def _binding_error(op, args, kwargs, error):
    name = _spoken(op)
    unknown = [k for k in kwargs if k not in op.params]
    if unknown:
        return TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
    doubled = [k for k in kwargs if k in op.params[: len(args)]]
    if doubled:
        return TypeError(f"{name}() got multiple values for argument '{doubled[0]}'")
    if len(args) > op.positional:
        plural = "" if op.positional == 1 else "s"
        return TypeError(f"{name}() takes {op.positional} positional argument{plural} but {len(args)} were given")
    given = set(op.params[: len(args)]) | set(kwargs)
    defaults = len(getattr(op.kernel, "__defaults__", None) or ())
    missing = [p for p in op.params[: op.positional - defaults] if p not in given]
    if missing:
        quoted = ", ".join(f'"{m}"' for m in missing)
        return TypeError(f"{name}() missing {len(missing)} required positional arguments: {quoted}")
    return TypeError(str(error).replace("<lambda>", name))


def _spoken(op):
    return op.shown


def type_error(op, name, position, value, wanted="Tensor"):
    where = f" (position {position})" if position else ""
    return TypeError(f"{_spoken(op)}(): argument '{name}'{where} must be {wanted}, not {_type_name(value)}")


def _type_name(value):
    return type(value).__name__


# ------------------------------------------------------------------------------------------------------- executing


def unwrap(op, values):
    """(raws, edges, layout, foreign) of bound arguments: arrays in place of tensors, an edge for each tensor, which parameters they
    were, and whether some argument's class answers for functions itself."""
    raws = list(values)
    edges = []
    mask = i = 0
    lists = None
    foreign = False
    for value in values:
        kind = value.__class__
        if kind is Tensor or kind is Parameter:
            raws[i] = value._a
            edges.append(value._edge if value._view is None else edge_of(value))
            mask |= 1 << i
        elif kind is list or kind is tuple:
            count = 0
            for each in value:
                if isinstance(each, Tensor):
                    count += 1
                    edges.append(edge_of(each))
                if each.__class__ not in _EXACT and hasattr(each.__class__, "__torch_function__"):
                    foreign = True
            if count:
                raws[i] = [each._a if isinstance(each, Tensor) else each for each in value]
                lists = (*(lists or ()), (i, count))
        elif kind not in _EXACT:
            if isinstance(value, Tensor):
                raws[i] = value._a
                edges.append(edge_of(value))
                mask |= 1 << i
            foreign = foreign or hasattr(kind, "__torch_function__")
        i += 1
    key = mask if lists is None else (mask, lists)
    layout = op.layouts.get(key)
    if layout is None:
        layout = op.layouts[key] = _layout(op, mask, lists)
    return raws, edges, layout, foreign


def _layout(op, mask, lists):
    counts = dict(lists or ())
    items = [(p, counts.get(i)) for i, p in enumerate(op.params) if i in counts or mask >> i & 1]
    layout = Layout(items)
    layout.complete = mask & op.required == op.required and not op.elementwise
    return layout


_SEQUENCES = (list, tuple)


def _require_tensors(op, values):
    """TypeError where a tensor belongs and something else stands."""
    for i, name in enumerate(op.params[: op.positional]):
        value = values[i]
        if name == "input" or name in op.rules:
            if isinstance(value, Tensor):
                continue
            if op.required >> i & 1:
                raise type_error(op, name, i + 1, value)
            if value.__class__ in (str, _ndarray, dict, set) or (name == "input" and value is None):
                raise type_error(op, name, i + 1, value)
    if op.elementwise and op.numbers != "any":
        _require_operands(op, values)
    if op.elementwise and not any(isinstance(v, Tensor) for v in values):
        if op.positional == 1 or not all(isinstance(v, (int, float, complex)) for v in values[:2]):
            raise type_error(op, op.params[0], 1, values[0])


def _require_operands(op, values):
    """TypeError for Python numbers where an elementwise operator wants tensors."""
    if op.numbers == "one":
        given = values[: len(op.operands)]
        if not any(isinstance(each, Tensor) for each in given):
            raise combination_error(op, given)
        return
    for i, name in enumerate(op.params[: op.positional]):
        if name not in op.operands or isinstance(values[i], Tensor) or values[i] is None:
            continue
        if op.numbers == "none":
            raise type_error(op, name, i + 1, values[i])
        if name == op.operands[0]:
            raise combination_error(op, values[: len(op.operands)])


_SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")


def combination_error(op, given):
    """PyTorch's text for arguments that fit no overload: tensors, or a number for the second or (``numbers="one"``) the first."""
    first, second = op.operands[0], op.operands[-1]
    shown = ", ".join(_type_name(each) for each in given)
    out = ", *, Tensor out = None" if op.out else ""
    swapped = ""
    if op.numbers == "one" and op.name in ("remainder", "bitwise_and", "bitwise_or", "bitwise_xor", *_SHIFTS):
        marked = ", ".join([f"!{_type_name(each)}!" for each in given])
        swapped = (
            f" * (Number self, Tensor {second})\n      didn't match because some of the arguments have invalid types: ({marked})\n"
        )
    elif op.numbers == "one":
        swapped = f" * (Number {'self' if op.name == 'pow' else first}, Tensor {second}{out})\n"
    return TypeError(
        f"{_spoken(op)}() received an invalid combination of arguments - got ({shown}), but expected one of:\n"
        f" * (Tensor {first}, Tensor {second}{out})\n{swapped} * (Tensor {first}, Number {second}{out})\n"
    )


def execute(op, values):
    """Run an operator on bound arguments and record it."""
    raws, edges, layout, _ = unwrap(op, values)
    return _run(op, values, raws, edges, layout)


def _run(op, values, raws, edges, layout):
    if not layout.complete:
        _require_tensors(op, values)
    if op.elementwise:
        result = compute_elementwise(op, raws)
    elif op.kwonly:
        at = op.positional
        result = op.kernel(*raws[:at], **dict(zip(op.kwnames, raws[at:])))
    else:
        result = op.kernel(*raws)
    recorded = thread.grad and (op.rules or op.joint is not None)
    if recorded:
        recorded = False
        for edge in edges:
            if edge is not None:
                recorded = True
                break
    if result.__class__ is tuple or result.__class__ is list:
        if op.returns is None:
            op.returns = "list"
        return _wrap_many(op, values, raws, edges, layout, result, recorded)
    if result.__class__ is not _ndarray:
        result = as_array(result)
    tensor = _wrap_one(op, values, raws, result)
    if recorded and tensor._dtype.category >= 2:
        tensor._edge = make_node(op, values, raws, edges, layout, (result,), (tensor._vc,), None, tensor._dtype)
    return tensor


def _wrap_one(op, values, raws, result):
    first = raws[0]
    dtype = values[0]._dtype if first.__class__ is _ndarray and first.dtype is result.dtype else dtypes.of(result.dtype)
    if op.view and _shares(result, first):
        return wrap_view(result, dtype, values[0], replay=_replay(op, values))
    if result is first and not op.view:
        result = result.copy()
    return wrap(result, dtype)


def _replay(op, values):
    if not op.replay:
        return None
    rest = values[1:]
    return lambda base: execute(op, (base, *rest))


def _shares(result, source):
    """Whether a result is a view of the array it was made from."""
    base = result.base
    if base is None:
        return result is source
    if base is source or base is source.base:
        return True
    return _root(result) is _root(source)


def _root(array):
    while array.base is not None and isinstance(array.base, _ndarray):
        array = array.base
    return array


def _wrap_many(op, values, raws, edges, layout, results, recorded):
    arrays = [as_array(each) for each in results]
    if op.view:
        made = [wrap_view(a, dtypes.of(a.dtype), values[0], refuse="multi") for a in arrays]
    else:
        made = [wrap(a) for a in arrays]
    if recorded:
        from ..autograd.graph import Output

        node = make_node(op, values, raws, edges, layout, arrays, [t._vc for t in made])
        skip = op.nondiff or ()
        for k, tensor in enumerate(made):
            if k not in skip and tensor._dtype.category >= 2:
                tensor._edge = Output(node, k, tensor._a.shape, tensor._dtype)
    if op.returns == "list":
        return tuple(made)
    return _result_type(op)(*made)


_RESULT_TYPES = {}


def _result_type(op):
    """The named tuple of an operator's results, shown as PyTorch shows it."""
    made = _RESULT_TYPES.get(op.name)
    if made is None:
        from .results import result_type

        made = _RESULT_TYPES[op.name] = result_type(op.name, op.returns)
    return made


# ------------------------------------------------------------------------------------------------------- computing


def compute(op, raws):
    """The operator on arrays and numbers."""
    if op.elementwise:
        return compute_elementwise(op, raws)
    if op.kwonly:
        at = op.positional
        return op.kernel(*raws[:at], **dict(zip(op.params[at:], raws[at:])))
    return op.kernel(*raws)


def operand_dtype(operands):
    """PyTorch's promoted dtype of arrays (by dimension) and Python numbers."""
    dimensioned = zero_dim = numbers = None
    for value in operands:
        if isinstance(value, _ndarray):
            found = dtypes.of(value.dtype)
            if value.ndim:
                dimensioned = found if dimensioned is None else dtypes.promote_types(dimensioned, found)
            else:
                zero_dim = found if zero_dim is None else dtypes.promote_types(zero_dim, found)
        elif value is not None:
            found = dtypes.of_number(value)
            numbers = found if numbers is None else dtypes.promote_types(numbers, found)
    return dtypes.combine(dimensioned, zero_dim, numbers)


def compute_elementwise(op, raws):
    params = op.params
    places = [params.index(name) for name in op.operands]
    operands = [raws[i] for i in places]
    common = operand_dtype(operands)
    if op.kind == "float" and common.category < 2:
        common = dtypes.get_default_dtype()
    half = common.itemsize == 2 and common.is_floating_point
    working = np.dtype(np.float32) if half else common.numpy
    given = list(raws)
    for i, value in zip(places, operands):
        if value is not None:
            given[i] = _convert(value, working, common)
    _check_broadcast(given, places)
    if op.kwonly:
        at = op.positional
        result = op.kernel(*given[:at], **dict(zip(params[at:], given[at:])))
    elif op.kernel.__class__ is np.ufunc:
        result = op.kernel(*given, out=...)
    else:
        result = op.kernel(*given)
    if half:
        if result.__class__ is tuple:
            return tuple(_round(each, common) for each in result)
        return _round(result, common)
    return result


def _round(result, common):
    result = as_array(result)
    return result.astype(common.numpy) if result.dtype == np.float32 else result


def _convert(value, working, common):
    if isinstance(value, _ndarray):
        if value.dtype is working:
            return value
        if value.dtype.kind == "c" and working.kind != "c":
            value = value.real
        return value.astype(working, copy=False)
    if common.category == 1 and isinstance(value, int) and not isinstance(value, bool):
        info = np.iinfo(working)
        if not (info.min <= value <= info.max):
            if value < -(1 << 63) or value >= 1 << 64:
                raise RuntimeError("Overflow when unpacking long long")
            return np.array(value & ((1 << info.bits) - 1), np.uint64).astype(working)
    return np.asarray(value, working)


def _check_broadcast(given, places):
    """The shapes of operands must broadcast; RuntimeError in PyTorch's words where they do not."""
    shape = None
    for i in places:
        other = getattr(given[i], "shape", ())
        if shape is None or shape == other or not other:
            shape = shape or other
            continue
        shape = broadcast(shape, other)


def broadcast(a, b):
    """The common shape of two shapes."""
    n = max(len(a), len(b))
    out = []
    for k in range(n):
        i, j = len(a) - n + k, len(b) - n + k
        m = a[i] if i >= 0 else 1
        o = b[j] if j >= 0 else 1
        if m != o and m != 1 and o != 1:
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({o}) at non-singleton dimension {k}"
            )
        out.append(o if m == 1 else m)
    return tuple(out)


# ------------------------------------------------------------------------------------------------- public functions


def overloaded(values):
    """The arguments whose class answers for functions itself (``__torch_function__``), subclasses first."""
    found = []
    for value in values:
        for each in value if value.__class__ in _SEQUENCES else (value,):
            kind = each.__class__
            if kind in _EXACT or not hasattr(kind, "__torch_function__"):
                continue
            if kind.__torch_function__ is not _DISABLED and all(kind is not type(o) for o in found):
                at = next((i for i, o in enumerate(found) if issubclass(kind, type(o))), len(found))
                found.insert(at, each)
    return found


_EXACT = {Tensor, Parameter, int, float, bool, str, type(None), tuple, list, slice, type(...), dtypes.dtype, np.ndarray}
_DISABLED = None


def call(op, args, kwargs):
    """A public call of an operator."""
    out = kwargs.pop("out", None) if kwargs else None
    try:
        values = op.bind(*args, **kwargs)
    except TypeError:
        # also the first call, which has no binder yet
        values = bind(op, args, kwargs)
    raws, edges, layout, foreign = unwrap(op, values)
    if state.rare or foreign:
        result = _divert(op, args, kwargs, values, out)
        if result is not NotImplemented:
            return result
    if out is not None:
        return write_out(op, values, out)
    return _run(op, values, raws, edges, layout)


def _foreign(values):
    for value in values:
        kind = value.__class__
        if kind not in _EXACT and hasattr(kind, "__torch_function__"):
            return True
        if kind is list or kind is tuple:
            for each in value:
                if each.__class__ not in _EXACT and hasattr(each.__class__, "__torch_function__"):
                    return True
    return False


def _divert(op, args, kwargs, values, out):
    """Hand the call to whoever stands before operators: a mode of this thread, or an argument's own class."""
    if intercept is not None and state.rare:
        result = intercept(op, values, out)
        if result is not NotImplemented:
            return result
    found = overloaded(values)
    if not found:
        return NotImplemented
    types = tuple(type(each) for each in found)
    if out is not None:
        kwargs = dict(kwargs, out=out)
    for each in found:
        result = type(each).__torch_function__(op.public, types, args, kwargs)
        if result is not NotImplemented:
            return result
    names = ", ".join(f"'{t.__module__}.{t.__qualname__}'" for t in types)
    raise TypeError(f"no implementation found for 'torch.{op.name}' on types that implement __torch_function__: [{names}]")


def public_function(op):
    """The function users call, also as a method."""
    from .fast import fast_function

    made = fast_function(op)
    if made is not None:
        return _name(made, op.name)
    gather = op.varargs
    if gather is None:

        def function(*args, **kwargs):
            return call(op, args, kwargs)
    else:

        def function(*args, **kwargs):
            at = op.params.index(gather)
            if len(args) > at and not isinstance(args[at], (tuple, list)):
                args = (*args[:at], args[at:])
            return call(op, args, kwargs)

    return _name(function, op.name)


def _name(function, name):
    function.__name__ = function.__qualname__ = name
    function.__module__ = "torch"
    return function


def raw_function(op):
    """The operator on arrays, for derivative rules."""
    kernel = op.kernel
    if op.elementwise and hasattr(kernel, "nin"):  # a ufunc already is one
        return kernel
    return kernel


def composite_function(name, function, on_tensors, options):
    """The public function of a composite: subclasses and modes are asked first, then its parts run."""
    gather = options.get("varargs")
    code = function.__code__
    params = code.co_varnames[1 : code.co_argcount]

    def public(*args, **kwargs):
        if gather is not None:
            at = params.index(gather)
            if len(args) > at and not isinstance(args[at], (tuple, list)):
                args = (*args[:at], args[at:])
        values = (*args, *kwargs.values()) if kwargs else args
        if _foreign(values):
            for each in overloaded(values):
                types = tuple(type(o) for o in overloaded(values))
                result = type(each).__torch_function__(public, types, args, kwargs)
                if result is not NotImplemented:
                    return result
        try:
            return on_tensors(*args, **kwargs)
        except TypeError:
            renamed = {
                (_NUMPY_NAMES[k] if k in _NUMPY_NAMES and k not in code.co_varnames else k): v for k, v in kwargs.items()
            }
            if renamed.keys() == kwargs.keys():
                raise
            return on_tensors(*args, **renamed)

    if options.get("out"):
        inner = public

        def public(*args, out=None, **kwargs):
            result = inner(*args, **kwargs)
            return result if out is None else store_out(name, result, out)

    return _name(public, name)


# ------------------------------------------------------------------------------------------------- writing in place


def inplace_function(op):
    """The method ``name_``."""
    from .fast import _MISSING, fast_inplace

    def function(*args, **kwargs):
        values = bind(op, tuple([each for each in args if each is not _MISSING]), kwargs)
        if state.rare or _foreign(values):
            result = _divert_inplace(op, function, args, kwargs, values)
            if result is not NotImplemented:
                return result
        return execute_inplace(op, values)

    return _name(fast_inplace(op, function) if op.elementwise else function, op.name + "_")


def _divert_inplace(op, function, args, kwargs, values):
    if intercept is not None and state.rare:
        result = intercept(op, values, "inplace")
        if result is not NotImplemented:
            return result
    found = overloaded(values)
    types = tuple(type(each) for each in found)
    for each in found:
        result = type(each).__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    return NotImplemented


def execute_inplace(op, values):
    """Run an operator and write its result into its first argument."""
    _require_tensors(op, values)
    target = values[0]
    raws, edges, layout, _ = unwrap(op, values)
    recorded = thread.grad and any(edge is not None for edge in edges)
    inplace.check(target, recorded)
    array = target._a
    inplace.check_memory(array)
    for value in values[1:]:
        if isinstance(value, Tensor) and value._vc is target._vc:
            inplace.check_apart(array, value._a)
    result = as_array(compute(op, raws))
    if result.shape != array.shape:
        raise RuntimeError(
            f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    result_dtype = dtypes.of(result.dtype)
    if result_dtype is not target._dtype:
        inplace.cast_check(result_dtype, target._dtype)
    original = array.copy() if recorded and _needs_original(op) else None
    write(array, result)
    if not recorded:
        inplace.finish(target, None)
        return target
    counter = [target._vc[0] + 1]
    node = make_node(op, values, raws, edges, layout, (array,), (counter,), original)
    _share_counter(node, counter, target._vc)
    inplace.finish(target, node)
    return target


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


def _share_counter(node, placeholder, counter):
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
    raws, edges, layout, _ = unwrap(op, values)
    for each in outs:
        if not isinstance(each, Tensor):
            raise type_error(op, "out", 0, each)
    if thread.grad and (any(e is not None for e in edges) or any(edge_of(t) is not None for t in outs)):
        raise RuntimeError(
            f"{op.spoken_out or op.name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    _require_tensors(op, values)
    result = compute(op, raws)
    many = result.__class__ in _SEQUENCES
    results = [as_array(each) for each in result] if many else [as_array(result)]
    for each, array in zip(outs, results):
        _check_out(op, dtypes.of(array.dtype), each, raws)
    if many:
        for each, array in zip(outs, results):
            store(each, array)
        return _result_type(op)(*outs) if op.returns not in (None, "list") else tuple(outs)
    store(outs[0], results[0])
    return out


def _check_out(op, dtype, target, raws):
    """What an operator asks of its ``out=`` beyond a dtype its result can be cast to."""
    if op.check_out is not None:
        op.check_out(dtype, target._dtype)
    if op.out == "same" and dtype is not target._dtype:
        raise RuntimeError(
            f"Expected out tensor to have dtype {dtype.cpp_name}, but got {target._dtype.cpp_name} instead"
        )
    if op.apart and any(isinstance(raw, _ndarray) and np.may_share_memory(raw, target._a) for raw in raws):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


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
    write(target._a, array)
    inplace.finish(target, None)


def resize_out(target, shape):
    """Give an ``out=`` tensor the shape of the result; with a warning if it has elements."""
    if target._a.shape == shape:
        return
    if target._a.size:
        import warnings

        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(target._a.shape)}, which does not match "
            f"the required output shape {list(shape)}. This behavior is deprecated, and in a future PyTorch release outputs will "
            "not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to "
            "zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=5,
        )
    target._a = np.empty(shape, target._dtype.numpy)


__all__ = ["OPS", "RAW", "bind", "broadcast", "call", "compute", "execute", "execute_inplace", "store", "unwrap", "write"]
