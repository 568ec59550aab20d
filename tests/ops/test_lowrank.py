"""Low-rank singular value decompositions by random projection, and functions that are gone."""

import pytest

import rushlight as torch


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 5, 3)])
def test_matrices_of_low_rank_are_recovered(shape):
    torch.manual_seed(0)
    A = torch.randn(*shape[:-1], 2, dtype=torch.float64) @ torch.randn(*shape[:-2], 2, shape[-1], dtype=torch.float64)
    U, S, V = torch.svd_lowrank(A, q=2)
    assert U.shape == (*shape[:-1], 2) and V.shape == (*shape[:-2], shape[-1], 2)
    assert torch.allclose(U @ torch.diag_embed(S) @ V.mT, A)


def test_principal_components_are_those_of_the_rows_less_their_mean():
    torch.manual_seed(0)
    A = torch.randn(7, 3, dtype=torch.float64)
    U, S, V = torch.pca_lowrank(A, q=3)
    assert torch.allclose(U @ torch.diag(S) @ V.mT, A - A.mean(0, keepdim=True))
    assert torch.allclose(torch.pca_lowrank(A, q=3, center=False)[1], torch.linalg.svdvals(A))


def test_the_arguments_of_principal_components_are_checked():
    with pytest.raises(ValueError, match=r"q\(=5\) must be non-negative integer and not greater than min\(m, n\)=2"):
        torch.pca_lowrank(torch.ones(3, 2), 5)
    with pytest.raises(ValueError, match=r"niter\(=-1\) must be non-negative integer"):
        torch.pca_lowrank(torch.ones(3, 2), niter=-1)


@pytest.mark.parametrize("name", ["eig", "symeig", "solve", "lstsq", "matrix_rank"])
def test_what_was_removed_says_what_to_call_instead(name):
    with pytest.raises(RuntimeError, match="(?s)since version 1.9 and is now removed.*torch.linalg"):
        getattr(torch, name)(torch.ones(2, 2))
