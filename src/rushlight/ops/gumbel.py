"""Sampling from categorical distributions so that a gradient passes (E. Jang et al., 2017; C. Maddison et al., 2017)."""

import warnings

from .core import contiguous_format
from .creation import empty_like
from .functional import functional


@functional("gumbel_softmax")
def gumbel_softmax(F, logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """softmax((logits + g) / tau) along `dim`, g being drawn from the Gumbel distribution: minus the log of an exponential one.

    With `hard` the result is one where it is largest and zero elsewhere, and its gradient that of the soft result. `eps` is
    without effect, as in PyTorch.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    noise = F.neg(F.log(F.exponential_(empty_like(logits, memory_format=contiguous_format))))
    soft = F.softmax(F.div(F.add(logits, noise), tau), dim)
    if not hard:
        return soft
    index = F.argmax(soft, dim, True)
    chosen = F.scatter(F.zeros_like(soft), dim, index, 1.0)
    return F.add(F.sub(chosen, soft.detach()), soft)
