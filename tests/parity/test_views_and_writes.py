"""Random programs of views and in-place writes, run on PyTorch and on rushlight statement by statement.

After each program every tensor's version, place in the graph, shape, values and gradient must be the same, and each statement must
have raised the same error, if any.
"""

import random
import re
import warnings

import pytest

torch = pytest.importorskip("torch")

import rushlight  # noqa: E402

VIEWS = """
    {x}[{i}] | {x}[{a}:{b}] | {x}.select({d}, {i}) | {x}.narrow({d}, 0, 1) | {x}.view(-1) | {x}.t() | {x}.transpose(0, {d}) | {x}[None]
    {x}.unsqueeze({d}) | {x}.squeeze() | {x}.squeeze({d}) | {x}.expand(2, *{x}.shape) | {x}.diagonal() | {x}.chunk(2)[{j}] | {x}[...]
    {x}.split(1)[{j}] | {x}.unbind(0)[{j}] | {x}.detach() | {x}.permute(*reversed(range({x}.dim()))) | {x}.view_as({x}) | {x}.T
    torch.view_as_real({x})
"""
RESULTS = """
    {x} * {y} | {x} + {n} | {x} * {n} | {x} - {n} | {n} - {x} | {x} / {n} | {n} / {x} | {x} ** 2 | {x}.exp() | {x}.clone() | {x}.sum()
    {x}.relu() | {x}.sin() | -{x}
"""
WRITES = """
    {x}.add_({n}) | {x}.add_({y}) | {x}.add_({y}, alpha=2) | {x}.mul_({n}) | {x}.mul_({y}) | {x}.sub_({n}) | {x}.sub_({y}, alpha=2)
    {x}.div_({n}) | {x}.div_({y}) | {x}.pow_(2) | {x}.zero_() | {x}.fill_({n}) | {x}.copy_({y}) | {x}.lerp_({y}, 0.5) | {x}.exp_()
    {x}[{i}] = {n} | {x}[{i}] = {y} | {x}[{a}:{b}] = {n} | {x}[...] = {y} | {x}.squeeze_() | {x}.squeeze_({d}) | {x}.unsqueeze_({d})
    {x}.t_() | {x}.transpose_(0, {d}) | {x}.swapaxes_(0, {d}) | {x}.relu_() | {x}.sigmoid_() | {x}.tanh_() | {x}.neg_() | {x}.clamp_(0, 1)
    {x}.masked_fill_({x}.detach().real > 0, {n}) | {x}.index_fill_(0, torch.tensor([0]), {n}) | {x}.requires_grad_()
    {x} += {n} | {x} += {y} | {x} -= {y} | {x} *= {n} | {x} *= {y} | {x} /= {n} | {x} **= 2
"""
VIEWS, RESULTS, WRITES = (
    [t.strip() for t in re.split(r"[|\n]", each) if t.strip()] for each in (VIEWS, RESULTS, WRITES)
)
SHAPES = ["(2, 3)", "(3,)", "(2, 2)", "(1, 3)", "(2, 1, 2)", "()", "(3, 1)"]

#: programs that still differ, by seed
KNOWN = {
    435: "the shape and node of a saved value whose tensor was transposed in place are those it had",
    923: "a view of a base that a write made require grad is no leaf here before its node is asked for",
}


def program(seed):
    """The statements of a program: leaves, views, results and writes of what came before, then backward."""
    choose = random.Random(seed)
    lines, names = [], []

    def new(text, before=""):
        names.append(f"v{len(names)}")
        lines.append(f"{before}{names[-1]} = {text}")

    def filled(templates):
        numbers = dict(n=[2, 0.5, 3.0], i=[0, 1, -1], j=[0, 1], d=[0, 1, -1], a=[0, 1], b=[1, 2, 3])
        x = choose.choice(names[-4:] if choose.random() < 0.7 else names)
        chosen = {key: choose.choice(values) for key, values in numbers.items()}
        return choose.choice(templates).format(x=x, y=choose.choice(names), **chosen)

    for _ in range(choose.randint(1, 3)):
        grad = choose.random() < 0.6
        dtype = "complex128" if choose.random() < 0.15 else "float64"
        new(f"make({choose.choice(SHAPES)}, torch.{dtype}, {grad})")
        if grad and choose.random() < 0.7:
            new(f"{names[-1]} * 1")
    for _ in range(choose.randint(3, 9)):
        before = "with torch.no_grad(): " if choose.random() < 0.15 else ""
        kind = choose.random()
        if kind < 0.55:
            new(filled(VIEWS if kind < 0.4 else RESULTS), before)
        else:
            lines.append(before + filled(WRITES))
    last = choose.choice(names[-3:])
    lines.append(f"({last} * {last}.detach()).sum().abs().backward()")
    return lines


def run(torch, lines):
    """What a program shows: the error of each statement, and the state of each tensor before and after backward."""

    def make(shape, dtype, grad):
        count = int(torch.ones(shape).sum())
        made = ((torch.arange(count, dtype=torch.float64) - 1) / 2 + 0.25).to(dtype).reshape(shape).clone()
        return made.requires_grad_(grad)

    scope = {"torch": torch, "make": make}
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, line in enumerate(lines):
            shown.append((line, attempt(lambda line=line: exec(line, scope))))
            if number >= len(lines) - 2:
                shown += [(f"{n} after {line}", state(t)) for n, t in scope.items() if isinstance(t, torch.Tensor)]
    return shown


def attempt(function):
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}".split("\nThe value was saved by")[0]


def state(tensor):
    def node():
        found = tensor.grad_fn
        return found and (found.name(), [(after and after.name(), number) for after, number in found.next_functions])

    return {
        "requires_grad": attempt(lambda: tensor.requires_grad),
        "version": attempt(lambda: tensor._version),
        "is_leaf": attempt(lambda: tensor.is_leaf),
        "grad_fn": attempt(node),
        "output_nr": attempt(lambda: tensor.output_nr),
        "shape": tuple(tensor.shape),
        "is_view": tensor._is_view(),
        "values": rounded(tensor.detach().tolist()),
        "grad": attempt(lambda: tensor.grad is None or rounded(tensor.grad.tolist())),
    }


def rounded(value):
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, complex):
        return rounded(value.real), rounded(value.imag)
    return None if value != value else float(f"{value:.8g}")


def difference(seed):
    """The first thing that a program shows differently, or None."""
    lines = program(seed)
    for (what, theirs), (_, ours) in zip(run(torch, lines), run(rushlight, lines), strict=True):
        if theirs != ours:
            if isinstance(theirs, dict):
                theirs, ours = ({k: v for k, v in a.items() if b[k] != v} for a, b in ((theirs, ours), (ours, theirs)))
            return f"{'; '.join(lines)}\n  {what}\n  PyTorch:   {theirs}\n  rushlight: {ours}"
    return None


@pytest.mark.parametrize("block", range(10))
def test_programs_agree(block):
    found = {seed: difference(seed) for seed in range(100 * block, 100 * block + 100)}
    assert not [text for seed, text in found.items() if text is not None and seed not in KNOWN]
    assert not [seed for seed, text in found.items() if text is None and seed in KNOWN], "no longer known differences"
