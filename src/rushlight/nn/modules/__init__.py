"""The classes of ``torch.nn``, by kind."""

import importlib as _importlib

_FILES = (
    *("module", "linear", "container", "activation", "adaptive", "batchnorm", "channelshuffle", "conv", "distance"),
    *("dropout", "flatten", "fold", "instancenorm", "lazy", "loss", "normalization", "padding", "pixelshuffle"),
    *("pooling", "rnn", "sparse", "transformer", "upsampling"),
)
__all__ = []
for _file in _FILES:
    try:
        _found = _importlib.import_module(f"{__name__}.{_file}")
    except ModuleNotFoundError:
        continue
    for _name, _value in list(vars(_found).items()):
        if not isinstance(_value, type) or not _value.__module__.startswith(__name__):
            continue
        # users see the class where PyTorch has it; `Module.__reduce_ex__` keeps pickles free of that name
        _value.__module__ = f"torch.nn.modules.{_file}"
        if _name in _found.__all__:
            globals()[_name] = _value
            __all__.append(_name)
