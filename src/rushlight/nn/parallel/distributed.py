"""Several processes: there are no process groups here, so a module cannot be distributed; programs ask for the class, though."""

from ..modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """What ``isinstance`` is asked for; making one raises ValueError, as in PyTorch without a process group."""

    def __init__(self, module, *args, **kwargs):
        raise ValueError(
            "Default process group has not been initialized, please make sure to call init_process_group. "
            "(rushlight has no process groups: use the module itself in place of DistributedDataParallel(module).)"
        )


DistributedDataParallel.__module__ = "torch.nn.parallel.distributed"
