"""The Jacobians that ``gradcheck`` compares: by finite differences, by backward passes and by forward mode.

A Jacobian here is an array with a row for each element of an input and a column for each element of an output, of the dtype of the
output (complex where the input is). For a real output the numerical derivative by a complex input is d/dx + i d/dy, which is what
``grad`` returns. Along a direction the Jacobian is one row (numerically and in forward mode) or one column (backward).
"""

import itertools
import warnings

import numpy as np

from ..tensor import Tensor, wrap
from . import forward_ad
from .calls import grad
from .gradcheck_texts import FAILED_NONDET_MSG
from .shells import added, values_of

__all__ = [
    *("GradcheckError", "as_tuple", "by_backward", "by_forward", "checked", "close", "dual_inputs"),
    *("get_analytical_jacobian", "get_numerical_jacobian", "get_numerical_jacobian_wrt_specific_input"),
    *("is_differentiable", "numerical", "numerical_along", "pulled_along"),
]


class GradcheckError(RuntimeError):
    """Raised by ``gradcheck`` and ``gradgradcheck``."""

    __module__ = "torch.autograd.gradcheck"


def as_tuple(value):
    """What a function took or returned as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def is_differentiable(value):
    """Whether a value is a tensor of a kind of number that has derivatives."""
    return isinstance(value, Tensor) and (value._dtype.is_floating_point or value._dtype.is_complex)


def checked(inputs):
    """(position, tensor) of the inputs whose derivatives are looked at."""
    return [(i, each) for i, each in enumerate(inputs) if isinstance(each, Tensor) and each.requires_grad]


def close(a, b, rtol, atol):
    """Whether two arrays agree; NaN agrees with nothing."""
    return np.allclose(a, b, rtol=rtol, atol=atol)


def _flat(tensor):
    return np.array(values_of(tensor)).reshape(-1)


def _places(tensor):
    """The index of every element, in the order of the rows of a Jacobian."""
    return itertools.product(*map(range, tensor.shape))


# --------------------------------------------------------------------------------------------------------- numerical


def _moved(fn, inputs, tensor, step):
    """The differentiable outputs of ``fn`` with ``step`` added to one tensor.

    It is added in place, for ``fn`` need not look at its arguments: the tensor may be a parameter of a module that it calls. Outputs are
    copied, as ``fn`` may return what is written to; gradients stay on, on which ``fn`` may depend.
    """
    with added(tensor, step):
        found = as_tuple(fn(*inputs))
        return [(each.shape, each.dtype, _flat(each.detach())) for each in found if is_differentiable(each)]


def _difference(fn, inputs, tensor, step, eps, where):
    below = _moved(fn, inputs, tensor, -step)
    above = _moved(fn, inputs, tensor, step)
    found = []
    for (shape, dtype, a), (other_shape, other_dtype, b) in zip(below, above):
        for what, one, other in (("shape", shape, other_shape), ("dtype", dtype, other_dtype)):
            if one != other:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are perturbed {where}by {eps}, but got: "
                    f"{what}s {one} and {other}."
                )
        found.append((b - a) / (2 * eps))
    return found


def _derivative(fn, inputs, tensor, steps, eps, forward, where=""):
    """The derivative of every differentiable output, flat, along ``steps``: a real direction, and for complex tensors an imaginary one."""
    along = _difference(fn, inputs, tensor, steps[0], eps, where)
    if not forward and any(each.dtype.kind == "c" for each in along):
        raise AssertionError("Expected ds_dx to be real-valued, not complex.")
    if not tensor._dtype.is_complex:
        return along
    across = _difference(fn, inputs, tensor, steps[1] * 1j, eps, where)
    return [a + b * 1j for a, b in zip(along, across)]


def numerical(fn, inputs, tensor, outputs, eps, forward=False):
    """The Jacobian of every differentiable output by one tensor; ``outputs`` are those of an earlier call."""
    rows = []
    for place in _places(tensor):
        step = np.zeros(
            tuple(tensor.shape), tensor.real.dtype.numpy if tensor._dtype.is_complex else tensor.dtype.numpy
        )
        step[place] = eps
        rows.append(_derivative(fn, inputs, tensor, (step, step), eps, forward, f"on index {place} "))
    return [
        np.array([row[k] for row in rows], (tensor if tensor._dtype.is_complex else each)._dtype.numpy).reshape(
            len(rows), each.numel()
        )
        for k, each in enumerate(filter(is_differentiable, outputs))
    ]


def numerical_along(fn, inputs, tensor, direction, eps, forward=False):
    """The derivative of every differentiable output, flat, along one or two real directions of a tensor (arrays, flat)."""
    steps = [(each * eps).reshape(tuple(tensor.shape)) for each in as_tuple(direction)]
    return _derivative(fn, inputs, tensor, steps, eps, forward)


# ---------------------------------------------------------------------------------------------------------- backward


def _puller(output, tensors):
    def pull(cotangent):
        found = grad(output, tensors, cotangent, retain_graph=True, allow_unused=True)
        return [None if each is None else each.clone() for each in found]

    return pull


def _pull_rows(pull, like):
    """What every cotangent with a single one in it is pulled back to: for each tensor a list."""
    cotangent = like.new_zeros(like.shape)
    elements = cotangent.view(-1)
    found = []
    for k in range(elements.numel()):
        elements.zero_()
        elements[k] = 1.0
        found.append(pull(cotangent))
    return list(zip(*found))


def _columns(pulled, tensors, count):
    """(Jacobian by each tensor, whether the gradients had the dtypes and the sizes of theirs)."""
    made, types, sizes = [], True, True
    for column, tensor in zip(itertools.chain(pulled, itertools.repeat(())), tensors):
        matrix = np.zeros((tensor.numel(), count), tensor._dtype.numpy)
        for k, gradient in enumerate(column):
            if gradient is not None:
                types = types and gradient.dtype == tensor.dtype
                sizes = sizes and gradient.shape == tensor.shape
                matrix[:, k] = _flat(gradient)
        made.append(matrix)
    return made, types, sizes


def _twice(pull, tensors, count, nondet_tol):
    """What two equal runs of ``pull`` gave: (Jacobians, dtypes right, sizes right, whether both gave the same)."""
    (first, types, sizes), (second, _, _) = [_columns(pull(), tensors, count) for _ in range(2)]
    # NaN is taken for equal
    differs = any(a.size and np.abs(a - b).max() > nondet_tol for a, b in zip(first, second))
    return first, types, sizes, not differs


def _sound(found, nondet_tol, check_grad_dtypes):
    jacobians, types, sizes, same = found
    if check_grad_dtypes and not types:
        raise GradcheckError("Gradient has dtype mismatch")
    if not sizes:
        raise GradcheckError("Analytical gradient has incorrect size")
    if not same:
        raise GradcheckError(
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, "
            f"although analytical gradient matches numerical gradient.The tolerance for nondeterminism was {nondet_tol}."
            + FAILED_NONDET_MSG
        )
    return jacobians


def by_backward(inputs, output, nondet_tol=float("inf"), check_grad_dtypes=False):
    """The Jacobian of one output by every input that requires grad; GradcheckError if two runs differ by more than ``nondet_tol``."""
    tensors = [each for _, each in checked(inputs)]
    pull = _puller(output, tensors)
    found = _twice(lambda: _pull_rows(pull, output.clone()), tensors, output.numel(), nondet_tol)
    return _sound(found, nondet_tol, check_grad_dtypes)


def pulled_along(inputs, output, cotangent, nondet_tol, check_grad_dtypes):
    """The cotangent (an array, flat) pulled back to every input that requires grad, flat."""
    tensors = [each for _, each in checked(inputs)]
    pull = _puller(output, tensors)

    def run():
        given = wrap(cotangent.reshape(tuple(output.shape)).copy(), output._dtype)
        return [(each,) for each in pull(given)]

    found = _sound(_twice(run, tensors, 1, nondet_tol), nondet_tol, check_grad_dtypes)
    return [each.reshape(-1) for each in found]


# ----------------------------------------------------------------------------------------------------------- forward


def dual_inputs(inputs):
    """(inputs in which those that require grad are duals with tangents of zero, these tangents)."""
    given, tangents = list(inputs), []
    for i, each in checked(inputs):
        given[i] = forward_ad.make_dual(each.detach(), each.new_zeros(each.shape))
        tangents.append(forward_ad.unpack_dual(given[i]).tangent)
    return given, tangents


def _pushed(fn, given, outputs, check_grad_dtypes):
    """The tangents of the differentiable outputs of one call, flat, in the dtypes of ``outputs``."""
    made = filter(is_differentiable, as_tuple(fn(*given)))
    found = []
    for each, like in zip(made, filter(is_differentiable, outputs)):
        primal, tangent = forward_ad.unpack_dual(each)
        if check_grad_dtypes and tangent is not None and primal.is_complex() != tangent.is_complex():
            raise GradcheckError("Forward AD gradient has dtype mismatch.")
        moved = np.zeros(like.numel()) if tangent is None else _flat(tangent.detach())
        found.append(moved.astype(like._dtype.numpy))
    return found


def by_forward(fn, inputs, outputs, check_grad_dtypes=False, directions=None):
    """The Jacobian of every differentiable output by every input that requires grad, as a list for each input.

    With ``directions``, one for each such input (arrays, flat), the derivatives along these. Unlike finite differences this knows nothing
    of tensors that ``fn`` uses without being given them.
    """
    with forward_ad.dual_level():
        given, tangents = dual_inputs(inputs)
        found = []
        for k, tangent in enumerate(tangents):
            if directions is not None:
                tangent.copy_(wrap(directions[k].reshape(tuple(tangent.shape))))
                found.append(_pushed(fn, given, outputs, check_grad_dtypes))
            else:
                rows = []
                for place in _places(tangent):
                    tangent[place] = 1.0
                    rows.append(_pushed(fn, given, outputs, check_grad_dtypes))
                    tangent[place] = 0.0
                found.append(
                    [
                        np.array([row[o] for row in rows], each._dtype.numpy).reshape(len(rows), each.numel())
                        for o, each in enumerate(filter(is_differentiable, outputs))
                    ]
                )
            tangent.zero_()
    return found


# ------------------------------------------------------------------------------------------------------ older entries


def _deprecated(name):
    warnings.warn(
        f"`{name}` was part of PyTorch's private API and not meant to be exposed. We are deprecating it and it will be removed in a "
        "future version of PyTorch. If you have a specific use for this or feature request for this to be a stable API, please file us "
        "an issue at https://github.com/pytorch/pytorch/issues/new",
        FutureWarning,
        stacklevel=3,
    )


def _plain_cotangent(name, grad_out):
    if grad_out != 1.0:
        raise ValueError(f"Expected grad_out to be 1.0. {name} no longer supports values of grad_out != 1.0.")


def _real_output(name, outputs):
    if any(each.is_complex() for each in outputs):
        raise ValueError(
            f"Expected output to be non-complex. {name} no longer supports functions that return complex outputs."
        )


def get_numerical_jacobian_wrt_specific_input(fn, input_idx, inputs, outputs, eps, input=None, is_forward_ad=False):
    """The numerical Jacobian of each differentiable output by one input (or by ``input``, which ``fn`` need not be given), as tensors."""
    tensor = inputs[input_idx] if input is None else input
    if not tensor.requires_grad:
        raise AssertionError("Expected input to have requires_grad=True")
    return tuple(wrap(each) for each in numerical(fn, inputs, tensor, outputs, eps, is_forward_ad))


def get_numerical_jacobian(fn, inputs, target=None, eps=1e-3, grad_out=1.0):
    """Deprecated: the numerical Jacobian of the first output of ``fn(inputs)`` by each of ``target`` (by default the inputs)."""
    _deprecated("get_numerical_jacobian")
    _plain_cotangent("get_numerical_jacobian", grad_out)

    def packed(*given):
        return fn(given)

    outputs = as_tuple(packed(*as_tuple(inputs)))
    _real_output("get_numerical_jacobian", outputs)
    target = inputs if target is None else target
    return tuple(
        get_numerical_jacobian_wrt_specific_input(packed, i, as_tuple(inputs), outputs, eps, input=each)[0]
        for i, each in checked(as_tuple(target))
    )


def get_analytical_jacobian(inputs, output, nondet_tol=0.0, grad_out=1.0):
    """Deprecated: (Jacobian of ``output`` by each input, whether two runs agreed, and the gradients had the right sizes and dtypes)."""
    _deprecated("get_analytical_jacobian")
    _plain_cotangent("get_analytical_jacobian", grad_out)
    _real_output("get_analytical_jacobian", (output,))
    tensors = [each for _, each in checked(as_tuple(inputs))]
    pull = _puller(output, tensors)
    found = _twice(lambda: _pull_rows(pull, output.clone()), tensors, output.numel(), nondet_tol)
    jacobians, types, sizes, same = found
    return tuple(wrap(each) for each in jacobians), same, sizes, types
