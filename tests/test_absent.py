"""Parts of PyTorch that are not here can be imported; using them says so."""

import importlib

import pytest

import rushlight as torch


@pytest.mark.parametrize("name", ["fx", "ao", "export", "onnx", "distributed", "sparse", "quasirandom"])
def test_modules_below_an_absent_one_can_be_imported(name):
    below = importlib.import_module(f"rushlight.{name}.somewhere.below")
    with pytest.raises(NotImplementedError, match=rf"so torch.{name}.somewhere.below.Thing is not there"):
        below.Thing(1)


def test_names_serve_where_nothing_is_called():
    assert not isinstance(3, torch.fx.GraphModule)
    assert repr(torch.fx.Graph) == "<class 'torch.fx.Graph'>"
    assert torch.fx.Graph is torch.fx.Graph

    def reduce(op=torch.distributed.ReduceOp.SUM) -> torch.fx.Node | None:
        """Defaults and annotations."""

    class Mine(torch.fx.Interpreter):
        """A base."""

    with pytest.raises(NotImplementedError, match="traces no code into graphs, so torch.fx.Interpreter is not there"):
        Mine(None)


def test_names_that_neither_has_are_not_there():
    with pytest.raises(AttributeError, match="module 'torch.fx' has no attribute 'nonsense'"):
        torch.fx.nonsense  # noqa: B018
    assert not hasattr(torch.distributed, "nonsense")
    assert not hasattr(torch.fx.Graph, "_private")


def test_a_mark_for_tracers_leaves_the_function_as_it_is():
    assert torch.fx.wrap(len) is len
    with pytest.raises(RuntimeError, match="either a callable or string name"):
        torch.fx.wrap(3)
