"""How PyTorch's dispatcher spells the call of an operator: its name there, the overload, and the arguments.

``torch.sum(x, 0)`` is ``aten.sum.dim_IntList(x, [0])`` to a dispatch mode: sizes and dimensions are lists, what is left at its default
is not there, and some operators of rushlight are overloads of one of PyTorch's. A rule takes the bound arguments of an operator and
returns the overload (with the operator's name and a dot before it where that is another), or the overload, arguments and keywords.
``READINGS`` is the way back where ours takes other arguments.
"""

from ..tensor import Tensor
from .names import THEIR_NAME
from .table import OPS

__all__ = ["OVERLOADS", "READINGS", "listed", "name_of", "ours", "spelled"]

_NAMES = {
    **THEIR_NAME,
    **{f"_{name}_{part}": name for name in ("max", "min", "median", "nanmedian") for part in ("dim", "all")},
    **{f"_{name}_{part}": name for name in ("index_fill", "masked_fill") for part in ("value", "tensor")},
    **{"_scatter_value": "scatter", "_scatter_reduced": "scatter", "_aminmax": "aminmax", "_div_rounded": "div"},
    **{"_slice_dim": "slice", "_narrow": "slice", "chunk": "split", "_split": "split", "_norm": "linalg_vector_norm"},
    **{"reshape": "view", "flatten": "view", "ravel": "view", "unflatten": "view", "_nll_loss": "nll_loss_forward"},
    **{
        "_whole": "alias",
        "_above": "threshold_backward",
        "_leaky": "leaky_relu_backward",
        "_masked": "mul",
        "_cdist": "_cdist_forward",
    },
    **{
        "_fill": "fill",
        "_prelu": "_prelu_kernel",
        "_nll_loss2d": "nll_loss2d_forward",
        "broadcast_to": "expand",
        "_none": "unsqueeze",
    },
}


def name_of(op):
    """What PyTorch calls an operator."""
    return _NAMES.get(op.name, op.name)


#: PyTorch's overloads besides "default" and those with ``out=``, by operator; an operator has them in place too
_GROUPS = """
Scalar: floor_divide
Scalar ScalarOpt_dim ScalarOpt_dim_dtype ScalarOpt_dtype: norm
Scalar ScalarOther ScalarSelf self: where
Scalar Scalar_Tensor Tensor: bitwise_and bitwise_or bitwise_xor remainder
Scalar Scalar_mode Tensor Tensor_mode: div divide
Scalar Tensor: add bucketize copysign eq fill fmod ge greater greater_equal gt le lerp less less_equal lt masked_fill mul
Scalar Tensor: multiply ne not_equal rsub searchsorted sub subtract true_divide
Scalar Tensor_Scalar Tensor_Tensor Tensor: float_power pow
Scalar_Other Scalar_Self Tensor: xlogy
Scalar_Tensor Tensor Tensor_Scalar: bitwise_left_shift bitwise_right_shift
Scalar_Tensor Tensor_Scalar Tensor_Tensor: isin linspace logspace
Tensor: clamp clamp_max clamp_min clip frexp index ldexp narrow slice slice_copy split_copy unsafe_split _ctc_loss
Tensor float: bernoulli
Tensor p: bernoulli
Tensor sizes: split
Tensor_Tensor Tensor_float float_Tensor float_float: normal
Tensor self_Tensor self_int: repeat_interleave
TensorList_bins int_bins: histogramdd
Tensor generator low_dtype: randint_like
array int: dsplit hsplit vsplit
atol_rtol_float atol_rtol_tensor: linalg_matrix_rank linalg_pinv
beta periodic: kaiser_window
bin_ct bins_tensor: histogram
correction dim: std std_mean var var_mean
decimals: round
dim: mean
dim max other: max
dim min other: min
dim: median nanmedian
dim dims: all any squeeze squeeze_copy
dim_IntList: count_nonzero sum
dim_int: prod
dtype: bmm mm view view_copy
from to: random
generator: rand randn randperm
indices sections tensor_indices_or_sections: tensor_split
int: log_softmax select select_copy size softmax stride sym_size sym_stride transpose transpose_copy unbind unbind_copy unflatten
int intlist: moveaxis movedim
int_Scalar int_Tensor: index_fill
low low_generator: randint
m: eye
memory_format: empty is_contiguous
dtype dtype_layout device other: to
ord_str: linalg_norm
padding: conv1d conv2d conv3d
padding_idx: embedding_bag
reduce src value value_reduce: scatter
source_Tensor source_Storage: set
stable: argsort sort
start start_step: arange
str_ord: linalg_matrix_norm
two: scatter_reduce
using_ints: flatten
vec: upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d
vec: upsample_trilinear3d
"""
OVERLOADS = {}
for _line in _GROUPS.strip().splitlines():
    _overloads, _, _operators = _line.partition(":")
    for _name in _operators.split():
        OVERLOADS[_name] = (*OVERLOADS.get(_name, ()), *_overloads.split())


