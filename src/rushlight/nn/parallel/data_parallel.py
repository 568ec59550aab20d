"""One process, several devices: without a GPU the wrapped module is called as it is, which is what PyTorch does then."""

from ..modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls ``module``; PyTorch would share batches (along ``dim``) among GPUs, of which there are none here.

    Parameters are named ``module.…``, as in files that PyTorch wrote of such a module. ``device_ids`` and ``output_device`` choose
    among GPUs and so choose nothing here, as in PyTorch on a machine without one.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """Call ``module`` with a batch shared among GPUs; RuntimeError, as there are none."""
    raise RuntimeError("device type could not be determined (there is no GPU here: call the module itself)")


DataParallel.__module__ = "torch.nn.parallel.data_parallel"
