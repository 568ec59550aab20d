"""``torch.utils._mode_utils``: what programs with dispatch modes take from there."""

from ._python_dispatch import no_dispatch

__all__ = ["all_same_mode", "no_dispatch"]


def all_same_mode(modes):
    """Whether all modes are one and the same object."""
    return all(mode is modes[0] for mode in modes)
