"""Writes in place: what stays the same object, how versions count them, and when backward refuses."""

import torch

t = torch.tensor([0.0, 2.0, 4.0])
was = id(t)
t = t + 1
print("a new object:", id(t) != was)
was = id(t)
t[1] = -7
t += 1
print("the same object:", id(t) == was, t)

x = torch.tensor([2.0, 5.0], requires_grad=True)
y = x - 1
print("version", y._version)
loss = (y * y).sum()
y[1] = 100.0
y *= 2
print("version", y._version)
try:
    loss.backward()
except RuntimeError as error:
    print("RuntimeError:", str(error).split(";")[0])
print(x.grad)

leaf = torch.tensor([1.0, 2.0], requires_grad=True)
print(leaf, leaf.is_leaf)
for write in (lambda: leaf.mul_(2), lambda: leaf.__setitem__(0, 5.0), lambda: leaf.zero_()):
    try:
        write()
    except RuntimeError as error:
        print("RuntimeError:", error)
print(leaf, leaf._version)
