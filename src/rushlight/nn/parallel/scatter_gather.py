"""``torch.nn.parallel.scatter_gather``: sharing a batch among devices, of which there is one, and putting results together."""

__all__ = ["gather", "is_namedtuple", "scatter", "scatter_kwargs"]


def is_namedtuple(obj):
    """Whether ``obj`` is of a class made by ``namedtuple``."""
    return isinstance(obj, tuple) and hasattr(obj, "_asdict") and hasattr(obj, "_fields")


def scatter(inputs, target_gpus, dim=0):
    """A list of what each device in ``target_gpus`` gets. NotImplementedError: there is no GPU to share with."""
    raise NotImplementedError("rushlight computes on the CPU: there are no GPUs to share a batch among")


def scatter_kwargs(inputs, kwargs, target_gpus, dim=0):
    """Two tuples, of what each device gets; see `scatter`."""
    return scatter(inputs, target_gpus, dim), scatter(kwargs, target_gpus, dim)


def gather(outputs, target_device, dim=0):
    """The results of several devices as one; see `scatter`."""
    return scatter(outputs, (target_device,), dim)
