"""Products with the Jacobian and the Hessian of a function, and the two themselves, from reverse mode alone.

``func`` takes tensors and returns a tensor or a tuple of tensors; each product first runs it on inputs cut off from the graph
(or tied to it, with ``create_graph``). A Jacobian-vector product transposes the vector-Jacobian product: that one is linear in its
vector, so its own vjp is the jvp.
"""

import numpy as np

from ..ops.table import TENSOR
from ..tensor import Tensor, edge_of, wrap
from . import calls
from .engine import Sweep
from .modes import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

# texts of strict mode: what was found independent, at which step
_UNUSED = {
    "back": "The output of the user-provided function is independent of input {i}. This is not allowed in strict mode.",
    "back_trick": (
        "The gradient with respect to the input is independent of entry {i} in the grad_outputs when using the double backward trick "
        "to compute forward mode gradients. This is not allowed in strict mode."
    ),
    "double_back": "The jacobian of the user-provided function is independent of input {i}. This is not allowed in strict mode.",
    "double_back_trick": (
        "The hessian of the user-provided function is independent of entry {i} in the grad_jacobian. This is not allowed in strict "
        "mode as it prevents from using the double backward trick to replace forward mode AD."
    ),
}
_CONSTANT = {
    "outputs": (
        "Output {i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner "
        "from the input when running in strict mode."
    ),
    "grad_inputs": (
        "The gradient with respect to input {i} is independent of the inputs of the user-provided function. This is not allowed in "
        "strict mode."
    ),
    "jacobian": (
        "While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is independent "
        "of the input. This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the "
        "jacobian depends on the inputs (this would be violated by a linear function for example)."
    ),
    "hessian": (
        "The hessian of the user-provided function with respect to input {i} is independent of the input. This is not allowed in "
        "strict mode. You should ensure that your function is thrice differentiable and that the hessian depends on the inputs."
    ),
}


# ------------------------------------------------------------------------------------------------------- arguments


def _tensors(given, what, function):
    """(whether a tuple was given, the tuple); TypeError for anything but tensors."""
    many = isinstance(given, tuple)
    values = given if many else (given,)
    for i, each in enumerate(values):
        if not isinstance(each, Tensor):
            where = f"value at index {i}" if many else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the {where} has type {type(each)}."
            )
    return many, values


def _prepared(inputs, create_graph, need_graph):
    """Inputs to call ``func`` with: the function must not see, nor reach, the caller's own tensors."""
    made = []
    for each in inputs:
        if create_graph and each.requires_grad:
            made.append(each.view_as(each))
        else:
            made.append(each.detach().requires_grad_(need_graph))
    return tuple(made)


def _finished(values, create_graph):
    """Results as they are handed out: outside the graph unless one was asked for."""
    if create_graph:
        return values
    if isinstance(values[0], Tensor):
        return tuple(each.detach() for each in values)
    return tuple(_finished(each, create_graph) for each in values)


def _check_v(v, others, many):
    if len(others) != len(v):
        if many:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(others)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (one, other) in enumerate(zip(v, others)):
        if one.size() != other.size():
            where = f"Entry {i} in " if many else ""
            raise RuntimeError(f"{where}v has invalid size: should be {other.size()} but got {one.size()}.")


def _vector(v, others, many, function, create_graph, refused):
    """The vector of a product; left out only where the function has a single element there."""
    if v is not None:
        _, v = _tensors(v, "v", function)
        v = _prepared(v, create_graph, need_graph=False)
        _check_v(v, others, many)
        return v
    if len(others) != 1 or others[0].nelement() != 1:
        raise RuntimeError(refused)
    return None


def _require_graph(values, kind, strict):
    if not strict:
        return
    for i, each in enumerate(values):
        if each is None:
            raise RuntimeError(_UNUSED["back"].format(i=i))
        if not each.requires_grad:
            raise RuntimeError(_CONSTANT[kind].format(i=i))


