"""Dictionaries whose keys are tensors by identity."""

import copy

import rushlight as torch
from rushlight.utils.weak import TensorWeakRef, WeakIdKeyDictionary


def test_items_go_with_their_tensors():
    first, second = torch.ones(2), torch.ones(2)
    held = WeakIdKeyDictionary({first: 1, second: 2})
    assert held[first] == 1 and held[second] == 2 and len(held) == 2
    assert first in held and torch.ones(2) not in held and 3 not in held
    assert [key is first or key is second for key in held] == [True, True]
    again = held.copy()
    del first
    assert list(held.values()) == [2] and list(again.values()) == [2]
    del held[second]
    assert not held


def test_references():
    tensor = torch.ones(2)
    ref = TensorWeakRef(tensor)
    assert ref() is tensor and ref == TensorWeakRef(tensor) and hash(ref) == hash(TensorWeakRef(tensor))
    assert ref != TensorWeakRef(torch.ones(2))
    del tensor
    assert ref() is None


def test_deep_copies_have_the_same_keys_and_copies_of_the_values():
    key = torch.ones(2)
    mapping = WeakIdKeyDictionary({key: [1]})
    made = copy.deepcopy(mapping)
    assert made[key] == [1] and made[key] is not mapping[key]
    del key
    assert len(made) == 0
