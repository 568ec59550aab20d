"""Parameters computed from other parameters: ``module.weight`` becomes the result of modules, its original a parameter of theirs.

The module's class is replaced by a subclass of its own, ``ParametrizedLinear`` for a `Linear`, which has a property in place of the
parameter; the chain of modules is in ``module.parametrizations.weight``.
"""

import contextlib
import copy
import copyreg
from collections.abc import Sequence

from ...autograd.modes import no_grad
from ...parameter import Parameter
from ...tensor import Tensor
from ..modules.container import ModuleDict, ModuleList

__all__ = [
    *("ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations"),
    *("transfer_parametrizations_and_params", "type_before_parametrizations"),
]

#: how many `cached` are entered, and what was computed within: by module and name
_cache_enabled = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextlib.contextmanager
def cached():
    """Within, each parametrised tensor is computed once, however often it is used."""
    global _cache_enabled
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache.clear()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _back(modules, value, lenient=False):
    """``value`` through the right inverses of a chain; ``lenient``: those that have none are taken for the identity."""
    for module in reversed(modules):
        if hasattr(module, "right_inverse"):
            try:
                value = module.right_inverse(value)
            except NotImplementedError:
                if not lenient:
                    raise
        elif not lenient:
            raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
    return value


def _check_kept(aspect, before, after, before_name, after_name, flag):
    """ValueError if a parametrisation changes the dtype or the shape."""
    if before != after:
        raise ValueError(
            f"Registering a parametrization may not change the {aspect} of the tensor, unless {flag} flag is enabled.\n"
            f"{before_name}: {before}\n{after_name}: {after}"
        )


class ParametrizationList(ModuleList):
    """The modules that compute one tensor, first to last, and what they compute it from.

    Args:
        modules: at least one; the first may take several tensors, if its ``right_inverse`` returns several.
        original: the parameter or buffer; becomes ``original``, or ``original0``, ``original1``, ... for several.
        unsafe: allow the result to have another shape or dtype.
    """

    def __init__(self, modules, original, unsafe=False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new = _back(self, original, lenient=True)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._take_one(original, new)
        else:
            self._take_several(original, new)
        if not self.unsafe:
            result = self()
            if not isinstance(result, Tensor):
                raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
            for aspect, before, after in (("dtype", dtype, result.dtype), ("shape", shape, result.shape)):
                _check_kept(aspect, before, after, f"unparametrized {aspect}", f"parametrized {aspect}", "`unsafe`")

    def _take_one(self, original, new):
        for aspect in ("dtype", "device"):
            before, after = getattr(original, aspect), getattr(new, aspect)
            if before != after:
                raise ValueError(
                    f"When `right_inverse` outputs one tensor, it may not change the {aspect}.\n"
                    f"original.{aspect}: {before}\nright_inverse(original).{aspect}: {after}"
                )
        # the same object, so that an optimiser that has it keeps it
        with no_grad():
            original.set_(new)
        _register(self, "original", original)

    def _take_several(self, original, new):
        for number, each in enumerate(new):
            if not isinstance(each, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {number} of the sequence with type {type(each).__name__}."
                )
            if isinstance(original, Parameter):
                each = Parameter(each, original.requires_grad)
            each.requires_grad_(original.requires_grad)
            _register(self, f"original{number}", each)

    def right_inverse(self, value):
        """Set the originals so that the result is ``value``, by the ``right_inverse`` of each module, last to first.

        RuntimeError if a module has none; ValueError if they return another number of tensors, or other dtypes, than the originals.
        """
        with no_grad():
            value = _back(self, value)
            if self.is_tensor:
                self._set_one(value)
            else:
                self._set_several(value)

    def _set_one(self, value):
        if not isinstance(value, Tensor):
            raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
        if value.dtype != self.original.dtype:
            raise ValueError(
                f"The tensor returned by `right_inverse` has dtype {value.dtype} while `original` has dtype {self.original.dtype}"
            )
        self.original.set_(value)

    def _set_several(self, values):
        if not isinstance(values, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(values).__name__}.")
        if len(values) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of length "
                f"{len(values)}."
            )
        for number, value in enumerate(values):
            original = getattr(self, f"original{number}")
            if not isinstance(value, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors or reference-type opaques. Got element "
                    f"{number} of type {type(value).__name__}."
                )
            if original.dtype != value.dtype:
                raise ValueError(
                    f"Tensor {number} returned by `right_inverse` has dtype {value.dtype} while `original{number}` has dtype "
                    f"{original.dtype}"
                )
            original.set_(value)

    def forward(self):
        """The tensor computed from the originals."""
        if self.is_tensor:
            result = self[0](self.original)
        else:
            result = self[0](*(getattr(self, f"original{number}") for number in range(self.ntensors)))
        # modules under other names than numbers are no part of the chain
        number = 1
        while hasattr(self, str(number)):
            result = self[number](result)
            number += 1
        return result