def _grad(outputs, inputs, cotangents=None, create_graph=False, retain_graph=None, batched=False):
    """``grad`` that skips outputs which do not depend on anything; None for inputs that were not used."""
    cotangents = (None,) * len(outputs) if cotangents is None else cotangents
    pairs = [(out, g) for out, g in zip(outputs, cotangents) if out is not None and out.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return calls.grad(
        tuple(out for out, _ in pairs),
        inputs,
        tuple(g for _, g in pairs),
        allow_unused=True,
        create_graph=create_graph,
        retain_graph=retain_graph,
        is_grads_batched=batched,
    )


def _filled(gradients, like, strict, create_graph, stage):
    """Zeros for gradients that are None, or the error of strict mode."""
    made = []
    for i, each in enumerate(gradients):
        if each is None:
            if strict:
                raise RuntimeError(_UNUSED[stage].format(i=i))
            each = TENSOR.zeros_like(like[i])
        elif strict and create_graph and not each.requires_grad:
            which = "hessian" if "double" in stage else "jacobian"
            raise RuntimeError(
                f"The {which} of the user-provided function is independent of input {i}. This is not allowed in strict mode when "
                "create_graph=True."
            )
        made.append(each)
    return tuple(made)


def _unwrapped(values, many):
    return values if many else values[0]


# -------------------------------------------------------------------------------------------------------- products


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(*inputs), v^T J)``.

    Args:
        func: function of tensors that returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of them.
        v: cotangent(s), shaped like the output; may be left out where the output has one element.
        create_graph: compute both in a differentiable way.
        strict: raise where an output does not depend on an input, instead of returning zeros.
    """
    with enable_grad():
        many_inputs, inputs = _tensors(inputs, "inputs", "vjp")
        inputs = _prepared(inputs, create_graph, need_graph=True)
        many_outputs, outputs = _tensors(func(*inputs), "outputs of the user-provided function", "vjp")
        _require_graph(outputs, "outputs", strict)
        v = _vector(
            *(v, outputs, many_outputs, "vjp", create_graph),
            "The vector v can only be None if the user-provided function returns a single Tensor with a single element.",
        )
    with enable_grad() if create_graph else _as_it_is():
        pulled = _grad(outputs, inputs, v, create_graph=create_graph)
        result = _filled(pulled, inputs, strict, create_graph, "back")
    outputs, result = _finished(outputs, create_graph), _finished(result, create_graph)
    return _unwrapped(outputs, many_outputs), _unwrapped(result, many_inputs)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(*inputs), J v)``, by transposing the vjp; ``v`` is shaped like the inputs. Arguments as in ``vjp``."""
    with enable_grad():
        many_inputs, inputs = _tensors(inputs, "inputs", "jvp")
        inputs = _prepared(inputs, create_graph, need_graph=True)
        v = _vector(
            *(v, inputs, many_inputs, "jvp", create_graph),
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element.",
        )
        many_outputs, outputs = _tensors(func(*inputs), "outputs of the user-provided function", "jvp")
        _require_graph(outputs, "outputs", strict)
        dummies = tuple(TENSOR.zeros_like(out).requires_grad_(True) for out in outputs)
        pulled = _grad(outputs, inputs, dummies, create_graph=True)
        _require_graph(pulled, "grad_inputs", strict)
    v = v if v is not None else (None,) * len(inputs)
    with enable_grad() if create_graph else _as_it_is():
        pushed = _grad(pulled, dummies, _ones_for(v, pulled), create_graph=create_graph)
        result = _filled(pushed, outputs, strict, create_graph, "back_trick")
    outputs, result = _finished(outputs, create_graph), _finished(result, create_graph)
    return _unwrapped(outputs, many_outputs), _unwrapped(result, many_outputs)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(*inputs), v^T H)`` of a function with one scalar output. Arguments as in ``vjp``; ``v`` is shaped like the inputs."""
    with enable_grad():
        many_inputs, inputs = _tensors(inputs, "inputs", "vhp")
        inputs = _prepared(inputs, create_graph, need_graph=True)
        v = _vector(
            *(v, inputs, many_inputs, "vhp", create_graph),
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element.",
        )
        outputs = func(*inputs)
        many_outputs, outputs = _scalar_output(outputs, "vhp", strict)
        first = _grad(outputs, inputs, create_graph=True)
        _require_graph(first, "jacobian", strict)
    with enable_grad() if create_graph else _as_it_is():
        v = v if v is not None else (None,) * len(inputs)
        second = _grad(first, inputs, _ones_for(v, first), create_graph=create_graph)
        result = _filled(second, inputs, strict, create_graph, "double_back")
    outputs, result = _finished(outputs, create_graph), _finished(result, create_graph)
    return _unwrapped(outputs, many_outputs), _unwrapped(result, many_inputs)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(*inputs), H v)`` of a function with one scalar output; slower than ``vhp``, which is equal for symmetric H."""
    with enable_grad():
        many_inputs, inputs = _tensors(inputs, "inputs", "hvp")
        inputs = _prepared(inputs, create_graph, need_graph=True)
        v = _vector(
            *(v, inputs, many_inputs, "hvp", create_graph),
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element.",
        )
        outputs = func(*inputs)
        many_outputs, outputs = _scalar_output(outputs, "hvp", strict)
        first = _grad(outputs, inputs, create_graph=True)
        _require_graph(first, "jacobian", strict)
        dummies = tuple(TENSOR.zeros_like(each).requires_grad_(True) for each in inputs)
        second = _grad(first, inputs, dummies, create_graph=True)
        _require_graph(second, "hessian", strict)
    with enable_grad() if create_graph else _as_it_is():
        v = v if v is not None else (None,) * len(inputs)
        pushed = _grad(second, dummies, _ones_for(v, second), create_graph=create_graph)
        result = _filled(pushed, inputs, strict, create_graph, "double_back_trick")
    outputs, result = _finished(outputs, create_graph), _finished(result, create_graph)
    return _unwrapped(outputs, many_outputs), _unwrapped(result, many_inputs)