# ---------------------------------------------------------------------------------------------------------- rules

_RULES = {}


def _rule(*names):
    def declare(function):
        for name in names:
            _RULES[name] = function
        return function

    return declare


def listed(value):
    """A size or dimensions as PyTorch shows them: a list; None stays."""
    if value is None:
        return None
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _given(*pairs):
    """Arguments up to the last that is not at its default, from pairs (argument, default)."""
    pairs = list(pairs)
    while pairs and (pairs[-1][0] is pairs[-1][1] or pairs[-1][0] == pairs[-1][1]):
        pairs.pop()
    return tuple([value for value, _ in pairs])


def _named(**given):
    return {name: value for name, value in given.items() if value is not None}


for _overload, _operators in {
    "Tensor": "add sub mul div _masked",
    "int": "select transpose unbind",
    "dim": "_max_dim _min_dim _median_dim _nanmedian_dim",
    "int_Scalar": "_index_fill_value",
    "int_Tensor": "_index_fill_tensor",
    "value": "_scatter_value",
    "src": "_scatter",
    "reduce": "_scatter_reduced",
    "two": "scatter_reduce",
    "Scalar": "_masked_fill_value",
}.items():
    for _name in _operators.split():
        _RULES[_name] = lambda *values, overload=_overload: overload
_RULES["_masked_fill_tensor"] = lambda *values: "Tensor"


@_rule("eq", "ne", "lt", "le", "gt", "ge", "remainder", "fmod", "bitwise_and", "bitwise_or", "bitwise_xor", "copysign")
@_rule("rsub", "_fill", "fill")
def _by_other(input, other, *rest):
    return "Tensor" if isinstance(other, Tensor) else "Scalar"


@_rule("pow")
def _power(input, exponent):
    if not isinstance(input, Tensor):
        return "Scalar"
    return "Tensor_Tensor" if isinstance(exponent, Tensor) else "Tensor_Scalar"


@_rule("_div_rounded")
def _divided(input, other, rounding_mode):
    overload = "Tensor_mode" if isinstance(other, Tensor) else "Scalar_mode"
    return overload, (input, other), {"rounding_mode": rounding_mode}


@_rule("lerp")
def _interpolated(input, end, weight):
    return "Tensor" if isinstance(weight, Tensor) else "Scalar"


@_rule("_where")
def _chosen(condition, first, other):
    tensors = isinstance(first, Tensor), isinstance(other, Tensor)
    return {(True, True): "self", (True, False): "ScalarOther", (False, True): "ScalarSelf"}.get(tensors, "Scalar")


@_rule("clamp", "clamp_min", "clamp_max")
def _clamped(input, *bounds):
    return "Tensor" if any(isinstance(bound, Tensor) for bound in bounds) else "default"


@_rule("round")
def _rounded(input, decimals):
    return ("decimals", (input,), {"decimals": decimals}) if decimals else "default"


@_rule("sum", "mean", "nansum")
def _summed(input, dim, keepdim, dtype, overload="dim_IntList"):
    if dim is None and not keepdim:
        return "default", (input,), _named(dtype=dtype)
    return overload, _given((input, ...), (listed(dim), ...), (keepdim, False)), _named(dtype=dtype)


