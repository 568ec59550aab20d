"""PyTorch's older lists of module tests (`torch.testing._internal.common_nn`) as entries for the same harness.

They have settings the module database does not: paddings by name, depth-wise convolutions, losses without reduction on scalars,
and functions of `torch.nn.functional` wrapped as modules.
"""

import torch
from torch.testing._internal import common_nn
from torch.testing._internal.common_modules import FunctionInput, ModuleInput

from tests.parity.modules_harness import DTYPES, Entry


class Older:
    """One description of a test, with what the harness asks of a `ModuleInfo`."""

    module_error_inputs_func = None
    train_and_eval_differ = False

    def __init__(self, description, name):
        self.description = description
        self.name = name

    def supported_dtypes(self, device):
        return DTYPES

    def module_inputs_func(self, info, device, dtype, requires_grad, training):
        torch.set_default_dtype(torch.double)
        try:
            args = self._given("input")
            target = self._given("target") if "criterion" in self.description else ()
        finally:
            torch.set_default_dtype(torch.float32)
        args = [_of(value, dtype, requires_grad=True) for value in args]
        args += [_of(value, dtype, requires_grad=False) for value in target]
        return [ModuleInput(FunctionInput(), FunctionInput(*args), desc=self.name)]

    def _given(self, what):
        """The tensors of a description: those of a function, those given, or random ones of the sizes given."""
        d = self.description
        if what + "_fn" in d:
            value = d[what + "_fn"]()
        elif what in d:
            value = d[what]
        else:
            sizes = d[what + "_size"]
            several = bool(sizes) and isinstance(sizes[0], tuple)
            value = tuple(torch.randn(size) for size in sizes) if several else torch.randn(sizes)
        return value if isinstance(value, tuple) else (value,)


class OlderEntry(Entry):
    """Builds the module that a description names, or makes by a function."""

    def _build(self, library, carrier, sample, dtype, training):
        library.manual_seed(7)
        d = self.info.description
        if "constructor" not in d:
            cls = getattr(library.nn, d["module_name"])
            module = cls(*carrier.value(tuple(d.get("constructor_args", ()))))
        elif isinstance(d["constructor"], type):
            module = _wrapped(library, carrier, d["constructor"])
        else:
            module = carrier.value(d["constructor"])()
        return module.to(getattr(library, str(dtype).partition(".")[2])).train(training)

    def _compare_copies(self, where, ours, sample):
        if not isinstance(self.info.description.get("constructor"), type):
            super()._compare_copies(where, ours, sample)


def _wrapped(library, carrier, cls):
    """A module of the library that calls the function which `common_nn.wrap_functional` made `cls` of."""
    forward = cls.forward
    cells = dict(zip(forward.__code__.co_freevars, (cell.cell_contents for cell in forward.__closure__)))
    function, options = carrier.value(cells["fn"]), carrier.value(dict(cells["kwargs"]))
    module = library.nn.Module()
    module.forward = lambda *args: function(*args, **options)
    return module


def _of(value, dtype, requires_grad):
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return value
    return value.detach().to(dtype).requires_grad_(requires_grad)


def entries():
    """{name: entry} of all lists."""
    torch.manual_seed(0)
    criteria = [dict(d, criterion=True) for d in common_nn.criterion_tests]
    made = {}
    for d in (*common_nn.module_tests, *common_nn.get_new_module_tests(), *criteria):
        name = d.get("fullname") or f"{d['module_name']}_{d.get('desc', '')}"
        if name in made:
            name += f"_{len(made)}"
        made[name] = Older(d, name)
    return made
