"""``torch.ops.aten``: operators as PyTorch's dispatcher has them, each overload an object that runs it.

These are what ``__torch_dispatch__`` and the policies of checkpoints are given (``spelling`` says which, for a call), and what programs
name themselves: ``torch.ops.aten.mm.default``. There is one object for a name and overload.
"""

import enum
import functools

from ..autograd import levels
from ..missing import explain
from ..tensor import Tensor
from . import dispatch, foreach
from .makers import METHODS
from .spelling import OVERLOADS, READINGS, name_of, ours
from .table import COMPOSITES, OPS, PLACES, TENSOR

__all__ = ["Namespace", "OpOverload", "OpOverloadPacket", "Tag", "aten", "overload", "perform"]


class Tag(enum.IntEnum):
    """What is said of operators (``torch.Tag``); here of those that draw numbers, work by element, or change a tensor's own geometry.

    The others are for operators of one's own (``tags=`` in torch.library).
    """

    core = 0
    cudagraph_unsafe = 1
    data_dependent_output = 2
    dynamic_output_shape = 3
    flexible_layout = 4
    generated = 5
    inplace = 6
    inplace_view = 7
    maybe_aliasing_or_mutating = 8
    needs_contiguous_strides = 9
    needs_exact_strides = 10
    needs_fixed_stride_order = 11
    nondeterministic_bitwise = 12
    nondeterministic_seeded = 13
    out = 14
    out_variant = 15
    pointwise = 16
    pt2_compliant_tag = 17
    reduction = 18
    view_copy = 19


def perform(op, values, how=None):
    """Run an operator on bound arguments (``how`` None or "inplace"), met by whoever stands before it in this thread."""
    result = levels._intercept(op, values, how) if levels._stack.interpreters else NotImplemented
    if result is NotImplemented:
        result = dispatch.ask_classes(op, values, how)
    if result is not NotImplemented:
        return result
    return dispatch.execute_inplace(op, values) if how == "inplace" else dispatch.execute(op, values)


class OpOverload:
    """One overload of an operator; calling it runs the operator on whatever stands below."""

    def __init__(self, packet, overload, run, op=None, how=None):
        self.overloadpacket, self._overloadname, self._run = packet, overload, run
        self._operator, self._how = op, how
        self.namespace = packet.namespace
        self.__name__ = f"{packet.__name__}.{overload}"
        self.__qualname__ = self._name = self.name()
        self.__module__ = f"torch._ops.{self.namespace}"
        self._opname = packet.__name__
        self.is_view = bool(op is not None and op.view)

    @property
    def op(self):
        """The overload as it is without a name of its own: itself."""
        return self

    def name(self):
        named = "" if self._overloadname == "default" else f".{self._overloadname}"
        return f"{self.overloadpacket._qualified_op_name}{named}"

    @functools.cached_property
    def _schema(self):
        return Schema(self)

    @functools.cached_property
    def tags(self):
        """What is known of the operator, a list of ``torch.Tag``."""
        name, op = self._opname, self._operator
        known = {
            Tag.inplace: self._how == "inplace" or name in METHODS and name.endswith("_"),
            Tag.inplace_view: name in ("t_", "transpose_", "squeeze_", "unsqueeze_", "resize_"),
            Tag.nondeterministic_seeded: name in METHODS and METHODS[name].draws,
            Tag.out: self._how == "out",
            Tag.pointwise: op is not None and bool(op.elementwise),
            Tag.dynamic_output_shape: name
            in ("nonzero", "masked_select", "_unique2", "unique_consecutive", "bincount"),
            Tag.data_dependent_output: name in ("_local_scalar_dense", "equal", "item"),
        }
        return [tag for tag, holds in known.items() if holds]

    def __deepcopy__(self, memo):
        # there is one object for an overload
        return self

    def __reduce__(self):
        return getattr, (self.overloadpacket, self._overloadname)

    def __repr__(self):
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overloadname}')>"

    def __str__(self):
        return f"{self.namespace}.{self.__name__}"

    def __call__(self, *args, **kwargs):
        if "self" in kwargs:
            args = (kwargs.pop("self"), *args)
        return self._run(*args, **kwargs)

    redispatch = __call__


