"""``torch.distributed.rpc``: calls between processes are not here; as in a PyTorch built without them, only that can be asked."""

from ..missing import module_getattr

__all__ = ["is_available"]


def is_available():
    """False: rushlight runs in one process."""
    return False


__getattr__ = module_getattr(__name__)