_RULES["mean"] = lambda *values: _summed(*values, overload="dim")
_RULES["nansum"] = lambda *values: _summed(*values, overload="default")


@_rule("prod")
def _multiplied(input, dim, keepdim, dtype):
    if dim is None:
        return "default", (input,), _named(dtype=dtype)
    return "dim_int", _given((input, ...), (dim, ...), (keepdim, False)), _named(dtype=dtype)


@_rule("amax", "amin", "logsumexp")
def _extreme(input, dim, keepdim):
    return "default", _given((input, ...), (listed(dim), []), (keepdim, False)), {}


@_rule("any", "all")
def _tested(input, dim, keepdim):
    overload = "default" if dim is None else "dim" if isinstance(dim, int) else "dims"
    given = dim if isinstance(dim, int) else listed(dim)
    return overload, _given((input, ...), (given, None), (keepdim, False)), {}


@_rule("var", "std", "var_mean", "std_mean")
def _spread(input, dim, unbiased, keepdim, correction):
    if correction is None and unbiased is not None:
        correction = int(unbiased)
    if correction is None and dim is not None:
        correction = 1
    keywords = _named(correction=correction, keepdim=keepdim or None)
    return "correction", _given((input, ...), (listed(dim), None)), keywords


@_rule("count_nonzero")
def _counted(input, dim):
    return ("default", (input,), {}) if dim is None else ("dim_IntList", (input, listed(dim)), {})


@_rule("_norm")
def _measured(input, p, dim, keepdim, dtype):
    return "default", _given((input, ...), (p, 2), (listed(dim), None), (keepdim, False)), _named(dtype=dtype)


@_rule("_aminmax")
def _extremes(input, dim, keepdim):
    return "default", (input,), _named(dim=dim, keepdim=keepdim or None)


@_rule("sort")
def _sorted(input, dim, descending, stable):
    if stable is None:
        return "default", _given((input, ...), (dim, -1), (descending, False)), {}
    keywords = {"dim": dim} if dim != -1 else {}
    return "stable", (input,), {"stable": stable, **keywords, **({"descending": True} if descending else {})}


@_rule("view", "reshape", "flatten", "ravel", "unflatten")
def _viewed(input, size=None, *rest):
    if size.__class__ is tuple and len(size) == 1 and size[0].__class__.__name__ == "dtype":
        return "dtype", (input, size[0]), {}
    return "default", (input, list(size)), {}


def _as_view(name):
    op = OPS[name]

    def rule(*values):
        return "default", (values[0], list(op.kernel(values[0]._a, *values[1:]).shape)), {}

    return rule


# a shape that says itself is shown as it was written; these shapes follow from the tensor's
for _name in ("flatten", "ravel", "unflatten"):
    _RULES[_name] = _as_view(_name)


@_rule("squeeze")
def _squeezed(input, dim):
    if dim is None:
        return "default", (input,), {}
    return ("dim", (input, dim), {}) if isinstance(dim, int) else ("dims", (input, listed(dim)), {})


@_rule("_narrow")
def _narrowed(input, dim, start, length):
    size = input._a.shape[dim]
    start = int(start) + (size if start < 0 else 0)
    return "Tensor", (input, dim, start, start + length), {}


#: what stands for the end of a slice that has none
_END = (1 << 63) - 1


@_rule("_slice_dim")
def _sliced(input, dim, start, end, step):
    return (
        "Tensor",
        _given((input, ...), (dim, 0), (start or 0, None), (_END if end is None else end, None), (step, 1)),
        {},
    )


@_rule("_split")
def _parted(tensor, sections, dim):
    whole = isinstance(sections, int)
    given = sections if whole else listed(sections)
    return ("Tensor" if whole else "split_with_sizes.default"), _given((tensor, ...), (given, ...), (dim, 0)), {}


