"""``gradcheck``: do the derivatives agree with finite differences?

Complex outputs are checked backward as two functions, the imaginary and the real part, and complex inputs forward likewise. Slow mode
compares all entries of the Jacobians (``jacobians``); fast mode one combination of them, v^T J u with u and v random but always the same.
"""

import dataclasses
import functools
import warnings

import numpy as np

from ..ops.random import Generator, rand, randn_like
from ..ops.table import TENSOR
from ..tensor import Tensor, wrap
from . import forward_ad
from .batched import batch_map
from .calls import grad
from .gradcheck_texts import (
    FAILED_BATCHED_GRAD_MSG,
    FAILED_BATCHED_GRAD_MSG_FWD_AD,
    FAILED_NONDET_MSG,  # noqa: F401 - by its name here, too
    FAST_FAIL_SLOW_OK_MSG,
)
from .jacobians import (
    GradcheckError,
    as_tuple,
    by_backward,
    by_forward,
    checked,
    close,
    dual_inputs,
    get_analytical_jacobian,
    get_numerical_jacobian,
    get_numerical_jacobian_wrt_specific_input,
    is_differentiable,
    numerical,
    numerical_along,
    pulled_along,
)

__all__ = [
    "GradcheckError",
    "get_analytical_jacobian",
    "get_numerical_jacobian",
    "get_numerical_jacobian_wrt_specific_input",
    "gradcheck",
    "gradgradcheck",
]


@dataclasses.dataclass(frozen=True)
class _Options:
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_grad_dtypes: bool
    fast_mode: bool


def _requiring_grad(outputs):
    return tuple(each for each in as_tuple(outputs) if each.requires_grad)


# -------------------------------------------------------------------------------------------------------- comparing


@dataclasses.dataclass
class _Comparison:
    """Numerical and analytical derivatives of one function of one list of inputs.

    ``found`` is what ``fn`` returned for ``inputs``; ``split`` are the positions of the complex outputs (forward: inputs) of which
    ``part`` is looked at.
    """

    fn: object
    inputs: tuple
    found: tuple
    options: _Options
    forward: bool = False
    split: tuple = ()
    part: str = "real"

    def __post_init__(self):
        self.outputs = _requiring_grad(self.found)
        # of the differentiable outputs, those whose derivatives are compared
        self.kept = [k for k, each in enumerate(filter(is_differentiable, self.found)) if each.requires_grad]
        self.checked = checked(self.inputs)

    def run(self):
        """GradcheckError with both derivatives if they disagree."""
        if self.options.fast_mode:
            self._fast()
        elif self.outputs:
            self._slow()
        else:
            self._expect_zero(self._numerical(each) for _, each in self.checked)

    def _numerical(self, tensor):
        return numerical(self.fn, self.inputs, tensor, self.found, self.options.eps, self.forward)

    def _expect_zero(self, found, tolerance=0.0):
        for each in found:
            for derivative in each:
                if derivative.size and np.abs(derivative).max() > tolerance:
                    raise GradcheckError("Numerical gradient for function expected to be zero")

    def _mismatch(self, analytical, expected, output, input):
        """The message; ``output`` and ``input`` count those that require grad."""
        what, at = ("inputs", input) if self.forward else ("outputs", output)
        prefix = f"While considering the {self.part} part of complex {what} only, " if at in self.split else ""
        mode = "computed with forward mode " if self.forward else ""
        return (
            f"{prefix}Jacobian {mode}mismatch for output {output} with respect to input {input},\n"
            f"numerical:{_shown(expected)}\nanalytical:{_shown(analytical)}\n"
        )

    def _slow(self):
        options = self.options
        expected = [self._numerical(each) for _, each in self.checked]
        if self.forward:
            pushed = by_forward(self.fn, self.inputs, self.found, options.check_grad_dtypes)
        for o, output in enumerate(self.outputs):
            if self.forward:
                analytical = [each[self.kept[o]] for each in pushed]
            else:
                analytical = by_backward(self.inputs, output, options.nondet_tol, options.check_grad_dtypes)
            for i, jacobian in enumerate(analytical):
                if not close(jacobian, expected[i][self.kept[o]], options.rtol, options.atol):
                    raise GradcheckError(self._mismatch(jacobian, expected[i][self.kept[o]], o, i))

    def _fast(self):
        options = self.options
        generator = Generator()  # the user's stream stays where it is
        us = [_directions(each, generator) for _, each in self.checked]
        vs = [None if self.forward else _direction(each, generator) for each in self.outputs]
        along = [
            numerical_along(self.fn, self.inputs, each, u, options.eps, self.forward)
            for (_, each), u in zip(self.checked, us)
        ]
        if self.forward:
            pushed = by_forward(self.fn, self.inputs, self.found, options.check_grad_dtypes, us)
        elif not self.outputs:
            self._expect_zero(along, options.nondet_tol)
        for o, (output, v) in enumerate(zip(self.outputs, vs)):
            k = self.kept[o]
            if self.forward:
                pairs = [(pushed[i][k], each[k]) for i, each in enumerate(along)]
            else:
                pulled = pulled_along(self.inputs, output, v, options.nondet_tol, options.check_grad_dtypes)
                pairs = [(_dot(back, u), (v * each[k]).sum()) for back, u, each in zip(pulled, us, along)]
            for i, (analytical, expected) in enumerate(pairs):
                # an entry may be off by atol, so v^T J u may be off by the sum of v_i atol u_j
                wide = sum(float(u.sum()) for u in as_tuple(us[i])) * (1.0 if v is None else float(v.sum()))
                if not close(analytical, expected, options.rtol, options.atol * wide):
                    raise GradcheckError(self._mismatch(analytical, expected, o, i) + self._in_slow_mode(o, i))

    def _in_slow_mode(self, output, input):
        """What to add to the message of fast mode: the Jacobians themselves."""
        at, tensor = self.checked[input]
        expected = self._numerical(tensor)[self.kept[output]]
        if self.forward:

            def alone(given):
                return self.fn(*self.inputs[:at], given, *self.inputs[at + 1 :])

            analytical = by_forward(alone, (tensor,), self.found)[0][self.kept[output]]
        else:
            analytical = by_backward(self.inputs, self.outputs[output])[input]
        text = (
            "\nThe above quantities relating the numerical and analytical jacobians are computed \nin fast mode. See: "
            "https://github.com/pytorch/pytorch/issues/53876 for more background \nabout fast mode. Below, we recompute numerical and "
            f"analytical jacobians in slow mode:\n\nNumerical:\n {_shown(expected)}\nAnalytical:\n{_shown(analytical)}\n\n"
            f"The max per-element difference (slow mode) is: {np.abs(expected - analytical).max()}.\n"
        )
        if close(analytical, expected, self.options.rtol, self.options.atol):
            text += FAST_FAIL_SLOW_OK_MSG
        return text


