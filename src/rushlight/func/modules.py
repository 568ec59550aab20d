"""Modules as functions of their state: ``functional_call``, and the state of several models as one batch."""

from collections.abc import Sequence

from ..ops.table import TENSOR

__all__ = ["functional_call", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Call a module with other parameters and buffers than its own, which it has again afterwards.

    Args:
        module: the ``nn.Module``.
        parameter_and_buffer_dicts: a dict of tensors by dotted name, or several that share no name; the module's own tensors stand for
            those left out.
        args, kwargs: of the call; ``args`` may be a single argument that is no tuple.
        tie_weights: let a tensor that the module has under several names be replaced under all of them.
        strict: raise RuntimeError unless exactly the module's tensors are given.

    What the module writes into a buffer in place goes to the tensor given; what it assigns, into the dict.

        >>> state = dict(model.named_parameters())
        >>> torch.func.grad(lambda state: functional_call(model, state, (x,)).sum())(state)
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, Sequence):
        given = _joined(parameter_and_buffer_dicts)
    else:
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(parameter_and_buffer_dicts)}"
        )
    from ..nn.utils import stateless

    return stateless._functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


def _joined(dicts):
    for each in dicts:
        if not isinstance(each, dict):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for each in dicts for name in each]
    repeated = [name for i, name in enumerate(names) if name in names[:i]]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: value for each in dicts for name, value in each.items()}


def stack_module_state(models):
    """``(parameters, buffers)`` of several models of one architecture: dicts of tensors with the models along dimension 0.

    Their gradients, and calls under ``vmap``, are those of an ensemble. The tensors are new leaves that require grad where the models'
    parameters do. Raises RuntimeError for no models, or models of different classes or modes.
    """
    if len(models) == 0:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(each.training for each in models) or not any(each.training for each in models)):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    first = type(models[0])
    if not all(type(each) is first for each in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(each.named_parameters()) for each in models]
    buffers = [dict(each.named_buffers()) for each in models]
    return (
        {name: _stacked([each[name] for each in parameters], name) for name in parameters[0]},
        {name: _stacked([each[name] for each in buffers], name) for name in buffers[0]},
    )


def _stacked(tensors, name):
    wanted = tensors[0].requires_grad
    if any(each.requires_grad != wanted for each in tensors):
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    made = TENSOR.stack([each.detach() for each in tensors], 0)
    return made.requires_grad_() if wanted else made


def replace_all_batch_norm_modules_(root):
    """Let every batch norm in ``root`` forget its running statistics, which ``vmap`` over samples cannot update; returns ``root``."""
    from ..nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
