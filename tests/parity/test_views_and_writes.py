"""Random programs of views and in-place writes, run on PyTorch and on rushlight statement by statement.

After each program every tensor's version, place in the graph, base, shape, layout, memory, values and gradient must be the same, and
each statement must have raised the same error, if any.
"""

import random
import re
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import rushlight  # noqa: E402

VIEWS = """
    {x}[{i}] | {x}[{a}:{b}] | {x}.select({d}, {i}) | {x}.narrow({d}, 0, 1) | {x}.view(-1) | {x}.t() | {x}.transpose(0, {d}) | {x}[None]
    {x}.unsqueeze({d}) | {x}.squeeze() | {x}.squeeze({d}) | {x}.expand(2, *{x}.shape) | {x}.diagonal() | {x}.chunk(2)[{j}] | {x}[...]
    {x}.split(1)[{j}] | {x}.unbind(0)[{j}] | {x}.detach() | {x}.permute(*reversed(range({x}.dim()))) | {x}.view_as({x}) | {x}.T
    torch.view_as_real({x}) | {x}[{i}, {a}:{b}] | {x}[{a}:{b}, {i}] | {x}[..., {i}] | {x}[None, {i}] | {x}[{a}:, {a}:] | {x}[:, None]
    {x}[::2] | {x}[:] | {x}.reshape(-1) | {x}.reshape({x}.shape) | {x}.flatten() | {x}.ravel() | {x}.contiguous() | {x}.expand_as({x})
    {x}.unflatten(0, (-1, 1)) | {x}.movedim(0, {d}) | {x}.mT | {x}.H | {x}.conj() | {x}.real | {x}.imag | torch.view_as_complex({x})
    {x}.resolve_conj() | {x}.unfold({d}, 1, 1) | {x}.as_strided((2,), (1,)) | {x}.swapaxes(0, {d}) | {x}.tensor_split(2)[{j}]
    {x}.split_with_sizes([1, {x}.shape[0] - 1])[{j}] | {x}.hsplit(1)[0] | {x}.unsafe_chunk(2)[{j}] | {x}.unsafe_split(1)[{j}] | {x}.data
    {x}.view(torch.float32) | {x}.to(torch.float64) | {x}.to(torch.complex128) | {x}.float() | {x}.diagonal(1) | {x}.squeeze((0,))
    {x}.reshape_as({y}) | {x}.view_as({y}) | torch.atleast_2d({x}) | torch.broadcast_tensors({x}, {y})[{j}] | {x}.positive()
    {x}.narrow_copy(0, 0, 1) | {x}.select_copy({d}, {i}) | {x}.view_copy(-1) | {x}.type_as({y}) | {x}.requires_grad_() | {x}.diag()
"""
RESULTS = """
    {x} * {y} | {x} + {n} | {x} * {n} | {x} - {n} | {n} - {x} | {x} / {n} | {n} / {x} | {x} ** 2 | {x}.exp() | {x}.clone() | {x}.sum()
    {x}.relu() | {x}.sin() | -{x} | torch.stack([{x}, {x}]) | {x}[torch.tensor([0, 0])] | {x}[{x}.detach().real > 0] | {x}.flip(0)
    {x}.index_select(0, torch.tensor([0])) | torch.where({x}.detach().real > 0, {x}, {y}) | {x}.mean(0) | {x}.cumsum(0) | {x}.max()
    {x}.masked_fill({x}.detach().real > 0, 1) | {x}.tanh() | {x}.sort()[0]
"""
WRITES = """
    {x}.add_({n}) | {x}.add_({y}) | {x}.add_({y}, alpha=2) | {x}.mul_({n}) | {x}.mul_({y}) | {x}.sub_({n}) | {x}.sub_({y}, alpha=2)
    {x}.div_({n}) | {x}.div_({y}) | {x}.pow_(2) | {x}.zero_() | {x}.fill_({n}) | {x}.copy_({y}) | {x}.lerp_({y}, 0.5) | {x}.exp_()
    {x}[{i}] = {n} | {x}[{i}] = {y} | {x}[{a}:{b}] = {n} | {x}[...] = {y} | {x}.squeeze_() | {x}.squeeze_({d}) | {x}.unsqueeze_({d})
    {x}.t_() | {x}.transpose_(0, {d}) | {x}.swapaxes_(0, {d}) | {x}.relu_() | {x}.sigmoid_() | {x}.tanh_() | {x}.neg_() | {x}.clamp_(0, 1)
    {x}.masked_fill_({x}.detach().real > 0, {n}) | {x}.index_fill_(0, torch.tensor([0]), {n}) | {x}.requires_grad_()
    {x} += {n} | {x} += {y} | {x} -= {y} | {x} *= {n} | {x} *= {y} | {x} /= {n} | {x} **= 2
    {x}[{i}, {a}:{b}] = {y} | {x}[{a}:{b}, {i}] = {n} | {x}[..., {i}] = {y} | {x}[None] = {y} | {x}[{x}.detach().real > 0] = {n}
    {x}[torch.tensor([0])] = {y} | {x}[[0, -1]] = {n} | {x}[:, {i}] *= {n} | {x}[{i}] += {y} | {x}[np.array([0])] = {n} | {x}[False] = {n}
    {x}[torch.tensor(True)] = {n} | {x}[{x}.detach().real > 0] = {y} | {x}[..., 0, None] = {y} | {x}[:] = {y} | {x}[0, torch.tensor([0])] = {y}
    {x}.index_copy_(0, torch.tensor([0]), {x}) | {x}.index_put_((torch.tensor([0, 0]),), {n} * {y}, accumulate=True) | {x}.random_()
    {x}.addcmul_({y}, {y}) | {x}.addcdiv_({y}, {y}, value=2) | {x}.where({x}.detach().real > 0, {y}) | {x}.fill_({y}) | {x}.detach_()
    {x}.data.add_({n}) | {x}.detach().mul_({n}) | {x}.data = {y} | {x}.requires_grad_(False) | {x}.real = {y} | {x}.real.add_({n})
    {x}.conj().mul_({n}) | {x}.diagonal().fill_({n}) | {x}.T.add_({y}) | {x}.view(-1)[0] = {n} | {x}.unbind()[0].zero_() | {x}.bernoulli_(0)
    {x}.expand(2, *{x}.shape).add_({n}) | {x}.retain_grad() | {x}.pow_({y}) | {x}.logical_not_() | {x}.lt_({n}) | {x}.triu_() | {x}.grad = {y}
    torch.add({y}, 1, out={x}) | torch.exp({x}, out={x}) | torch.relu_({x}) | {x}.squeeze_((0,)) | torch.autograd.graph.increment_version({x})
"""
VIEWS, RESULTS, WRITES = (
    [t.strip() for t in re.split(r"[|\n]", each) if t.strip()] for each in (VIEWS, RESULTS, WRITES)
)
SHAPES = ["(2, 3)", "(3,)", "(2, 2)", "(1, 3)", "(2, 1, 2)", "()", "(3, 1)", "(4, 2)"]

