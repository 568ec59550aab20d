"""``torch.hub`` is not here: rushlight fetches no code and no weights. What scripts ask about its folder is answered."""

import os
import re
from urllib.parse import urlparse  # noqa: F401 - programs take it from here

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

#: the part of a file's name that is the beginning of its hash
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
_folder = None


def _get_torch_home():
    home = os.getenv("TORCH_HOME", os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return os.path.expanduser(home)


def get_dir():
    """The folder in which PyTorch keeps what it has fetched."""
    return _folder if _folder is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d):
    global _folder
    _folder = os.path.expanduser(d)


def _absent(*args, **kwargs):
    raise NotImplementedError(
        "rushlight has no torch.hub: it fetches neither code nor weights. Download the file yourself and read it with torch.load."
    )


load = list = help = load_state_dict_from_url = download_url_to_file = _absent