class Schema:
    """What a schema says of an overload: its name, its arguments and results, and whether it writes to an argument."""

    def __init__(self, overload):
        op, how = overload._operator, overload._how
        self.name = overload.overloadpacket._qualified_op_name
        self.overload_name = overload._overloadname.replace("default", "")
        self.is_mutable = how in ("inplace", "out") or overload._opname.endswith("_")
        names = ("self", *(op.params[1:] if op.params[0] == "input" else op.params)) if op is not None else ("self",)
        defaults = op.defaults() if op is not None else {}
        at = op.positional if op is not None else 1
        written = {"self"} if self.is_mutable and how != "out" else set()
        self.arguments = [
            Argument(n, i >= at, n in defaults, defaults.get(n), n in written) for i, n in enumerate(names)
        ]
        if how == "out":
            self.arguments.append(Argument("out", True, False, None, True))
        count = 1 if op is None or op.returns in (None, "list") else len(op.returns)
        self.returns = [Argument("", False, False, None, self.is_mutable) for _ in range(count)]


class Argument:
    """An argument or result in a schema; ``alias_info`` is None for what is neither written to nor seen through."""

    def __init__(self, name, kwarg_only, has_default, default, written):
        self.name, self.kwarg_only, self.default_value = name, kwarg_only, default
        self._has_default, self.is_write = has_default, written
        self.is_out = written and kwarg_only
        self.alias_info = AliasInfo(written) if written else None

    def has_default_value(self):
        return self._has_default


class AliasInfo:
    """That an argument is written to."""

    def __init__(self, is_write):
        self.is_write = is_write
        self.before_set = self.after_set = {"a"}


class OpOverloadPacket:
    """All overloads of an operator; called itself it runs whichever takes the arguments."""

    def __init__(self, name, namespace="aten"):
        self.__name__ = self._opname = name
        self.namespace = namespace
        self.__module__ = f"torch._ops.{namespace}"
        self._qualified_op_name = f"{namespace}::{name}"

    def overloads(self):
        base = self.__name__[:-1] if self.__name__.endswith("_") else self.__name__
        return [*OVERLOADS.get(base, ()), "default", "out"]

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(f"'{name}' can't be found on the underlying op")
        if name not in self.overloads() and not name.endswith("_out"):
            raise AttributeError(f"The underlying op of '{self}' has no overload name '{name}'")
        made = self.__dict__[name] = _overload(self, name)
        return made

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return packet, (self.__name__,)

    def __call__(self, *args, **kwargs):
        if "out" in kwargs:
            return self.out(*args, **kwargs)
        return (self.dim if self.__name__ in _BY_DIMENSION and (args[1:] or kwargs) else self.default)(*args, **kwargs)

    def __repr__(self):
        return f"<OpOverloadPacket(op='{self}')>"

    def __str__(self):
        return f"{self.namespace}.{self.__name__}"


#: operators of which rushlight has two, for all elements and along a dimension
_BY_DIMENSION = ("max", "min", "median", "nanmedian")


def _overload(packet, name):
    """The object for an overload: what it runs, and the operator of rushlight behind it, if there is one."""
    base, how = packet.__name__, None
    if base in METHODS:
        return OpOverload(packet, name, _runner(METHODS[base]))
    op = ours(base, name)
    if name == "out" or name.endswith("_out"):
        op, how = ours(base, "default"), "out"
    elif op is None and base.endswith("_") or op is not None and op.name == "_fill":
        base = base.removesuffix("_")
        op, how = OPS["_fill"] if base == "fill" else ours(base, name), "inplace"
    if op is None:
        return OpOverload(packet, name, _public(packet.__name__))
    if how == "out":
        return OpOverload(packet, name, op.public, op, how)
    reading, public = READINGS.get(base), _public(base) if how is None else None

    def run(*args, **kwargs):
        try:
            given = (args, kwargs) if reading is None else reading(*args, **kwargs)
            values = dispatch.bind(op, *given)
        except TypeError:
            if public is None or public is op.public:
                raise
            # what is not of the operator's own form is for the function that users call
            return public(*args, **kwargs)
        return perform(op, values, how)

    return OpOverload(packet, name, run, op, how)


def _runner(method):
    return lambda *args, **kwargs: run_method(method, args, kwargs)


def run_method(method, args, kwargs):
    """Call a function of tensors that is an operator in PyTorch, met by whoever stands before it."""
    result = dispatch.ask_method(method.name, args, kwargs)
    return method.function(*args, **kwargs) if result is NotImplemented else result


