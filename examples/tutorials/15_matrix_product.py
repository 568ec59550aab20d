"""Through a matrix product, weighted by ones: each row of the gradient is the sum of the other factor's rows."""

import torch

x = torch.tensor([[2.0, 0.0], [1.0, 3.0]], requires_grad=True)
w = torch.tensor([[1.0, -1.0], [0.5, 2.0], [4.0, 1.0]], requires_grad=True)
y = torch.matmul(x, w.T)
print(y)
y.backward(gradient=torch.ones_like(y))
print(x.grad)
print(w.grad)
