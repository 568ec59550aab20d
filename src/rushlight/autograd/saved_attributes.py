"""``_saved_self`` and its kin: what a node shows of what it saved, under PyTorch's names.

What a derivative rule here needs and what PyTorch's saves are nearly the same, and the names follow from the declaration: ``input`` is
shown as ``self``, the shape of a tensor as its ``_sym_sizes``, several results under their own names. `_NAMES` lists what is called
otherwise. What PyTorch saves and the rule here does without is not shown.
"""

from ..tensor import edge_of
from .graph import Leaf, freed
from .saved import SavedTensor, as_tensor

__all__ = ["raw_saved", "show_saved"]

#: by the name of a node: ours=theirs, ours[k]=theirs for one item of it, or -ours for what PyTorch does not save
_NAMES = {
    **dict.fromkeys(
        (
            *(
                "AmaxBackward0",
                "AminBackward0",
                "AminmaxBackward0",
                "CummaxBackward0",
                "CumminBackward0",
                "LogsumexpBackward0",
            ),
            *(
                "MedianBackward0",
                "NanmedianBackward0",
                "NansumBackward0",
                "NormBackward1",
                "ProdBackward1",
                "FftC2RBackward0",
            ),
            *("FftR2CBackward0", "MaskedSelectBackward0", "TakeBackward0", "UnbindBackward0", "GatherBackward0"),
        ),
        "-self_sym_sizes",
    ),
    **dict.fromkeys(("StdBackward0", "VarBackward0", "VarMeanBackward0"), "-self_sym_sizes -unbiased"),
    **dict.fromkeys(("SumBackward0", "MeanBackward0"), "-dim -keepdim"),
    **dict.fromkeys(("ScatterBackward0", "ScatterAddBackward0"), "-src_sym_sizes"),
    **dict.fromkeys(
        ("SplitBackward0", "UnsafeSplitBackward0"), "tensor_sym_sizes=self_sym_sizes split_size_or_sections=split_size"
    ),
    **dict.fromkeys(
        ("ReflectionPad1DBackward0", "ReplicationPad1DBackward0", "ReplicationPad2DBackward0"),
        "-mode -self_sym_sizes pad=padding",
    ),
    **dict.fromkeys(("LinalgMatrixExpBackward0", "LinalgPinvBackward0", "LinalgSolveTriangularBackward0"), "A=self"),
    **dict.fromkeys(("GridSampler2DBackward0", "GridSampler3DBackward0"), "self=input"),
    **dict.fromkeys(
        ("NativeLayerNormBackward0", "NativeGroupNormBackward0", "NativeBatchNormBackward0"),
        "self=input -bias_sym_sizes",
    ),
    **dict.fromkeys(("IndexAddBackward0", "IndexCopyBackward0", "PutBackward0"), "-source_sym_sizes"),
    **dict.fromkeys(
        ("AsStridedScatterBackward0", "DiagonalScatterBackward0", "SelectScatterBackward0", "SliceScatterBackward0"),
        "-args -src_sym_sizes",
    ),
    **dict.fromkeys(("NllLossBackward0", "NllLoss2DBackward0"), "result1=total_weight"),
    **dict.fromkeys(
        ("UpsampleBicubic2DBackward0", "UpsampleBilinear2DBackward0"),
        "-mode scale_factors[0]=scales_h scale_factors[1]=scales_w",
    ),
    **dict.fromkeys(
        ("UpsampleNearest1DBackward0", "UpsampleNearestExact1DBackward0"),
        "-mode scale_factors[0]=scales -align_corners",
    ),
    "UpsampleLinear1DBackward0": "-mode scale_factors[0]=scales",
    "UpsampleTrilinear3DBackward0": "-mode scale_factors[0]=scales_d scale_factors[1]=scales_h scale_factors[2]=scales_w",
    "AsStridedBackward0": "-input_memory",
    "EmbeddingBackward0": "weight_sym_sizes[0]=weight_sym_argsize_0",
    "EmbeddingBagBackward0": "-offsets_sym_sizes",
    "Im2ColBackward0": "self_sym_sizes[-2]=self_sym_argsize_minus_2 self_sym_sizes[-1]=self_sym_argsize_minus_1",
    "LerpBackward0": "-end -self",
    "LinalgCholeskyExBackward0": "result=L -info",
    "LinalgInvExBackward0": "result=inverse -info",
    "LinalgLstsqBackward0": "-driver -rank -residuals -singular_values",
    "LinalgLuFactorExBackward0": "-info",
    "LinalgSlogdetBackward0": "-logabsdet",
    "LinalgSolveExBackward0": "-B_sym_sizes -info",
    "LuUnpackBackward0": "LU_data_sym_sizes[-2]=LU_data_sym_argsize_minus_2 LU_data_sym_sizes[-1]=LU_data_sym_argsize_minus_1",
    "PowBackward0": "-result",
    "SliceBackward0": "-length",
    "TriangularSolveBackward0": "-cloned_coefficient",
    "BinaryCrossEntropyBackward0": "-target_sym_sizes",
    "CatBackward0": "-tensors_sym_sizes",
    "ConvolutionBackward0": "self=input -self_sym_sizes -weight_sym_sizes",
    "DivBackward1": "count=other",
    "IndexPutBackward0": "-values_scalar_type -values_sym_sizes",
    "LinalgHouseholderProductBackward0": "A=input -A_sym_sizes",
    "LinalgQrBackward0": "-A_sym_sizes",
    "LinalgSvdBackward0": "-A_sym_sizes",
    "LinalgVectorNormBackward0": "p=ord -self_sym_sizes",
    "ProdBackward0": "-dim -keepdim -self_sym_sizes",
    "RepeatBackward0": "dims=repeats",
    "StdMeanBackward0": "-self_sym_sizes -unbiased",
    "WhereBackward0": "-first_sym_sizes -other_sym_sizes",
}
#: what is a tuple in PyTorch also where one number was given
_DIMS = dict.fromkeys(
    (
        *(
            "AmaxBackward0",
            "AminBackward0",
            "LinalgVectorNormBackward0",
            "MeanBackward1",
            "NansumBackward0",
            "NormBackward1",
        ),
        *("StdBackward0", "StdMeanBackward0", "SumBackward1", "VarBackward0", "VarMeanBackward0"),
    ),
    ("dim",),
)
_DIMS["RollBackward0"] = ("dims", "shifts")
_SHOWN = {"input": "self", "y": "result"}
#: tensors among the parameters of operators that have no derivative with respect to them
_TENSORS = frozenset(
    "condition index indices mask offsets other pivots pos_weight src source target values weight".split()
)
#: parameters that are no sizes or dimensions; numbers of those kinds are shown as they look without a sign
_SIGNED = frozenset(
    "alpha beta exponent fill_value lambd max min negative_slope other self threshold value weight".split()
)
_REDUCTIONS = ("none", "mean", "sum")