# The module's own class -----------------------------------------------------------------------------------------------


def _deepcopy(self, memo):
    known = memo.get(id(self))
    if known is not None:
        return known
    made = self.__new__(self.__class__)
    memo[id(self)] = made
    made.__dict__ = copy.deepcopy(self.__dict__, memo)
    for slot in copyreg._slotnames(self.__class__):
        if hasattr(self, slot):
            setattr(made, slot, copy.deepcopy(getattr(self, slot), memo))
    return made


def _getstate(self):
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _give_own_class(module):
    cls = type(module)
    # a class that only this module has cannot be found by a pickle; copies do without
    members = {"__getstate__": _getstate}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _give_property(module, name):
    if hasattr(module, name):
        raise AssertionError(f"Module already has an attribute named '{name}'")

    def get(self):
        chain = self.parametrizations[name]
        if not _cache_enabled:
            return chain()
        # by identity of the module: a copy shares the class but not the values
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = chain()
        return _cache[key]

    def put(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, put))


# What users call ------------------------------------------------------------------------------------------------------


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Compute a parameter or buffer of a module by another module from now on; returns the module.

    Args:
        tensor_name: which; if it is parametrised already, the new one works on the result of those before.
        parametrization: its ``forward`` computes the tensor from the original one. If it has ``right_inverse``, this computes the
            original from a value, now and whenever ``module.tensor_name`` is assigned to; it may return several tensors, which
            ``forward`` then takes.
        unsafe: do not check that shape and dtype stay as they are.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        chain = module.parametrizations[tensor_name]
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        # everything that may fail comes before the module is touched
        chain = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_own_class(module)
            module.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'"
        )
    return module


def _check_next(module, name, parametrization):
    """ValueError unless a further parametrisation and its right inverse keep shape and dtype."""
    before = getattr(module, name)
    after = parametrization(before)
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    for aspect in ("dtype", "shape"):
        values = getattr(before, aspect), getattr(after, aspect)
        where = f"module.{name}"
        _check_kept(aspect, *values, f"{where}.{aspect}", f"parametrization({where}).{aspect}", "the `unsafe`")
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    for aspect in ("dtype", "shape"):
        if getattr(back, aspect) != getattr(before, aspect):
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {aspect} as module.{name}, unless the "
                f"`unsafe` flag is enabled.\nmodule.{name}.{aspect}: {getattr(before, aspect)}\n"
                f"returned {aspect}: {getattr(back, aspect)}"
            )


def is_parametrized(module, tensor_name=None):
    """Whether a module has parametrisations: of the tensor named, or any."""
    known = getattr(module, "parametrizations", None)
    if not isinstance(known, ModuleDict):
        return False
    return len(known) > 0 if tensor_name is None else tensor_name in known


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Make a tensor an ordinary parameter or buffer again; returns the module.

    Args:
        leave_parametrized: with the value it has; else with that of the original (ValueError if there are several).
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    if chain.is_tensor:
        original = chain.original
        if leave_parametrized:
            # the same object, so that an optimiser that has it keeps it
            with no_grad():
                original.set_(getattr(module, tensor_name))
    elif leave_parametrized:
        # recorded, to know whether any of the originals requires a gradient
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of "
            "tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class a module had before it was parametrised."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Give ``to_module`` the parametrisations of another module, of one tensor or of all, with their originals; returns it."""
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        theirs = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for each in theirs:
            register_parametrization(to_module, name, each)
        ours = to_module.parametrizations[name]
        if hasattr(theirs, "original"):
            ours.original = theirs.original
        for number in range(0 if hasattr(theirs, "original") else theirs.ntensors):
            setattr(ours, f"original{number}", getattr(theirs, f"original{number}"))
    return to_module
