"""Bad input raises what PyTorch raises, in type and text, and leaves nothing half done."""

import warnings

import pytest
import torch

import rushlight
from tests.parity.situations import SITUATIONS, _leaf

# Situations that do not agree yet, each with the reason; asserted to be still so.
KNOWN = {
    "invert_floats": "differs: NotImplementedError: 'bitwise_not_cpu' not implemented for 'Float' instead of TypeError: ~ (operator.invert) i",
    "matmul_function_by_a_number": "differs: AttributeError: 'int' object has no attribute 'ndim' instead of TypeError: matmul(): argument 'other' (positio",
    "where_of_a_number": "differs: AttributeError: 'float' object has no attribute 'dtype' instead of TypeError: where() received an invalid comb",
    "view_of_a_float": "differs: TypeError says ''float' object cannot be interpreted as an integer' PyTorch 'view() received an invalid combin",
    "sum_over_a_string": "differs: TypeError says ''str' object cannot be interpreted as an integer' PyTorch 'sum() received an invalid combinati",
    "tensor_of_a_list_that_starts_with_a_number": "differs: TypeError says ''list' object cannot be interpreted as an integer' PyTorch 'must be real number, not list'",
}

# rushlight adds the line to blame after PyTorch's text about values modified by an in-place operation.
MODIFIED = "has been modified by an inplace operation"


def raised(function, module):
    """The exception `function` raises on `module`."""
    module.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(module)
        except Exception as error:
            return error
    return None


def agreement(name):
    """None when rushlight refuses the situation as PyTorch does, else a sentence."""
    function = SITUATIONS[name]
    theirs, ours = raised(function, torch), raised(function, rushlight)
    assert theirs is not None, f"PyTorch does not refuse {name}"
    expected = str(theirs)
    if ours is None:
        return f"no error; PyTorch raises {type(theirs).__name__}: {expected}"
    if type(ours).__name__ != type(theirs).__name__:
        return f"{type(ours).__name__}: {ours}\n  instead of {type(theirs).__name__}: {expected}"
    if MODIFIED in expected:
        agrees = str(ours).startswith(expected.split(" Hint:")[0])
    else:
        agrees = str(ours) == expected
    return None if agrees else f"{type(ours).__name__}\n  says    {str(ours)!r}\n  PyTorch {expected!r}"


@pytest.mark.parametrize("name", SITUATIONS)
def test_refused_with_pytorchs_type_and_text(name):
    sentence = agreement(name)
    if name in KNOWN:
        assert sentence is not None, f"{name} agrees now: remove it from KNOWN"
    else:
        assert sentence is None, sentence


def test_there_are_many_situations_and_few_known_gaps():
    assert len(SITUATIONS) >= 100
    assert set(KNOWN) <= set(SITUATIONS)
    assert all(len(reason) > 10 for reason in KNOWN.values())


# --- no partial effect ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[rushlight, torch], ids=["rushlight", "torch"])
def t(request):
    """Both libraries: what is asserted of rushlight must hold for PyTorch, or the assertion is wrong."""
    return request.param


def test_failed_backward_leaves_no_grad_behind(t):
    x, w = _leaf(t, 2), _leaf(t, 2)
    saved = w * 1
    y = (x * 2).sum() + (saved * saved).sum()
    with t.no_grad():
        saved.add_(1)
    with pytest.raises(RuntimeError, match=MODIFIED):
        y.backward()
    assert w.grad is None


def test_backward_refused_for_its_gradient_changes_nothing(t):
    x = _leaf(t, 2)
    y = x * 2
    with pytest.raises(RuntimeError):
        y.backward(t.ones(3))
    assert x.grad is None
    y.backward(t.ones(2))
    assert x.grad.tolist() == [2.0, 2.0]


def test_backward_refused_for_a_vector_keeps_the_graph(t):
    x = _leaf(t, 2)
    y = x.exp()
    with pytest.raises(RuntimeError, match="scalar outputs"):
        y.backward()
    y.sum().backward()
    assert x.grad is not None


def test_second_backward_does_not_add_to_grad(t):
    x = _leaf(t, 2)
    y = (x * x).sum()
    y.backward()
    before = x.grad.clone()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    assert t.equal(x.grad, before)


def test_grad_refused_for_an_unused_input_touches_no_grad(t):
    x, z = _leaf(t, 2), _leaf(t, 2)
    with pytest.raises(RuntimeError):
        t.autograd.grad(x.sum(), [x, z])
    assert x.grad is None
    assert z.grad is None


@pytest.mark.parametrize(
    "write",
    [
        lambda t, x: x.add_(t.ones(5)),
        lambda t, x: x.mul_(t.ones(2, dtype=t.complex64)),
        lambda t, x: x.copy_(t.ones(5)),
        lambda t, x: x.__setitem__(7, 1.0),
        lambda t, x: x.__setitem__(0, t.ones(3)),
        lambda t, x: x.__setitem__(0, "a"),
        lambda t, x: x.masked_fill_(t.ones(2, dtype=t.int64), 0.0),
        lambda t, x: x.index_fill_(3, t.tensor([0]), 0.0),
        lambda t, x: x.scatter_(0, t.tensor([9]), 1.0),
        lambda t, x: x.clamp_(),
    ],
)
def test_refused_write_leaves_value_and_version(t, write):
    x = t.ones(2)
    with pytest.raises((RuntimeError, IndexError, TypeError, ValueError)):
        write(t, x)
    assert x.tolist() == [1.0, 1.0]
    assert x._version == 0


def test_refused_write_to_a_leaf_leaves_value_and_version(t):
    x = _leaf(t, 2)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        x.add_(1)
    assert x.tolist() == [1.0, 1.0]
    assert x._version == 0
    assert x.is_leaf
    assert x.grad_fn is None


def test_refused_grad_assignment_keeps_the_old_one(t):
    x = _leaf(t, 2)
    x.grad = t.ones(2)
    with pytest.raises(RuntimeError):
        x.grad = t.ones(3)
    with pytest.raises(TypeError):
        x.grad = "a"
    assert x.grad.tolist() == [1.0, 1.0]


def test_refused_requires_grad_leaves_the_flag(t):
    x = t.tensor([1, 2])
    with pytest.raises(RuntimeError):
        x.requires_grad_()
    assert not x.requires_grad


def test_a_hook_that_raises_leaves_the_leaf_without_grad(t):
    def hook(g):
        raise KeyError("from the hook")

    x = _leaf(t, 2)
    x.register_hook(hook)
    with pytest.raises(KeyError):
        (x * 2).sum().backward()
    assert x.grad is None


def test_grad_mode_is_restored_after_an_error(t):
    with pytest.raises(RuntimeError), t.no_grad():
        t.ones(2) + t.ones(3)
    assert t.is_grad_enabled()


def test_refused_out_keeps_its_value(t):
    out = t.zeros(2, dtype=t.int64)
    with pytest.raises(RuntimeError):
        t.add(t.ones(2), t.ones(2), out=out)
    assert out.tolist() == [0, 0]
