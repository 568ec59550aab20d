"""The harness itself: recipes rebuild what they took apart, and comparisons see what they should."""

import numpy as np
import pytest
import torch
from torch.testing._internal.opinfo.core import SampleInput

from tests.parity.harness import report, scope
from tests.parity.harness.compare import close, no_worse, structure
from tests.parity.harness.gauge import determined
from tests.parity.harness.names import Absent, Translator, look_up
from tests.parity.harness.samples import Recipe, Unsupported

TORCH = Translator(torch)


def rebuilt(*args, **kwargs):
    made, named, _ = Recipe(SampleInput(args[0], args=args[1:], kwargs=kwargs)).build(TORCH)
    return made, named


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).t(),
        torch.arange(6.0)[1::2],
        torch.ones(1, 3).expand(4, 3),
        torch.tensor(3, dtype=torch.int64),
        torch.ones(0, 2, dtype=torch.bool),
        torch.ones(2, dtype=torch.bfloat16),
        torch.tensor([1 + 2j]).conj(),
    ],
)
def test_a_tensor_is_rebuilt_with_its_values_strides_and_dtype(tensor):
    (twin,), _ = rebuilt(tensor)
    assert twin.dtype == tensor.dtype
    assert twin.stride() == tensor.stride() or tensor.numel() == 0
    assert torch.equal(twin, tensor)
    assert twin.untyped_storage().data_ptr() != tensor.untyped_storage().data_ptr() or tensor.numel() == 0


def test_one_tensor_given_twice_stays_one_and_views_share_memory():
    base = torch.arange(4.0)
    (a, b, c), named = rebuilt(base, base, base[1:], weight=[base])
    assert a is b is named["weight"][0]
    c.fill_(9)
    assert a.tolist() == [0, 9, 9, 9]


def test_requires_grad_is_kept_and_can_be_dropped():
    recipe = Recipe(SampleInput(torch.ones(2, requires_grad=True)))
    assert recipe.build(TORCH)[0][0].requires_grad
    assert recipe.build(TORCH)[0][0].is_leaf
    assert not recipe.build(TORCH, requires_grad=False)[0][0].requires_grad


def test_what_is_out_of_scope_is_refused():
    with pytest.raises(Unsupported):
        Recipe(SampleInput(torch.ones(2).to_sparse()))
    with pytest.raises(Unsupported):
        Recipe(SampleInput(torch.ones(2, device="meta")))


def test_small_functions_are_carried_over_with_their_globals():
    class Other:
        @staticmethod
        def sin(x):
            return "ours"

    def function(x):
        return torch.sin(x)

    function.__module__ = "torch.testing._internal.somewhere"
    assert Translator(Other).value(function)(1) == "ours"
    assert Translator(Other).value(torch.sin)(1) == "ours"
    with pytest.raises(Absent, match="cos"):
        Translator(Other).value(torch.cos)


def test_look_up_walks_dotted_names():
    assert look_up(torch, "nn.functional.relu") is torch.nn.functional.relu
    with pytest.raises(Absent, match=r"nn\.functional\.qwerty"):
        look_up(torch, "nn.functional.qwerty")


def test_close_uses_the_tolerance_of_the_dtype():
    one = np.ones(2)
    assert close(one + 5e-8, one, "float64") is None
    assert close(one + 5e-7, one, "float64") is not None
    assert close(one + 5e-6, one, "float32") is None
    assert close(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), "float64") is None
    assert close(np.array([np.inf]), np.array([-np.inf]), "float64") is not None
    assert close(np.array([np.nan]), np.array([1.0]), "float64") is not None
    assert close(np.array([1]), np.array([2]), "int64") is not None
    assert close(np.ones((2, 1)), np.ones((1, 2)), "float64") is not None


def test_no_worse_lets_through_only_what_is_as_near_to_the_truth():
    exact = np.array([1.0, 1000.0])
    theirs = np.array([1.0, 1000.01], np.float32)
    assert no_worse(np.array([1.0, 999.991], np.float32), theirs, exact)
    assert not no_worse(np.array([1.0, 999.98], np.float32), theirs, exact)
    assert not no_worse(np.array([np.nan, 1000.0], np.float32), theirs, exact)
    assert not no_worse(np.array([1.0], np.float32), theirs, exact)


def test_structure_tells_tuples_lists_and_names_apart():
    pair = torch.ones(2).sort()
    assert structure(pair) == "named(values=Tensor, indices=Tensor)"
    assert structure(tuple(pair)) == "tuple(Tensor, Tensor)"
    assert structure(list(pair)) == "list(Tensor, Tensor)"
    assert structure((1, True, None)) == "tuple(int 1, bool True, NoneType None)"


def test_gauge_freedom_forgives_signs_and_nothing_else():
    matrix = np.random.RandomState(0).standard_normal((4, 3))
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    flip = np.array([1, -1, 1])
    same = determined("linalg.svd", [u, s, vh], {})
    flipped = determined("linalg.svd", [u * flip, s, vh * flip[:, None]], {})
    wrong = determined("linalg.svd", [u * flip, s, vh], {})
    assert all(close(a, b, "float64") is None for a, b in zip(flipped, same, strict=True))
    assert not all(close(a, b, "float64") is None for a, b in zip(wrong, same, strict=True))
    assert determined("linalg.qr", [u, s], {}) is None


def test_order_among_equal_elements_is_left_open_and_nothing_else():
    values = np.array([2.0, 1.0, 2.0])
    ordered = np.array([1.0, 2.0, 2.0])
    one = determined("sort", [ordered, np.array([1, 0, 2])], {}, (values,))
    other = determined("sort", [ordered, np.array([1, 2, 0])], {}, (values,))
    twice = determined("sort", [ordered, np.array([1, 0, 0])], {}, (values,))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, twice, strict=True))
    assert determined("sort", [ordered, np.array([1, 0, 2])], {"stable": True}, (values,)) is None
    assert determined("kthvalue", [ordered[0], np.array(1)], {}, (values, 1)) is None


def test_a_row_tells_agreement_disagreement_and_absence():
    row = report.Row("sin", "elementwise")
    row.good("value")
    row.judge("grad", "off by one", "float64 #0")
    row.missing("out", "not there")
    assert [row.status(c) for c in ("value", "grad", "out", "inplace")] == ["agree", "disagree", "absent", "none"]
    assert row.gaps() == ["grad", "out"]
    assert row.gaps(but=("out",)) == ["grad"]
    again = report.Row.from_dict(row.as_dict())
    assert again.as_dict() == row.as_dict()
    assert "off by one" in report.details(again)


def test_scope_is_what_the_project_says():
    from torch.testing._internal.common_methods_invocations import op_db

    chosen = {scope.entry_id(op) for op in scope.entries()}
    assert {
        "sin",
        "__getitem__",
        "index_copy",
        "linalg.qr",
        "special.i1e",
        "masked.sum",
        "nn.functional.ctc_loss",
    } <= chosen
    for name in ("_chunk_cat", "t_copy", "to_sparse", "resize_", "linalg.ldl_solve", "geqrf", "special.bessel_j0"):
        assert name not in chosen
    assert all(scope.family(op) in ("elementwise", "reduce", "nn", "linalg", "core") for op in op_db)
