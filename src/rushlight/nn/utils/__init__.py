"""``torch.nn.utils``: what is done to modules, parameters, gradients and sequences from outside."""
