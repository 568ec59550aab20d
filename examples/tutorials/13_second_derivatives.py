"""autograd.grad with create_graph=True gives gradients that can be differentiated again: all second derivatives of u^3 v^2."""

import torch

u = torch.tensor(2.0, requires_grad=True)
v = torch.tensor(-1.0, requires_grad=True)
f = u**3 * v**2 + u * v
du = torch.autograd.grad(f, u, retain_graph=True, create_graph=True)[0]
dv = torch.autograd.grad(f, v, retain_graph=True, create_graph=True)[0]
print(du, dv)
duu = torch.autograd.grad(du, u, retain_graph=True)[0]
duv = torch.autograd.grad(du, v)[0]
dvu = torch.autograd.grad(dv, u, retain_graph=True)[0]
dvv = torch.autograd.grad(dv, v)[0]
print(duu, duv, dvu, dvv)
