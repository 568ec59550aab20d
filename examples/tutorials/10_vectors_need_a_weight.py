"""backward() without arguments is for single numbers; a vector needs a weight for each element."""

import torch

x = torch.tensor([1.0, 2.0, 4.0, 8.0], requires_grad=True)
y = x * 3
y = y - 1
print(y)
try:
    y.backward()
except RuntimeError as error:
    print("RuntimeError:", error)
y.backward(torch.tensor([1.0, 0.01, 100.0, 0.0]))
print(x.grad)
y = x * 3
try:
    y.backward(torch.ones(3))
except RuntimeError as error:
    print("RuntimeError:", error)