def _scalar_output(outputs, function, strict):
    many, outputs = _tensors(outputs, "outputs of the user-provided function", function)
    _require_graph(outputs, "outputs", strict)
    if many or not isinstance(outputs[0], Tensor):
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].nelement() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return many, outputs


def _ones_for(v, values):
    """Where no vector was given there is one element: its cotangent is 1."""
    return tuple(
        TENSOR.ones_like(each) if one is None and each is not None and each.nelement() == 1 else one
        for one, each in zip(v, values)
    )


class _as_it_is:  # noqa: N801 - used like enable_grad
    def __enter__(self):
        pass

    def __exit__(self, *exc):
        pass


# --------------------------------------------------------------------------------------------- jacobian and hessian


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of ``func`` at ``inputs``.

    Args:
        func: function of tensors that returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of them.
        create_graph: compute it in a differentiable way.
        strict: raise where an output does not depend on an input; not with ``vectorize``.
        vectorize: compute all rows (columns) together where there is a batching rule.
        strategy: "reverse-mode" (a row at a time), or "forward-mode" (a column at a time; needs ``vectorize=True``).

    Returns a tensor of shape ``output.shape + input.shape``; nested in tuples as output and inputs were.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, '
            '"forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together '
                '(yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
            )
        return _jacobian_forward(func, inputs, strict, vectorize)
    if vectorize and strict:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either set "
            "`strict=False` or `vectorize=False`."
        )
    with enable_grad():
        many_inputs, inputs = _tensors(inputs, "inputs", "jacobian")
        inputs = _prepared(inputs, create_graph, need_graph=True)
        many_outputs, outputs = _tensors(func(*inputs), "outputs of the user-provided function", "jacobian")
        _require_graph(outputs, "outputs", strict)
        rows = tuple(_rows(out, i, inputs, create_graph, strict, vectorize) for i, out in enumerate(outputs))
        rows = _finished(rows, create_graph)
    rows = rows if many_inputs else tuple(row[0] for row in rows)
    return rows if many_outputs else rows[0]


