"""Two maps one after the other; small weights show how printing changes to scientific notation."""

import torch

x = torch.tensor([1.0, -2.0], requires_grad=True)
print(x)
y = x * x
print(y)
z = y * 5
print(z)
z.backward(gradient=torch.tensor([1e-5, 3.0], dtype=torch.float))
print(x.grad)
