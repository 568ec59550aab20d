"""``torch.asarray`` and ``torch.frombuffer``: whose memory the tensor has, and what is refused."""

import numpy as np
import pytest

import rushlight as torch


def test_memory_is_shared_where_there_is_some():
    array = np.array([1.0, 2.0])
    made = torch.asarray(array)
    array[0] = 5
    assert made.tolist() == [5, 2]
    assert torch.asarray(array, copy=True).data_ptr() != made.data_ptr()
    assert torch.asarray(made) is made
    buffer = bytearray(b"\x01\x02")
    assert torch.asarray(buffer, dtype=torch.uint8).tolist() == [1, 2]


def test_copies_refused():
    with pytest.raises(ValueError, match="can't alias arbitrary sequence"):
        torch.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="can't alias tensor with dtype 'Long' into dtype 'Float'"):
        torch.asarray(np.array([1, 2]), dtype=torch.float32, copy=False)


def test_place_in_the_graph():
    leaf = torch.tensor([1.0, 2.0], requires_grad=True)
    assert torch.asarray(leaf * 2, requires_grad=True).grad_fn is not None
    assert not torch.asarray(leaf, requires_grad=False).requires_grad
    assert torch.asarray([1.0], requires_grad=True).is_leaf


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(count=3), r"requested buffer length \(3 \* 4 bytes\)"),
        (dict(count=0), "must not be 0"),
        (dict(offset=8), "must be non-negative and no greater than"),
        (dict(offset=1), "must be a multiple of element size"),
    ],
)
def test_buffers_that_do_not_fit(options, text):
    with pytest.raises(ValueError, match=text):
        torch.frombuffer(bytearray(8), dtype=torch.int32, **options)
