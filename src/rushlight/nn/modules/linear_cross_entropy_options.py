"""How `linear_cross_entropy` cuts its rows into chunks."""

import dataclasses

from ...dtypes import bfloat16, float16, float32, float64

__all__ = ["LinearCrossEntropyOptions"]

_POLICIES = frozenset(("accurate", "auto", "balanced", "compact"))
_DTYPES = frozenset((float16, bfloat16, float32, float64))


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """Lets `linear_cross_entropy` work on some rows at a time, so that the logits of all rows never exist together.

    Args:
        allow_retain_graph: taken for PyTorch's sake: backward can be run again in either case here.
        batch_chunk_size: number of rows of a chunk; None for all.
        chunking_method: how that number is chosen: "auto", "aspect_ratio" (a chunk's logits take the room of the input),
            "aspect_ratio:N" (N times less), or None for ``batch_chunk_size``.
        acc_policy: "accurate", "balanced", "compact" or "auto": PyTorch's ways of trading memory for precision; there is one here,
            and it keeps the log probabilities of all rows when a gradient is wanted.
        acc_dtype: dtype of sums over chunks: None or the input's.

    Raises:
        ValueError: for any other value.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: object = None

    def __post_init__(self):
        if self.acc_policy not in _POLICIES:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = self.chunking_method.partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and self.acc_dtype not in _DTYPES:
            raise ValueError(
                f"acc_dtype must be one of {{None, torch.float16, torch.bfloat16, torch.float32, torch.float64}}, got "
                f"{self.acc_dtype!r}. Pass acc_dtype=None to let the op pick automatically."
            )
