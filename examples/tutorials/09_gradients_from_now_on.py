"""requires_grad_ turns recording on for a tensor that was made without it."""

import torch

x = torch.full((2, 3), 3.0)
print(x.requires_grad)
x.requires_grad_(True)
print(x.requires_grad)
out = (x**3 / (x - 1)).mean()
print(x.grad)
out.backward()
print(x.grad)
x.requires_grad_(False)
print((x * 2).requires_grad)