def _shown(array):
    return f"{wrap(np.asarray(array))}"


def _direction(tensor, generator):
    """A random unit vector of real numbers, as long as a tensor, as an array."""
    dtype = tensor.real.dtype if tensor.is_complex() else tensor.dtype
    made = rand(tensor.numel(), generator=generator).to(dtype)
    return np.array((made / made.norm())._a)


def _directions(tensor, generator):
    """The same, and one for the imaginary part of a complex tensor."""
    first = _direction(tensor, generator)
    return (first, _direction(tensor, generator)) if tensor.is_complex() else first


def _dot(cotangent, u):
    if not isinstance(u, tuple):
        return (cotangent * u).sum()
    return (cotangent.real * u[0]).sum() + 1j * (cotangent.imag * u[1]).sum()


# ------------------------------------------------------------------------------------------------- parts of complex


def _of_outputs(fn, take):
    """``fn`` with a part of each complex output in its place."""

    def inside(*inputs):
        return tuple(take(each) if each.is_complex() else each for each in as_tuple(fn(*inputs)))

    return inside


def _of_inputs(fn, at, combine):
    """``fn`` of a part of each complex input, the other staying what it is."""

    def inside(*given):
        return as_tuple(fn(*[combine(each, i) if i in at else each for i, each in enumerate(given)]))

    return inside


def _backward_cases(fn, inputs, found):
    """Generates (function, inputs, what it returned, positions of complex outputs, part) to check backward."""
    if not any(each.is_complex() for each in as_tuple(found)):
        yield fn, inputs, as_tuple(found), (), "real"
        return
    at = tuple(k for k, each in enumerate(_requiring_grad(found)) if each.is_complex())
    for part, take in (("imaginary", TENSOR.imag), ("real", TENSOR.real)):
        function = _of_outputs(fn, take)
        yield function, inputs, function(*inputs), at, part


def _forward_cases(fn, inputs, found):
    """The same to check forward, with the positions of complex inputs."""
    at = tuple(i for i, each in enumerate(inputs) if isinstance(each, Tensor) and each.is_complex())
    if not at:
        yield fn, inputs, as_tuple(found), (), "real"
        return
    for part, name, combine in (
        ("imaginary", "imag", lambda given, i: inputs[i].real + given * 1j),
        ("real", "real", lambda given, i: given + inputs[i].imag * 1j),
    ):
        function = _of_inputs(fn, at, combine)
        parts = tuple(getattr(each, name) if i in at else each for i, each in enumerate(inputs))
        yield function, parts, function(*parts), at, part


