"""``torch.nn.functional``: the operators declared for it, and those of ``torch`` that it shows as well."""

from .. import ops  # noqa: F401 - declares the operators
from ..missing import module_getattr
from ..ops.table import PLACES

globals().update(PLACES["nn.functional"])
#: functions of torch that PyTorch shows here too
for _name in (
    *(
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "conv_tbc",
        "avg_pool1d",
    ),
    *(
        "relu",
        "relu_",
        "celu",
        "selu",
        "prelu",
        "rrelu",
        "tanh",
        "sigmoid",
        "logsigmoid",
        "hardshrink",
        "pixel_shuffle",
    ),
    *(
        "pixel_unshuffle",
        "channel_shuffle",
        "cosine_similarity",
        "pdist",
        "bilinear",
        "adaptive_avg_pool1d",
        "threshold",
    ),
    *("celu_", "selu_", "rrelu_", "threshold_", "native_channel_shuffle"),
):
    if _name not in globals() and _name in PLACES[""]:
        globals()[_name] = PLACES[""][_name]
__getattr__ = module_getattr(__name__)
