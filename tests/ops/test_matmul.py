"""Products of tensors: derivatives, names in the graph, and which product matmul and einsum choose."""

import numpy as np
import pytest

import rushlight as torch
from tests.ops.differences import check


@pytest.fixture(params=[np.float64, np.complex128])
def draw(request):
    rng = np.random.default_rng(0)

    def values(*shape):
        x = rng.standard_normal(shape)
        return x + 1j * rng.standard_normal(shape) if request.param is np.complex128 else x

    return values


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((2, 2, 3), (3, 2)),
    ((2, 2, 3), (3,)),
    ((3,), (2, 3, 2)),
    ((2, 3), (2, 3, 2)),
    ((2, 2, 3), (2, 3, 2)),
    ((2, 1, 2, 3), (2, 3, 2)),
    ((1, 2, 3), (2, 3, 0)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul_of_all_ranks(draw, a, b):
    a, b = draw(*a), draw(*b)
    found = torch.matmul(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_allclose(found.numpy(), np.matmul(a, b), atol=1e-14)
    if a.size and b.size:
        check(torch.matmul, a, b)


@pytest.mark.parametrize(
    ("a", "b", "name"),
    [
        ((3,), (3,), "DotBackward0"),
        ((2, 3), (3,), "MvBackward0"),
        ((2, 3), (3, 4), "MmBackward0"),
        ((2, 2, 3), (3, 2), "UnsafeViewBackward0"),
        ((2, 2, 3), (2, 3, 2), "UnsafeViewBackward0"),
        ((2, 3), (2, 3, 2), "CloneBackward0"),
    ],
)
def test_matmul_names_its_last_step_as_pytorch_does(a, b, name):
    product = torch.ones(*a, requires_grad=True) @ torch.ones(*b)
    assert type(product.grad_fn).__name__ == name


@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0.5, -2), (0, 3)])
def test_added_products(draw, beta, alpha):
    given = dict(beta=beta, alpha=alpha)
    check(lambda *x: torch.addmm(*x, **given), draw(4), draw(2, 3), draw(3, 4))
    check(lambda *x: torch.addmv(*x, **given), draw(2), draw(2, 3), draw(3))
    check(lambda *x: torch.addr(*x, **given), draw(2, 3), draw(2), draw(3))
    check(lambda *x: torch.addbmm(*x, **given), draw(2, 3), draw(2, 2, 3), draw(2, 3, 3))
    check(lambda *x: torch.baddbmm(*x, **given), draw(1, 2, 3), draw(2, 2, 3), draw(2, 3, 3))


def test_products_of_vectors(draw):
    a, b = draw(3), draw(3)
    for function in (torch.dot, torch.vdot, torch.inner, torch.outer, torch.linalg.vecdot):
        check(function, a, b)
    assert float(torch.vdot(torch.from_numpy(a), torch.from_numpy(a)).real) == pytest.approx(float((abs(a) ** 2).sum()))


def test_products_of_many_dimensions(draw):
    a, b = draw(2, 3, 4), draw(4, 3, 2)
    found = torch.tensordot(torch.from_numpy(a), torch.from_numpy(b), ([1, 2], [1, 0]))
    np.testing.assert_allclose(found.numpy(), np.tensordot(a, b, ([1, 2], [1, 0])))
    check(lambda x, y: torch.tensordot(x, y, ([1, 2], [1, 0])), a, b, second=False)
    check(torch.kron, draw(2, 2), draw(3), second=False)
    np.testing.assert_allclose(torch.kron(torch.from_numpy(a), torch.from_numpy(b)).numpy(), np.kron(a, b))
    check(lambda x, y: torch.linalg.cross(x, y, dim=0), draw(3, 2), draw(3, 1))
    check(lambda *x: torch.linalg.multi_dot(x), draw(2), draw(2, 3), draw(3, 4), draw(4, 1), second=False)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, -1, -2])
def test_matrix_power(draw, n):
    a = draw(2, 3, 3) + 2 * np.eye(3)
    found = torch.linalg.matrix_power(torch.from_numpy(a), n)
    np.testing.assert_allclose(found.numpy(), np.linalg.matrix_power(a, n), atol=1e-12)
    check(lambda x: torch.matrix_power(x, n), a, second=False, tol=2e-5)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("bij,bjk->bik", (1, 2, 3), (2, 3, 2)),
    ("bhid,bhjd->bhij", (2, 2, 3, 2), (2, 2, 3, 2)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,kl->ijkl", (2, 3), (3, 2)),
    ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("ij->", (2, 3)),
    ("ij->ji", (2, 3)),
    ("...ij->...ji", (2, 2, 3)),
    ("i...,i...->...", (2, 3), (2, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ab,bc,ca->", (2, 3), (3, 2), (2, 2)),
    ("i,ij,j", (2,), (2, 3), (3,)),
    (",i->i", (), (3,)),
    ("ij,j->i", (2, 3), (1,)),
]


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: case[0])
def test_einsum_is_numpys(draw, case):
    equation, *shapes = case
    arrays = [draw(*shape) for shape in shapes]
    found = torch.einsum(equation, *[torch.from_numpy(np.array(a)) for a in arrays])
    wide = [np.broadcast_to(a, (3,)) if a.shape == (1,) else a for a in arrays]
    np.testing.assert_allclose(found.numpy(), np.einsum(equation, *wide), atol=1e-13)
    check(lambda *x: torch.einsum(equation, *x), *arrays, second=len(arrays) < 3)


def test_einsum_takes_sublists_and_lists():
    a, b = torch.rand(2, 3), torch.rand(3, 4)
    wanted = a @ b
    assert torch.allclose(torch.einsum(a, [0, 1], b, [1, 2], [0, 2]), wanted)
    assert torch.allclose(torch.einsum("ij,jk->ik", [a, b]), wanted)
    with pytest.raises(TypeError, match="expected Tensor as element 0 in argument 1, but got list"):
        torch.einsum("ij", [[1.0]])


def test_dtypes_are_not_promoted():
    with pytest.raises(RuntimeError, match="expected m1 and m2 to have the same dtype, but got: float != double"):
        torch.ones(2, 3) @ torch.ones(3, 2, dtype=torch.float64)
    assert (torch.ones(2, 3, dtype=torch.int64) @ torch.ones(3, 2, dtype=torch.int64)).dtype is torch.int64


def test_addmm_in_place_keeps_the_graph():
    x = torch.ones(2, 2, requires_grad=True)
    y = x * 1
    y.addmm_(x, x, beta=3)
    y.sum().backward()
    assert x.grad.tolist() == [[7.0, 7.0], [7.0, 7.0]]


def test_a_matrix_product_with_something_else_is_left_to_that():
    x = torch.ones(2, 2)
    assert x.__matmul__(object()) is NotImplemented and x.__rmatmul__(object()) is NotImplemented
    with pytest.raises(TypeError, match="unsupported operand type"):
        2 @ x
