"""Questions that need no arithmetic, Python functions on every element, and the settings of the library."""

import pytest

import rushlight as torch


def test_single_numbers():
    assert torch.is_nonzero(torch.tensor([2])) and not torch.tensor(0.0).is_nonzero()
    with pytest.raises(RuntimeError, match="with more than one value is ambiguous"):
        torch.is_nonzero(torch.zeros(2))
    with pytest.raises(TypeError, match=r"is_nonzero\(\): argument 'input' \(position 1\) must be Tensor, not int"):
        torch.is_nonzero(3)


def test_kinds_of_tensors():
    x = torch.zeros(2, 3)
    assert torch.is_signed(x) and not torch.is_signed(x.to(torch.uint8))
    assert torch.is_same_size(x, x + 1) and not torch.is_same_size(x, x.t())
    assert not torch.is_conj(x) and not torch.is_neg(x) and torch.get_device(x) == -1
    assert x.dim_order() == (0, 1) and x.t().dim_order() == (1, 0)
    assert x.to_dense() is x
    with pytest.raises(RuntimeError, match="values expected sparse tensor layout but got Strided"):
        x.values()


def test_python_functions_on_elements():
    x = torch.tensor([1.0, 2.0])
    version = x._version
    assert x.apply_(lambda a: a + 1) is x and x.tolist() == [2, 3] and x._version > version
    assert x.map_(torch.tensor(10.0), lambda a, b: a * b).tolist() == [20, 30]
    assert x.map2_(x, x, lambda a, b, c: a - b - c).tolist() == [-20, -30]
    assert torch.tensor([1, 2]).apply_(lambda a: a / 2).tolist() == [0, 1]
    with pytest.raises(RuntimeError, match=r"Can't call apply_\(\) on Variable that requires grad"):
        torch.ones(2, requires_grad=True).apply_(abs)
    with pytest.raises(TypeError, match="expected torch.FloatTensor for 'other'"):
        x.map_(torch.tensor([1, 2]), max)


def test_fill_diagonal():
    assert torch.zeros(3, 2).fill_diagonal_(5).tolist() == [[5, 0], [0, 5], [0, 0]]
    assert torch.zeros(4, 2).fill_diagonal_(5, wrap=True).tolist() == [[5, 0], [0, 5], [0, 0], [5, 0]]
    cube = torch.zeros(2, 2, 2).fill_diagonal_(1)
    assert cube.sum() == 2 and cube[0, 0, 0] == cube[1, 1, 1] == 1
    x = torch.ones(2, 2, requires_grad=True)
    (x * 3).fill_diagonal_(7).sum().backward()
    assert x.grad.tolist() == [[0, 3], [3, 0]]
    with pytest.raises(RuntimeError, match="dimensions must larger than 1"):
        torch.zeros(3).fill_diagonal_(1)
    with pytest.raises(RuntimeError, match="all dimensions of input must be of equal length"):
        torch.zeros(2, 2, 3).fill_diagonal_(1)


def test_settings():
    assert torch.get_default_device() == torch.device("cpu")
    torch.set_default_device("cpu")
    with pytest.raises(AssertionError, match="CUDA"):
        torch.set_default_device("cuda")
    try:
        torch.set_default_tensor_type("torch.DoubleTensor")
        assert torch.zeros(1).dtype is torch.float64
    finally:
        torch.set_default_tensor_type(torch.FloatTensor)
    with pytest.raises(TypeError, match="only floating-point types"):
        torch.set_default_tensor_type(torch.IntTensor)


def test_constants():
    assert torch.pi == pytest.approx(3.14159265) and torch.e == pytest.approx(2.71828183)
    assert torch.inf == float("inf") and torch.nan != torch.nan and torch.newaxis is None


def test_dim_order_where_it_is_not_the_only_one():
    x = torch.ones(2, 3, 4, 5)
    assert x.dim_order(ambiguity_check=True) == (0, 1, 2, 3)
    both = [torch.contiguous_format, torch.channels_last]
    assert x.to(memory_format=torch.channels_last).dim_order(ambiguity_check=both) == (0, 2, 3, 1)
    assert x[:1].contiguous().dim_order(ambiguity_check=[torch.contiguous_format]) == (0, 1, 2, 3)
    for check in (True, both):
        with pytest.raises(RuntimeError, match="does not have unique dim order"):
            torch.ones(2, 1, 1, 1).dim_order(ambiguity_check=check)


def test_dense_tensors_among_sparse_and_quantised_ones():
    x = torch.ones(2, 3, dtype=torch.bfloat16)
    assert (x.sparse_dim(), x.dense_dim(), x.dequantize().dtype) == (0, 2, torch.float32)
    with pytest.raises(RuntimeError, match="crow_indices expected sparse row compressed tensor layout but got Strided"):
        x.crow_indices()


def test_sizes_and_strides_of_what_is_no_dimension():
    x = torch.ones(2, 3)
    for ask in (x.size, x.stride):
        with pytest.raises(TypeError, match=r"argument 'dim' \(position 1\) must be int, not float"):
            ask(1.0)
        with pytest.raises(IndexError, match="Dimension out of range"):
            ask(2)
    for ask in (torch.tensor(1.0).size, torch.tensor(1.0).stride):
        with pytest.raises(IndexError, match="Dimension specified as 0 but tensor has no dimensions"):
            ask(0)


def test_slices_without_elements_keep_their_strides():
    x = torch.ones(2, 3, 4, 5)
    assert x[:, :, :, 1:1].stride() == (60, 20, 5, 1) and x[1:1].transpose(0, 1).stride() == (20, 60, 5, 1)
    assert torch.ones(3, 0).stride() == (1, 1)


def test_tensors_of_different_dtypes_are_equal_in_their_common_one():
    assert torch.equal(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]))
    assert torch.equal(torch.tensor([2**24 + 1]), torch.tensor([2.0**24]))
    assert not torch.equal(torch.tensor([0.1], dtype=torch.float64), torch.tensor([0.1]))
