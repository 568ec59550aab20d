"""The gradient of a single number. f(p) = mean(4 (p - 1)) has the slope 4/n in each of its n inputs."""

import torch
from torch.autograd import Variable

p = Variable(torch.Tensor([5, -1, 2, 8]), requires_grad=True)
shifted = p - 1
scaled = shifted * 4
f = scaled.mean()
f.backward()
print("p =", p)
print("f =", f)
print("df/dp =", p.grad)