#: programs that still differ, by seed
KNOWN = {
    138: "four-dimensional results of stack keep the order of what they are made of",
    275: "a leaf squeezed in no_grad does not fit its old graph any more",
    **dict.fromkeys((278, 760, 870), "PyTorch fails in an assertion of its own"),
    469: "unsafe parts share memory, but nothing that tells so",
    495: "a tensor detached in place no longer keeps its gradient",
    749: "a tensor written to through a view of other elements of itself",
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

    scope = {"torch": torch, "make": make, "np": np}
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, line in enumerate(lines):
            torch.manual_seed(0)
            shown.append((line, attempt(lambda line=line: exec(line, scope))))
            if number >= len(lines) - 2:
                tensors = {name: each for name, each in scope.items() if isinstance(each, torch.Tensor)}
                shown += [(f"{name} after {line}", state(each, tensors)) for name, each in tensors.items()]
    return shown


def attempt(function):
    try:
        return function()
    except Exception as error:
        return re.split("\n(The value was saved by|Exception raised from)", f"{type(error).__name__}: {error}")[0]


def state(tensor, tensors):
    def steps(node, left=5):
        if node is None or not left:
            return None
        return (node.name(), *[(steps(after, left - 1), number) for after, number in node.next_functions])

    def names(which):
        return [name for name, each in tensors.items() if each is which]

    def memory(each):
        return each.untyped_storage().data_ptr() if each.numel() else None

    return {
        "requires_grad": attempt(lambda: tensor.requires_grad),
        "version": attempt(lambda: tensor._version),
        "is_leaf": attempt(lambda: tensor.is_leaf),
        "grad_fn": attempt(lambda: steps(tensor.grad_fn)),
        "output_nr": attempt(lambda: tensor.output_nr),
        "retains_grad": attempt(lambda: tensor.retains_grad),
        "shape": tuple(tensor.shape),
        "stride": [step for size, step in zip(tensor.shape, tensor.stride()) if size > 1 and tensor.numel()],
        "offset": tensor.storage_offset() if tensor.numel() else 0,
        "names": names(tensor),
        "shares memory with": [n for n, each in tensors.items() if tensor.numel() and memory(each) == memory(tensor)],
        "base": tensor._base is not None and (names(tensor._base), tuple(tensor._base.shape)),
        "values": rounded(tensor.detach().tolist()),
        "grad": attempt(lambda: tensor.grad is None or rounded(tensor.grad.tolist())),
    }


def rounded(value):
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, complex):
        return rounded(value.real), rounded(value.imag)
    return None if value != value else float(f"{value:.5g}")


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
