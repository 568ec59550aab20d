"""The general path of a call: bind (``binding``), unwrap, compute (``compute``), wrap, record; ``writing`` is the same in place.

Ordinary elementwise calls on float tensors never come here (see ``fast``); everything else does: mixed dtypes, Python numbers of
another category, subclasses, ``out=``, errors, and all operators that are not elementwise.
"""

import numpy as np

from .. import dtypes
from ..autograd.graph import Output
from ..autograd.modes import state, thread
from ..parameter import Parameter
from ..tensor import Tensor, edge_of, wrap, wrap_reflection, wrap_view
from .answering import EXACT, ask, foreign, functions, overloaded
from .binding import bind, numpy_names, require_tensors, wrong_argument
from .compute import broadcast, compute, compute_elementwise, operand_dtype
from .record import Layout, make_node
from .table import OPS, RAW, as_array
from .written import REFER, written

_ndarray = np.ndarray

#: what may stand before operators (see ``autograd.levels``): a function of (op, values, how), asked while ``state.rare`` is set
intercept = None
#: what asks arguments' classes that have ``__torch_dispatch__`` (``utils._python_dispatch``): a function of (op, values, how)
ask_classes = None
#: the same for functions of tensors that are no operators: a function of (name, args, kwargs)
ask_method = None
#: the same for operators of ``torch.library``: a function of (overload, args, kwargs)
ask_function = None
#: what mixed precision makes of the arguments of a composite (see ``amp``): a function of (name, args, kwargs), asked likewise
cast_arguments = None
#: what a profile makes of a composite or a maker of tensors: a function of (name, function), giving what to call instead
watch = None


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
                if each.__class__ not in EXACT and hasattr(each.__class__, "__torch_function__"):
                    foreign = True
            if count:
                raws[i] = [each._a if isinstance(each, Tensor) else each for each in value]
                lists = (*(lists or ()), (i, count))
        elif kind not in EXACT:
            if isinstance(value, Tensor):
                raws[i] = value._a
                edges.append(edge_of(value))
                mask |= 1 << i
            foreign = foreign or hasattr(kind, "__torch_function__")
        i += 1
    key = mask if lists is None else (mask, lists)
    layout = op.layouts.get(key)
    if layout is None:
        layout = layout_of(op, mask, lists)
    return raws, edges, layout, foreign


def layout_of(op, mask, lists=None):
    """The layout of calls whose tensors are the parameters in ``mask``, and whose lists of tensors are ``lists``; remembered."""
    counts = dict(lists or ())
    items = [(p, counts.get(i)) for i, p in enumerate(op.params) if i in counts or mask >> i & 1]
    layout = Layout(items)
    layout.complete = mask & op.required == op.required and not op.elementwise
    op.layouts[mask if lists is None else (mask, lists)] = layout
    return layout


def execute(op, values):
    """Run an operator on bound arguments and record it."""
    raws, edges, layout, _ = unwrap(op, values)
    return _run(op, values, raws, edges, layout)


def _run(op, values, raws, edges, layout):
    if not layout.complete:
        require_tensors(op, values)
    if op.elementwise:
        result = compute_elementwise(op, raws)
    elif op.kwonly:
        at = op.positional
        result = op.kernel(*raws[:at], **dict(zip(op.kwnames, raws[at:])))
    else:
        result = op.kernel(*raws)
    return complete(op, values, raws, edges, layout, result)


def complete(op, values, raws, edges, layout, result):
    """Wrap what the kernel returned, and record the call if it has to be."""
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
        if result is None:
            return op.otherwise(*values)
        result = as_array(result)
    tensor = wrap_one(op, values, raws, result)
    if recorded and tensor._dtype.category >= 2:
        tensor._edge = make_node(op, values, raws, edges, layout, (result,), (tensor._vc,), None, tensor._dtype)
    return tensor


