"""How tensors are shown. The texts are PyTorch 2.13.0's own; thousands more are compared in ``tests/parity``."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rushlight import dtypes, printing


@pytest.fixture(autouse=True)
def default_options():
    yield
    printing.set_printoptions(profile="default")


def shown(values, name="float32", **more):
    dtype = getattr(dtypes, name)
    return printing.format_tensor(np.asarray(values, dtype=dtype.numpy), dtype, **more)


@pytest.mark.parametrize(
    "values, text",
    [
        (2.0, "tensor(2.)"),
        (-0.0, "tensor(-0.)"),
        (7.389056, "tensor(7.3891)"),
        ([2.0, 3.0], "tensor([2., 3.])"),
        ([16.5, -0.25], "tensor([16.5000, -0.2500])"),
        ([0.4, 4.0, 4e-4], "tensor([4.0000e-01, 4.0000e+00, 4.0000e-04])"),
        ([1e8, 1.0], "tensor([1.0000e+08, 1.0000e+00])"),
        ([1e8, 1e7], "tensor([100000000.,  10000000.])"),
        ([2e8, 1e8], "tensor([2.0000e+08, 1.0000e+08])"),
        ([1.0, np.nan, -np.inf], "tensor([1., nan, -inf])"),
        ([1.5, np.nan, np.inf], "tensor([1.5000,    nan,    inf])"),
        ([np.nan, np.inf], "tensor([nan, inf])"),
        ([0.0, 1e-5], "tensor([0.0000e+00, 1.0000e-05])"),
        ([[1.0, 2.0], [3.0, 4.0]], "tensor([[1., 2.],\n        [3., 4.]])"),
        ([[[1.0], [2.0]], [[3.0], [4.0]]], "tensor([[[1.],\n         [2.]],\n\n        [[3.],\n         [4.]]])"),
    ],
)
def test_numbers_share_one_format(values, text):
    assert shown(values) == text


@pytest.mark.parametrize(
    "values, name, text",
    [
        ([1, -20, 300], "int64", "tensor([  1, -20, 300])"),
        ([1, 2], "int32", "tensor([1, 2], dtype=torch.int32)"),
        ([255], "uint8", "tensor([255], dtype=torch.uint8)"),
        ([2**64 - 1], "uint64", "tensor([18446744073709551615], dtype=torch.uint64)"),
        ([True, False], "bool", "tensor([ True, False])"),
        ([True, True], "bool", "tensor([True, True])"),
        ([1.5], "float64", "tensor([1.5000], dtype=torch.float64)"),
        ([0.1, 65504.0], "float16", "tensor([9.9976e-02, 6.5504e+04], dtype=torch.float16)"),
        ([1 + 2j, -3.5 - 0.25j], "complex64", "tensor([ 1.0000+2.0000j, -3.5000-0.2500j])"),
        ([1 + 0j, complex(0, -0.0)], "complex64", "tensor([1.+0.j, 0.-0.j])"),
        (1e-10j, "complex128", "tensor(0.+1.0000e-10j, dtype=torch.complex128)"),
    ],
)
def test_dtypes(values, name, text):
    assert shown(values, name) == text


def test_bfloat16():
    pytest.importorskip("ml_dtypes", reason="bfloat16 comes from ml_dtypes, of the extra `full`")
    assert shown([0.1, 3.0], "bfloat16") == "tensor([0.1001, 3.0000], dtype=torch.bfloat16)"


def test_empty_tensors_say_what_cannot_be_seen():
    assert shown([]) == "tensor([])"
    assert shown(np.empty((0, 3))) == "tensor([], size=(0, 3))"
    assert shown([], "int64") == "tensor([], dtype=torch.int64)"
    assert (
        shown(np.empty((2, 0)), "bool", requires_grad=True)
        == "tensor([], size=(2, 0), dtype=torch.bool, requires_grad=True)"
    )


def test_what_autograd_adds():
    assert shown([1.0], requires_grad=True) == "tensor([1.], requires_grad=True)"
    assert shown([1.0], requires_grad=True, grad_fn_name="ExpBackward0") == "tensor([1.], grad_fn=<ExpBackward0>)"
    assert shown(1.0, tangent="2.0") == "tensor(1., tangent=2.0)"


def test_notes_go_to_a_line_of_their_own_where_the_last_is_full():
    text = shown(np.arange(18.0), grad_fn_name="MulBackward0")
    assert text == (
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
        "        14., 15., 16., 17.], grad_fn=<MulBackward0>)"
    )
    text = shown(np.arange(14.0), "float64", requires_grad=True)
    assert text == (
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.],\n"
        "       dtype=torch.float64, requires_grad=True)"
    )


def test_large_tensors_show_their_edges():
    assert shown(np.arange(1001.0)) == "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])"
    assert shown(np.arange(2000), "int64") == "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"
    rows = shown(np.ones((40, 40), dtype=int), "int64")
    assert rows == (
        "tensor([[1, 1, 1,  ..., 1, 1, 1],\n"
        "        [1, 1, 1,  ..., 1, 1, 1],\n"
        "        [1, 1, 1,  ..., 1, 1, 1],\n"
        "        ...,\n"
        "        [1, 1, 1,  ..., 1, 1, 1],\n"
        "        [1, 1, 1,  ..., 1, 1, 1],\n"
        "        [1, 1, 1,  ..., 1, 1, 1]])"
    )


def test_only_what_is_shown_is_formatted():
    # a view of 10**15 elements over one number: touching each would take hours
    huge = np.broadcast_to(np.float32(1.5), (1000,) * 5)
    assert printing.format_tensor(huge, dtypes.float32).count("1.5000") == 6**5


def test_options():
    printing.set_printoptions(precision=2)
    assert shown([1.12345]) == "tensor([1.12])"
    printing.set_printoptions(threshold=5, edgeitems=1)
    assert shown(np.arange(10), "int64") == "tensor([0,  ..., 9])"
    printing.set_printoptions(profile="full")
    assert shown(np.zeros(1500), "int64").count("0") == 1500
    printing.set_printoptions(profile="short")
    assert shown([3.14159]) == "tensor([3.14])"
    printing.set_printoptions(sci_mode=True)
    assert shown([1.0]) == "tensor([1.00e+00])"
    printing.set_printoptions(sci_mode=False, precision=1)
    assert shown([1e9, 0.25]) == "tensor([1000000000.0,          0.2])"
    printing.set_printoptions(linewidth=20, profile="default")
    assert shown([1.0, 2.0, 3.0, 4.0]) == "tensor([1., 2., 3.,\n        4.])"
    printing.set_printoptions(edgeitems=0, threshold=2, linewidth=80)
    assert shown([1.0, 2.0, 3.0]) == "tensor([...], size=(3,))"


def test_options_of_a_block_end_with_it():
    before = printing.get_printoptions()
    with pytest.raises(ZeroDivisionError), printing.printoptions(precision=7):
        assert shown([0.1]) == "tensor([0.1000000])"
        raise ZeroDivisionError
    assert printing.get_printoptions() == before


def test_tensors_print_themselves():
    torch = pytest.importorskip("rushlight")

    class Marked(torch.Tensor):
        pass

    x = torch.ones(2, requires_grad=True)
    assert repr(x) == str(x) == "tensor([1., 1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 2.], grad_fn=<MulBackward0>)"
    assert printing.parameter_repr(x) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    marked = Marked([[1.0, 1.0], [1.0, 1.0]])
    assert repr(marked) == "Marked([[1., 1.],\n        [1., 1.]])"
    assert x.__repr__(tensor_contents="...") == "tensor(..., requires_grad=True)"
    assert f"{torch.tensor(0.1):.3f} {torch.tensor(3)} {torch.ones(1)}" == "0.100 3 tensor([1.])"


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.int64]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    )
)
def test_shown_numbers_are_the_numbers(array):
    """Whatever the layout, the numbers stand there in order, to the precision shown."""
    text = printing.format_tensor(array, dtypes.of(array.dtype))
    body = text[len("tensor(") : text.rfind("]") + 1 if array.ndim else None].split(", dtype")[0]
    words = body.replace("[", " ").replace("]", " ").replace(",", " ").rstrip(")").split()
    words = [] if array.size == 0 else words
    assert len(words) == array.size
    for word, number in zip(words, array.ravel().tolist()):
        value = float(word)
        close = abs(value - number) <= 5.1e-5 * max(1.0, abs(number))
        close |= abs(number) > 1.79765e308  # shown with five digits, the largest are beyond what float() reads
        assert value == number or close or (value != value and number != number)
