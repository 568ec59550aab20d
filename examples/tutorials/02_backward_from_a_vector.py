"""A vector has no single gradient: backward takes a row v and gives v times the Jacobian.

The outputs are put one by one into a tensor of zeros; the writes are recorded like any other operation.
"""

import torch
from torch.autograd import Variable

x = Variable(torch.Tensor([[3, 1]]), requires_grad=True)
y = torch.zeros(1, 2)
y[0, 0] = x[0, 0] * x[0, 1] ** 2
y[0, 1] = x[0, 0] ** 3 - x[0, 1]
y = y * 0.5
y.backward(torch.FloatTensor([[4, 1]]))
print("x =", x)
print("y =", y)
print("v J =", x.grad)
