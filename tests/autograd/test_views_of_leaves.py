"""Views whose base comes to require grad, views of other dtypes that are written to, and views that cannot be looked up."""

import pytest

import rushlight as torch


@pytest.mark.parametrize(
    "write",
    [
        lambda view: view.add_(1),
        lambda view: view.zero_(),
        lambda view: view.copy_(torch.ones(3)),
        lambda view: view.sub_(torch.ones(3, requires_grad=True)),
    ],
)
def test_a_view_of_what_became_a_leaf_that_requires_grad_refuses_writes(write):
    base = torch.ones(2, 3)
    view = base[0]
    base.requires_grad_()
    assert view.requires_grad
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"):
        write(view)


@pytest.mark.parametrize("part", [lambda v: v.transpose(0, 1), lambda v: v[1], lambda v: v[..., 0], lambda v: v.t_()])
def test_writes_to_parts_of_a_complex_tensor_seen_as_reals(part):
    z = torch.full((2,), 1 + 2j, requires_grad=True)
    whole = z.clone()
    v = part(torch.view_as_real(whole))
    v *= 3
    assert torch.autograd.grad(v.sum(), v)[0].shape == v.shape
    (g,) = torch.autograd.grad(torch.view_as_real(whole).sum(), z)
    touched = torch.ones(2, 2)
    part(touched).mul_(3)
    assert torch.equal(torch.view_as_real(g), touched)


def test_a_view_made_and_written_without_recording_can_be_printed():
    x = torch.ones(1, requires_grad=True)
    with torch.no_grad():
        view = x[:]
        view *= 2
    assert repr(view) == "tensor([2.], grad_fn=<Invalid>)"


def test_a_custom_function_in_no_grad_returns_a_view_as_operators_do():
    class Alias(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x[:]

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        view = Alias.apply(x)
    assert view.requires_grad
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode and is being modified inplace"):
        view.zero_()


@pytest.mark.parametrize(
    ("part", "dtype"),
    [
        (lambda b: torch.view_as_real(b.reshape(5, 2)), torch.complex128),
        (lambda b: torch.view_as_real(b[2:6]).t(), torch.complex128),
        (lambda b: b.view(5, 2).t().real, torch.complex128),
        (lambda b: torch.view_as_complex(b.view(5, 2)).view(5, 1)[2:], torch.float64),
    ],
)
def test_writes_to_views_of_other_dtypes_of_parts(part, dtype):
    x = torch.arange(10.0).to(dtype).requires_grad_()
    base = x.clone()
    part(base).mul_(2)
    (g,) = torch.autograd.grad(base.real.sum() if dtype.is_complex else base.sum(), x)
    factors = torch.ones(10, dtype=dtype)
    part(factors).mul_(2)
    assert torch.equal(
        torch.view_as_real(g)[:, 0] if dtype.is_complex else g, factors.real if dtype.is_complex else factors
    )


def test_derivatives_of_derivatives_through_a_write_to_a_view_that_saved_its_result():
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    (g,) = torch.autograd.grad((x * 2)[None].relu_().pow(2).sum(), x, create_graph=True)
    assert g.tolist() == [8.0, 0.0, 24.0]
    (gg,) = torch.autograd.grad(g.sum(), x)
    assert gg.tolist() == [8.0, 0.0, 8.0]