def _public(name):
    """The function that users call, of what is no operator of its own here: composites and methods of tensors."""
    if name in COMPOSITES:
        return COMPOSITES[name][0]
    for place in ("", "nn.functional"):
        if name in PLACES[place]:
            return PLACES[place][name]
    found = getattr(TENSOR, name, None) or vars(Tensor).get(name)
    if callable(found):
        return found
    if name.startswith("_foreach_") and hasattr(foreach, name):
        return getattr(foreach, name)
    if name in _NEVER:
        return functools.partial(_missing, name, _NEVER[name])
    return None


def _missing(name, sentence, *args, **kwargs):
    raise NotImplementedError(f"{sentence}, so torch.ops.aten.{name} is not there")


#: operators of PyTorch for which there are several here: derivatives that are written out, and parts of a padding or a loss
_IN_PARTS = """
adaptive_max_pool2d_backward avg_pool2d_backward avg_pool3d_backward binary_cross_entropy_backward convolution_backward
cumprod_backward elu_backward embedding_dense_backward gelu_backward glu_backward grid_sampler_2d_backward hardshrink_backward
hardsigmoid_backward hardswish_backward hardtanh_backward huber_loss_backward linear_backward log_sigmoid_backward logit_backward
masked_select_backward matmul_backward max_pool2d_with_indices_backward max_pool3d_with_indices_backward mish_backward
mse_loss_backward native_batch_norm_backward native_dropout_backward native_group_norm_backward native_layer_norm_backward
nll_loss2d_backward reflection_pad1d_backward reflection_pad2d_backward replication_pad1d_backward replication_pad2d_backward
silu_backward smooth_l1_loss_backward soft_margin_loss_backward softplus_backward softshrink_backward trace_backward
upsample_bicubic2d_backward upsample_bilinear2d_backward upsample_nearest1d_backward upsample_nearest2d_backward
value_selecting_reduction_backward _adaptive_avg_pool2d_backward _embedding_bag_backward _fused_rms_norm_backward
_scaled_dot_product_efficient_attention_backward _scaled_dot_product_flash_attention_backward
_scaled_dot_product_flash_attention_for_cpu_backward log_sigmoid_forward reflection_pad1d reflection_pad2d reflection_pad3d
replication_pad1d replication_pad2d replication_pad3d _embedding_bag _convolution
""".split()
_ATTENTION = "rushlight attends by torch.nn.functional.scaled_dot_product_attention"
#: operators that lists and classes of tensors name, and that never run here
_NEVER = {
    "_pin_memory": "rushlight computes on the CPU",
    **dict.fromkeys(("_sparse_addmm", "_sparse_mm_reduce_impl"), "rushlight has no sparse tensors"),
    **dict.fromkeys((f"_scaled_dot_product_{kind}_attention" for kind in ("flash", "efficient", "cudnn")), _ATTENTION),
    **dict.fromkeys(("_flash_attention_forward", "_efficient_attention_forward"), _ATTENTION),
    "_scaled_dot_product_attention_math": _ATTENTION,
    **dict.fromkeys(("_scaled_mm", "_int_mm", "_weight_int8pack_mm"), "rushlight quantises nothing"),
    **dict.fromkeys(
        ("cudnn_convolution", "mkldnn_convolution", "miopen_convolution"), "rushlight convolves by convolution"
    ),
    **dict.fromkeys(_IN_PARTS, "rushlight has several operators for this one"),
    **dict.fromkeys(("_fused_adam_", "_fused_adamw_", "_fused_sgd_"), "rushlight steps by torch.optim"),
}


class Namespace:
    """``torch.ops.aten``: operators by PyTorch's names."""

    __name__ = "torch.ops.aten"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        known = name in METHODS or ours(name, "default") is not None or _in_place(name) or _public(name) is not None
        if not known and not any(name_of(op) == name for op in OPS.values()):
            raise AttributeError(explain("torch.ops.aten", name))
        made = self.__dict__[name] = OpOverloadPacket(name)
        return made

    def __repr__(self):
        return "<module 'torch.ops.aten' from 'torch.ops'>"


def _in_place(name):
    return name.endswith("_") and ours(name[:-1], "default") is not None


aten = Namespace()


def packet(name):
    """All overloads of an operator, by PyTorch's name."""
    return getattr(aten, name)


def overload(name, overloadname):
    """An overload of an operator, by PyTorch's names."""
    return getattr(getattr(aten, name), overloadname)
