"""Containers: lists and dictionaries of modules and parameters."""

import pytest

import rushlight as torch
from rushlight import nn


def test_a_sequential_is_a_list_that_can_be_called():
    s = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 3))
    s.insert(1, nn.ReLU())
    s.append(nn.Linear(3, 1))
    assert s(torch.ones(1, 1)).shape == (1, 1)
    assert [type(m).__name__ for m in s[1:3]] == ["ReLU", "Linear"]
    del s[1]
    assert [name for name, _ in s.named_children()] == ["0", "1", "2"]
    with pytest.raises(IndexError, match="index 9 is out of range"):
        s[9]


def test_a_module_list_registers_what_it_holds():
    m = nn.ModuleList(nn.Linear(1, n) for n in (1, 2))
    m += [nn.Linear(1, 3)]
    assert len(list(m.parameters())) == 6
    assert m.pop(0).out_features == 1
    assert [name for name, _ in m.named_parameters()][0] == "0.weight"


def test_a_module_dict_keeps_its_order():
    m = nn.ModuleDict({"b": nn.ReLU()})
    m.update({"a": nn.Tanh()})
    assert list(m) == ["b", "a"]
    assert "a" in m
    assert m.pop("b") is not None
    assert list(m.keys()) == ["a"]


def test_parameter_lists_and_dicts_make_parameters_of_tensors():
    m = nn.ParameterList([torch.ones(2)])
    m.append(torch.zeros(1))
    d = nn.ParameterDict({"w": torch.ones(3)})
    assert all(isinstance(p, nn.Parameter) for p in (*m, d["w"]))
    assert list(m.state_dict()) == ["0", "1"]
    assert [name for name, _ in d.named_parameters()] == ["w"]
