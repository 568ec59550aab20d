"""``gradcheck``: do the derivatives agree with finite differences?

A Jacobian here is a matrix of input elements by output elements, kept as an array. Complex outputs are checked as two functions, the real
and the imaginary part; for a real output the numerical derivative by a complex input is d/dx + i d/dy, which is what ``grad`` returns.
Fast mode compares one random combination, v^T J u, instead of all entries.
"""

import collections
import functools
import warnings

import numpy as np

from ..ops.table import TENSOR
from ..tensor import Tensor, wrap
from .calls import grad
from .shells import added, values_of

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised by ``gradcheck`` and ``gradgradcheck``."""


FAILED_NONDET_MSG = (
    "\n\nNOTE: If your op relies on non-deterministic operations, this failure might be expected; then call gradcheck/gradgradcheck with "
    "`nondet_tol=<tol>` as a keyword argument.\n"
)
FAILED_BATCHED_GRAD_MSG = (
    "\ngradcheck or gradgradcheck failed while testing batched gradient computation. This could have been invoked in a number of ways. "
    "Please set `check_batched_grad=False` to disable this check.\n"
)
FAILED_BATCHED_GRAD_MSG_FWD_AD = (
    "\ngradcheck failed while testing batched gradient computation with forward-mode AD. Please set `check_batched_forward_grad=False` "
    "to disable this check.\n"
)
FAST_FAIL_SLOW_OK_MSG = (
    "Fast gradcheck failed but element-wise differences are small. This means that the test might've passed in slow_mode!\n\n"
    "Call gradcheck/gradgradcheck with `fast_mode=False` as a keyword argument to compare element by element."
)

_Options = collections.namedtuple("_Options", "eps atol rtol nondet_tol check_grad_dtypes fast_mode masked")


def _as_tuple(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _is_differentiable(value):
    return isinstance(value, Tensor) and (value._dtype.is_floating_point or value._dtype.is_complex)


def _outputs(value):
    return tuple(each for each in _as_tuple(value) if isinstance(each, Tensor) and each.requires_grad)


def _checked_inputs(inputs):
    return [(i, each) for i, each in enumerate(inputs) if isinstance(each, Tensor) and each.requires_grad]


# --------------------------------------------------------------------------------------------------------- numerical


def _perturbed(fn, inputs, index, offset, kept):
    """Outputs of ``fn`` with ``offset`` added to one input; only those in ``kept``, as arrays.

    It is added in place, as PyTorch does: ``fn`` need not look at its arguments, the input may be a parameter of a module it calls.
    """
    with added(inputs[index], offset):
        found = _as_tuple(fn(*inputs))  # with gradients, on which fn may depend
        return [
            np.array(values_of(found[k]), np.complex128 if found[k]._dtype.is_complex else np.float64).reshape(-1)
            for k in kept
        ]


def _difference(fn, inputs, index, direction, kept, eps):
    plus = _perturbed(fn, inputs, index, eps * direction, kept)
    minus = _perturbed(fn, inputs, index, -eps * direction, kept)
    return [(a - b) / (2 * eps) for a, b in zip(plus, minus)]


def _numerical(fn, inputs, index, kept, eps, forward=False):
    """The Jacobian of each kept output by one input, as (input elements, output elements)."""
    array = inputs[index]._a
    columns = []
    for k in range(array.size):
        unit = np.zeros(array.size, array.dtype)
        unit[k] = 1
        unit = unit.reshape(array.shape)
        along = _difference(fn, inputs, index, unit, kept, eps)
        if array.dtype.kind == "c" and not forward:
            across = _difference(fn, inputs, index, unit * 1j, kept, eps)
            along = [a + 1j * b for a, b in zip(along, across)]
        columns.append(along)
    return [np.array([column[k] for column in columns]) for k in range(len(kept))]


# -------------------------------------------------------------------------------------------------------- analytical


def _rows(output, tensors, options):
    """The Jacobian of one output by every tensor, by one backward pass for each element; checked for dtype, size and repetition."""
    first, second = (_pull_all(output, tensors, options) for _ in range(2))
    for a, b in zip(first, second):
        if a.size and np.abs(a - b).max() > options.nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
                "values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was "
                f"{options.nondet_tol}." + FAILED_NONDET_MSG
            )
    return first


def _pull_all(output, tensors, options):
    output = output.clone()
    made = [
        np.zeros((each._a.size, output._a.size), np.complex128 if each._dtype.is_complex else np.float64)
        for each in tensors
    ]
    for k in range(output._a.size):
        unit = np.zeros(output._a.size, output._a.dtype)
        unit[k] = 1
        _place(made, k, _pull(output, tensors, wrap(unit.reshape(output._a.shape), output._dtype), options), tensors)
    return made


def _pull(output, tensors, cotangent, options):
    found = grad(output, tensors, cotangent, retain_graph=True, allow_unused=True)
    for gradient, tensor in zip(found, tensors):
        if gradient is None:
            continue
        if options.check_grad_dtypes and gradient._dtype is not tensor._dtype:
            raise GradcheckError("Gradient has dtype mismatch")
        if gradient._a.shape != tensor._a.shape:
            raise GradcheckError("Analytical gradient has incorrect size")
    return found


def _place(made, k, found, tensors):
    for matrix, gradient in zip(made, found):
        if gradient is not None:
            matrix[:, k] = values_of(gradient).reshape(-1)


def _pushed(fn, inputs, index, tangent, kept):
    """The tangents of the kept outputs for one input's tangent, by forward mode."""
    import importlib

    forward_ad = importlib.import_module(__package__ + ".forward_ad")
    with forward_ad.dual_level():
        given = list(inputs)
        given[index] = forward_ad.make_dual(inputs[index].detach(), wrap(tangent, inputs[index]._dtype))
        results = _as_tuple(fn(*given))
        found = []
        for k in kept:
            tangent = forward_ad.unpack_dual(results[k]).tangent
            found.append(
                np.zeros(results[k]._a.size, results[k]._a.dtype)
                if tangent is None
                else np.array(values_of(tangent)).reshape(-1)
            )
        return found


