"""Convolution operators: derivatives to second order, names, padding by name, batches of none."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.ops.table import PLACES
from tests.ops.second_order import check, node

F = PLACES["nn.functional"]
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2}, {"padding": 1, "dilation": 2}, {"groups": 2, "padding": (0, 1)}, {"padding": "same"}],
)
def test_conv2d(options):
    groups = options.get("groups", 1)
    x, w, b = rng.standard_normal((2, 2, 5, 4)), rng.standard_normal((2, 2 // groups, 3, 2)), rng.standard_normal(2)
    check(lambda x, w, b: F["conv2d"](x, w, b, **options), x, w, b)


@pytest.mark.parametrize("options", [{}, {"stride": 2, "output_padding": 1}, {"padding": 1, "groups": 2}])
def test_conv_transpose2d(options):
    x, w = rng.standard_normal((2, 2, 3, 3)), rng.standard_normal((2, 1, 3, 2))
    check(lambda x, w: F["conv_transpose2d"](x, w, None, **options), x, w)


def test_one_and_three_dimensions():
    check(F["conv1d"], rng.standard_normal((2, 2, 6)), rng.standard_normal((3, 2, 2)))
    check(F["conv3d"], rng.standard_normal((1, 2, 3, 3, 2)), rng.standard_normal((1, 2, 2, 2, 2)))
    check(F["conv_transpose1d"], rng.standard_normal((1, 2, 4)), rng.standard_normal((2, 2, 3)))


def test_output_padding_of_a_stride_or_more_has_a_gradient_of_the_inputs_shape():
    x, w = rng.standard_normal((1, 1, 4)), rng.standard_normal((1, 1, 2))
    check(lambda x, w: F["conv_transpose1d"](x, w, dilation=2, output_padding=1), x, w)


def test_complex_gradients_follow_the_conjugate():
    x = torch.tensor(rng.standard_normal((1, 1, 3)) + 1j * rng.standard_normal((1, 1, 3)), requires_grad=True)
    w = torch.tensor(rng.standard_normal((1, 1, 1)) + 1j * rng.standard_normal((1, 1, 1)), requires_grad=True)
    g = torch.ones(1, 1, 3, dtype=torch.complex128)
    gx, gw = torch.autograd.grad(F["conv1d"](x, w), (x, w), g)
    np.testing.assert_allclose(gx.numpy(), np.conj(w.detach().numpy()).repeat(3, axis=2))
    np.testing.assert_allclose(gw.numpy(), np.conj(x.detach().numpy()).sum(axis=2, keepdims=True))


def test_without_a_batch_dimension():
    x, w = rng.standard_normal((2, 4, 4)), rng.standard_normal((3, 2, 2, 2))
    both = [F["conv2d"](torch.tensor(each), torch.tensor(w)).numpy() for each in (x, x[None])]
    np.testing.assert_allclose(both[0], both[1][0])


def test_names_of_nodes():
    x, w = torch.ones(1, 1, 3, 3, requires_grad=True), torch.ones(1, 1, 2, 2)
    assert node(F["conv2d"](x, w)) == "ConvolutionBackward0"
    assert node(F["conv_transpose2d"](x, w)) == "ConvolutionBackward0"


def test_refuses_what_pytorch_refuses():
    x = torch.ones(1, 3, 4, 4)
    with pytest.raises(RuntimeError, match="padding='same' is not supported for strided convolutions"):
        F["conv2d"](x, torch.ones(2, 3, 3, 3), padding="same", stride=2)
    with pytest.raises(RuntimeError, match="Invalid padding string: 'foo'"):
        F["conv2d"](x, torch.ones(2, 3, 3, 3), padding="foo")
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d"):
        F["conv2d"](torch.ones(4, 4), torch.ones(2, 3, 3, 3))


def test_linear_and_bilinear():
    check(F["linear"], rng.standard_normal((2, 2, 3)), rng.standard_normal((4, 3)), rng.standard_normal(4))
    check(F["linear"], rng.standard_normal(3), rng.standard_normal((4, 3)), rng.standard_normal(4))
    a, b = rng.standard_normal((3, 2)), rng.standard_normal((3, 4))
    w, bias = rng.standard_normal((5, 2, 4)), rng.standard_normal(5)
    expected = np.einsum("ni,oij,nj->no", a, w, b) + bias
    result = F["bilinear"](*(torch.tensor(each) for each in (a, b, w, bias)))
    np.testing.assert_allclose(result.numpy(), expected)
    check(F["bilinear"], a, b, w, bias)
