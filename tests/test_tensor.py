"""What a tensor is: construction, attributes, memory, and its life among Python's and NumPy's objects."""

import copy
import pickle

import numpy as np
import pytest

import rushlight as torch

FLOATS = [torch.float16, torch.float32, torch.float64]


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, torch.int64, ()),
        (1.5, torch.float32, ()),
        (True, torch.bool, ()),
        (1j, torch.complex64, ()),
        ([1, 2.5, True], torch.float32, (3,)),
        ([[1, 2], [3, 4]], torch.int64, (2, 2)),
        ([], torch.float32, (0,)),
        ([[], []], torch.float32, (2, 0)),
        (np.arange(3, dtype=np.int16), torch.int16, (3,)),
        ([np.float64(1.0), 2], torch.float64, (2,)),
        ([torch.tensor(1), 2.5], torch.float32, (2,)),
    ],
)
def test_the_dtype_and_shape_inferred_from_data(data, dtype, shape):
    made = torch.tensor(data)
    assert made.dtype is dtype and made.shape == shape


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, "expected sequence of length 2 at dim 1 (got 1)"),
        ("a", TypeError, "new(): invalid data type 'str'"),
        (["a"], ValueError, "too many dimensions 'str'"),
        (None, RuntimeError, "Could not infer dtype of NoneType"),
        ({}, RuntimeError, "Could not infer dtype of dict"),
        ([torch.ones(2), torch.ones(2)], ValueError, "only one element tensors can be converted to Python scalars"),
        (2**70, ValueError, "Overflow when unpacking long long"),
    ],
)
def test_data_that_is_refused(data, error, text):
    with pytest.raises(error) as caught:
        torch.tensor(data)
    assert str(caught.value) == text


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(3)
    copied, shared, viewed = torch.tensor(array), torch.from_numpy(array), torch.as_tensor(array)
    array[0] = 5
    assert copied.tolist() == [0, 0, 0] and shared.tolist() == viewed.tolist() == [5, 0, 0]
    shared.numpy()[1] = 7
    assert array[1] == 7


def test_from_numpy_of_a_view_starts_its_own_storage():
    shared = torch.from_numpy(np.arange(10)[4:])
    assert shared.storage_offset() == 0 and shared.tolist() == [4, 5, 6, 7, 8, 9]


def test_legacy_constructors():
    assert torch.Tensor([2, 3]).tolist() == [2.0, 3.0]
    assert torch.Tensor(2, 3).shape == (2, 3)
    assert torch.LongTensor([1, 2]).dtype is torch.int64
    assert isinstance(torch.ones(1), torch.FloatTensor) and not isinstance(torch.ones(1), torch.DoubleTensor)


def test_sizes_and_strides():
    x = torch.zeros(2, 3, 4)
    assert x.shape == torch.Size([2, 3, 4]) and repr(x.shape) == "torch.Size([2, 3, 4])"
    assert x.stride() == (12, 4, 1) and x.stride(-1) == 1 and x.numel() == 24 and x.dim() == 3
    view = x[1, :, 2:]
    assert view.storage_offset() == 14 and view.stride() == (4, 1) and not view.is_contiguous()
    assert view.contiguous().is_contiguous() and view.contiguous().data_ptr() != view.data_ptr()
    assert view.untyped_storage() == x.untyped_storage()
    assert x.size(1) == 3
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-3, 2\], but got 3\)"):
        x.size(3)


def test_leaves_and_requires_grad():
    x = torch.ones(2)
    assert x.is_leaf and not x.requires_grad and x.grad_fn is None
    x.requires_grad_()
    y = x * 2
    assert x.is_leaf and not y.is_leaf and y.requires_grad
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match="only Tensors of floating point dtype can require gradients"):
        torch.ones(2, dtype=torch.int64).requires_grad_()
    x.requires_grad = False
    assert not (x * 2).requires_grad