def _forward_jacobian(fn, inputs, index, kept):
    array = inputs[index]._a
    columns = []
    for k in range(array.size):
        unit = np.zeros(array.size, array.dtype)
        unit[k] = 1
        columns.append(_pushed(fn, inputs, index, unit.reshape(array.shape), kept))
    return [np.array([column[k] for column in columns]) for k in range(len(kept))]


# -------------------------------------------------------------------------------------------------------- comparing


def _close(a, b, options):
    return np.allclose(a, b, rtol=options.rtol, atol=options.atol, equal_nan=False)


def _shown(array):
    return repr(wrap(np.asarray(array)))


def _mismatch(analytical, numerical, output, input, part=None, forward=False):
    prefix = f"While considering the {part} part of complex {'inputs' if forward else 'outputs'} only, " if part else ""
    mode = "computed with forward mode " if forward else ""
    return (
        f"{prefix}Jacobian {mode}mismatch for output {output} with respect to input {input},\n"
        f"numerical:{_shown(numerical)}\nanalytical:{_shown(analytical)}\n"
    )


def _compare_slow(fn, inputs, outputs, kept, options, part, forward):
    checked = _checked_inputs(inputs)
    tensors = [each for _, each in checked]
    numerical = {i: _numerical(fn, inputs, i, kept, options.eps, forward) for i, _ in checked}
    if forward:
        analytical = {i: _forward_jacobian(fn, inputs, i, kept) for i, _ in checked}
    else:
        rows = [_rows(output, tensors, options) for output in outputs]
        analytical = {i: [row[n] for row in rows] for n, (i, _) in enumerate(checked)}
    for n, (i, _) in enumerate(checked):
        for k in range(len(kept)):
            if not _close(analytical[i][k], numerical[i][k], options):
                raise GradcheckError(_mismatch(analytical[i][k], numerical[i][k], k, n, part, forward))


def _direction(rng, array):
    """A random unit vector shaped like an array."""
    made = rng.random_sample(array.shape)
    if array.dtype.kind == "c":
        made = made + 1j * rng.random_sample(array.shape)
    norm = np.linalg.norm(made.reshape(-1))
    return np.asarray(made / norm if norm else made, array.dtype)


