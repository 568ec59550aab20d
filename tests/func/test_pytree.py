"""Trees: what is a container, what a leaf, and how structures are compared, printed and put together again."""

import dataclasses
import enum
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

import rushlight as torch
from rushlight.utils import _pytree as tree

Pair = namedtuple("Pair", "x y")


def sample():
    return {
        "b": 1,
        "a": [2, (3, None)],
        "o": OrderedDict(z=1),
        "p": Pair(5, 6),
        "d": defaultdict(list, {"q": 4}),
        "k": deque([7, 8], maxlen=5),
        "e": (),
    }


def test_leaves_come_in_order_of_insertion():
    assert tree.tree_leaves(sample()) == [1, 2, 3, None, 1, 5, 6, 4, 7, 8]


def test_put_together_again():
    leaves, spec = tree.tree_flatten(sample())
    made = tree.tree_unflatten([leaf and leaf + 1 for leaf in leaves], spec)
    assert made["p"] == Pair(6, 7) and made["k"].maxlen == 5 and made["d"]["new"] == [] and made["a"] == [3, (4, None)]


def test_spec_is_shown_and_compared():
    spec = tree.tree_structure([1, (2, 3)])
    assert repr(spec) == "TreeSpec(list, None, [*,\n  TreeSpec(tuple, None, [*,\n    *])])"
    assert spec == tree.tree_structure([0, ("a", None)]) and hash(spec) == hash(tree.tree_structure([0, (0, 0)]))
    assert spec != tree.tree_structure((1, (2, 3)))


def test_named_results_are_containers():
    found = torch.max(torch.ones(2, 2), 0)
    made = tree.tree_map(lambda t: t + 1, found)
    assert type(made) is type(found) and made.values.tolist() == [2.0, 2.0]


def test_structures_that_differ_are_refused():
    with pytest.raises(ValueError, match="arity mismatch; expected 2, but got 1"):
        tree.tree_map(lambda a, b: a, [1, 2], [1])
    with pytest.raises(ValueError, match=r"missing key\(s\): {'a'}; extra key\(s\): {'b'}"):
        tree.tree_map(lambda a, b: a, {"a": 1}, {"b": 2})


def test_prefix_is_stretched():
    spec = tree.tree_structure((1, [2, 3]))
    assert tree._broadcast_to_and_flatten((0, 1), spec) == [0, 1, 1]
    assert tree._broadcast_to_and_flatten([0, 1], spec) is None


def test_registered_class():
    class Box:
        def __init__(self, inside):
            self.inside = inside

    tree.register_pytree_node(Box, lambda b: ([b.inside], None), lambda v, c: Box(*v))
    try:
        assert tree.tree_map(lambda x: x * 2, [Box(4)])[0].inside == 8
        with pytest.raises(ValueError, match="already registered"):
            tree.register_pytree_node(Box, None, None)
    finally:
        tree._deregister_pytree_node(Box)


def test_paths_and_text():
    paths = tree.tree_leaves_with_path(sample())
    assert tree.keystr(paths[4][0]) == "['o']['z']" and tree.keystr(paths[5][0]) == "['p'].x"
    assert tree.key_get(sample(), paths[2][0]) == 3
    spec = tree.tree_structure({"a": [1, (2,)]})
    assert tree.treespec_loads(tree.treespec_dumps(spec)) == spec
    assert tree.treespec_pprint(spec) == "{'a': [*, (*,)]}"


def test_only_some_types():
    assert tree.tree_map_only((int, str), lambda x: x * 2, [1, "a", 2.0]) == [2, "aa", 2.0]
    with pytest.raises(TypeError, match="must be a type"):
        tree.tree_map_only(3, None, [])


class Colour(enum.Enum):
    RED = 1


def test_enumerations_in_contexts_are_written_by_name():
    spec = tree.TreeSpec(dict, [Colour.RED], [tree.treespec_leaf()])
    text = tree.treespec_dumps(spec)
    assert tree.treespec_loads(text) == spec
    with pytest.raises(ValueError, match="is no enumeration"):
        tree.treespec_loads(text.replace("Colour", "Pair"))


def test_the_old_name_of_registration_overwrites_with_a_warning():
    class Twin:
        pass

    with pytest.warns(FutureWarning, match="deprecated"):
        tree._register_pytree_node(Twin, lambda pair: ([], None), lambda children, _: Twin())
    with pytest.warns(UserWarning, match="already registered as pytree node. Overwriting"):
        tree._register_pytree_node(Twin, lambda pair: ([1, 2], None), lambda children, _: Twin())
    leaves, spec = tree.tree_flatten(Twin())
    assert leaves == [1, 2]
    with pytest.raises(NotImplementedError, match="No registered serialization name"):
        tree.treespec_dumps(spec)
    tree._deregister_pytree_node(Twin)


def test_fields_of_dataclasses_are_named_in_full():
    @dataclasses.dataclass
    class Pair:
        left: object
        right: object = 0

    with pytest.raises(ValueError, match="Missing fields in `field_names`: {'right'}"):
        tree.register_dataclass(Pair, field_names=["left"])
    with pytest.raises(ValueError, match="Unexpected fields in `field_names`: {'middle'}"):
        tree.register_dataclass(Pair, field_names=["left", "right", "middle"])
    tree.register_dataclass(Pair, field_names=["left"], drop_field_names=["right"])
    assert tree.tree_map(lambda x: x + 1, Pair(1, 5)) == Pair(2, 0)

    class Plain:
        def __init__(self, a):
            self.a = a

    tree.register_dataclass(Plain, field_names=["a"])
    assert tree.tree_leaves(Plain(3)) == [3]


def test_constants_compare_by_value():
    class Same:
        pass

    with pytest.raises(TypeError, match="non-default `__eq__` implementation"):
        tree.register_constant(Same)
    Same.__eq__ = lambda self, other: True
    Same.__hash__ = None
    with pytest.raises(TypeError, match="non-default `__hash__` implementation"):
        tree.register_constant(Same)
    Same.__hash__ = lambda self: 0
    tree.register_constant(Same)
    assert tree.tree_flatten([Same(), 1])[0] == [1]


def test_older_ways_to_write_specs():
    leaves, spec = tree.tree_flatten((1, [2]))
    assert tree.tree_unflatten(spec, leaves) == (1, [2])
    with pytest.warns(FutureWarning, match="children_specs` is deprecated"):
        assert spec.children_specs == spec.children()
    with pytest.warns(FutureWarning, match="LeafSpec"):
        assert tree.LeafSpec() == tree.treespec_leaf()
    with pytest.raises(ValueError, match=r"Expected a tuple of TreeSpec values, got: \[3\]"):
        tree.treespec_tuple([3])
