"""A small graph with a shared part, before and after backward: gradients arrive at the leaves and nowhere else."""

import warnings

import torch

warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")

data = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
slope = torch.tensor(0.5, requires_grad=True)
offset = torch.tensor(-1.0, requires_grad=True)
gain = torch.tensor(2.0, requires_grad=True)
shared = data * slope
left = shared + offset
right = shared * gain
both = left * right
loss = both.mean()
print(slope.data, slope.grad, slope.grad_fn)
print(shared.data, shared.grad, shared.grad_fn)
print(loss.data, loss.grad, loss.grad_fn)
print([type(node).__name__ for node, _ in both.grad_fn.next_functions])
loss.backward()
print(slope.grad, offset.grad, gain.grad)
print(shared.grad, left.grad, right.grad, both.grad, loss.grad)