def _rows(out, number, inputs, create_graph, strict, vectorize):
    """The Jacobian of one output by every input."""
    count = out.nelement()
    if vectorize and count:
        basis = wrap(np.eye(count, dtype=out._dtype.numpy).reshape(count, *out._a.shape), out._dtype)
        found = _grad((out,), inputs, (basis,), create_graph=create_graph, retain_graph=True, batched=True)
        return tuple(
            TENSOR.zeros_like(each).expand((*out.shape, *each.shape)).clone()
            if g is None
            else g.reshape((*out.shape, *each.shape))
            for g, each in zip(found, inputs)
        )
    collected = tuple([] for _ in inputs)
    sweep = None
    if count > 1 and out.requires_grad:
        sweep = Sweep.over(edge_of(out), [edge_of(each) for each in inputs], create_graph)
    for j in range(count):
        if sweep is not None:
            found = _swept(sweep, out, j, inputs)
        else:
            flat = out.reshape(-1)
            found = _grad((flat[j],), inputs, retain_graph=True, create_graph=create_graph)
        for i, (each, gradient, entries) in enumerate(zip(inputs, found, collected)):
            if gradient is None:
                if strict:
                    raise RuntimeError(
                        f"Output {number} of the user-provided function is independent of input {i}. This is not allowed in strict mode."
                    )
                gradient = TENSOR.zeros_like(each)
            elif strict and create_graph and not gradient.requires_grad:
                raise RuntimeError(
                    "The jacobian of the user-provided function is independent of "
                    f"input {number}. This is not allowed in strict mode when create_graph=True."
                )
            entries.append(gradient)
    return tuple(
        TENSOR.stack(entries, 0).reshape((*out.shape, *each.shape))
        if entries
        else out.new_zeros((*out.shape, *each.shape))
        for each, entries in zip(inputs, collected)
    )


def _swept(sweep, out, j, inputs):
    """The gradients of element ``j`` of ``out``."""
    unit = np.zeros(out._a.shape, out._dtype.numpy)
    unit.reshape(-1)[j] = 1
    if sweep.create_graph:
        return sweep.pull(wrap(unit, out._dtype))
    found = sweep.pull(unit)
    return [None if array is None else wrap(np.asarray(array), each._dtype) for array, each in zip(found, inputs)]


def _jacobian_forward(func, inputs, strict, vectorize):
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). Please '
            'either set `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`."
        )
    import importlib

    forward_ad = importlib.import_module(__package__ + ".forward_ad")

    many_inputs, inputs = _tensors(inputs, "inputs", "jacobian")
    columns, many_outputs = None, False
    for i, each in enumerate(inputs):
        for j in range(each.nelement()):
            with forward_ad.dual_level():
                tangents = [np.zeros(one._a.shape, one._dtype.numpy) for one in inputs]
                tangents[i].reshape(-1)[j] = 1
                duals = [forward_ad.make_dual(one, wrap(t, one._dtype)) for one, t in zip(inputs, tangents)]
                many_outputs, outputs = _tensors(func(*duals), "outputs of the user-provided function", "jacobian")
                pairs = [forward_ad.unpack_dual(out) for out in outputs]
                found = [TENSOR.zeros_like(p.primal) if p.tangent is None else p.tangent for p in pairs]
            if columns is None:
                columns = [[[] for _ in inputs] for _ in found]
            for k, column in enumerate(found):
                columns[k][i].append(column)
    rows = tuple(
        tuple(TENSOR.stack(c, -1).reshape((*c[0].shape, *each.shape)) for c, each in zip(row, inputs))
        for row in columns or ()
    )
    rows = rows if many_inputs else tuple(row[0] for row in rows)
    return rows if many_outputs else rows[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The Hessian of a function with one scalar output: the Jacobian of its gradient. Arguments as in ``jacobian``.

    Returns a tensor of shape ``input.shape + input.shape``, or a tuple of tuples of them for a tuple of inputs.
    """
    many_inputs, inputs = _tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*given):
        out = func(*given)
        many, values = _tensors(out, "outputs of the user-provided function", "hessian")
        _require_graph(values, "outputs", strict)
        if many:
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if values[0].nelement() != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        return values[0].squeeze()

    def gradient(*given):
        if outer_jacobian_strategy == "forward-mode":
            given = tuple(each.requires_grad_(True) for each in given)
        found = jacobian(scalar, given, create_graph=True)
        _require_graph(found, "jacobian", strict)
        return found

    result = jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return result if many_inputs else result[0][0]
