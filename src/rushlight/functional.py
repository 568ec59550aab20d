"""``torch.functional``: those functions of ``torch`` that PyTorch writes in Python, once more under this name."""

from . import Tensor  # noqa: F401
from .ops.table import PLACES

__all__ = [
    *(
        "atleast_1d",
        "atleast_2d",
        "atleast_3d",
        "block_diag",
        "broadcast_shapes",
        "broadcast_tensors",
        "cartesian_prod",
        "cdist",
    ),
    *("chain_matmul", "einsum", "istft", "lu", "meshgrid", "norm", "split", "stft", "tensordot", "unique"),
    *("unique_consecutive", "unravel_index"),
]
globals().update({name: PLACES[""][name] for name in __all__ if name in PLACES[""]})
__all__ = [name for name in __all__ if name in globals()]
