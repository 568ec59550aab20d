"""The module that ``torch.compile`` returns for a module."""

from ..nn.modules.module import Module

__all__ = ["OptimizedModule"]

_OWN = ("_orig_mod", "forward", "training")


class OptimizedModule(Module):
    """A module around another, ``_orig_mod``, which it calls, shows and lends its attributes."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module
        self.training = module.training

    def forward(self, *args, **kwargs):
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name):
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._orig_mod, name)

    def __setattr__(self, name, value):
        if name in _OWN or name in self.__dict__ or "_modules" not in self.__dict__ or "_orig_mod" not in self._modules:
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def train(self, mode=True):
        super().train(mode)
        return self

    def __len__(self):
        return len(self._orig_mod)

    def __getitem__(self, index):
        return self._orig_mod[index]


OptimizedModule.__module__ = "torch._dynamo.eval_frame"