def show_saved(cls, op):
    """Give a node class PyTorch's ``_saved_<name>`` and ``_raw_saved_<name>`` for what its rules need."""
    if op is None:
        return
    needs = {name for rule in op.rules.values() for name in rule.needs}
    if op.joint is not None:
        needs |= set(op.joint.needs)
    named = {}
    for each in _NAMES.get(cls.__name__, "").split():
        ours, _, theirs = each.removeprefix("-").partition("=")
        ours, _, place = ours.partition("[")
        named.setdefault(ours, []).append((theirs, int(place.rstrip("]")) if place else None))
    for name in needs:
        if name == "y" and op.returns is not None:
            listed = op.returns == "list" or op.returns is True
            for place in op.saves or (() if listed else range(len(op.returns))):
                shown = f"result{place}" if listed else op.returns[place]
                for theirs, _ in named.get(shown, [(shown, None)]):
                    _show(cls, theirs, name, True, place)
            continue
        stem, _, fact = name.rpartition("_")
        kind = {"shape": "_sym_sizes", "dtype": "_scalar_type"}.get(fact) if stem in op.params else None
        shown = _SHOWN.get(name, name) if kind is None else _SHOWN.get(stem, stem) + kind
        tensor = name == "y" or name in op.rules or name in _TENSORS or name in (op.operands or ()) or op.joint
        for theirs, place in named.get(shown, [(shown, None)]):
            _show(cls, theirs, name, tensor and kind is None, place)


