"""Whole numbers have no gradient, and say so."""

import torch
from torch.autograd import Variable

whole = torch.tensor([4, 9])
attempts = (
    lambda: Variable(whole, requires_grad=True),
    lambda: whole.requires_grad_(),
    lambda: torch.tensor([1, 2], requires_grad=True),
    lambda: torch.ones(2, dtype=torch.int32, requires_grad=True),
)
for attempt in attempts:
    try:
        attempt()
    except RuntimeError as error:
        print("RuntimeError:", error)
print(whole.float().requires_grad_())