@_rule("chunk")
def _chunked(input, chunks, dim):
    size = input._a.shape[dim]
    if size == 0:
        return "split_with_sizes.default", _given((input, ...), ([0] * chunks, ...), (dim, 0)), {}
    return "Tensor", _given((input, ...), (-(-size // chunks), ...), (dim, 0)), {}


@_rule("expand", "broadcast_to")
def _expanded(input, size, implicit=False):
    return "default", (input, listed(size)), {"implicit": True} if implicit else {}


@_rule("permute", "flip", "repeat", "tile", "roll")
def _listing(input, sizes, *rest):
    rest = tuple([listed(each) for each in rest])
    while rest and rest[-1] is None:
        rest = rest[:-1]
    return "default", (input, listed(sizes), *rest), {}


@_rule("_index")
def _indexed(input, index):
    whole = [None if each.__class__ is slice else each for each in (index if isinstance(index, tuple) else (index,))]
    return "Tensor", (input, whole), {}


@_rule("_index_put")
def _put(input, indices, values, accumulate):
    whole = [None if each.__class__ is slice else each for each in indices]
    return "default", _given((input, ...), (whole, ...), (values, ...), (accumulate, False)), {}


@_rule("_to_dtype")
def _cast(input, dtype, memory_format):
    return "default", (input,), _named(dtype=dtype, memory_format=memory_format)


@_rule("_softmax", "_log_softmax")
def _normalised(input, dim, dtype):
    return "default", (input, dim, False), {} if dtype is None else {"dtype": dtype}


@_rule("_softmax_backward_data", "_log_softmax_backward_data")
def _normalised_backward(grad_output, output, dim):
    return "default", (grad_output, output, dim, output.dtype), {}


#: reductions of losses, by the numbers that PyTorch has for them
REDUCTIONS = ("none", "mean", "sum")


@_rule("_mse_loss", "_soft_margin_loss")
def _compared(input, target, reduction):
    return "default", _given((input, ...), (target, ...), (REDUCTIONS.index(reduction), 1)), {}


@_rule("_smooth_l1_loss", "_huber_loss")
def _compared_smoothly(input, target, reduction, width):
    return "default", _given((input, ...), (target, ...), (REDUCTIONS.index(reduction), 1), (width, 1.0)), {}


@_rule("_binary_cross_entropy")
def _binary(input, target, weight, reduction):
    return "default", _given((input, ...), (target, ...), (weight, None), (REDUCTIONS.index(reduction), 1)), {}


@_rule("_binary_cross_entropy_with_logits")
def _binary_logits(input, target, weight, pos_weight, reduction):
    rest = (weight, None), (pos_weight, None), (REDUCTIONS.index(reduction), 1)
    return "default", _given((input, ...), (target, ...), *rest), {}


@_rule("_nll_loss", "_nll_loss2d")
def _likelihood(input, target, weight, reduction, ignore_index):
    return "default", (input, target, weight, REDUCTIONS.index(reduction), ignore_index), {}


def _pair(value):
    return [value, value] if isinstance(value, int) else listed(value)


@_rule("max_pool2d_with_indices")
def _pooled(input, kernel_size, stride, padding, dilation, ceil_mode):
    stride = [] if stride is None else _pair(stride)
    rest = (_pair(padding), [0, 0]), (_pair(dilation), [1, 1]), (ceil_mode, False)
    stride = [] if stride == _pair(kernel_size) and all(value == default for value, default in rest) else stride
    return "default", _given((input, ...), (_pair(kernel_size), ...), (stride, []), *rest), {}


@_rule("avg_pool2d")
def _averaged(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    rest = (_pair(padding), [0, 0]), (ceil_mode, False), (count_include_pad, True), (divisor_override, None)
    stride = [] if stride is None else _pair(stride)
    return "default", _given((input, ...), (_pair(kernel_size), ...), (stride, []), *rest), {}


@_rule("_gelu_tanh")
def _gelu_tanh(input):
    return "gelu.default", (input,), {"approximate": "tanh"}


@_rule("_unique")
def _uniques(input, sorted, return_inverse, return_counts, dim):
    if dim is None:
        args = _given((input, ...), (sorted, True), (return_inverse, False), (return_counts, False))
        return "_unique2.default", args, {}
    return "default"


@_rule("_searchsorted")
def _placed(sorted_sequence, values, out_int32, right, side, sorter):
    overload = "Tensor" if isinstance(values, Tensor) else "Scalar"
    return (
        overload,
        (sorted_sequence, values),
        _named(out_int32=out_int32 or None, right=right or None, side=side, sorter=sorter),
    )


@_rule("_bucketize")
def _sorted_into(values, boundaries, out_int32, right):
    overload = "Tensor" if isinstance(values, Tensor) else "Scalar"
    return overload, (values, boundaries), _named(out_int32=out_int32 or None, right=right or None)


@_rule("_attention")
def _attended(query, key, value, attn_mask, is_causal, scale):
    args = (query, key, value, 0.0, True) if is_causal else (query, key, value)
    return "_scaled_dot_product_flash_attention_for_cpu.default", args, _named(attn_mask=attn_mask, scale=scale)


@_rule("_cdist")
def _distances(x1, x2, p):
    return "default", (x1, x2, p, None), {}


def spelled(op, values, how=None):
    """(name, overload, args, kwargs) of a call of an operator, ``how`` being None, "inplace" or "out"."""
    name, rule = name_of(op), _RULES.get(op.name)
    found = "default" if rule is None else rule(*values)
    overload, args, kwargs = (found, *_trimmed(op, values)) if isinstance(found, str) else found
    if "." in overload:
        name, _, overload = overload.partition(".")
    if how == "inplace":
        name += "_"
        if name == "pow_":
            overload = "Tensor" if overload == "Tensor_Tensor" else "Scalar"
        elif name == "copy_":
            args = args[:2] if not args[2:] or not args[2] else args
    elif how == "out":
        overload = _OUT.get(
            (name, overload), "out" if overload in _PLAIN_OUT.get(name, ("default",)) else f"{overload}_out"
        )
    return name, overload, args, kwargs


#: what an overload is called with ``out=``, where that does not follow from its name
_OUT = {("sum", "dim_IntList"): "IntList_out", ("prod", "dim_int"): "int_out", ("slice", "Tensor"): "Tensor_out"}
_PLAIN_OUT = dict.fromkeys("add sub mul div mean median any all".split(), ("default", "Tensor", "dim"))

#: a default that PyTorch shows all the same
_SHOWN_DEFAULTS = {"elu": 2, "hardtanh": 3}


def _trimmed(op, values):
    """(args, kwargs) as a caller would write them: without what is left at its default."""
    defaults, least = op.defaults(), _SHOWN_DEFAULTS.get(op.name, 0)
    args = list(values[: op.positional])
    while (
        len(args) > least
        and op.params[len(args) - 1] in defaults
        and _same(args[-1], defaults[op.params[len(args) - 1]])
    ):
        args.pop()
    kwargs = {n: v for n, v in zip(op.kwnames, values[op.positional :]) if not _same(v, defaults.get(n))}
    args = [list(each) if each.__class__ is tuple else each for each in args]
    return tuple(args), {n: list(v) if v.__class__ is tuple else v for n, v in kwargs.items()}


def _same(value, default):
    return value is default or (
        isinstance(value, (int, float)) and value == default and isinstance(default, (int, float))
    )


# ---------------------------------------------------------------------------------------------------------- reading

READINGS = {}


def _reading(*names):
    def declare(function):
        for name in names:
            READINGS[name] = function
        return function

    return declare


#: the operator behind a name and overload, where a name alone does not tell
_BY_OVERLOAD = {
    **{f"{name}.dim": f"_{name}_dim" for name in ("max", "min", "median", "nanmedian")},
    **{f"{name}.default": f"_{name}_all" for name in ("max", "min", "median", "nanmedian")},
    **{"index_fill.int_Scalar": "_index_fill_value", "index_fill.int_Tensor": "_index_fill_tensor"},
    **{"masked_fill.Scalar": "_masked_fill_value", "masked_fill.Tensor": "_masked_fill_tensor"},
    **{"scatter.value": "_scatter_value", "scatter.src": "_scatter", "scatter.reduce": "_scatter_reduced"},
    **{
        "div.Tensor_mode": "_div_rounded",
        "div.Scalar_mode": "_div_rounded",
        "fill.Scalar": "fill",
        "fill.Tensor": "fill",
    },
    **{"max.other": "maximum", "min.other": "minimum"},
}
_BY_NAME = {
    **{theirs: mine for mine, theirs in THEIR_NAME.items()},
    **{"linalg_vector_norm": "_norm", "slice": "_slice_dim", "threshold_backward": "_above", "fill_": "_fill"},
    **{"nll_loss_forward": "_nll_loss", "nll_loss2d_forward": "_nll_loss2d", "_cdist_forward": "_cdist"},
    **{"_prelu_kernel": "_prelu", "leaky_relu_backward": "_leaky", "aminmax": "_aminmax", "unsqueeze": "unsqueeze"},
    **{"_unique2": "_unique", "_scaled_dot_product_flash_attention_for_cpu": "_attention"},
    **{"select": "select", "alias": "_whole", "view": "view", "split": "_split"},
}


def ours(name, overload):
    """The operator that an overload of PyTorch's runs, or None."""
    return OPS.get(_BY_OVERLOAD.get(f"{name}.{overload}") or _BY_NAME.get(name, name))


@_reading("index", "index_put")
def _read_index(input, indices, *rest, **kwargs):
    return (input, tuple([slice(None) if each is None else each for each in indices]), *rest), kwargs


@_reading("_softmax", "_log_softmax")
def _read_softmax(input, dim, half_to_float=False, dtype=None):
    return (input, dim, dtype), {}


@_reading("_softmax_backward_data", "_log_softmax_backward_data")
def _read_softmax_backward(grad_output, output, dim, input_dtype=None):
    return (grad_output, output, dim), {}


@_reading("mse_loss", "soft_margin_loss", "smooth_l1_loss", "huber_loss")
def _read_loss(input, target, reduction=1, *rest, **kwargs):
    return (input, target, _reduction(reduction), *rest), kwargs


@_reading("binary_cross_entropy", "nll_loss_forward", "nll_loss2d_forward")
def _read_weighted(input, target, weight=None, reduction=1, *rest, **kwargs):
    return (input, target, weight, _reduction(reduction), *rest), kwargs


@_reading("binary_cross_entropy_with_logits")
def _read_logits(input, target, weight=None, pos_weight=None, reduction=1):
    return (input, target, weight, pos_weight, _reduction(reduction)), {}


def _reduction(given):
    return REDUCTIONS[given] if isinstance(given, int) else given


@_reading("max_pool2d_with_indices", "avg_pool2d")
def _read_pool(input, kernel_size, stride=None, *rest, **kwargs):
    return (input, kernel_size, stride or None, *rest), kwargs


@_reading("_to_copy")
def _read_cast(input, *, dtype=None, memory_format=None, **options):
    return (input, input.dtype if dtype is None else dtype, memory_format), {}


@_reading("_cdist_forward")
def _read_distances(x1, x2, p=2.0, compute_mode=None):
    return (x1, x2, p), {}


@_reading("_scaled_dot_product_flash_attention_for_cpu")
def _read_attention(query, key, value, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None):
    if dropout_p:
        raise NotImplementedError(
            "rushlight drops out of attention by torch.nn.functional.scaled_dot_product_attention"
        )
    return (query, key, value, attn_mask, is_causal, scale), {}


@_reading("searchsorted")
def _read_search(sorted_sequence, values, *, out_int32=False, right=False, side=None, sorter=None):
    return (sorted_sequence, values, out_int32, right, side, sorter), {}


@_reading("bucketize")
def _read_buckets(values, boundaries, *, out_int32=False, right=False):
    return (values, boundaries, out_int32, right), {}


@_reading("_unique2")
def _read_uniques(input, sorted=True, return_inverse=False, return_counts=False):
    return (input, sorted, return_inverse, return_counts, None), {}


@_reading("leaky_relu_backward")
def _read_leaky(grad_output, input, negative_slope, self_is_result=False):
    return (grad_output, input, negative_slope), {}


@_rule("_whole")
def _same_memory(input, index):
    return "default", (input,), {}


@_reading("alias")
def _read_alias(input):
    return (input, ()), {}
