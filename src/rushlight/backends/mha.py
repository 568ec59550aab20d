"""``torch.backends.mha``: whether encoders of transformers may leave padding out in evaluation mode.

PyTorch's other way through attention and encoder layers gives the same numbers and is not here; what is left of the switch is that
`TransformerEncoder` sets padded places to zero while it is on.
"""

_enabled = True


def get_fastpath_enabled():
    """Whether the switch is on, as it is at first."""
    return _enabled


def set_fastpath_enabled(value):
    """Turn the switch on or off."""
    global _enabled
    _enabled = value