def test_detach_and_data_share_memory():
    x = torch.ones(2, requires_grad=True)
    x.detach().fill_(3.0)
    assert x.tolist() == [3.0, 3.0] and x._version == 1
    x.data[0] = 7.0
    assert x.tolist() == [7.0, 3.0] and x._version == 1
    x.data = torch.zeros(5)
    assert x.shape == (5,) and x.requires_grad


def test_grad_can_be_assigned_if_it_fits():
    x = torch.ones(2, requires_grad=True)
    x.grad = torch.zeros(2)
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="attempting to assign a gradient of size"):
        x.grad = torch.zeros(3)
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None but got grad of type int"):
        x.grad = 1
    x.grad = None
    assert x.grad is None


def test_numbers_from_tensors():
    assert torch.tensor(3).item() == 3 and float(torch.tensor([2.5])) == 2.5 and int(torch.tensor(2.7)) == 2
    assert bool(torch.tensor(1)) and [10, 20, 30][torch.tensor(1)] == 20 and f"{torch.tensor(1.25):.1f}" == "1.2"
    with pytest.raises(RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"):
        torch.ones(2).item()
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with more than one value is ambiguous"):
        bool(torch.ones(2))
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
        len(torch.tensor(1))


def test_iteration_and_membership():
    x = torch.arange(6).reshape(3, 2)
    assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]] and len(x) == 3
    assert 3 in x and 9 not in x


def test_numpy_functions_return_tensors():
    x = torch.tensor([0.0, 1.0])
    made = np.exp(x)
    assert isinstance(made, torch.Tensor) and made.tolist() == pytest.approx([1.0, np.e])
    assert isinstance(np.ones(2) + x, torch.Tensor)
    assert np.asarray(x).tolist() == [0.0, 1.0] and np.asarray(x, dtype=np.int64).dtype == np.int64
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        torch.ones(2, requires_grad=True).numpy()


def test_dlpack_both_ways_shares_memory():
    x = torch.arange(4.0)
    array = np.from_dlpack(x)
    assert array.tolist() == [0, 1, 2, 3]
    back = torch.from_dlpack(np.arange(3.0))
    back[0] = 9
    assert back.tolist() == [9, 1, 2]


def test_deepcopy_keeps_shared_memory_shared():
    x = torch.arange(6.0)
    pair = copy.deepcopy([x, x[2:]])
    pair[0][3] = 100
    assert pair[1].tolist() == [2, 100, 4, 5] and x[3] == 3
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(torch.ones(1, requires_grad=True) * 2)


def test_pickles_keep_dtype_and_requires_grad():
    x = torch.tensor([1.5, 2.5], dtype=torch.float64, requires_grad=True)
    x.note = "kept"
    back = pickle.loads(pickle.dumps(x))
    assert back.tolist() == x.tolist() and back.dtype is x.dtype and back.requires_grad and back.note == "kept"
    assert pickle.loads(pickle.dumps(torch.float32)) is torch.float32


def test_casts():
    x = torch.tensor([1.7, -2.3])
    assert x.to(torch.int64).tolist() == [1, -2] and x.long().dtype is torch.int64 and x.double().dtype is torch.float64
    assert x.float() is x and x.to("cpu") is x and x.to(x) is x and x.to(torch.float32, copy=True) is not x
    assert x.type() == "torch.FloatTensor" and x.type(torch.LongTensor).tolist() == [1, -2]
    y = torch.ones(2, requires_grad=True)
    y.double().sum().backward()
    assert y.grad.dtype is torch.float32
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        x.to("cuda")


