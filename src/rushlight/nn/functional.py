"""``torch.nn.functional``: the operators declared for it, and those of ``torch`` that it shows as well."""

from .. import ops  # noqa: F401 - declares the operators
from ..missing import module_getattr
from ..ops.table import PLACES
from . import _reduction as _Reduction  # noqa: F401, N812 - programs take these names from here too
from . import grad  # noqa: F401
from .modules.utils import _list_with_default, _pair, _single, _triple  # noqa: F401

globals().update(PLACES["nn.functional"])

#: functions of torch that PyTorch shows here too
_ALSO = (
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_tbc"),
    *(
        "adaptive_avg_pool1d",
        "avg_pool1d",
        "bilinear",
        "channel_shuffle",
        "cosine_similarity",
        "native_channel_shuffle",
    ),
    *("pdist", "pixel_shuffle", "pixel_unshuffle"),
    *("celu", "celu_", "hardshrink", "logsigmoid", "prelu", "relu", "relu_", "rrelu", "rrelu_", "selu", "selu_"),
    *("sigmoid", "tanh", "threshold", "threshold_"),
)
for _name in _ALSO:
    if _name not in globals() and _name in PLACES[""]:
        globals()[_name] = PLACES[""][_name]

__getattr__ = module_getattr(__name__)
