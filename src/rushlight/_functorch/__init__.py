"""``torch._functorch``: the modules in which PyTorch keeps the transforms of ``torch.func``, for programs that import from there."""
