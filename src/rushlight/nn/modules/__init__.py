"""The classes of ``torch.nn``, by kind."""

import sys as _sys

from . import (  # noqa: F401
    activation,
    adaptive,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy,
    linear,
    linear_cross_entropy_options,
    loss,
    module,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
)
from .activation import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .batchnorm import *  # noqa: F403
from .channelshuffle import *  # noqa: F403
from .container import *  # noqa: F403
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .flatten import *  # noqa: F403
from .fold import *  # noqa: F403
from .instancenorm import *  # noqa: F403
from .lazy import LazyModuleMixin as _Lazy
from .linear import *  # noqa: F403
from .linear_cross_entropy_options import *  # noqa: F403
from .loss import *  # noqa: F403
from .module import Module
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pixelshuffle import *  # noqa: F403
from .pooling import *  # noqa: F403
from .rnn import *  # noqa: F403
from .sparse import *  # noqa: F403
from .transformer import *  # noqa: F403
from .upsampling import *  # noqa: F403

__all__ = [
    "Module",
    *(*activation.__all__, *adaptive.__all__, *batchnorm.__all__, *channelshuffle.__all__, *container.__all__),
    *(*conv.__all__, *distance.__all__, *dropout.__all__, *flatten.__all__, *fold.__all__, *instancenorm.__all__),
    *(*linear.__all__, *linear_cross_entropy_options.__all__, *loss.__all__, *normalization.__all__, *padding.__all__),
    *(
        *pixelshuffle.__all__,
        *pooling.__all__,
        *rnn.__all__,
        *sparse.__all__,
        *transformer.__all__,
        *upsampling.__all__,
    ),
]

#: files that PyTorch has as parts of others
_SHOWN_IN = {"attention": "activation", "module_hooks": "module", "module_state": "module"}


def _show_under_pytorchs_names():
    """Give every module class the module name it has in PyTorch, which is what users see and files of PyTorch's name.

    `Module.__reduce_ex__` keeps pickles free of that name where ``torch`` is something else.
    """
    for name, file in list(_sys.modules.items()):
        if not name.startswith(__name__ + "."):
            continue
        own = name.rpartition(".")[2]
        for value in vars(file).values():
            if isinstance(value, type) and issubclass(value, (Module, _Lazy)) and value.__module__ == name:
                value.__module__ = f"torch.nn.modules.{_SHOWN_IN.get(own, own)}"


_show_under_pytorchs_names()
