"""Which tensors are leaves, and two ways to see the gradient of one that is not: a hook, and retain_grad."""

import torch

data = torch.full([3], 2.0)
slope = torch.tensor(3.0, requires_grad=True)
power = torch.tensor(2.0, requires_grad=True)
line = data * slope
curve = line**power
loss = curve.sum()
print(data.is_leaf, slope.is_leaf, power.is_leaf)
print(line.is_leaf, curve.is_leaf, loss.is_leaf)
line.register_hook(lambda grad: print("at line:", grad))
curve.retain_grad()
loss.retain_grad()
loss.backward()
print("at loss:", loss.grad)
print("at curve:", curve.grad)
print(slope.grad, power.grad)
