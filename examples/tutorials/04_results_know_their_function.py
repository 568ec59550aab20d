"""Every result of a recorded operation carries the node that will pull gradients back through it."""

import torch

angle = torch.tensor(0.5, requires_grad=True)
print(angle.sin())
print(angle.exp().log())
print((angle / 3).sqrt())
