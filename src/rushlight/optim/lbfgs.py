"""``torch.optim.lbfgs``: the limited-memory quasi-Newton method, with a line search if wanted."""

from collections import namedtuple

from ..autograd.modes import enable_grad, no_grad
from ..ops.table import TENSOR
from ._checks import check_lr
from .optimizer import Optimizer, _to_scalar

__all__ = ["LBFGS"]

#: a trial of the line search: step length, loss, flat gradient, and the gradient along the direction
_Trial = namedtuple("_Trial", ("t", "f", "g", "gtd"))


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal, 1989), after minFunc. One group of parameters; each step calls the closure several times.

    Args:
        params: tensors or (name, tensor) pairs.
        lr: step length, or the first one that the line search tries.
        max_iter: iterations in a call of ``step``.
        max_eval: calls of the closure in a call of ``step``; 5/4 of ``max_iter`` if None.
        tolerance_grad: stop when no component of the gradient is larger.
        tolerance_change: stop when neither the loss nor any parameter changes by more.
        history_size: pairs of steps and gradient changes that stand for the inverse Hessian.
        line_search_fn: "strong_wolfe", or None for steps of length ``lr``.

    Raises:
        ValueError: an option out of range, or several groups. RuntimeError: at a step with another line search.
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ----------------------------------------------------------------------- all parameters as one vector of reals

    @property
    def _params(self):
        return self.param_groups[0]["params"]

    def _numel(self):
        return sum(p.numel() * (2 if p.is_complex() else 1) for p in self._params)

    def _gather_flat_grad(self):
        """The gradients of all parameters as one vector, zeros where there is none."""
        parts = []
        for p in self._params:
            part = p.new_zeros(p.numel()) if p.grad is None else p.grad.reshape(-1)
            parts.append(TENSOR.view_as_real(part).reshape(-1) if part.is_complex() else part)
        return TENSOR.cat(parts, 0)

    def _add_grad(self, step_size, update):
        """Move all parameters by ``step_size`` times a vector."""
        offset = 0
        for p in self._params:
            real = TENSOR.view_as_real(p) if p.is_complex() else p
            count = real.numel()
            real.add_(update[offset : offset + count].view_as(real), alpha=step_size)
            offset += count

    def _clone_param(self):
        return [p.clone() for p in self._params]

    def _set_param(self, params_data):
        for p, data in zip(self._params, params_data):
            p.copy_(data)

    def _directional_evaluate(self, closure, x, t, d):
        """Loss and flat gradient at ``x + t * d``; the parameters are ``x`` again afterwards."""
        self._add_grad(t, d)
        loss = float(closure())
        flat_grad = self._gather_flat_grad()
        self._set_param(x)
        return loss, flat_grad

    # --------------------------------------------------------------------------------------------------- the step

    @no_grad()
    def step(self, closure):
        """Run up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, computes the loss, calls ``backward`` and returns the loss.

        Returns:
            the loss before the first iteration.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        closure = enable_grad()(closure)
        group = self.param_groups[0]
        lr, max_iter, max_eval = _to_scalar(group["lr"]), group["max_iter"], group["max_eval"]
        tolerance_grad, tolerance_change = group["tolerance_grad"], group["tolerance_change"]
        search = group["line_search_fn"]

        # kept with the first parameter, whose dtype a loaded checkpoint is then cast to
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        flat_grad = self._gather_flat_grad()
        if flat_grad.abs().max() <= tolerance_grad:
            return first_loss

        memory = {name: state.get(name) for name in _MEMORY}
        n_iter = 0
        while n_iter < max_iter:
            n_iter += 1
            state["n_iter"] += 1
            first = state["n_iter"] == 1
            if first:
                memory.update(d=flat_grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
            else:
                memory["d"] = _direction(state, memory, flat_grad, group["history_size"])
            d = memory["d"]
            if memory["prev_flat_grad"] is None:
                memory["prev_flat_grad"] = flat_grad.clone()
            else:
                memory["prev_flat_grad"].copy_(flat_grad)
            memory["prev_loss"] = before = loss

            t = min(1.0, 1.0 / flat_grad.abs().sum()) * lr if first else lr
            memory["t"] = t
            slope = flat_grad.dot(d)
            if slope > -tolerance_change:
                break
            calls = 0
            converged = False
            if search is not None:
                if search != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                loss, flat_grad, t, calls = _strong_wolfe(
                    lambda x, t, d: self._directional_evaluate(closure, x, t, d),
                    *(self._clone_param(), t, d, loss, flat_grad, slope),
                    max_ls=max_eval - evaluations,
                )
                memory["t"] = t
                self._add_grad(t, d)
                converged = flat_grad.abs().max() <= tolerance_grad
            else:
                self._add_grad(t, d)
                if n_iter != max_iter:
                    loss = float(closure())
                    flat_grad = self._gather_flat_grad()
                    converged = flat_grad.abs().max() <= tolerance_grad
                    calls = 1
            evaluations += calls
            state["func_evals"] += calls
            if n_iter == max_iter or evaluations >= max_eval or converged:
                break
            if d.mul(t).abs().max() <= tolerance_change or abs(loss - before) < tolerance_change:
                break
        state.update(memory)
        return first_loss


#: what is kept between steps, in the order PyTorch keeps it in
_MEMORY = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")


def _direction(state, memory, flat_grad, history_size):
    """The negative gradient times the inverse Hessian that the remembered steps stand for, by the two-loop recursion."""
    old_dirs, old_stps, ro = memory["old_dirs"], memory["old_stps"], memory["ro"]
    y = flat_grad.sub(memory["prev_flat_grad"])
    s = memory["d"].mul(memory["t"])
    ys = y.dot(s)
    if ys > 1e-10:
        if len(old_dirs) == history_size:
            for each in (old_dirs, old_stps, ro):
                each.pop(0)
        old_dirs.append(y)
        old_stps.append(s)
        ro.append(1.0 / ys)
        memory["H_diag"] = ys / y.dot(y)
    al = state.setdefault("al", [None] * history_size)
    q = flat_grad.neg()
    for i in reversed(range(len(old_dirs))):
        al[i] = old_stps[i].dot(q) * ro[i]
        q.add_(old_dirs[i], alpha=-al[i])
    r = q.mul(memory["H_diag"])
    for i in range(len(old_dirs)):
        r.add_(old_stps[i], alpha=al[i] - old_dirs[i].dot(r) * ro[i])
    return r


# ---------------------------------------------------------------------------------------------------- the line search


def _cubic_interpolate(x1, f1, g1, x2, f2, g2, bounds=None):
    """Where the cubic through two points with these values and slopes is least, kept within ``bounds`` (else between them).

    The middle of the bounds where it has no minimum. From Nocedal and Wright, Numerical optimization, equation 3.59.
    """
    low, high = bounds if bounds is not None else ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if x1 <= x2:
        least = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        least = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(least, low), high)


def _between(a, b, bounds=None):
    return _cubic_interpolate(a.t, a.f, a.gtd, b.t, b.f, b.gtd, bounds)


def _strong_wolfe(obj_func, x, t, d, f, g, gtd, c1=1e-4, c2=0.9, tolerance_change=1e-9, max_ls=25):
    """A step along ``d`` that fulfils the strong Wolfe conditions, or the best found (Nocedal and Wright, algorithms 3.5 and 3.6).

    Args:
        obj_func: function of ``(x, t, d)`` that returns loss and flat gradient at ``x + t * d``.
        t: the first step length to try.
        f, g, gtd: loss, flat gradient and slope along ``d`` at ``x``.

    Returns:
        loss and flat gradient at the step, its length, and how often ``obj_func`` was called.
    """

    def attempt(t):
        loss, gradient = obj_func(x, t, d)
        return _Trial(t, loss, gradient, gradient.dot(d))

    def too_high(trial):
        return trial.f > f + c1 * trial.t * gtd

    def flat_enough(trial):
        return abs(trial.gtd) <= -c2 * gtd

    largest = d.abs().max()
    start = before = _Trial(0, f, g.clone(), gtd)
    trial = attempt(t)
    tries = 0
    done = False
    while tries < max_ls:
        if too_high(trial) or (tries > 1 and trial.f >= before.f):
            bracket = [before, trial]
            break
        if flat_enough(trial):
            bracket = [trial]
            done = True
            break
        if trial.gtd >= 0:
            bracket = [before, trial]
            break
        length = _between(before, trial, (trial.t + 0.01 * (trial.t - before.t), trial.t * 10))
        before, trial = trial, attempt(length)
        tries += 1
    else:
        bracket = [start, trial]

    # the bracket holds a good step: narrow it; two poor trials at its ends in a row are not let happen
    poor = False
    low, high = _ordered(bracket)
    while not done and tries < max_ls:
        ends = [each.t for each in bracket]
        if abs(ends[1] - ends[0]) * largest < tolerance_change:
            break
        t = _between(*bracket)
        margin = 0.1 * (max(ends) - min(ends))
        if min(max(ends) - t, t - min(ends)) < margin:
            if poor or t >= max(ends) or t <= min(ends):
                t = max(ends) - margin if abs(t - max(ends)) < abs(t - min(ends)) else min(ends) + margin
                poor = False
            else:
                poor = True
        else:
            poor = False
        trial = attempt(t)
        tries += 1
        if too_high(trial) or trial.f >= bracket[low].f:
            bracket[high] = trial
            low, high = _ordered(bracket)
            continue
        if flat_enough(trial):
            done = True
        elif trial.gtd * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = trial
    best = bracket[low]
    return best.f, best.g, best.t, tries + 1


def _ordered(bracket):
    """The places of the lower and the higher end."""
    return (0, 1) if bracket[0].f <= bracket[-1].f else (1, 0)
