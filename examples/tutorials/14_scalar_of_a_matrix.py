"""A matrix reduced to one number, and the gradient in each of its elements."""

import torch

x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
y = x - 3
print(y)
z = 0.5 * y * y
out = z.mean()
print(z, out)
out.backward()
print(x.grad)