@pytest.mark.parametrize("dtype", FLOATS)
def test_constructors_take_dtype_and_like(dtype):
    x = torch.zeros(2, 3, dtype=dtype)
    assert (
        torch.ones_like(x).dtype is dtype
        and x.new_full((2,), 3).dtype is dtype
        and torch.full_like(x, 2).dtype is dtype
    )
    assert torch.full((2,), 3).dtype is torch.int64 and torch.full((2,), 3.0).dtype is torch.float32
    assert torch.arange(5).dtype is torch.int64 and torch.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert torch.eye(2).tolist() == [[1, 0], [0, 1]] and torch.linspace(0, 1, 3).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: torch.zeros(-1), RuntimeError, "zeros: Dimension size must be non-negative."),
        (lambda: torch.zeros(2.5), TypeError, "zeros(): argument 'size' (position 1) must be tuple of ints, not float"),
        (lambda: torch.zeros(), TypeError, 'zeros() missing 1 required positional arguments: "size"'),
        (lambda: torch.zeros(2, device="cuda"), AssertionError, "Torch not compiled with CUDA enabled"),
        (lambda: torch.from_numpy([1]), TypeError, "expected np.ndarray (got list)"),
        (lambda: torch.sin(2.0), TypeError, "sin(): argument 'input' (position 1) must be Tensor, not float"),
        (lambda: torch.ones(2) + "a", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'str'"),
        (
            lambda: torch.ones(2) + torch.ones(3),
            RuntimeError,
            "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
        ),
        (
            lambda: torch.ones(2, dtype=torch.int64, requires_grad=True),
            RuntimeError,
            "Only Tensors of floating point and complex dtype can require gradients",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_a_missing_name_says_so():
    with pytest.raises(AttributeError, match="module 'torch' has no attribute 'no_such_name'"):
        torch.no_such_name  # noqa: B018


def test_users_may_hang_attributes_on_tensors():
    x = torch.ones(1)
    x.anything = 3
    assert x.anything == 3
    with pytest.raises(AttributeError):
        x.shape = (2,)


def test_a_parameter_of_a_subclass_keeps_the_class():
    class Named(torch.Tensor):
        pass

    made = torch.nn.Parameter(torch.ones(2).as_subclass(Named))
    assert type(made) is Named and isinstance(made, torch.nn.Parameter) and made.requires_grad and made.is_leaf
    module = torch.nn.Module()
    module.weight = made
    assert dict(module.named_parameters())["weight"] is made

    class Plain(Named):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return torch._C._disabled_torch_function_impl(func, types, args, kwargs or {})

    with pytest.raises(RuntimeError, match="return type Tensor was found instead"):
        torch.nn.Parameter(torch.ones(2).as_subclass(Plain))


def test_legacy_constructors_keep_the_digits_of_their_dtype():
    assert torch.DoubleTensor([1e-4, 1e300]).tolist() == [1e-4, 1e300]
    assert torch.FloatTensor([1e300]).item() == float("inf")


def test_a_shallow_copy_is_a_leaf_over_the_same_memory():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.note = "kept"
    made = copy.copy(y)
    assert made.is_leaf and made.requires_grad and made.note == "kept"
    assert made.data_ptr() == y.data_ptr()
    made.sum().backward()
    assert x.grad is None and copy.copy(x).grad is None


def test_copies_and_pickles_tell_of_hooks_they_leave_behind():
    x = torch.ones(2, requires_grad=True)
    x.register_hook(torch.utils.hooks.unserializable_hook(lambda grad: grad))
    pickle.dumps(x)
    x.register_hook(lambda grad: grad * 2)
    for leave in (copy.copy, pickle.dumps):
        with pytest.warns(UserWarning, match="on tensor will not be serialized"):
            leave(x)
    assert copy.deepcopy(x)._backward_hooks is None


def test_nodes_and_saved_values_are_not_copied():
    y = torch.ones(2, requires_grad=True).exp()
    for each, name in ((y.grad_fn, "ExpBackward0"), (y.grad_fn._raw_saved_result, "torch._C._autograd.SavedTensor")):
        for leave in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=f"cannot pickle '{name}' object"):
                leave(each)


def test_the_gradient_has_a_second_name():
    x = torch.ones(2, requires_grad=True)
    x._grad = torch.ones(2)
    assert x.grad is x._grad and x.grad.tolist() == [1, 1]
