"""Three ways to give a leaf new values without recording it: .data, detach(), no_grad()."""

import torch

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
was = id(a)
a.data.mul_(3.0)
print(a, a.is_leaf, id(a) == was)
(a * a).sum().backward()
print(a.grad)

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
a.detach().sub_(0.5)
print(a, a.is_leaf)

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
with torch.no_grad():
    a[1:] = -1.0
print(a, a.is_leaf)
(a**3).sum().backward()
print(a.grad)
