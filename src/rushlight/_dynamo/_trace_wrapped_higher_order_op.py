"""A mode for subscripts within ``torch.vmap``, which libraries of transformers put around the functions that make their masks."""

from ..overrides import BaseTorchFunctionMode

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(BaseTorchFunctionMode):
    """Within the block a tensor may be a subscript under ``torch.vmap``. It always may here, so the mode changes nothing."""