def wrap_one(op, values, raws, result):
    first = raws[0]
    dtype = values[0]._dtype if first.__class__ is _ndarray and first.dtype is result.dtype else dtypes.of(result.dtype)
    if op.reflects is not None and first.__class__ is _ndarray:
        return wrap_reflection(result, op.reflects, values[0], _replay(op, values))
    if op.view and _shares(result, first):
        return wrap_view(result, dtype, values[0], replay=_replay(op, values))
    if result is first and not op.view:
        result = result.copy()
    return wrap(result, dtype)


def _replay(op, values):
    """How to make a view again from its base, where strides cannot say it or its own operator is asked for."""
    if not (op.replay or thread.replay):
        return None
    at = op.positional
    rest, named = values[1:at], dict(zip(op.kwnames or (), values[at:]))
    return lambda base: op.public(base, *rest, **named)


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
    arrays = [each if each.__class__ is _ndarray else as_array(each) for each in results]
    if op.view:
        made = [wrap_view(a, dtypes.of(a.dtype), values[0], refuse="multi") for a in arrays]
    else:
        made = [wrap(a) for a in arrays]
    if recorded:
        node = make_node(op, values, raws, edges, layout, arrays, [t._vc for t in made])
        skip = op.nondiff or ()
        for k, tensor in enumerate(made):
            if k not in skip and tensor._dtype.category >= 2:
                tensor._edge = Output(node, k, tensor._a.shape, tensor._dtype)
    if op.returns == "list":
        return tuple(made)
    return result_class(op)(*made)


_RESULT_TYPES = {}


def result_class(op):
    """The named tuple of an operator's results, shown as PyTorch shows it."""
    made = _RESULT_TYPES.get(op.name)
    if made is None:
        from .results import result_type

        made = _RESULT_TYPES[op.name] = result_type(op.name, op.returns)
    return made


# ------------------------------------------------------------------------------------------------- public functions


def call(op, args, kwargs, face=None):
    """A public call of an operator, at one of its faces."""
    given = args
    if op.varargs is not None:
        args = gathered(op, args)
    out = kwargs.pop("out", None) if kwargs else None
    try:
        values = op.bind(*args, **kwargs)
    except TypeError:
        # also the first call, which has no binder yet
        values = bind(op, args, kwargs)
    asked = state.rare and out is None and not functions.modes and intercept is not None and _exact(values)
    if asked:
        # nobody but an interpreter can stand before the operator, and it need not wait for the arrays
        if op.numbers != "any" or values[0].__class__ is not Tensor:
            require_tensors(op, values)
        result = intercept(op, values, None)
        if result is not NotImplemented:
            return result
    raws, edges, layout, answered = unwrap(op, values)
    if (state.rare or answered or (out is not None and foreign((out,)))) and not asked:
        if face is None:
            given, kwargs = _as_written(op, values)
        result = _divert(op, given, kwargs, values, out, face or op.face)
        if result is not NotImplemented:
            return result
    if out is not None:
        return write_out(op, values, out)
    return _run(op, values, raws, edges, layout)


def _exact(values):
    """Whether no value's class may answer for functions itself."""
    for value in values:
        kind = value.__class__
        if kind is list or kind is tuple:
            for each in value:
                if each.__class__ not in EXACT:
                    return False
        elif kind not in EXACT:
            return False
    return True


def _as_written(op, values):
    """The arguments of a call that came with all of them, without those left at their defaults."""
    defaults = op.defaults()
    args = list(values[: op.positional])
    while args and op.params[len(args) - 1] in defaults and args[-1] is defaults[op.params[len(args) - 1]]:
        args.pop()
    named = zip(op.kwnames, values[op.positional :])
    return tuple(args), {name: value for name, value in named if value is not defaults.get(name)}


def _divert(op, args, kwargs, values, out, face):
    """Hand the call to whoever stands before operators: a mode of this thread, or an argument's own class."""
    if out is None:
        result = ask(face, values, args, kwargs)
    else:
        result = ask(face, (*values, out), args, dict(kwargs, out=out))
    if result is not NotImplemented:
        return result
    if intercept is not None and state.rare:
        result = intercept(op, values, out)
        if result is not NotImplemented:
            return result
    return NotImplemented if ask_classes is None else ask_classes(op, values, out)


