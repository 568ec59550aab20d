"""The columns: what is done with an entry on both libraries, and what is compared.

Every check builds fresh arguments from the same recipe for PyTorch and for the library under test, makes the same call
on both, and counts in one or more columns. A call that raises on both sides agrees when the exceptions do; one that
raises on ours alone is `absent` when it says that something is not there (NotImplementedError, a missing name), and
disagrees otherwise.
"""

import contextlib
import signal
import threading
import time
import traceback
import warnings

import numpy as np
import torch

from . import scope
from .compare import (
    Outcome,
    close,
    dtype_name,
    flatten,
    is_tensor,
    no_worse,
    python_values,
    structure,
    to_numpy,
)
from .gauge import determined
from .names import Absent, Translator
from .report import Row
from .samples import error_recipes, recipes

DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool, torch.complex128)

# How many samples an entry gives each check, for each dtype. Values take them all.
MOST_SAMPLES = {"method": 4, "aliases": 3, "grad": 40, "gradgrad": 8, "forward": 12, "inplace": 8, "out": 4}
# Samples with more elements than this are not differentiated twice.
MOST_ELEMENTS_TWICE = 5000

# Results that hold whatever was in memory: only shape and dtype can be compared.
UNINITIALISED = {
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "resize_as_",
}

# Operators that fill strided memory in another order, and so with other random numbers, than contiguous memory.
RANDOM_FILLS = {"normal", "randn", "bernoulli", "multinomial"}

# Cases of `out` in which PyTorch itself writes out of bounds, so that nothing can be compared.
CRASHES_PYTORCH = {("lu_unpack", "strided"), ("tril", "strided"), ("triu", "strided"), ("linalg.lu", "strided")}


class TooSlow(Exception):
    """The entry used up its time."""