def _compare_fast(fn, inputs, outputs, kept, options, part, forward):
    rng = np.random.RandomState(1)
    checked = _checked_inputs(inputs)
    tensors = [each for _, each in checked]
    us = {i: _direction(rng, each._a) for i, each in checked}
    vs = [_direction(rng, out._a) for out in outputs]
    for n, (i, tensor) in enumerate(checked):
        numerical = _difference(fn, inputs, i, us[i], kept, options.eps)
        pushed = _pushed(fn, inputs, i, us[i], kept) if forward else None
        for k, (output, v) in enumerate(zip(outputs, vs)):
            expected = np.sum(np.conj(v.reshape(-1)) * numerical[k]).real
            if forward:
                found = np.sum(np.conj(v.reshape(-1)) * pushed[k]).real
            else:
                pulled = _pull(output.clone(), tensors, wrap(v, output._dtype), options)[n]
                found = 0.0 if pulled is None else np.sum(np.conj(values_of(pulled)) * us[i]).real
            # a combination of many entries may be off by the sum of what each may be off
            wide = options._replace(atol=options.atol * max(tensor._a.size, 1) ** 0.5)
            if not _close(found, expected, wide):
                text = _mismatch(np.asarray(found), np.asarray(expected), k, n, part, forward)
                raise GradcheckError(text + _slow_report(fn, inputs, output, n, i, k, kept, options, forward))


def _slow_report(fn, inputs, output, n, i, k, kept, options, forward):
    numerical = _numerical(fn, inputs, i, kept, options.eps, forward)[k]
    if forward:
        analytical = _forward_jacobian(fn, inputs, i, kept)[k]
    else:
        analytical = _pull_all(output, [each for _, each in _checked_inputs(inputs)], options)[n]
    text = (
        "\nThe above quantities relating the numerical and analytical jacobians are computed \nin fast mode. See: "
        "https://github.com/pytorch/pytorch/issues/53876 for more background \nabout fast mode. Below, we recompute numerical and "
        f"analytical jacobians in slow mode:\n\nNumerical:\n {_shown(numerical)}\nAnalytical:\n{_shown(analytical)}\n\n"
        f"The max per-element difference (slow mode) is: {np.abs(numerical - analytical).max()}.\n"
    )
    if _close(analytical, numerical, options):
        text += FAST_FAIL_SLOW_OK_MSG
    return text


# ----------------------------------------------------------------------------------------------------- further checks


