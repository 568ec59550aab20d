"""Derivatives against central differences: plain, recorded, and of second order. Shared by the tests of operator families."""

import numpy as np

import rushlight as torch
from rushlight.autograd import grad


def _flat(tensors):
    return np.concatenate([t.detach().numpy().reshape(-1) for t in tensors]) if tensors else np.zeros(0)


def _first(result):
    if isinstance(result, (tuple, list)):
        return [r for r in result if r.dtype.is_floating_point or r.dtype.is_complex]
    return [result]


def check(f, *inputs, second=True, h=1e-5, tol=2e-6):
    """Check the gradients of ``f`` (any number of results, weighted at random) at float64 or complex128 ``inputs``."""

    def scalar(*given):
        rng = np.random.default_rng(0)
        total = 0.0
        for each in _first(f(*given)):
            w = torch.from_numpy(rng.standard_normal(tuple(each.shape)))
            part = torch.view_as_real(each.resolve_conj()).sum(-1) if each.dtype.is_complex else each
            total = total + (part * w).sum()

        return total

    leaves = [torch.from_numpy(np.array(x)).requires_grad_() for x in inputs]
    plain = grad(scalar(*leaves), leaves, allow_unused=True)
    recorded = grad(scalar(*leaves), leaves, create_graph=True, allow_unused=True)
    for x, g, again in zip(leaves, plain, recorded):
        if g is None:
            assert again is None
            g = torch.zeros_like(x)
        else:
            assert g.shape == x.shape and g.dtype == x.dtype
            np.testing.assert_allclose(again.detach().resolve_conj().numpy(), g.numpy(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(g.numpy(), _differences(scalar, leaves, x, h), rtol=tol, atol=tol)
    if not second:
        return

    def slopes(*given):
        rng = np.random.default_rng(1)
        total = 0.0
        for each in grad(scalar(*given), given, create_graph=True, allow_unused=True):
            if each is not None:
                real = torch.view_as_real(each.resolve_conj()).sum(-1) if each.dtype.is_complex else each
                total = total + (real * torch.from_numpy(rng.standard_normal(tuple(each.shape)))).sum()
        return total

    total = slopes(*leaves)
    bent = grad(total, leaves, allow_unused=True) if getattr(total, "requires_grad", False) else [None] * len(leaves)
    for x, g in zip(leaves, bent):
        found = np.zeros(tuple(x.shape)) if g is None else g.numpy()
        np.testing.assert_allclose(found, _differences(slopes, leaves, x, h), rtol=10 * tol, atol=10 * tol)


def _differences(scalar, leaves, x, h):
    """Central differences of a real function of the leaves in one of them (real and imaginary parts of a complex one)."""
    array = x.detach().numpy()
    flat = array.reshape(-1)
    assert np.shares_memory(flat, array)
    out = np.zeros(flat.size, array.dtype)
    for step in (h, 1j * h) if array.dtype.kind == "c" else (h,):
        for i in range(flat.size):
            old = flat[i]
            values = []
            for sign in (1, -1):
                flat[i] = old + sign * step
                values.append(float(scalar(*leaves)))
            flat[i] = old
            out[i] += (values[0] - values[1]) / (2 * h) * (1j if isinstance(step, complex) else 1)
    return out.reshape(array.shape)