@contextlib.contextmanager
def time_limit(seconds):
    """Raise `TooSlow` after `seconds`, where signals can do that (the main thread)."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum, frame):
        raise TooSlow(f"took more than {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def attempt(function, *args, **kwargs):
    """The `Outcome` of a call."""
    try:
        return Outcome(value=function(*args, **kwargs))
    except TooSlow:
        raise
    except Exception as error:
        return Outcome(error=error)


def told(error):
    """An exception in one line, with the place it was raised."""
    text = str(error).strip().split("\n")[0][:160]
    frames = traceback.extract_tb(error.__traceback__)
    inner = [f for f in frames if "/harness/" not in f.filename]
    place = f" ({'/'.join(inner[-1].filename.split('/')[-2:])}:{inner[-1].lineno})" if inner else ""
    return f"{type(error).__name__}: {text}{place}"


def is_absence(error):
    """Whether an exception says that something is not there (yet)."""
    if isinstance(error, (Absent, NotImplementedError)):
        return True
    return isinstance(error, AttributeError) and ("does not have" in str(error) or "has no attribute" in str(error))


def same_error(ours, theirs, text=True):
    """None when two exceptions have one type and text, else a sentence."""
    if type(ours).__name__ != type(theirs).__name__ and type(ours) is not type(theirs):
        return f"{told(ours)} instead of {type(theirs).__name__}: {str(theirs)[:160]!r}"
    if text and str(ours) != str(theirs):
        at = next((i for i, (a, b) in enumerate(zip(str(ours), str(theirs), strict=False)) if a != b), None)
        if at is None:
            at = min(len(str(ours)), len(str(theirs)))
        start = max(0, at - 40) if at > 60 else 0
        return f"text {str(ours)[start : start + 160]!r} instead of {str(theirs)[start : start + 160]!r}"
    return None


class Checker:
    """Runs the checks of database entries against `target`, a module with PyTorch's names."""

    def __init__(self, target):
        self.target = target
        self.ours = Translator(target)
        self.theirs = Translator(torch)
        self.has_forward = hasattr(getattr(target, "autograd", None), "forward_ad")

    def run(self, op, limit=60.0):
        """The `Row` of one entry."""
        row = Row(scope.entry_id(op), scope.family(op))
        start = time.perf_counter()
        checks = (self.check_values, self.check_inplace, self.check_out, self.check_errors)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self.op = op
            self.row = row
            self.random_state = np.random.RandomState(0)
            try:
                self.function = self.ours.operator(op)
            except Absent as name:
                self.function = None
                for column in _asked(op):
                    row.missing(column, f"{name} is not there")
                return row
            try:
                with time_limit(limit):
                    for check in checks:
                        try:
                            check()
                        except TooSlow:
                            raise
                        except Exception as error:  # a result so unlike a tensor that it cannot be compared
                            row.bad("value", f"could not be compared: {told(error)}")
            except TooSlow as error:
                row.bad("value", f"stopped: {error}")
        row.seconds = time.perf_counter() - start
        return row

    # --- calling ------------------------------------------------------------------------------------------------------

    def both(self, recipe, ours, theirs, requires_grad=True, extra=None, own_input=False):
        """The outcomes of one call on both sides, and the tensors each was given.

        `own_input` makes a contiguous input a tensor that owns its memory: some in-place operators want to grow it.
        """
        outcomes = []
        for translator, function in ((self.ours, ours), (self.theirs, theirs)):
            try:
                args, kwargs, tensors = recipe.build(translator, requires_grad)
                if extra:
                    kwargs = kwargs | extra(translator)
                if own_input and is_tensor(args[0]) and args[0].is_contiguous():
                    args = (args[0].clone(), *args[1:])
            except Absent as name:  # an argument (a dtype, a layout) that is not there
                outcomes.append((Outcome(error=name), [], ()))
                continue
            _seed(translator.target)
            outcomes.append((attempt(function, *args, **kwargs), tensors, args))
        return outcomes

    def unlike(self, column, ours, theirs, where, text=True):
        """Count a pair of outcomes of which at least one raised; True when there is nothing more to compare."""
        if theirs.error is not None:
            if ours.error is None:
                self.row.bad(
                    column, f"{where}: no error, PyTorch says {type(theirs.error).__name__}: {str(theirs.error)[:120]}"
                )
            elif is_absence(ours.error) and not isinstance(theirs.error, type(ours.error)):
                self.row.missing(column, f"{where}: {told(ours.error)}")
            else:
                self.row.judge(column, same_error(ours.error, theirs.error, text), where)
            return True
        if ours.error is not None:
            count = self.row.missing if is_absence(ours.error) else self.row.bad
            count(column, f"{where}: {told(ours.error)}")
            return True
        return False

    # --- values -------------------------------------------------------------------------------------------------------

    def check_values(self):
        op = self.op
        backward = op.supported_backward_dtypes("cpu") if op.supports_autograd else set()
        for dtype in DTYPES:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            grads = dtype in backward
            made = recipes(op, dtype, grads)
            for number, recipe in enumerate(made):
                where = f"{str(dtype)[6:]} #{number} ({recipe!r})"
                (ours, our_tensors, _), (theirs, tensors, _) = self.both(recipe, self.function, op.op)
                if self.unlike("value", ours, theirs, where):
                    continue
                self.compare_results(ours.value, theirs.value, recipe, where)
                self.compare_memory(ours.value, our_tensors, theirs.value, tensors, where)
            self.check_variants(made, dtype)
            if grads:
                self.check_grads(made, dtype)
                if op.supports_forward_ad:
                    self.check_forward(made, dtype)

    def compare_results(self, ours, theirs, recipe, where, column=None, computed=None):
        """Count structure, dtype, shape, requires_grad and values; with `column`, all in that one.

        `computed` are the dtypes the values were computed in, where that is not the dtype of the results.
        """
        judge = self.row.judge
        if structure(ours) != structure(theirs):
            judge(column or "value", f"{structure(ours)[:150]} instead of {structure(theirs)[:150]}", where)
            return
        sentence = python_values(ours, theirs)
        mine, yours = flatten(ours), flatten(theirs)
        dtypes = [dtype_name(t) for t in mine], [dtype_name(t) for t in yours]
        shapes = [tuple(t.shape) for t in mine], [tuple(t.shape) for t in yours]
        flags = [t.requires_grad for t in mine], [t.requires_grad for t in yours]
        parts = {}
        for name, (a, b) in (("dtype", dtypes), ("shape", shapes), ("requires_grad", flags)):
            parts[name] = None if a == b else f"{name} {a} instead of {b}"
        if shapes[0] == shapes[1] and self.op.name not in UNINITIALISED:
            parts["value"] = sentence or self.values_differ(mine, yours, computed or dtypes[1], recipe)
        else:
            parts["value"] = sentence
        if column:
            sentences = [s for s in parts.values() if s]
            judge(column, "; ".join(sentences) or None, where)
            return
        for name, sentence in parts.items():
            if name == "value" or yours:
                judge(name, sentence, where)
        if yours and flags[0] == flags[1]:
            names = [[type(t.grad_fn).__name__ if t.grad_fn is not None else None for t in ts] for ts in (mine, yours)]
            if any(names[1]):
                names = [[_node_name(t) for t in ts] for ts in (mine, yours)]
                judge("grad_fn", None if names[0] == names[1] else f"{names[0]} instead of {names[1]}", where)

    def values_differ(self, mine, yours, dtypes, recipe):
        """A sentence for the first tensor whose values differ, or None."""
        ours, theirs = [to_numpy(t) for t in mine], [to_numpy(t) for t in yours]
        sentences = [close(a, b, d) for a, b, d in zip(ours, theirs, dtypes, strict=True)]
        if not any(sentences):
            return None
        given = _given(recipe, self.theirs)
        settled = [determined(self.op.name, arrays, recipe.kwargs, given) for arrays in (ours, theirs)]
        if settled[0] is not None and len(settled[0]) == len(settled[1]):
            ours, theirs = settled
            dtypes = [str(a.dtype) for a in theirs]
            sentences = [close(a, b, d) for a, b, d in zip(ours, theirs, dtypes, strict=True)]
        if any(d in ("float32", "complex64") for d in dtypes) and any(sentences):
            args, kwargs, _ = recipe.build(self.theirs, False, double=True)
            _seed(torch)
            exact = attempt(self.op.op, *args, **kwargs)
            if exact.error is None:
                arrays = [to_numpy(t) for t in flatten(exact.value)]
                if settled[0] is not None:
                    arrays = determined(self.op.name, arrays, recipe.kwargs, given)
                # in-place and out= forms give the result and what it was written into
                arrays = list(arrays) * (len(theirs) // len(arrays) if arrays else 1)
                if len(arrays) == len(theirs):
                    sentences = [
                        None if s and d in ("float32", "complex64") and no_worse(a, t, x) else s
                        for s, d, a, t, x in zip(sentences, dtypes, ours, theirs, arrays, strict=True)
                    ]
        return next((s for s in sentences if s), None)

    def compare_memory(self, ours, our_tensors, theirs, tensors, where):
        """Told, not counted: results share memory with inputs exactly where PyTorch's do."""
        mine, yours = flatten(ours), flatten(theirs)
        if not yours or not tensors or len(mine) != len(yours):
            return
        shared = [
            [t.numel() > 0 and any(_overlap(t, i) for i in inputs) for t in results]
            for results, inputs in ((mine, our_tensors), (yours, tensors))
        ]
        sentence = None if shared[0] == shared[1] else f"shares memory {shared[0]} instead of {shared[1]}"
        self.row.judge("memory", sentence, where)

    # --- method, operator and alias forms -----------------------------------------------------------------------------

    def check_variants(self, made, dtype):
        op = self.op
        for variant in (op.method_variant, op.operator_variant):
            if variant is not None and variant is not op.op:
                self.check_variant("method", variant, variant, made, dtype)
        for alias in op.aliases:
            path = alias.name.removeprefix("torch.")
            self.check_variant("aliases", alias.op, path, made, dtype)
            if alias.method_variant is not None:
                self.check_variant("aliases", alias.method_variant, f"Tensor.{path}", made, dtype)

    def check_variant(self, column, theirs, ours, made, dtype):
        from .names import look_up

        try:
            ours = look_up(self.target, ours) if isinstance(ours, str) else self.ours.value(ours)
        except Absent as name:
            self.row.missing(column, f"{name} is not there")
            return
        for number, recipe in enumerate(_spread(made, MOST_SAMPLES[column])):
            where = f"{str(dtype)[6:]} {getattr(theirs, '__name__', theirs)} #{number} ({recipe!r})"
            (mine, _, _), (yours, _, _) = self.both(recipe, ours, theirs)
            if not self.unlike(column, mine, yours, where):
                self.compare_results(mine.value, yours.value, recipe, where, column)

    # --- derivatives --------------------------------------------------------------------------------------------------

    def check_grads(self, made, dtype):
        for number, recipe in enumerate(_spread(made, MOST_SAMPLES["grad"])):
            where = f"{str(dtype)[6:]} #{number} ({recipe!r})"
            self.compare_grads("grad", recipe, self.function, self.op.op, where, False)
        if self.op.supports_gradgrad and dtype != torch.float32:
            small = [r for r in made if r.numel <= MOST_ELEMENTS_TWICE]
            for number, recipe in enumerate(_spread(small, MOST_SAMPLES["gradgrad"])):
                where = f"{str(dtype)[6:]} #{number} ({recipe!r})"
                self.compare_grads("gradgrad", recipe, self.function, self.op.op, where, True)

    def compare_grads(self, column, recipe, our_function, their_function, where, twice, prepare=None):
        """Gradients of all outputs for all inputs with the same random cotangents, once or twice."""
        seed = self.random_state.randint(2**31 - 1)

        def gradients(translator, function, keep=None, double=False):
            args, kwargs, tensors = recipe.build(translator, double=double)
            inputs = [t for t in tensors if t.requires_grad]
            if prepare:
                args = prepare(args)
            module = translator.target
            _seed(module)
            result = function(*args, **kwargs)
            process = recipe.process if module is torch else translator.value(recipe.process)
            outputs = flatten(process(result))
            keep = [i for i, t in enumerate(outputs) if t.requires_grad] if keep is None else keep
            outputs = [outputs[i] for i in keep]
            if not outputs or not inputs:
                return None, keep
            cotangents = _cotangents(outputs, module, seed, twice)
            first = module.autograd.grad(outputs, inputs, cotangents, create_graph=twice, allow_unused=True)
            if not twice:
                return first, keep
            again = [g for g in first if g is not None and g.requires_grad]
            if not again:
                return (), keep
            wanted = inputs + [c for c in cotangents if c.requires_grad]
            return module.autograd.grad(again, wanted, _cotangents(again, module, seed + 1), allow_unused=True), keep

        theirs = attempt(gradients, self.theirs, their_function)
        if theirs.error is not None or theirs.value[0] is None:
            return  # PyTorch has no answer to compare with
        expected, keep = theirs.value
        ours = attempt(gradients, self.ours, our_function, keep)
        if ours.error is not None:
            count = self.row.missing if is_absence(ours.error) else self.row.bad
            count(column, f"{where}: {told(ours.error)}")
            return
        actual = ours.value[0]
        if twice and () in (actual, expected):  # nothing left to differentiate: every second derivative is zero
            actual, expected = actual or (None,) * len(expected), expected or (None,) * len(actual)
        if actual is None or len(actual) != len(expected):
            self.row.bad(column, f"{where}: the result does not require grad")
            return
        sentence = _gradients_differ(actual, expected, none_is_zero=twice)
        if sentence and not twice and any(dtype_name(g) == "float32" for g in expected if g is not None):
            exact = attempt(gradients, self.theirs, their_function, keep, True)
            if exact.error is None and exact.value[0] is not None:
                sentence = _gradients_differ(actual, expected, exact.value[0])
        self.row.judge(column, sentence, where)

    def check_forward(self, made, dtype):
        if not self.has_forward:
            self.row.missing("forward", "autograd.forward_ad is not there")
            return
        if dtype == torch.float32:
            return
        for number, recipe in enumerate(_spread(made, MOST_SAMPLES["forward"])):
            where = f"{str(dtype)[6:]} #{number} ({recipe!r})"
            theirs = attempt(self.tangents, recipe, self.theirs, self.op.op)
            if theirs.error is not None or not theirs.value:
                continue
            ours = attempt(self.tangents, recipe, self.ours, self.function)
            if ours.error is not None:
                count = self.row.missing if is_absence(ours.error) else self.row.bad
                count("forward", f"{where}: {told(ours.error)}")
                continue
            sentence = f"{len(ours.value)} outputs instead of {len(theirs.value)}"
            if len(ours.value) == len(theirs.value):
                sentence = next(
                    (s for (a, _), (b, d) in zip(ours.value, theirs.value, strict=True) if (s := close(a, b, d))),
                    None,
                )
            self.row.judge("forward", sentence, where)

    def tangents(self, recipe, translator, function):
        """(tangent, dtype) of every differentiable output; a tangent that is not there counts as zeros."""
        module = translator.target
        forward = module.autograd.forward_ad
        args, kwargs, tensors = recipe.build(translator)
        random = np.random.RandomState(3)
        with forward.dual_level():
            duals = {}
            for tensor in tensors:
                if tensor.requires_grad:
                    tangent = module.from_numpy(_random_like(random, tuple(tensor.shape), dtype_name(tensor)))
                    duals[id(tensor)] = forward.make_dual(tensor.detach(), tangent)
            args, kwargs = _replace((args, kwargs), duals)
            _seed(module)
            result = function(*args, **kwargs)
            process = recipe.process if module is torch else translator.value(recipe.process)
            tangents = []
            for output in flatten(process(result)):
                if dtype_name(output) not in ("float64", "float32", "complex128", "complex64"):
                    continue
                dual = forward.unpack_dual(output)
                array = np.zeros(tuple(output.shape)) if dual.tangent is None else to_numpy(dual.tangent)
                tangents.append((array, dtype_name(output)))
        return tangents

    # --- in-place -----------------------------------------------------------------------------------------------------

    def check_inplace(self):
        op = self.op
        variants = []
        if op.inplace_variant is not None:
            variants.append(op.inplace_variant)
        if op.inplace_operator_variant is not None:
            variants.append(op.inplace_operator_variant)
        variants += [a.inplace_variant for a in op.aliases if a.inplace_variant is not None]
        if not variants:
            return
        backward = op.supported_backward_dtypes("cpu") if op.supports_autograd else set()
        for dtype in DTYPES:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            made = recipes(op, dtype, dtype in backward)
            for variant in variants:
                try:
                    ours = self.ours.value(variant)
                except Absent as name:
                    self.row.missing("inplace", f"{name} is not there")
                    continue
                for number, recipe in enumerate(_spread(made, MOST_SAMPLES["inplace"])):
                    label = getattr(variant, "__name__", "in-place")
                    where = f"{str(dtype)[6:]} {label} #{number} ({recipe!r})"
                    self.compare_inplace(recipe, ours, variant, where)
                    if dtype in backward and dtype != torch.float32 and not recipe.broadcasts_input:
                        self.compare_grads("inplace", recipe, ours, variant, f"{where} grad", False, _clone_first)

    def compare_inplace(self, recipe, our_function, their_function, where):
        (ours, _, our_args), (theirs, _, args) = self.both(
            recipe, our_function, their_function, requires_grad=False, own_input=True
        )
        if not args or not is_tensor(args[0]):
            return
        if self.unlike("inplace", ours, theirs, where):
            return
        if (ours.value is our_args[0]) != (theirs.value is args[0]):
            self.row.bad("inplace", f"{where}: does not return its input")
            return
        if args[0]._version and not our_args[0]._version:
            self.row.bad("inplace", f"{where}: the version of the input was not raised")
            return
        if self.op.name in UNINITIALISED:
            return
        self.compare_results((ours.value, our_args[0]), (theirs.value, args[0]), recipe, where, "inplace")

    # --- out= ---------------------------------------------------------------------------------------------------------

    def check_out(self):
        op = self.op
        if not op.supports_out:
            return
        for dtype in DTYPES:
            if dtype not in op.supported_dtypes("cpu"):
                continue
            made = recipes(op, dtype, False)
            for number, recipe in enumerate(_spread(made, MOST_SAMPLES["out"])):
                where = f"{str(dtype)[6:]} #{number} ({recipe!r})"
                args, kwargs, _ = recipe.build(self.theirs, False)
                _seed(torch)
                plain = attempt(op.op, *args, **kwargs)
                if plain.error is not None or not flatten(plain.value):
                    continue
                results = flatten(plain.value)
                single = is_tensor(plain.value)
                for kind in ("exact", "strided", "empty", "dtype", "grad"):
                    if (op.name, kind) in CRASHES_PYTORCH:
                        continue
                    self.compare_out(recipe, results, single, kind, f"{where} {kind}")

    def compare_out(self, recipe, results, single, kind, where):
        pictures = [_out_picture(t, kind) for t in results]
        if any(p is None for p in pictures):
            return
        given = {}

        def out(translator):
            tensors = [_out_tensor(translator, *p, kind) for p in pictures]
            given[translator] = tensors
            return {"out": tensors[0] if single else tuple(tensors)}

        (ours, _, _), (theirs, _, _) = self.both(recipe, self.function, self.op.op, False, out)
        if self.unlike("out", ours, theirs, where):
            return
        mine, yours = flatten(ours.value), flatten(theirs.value)
        same = [
            [a is b for a, b in zip(r, given[t], strict=False)] for r, t in ((mine, self.ours), (yours, self.theirs))
        ]
        if same[0] != same[1]:
            self.row.bad("out", f"{where}: does not return what it was given as out")
            return
        if self.op.name in UNINITIALISED:
            return
        if kind in ("exact", "strided", "empty") and self.op.name not in RANDOM_FILLS:
            written = [close(to_numpy(a), to_numpy(b), dtype_name(b)) for a, b in zip(yours, results, strict=True)]
            if any(written):  # PyTorch contradicts its own result (avg_pool3d into strided memory, ihfftn of a vector)
                return
        # a result that went into wider memory is no more exact than the dtype it was computed in
        computed = [dtype_name(t) for t in results] * 2
        computed = [c if c == "float32" else dtype_name(t) for c, t in zip(computed, [*yours, *yours], strict=True)]
        mine, yours = (ours.value, *given[self.ours]), (theirs.value, *given[self.theirs])
        self.compare_results(mine, yours, recipe, where, "out", computed)

    # --- errors -------------------------------------------------------------------------------------------------------

    def check_errors(self):
        import re

        if self.op.error_inputs_func is None:
            return
        for number, (recipe, _, pattern) in enumerate(error_recipes(self.op)):
            where = f"error #{number} ({recipe!r})"
            (ours, _, _), (theirs, _, _) = self.both(recipe, self.function, self.op.op)
            if theirs.error is None:
                continue  # an error on other devices only
            if ours.error is None:
                note = f"{where}: no error, PyTorch says {type(theirs.error).__name__}: {str(theirs.error)[:140]}"
                self.row.bad("errors", note)
                self.row.bad("error_texts", note)
                continue
            sentence = same_error(ours.error, theirs.error, text=False)
            if sentence is None and not re.search(pattern, str(ours.error)):
                sentence = f"text {str(ours.error)[:160]!r} instead of {str(theirs.error)[:160]!r}"
            self.row.judge("errors", sentence, where)
            self.row.judge("error_texts", same_error(ours.error, theirs.error), where)


# --- small parts --------------------------------------------------------------------------------------------------------


def _given(recipe, translator):
    """The positional arguments of a recipe, the first as an array where it is a tensor."""
    args, _, _ = recipe.build(translator, False)
    return (to_numpy(args[0]), *args[1:]) if is_tensor(args[0]) else args


def _asked(op):
    """The columns that would be asked of an entry whose operator is not there."""
    backward = op.supports_autograd and bool(op.supported_backward_dtypes("cpu"))
    asked = {
        **dict.fromkeys(("value", "dtype", "shape", "requires_grad"), True),
        "method": op.method_variant is not None or op.operator_variant is not None,
        "aliases": bool(op.aliases),
        "grad": backward,
        "gradgrad": backward and op.supports_gradgrad,
        "forward": backward and op.supports_forward_ad,
        "inplace": op.inplace_variant is not None or op.inplace_operator_variant is not None,
        "out": op.supports_out,
        "errors": op.error_inputs_func is not None,
        "error_texts": op.error_inputs_func is not None,
    }
    return [column for column, wanted in asked.items() if wanted]


def _seed(module):
    if hasattr(module, "manual_seed"):
        module.manual_seed(7)


def _spread(made, most):
    """At most `most` of the samples, evenly spread over them, the first and the last among them."""
    if len(made) <= most:
        return made
    return [made[round(i * (len(made) - 1) / (most - 1))] for i in range(most)]


def _random_like(random, shape, name):
    values = random.standard_normal(shape)
    if name.startswith("complex"):
        values = values + 1j * random.standard_normal(shape)
    return np.asarray(values).astype(name)


def _cotangents(outputs, module, seed, requires_grad=False):
    random = np.random.RandomState(seed % (2**32))
    made = []
    for output in outputs:
        name = dtype_name(output)
        carried = name if name in ("float64", "float32", "complex128", "complex64") else "float32"
        tensor = module.from_numpy(_random_like(random, tuple(output.shape), carried))
        if carried != name:
            tensor = tensor.to(getattr(module, name))
        made.append(tensor.requires_grad_() if requires_grad else tensor)
    return made


def _gradients_differ(actual, expected, exact=None, none_is_zero=False):
    """A sentence for the first gradient that differs, or None.

    With `none_is_zero` a second derivative that is not there agrees with one that is zero everywhere: which of the two
    PyTorch gives depends on what its backward kernels happen to save, and both say that nothing depends on the input.
    """
    for position, (a, b) in enumerate(zip(actual, expected, strict=True)):
        label = f"gradient {position}"
        if a is None or b is None:
            there = b if a is None else a
            zero = there is not None and none_is_zero and _is_zero(there)
            if there is not None and not zero:
                return f"{label} is {'None' if a is None else 'there'}, PyTorch's is {'None' if b is None else 'there'}"
            continue
        if dtype_name(a) != dtype_name(b):
            return f"{label} has dtype {dtype_name(a)} instead of {dtype_name(b)}"
        ours, theirs = to_numpy(a), to_numpy(b)
        sentence = close(ours, theirs, dtype_name(b))
        if sentence and exact is not None and exact[position] is not None:
            if no_worse(ours, theirs, to_numpy(exact[position])):
                sentence = None
        if sentence:
            return f"{label}: {sentence}"
    return None


def _is_zero(tensor):
    array = to_numpy(tensor)
    return close(array, np.zeros_like(array), dtype_name(tensor)) is None


def _clone_first(args):
    return (args[0].clone(), *args[1:])


def _replace(value, mapping):
    if id(value) in mapping:
        return mapping[id(value)]
    if type(value) in (tuple, list):
        return type(value)(_replace(v, mapping) for v in value)
    if type(value) is dict:
        return {k: _replace(v, mapping) for k, v in value.items()}
    return value


def _node_name(tensor):
    node = tensor.grad_fn
    return None if node is None else node.name()


def _overlap(a, b):
    """Whether two tensors of one library share a storage."""
    if isinstance(a, torch.Tensor):
        return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
    try:
        return np.may_share_memory(a.detach().numpy(), b.detach().numpy())
    except Exception:
        return a.data_ptr() == b.data_ptr()


_OTHER_DTYPE = {"bool": "int64", "int64": "float32", "float64": "int64", "float32": "float64"}


def _out_picture(tensor, kind):
    """(shape, dtype name) of the `out` tensor for a case, or None where the case does not arise."""
    name = dtype_name(tensor)
    shape = tuple(tensor.shape)
    if name in ("bfloat16", "float16", "complex32"):
        return None
    if kind == "empty":
        return (0,), name
    if kind == "dtype":
        return shape, _OTHER_DTYPE.get(name, "float64")
    if kind == "grad":
        return (shape, name) if name.startswith(("float", "complex")) else None
    if kind == "strided":
        return (shape, name) if len(shape) >= 2 and tensor.numel() > 1 else None
    return shape, name


def _out_tensor(translator, shape, name, kind):
    """An output tensor that owns its memory (PyTorch may grow it) and is filled with what must not survive."""
    module = translator.target
    dtype = getattr(module, name)
    garbage = True if name == "bool" else 77
    if kind == "strided":
        return module.full(shape[::-1], garbage, dtype=dtype).permute(*range(len(shape))[::-1])
    tensor = module.full(shape, garbage, dtype=dtype)
    return tensor.requires_grad_() if kind == "grad" else tensor
