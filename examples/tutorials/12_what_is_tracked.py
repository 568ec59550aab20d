"""How printing shows what is tracked, on random numbers that a seed makes the same everywhere."""

import torch

x = torch.zeros(1, 3, requires_grad=True)
print(x)
y = torch.sub(x, 4)
print(y)
print(y.grad_fn)
print(x.grad_fn)

torch.manual_seed(42)
a = torch.randn(3, 2)
a = a / (a + 2)
print(a)
a.requires_grad_(True)
print(a)
print(a - 1)
print(torch.rand(2, 2), torch.randint(10, (4,)), torch.randperm(5))
