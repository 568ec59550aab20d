"""Properties over random shapes, strides, dtypes and indices, held against NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import rushlight as torch

settings.register_profile("quiet", deadline=None, max_examples=60)
settings.load_profile("quiet")

SHAPES = hn.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FLOATS = st.sampled_from([np.float32, np.float64])
NUMBERS = {"min_value": -8, "max_value": 8, "width": 32}


def arrays(shape=SHAPES, dtype=np.float64):
    return hn.arrays(dtype, shape, elements=st.floats(**NUMBERS))


def strided(array, draw):
    """A view with other strides: axes permuted, steps taken."""
    order = draw(st.permutations(range(array.ndim)))
    steps = tuple(slice(None, None, draw(st.integers(1, 2))) for _ in range(array.ndim))
    return array.transpose(order)[steps]


@given(hn.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4), st.data())
def test_broadcasting_and_its_transpose(shapes, data):
    a, b = (data.draw(arrays(shape)) for shape in shapes.input_shapes)
    x, y = (torch.tensor(each, requires_grad=True) for each in (a, b))
    result = x * y + x
    np.testing.assert_array_equal(result.detach().numpy(), a * b + a)
    assert result.shape == shapes.result_shape
    weights = np.ones(shapes.result_shape)
    result.backward(torch.tensor(weights))
    for tensor, expected in ((x, weights * b + weights), (y, weights * a)):
        lead = expected.ndim - tensor.ndim
        axes = tuple(range(lead)) + tuple(
            i + lead for i, n in enumerate(tensor.shape) if n == 1 and expected.shape[i + lead] != 1
        )
        np.testing.assert_allclose(tensor.grad.numpy(), expected.sum(axes).reshape(tensor.shape), atol=1e-9)


@given(st.data())
def test_operators_on_strided_views(data):
    base = data.draw(arrays(hn.array_shapes(min_dims=1, max_dims=3, max_side=5)))
    view = strided(base, data.draw)
    shared = torch.from_numpy(view)
    np.testing.assert_array_equal((shared * 2 + 1).numpy(), view * 2 + 1)
    for size, stride, step in zip(view.shape, view.strides, shared.stride()):
        # the stride of an axis of one element means nothing
        assert view.size == 0 or size == 1 or step * view.itemsize == stride
    assert abs(shared.sum().item() - view.sum()) < 1e-9


@given(st.data())
def test_basic_indices_are_views_with_the_right_gradient(data):
    array = data.draw(arrays(hn.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)))
    index = data.draw(hn.basic_indices(array.shape, allow_newaxis=True, allow_ellipsis=True))
    flat = index if isinstance(index, tuple) else (index,)
    if any(isinstance(each, slice) and each.step is not None and each.step <= 0 for each in flat):
        return
    tensor = torch.tensor(array, requires_grad=True)
    part = tensor[index]
    np.testing.assert_array_equal(part.detach().numpy(), array[index])
    assert part._base is tensor
    part.sum().backward()
    expected = np.zeros_like(array)
    expected[index] = 1
    np.testing.assert_array_equal(tensor.grad.numpy(), expected)


@given(st.data())
def test_index_arrays_copy_and_accumulate(data):
    array = data.draw(arrays(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)))
    index = data.draw(hn.integer_array_indices(array.shape, result_shape=hn.array_shapes(max_dims=2, max_side=4)))
    tensor = torch.tensor(array, requires_grad=True)
    part = tensor[tuple(torch.from_numpy(each) for each in index)]
    np.testing.assert_array_equal(part.detach().numpy(), array[index])
    part.sum().backward()
    expected = np.zeros_like(array)
    np.add.at(expected, index, 1)
    np.testing.assert_array_equal(tensor.grad.numpy(), expected)


@given(st.data())
def test_masks(data):
    array = data.draw(arrays(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)))
    mask = data.draw(hn.arrays(bool, array.shape))
    tensor = torch.tensor(array, requires_grad=True)
    part = tensor[torch.from_numpy(mask)]
    np.testing.assert_array_equal(part.detach().numpy(), array[mask])
    part.sum().backward()
    np.testing.assert_array_equal(tensor.grad.numpy(), mask.astype(float))
    written = torch.tensor(array)
    written[torch.from_numpy(mask)] = 3.0
    np.testing.assert_array_equal(written.numpy(), np.where(mask, 3.0, array))


@given(st.data())
def test_assignment_writes_what_numpy_writes(data):
    array = data.draw(arrays(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)))
    index = data.draw(hn.basic_indices(array.shape, allow_newaxis=False))
    flat = index if isinstance(index, tuple) else (index,)
    if any(isinstance(each, slice) and each.step is not None and each.step <= 0 for each in flat):
        return
    tensor, value = torch.tensor(array), data.draw(st.floats(**NUMBERS))
    tensor[index] = value
    array[index] = value
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert tensor._version == 1


@given(
    st.sampled_from(["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]),
    st.sampled_from(["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]),
)
def test_promotion_commutes_and_absorbs(a, b):
    a, b = getattr(torch, a), getattr(torch, b)
    both = torch.promote_types(a, b)
    assert both is torch.promote_types(b, a)
    assert torch.promote_types(both, a) is both
    assert (torch.zeros(2, dtype=a) + torch.zeros(2, dtype=b)).dtype is both


@given(arrays(hn.array_shapes(min_dims=0, max_dims=3, max_side=4)), st.data())
def test_views_share_memory_and_lead_back(array, data):
    tensor = torch.tensor(array)
    shape = data.draw(st.permutations(array.shape)) if array.ndim else []
    view = tensor.reshape(tuple(shape))
    assert view.untyped_storage() == tensor.untyped_storage() or array.size == 0
    back = view.reshape(array.shape)
    np.testing.assert_array_equal(back.numpy(), array)


@given(arrays(hn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)), st.data())
def test_reductions_over_any_dimensions(array, data):
    dims = data.draw(
        st.lists(
            st.integers(-array.ndim, array.ndim - 1),
            min_size=1,
            max_size=array.ndim,
            unique_by=lambda d: d % array.ndim,
        )
    )
    keepdim = data.draw(st.booleans())
    tensor = torch.tensor(array)
    for name, reference in (("sum", np.sum), ("mean", np.mean), ("amax", np.max)):
        result = getattr(tensor, name)(dims, keepdim=keepdim)
        np.testing.assert_allclose(result.numpy(), reference(array, axis=tuple(dims), keepdims=keepdim), atol=1e-9)
