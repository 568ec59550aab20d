"""Views on arrays: they share memory and have the strides PyTorch gives; what cannot be viewed is refused in its words."""

import numpy as np
import pytest

from rushlight import dtypes
from rushlight.array import shape


def grid(*sizes):
    return np.arange(float(np.prod(sizes))).reshape(sizes)


VIEWS = {
    "view": lambda x: shape.view(x, (3, -1)),
    "reshape": lambda x: shape.reshape(x, (4, 6)),
    "expand": lambda x: shape.expand(x, (5, 2, 3, 4)),
    "permute": lambda x: shape.permute(x, (2, 0, 1)),
    "transpose": lambda x: shape.transpose(x, 0, -1),
    "movedim": lambda x: shape.movedim(x, (0, 1), (2, 0)),
    "unsqueeze": lambda x: shape.unsqueeze(x, -1),
    "squeeze": lambda x: shape.squeeze(x[:, :1]),
    "flatten": lambda x: shape.flatten(x, 1),
    "unflatten": lambda x: shape.unflatten(x, -1, (2, 2)),
    "select": lambda x: shape.select(x, 1, -1),
    "narrow": lambda x: shape.narrow(x, 2, 1, 2),
    "slice": lambda x: shape.slice(x, 2, 0, None, 2),
    "diagonal": lambda x: shape.diagonal(x, 1, 1, 2),
    "unfold": lambda x: shape.unfold(x, 2, 3, 1),
    "as_strided": lambda x: shape.as_strided(x, (2, 2), (1, 3), 1),
    "real bits": lambda x: shape.view(x, dtypes.int64),
    "mT": shape.mT,
    "chunk": lambda x: shape.chunk(x, 2, 2)[1],
    "unbind": lambda x: shape.unbind(x, 1)[0],
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shares_memory_and_is_writable(name):
    x = grid(2, 3, 4)
    y = VIEWS[name](x)
    assert np.shares_memory(x, y) and y.flags.writeable
    root = y
    while isinstance(root.base, np.ndarray):
        root = root.base
    whole = x if x.base is None else x.base
    assert root is whole


def test_values_of_views():
    x = grid(2, 3, 4)
    np.testing.assert_array_equal(shape.movedim(x, (0, 1), (2, 0)), np.moveaxis(x, (0, 1), (2, 0)))
    np.testing.assert_array_equal(shape.diagonal(x, -1, 1, 2), np.diagonal(x, -1, 1, 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, 1)
    np.testing.assert_array_equal(shape.unfold(x, 1, 3, 1), windows)
    np.testing.assert_array_equal(shape.unfold(x, 2, 2, 2)[..., 1], x[..., 1::2])
    assert shape.unfold(np.array(5.0), 0, 1, 1).tolist() == [5]
    assert shape.expand(np.array(1.0), (2, 0)).shape == (2, 0)
    assert shape.expand(x, (-1, 3, -1)).shape == (2, 3, 4)
    assert shape.as_strided(x, (2, 2), (1, 3), 1).tolist() == [[1, 4], [2, 5]]
    assert shape.as_strided(x[1], (2,), (1,)).tolist() == [12, 13]
    assert [p.shape[0] for p in shape.split(np.zeros(7), 3)] == [3, 3, 1]
    assert [p.shape[0] for p in shape.chunk(np.zeros(7), 4)] == [2, 2, 2, 1]
    assert [p.shape[0] for p in shape.tensor_split(np.zeros(7), 3)] == [3, 2, 2]
    assert [p.shape[0] for p in shape.tensor_split(np.zeros(7), (1, 5))] == [1, 4, 2]


def test_a_view_of_what_is_not_contiguous():
    x = grid(2, 3, 4).transpose(1, 0, 2)
    assert shape.view(x, (3, 2, 2, 2)).shape == (3, 2, 2, 2)
    with pytest.raises(RuntimeError, match="at least one dimension spans across two contiguous subspaces"):
        shape.view(x, (6, 4))
    assert not np.shares_memory(shape.reshape(x, (6, 4)), x)
    assert shape.unfold(np.asfortranarray(grid(4, 3)), 0, 2, 1)[2, 1].tolist() == [7, 10]


def test_views_of_other_dtypes():
    x = np.zeros((2, 4), np.float32)
    assert shape.view_dtype(x, dtypes.int16).shape == (2, 8)
    assert shape.view_dtype(x, dtypes.complex64).shape == (2, 2)
    assert shape.view_as_real(np.zeros((3, 2), np.complex64)).shape == (3, 2, 2)
    assert shape.view_as_complex(np.arange(4.0).reshape(2, 2)).tolist() == [1j, 2 + 3j]
    z = np.zeros(3, np.complex128)
    shape.view_as_real(z)[:, 1] = 1
    assert z.tolist() == [1j] * 3


REFUSED = [
    (lambda x: shape.view(x, (4,)), RuntimeError, r"shape '\[4\]' is invalid for input of size 6"),
    (lambda x: shape.view(x, (-1, -1)), RuntimeError, "only one dimension can be inferred"),
    (lambda x: shape.view(x, (2, -3)), RuntimeError, r"invalid shape dimension -3 at index 1 of shape \[2, -3\]"),
    (lambda x: shape.view(x[:0], (-1, 0)), RuntimeError, "the unspecified dimension size -1 can be any value"),
    (lambda x: shape.expand(x, (3, 3)), RuntimeError, r"The expanded size of the tensor \(3\) must match the existing"),
    (lambda x: shape.expand(x, (3,)), RuntimeError, r"the number of sizes provided \(1\) must be greater or equal"),
    (lambda x: shape.expand(x, (-1, 2, 3)), RuntimeError, "isn't allowed in a leading, non-existing dimension 0"),
    (lambda x: shape.permute(x, (0, 0)), RuntimeError, r"permute\(\): duplicate dims are not allowed."),
    (lambda x: shape.transpose(x, 0, 2), IndexError, r"expected to be in range of \[-2, 1\], but got 2"),
    (lambda x: shape.t(x[None]), RuntimeError, r"t\(\) expects a tensor with <= 2 dimensions, but self is 3D"),
    (lambda x: shape.mT(x[0]), RuntimeError, "tensor.mT is only supported on matrices or batches of matrices"),
    (lambda x: shape.squeeze(x, (0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
    (lambda x: shape.flatten(x, 1, 0), RuntimeError, "start_dim cannot come after end_dim"),
    (lambda x: shape.unflatten(x, 1, (2, 2)), RuntimeError, "don't multiply up to the size of dim 1"),
    (lambda x: shape.split(x, 0), RuntimeError, "split_size can only be 0 if dimension size is 0"),
    (lambda x: shape.split(x, [1, 2]), RuntimeError, "split_sizes to sum exactly to 2"),
    (lambda x: shape.chunk(x, 0), RuntimeError, "chunk expects `chunks` to be greater than 0, got: 0"),
    (lambda x: shape.hsplit(x, 2), RuntimeError, "torch.hsplit attempted to split along dimension 1"),
    (lambda x: shape.narrow(x, 0, 1, 2), RuntimeError, r"start \(1\) \+ length \(2\) exceeds dimension size \(2\)."),
    (lambda x: shape.select(x, 0, 2), IndexError, r"select\(\): index 2 out of range for tensor of size \[2, 3\]"),
    (lambda x: shape.unfold(x, 0, 3, 1), RuntimeError, "maximum size for tensor at dimension 0 is 2 but size is 3"),
    (lambda x: shape.as_strided(x, (3,), (4,)), RuntimeError, "are out of bounds for storage of size 48"),
    (lambda x: shape.view_as_complex(x), RuntimeError, "Tensor must have a last dimension of size 2"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_has_no_such_view_is_refused(number):
    call, error, text = REFUSED[number]
    with pytest.raises(error, match=text):
        call(grid(2, 3))
