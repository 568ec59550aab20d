"""``torch.hub`` is not here: rushlight fetches no code and no weights. What scripts ask about its folder is answered."""

import os

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_folder = None


def get_dir():
    """The folder in which PyTorch keeps what it has fetched."""
    if _folder is not None:
        return _folder
    home = os.getenv("TORCH_HOME", os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d):
    global _folder
    _folder = os.path.expanduser(d)


def _absent(*args, **kwargs):
    raise NotImplementedError(
        "rushlight has no torch.hub: it fetches neither code nor weights. Download the file yourself and read it with torch.load."
    )


load = list = help = load_state_dict_from_url = download_url_to_file = _absent
