"""Conjugate and negative views beside PyTorch: which tensors are such views, what writes do, and the graph they make."""

import copy

import pytest

torch = pytest.importorskip("torch")

import rushlight  # noqa: E402

FACTS = (
    "c.is_conj(),c.clone().is_conj(),c.contiguous().is_conj(),c.t().is_conj(),c[0].is_conj(),c[[0]].is_conj(),c.reshape(-1).is_conj(),c.t().reshape(-1).is_conj(),c.detach().is_conj(),c.to(torch.complex128).is_conj(),c.to(torch.complex64).is_conj(),torch.empty_like(c).is_conj(),(c+1).is_conj(),(-c).is_conj(),c.flatten().is_conj(),copy.deepcopy(c).is_conj(),torch.cat([c,c]).is_conj()",
    "w.H.is_conj(),w.mH.is_conj(),w.adjoint().is_conj(),c.H.is_conj(),c.conj().is_conj(),c.conj() is w,c.conj().data_ptr()==w.data_ptr(),c.data_ptr()==w.data_ptr(),c[1].data_ptr()-w.data_ptr(),c._base is w,c.stride(),c.T.stride(),w.t().conj().stride(),w[:,1:].conj().stride(),w[:,1:].conj().storage_offset()",
    "c.real.is_conj(),c.real.is_neg(),c.imag.is_neg(),(-c.imag).is_neg(),c.imag.data_ptr()-w.data_ptr(),c.real.data_ptr()-w.data_ptr(),c.imag[0].is_neg(),c.imag.clone().is_neg(),c.imag.resolve_neg().is_neg(),c.resolve_conj().is_conj(),c.resolve_conj() is c,w.resolve_conj() is w",
    "c,c.imag,c.real,c.T,c[0,1].item(),c.tolist(),c.abs(),c*2,c@c.T,c.sum()",
    "c.numpy()",
    "c.imag.numpy()",
    "torch.view_as_real(c)",
    "c.numpy(force=True)",
    "c.data.is_conj()",
    "torch.imag(torch.ones(2))",
    "torch.is_conj(c),torch.conj(torch.ones(2)).is_conj(),torch._neg_view(torch.ones(2)).is_neg(),torch._neg_view(torch.ones(2))",
    "c.squeeze().is_conj(),c.expand(2,2,3).is_conj(),c.chunk(2)[0].is_conj(),c.unbind()[0].is_conj(),c.diagonal().is_conj(),c.view(-1).is_conj(),c.ravel().is_conj(),c.unsqueeze(0).is_conj(),c.view_as(c).is_conj(),c.permute(1,0).is_conj(),c.split(1)[0].is_conj(),c.swapaxes(0,1).is_conj(),c.movedim(0,1).is_conj(),c.unfold(1,2,1).is_conj(),c[None].is_conj(),c[...,0].is_conj(),c.narrow(0,0,1).is_conj(),c.select(0,0).is_conj(),c.expand_as(c).is_conj(),c.requires_grad_().is_conj()",
)

