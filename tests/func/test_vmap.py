"""``vmap``: what a function of samples sees, what comes out, what is refused."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import rushlight as torch
from rushlight.func import vmap

X = torch.arange(6.0).reshape(2, 3)


def test_a_function_sees_samples():
    seen = []
    vmap(lambda v: seen.append((tuple(v.shape), v.ndim, len(v), v.numel(), v.stride(), v.requires_grad)) or v)(X)
    assert seen == [((3,), 1, 3, 3, (1,), False)]


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_dimensions_in_and_out(dim, out):
    found = vmap(lambda v: v * v.sum(), dim, out)(X)
    x = np.moveaxis(X.numpy(), dim, 0)
    assert np.array_equal(np.moveaxis(found.numpy(), out, 0), x * x.sum(1, keepdims=True))


def test_trees_and_values_that_are_the_same_for_all():
    def f(pair, scale, *, shift):
        return {"a": pair[0] * scale + shift, "b": [pair[1].sum()]}

    found = vmap(f, in_dims=((0, None), None))((X, X), 2, shift=torch.ones(3))
    assert found["a"].tolist() == (X * 2 + 1).tolist() and found["b"][0].tolist() == [15.0, 15.0]


def test_nested():
    table = vmap(vmap(lambda a, b: a * b + 1, (None, 0)), (0, None))(torch.arange(3.0), torch.arange(4.0))
    assert table.numpy().tolist() == (np.outer(range(3), range(4)) + 1).tolist()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunks_give_the_same(size):
    batch = torch.arange(21.0).reshape(7, 3)
    assert vmap(lambda v: (v, v.sum()), chunk_size=size, out_dims=(1, 0))(batch)[0].tolist() == batch.t().tolist()


def test_gradients_flow_out_of_it():
    w = torch.ones(3, requires_grad=True)
    x = X.clone().requires_grad_()
    vmap(lambda v: (v * w).sum())(x).sum().backward()
    assert w.grad.tolist() == X.sum(0).tolist() and x.grad.tolist() == [[1.0] * 3] * 2


def test_views_and_writes():
    def f(v):
        y = v.clone()
        y[0] = 9
        y[1:].add_(v[1:])
        y.unsqueeze(0)[:, 2] *= 2
        return y

    assert vmap(f)(X).tolist() == [[9, 2, 8], [9, 8, 20]]
    original = X.clone()
    vmap(lambda v: v.mul_(2))(original)
    assert original.tolist() == (X * 2).tolist()


def test_indices_that_differ_between_samples():
    rows = torch.tensor([2, 0])
    assert vmap(lambda v, i: v[i])(X, rows).tolist() == [2.0, 3.0]
    assert vmap(lambda i: X[0, i])(rows).tolist() == [2.0, 0.0]

    def write(v, i):
        v = v.clone()
        v[i] = -1
        return v

    assert vmap(write)(X, rows).tolist() == [[0, 1, -1], [-1, 4, 5]]


def test_numbers_count_as_numbers_in_promotion():
    found = vmap(lambda a, b: a * b)(torch.ones(2, dtype=torch.float64), X)
    assert found.dtype is torch.float32


def test_batch_of_nothing():
    assert vmap(lambda v: v.sin().sum())(torch.ones(0, 3)).shape == (0,)


def test_tensors_made_inside_that_are_written_to():
    assert vmap(lambda v: torch.zeros_like(v).add_(v))(X).tolist() == X.tolist()
    assert vmap(lambda v: v.new_zeros(3).copy_(v))(X).tolist() == X.tolist()
    with pytest.raises(RuntimeError, match="vmap: inplace arithmetic"):
        vmap(lambda v: torch.zeros(3).copy_(v))(X)


def test_shown():
    seen = []
    vmap(lambda v: seen.append(repr(v)) or v)(X)
    assert seen == ["BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[0., 1., 2.],\n            [3., 4., 5.]])\n)"]


def test_an_operator_without_a_rule_is_looped_over_with_a_warning():
    with pytest.warns(UserWarning, match="There is a performance drop .* batching rule for aten::histc"):
        found = vmap(lambda v: torch.histc(v, 2, 0, 6))(X)
    assert found.tolist() == [[3.0, 0.0], [0.0, 3.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vmap(lambda v: torch.nn.functional.softmax(v @ X.t(), 0).cumsum(0))(X)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda v: v.sum().item(), "you're calling .item\\(\\) on a Tensor"),
        (lambda v: v if v.sum() > 0 else -v, "data-dependent control flow"),
        (lambda v: v.nonzero(), "output dynamic shape. Attempted to vmap over aten::nonzero"),
        (lambda v: v[v > 0], "Attempting to batch over indexing with a boolean mask"),
        (lambda v: torch.rand(2), "called random operation while in randomness error mode"),
        (lambda v: torch.add(v, v, out=torch.zeros(3)), "Batching rule not implemented for aten::add.out"),
        (lambda v: v.numpy(), "Cannot access data pointer"),
    ],
)
def test_what_depends_on_values_is_refused(function, text):
    with pytest.raises(RuntimeError, match=text):
        vmap(function)(X)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda f: vmap(f)(), "got no inputs"),
        (lambda f: vmap(f, 2)(X), "expected in_dim to satisfy -2 <= in_dim < 2"),
        (lambda f: vmap(f, (0, 0))(X), "in_dims is not compatible with the structure of `inputs`"),
        (lambda f: vmap(f)(2), "Got in_dim=0 for an input but the input is of type <class 'int'>"),
        (lambda f: vmap(f, (None,))(X), "Expected at least one Tensor to vmap over"),
        (lambda f: vmap(lambda a, b: a)(X, X.t()), r"got sizes \[2, 3\] for the mapped dimension"),
        (lambda f: vmap(lambda v: 2)(X), "must only return Tensors, got type <class 'int'>"),
        (lambda f: vmap(f, out_dims=(0, 0))(X), "out_dims is not compatible with the structure of `outputs`"),
        (lambda f: vmap(f, out_dims=None)(X), "can not return a BatchedTensor when out_dim is None"),
        (lambda f: vmap(f, chunk_size=0)(X), "chunk_size should be None or greater than 0"),
    ],
)
def test_arguments_that_do_not_fit(call, text):
    with pytest.raises(ValueError, match=text):
        call(lambda v: v)


def test_random_numbers_that_differ_or_not():
    torch.manual_seed(0)
    drawn = torch.rand(2, 3)
    torch.manual_seed(0)
    assert vmap(lambda v: torch.rand(3), randomness="different")(X).tolist() == drawn.tolist()
    torch.manual_seed(0)
    assert vmap(lambda v: torch.rand(3), randomness="same")(X).tolist() == [drawn[0].tolist()] * 2
    dropped = vmap(lambda v: torch.nn.functional.dropout(v + 1), randomness="same")(X * 0)
    assert dropped[0].tolist() == dropped[1].tolist()


def test_batched_cotangents():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (found,) = torch.autograd.grad(x**2, x, torch.eye(2), is_grads_batched=True)
    assert found.tolist() == [[2.0, 0.0], [0.0, 4.0]]


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda v: torch.tensor([v[0], v[1]]), RuntimeError, "you're calling .item"),
        (lambda v: copy.deepcopy(v), NotImplementedError, "Cannot access storage"),
        (lambda v: pickle.dumps(v), NotImplementedError, "Cannot access storage"),
        (lambda v: v.untyped_storage(), NotImplementedError, "Cannot access storage"),
        (lambda v: v.data_ptr(), RuntimeError, "Cannot access data pointer"),
        (lambda v: v.data, RuntimeError, "accessing `data` under vmap transform is not allowed"),
        (lambda v: v.new_tensor(v), RuntimeError, "cannot be copied into another"),
    ],
)
def test_no_way_leads_to_the_memory_of_one_sample(function, error, text):
    with pytest.raises(error, match=text):
        vmap(function)(X)


def test_a_tensor_that_escaped_is_refused():
    kept = []
    vmap(lambda v: kept.append(v) or v)(X)
    with pytest.raises(RuntimeError, match="your tensor may have escaped from inside a function being vmapped"):
        kept[0] + 1


def test_the_vmap_of_old():
    from rushlight import _vmap_internals

    x = torch.arange(6.0).view(2, 3)
    pair = _vmap_internals._vmap(lambda row: (row.sum(), None), allow_none_pass_through=True)(x)
    assert pair[0].tolist() == [3, 12] and pair[1] is None
    with pytest.warns(FutureWarning, match="Please use `torch.vmap` instead"):
        assert _vmap_internals.vmap(torch.sum, in_dims=1)(x).tolist() == [3, 5, 7]


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_lengths_of_sequences_may_differ_between_samples():
    scores = torch.arange(40.0).view(2, 5, 1, 4).sin().log_softmax(-1)
    labels, lengths = torch.tensor([[[1, 2]], [[3, 1]]]), torch.tensor([[5], [4]])
    together = torch.nn.functional.ctc_loss
    found = torch.vmap(lambda x, t, n: together(x, t, n, torch.tensor([2])))(scores, labels, lengths)
    alone = [together(x, t, n, torch.tensor([2])) for x, t, n in zip(scores, labels, lengths)]
    assert torch.allclose(found, torch.stack(alone))
