"""One entry of PyTorch's module database, in both libraries: what is asked of it, and what disagrees.

An entry is a module class with the inputs the database makes for it. Each input is run in float64 and float32 (where the
entry supports them), in training and in evaluation mode where these differ: the module is built after the same seed, called
with equal arguments, and differentiated with equal cotangents.
"""

import copy
import importlib
import io
import pickle
import random
import warnings

import numpy as np
import torch

import rushlight
from tests.parity.harness import compare
from tests.parity.harness.names import Translator

#: what is asked of an entry
ASPECTS = ("build", "parameters", "text", "forward", "nodes", "gradients", "state", "copies", "errors")
DTYPES = (torch.float64, torch.float32)


class Carrier(Translator):
    """Copies tensors and modules of PyTorch to the target library (which may be PyTorch: the harness tests itself so)."""

    def value(self, value):
        if isinstance(value, torch.nn.Module):
            return self.module(value)
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, torch.nn.utils.rnn.PackedSequence):
            kind = self.target.nn.utils.rnn.PackedSequence
            return kind(*(None if part is None else self.tensor(part) for part in value))
        if type(value).__name__ == "LinearCrossEntropyOptions":
            fields = {name: self.value(getattr(value, name)) for name in value.__dataclass_fields__}
            return self.target.nn.LinearCrossEntropyOptions(**fields)
        return super().value(value)

    def tensor(self, tensor):
        """A tensor of the target with the same elements, strides and wish for gradients."""
        plain = tensor.detach().clone(memory_format=torch.preserve_format)
        made = self.target.from_numpy(plain.numpy()) if self.target is not torch else plain
        made.requires_grad_(tensor.requires_grad)
        if isinstance(tensor, torch.nn.Parameter):
            made = self.target.nn.Parameter(made.detach(), tensor.requires_grad)
        return made

    def module(self, module):
        """A module of the target with the same settings and parameters: one that an input passes as an argument."""
        path = type(module).__module__.replace("torch", self.target.__name__, 1)
        cls = getattr(importlib.import_module(path), type(module).__name__)
        made = cls.__new__(cls)
        self.target.nn.Module.__init__(made)
        for name, value in vars(module).items():
            if name not in ("_parameters", "_buffers", "_modules"):
                vars(made)[name] = copy.copy(value) if name.startswith("_") else self.value(value)
        for name, value in module._parameters.items():
            made.register_parameter(name, None if value is None else self.value(value))
        for name, value in module._buffers.items():
            made.register_buffer(name, None if value is None else self.value(value))
        for name, value in module._modules.items():
            made.add_module(name, None if value is None else self.value(value))
        return made


