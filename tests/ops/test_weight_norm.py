"""Weight norm and geqrf, against what they are defined by."""

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import gradcheck, gradgradcheck

V = np.random.default_rng(0).standard_normal((3, 4, 2))


@pytest.mark.parametrize(("dim", "axes"), [(0, (1, 2)), (1, (0, 2)), (2, (0, 1)), (-1, (0, 1, 2))])
def test_weight_is_direction_times_length(dim, axes):
    v = torch.tensor(V)
    lengths = torch.norm_except_dim(v, 2, dim)
    expected = np.sqrt((V**2).sum(axes, keepdims=dim != -1))
    np.testing.assert_allclose(lengths.numpy(), expected, rtol=1e-12)
    assert lengths.shape == expected.shape
    np.testing.assert_allclose(torch._weight_norm(v, 2 * lengths, dim).numpy(), 2 * V, rtol=1e-12)


def test_elements_of_a_vector_have_lengths_of_their_own():
    v = torch.tensor([1.0, -2.0])
    assert torch.norm_except_dim(v, 2, 0).tolist() == [1, 2]
    assert torch._weight_norm(v, torch.tensor([3.0, 4.0]), 0).tolist() == [3, -4]


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_derivatives_of_both_orders(dim):
    v = torch.tensor(V, requires_grad=True)
    g = (torch.norm_except_dim(v, 2, dim).detach() + 0.5).requires_grad_()
    assert gradcheck(lambda v, g: torch._weight_norm(v, g, dim), (v, g))
    assert gradgradcheck(lambda v, g: torch._weight_norm(v, g, dim), (v, g))


def test_reflectors_multiply_to_the_q_of_qr():
    matrix = torch.tensor(V[:, :, 0].T.copy())
    reflectors, tau = torch.geqrf(matrix)
    q = torch.linalg.householder_product(reflectors, tau)
    np.testing.assert_allclose((q @ reflectors.triu()[:3]).numpy(), matrix.numpy(), atol=1e-12)
