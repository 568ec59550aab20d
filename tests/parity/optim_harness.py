"""One setting of PyTorch's optimiser database, in both libraries: the same steps, and what disagrees."""

import warnings

import numpy as np
import torch
from torch.testing._internal.common_optimizers import optim_db

import rushlight

STEPS = 20
INFOS = {info.optim_cls.__name__: info for info in optim_db}
#: the shapes of the parameters: a matrix, a vector, a stack of matrices, one number
SHAPES = ((3, 4), (5,), (2, 3, 2), ())


def carry(value):
    """A value for rushlight: tensors copied, containers too."""
    if isinstance(value, torch.nn.Parameter):
        return rushlight.nn.Parameter(carry(value.detach()), value.requires_grad)
    if isinstance(value, torch.Tensor):
        if value.dtype is torch.bfloat16:
            made = rushlight.from_numpy(value.detach().float().numpy()).bfloat16()
        else:
            made = rushlight.from_numpy(value.detach().clone().numpy())
        return made.requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        return {carry(key): carry(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(carry(each) for each in value)
    return value


def carry_back(value):
    """A value of rushlight for PyTorch."""
    if isinstance(value, rushlight.Tensor):
        return torch.from_numpy(np.array(value.detach().numpy()))
    if isinstance(value, dict):
        return {key: carry_back(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(carry_back(each) for each in value)
    return value


def disagreements(ours, theirs, rtol, where=""):
    """What differs between two values, as sentences; tensors may differ by ``rtol`` of the largest element."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, rushlight.Tensor):
            return [f"{where}: {type(ours).__name__} for a tensor"]
        if str(ours.dtype) != str(theirs.dtype) or tuple(ours.shape) != tuple(theirs.shape):
            return [f"{where}: {ours.dtype} {tuple(ours.shape)} for {theirs.dtype} {tuple(theirs.shape)}"]
        if ours.stride() != theirs.stride():
            return [f"{where}: strides {ours.stride()} for {theirs.stride()}"]
        a, b = (each.detach() for each in (ours, theirs))
        a, b = (a.float(), b.float()) if theirs.dtype is torch.bfloat16 else (a, b)
        a, b = a.numpy(), b.numpy()
        atol = rtol * max(1.0, float(np.abs(b).max())) if b.size else 0
        if not np.allclose(a, b, rtol, atol, equal_nan=True):
            return [f"{where}: off by {np.abs(a - b).max():.3g}"]
        return []
    if isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return [f"{where}: keys {list(ours)} for {list(theirs)}"]
        return [each for key in theirs for each in disagreements(ours[key], theirs[key], rtol, f"{where}[{key!r}]")]
    if isinstance(theirs, (list, tuple)):
        if type(ours) is not type(theirs) or len(ours) != len(theirs):
            return [f"{where}: {ours!r} for {theirs!r}"]
        pairs = enumerate(zip(ours, theirs))
        return [each for i, (a, b) in pairs for each in disagreements(a, b, rtol, f"{where}[{i}]")]
    if isinstance(theirs, float) and isinstance(ours, float):
        close = np.isclose(ours, theirs, rtol, rtol, equal_nan=True)
        return [] if close else [f"{where}: {ours!r} for {theirs!r}"]
    return [] if ours == theirs else [f"{where}: {ours!r} for {theirs!r}"]


class Pair:
    """The same optimiser in both libraries, over equal parameters, with equal gradients."""

    def __init__(self, name, kwargs, dtype=torch.float64, seed=0, groups=False):
        self.random = np.random.RandomState(seed)
        shapes = [shape for shape in SHAPES if len(shape) == 2] * 2 if name == "Muon" else SHAPES
        self.dtype = dtype
        # a recorded step writes to what is no leaf; plain tensors will do
        make = torch.Tensor.clone if kwargs.get("differentiable") else torch.nn.Parameter
        self.theirs = [make(self.draw(shape)) for shape in shapes]
        self.ours = [carry(each) for each in self.theirs]
        given = [self._grouped(each) if groups else each for each in (self.theirs, self.ours)]
        self.optim = getattr(torch.optim, name)(given[0], **kwargs)
        self.own = getattr(rushlight.optim, name)(given[1], **carry(kwargs))

    @staticmethod
    def _grouped(params):
        return [{"params": params[:1], "lr": 0.05}, {"params": params[1:]}]

    def draw(self, shape):
        if self.dtype.is_complex:
            both = self.random.randn(2, *shape)
            return torch.tensor(both[0] + 1j * both[1]).to(self.dtype)
        return torch.tensor(self.random.randn(*shape), dtype=self.dtype)

    def step(self, steps=STEPS):
        """Take steps with random gradients; those of an optimiser that wants a closure go down a bowl."""
        if isinstance(self.optim, torch.optim.LBFGS):
            targets = [self.draw(tuple(p.shape)) for p in self.theirs]
            for _ in range(steps):
                losses = [
                    optim.step(self._bowl(optim, params, goals))
                    for optim, params, goals in (
                        (self.optim, self.theirs, targets),
                        (self.own, self.ours, carry(targets)),
                    )
                ]
                theirs, ours = (loss.item() for loss in losses)
                assert abs(theirs - ours) <= 1e-4 * max(1, abs(theirs))
            return
        for step in range(steps):
            for index, (theirs, ours) in enumerate(zip(self.theirs, self.ours)):
                skip = step == 1 and index == 0 and len(self.theirs) > 1
                grad = None if skip else self.draw(tuple(theirs.shape))
                theirs.grad = grad
                ours.grad = None if skip else carry(grad)
            self.optim.step()
            self.own.step()

    @staticmethod
    def _bowl(optim, params, goals):
        def closure():
            optim.zero_grad()
            loss = sum(((p - goal).abs() ** 2 * (i + 1)).sum() for i, (p, goal) in enumerate(zip(params, goals)))
            loss = loss + sum((p.abs() ** 4).sum() for p in params) * 0.1
            loss.backward()
            return loss

        return closure

    def off(self, rtol):
        """What differs between the parameters."""
        return disagreements(self.ours, [each.detach() for each in self.theirs], rtol, "parameters")

    def disagreements(self, rtol):
        """What differs at all: parameters, state, options, text."""
        found = self.off(rtol)
        found += disagreements(self.own.state_dict(), self.optim.state_dict(), rtol, "state_dict")
        if repr(self.own) != repr(self.optim):
            found.append(f"repr: {self.own!r} for {self.optim!r}")
        return found


def outcome(function):
    """What happens: the type and text of the exception or warnings of a call, or "no error"."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            function()
        except Exception as error:
            return type(error).__name__, str(error)
    return [(each.category.__name__, str(each.message)) for each in caught] or "no error"
