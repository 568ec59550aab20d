"""no_grad: the values without the graph, as a block and as a decorator."""

import torch


@torch.no_grad()
def double(t):
    return t * 2


x = torch.ones(2, requires_grad=True)
print((x + 1).requires_grad, double(x).requires_grad)
with torch.no_grad():
    print((x + 1).requires_grad)
    with torch.enable_grad():
        print((x + 1).requires_grad)
print((x + 1).requires_grad, x.detach().requires_grad)
