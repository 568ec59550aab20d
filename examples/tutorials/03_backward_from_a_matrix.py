"""The same for a matrix of outputs: a weight for each of them."""

import torch
from torch.autograd import Variable

a = Variable(torch.Tensor([[1, 0], [2, 5], [3, 4]]), requires_grad=True)
b = Variable(torch.ones(2, 2), requires_grad=True)
product = torch.mm(a, b)
product.backward(torch.FloatTensor([[1, 2], [1, 0], [0, 1]]))
print(f"with respect to b: {b.grad.data}")
print(f"with respect to a: {a.grad.data}")