def _show(cls, shown, name, tensor, place):
    if not shown:
        return
    several = shown in _DIMS.get(cls.__name__, ())
    setattr(cls, f"_saved_{shown}", property(lambda self: _at(_value(self, name), place, several)))
    if tensor:
        setattr(cls, f"_raw_saved_{shown}", property(lambda self: _at(raw_saved(self, name), place)))


def _at(value, place, several=False):
    if several and value.__class__ is int:
        return (value,)
    return value if place is None or value is None else value[place]


def _unsigned(name, value):
    """A number or sequence of them as PyTorch shows it, which takes sizes and dimensions for unsigned."""
    if value.__class__ is tuple:
        return tuple([_unsigned(name, each) for each in value])
    if name == "reduction" and value in _REDUCTIONS:
        return _REDUCTIONS.index(value)
    return value + (1 << 64) if value.__class__ is int and value < 0 and name not in _SIGNED else value


def _general(node):
    """The node's Saved, whatever path made it."""
    if node.saved is None:
        raise freed()
    thaw = getattr(node, "thaw", None)
    if thaw is not None and not hasattr(node.saved, "marks"):
        thaw()
    return node.saved


def _value(node, name):
    saved = _general(node)
    if name not in saved.values:
        return None if name in (node.op.operands or ()) or name == "y" else node.op.defaults().get(name)
    value, mark = saved.values[name], saved.marks.get(name)
    if value.__class__ is SavedTensor:
        return value.unpack(node)
    if mark is None:
        return _unsigned(name, tuple(value) if value.__class__ is list else value)
    if mark.__class__ is list:
        return tuple(_single(node, each, m) for each, m in zip(value, mark))
    return _single(node, value, mark)


def _single(node, value, mark):
    if value.__class__ is SavedTensor:
        return value.unpack(node)
    if mark is None:
        return value
    if _is_number(node, mark):
        # kept in the operands' dtype: the shortest one that is the same there
        return type(value.item())(str(value[()]))
    _check(node, value)
    tensor = as_tensor(node, value, mark)
    if tensor._edge.__class__ is Leaf and tensor._edge.owner is not None:
        own = tensor._edge.variable
        if own._a is value:
            return own
    return tensor


def _check(node, value):
    """RuntimeError if this one of what a node saved was written to since."""
    guard = node.guard or ()
    for i in range(0, len(guard), 5):
        if guard[i + 2] is value and guard[i][0] != guard[i + 1]:
            node.check()


def _is_number(node, mark):
    """Whether a saved value is the number of an overload for numbers, which has a node of its own."""
    place = mark[0]
    overloaded = node.op.elementwise and callable(node.op.node_name)
    return overloaded and place is not None and place >= len(node.next_functions)


def raw_saved(node, name):
    """What a node keeps under a rule's ``name`` as SavedTensors, on which hooks can be registered."""
    if node.saved is None:
        return SavedTensor.of_freed(node.dtype)
    saved = _general(node)
    value, mark = saved.values.get(name), saved.marks.get(name)
    if value.__class__ is SavedTensor or value is None:
        return value
    if mark is None or value.__class__ is not list and _is_number(node, mark):
        raise AttributeError(f"'{node.name()}' object saved a number as {name!r}, of which there is no raw form")
    if mark.__class__ is list:
        return tuple(_stand_in(node, saved, name, each, m, i) for i, (each, m) in enumerate(zip(value, mark)))
    return _stand_in(node, saved, name, value, mark, None)


def _stand_in(node, saved, name, array, mark, place):
    """A SavedTensor put in the place of an array the node saved, so that hooks can be registered on it."""
    if array is None:
        return SavedTensor.of_nothing()
    if array.__class__ is SavedTensor or mark is None:
        return array
    tensor = as_tensor(node, array, mark)
    made = SavedTensor(tensor, node, edge_of(tensor))
    made._tensor = None
    guard = node.guard or ()
    kept = []
    for i in range(0, len(guard), 5):
        if guard[i + 2] is array:
            made._version = guard[i + 1]
        else:
            kept += guard[i : i + 5]
    node.guard = tuple(kept) or None
    if place is None:
        saved.values[name] = made
    else:
        values = list(saved.values[name])
        values[place] = made
        saved.values[name] = type(saved.values[name])(values)
    saved.packed = True
    return made
