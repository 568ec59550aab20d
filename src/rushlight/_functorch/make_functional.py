"""``torch._functorch.make_functional``: a module as a function of its state, in the form from before ``torch.func.functional_call``."""

import copy

from ..nn import Module, Parameter
from ..nn.utils.stateless import _functional_call, _swap
from ..ops.table import TENSOR

__all__ = [
    *("FunctionalModule", "FunctionalModuleWithBuffers", "combine_state_for_ensemble", "make_functional"),
    "make_functional_with_buffers",
]


class FunctionalModule(Module):
    """What ``make_functional`` returns: ``func(params, *args, **kwargs)`` calls the model with these parameters.

    ``names_map`` tells for each name in ``param_names`` all names that the model has the parameter under.
    """

    def __init__(self, stateless_model, param_names, names_map):
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names, self.names_map = param_names, names_map

    def forward(self, params, *args, **kwargs):
        return _called(self.stateless_model, ((self.param_names, self.names_map, params),), args, kwargs)


class FunctionalModuleWithBuffers(Module):
    """The same of ``make_functional_with_buffers``: ``func(params, buffers, *args, **kwargs)``."""

    def __init__(self, stateless_model, param_names, buffer_names, param_names_map, buffer_names_map):
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names, self.buffer_names = param_names, buffer_names
        self.all_names_map = {**param_names_map, **buffer_names_map}

    def forward(self, params, buffers, *args, **kwargs):
        state = ((self.param_names, self.all_names_map, params), (self.buffer_names, self.all_names_map, buffers))
        return _called(self.stateless_model, state, args, kwargs)


def _called(model, state, args, kwargs):
    given = {}
    for names, every, tensors in state:
        if len(tensors) != len(names):
            raise RuntimeError(
                f"the model has {len(names)} tensors here ({', '.join(names)}), but {len(tensors)} were given"
            )
        for name, tensor in zip(names, tensors):
            given.update(dict.fromkeys(every[name], tensor))
    return _functional_call(model, given, args, kwargs, tie_weights=False)


def _taken_out(model, found):
    """(tensors, names, every name of each) of a model's parameters or buffers, in whose places hollow ones are left."""
    groups = {}
    for name, tensor in found:
        groups.setdefault(id(tensor), (tensor, []))[1].append(name)
    for tensor, names in groups.values():
        for name in names:
            _swap(model, name, _hollow(tensor))
    tensors, names = [t for t, _ in groups.values()], [n for _, n in groups.values()]
    return tuple(tensors), tuple([each[0] for each in names]), {each[0]: each for each in names}


def _hollow(tensor):
    """A tensor of the same shape that takes no memory."""
    made = TENSOR.expand(tensor.detach().new_zeros(()), tensor.shape)
    return Parameter(made) if isinstance(tensor, Parameter) else made


def _split(model, disable_autograd_tracking):
    model = copy.deepcopy(model)
    parameters = _taken_out(model, list(model.named_parameters(remove_duplicate=False)))
    buffers = _taken_out(model, list(model.named_buffers(remove_duplicate=False)))
    if disable_autograd_tracking:
        for each in parameters[0]:
            each.requires_grad_(False)
    return model, parameters, buffers


def make_functional(model, disable_autograd_tracking=False):
    """``(func, params)``: a copy of ``model`` without its state as a function of it, and the parameters.

    Raises RuntimeError for a model with buffers.
    """
    if list(model.buffers()):
        raise RuntimeError(
            "make_functional(model): `model` has buffers. Please use make_functional_with_buffers(model) instead."
        )
    model, (params, names, every), _ = _split(model, disable_autograd_tracking)
    return FunctionalModule(model, names, every), params


def make_functional_with_buffers(model, disable_autograd_tracking=False):
    """``(func, params, buffers)``: as ``make_functional``, of a model that may have buffers."""
    model, (params, names, every), (buffers, buffer_names, every_buffer) = _split(model, disable_autograd_tracking)
    return FunctionalModuleWithBuffers(model, names, buffer_names, every, every_buffer), params, buffers


def combine_state_for_ensemble(models):
    """``(func, params, buffers)`` of models of one class, with each tensor of theirs stacked along a new dimension 0."""
    if len(models) == 0:
        raise RuntimeError("combine_state_for_ensemble: Expected at least one model, got 0.")
    if not (all(each.training for each in models) or not any(each.training for each in models)):
        raise RuntimeError("combine_state_for_ensemble: Expected all models to have the same training/eval mode.")
    if not all(type(each) is type(models[0]) for each in models):
        raise RuntimeError("combine_state_for_ensemble: Expected all models to be of the same class.")
    functions, params, buffers = zip(*[make_functional_with_buffers(each) for each in models])
    return functions[0], _stacked(params), _stacked(buffers)


def _stacked(states):
    return tuple([TENSOR.stack(list(each), 0).detach() for each in zip(*states)])