def _check_inputs(inputs):
    checked = False
    for i, each in enumerate(inputs):
        if not isinstance(each, Tensor) or not each.requires_grad:
            continue
        checked = True
        if each._dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check will likely fail "
                "if all the inputs are not of double precision floating point or complex. ",
                stacklevel=3,
            )
        if each._a.size and any(stride == 0 and size > 1 for stride, size in zip(each._a.strides, each._a.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to "
                "compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )


def _check_without_outputs(fn, inputs, found, options):
    """No output requires grad: then no output may depend on an input."""
    kept = [k for k, each in enumerate(_as_tuple(found)) if _is_differentiable(each)]
    for i, _ in _checked_inputs(inputs):
        for matrix in _numerical(fn, inputs, i, kept, options.eps):
            if matrix.size and np.abs(matrix).max() > options.nondet_tol:
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _check_multiplied(outputs, inputs):
    """Zero cotangents must give zero gradients of the right type and size."""
    tensors = [each for _, each in _checked_inputs(inputs)]
    for gradient, tensor in zip(
        grad(outputs, tensors, [TENSOR.zeros_like(o) for o in outputs], allow_unused=True), tensors
    ):
        if gradient is None:
            continue
        if np.any(values_of(gradient) != 0):
            raise GradcheckError("backward not multiplied by grad_output")
        if gradient._dtype is not tensor._dtype:
            raise GradcheckError("grad is incorrect type")
        if gradient._a.shape != tensor._a.shape:
            raise GradcheckError("grad is incorrect size")


def _undefined():
    from .function import Function

    class UndefinedGrad(Function):
        """Passes values on, and no gradient at all back."""

        @staticmethod
        def forward(ctx, tensor):
            return tensor.view_as(tensor)

        @staticmethod
        def backward(ctx, gradient):
            return None

    return UndefinedGrad.apply


def _check_undefined(fn, inputs):
    """Backward must cope with cotangents that are undefined, all of them or one at a time."""
    tensors = [each for _, each in _checked_inputs(inputs)]
    undefined = _undefined()
    outputs = _outputs(fn(*inputs))
    cases = [[True] * len(outputs)]
    if len(outputs) > 1:
        cases += [[k == at for k in range(len(outputs))] for at in range(len(outputs))]
    for case in cases:
        made = [undefined(each) if cut else each for each, cut in zip(_outputs(fn(*inputs)), case)]
        try:
            found = grad(made, tensors, [TENSOR.zeros_like(each) for each in made], allow_unused=True)
        except RuntimeError as error:
            _warn_undefined()
            raise GradcheckError(
                'Expected backward function to handle undefined output grads. Please look at "Notes about undefined output gradients" '
                'in "tools/autograd/derivatives.yaml"'
            ) from error
        if any(each is not None and np.any(values_of(each) != 0) for each in found):
            _warn_undefined()
            raise GradcheckError(
                'Expected all input grads to be undefined or zero when all output grads are undefined or zero. Please look at "Notes '
                'about undefined output gradients" in "tools/autograd/derivatives.yaml"'
            )


def _warn_undefined():
    warnings.warn(
        "Backwards compatibility: New undefined gradient support checking feature is enabled by default, but it may break existing "
        'callers of this function. If this is true for you, you can call this function with "check_undefined_grad=False" to disable '
        "the feature",
        stacklevel=4,
    )


def _check_batched(outputs, inputs, options):
    """Gradients of a batch of cotangents must be those of each."""
    rng = np.random.RandomState(0)
    tensors = [each for _, each in _checked_inputs(inputs)]
    for k, output in enumerate(outputs):
        batch = wrap(np.stack([_direction(rng, output._a) for _ in range(2)]), output._dtype)
        alone = [grad(output, tensors, batch[b], retain_graph=True, allow_unused=True) for b in range(2)]
        try:
            together = grad(output, tensors, batch, retain_graph=True, allow_unused=True, is_grads_batched=True)
        except RuntimeError as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\n{FAILED_BATCHED_GRAD_MSG}"
            ) from error
        for i, found in enumerate(together):
            expected = [one[i] for one in alone]
            if found is None or expected[0] is None:
                continue
            expected = np.stack([values_of(each) for each in expected])
            if not np.allclose(values_of(found), expected):
                raise GradcheckError(
                    f"\nFor output {k} and input {i}:\n\n{FAILED_BATCHED_GRAD_MSG}\nGot:\n{found!r}\n\nExpected:\n{_shown(expected)}\n"
                )


# ------------------------------------------------------------------------------------------------------------- entry


def _parts(fn, outputs):
    """The functions to check backward: one, or the real and the imaginary part where an output is complex."""
    if not any(each._dtype.is_complex for each in outputs):
        return [(fn, None)]

    def part(take):
        @functools.wraps(fn)
        def inside(*inputs):
            return tuple(
                take(each) if isinstance(each, Tensor) and each._dtype.is_complex else each
                for each in _as_tuple(fn(*inputs))
            )

        return inside

    return [(part(TENSOR.imag), "imaginary"), (part(TENSOR.real), "real")]


def _input_parts(fn, inputs):
    """The functions of real inputs to check forward, with those inputs."""
    at = [i for i, each in _checked_inputs(inputs) if each._dtype.is_complex]
    if not at:
        return [(fn, inputs, None)]

    def part(combine):
        def inside(*given):
            given = list(given)
            for i in at:
                given[i] = combine(given[i], inputs[i].detach())
            return fn(*given)

        return inside

    real = part(lambda new, old: new + old.imag * 1j)
    imaginary = part(lambda new, old: old.real + new * 1j)
    cut = [
        tuple(
            getattr(each.detach(), name).clone().requires_grad_(True) if i in at else each
            for i, each in enumerate(inputs)
        )
        for name in ("real", "imag")
    ]
    return [(imaginary, cut[1], "imaginary"), (real, cut[0], "real")]


def _run(fn, inputs, options, flags):
    inputs = _as_tuple(inputs)
    _check_inputs(inputs)
    found = fn(*inputs)
    outputs = _outputs(found)
    compare = _compare_fast if options.fast_mode else _compare_slow
    kept = [k for k, each in enumerate(_as_tuple(found)) if isinstance(each, Tensor) and each.requires_grad]
    if not outputs:
        _check_without_outputs(fn, inputs, found, options)
        return True
    if flags["check_backward_ad"]:
        for function, part in _parts(fn, outputs):
            made = _as_tuple(function(*inputs))
            compare(function, inputs, [made[k] for k in kept], kept, options, part, False)
    if flags["check_forward_ad"]:
        for function, given, part in _input_parts(fn, inputs):
            made = _as_tuple(function(*given))
            compare(function, given, [made[k] for k in kept], kept, options, part, True)
    if not flags["check_backward_ad"]:
        return True
    if flags["check_batched_grad"]:
        _check_batched(outputs, inputs, options)
    if flags["check_batched_forward_grad"]:
        _check_batched_forward(fn, inputs, kept)
    _check_multiplied(outputs, inputs)
    if flags["check_undefined_grad"]:
        _check_undefined(fn, inputs)
    return True


def _check_batched_forward(fn, inputs, kept):
    """Tangents of a batch of directions must be those of each."""
    from ..func.batching import vmap
    from . import forward_ad

    rng = np.random.RandomState(0)
    for i, each in _checked_inputs(inputs):

        def push(tangent, i=i, each=each):
            with forward_ad.dual_level():
                given = list(inputs)
                given[i] = forward_ad.make_dual(each.detach(), tangent)
                made = _as_tuple(fn(*given))
                pairs = [forward_ad.unpack_dual(made[k]) for k in kept]
                return tuple(p.primal.new_zeros(p.primal.shape) if p.tangent is None else p.tangent for p in pairs)

        batch = wrap(np.stack([_direction(rng, each._a) for _ in range(2)]), each._dtype)
        alone = [push(batch[b]) for b in range(2)]
        try:
            together = vmap(push)(batch)
        except RuntimeError as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\n{FAILED_BATCHED_GRAD_MSG_FWD_AD}"
            ) from error
        for k, found in enumerate(together):
            expected = np.stack([values_of(one[k]) for one in alone])
            if not np.allclose(values_of(found), expected):
                raise GradcheckError(
                    f"\nFor output {k} and input {i}:\n\n{FAILED_BATCHED_GRAD_MSG_FWD_AD}\nGot:\n{found!r}\n\nExpected:\n"
                    f"{_shown(expected)}\n"
                )


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Whether the derivatives of ``func`` at ``inputs`` agree with finite differences.

    Args:
        func: function of tensors that returns a tensor or a tuple of them.
        inputs: a tensor or tuple; those that require grad are checked, and should be float64 or complex128.
        eps: step of the differences.
        atol, rtol: how far the two may be apart, as in ``allclose``.
        raise_exception: raise GradcheckError with both Jacobians, or return False.
        nondet_tol: how far two backward passes may differ.
        check_undefined_grad: also with cotangents that are undefined.
        check_grad_dtypes: gradients must have the dtype of their tensors.
        check_batched_grad: also ``is_grads_batched``.
        check_forward_ad, check_backward_ad: which modes to check.
        fast_mode: compare one random combination of all entries.
        masked: for sparse tensors, of which there are none: no effect on others.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    options = _Options(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode, masked)
    flags = dict(
        check_undefined_grad=check_undefined_grad,
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
        check_backward_ad=check_backward_ad,
    )
    if raise_exception:
        return _run(func, inputs, options, flags)
    try:
        return _run(func, inputs, options, flags)
    except GradcheckError:
        return False


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """``gradcheck`` of the gradient: whether second derivatives agree with finite differences of first ones.

    Args beyond those of ``gradcheck``:
        grad_outputs: cotangents to use (random ones by default).
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        check_fwd_over_rev, check_rev_over_rev: which second derivatives to check.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        rng = np.random.RandomState(0)
        cotangents = []
        for output in _outputs(func(*inputs)):
            wide = output if output._dtype.name in ("float64", "complex128") else output.double()
            made = np.asarray(_direction(rng, wide._a), wide._a.dtype)
            if gen_non_contig_grad_outputs and made.ndim:
                made = np.repeat(made[..., None], 2, -1)[..., 0]
            cotangents.append(wrap(made, wide._dtype).requires_grad_(True))
        grad_outputs = tuple(cotangents)
    else:
        grad_outputs = _as_tuple(grad_outputs)
    count = len(inputs)

    def gradient(*args):
        given, cotangents = args[:count], args[count:]
        given = tuple(
            each.requires_grad_(True) if _is_differentiable(each) and not each.requires_grad and at else each
            for each, at in zip(given, wanted)
        )
        outputs = _outputs(func(*given))
        tensors = tuple(each for each, at in zip(given, wanted) if at)
        found = grad(outputs, tensors, cotangents, create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None)

    wanted = [isinstance(each, Tensor) and each.requires_grad for each in inputs]
    from .modes import enable_grad

    return gradcheck(
        enable_grad()(gradient),
        (*inputs, *grad_outputs),
        **dict(eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol, masked=masked),
        **dict(check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, fast_mode=fast_mode),
        **dict(
            check_batched_grad=check_batched_grad,
            check_forward_ad=check_fwd_over_rev,
            check_backward_ad=check_rev_over_rev,
        ),
    )