def gathered(op, args):
    """Positional arguments with what users may give one by one (sizes, dimensions) as the tuple that kernels take."""
    at = op.params.index(op.varargs)
    if len(args) > at and not isinstance(args[at], (tuple, list)):
        return (*args[:at], args[at:])
    return args


def public_function(op, face):
    """The function users call at a face of the operator."""
    from .fast import fast_function

    return fast_function(op, face) or written_function(op, face)


def written_function(op, face):
    """The written-out call of an operator (made when it is first called), and the general path for whatever that one refers to it."""
    everyday = None
    at = None if op.varargs is None else op.params.index(op.varargs)

    def function(*args, **kwargs):
        nonlocal everyday
        if everyday is None:
            everyday = op.everyday or written(op)
        given = args
        if at is not None and len(args) > at and not isinstance(args[at], (tuple, list)):
            args = (*args[:at], args[at:])
        try:
            result = everyday(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__.tb_next is not None:
                _raise_again(op, args, kwargs)
            # the arguments do not bind: ``out=``, a second name, or a mistake to be named
            result = REFER
            if len(args) == at and len(kwargs) == 1 and _GATHERED_AS.get(op.name) in kwargs:
                given, kwargs = (*args, tuple(kwargs.values())), {}
        if result is not REFER:
            return result
        try:
            return call(op, given, kwargs, face)
        except TypeError:
            _raise_again(op, args, kwargs)

    return function


def _raise_again(op, args, kwargs):
    """The TypeError being handled, or PyTorch's for the argument that it comes from, where that is known."""
    error = wrong_argument(op, args, kwargs)
    if error is None:
        raise
    raise error from None


#: a second name that an operator has for what it gathers: ``view(dtype=...)``
_GATHERED_AS = {"view": "dtype"}


def raw_function(op):
    """The operator on arrays, for derivative rules."""
    kernel = op.kernel
    if op.elementwise and hasattr(kernel, "nin"):  # a ufunc already is one
        return kernel
    return kernel


def composite_function(name, function, on_tensors, options, face):
    """What users call at a face of a composite: subclasses and modes are asked first, then its parts run."""
    gather = options.get("varargs")
    code = function.__code__
    params = code.co_varnames[1 : code.co_argcount]

    def public(*args, **kwargs):
        given = args
        if gather is not None:
            at = params.index(gather)
            if len(args) > at and not isinstance(args[at], (tuple, list)):
                args = (*args[:at], args[at:])
        values = (*args, *kwargs.values()) if kwargs else args
        run = on_tensors
        if state.rare or foreign(values):
            result = ask(face, values, given, kwargs)
            if result is not NotImplemented:
                return result
            if cast_arguments is not None:
                args, kwargs = cast_arguments(name, args, kwargs)
            if watch is not None:
                run = watch(name, on_tensors)
        try:
            return run(*args, **kwargs)
        except TypeError:
            renamed = numpy_names(kwargs, code.co_varnames)
            if renamed.keys() == kwargs.keys():
                raise
            return run(*args, **renamed)

    if options.get("out"):
        inner = public

        def public(*args, out=None, **kwargs):
            if out is None:
                return inner(*args, **kwargs)
            if state.rare or foreign((*args, out)):
                result = ask(face, (*args, *kwargs.values(), out), args, dict(kwargs, out=out))
                if result is not NotImplemented:
                    return result
            return store_out(name, inner(*args, **kwargs), out)

    return public


from .writing import (  # noqa: E402 - it calls back into this module
    copy_out,
    execute_inplace,
    inplace_function,
    resize_out,
    share_counter,
    store,
    store_out,
    write,
    write_out,
)

# one module to import from, for the families above
__all__ = [
    "OPS",
    "RAW",
    "bind",
    "broadcast",
    "call",
    "compute",
    "copy_out",
    "execute",
    "execute_inplace",
    "foreign",
    "functions",
    "inplace_function",
    "operand_dtype",
    "overloaded",
    "resize_out",
    "share_counter",
    "store",
    "store_out",
    "unwrap",
    "write",
    "write_out",
]