# ----------------------------------------------------------------------------------------------------- further checks


def _check_inputs(inputs):
    for i, each in checked(inputs):
        if each._dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check will likely fail "
                "if all the inputs are not of double precision floating point or complex. ",
                stacklevel=2,
            )
        if any(stride <= 0 and size > 1 for stride, size in zip(each.stride(), each.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to "
                "compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
    if not checked(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )


def _still_checked(inputs):
    """The inputs that require grad, also after the function was called, which may have changed that."""
    tensors = [each for _, each in checked(inputs)]
    if not tensors:
        raise GradcheckError("no Tensors requiring grad found in input")
    return tensors


def _zeros(outputs):
    return [each.new_zeros(each.shape) for each in outputs]


def _any_nonzero(tensor):
    return not bool(tensor.eq(0).all())


def _check_multiplied(outputs, inputs, masked):
    """Zero cotangents must give zero gradients of the right type and size."""
    tensors = _still_checked(inputs)
    for gradient, tensor in zip(grad(outputs, tensors, _zeros(outputs), allow_unused=True), tensors):
        if gradient is None:
            continue
        wrong = not gradient.allclose(TENSOR.zeros_like(gradient)) if masked else _any_nonzero(gradient)
        if wrong:
            raise GradcheckError("backward not multiplied by grad_output")
        if gradient.dtype != tensor.dtype:
            raise GradcheckError("grad is incorrect type")
        if gradient.shape != tensor.shape:
            raise GradcheckError("grad is incorrect size")


@functools.cache
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


def _check_undefined_backward(fn, inputs):
    """Backward must cope with cotangents that are undefined, all of them or one at a time."""
    tensors = _still_checked(inputs)
    cases = [[_undefined()(each) for each in _requiring_grad(fn(*inputs))]]
    if len(cases[0]) > 1:
        for cut in range(len(cases[0])):
            outputs = _requiring_grad(fn(*inputs))
            cases.append([_undefined()(each) if k == cut else each for k, each in enumerate(outputs)])
    notes = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
    for outputs in cases:
        try:
            found = grad(outputs, tensors, _zeros(outputs), allow_unused=True)
        except RuntimeError as error:
            _warn_undefined()
            raise GradcheckError(f"Expected backward function to handle undefined output grads. {notes}") from error
        if any(each is not None and _any_nonzero(each) for each in found):
            _warn_undefined()
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero. " + notes
            )


def _warn_undefined():
    warnings.warn(
        "Backwards compatibility: New undefined gradient support checking feature is enabled by default, but it may break existing "
        'callers of this function. If this is true for you, you can call this function with "check_undefined_grad=False" to disable '
        "the feature",
        stacklevel=2,
    )


def _check_undefined_forward(fn, inputs):
    """An input without a tangent must move the outputs as one with a tangent of zeros does."""
    at = checked(inputs)
    generator = Generator()
    us = [_direction(each, generator) for _, each in at]
    with forward_ad.dual_level():
        given, tangents = dual_inputs(inputs)
        for tangent, u in zip(tangents, us):
            tangent.copy_(wrap(u.reshape(tuple(tangent.shape))))
        for i, tensor in at:
            own, moved = given[i], []
            for each in (forward_ad.make_dual(tensor.detach(), TENSOR.zeros_like(tensor)), tensor.detach()):
                given[i] = each
                made = filter(is_differentiable, as_tuple(fn(*given)))
                moved.append([forward_ad.unpack_dual(output).tangent for output in made])
            given[i] = own
            for k, (one, other) in enumerate(zip(*moved)):
                if one is not None and other is not None and not one.allclose(other):
                    raise GradcheckError(
                        *("Mismatch in tangent values for output with index: ", k, " when input: ", tensor),
                        *(" has an undefined tangent value. ", " Got: ", one, " but expected: ", other),
                    )


def _check_batch(function, batch, message, output=None):
    """``function`` of a batch must be that of its two samples; ``output`` is the number of the output, where one is looked at."""
    alone = [TENSOR.stack(list(each), 0) for each in zip(*[function(each) for each in batch])]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There is a performance drop")
            together = batch_map(function, TENSOR.stack(batch, 0))
    except RuntimeError as error:
        raise GradcheckError(f"While computing batched gradients, got: {error}\n\n{message}") from error
    for i, (found, expected) in enumerate(zip(together, alone)):
        if not found.allclose(expected):
            at = i if output is None else output
            raise GradcheckError(
                f"For output {at} and input {i}:\n\n{message}\n\nGot:\n{found}\n\nExpected:\n{expected}"
            )


def _or_zeros(moved, like):
    return like.new_zeros(()).expand(like.shape) if moved is None else moved


def _check_batched_backward(inputs, output, number):
    """Gradients of a batch of cotangents must be those of each."""
    tensors = [each for _, each in checked(inputs)]

    def pull(cotangent):
        found = grad(output, tensors, cotangent, retain_graph=True, allow_unused=True)
        return tuple(_or_zeros(each, tensor) for each, tensor in zip(found, tensors))

    _check_batch(pull, [randn_like(output) for _ in range(2)], FAILED_BATCHED_GRAD_MSG, number)


def _check_batched_forward(fn, inputs):
    """Tangents of a batch of directions must be those of each."""
    for i, tensor in checked(inputs):

        def push(tangent, i=i, tensor=tensor):
            with forward_ad.dual_level():
                given = [each.detach() if isinstance(each, Tensor) else each for each in inputs]
                given[i] = forward_ad.make_dual(tensor.detach(), tangent)
                pairs = [forward_ad.unpack_dual(each) for each in as_tuple(fn(*given)) if each is not None]
                return tuple(_or_zeros(pair.tangent, pair.primal) for pair in pairs)

        _check_batch(push, [randn_like(tensor) for _ in range(2)], FAILED_BATCHED_GRAD_MSG_FWD_AD)


# ------------------------------------------------------------------------------------------------------------- entry


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
        check_undefined_grad: also with cotangents (forward: tangents) that are undefined.
        check_grad_dtypes: gradients must have the dtype of their tensors.
        check_batched_grad, check_batched_forward_grad: also ``is_grads_batched``, and batches of tangents.
        check_forward_ad, check_backward_ad: which modes to check.
        fast_mode: compare one random combination of all entries.
        masked: for sparse tensors, of which there are none; of others it lets zero gradients be nearly zero.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    options = _Options(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
    try:
        inputs = as_tuple(inputs)
        _check_inputs(inputs)
        found = func(*inputs)
        outputs = _requiring_grad(found)
        if check_backward_ad:
            for fn, given, made, split, part in _backward_cases(func, inputs, found):
                _Comparison(fn, given, made, options, False, split, part).run()
        if check_forward_ad:
            seen = []
            for fn, given, made, split, part in _forward_cases(func, inputs, found):
                _Comparison(fn, given, made, options, True, split, part).run()
                seen.append((fn, given))
            for fn, given in seen if check_undefined_grad else ():
                _check_undefined_forward(fn, given)
        if check_batched_forward_grad:
            _check_batched_forward(func, inputs)
        if not check_backward_ad:
            return True
        if check_batched_grad:
            for k, output in enumerate(outputs):
                _check_batched_backward(inputs, output, k)
        _check_multiplied(outputs, inputs, masked)
        if check_undefined_grad:
            _check_undefined_backward(func, inputs)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


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
        grad_outputs: cotangents to use (by default random ones between -1 and 1).
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        check_fwd_over_rev, check_rev_over_rev: which second derivatives to check.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    inputs = as_tuple(inputs)
    if grad_outputs is None:
        outputs = _requiring_grad(func(*inputs))
        cotangents = tuple(_random_cotangent(each, gen_non_contig_grad_outputs) for each in outputs)
    else:
        cotangents = as_tuple(grad_outputs)
    count = len(inputs)
    # forward mode hands on what is detached; which of them want gradients is known here only
    wanted = {i for i, _ in checked((*inputs, *cotangents))}

    def gradient(*args):
        given = [each.requires_grad_() if i in wanted else each for i, each in enumerate(args)]
        outputs = _requiring_grad(func(*given[:count]))
        tensors = tuple(each for i, each in enumerate(given[:count]) if i in wanted)
        found = grad(outputs, tensors, given[count:], create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None)

    return gradcheck(
        gradient,
        (*inputs, *cotangents),
        **dict(eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol, masked=masked),
        **dict(check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, fast_mode=fast_mode),
        **dict(
            check_batched_grad=check_batched_grad,
            check_forward_ad=check_fwd_over_rev,
            check_backward_ad=check_rev_over_rev,
        ),
    )


def _random_cotangent(output, noncontiguous):
    from ..testing import make_tensor

    return make_tensor(
        tuple(output.shape),
        dtype=output.dtype,
        device="cpu",
        low=-1,
        high=1,
        requires_grad=True,
        noncontiguous=noncontiguous,
    )