class Entry:
    """Runs everything of one `ModuleInfo`; `notes` has the first disagreements of each aspect."""

    def __init__(self, info, target=rushlight):
        self.info = info
        self.target = target
        self.carrier = Carrier(target)
        self.theirs_carrier = Carrier(torch)
        self.notes = {}
        self.runs = 0

    def note(self, aspect, where, text):
        found = self.notes.setdefault(aspect, [])
        if len(found) < 3:
            found.append(f"{where}: {text}"[:600])

    def run(self):
        supported = set(self.info.supported_dtypes("cpu"))
        for dtype in DTYPES:
            if dtype in supported:
                for training in (True, False) if self.info.train_and_eval_differ else (True,):
                    for number, sample in enumerate(self._samples(dtype, training)):
                        where = f"{dtype} {'train' if training else 'eval'} #{number} {sample.desc}"
                        self._run_one(sample, dtype, training, where, once=dtype is torch.float64)
        if self.info.module_error_inputs_func is not None:
            for number, error in enumerate(self._seeded(self.info.module_error_inputs_func, torch.float64, True)):
                self._run_error(error, f"error #{number}")
        return self

    def _samples(self, dtype, training):
        return self._seeded(self.info.module_inputs_func, dtype, training)

    def _seeded(self, make, dtype, training):
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        return list(make(self.info, "cpu", dtype, True, training))

    # ------------------------------------------------------------------------------------------------------ one run

    def _build(self, library, carrier, sample, dtype, training):
        args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
        library.manual_seed(7)
        cls = getattr(library.nn, self.info.module_cls.__name__)
        module = cls(*carrier.value(tuple(args)), **carrier.value(dict(kwargs)))
        module.to(getattr(library, str(dtype).partition(".")[2]))
        return module.train(training)

    def _run_one(self, sample, dtype, training, where, once):
        self.runs += 1
        try:
            theirs, expected = _listening(lambda: self._build(torch, self.theirs_carrier, sample, dtype, training))
            ours, texts = _listening(lambda: self._build(self.target, self.carrier, sample, dtype, training))
        except Exception as error:
            self.note("build", where, f"{type(error).__name__}: {error}")
            return
        if texts != expected:
            self.note("build", where, f"warns {texts} instead of {expected}")
        self._compare_states("parameters", where, ours, theirs, exact=True)
        if once and repr(ours) != repr(theirs):
            self.note("text", where, f"{ours!r} instead of {theirs!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = self._call(torch, self.theirs_carrier, theirs, sample)
            actual = self._call(self.target, self.carrier, ours, sample)
        if isinstance(actual[0], Exception) or isinstance(expected[0], Exception):
            if type(actual[0]) is not type(expected[0]) or str(actual[0]) != str(expected[0]):
                self.note("forward", where, f"{actual[0]!r} instead of {expected[0]!r}")
            return

        def exact():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = self._build(torch, self.theirs_carrier, sample, dtype, training).double()
                return self._call(torch, self.theirs_carrier, module, sample, double=True)

        self._compare_calls(where, actual, expected, exact)
        self._compare_states("state", where, ours, theirs, exact=False)
        if once:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._compare_copies(where, ours, sample)

    def _call(self, library, carrier, module, sample, double=False):
        """(result or error, its tensors, gradients of the tensors given, gradients of parameters by name)."""
        library.manual_seed(11)
        args = carrier.value(tuple(sample.forward_input.args))
        kwargs = carrier.value(dict(sample.forward_input.kwargs))
        if double:
            args, kwargs = _to_double(args), _to_double(kwargs)
        given = [t for t in compare.flatten((args, kwargs)) if t.requires_grad]
        try:
            result = module(*args, **kwargs)
        except Exception as error:
            return error, [], [], {}
        tensors = [t for t in compare.flatten(result) if compare.is_tensor(t)]
        wanted = [t for t in tensors if t.requires_grad]
        if wanted:
            rng = np.random.default_rng(3)
            cotangents = []
            for tensor in wanted:
                drawn = library.from_numpy(np.asarray(rng.standard_normal(tuple(tensor.shape))))
                cotangents.append(drawn.to(tensor.dtype))
            library.autograd.backward(wanted, cotangents)
        return result, tensors, [t.grad for t in given], {name: p.grad for name, p in module.named_parameters()}

    # -------------------------------------------------------------------------------------------------- comparisons

    def _compare_states(self, aspect, where, ours, theirs, exact):
        mine, expected = ours.state_dict(), theirs.state_dict()
        if list(mine) != list(expected):
            self.note(aspect, where, f"keys {list(mine)} instead of {list(expected)}")
            return
        if dict(mine._metadata) != dict(expected._metadata):
            self.note(aspect, where, f"metadata {dict(mine._metadata)} instead of {dict(expected._metadata)}")
        for key in expected:
            if _shapeless(mine[key]) or _shapeless(expected[key]):
                if type(mine[key]).__name__ != type(expected[key]).__name__:
                    self.note(aspect, where, f"{key}: {type(mine[key])} instead of {type(expected[key])}")
                continue
            a, b = compare.to_numpy(mine[key]), compare.to_numpy(expected[key])
            name = compare.dtype_name(expected[key])
            if compare.dtype_name(mine[key]) != name:
                self.note(aspect, where, f"{key}: dtype {mine[key].dtype} instead of {expected[key].dtype}")
            elif (a.tobytes() != b.tobytes() or a.shape != b.shape) if exact else compare.close(a, b, name):
                self.note(aspect, where, f"{key}: {compare.close(a, b, name) or 'the last digits differ'}")
        if set(vars(ours)) != set(vars(theirs)):
            self.note(aspect, where, f"attributes {sorted(set(vars(ours)) ^ set(vars(theirs)))}")
        names = [n for n, _ in ours.named_parameters()], [n for n, _ in theirs.named_parameters()]
        if names[0] != names[1]:
            self.note(aspect, where, f"parameters {names[0]} instead of {names[1]}")

    def _compare_calls(self, where, actual, expected, exact):
        if compare.structure(actual[0]) != compare.structure(expected[0]):
            self.note("forward", where, f"{compare.structure(actual[0])} instead of {compare.structure(expected[0])}")
            return
        lazily = []

        def reference():
            if not lazily:
                lazily.append(exact())
            return lazily[0]

        for place, (a, b) in enumerate(zip(actual[1], expected[1])):
            self._compare("forward", f"{where} result {place}", a, b, lambda place=place: reference()[1][place])
            if a.requires_grad != b.requires_grad:
                self.note("forward", where, f"requires_grad {a.requires_grad} instead of {b.requires_grad}")
            ours, theirs = _node(a), _node(b)
            if ours != theirs:
                self.note("nodes", where, f"grad_fn {ours} instead of {theirs}")
        for place, (a, b) in enumerate(zip(actual[2], expected[2])):
            self._compare("gradients", f"{where} input {place}", a, b, lambda place=place: reference()[2][place])
        for name in expected[3]:
            self._compare(
                "gradients",
                f"{where} {name}",
                actual[3].get(name),
                expected[3][name],
                lambda name=name: reference()[3][name],
            )

    def _compare(self, aspect, where, a, b, exact):
        if (a is None) != (b is None):
            self.note(aspect, where, f"{'nothing' if a is None else 'a tensor'} instead of the other")
        if a is None or b is None:
            return
        name = compare.dtype_name(b)
        if compare.dtype_name(a) != name:
            self.note(aspect, where, f"dtype {a.dtype} instead of {b.dtype}")
            return
        mine, expected = compare.to_numpy(a), compare.to_numpy(b)
        wrong = compare.close(mine, expected, name)
        if wrong and name == "float32":
            reference = exact()
            if reference is not None and _as_exact(mine, expected, compare.to_numpy(reference)):
                return
        if wrong:
            self.note(aspect, where, wrong)

    def _compare_copies(self, where, ours, sample):
        """A deep copy and a pickled copy have the same state, settings and result, and no memory in common."""
        copies = {"deepcopy": copy.deepcopy(ours), "pickle": pickle.load(io.BytesIO(pickle.dumps(ours)))}
        expected = self._call(self.target, self.carrier, ours.eval(), sample)
        for kind, twin in copies.items():
            if type(twin) is not type(ours) or repr(twin) != repr(ours) or set(vars(twin)) != set(vars(ours)):
                self.note("copies", where, f"{kind}: {twin!r}, {sorted(set(vars(twin)) ^ set(vars(ours)))}")
                continue
            actual = self._call(self.target, self.carrier, twin.eval(), sample)
            if isinstance(actual[0], Exception) or isinstance(expected[0], Exception):
                if repr(actual[0]) != repr(expected[0]):
                    self.note("copies", where, f"{kind}: {actual[0]!r}")
                continue
            for a, b in zip(actual[1], expected[1]):
                if compare.to_numpy(a).tobytes() != compare.to_numpy(b).tobytes():
                    self.note("copies", where, f"{kind}: another result")
            for (name, a), b in zip(twin.named_parameters(), ours.parameters()):
                if a is b or (a.numel() and a.data_ptr() == b.data_ptr()):
                    self.note("copies", where, f"{kind}: {name} shares memory")

    # ------------------------------------------------------------------------------------------------------- errors

    def _run_error(self, error, where):
        sample = error.module_error_input
        found = []
        for library, carrier in ((torch, self.theirs_carrier), (self.target, self.carrier)):
            try:
                args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
                cls = getattr(library.nn, self.info.module_cls.__name__)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    module = cls(*carrier.value(tuple(args)), **carrier.value(dict(kwargs)))
                    if sample.forward_input is not None:
                        module.to(library.float64)
                        forward = sample.forward_input
                        module(*carrier.value(tuple(forward.args)), **carrier.value(dict(forward.kwargs)))
            except Exception as raised:
                found.append((type(raised).__name__, str(raised)))
            else:
                found.append(("no error", ""))
        if found[0] != found[1]:
            self.note("errors", where, f"{found[1]} instead of {found[0]}")


def _as_exact(mine, expected, exact):
    """Whether single precision has cost us no more than twice what it has cost PyTorch.

    A module is many roundings; where they add up to more than the tolerance of one operation, which library is the luckier in the
    last digit of one sample says nothing.
    """
    if compare.no_worse(mine, expected, exact):
        return True
    if not (np.isfinite(mine).all() and np.isfinite(expected).all()):
        return False
    return bool(np.abs(mine - exact).max() <= 2 * np.abs(expected - exact).max())


def _listening(function):
    """(result, the warnings on the way)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, [(each.category.__name__, str(each.message)) for each in caught]


def _shapeless(value):
    """Whether a parameter or buffer waits for the first input."""
    return type(value).__name__.startswith("Uninitialized")


def _node(tensor):
    return None if tensor.grad_fn is None else type(tensor.grad_fn).__name__


def _to_double(value):
    if isinstance(value, torch.Tensor):
        return value.detach().double().requires_grad_(value.requires_grad) if value.is_floating_point() else value
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return value.to(torch.float64)
    if isinstance(value, tuple):
        return tuple(_to_double(v) for v in value)
    if isinstance(value, list):
        return [_to_double(v) for v in value]
    if isinstance(value, dict):
        return {k: _to_double(v) for k, v in value.items()}
    return value
