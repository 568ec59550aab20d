"""Products of raw arrays: dtypes, exactness of integers, refusals."""

import numpy as np
import pytest

from rushlight.array import matmul


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_integer_products_are_exact_whatever_their_size(rng):
    big = rng.integers(-(2**40), 2**40, (40, 40))
    small = rng.integers(-100, 100, (40, 40))
    for a, b in ((big, small), (small, small), (big, big)):
        wanted = (a.astype(object) @ b.astype(object)) % 2**64
        assert (matmul.mm(a, b).astype(object) % 2**64 == wanted).all()


def test_narrow_integers_wrap_around(rng):
    a, b = rng.integers(-128, 128, (2, 30, 30)).astype(np.int8)
    wanted = (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int8)
    assert (matmul.mm(a, b) == wanted).all()
    assert matmul.mm(a, b).dtype == np.int8


def test_half_precision_is_rounded_once():
    a = np.full((1, 4096), 1.0, np.float16)
    b = np.full((4096, 1), 1.0, np.float16)
    assert matmul.mm(a, b)[0, 0] == 4096  # sums kept in float16 would stop at 2048
    assert matmul.dot(a[0], b[:, 0]) == 4096
    assert matmul.mm(a, b).dtype == np.float16


def test_addmm_does_not_read_what_beta_zero_multiplies():
    nan = np.full((2, 2), np.nan)
    assert (matmul.addmm(nan, np.eye(2), np.eye(2), beta=0) == np.eye(2)).all()
    assert (matmul.addmm(np.eye(2), nan, nan, alpha=0) == np.eye(2)).all()


def test_addbmm_sums_over_the_batch(rng):
    a, b = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 4, 5))
    np.testing.assert_allclose(matmul.addbmm(np.ones((2, 5)), a, b, beta=2, alpha=0.5), 2 + 0.5 * (a @ b).sum(0))
    assert (matmul.addbmm(np.ones((2, 5)), a[:0], b[:0]) == 1).all()
    assert (matmul.addbmm(np.ones((2, 5)), a[..., :0], b[:, :0]) == 1).all()


def test_vdot_conjugates_its_first_argument_and_dot_does_not():
    a, b = np.array([1 + 2j, 3j]), np.array([2 - 1j, 1 + 1j])
    assert matmul.dot(a, b) == (a * b).sum()
    assert matmul.vdot(a, b) == (a.conj() * b).sum()


def test_inputs_are_left_alone_and_strides_do_not_matter(rng):
    a = rng.standard_normal((6, 8))[::-1, ::2]
    b = np.broadcast_to(rng.standard_normal((1, 5)), (4, 5))
    np.testing.assert_allclose(matmul.mm(a, b), np.einsum("ij,jk->ik", a, b))
    added = rng.standard_normal((6, 5))
    before = added.copy()
    matmul.addmm(added, a, b)
    assert (added == before).all()


def test_cross_is_orthogonal_to_both(rng):
    a, b = rng.standard_normal((2, 3, 5)), rng.standard_normal((1, 3, 5))
    c = matmul.linalg_cross(a, b, dim=1)
    np.testing.assert_allclose((c * a).sum(1), 0, atol=1e-14)
    np.testing.assert_allclose((c * b).sum(1), 0, atol=1e-14)
    np.testing.assert_allclose(matmul.linalg_cross(np.array([1.0, 0, 0]), np.array([0.0, 1, 0])), [0, 0, 1])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: matmul.mm(np.ones((2, 3)), np.ones((2, 3))),
            RuntimeError,
            "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        ),
        (
            lambda: matmul.mm(np.ones((2, 3), np.float32), np.ones((3, 2))),
            RuntimeError,
            "expected m1 and m2 to have the same dtype, but got: float != double",
        ),
        (
            lambda: matmul.mm(np.ones((2, 3), bool), np.ones((3, 2), bool)),
            NotImplementedError,
            "\"addmm_impl_cpu_\" not implemented for 'Bool'",
        ),
        (
            lambda: matmul.bmm(np.ones((2, 2, 3)), np.ones((3, 3, 2))),
            RuntimeError,
            "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [3, 3].",
        ),
        (
            lambda: matmul.mv(np.ones((2, 3)), np.ones(2)),
            RuntimeError,
            "size mismatch, got input (2), mat (2x3), vec (2)",
        ),
        (
            lambda: matmul.dot(np.ones((1, 1)), np.ones(3)),
            RuntimeError,
            "1D tensors expected, but got 2D and 1D tensors",
        ),
        (
            lambda: matmul.addmm(np.ones(3), np.ones((2, 3)), np.ones((3, 2))),
            RuntimeError,
            "The expanded size of the tensor (2) must match the existing size (3) at non-singleton dimension 1.  "
            "Target sizes: [2, 2].  Tensor sizes: [3]",
        ),
        (
            lambda: matmul.linalg_cross(np.ones((5, 2)), np.ones((5, 2))),
            RuntimeError,
            "linalg.cross: inputs dimension -1 must have length 3. Got 2 and 2",
        ),
    ],
)
def test_refusals_are_in_pytorchs_words(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text