SCENES = (
    "c=w.conj(); w.mul_(2); p(c, c._version)",
    "c=w.conj(); c.mul_(2j); p(w,c,c._version)",
    "c=w.conj(); c[0]=5; p(w,c)",
    "c=w.conj(); c[0].zero_(); p(w,c)",
    "c=w.conj(); d=c.T; w[0,0]=100j; p(d,c); d.add_(1j); p(w,c,d)",
    "c=w.conj(); d=w.conj(); c.mul_(1j); p(d,w)",
    "i=w.conj().imag; w.mul_(2); p(i); i.add_(1); p(w,i)",
    "i=w.conj().imag; i.exp_(); p(w)",
    "i=w.conj().imag; i[0]=3; p(w, i+1, i.abs(), torch.exp(i))",
    "i=w.conj().imag; i.clamp_(-2,0); p(w)",
    "c=w.conj().detach(); w.mul_(2); p(c)",
    "c=w.conj(); w.zero_(); p(c.tolist(), c.numpy(force=True), c[0,0].item(), bool(c[0,0]))",
    "c=w.conj(); c.real.mul_(3); p(w,c)",
    "c=w.conj(); c.real=7.; c.imag=1.; p(w)",
    "w.real[0]=9; w.imag=w.real; p(w)",
    "c=w.conj(); c.copy_(w); p(w,c)",
    "c=w.conj(); c.fill_(1j); p(w,c)",
    "c=w.conj(); torch.add(w,1,out=c); p(w)",
    "y=x*1; c=y.conj(); p(names(c.grad_fn)); c.mul_(2); p(names(y.grad_fn),names(c.grad_fn)); (c*c.conj()).real.sum().backward(); p(x.grad)",
    "y=x*1; c=y.conj(); y.mul_(1j); p(names(c.grad_fn)); (c*c).real.sum().backward(); p(x.grad)",
    "y=x*1; c=y.conj().imag; p(names(c.grad_fn)); (c*c).sum().backward(); p(x.grad)",
    "y=x*1; c=y.conj().real; p(names(c.grad_fn)); (c*c).sum().backward(); p(x.grad)",
    "y=x*1; p(names(y.real.grad_fn),names(y.imag.grad_fn)); y.real.mul_(2); y.imag.mul_(3); p(names(y.grad_fn)); y.abs().sum().backward(); p(x.grad)",
    "y=x*1; c=y.conj()[0]; c.mul_(3); p(names(y.grad_fn)); y.abs().sum().backward(); p(x.grad)",
    "y=x*1; p(names(y.conj().conj().grad_fn)); g,=torch.autograd.grad((y.conj().conj()*y.conj()).sum().real,x,create_graph=True); p(g.resolve_conj().detach())",
    "c=x.conj(); c.mul_(2)",
    "p(names(x.conj().resolve_conj().grad_fn), names(x.conj_physical().grad_fn),names(x.conj().conj_physical().grad_fn),names(x.H.grad_fn),names(x.mH.grad_fn))",
    "c=x.conj(); y=(c*c).sum(); w2=x.data.mul_(1); y.abs().backward(); p(x.grad)",
    "with torch.no_grad(): c=w.conj(); w.mul_(2); p(c)",
    "c=w.conj(); w.copy_(w*3); p(torch.linalg.norm(c), torch.equal(c,w.conj()), c==w.conj())",
    "p(torch.vdot(w[0].conj(),w[0]), torch.dot(w[0].conj(),w[0]), torch.mm(w.conj(),w.mH), torch.einsum('ij,kj->ik',w,w.conj()), torch.linalg.svdvals(w.mH).shape)",
    "c=w[:,1:].conj(); c+=1; p(w,c, c.is_contiguous(), w.T.conj().is_contiguous())",
    "e=w[0].expand(3,3).conj(); p(e,e.stride())",
)


def _values(torch):
    base = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    return torch.complex(base, base + 1)


def _names(node):
    found = []
    while node is not None:
        found.append(node.name().split("::")[-1])
        node = node.next_functions[0][0] if node.next_functions else None
    return found


def _fact(torch, text):
    w = _values(torch)
    try:
        return repr(eval(text, dict(torch=torch, copy=copy, w=w, c=w.conj())))
    except Exception as error:
        return type(error).__name__, str(error)


def _scene(torch, text):
    w, said = _values(torch), []
    scope = dict(
        torch=torch, names=_names, w=w, x=w.clone().requires_grad_(), p=lambda *each: said.extend(map(repr, each))
    )
    try:
        exec(text, scope)
    except Exception as error:
        said.append((type(error).__name__, str(error)))
    return said


@pytest.mark.parametrize("text", FACTS)
def test_facts(text):
    assert _fact(rushlight, text) == _fact(torch, text)


@pytest.mark.parametrize("text", SCENES)
def test_scenes(text):
    assert _scene(rushlight, text) == _scene(torch, text)
