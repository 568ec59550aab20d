"""Nested containers as trees: taken apart into a list of leaves and a description of the nesting, and put together again.

A container's class is registered once with a function that takes it apart (children, context) and one that puts it together; ``None``,
tensors and everything else unregistered are leaves. The transforms of ``torch.func`` take and return such trees.
"""

import dataclasses
import enum
import functools
import importlib
import json
import types
import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = [
    *("PyTree", "Context", "FlattenFunc", "UnflattenFunc", "TreeSpec", "LeafSpec", "keystr", "key_get"),
    *("DumpableContext", "FlattenFn", "FromDumpableContextFn", "ToDumpableContextFn", "UnflattenFn"),
    *("register_pytree_node", "tree_is_leaf", "tree_flatten", "tree_flatten_with_path", "tree_unflatten", "tree_iter"),
    *("tree_leaves", "tree_leaves_with_path", "tree_structure", "tree_map", "tree_map_with_path", "tree_map_"),
    *("tree_map_only", "tree_map_only_", "tree_all", "tree_any", "tree_all_only", "tree_any_only", "treespec_dumps"),
    *("treespec_loads", "treespec_pprint", "is_namedtuple", "is_namedtuple_class", "is_namedtuple_instance"),
    *("is_structseq", "is_structseq_class", "is_structseq_instance"),
]

PyTree = Any
Context = Any
DumpableContext = Any
FlattenFn = Callable[[PyTree], tuple[list, Context]]
UnflattenFn = Callable[[list, Context], PyTree]
# their older names
FlattenFunc, UnflattenFunc = FlattenFn, UnflattenFn
FlattenWithKeysFunc = Callable[[PyTree], tuple[list[tuple[Any, Any]], Context]]
ToDumpableContextFn = Callable[[Context], DumpableContext]
FromDumpableContextFn = Callable[[DumpableContext], Context]


class NodeDef(NamedTuple):
    """How a class of containers is taken apart and put together."""

    type: type
    flatten_fn: Callable
    unflatten_fn: Callable
    flatten_with_keys_fn: Callable | None


class _Serialized(NamedTuple):
    name: str
    dump: Callable | None
    load: Callable | None


SUPPORTED_NODES = {}
#: names and contexts of classes in JSON
_SERIALIZED = {}


# --------------------------------------------------------------------------------------------------------- key paths


@dataclasses.dataclass(frozen=True)
class SequenceKey:
    """A place in a list or tuple."""

    idx: int

    def __str__(self):
        return f"[{self.idx!r}]"

    def get(self, sequence):
        return sequence[self.idx]


@dataclasses.dataclass(frozen=True)
class MappingKey:
    """A key of a dict."""

    key: Any

    def __str__(self):
        return f"[{self.key!r}]"

    def get(self, mapping):
        return mapping[self.key]


@dataclasses.dataclass(frozen=True)
class GetAttrKey:
    """A field of a named tuple or an attribute."""

    name: str

    def __str__(self):
        return f".{self.name}"

    def get(self, obj):
        return getattr(obj, self.name)


def keystr(kp):
    """A key path as one would write it after the name of the tree, e.g. ``"['a'][0].x"``."""
    return "".join([str(key) for key in kp])


def key_get(obj, kp):
    """What lies at a key path."""
    for key in kp:
        obj = key.get(obj)
    return obj


# ------------------------------------------------------------------------------------------------------- registration


def register_pytree_node(
    cls,
    flatten_fn,
    unflatten_fn,
    *,
    serialized_type_name=None,
    to_dumpable_context=None,
    from_dumpable_context=None,
    flatten_with_keys_fn=None,
):
    """Let ``cls`` be a container.

    Args:
        cls: the class; its subclasses are not included.
        flatten_fn: ``(list of children, context)`` of an instance; contexts are compared with ``==``.
        unflatten_fn: an instance from ``(children, context)``.
        serialized_type_name, to_dumpable_context, from_dumpable_context: how ``treespec_dumps`` writes it.
        flatten_with_keys_fn: as ``flatten_fn``, with (key, child) pairs.

    Raises ValueError for a class that is registered already.
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls!r} is already registered as pytree node.")
    if (to_dumpable_context is None) != (from_dumpable_context is None):
        raise ValueError(f"Both to_dumpable_context and from_dumpable_context for {cls} must be None or registered.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)
    _SERIALIZED[cls] = _Serialized(serialized_type_name, to_dumpable_context, from_dumpable_context)


def _register_pytree_node(cls, flatten_fn, unflatten_fn, **options):
    """The private name of old code."""
    warnings.warn(
        "`torch.utils._pytree._register_pytree_node` is deprecated. Please use `torch.utils._pytree.register_pytree_node` instead.",
        FutureWarning,
        stacklevel=2,
    )
    if cls in SUPPORTED_NODES:
        warnings.warn(
            f"{cls} is already registered as pytree node. Overwriting the previous registration.", stacklevel=2
        )
        _deregister_pytree_node(cls)
    register_pytree_node(cls, flatten_fn, unflatten_fn, **options)


def _deregister_pytree_node(cls):
    del SUPPORTED_NODES[cls]
    del _SERIALIZED[cls]


def register_dataclass(cls, *, field_names=None, drop_field_names=None, serialized_type_name=None):
    """Let a dataclass be a container of its fields (those that ``__init__`` takes, unless ``field_names`` says which)."""
    if not dataclasses.is_dataclass(cls):
        if field_names is None:
            raise ValueError(
                f"field_names must be specified with a list of all fields used to initialize {cls}, as it is not a dataclass."
            )
        names = list(field_names)
    else:
        taken = [f.name for f in dataclasses.fields(cls) if f.init]
        names = taken if field_names is None else list(field_names)
        if field_names is not None:
            _require_fields({name for name in taken if name not in (drop_field_names or ())}, set(names))

    def flatten(obj):
        present = [name for name in names if getattr(obj, name) is not None]
        return [getattr(obj, name) for name in present], [present, [n for n in names if n not in present]]

    def flatten_with_keys(obj):
        values, context = flatten(obj)
        return [(GetAttrKey(name), value) for name, value in zip(context[0], values)], context

    def unflatten(values, context):
        return cls(**dict(zip(context[0], values)), **dict.fromkeys(context[1]))

    register_pytree_node(
        *(cls, flatten, unflatten),
        serialized_type_name=serialized_type_name,
        flatten_with_keys_fn=flatten_with_keys,
    )


def _require_fields(wanted, named):
    """Refuse names of fields that are not those of a dataclass."""
    if wanted == named:
        return
    text = "field_names does not include all dataclass fields.\n"
    if wanted - named:
        text += (
            f"Missing fields in `field_names`: {wanted - named}. If you want to include these fields in the pytree, please add them to "
            "`field_names`, otherwise please add them to `drop_field_names`.\n"
        )
    if named - wanted:
        text += f"Unexpected fields in `field_names`: {named - wanted}. Please remove these fields, or add them to `drop_field_names`.\n"
    raise ValueError(text)


def register_constant(cls):
    """Let instances of a class (with ``__eq__`` and ``__hash__``) be part of the structure, not leaves."""
    for method, default in (("__eq__", object.__eq__), ("__hash__", None)):
        if getattr(cls, method) is default:
            raise TypeError(f"register_constant(cls) expects `cls` to have a non-default `{method}` implementation.")
    register_pytree_node(cls, lambda obj: ([], _Constant(obj)), lambda children, context: context.value)


class _Constant(NamedTuple):
    value: Any


def _register_namedtuple(cls, *, serialized_type_name):
    """Name a namedtuple class for ``treespec_dumps``."""
    _SERIALIZED[cls] = _Serialized(serialized_type_name, None, None)


# --------------------------------------------------------------------------------------------------- named sequences


def is_namedtuple(obj):
    """Whether ``obj`` is an instance or a class made by ``namedtuple``."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_namedtuple_instance(obj):
    return is_namedtuple_class(type(obj))


def is_namedtuple_class(cls):
    return (
        isinstance(cls, type)
        and issubclass(cls, tuple)
        and not is_structseq_class(cls)
        and isinstance(getattr(cls, "_fields", None), tuple)
        and all(type(field) is str for field in cls._fields)
        and callable(getattr(cls, "_make", None))
        and callable(getattr(cls, "_asdict", None))
    )


def is_structseq(obj):
    """Whether ``obj`` is an instance or a class of named results (``torch.return_types``)."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_instance(obj):
    return is_structseq_class(type(obj))


def is_structseq_class(cls):
    return isinstance(cls, type) and issubclass(cls, tuple) and cls.__module__ == "torch.return_types"


_is_namedtuple_instance = is_namedtuple_instance


def _node_type(tree):
    """The registered class a tree counts as: its own, ``namedtuple`` or the class of named results."""
    cls = tree.__class__
    if cls in SUPPORTED_NODES:
        return cls
    if is_structseq_class(cls):
        _register_results(cls)
        return cls
    return namedtuple if is_namedtuple_class(cls) else cls


_get_node_type = _node_type


def _register_results(cls):
    register_pytree_node(cls, lambda results: (list(results), None), lambda children, context: cls(*children))


# ------------------------------------------------------------------------------------------------ built-in containers


def _indexed(children):
    return [(SequenceKey(i), child) for i, child in enumerate(children)]


def _keyed(mapping):
    return [(MappingKey(key), value) for key, value in mapping.items()]


def _register(cls, flatten, unflatten, with_keys, name=None, dump=None, load=None):
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten, unflatten, with_keys)
    _SERIALIZED[cls] = _Serialized(name or f"{cls.__module__}.{cls.__qualname__}", dump, load)


_register(tuple, lambda t: (list(t), None), lambda v, c: tuple(v), lambda t: (_indexed(t), None))
_register(list, lambda t: (list(t), None), lambda v, c: list(v), lambda t: (_indexed(t), None))
_register(
    dict, lambda d: (list(d.values()), list(d)), lambda v, keys: dict(zip(keys, v)), lambda d: (_keyed(d), list(d))
)
_register(
    *(namedtuple, lambda t: (list(t), type(t)), lambda v, cls: cls(*v)),
    lambda t: ([(GetAttrKey(f), getattr(t, f)) for f in t._fields], type(t)),
    dump=lambda cls: _name_of_namedtuple(cls),
    load=lambda name: _namedtuple_by_name(name),
)
_register(
    *(OrderedDict, lambda d: (list(d.values()), list(d)), lambda v, keys: OrderedDict(zip(keys, v))),
    lambda d: (_keyed(d), list(d)),
)
_register(
    *(defaultdict, lambda d: (list(d.values()), [d.default_factory, list(d)])),
    lambda v, context: defaultdict(context[0], zip(context[1], v)),
    lambda d: (_keyed(d), [d.default_factory, list(d)]),
    dump=lambda context: _dump_factory(context),
    load=lambda data: _load_factory(data),
)
_register(
    *(deque, lambda d: (list(d), d.maxlen), lambda v, maxlen: deque(v, maxlen=maxlen)),
    lambda d: (_indexed(d), d.maxlen),
)

BUILTIN_TYPES = frozenset(SUPPORTED_NODES)
# programs register classes like these with the functions of those
_dict_flatten, _dict_unflatten, _dict_flatten_with_keys = SUPPORTED_NODES[dict][1:]
_list_flatten, _list_unflatten, _list_flatten_with_keys = SUPPORTED_NODES[list][1:]
STANDARD_DICT_TYPES = frozenset((dict, OrderedDict, defaultdict))


def _register_size():
    from ..size import Size

    # put together again it is a plain tuple, as its places may hold anything by then
    _register(Size, lambda t: (list(t), None), lambda v, c: tuple(v), lambda t: (_indexed(t), None), "torch.Size")


_register_size()


# ---------------------------------------------------------------------------------------------------------- the spec


class TreeSpec:
    """The nesting of a tree without its leaves: a class, its context, and the specs of the children."""

    __slots__ = ("_children", "context", "num_children", "num_leaves", "num_nodes", "type")

    def __init__(self, type, context, children_specs):
        self.type, self.context, self._children = type, context, list(children_specs)
        nodes, leaves = 1, int(type is None)
        for child in self._children:
            nodes += child.num_nodes
            leaves += child.num_leaves
        self.num_nodes, self.num_leaves, self.num_children = nodes, leaves, len(self._children)

    def is_leaf(self):
        return self.num_nodes == 1 and self.num_leaves == 1

    def children(self):
        """The specs of the children."""
        return self._children.copy()

    @property
    def children_specs(self):
        warnings.warn(
            "`treespec.children_specs` is deprecated. Use `treespec.child(index)` to access a single child, or `treespec.children()` to "
            "get all children.",
            FutureWarning,
            stacklevel=2,
        )
        return self.children()

    def child(self, index):
        return self._children[index]

    def entries(self):
        """What each child is called in its container."""
        if self.type in STANDARD_DICT_TYPES:
            return list(self.context[1] if self.type is defaultdict else self.context)
        return list(range(self.num_children))

    def flatten_up_to(self, tree):
        """The subtrees of ``tree`` that stand where this spec has leaves; ValueError where the two differ in structure above."""
        found = []
        self._flatten_up_to(tree, found)
        return found

    def _flatten_up_to(self, tree, found):
        if self.is_leaf():
            found.append(tree)
            return
        node = _node_type(tree)
        dicts = self.type in STANDARD_DICT_TYPES and node in STANDARD_DICT_TYPES
        if node is not self.type and not dicts:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {node!r}.")
        if len(tree) != self.num_children if dicts else False:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(tree)}.")
        if dicts:
            expected = self.entries()
            missing, extra = set(expected).difference(tree), set(tree).difference(expected)
            if missing or extra:
                text = (
                    f"missing key(s): {missing}" * bool(missing)
                    + "; " * bool(missing and extra)
                    + f"extra key(s): {extra}" * bool(extra)
                )
                raise ValueError(f"Node keys mismatch; {text}.")
            children = [tree[key] for key in expected]
        else:
            children, context = SUPPORTED_NODES[node].flatten_fn(tree)
            if len(children) != self.num_children:
                raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
            if context != self.context and self.type is not deque:
                raise ValueError(
                    f"Node context mismatch for custom node type {self.type!r}."
                    if self.type not in BUILTIN_TYPES
                    else f"Node type mismatch; expected {self.context!r}, but got {context!r}."
                )
        for spec, child in zip(self._children, children):
            spec._flatten_up_to(child, found)

    def unflatten(self, leaves):
        """The tree with ``leaves`` in their places; ValueError for another number of them."""
        if not isinstance(leaves, (list, tuple)):
            leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec refers to a pytree that holds "
                f"{self.num_leaves} items ({self})."
            )
        return self._put(iter(leaves))

    def _put(self, leaves):
        if self.type is None:
            return next(leaves)
        return SUPPORTED_NODES[self.type].unflatten_fn([child._put(leaves) for child in self._children], self.context)

    def __repr__(self, indent=0):
        if self.is_leaf():
            return "*"
        head = f"TreeSpec({self.type.__name__}, {self.context}, ["
        inner = indent + 2
        children = [child.__repr__(inner) for child in self._children]
        return head + (",\n" + " " * inner).join(children) + "])"

    def __str__(self):
        return self.__repr__()

    def __eq__(self, other):
        if self is other:
            return True
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return (
            self.type is other.type
            and self.num_leaves == other.num_leaves
            and self.context == other.context
            and self._children == other._children
        )

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        if self.type is None:
            return hash((None, None, ()))
        context = self.context
        if self.type is defaultdict:
            context = (context[0], tuple(context[1]))
        elif isinstance(context, list):
            context = tuple(context)
        return hash((self.type, context, tuple(self._children)))

    def __reduce__(self):
        return TreeSpec, (self.type, self.context, self._children)


TreeSpec.__module__ = __name__
PyTreeSpec = TreeSpec

_LEAF_SPEC = TreeSpec(None, None, [])


class _LeafMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, TreeSpec) and instance.is_leaf()

    def __call__(cls, *args, **kwargs):
        warnings.warn(
            "`isinstance(treespec, LeafSpec)` is deprecated, use `isinstance(treespec, TreeSpec) and treespec.is_leaf()` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return _LEAF_SPEC


class LeafSpec(TreeSpec, metaclass=_LeafMeta):
    """The spec of a leaf: ``LeafSpec()`` gives the one there is."""


def treespec_leaf():
    return _LEAF_SPEC


def treespec_tuple(iterable=(), /):
    """The spec of a tuple of specs."""
    children = list(iterable)
    if not all(isinstance(child, TreeSpec) for child in children):
        raise ValueError(f"Expected a tuple of TreeSpec values, got: {children}.")
    return TreeSpec(tuple, None, children)


def treespec_dict(mapping=(), /, **kwargs):
    """The spec of a dict of specs."""
    made = dict(mapping, **kwargs)
    return TreeSpec(dict, list(made), list(made.values()))


# ---------------------------------------------------------------------------------------------- taking apart, walking


def tree_is_leaf(tree, is_leaf=None):
    """Whether ``tree`` is a leaf: of no registered class, or one that ``is_leaf`` holds for."""
    if is_leaf is not None and is_leaf(tree):
        return True
    # only named tuples and named results are registered by a class above their own
    return tree.__class__ not in SUPPORTED_NODES and not (
        isinstance(tree, tuple) and _node_type(tree) in SUPPORTED_NODES
    )


_is_leaf = tree_is_leaf


def tree_iter(tree, is_leaf=None):
    """The leaves one by one."""
    if tree_is_leaf(tree, is_leaf):
        yield tree
        return
    for child in SUPPORTED_NODES[_node_type(tree)].flatten_fn(tree)[0]:
        yield from tree_iter(child, is_leaf)


def tree_leaves(tree, is_leaf=None):
    """The leaves in a list."""
    return list(tree_iter(tree, is_leaf))


def arg_tree_leaves(*args, **kwargs):
    """The leaves of a call's arguments."""
    return [leaf for each in (*args, *kwargs.values()) for leaf in tree_iter(each)]


def tree_flatten(tree, is_leaf=None):
    """``(leaves, spec)``: the list of leaves, and the ``TreeSpec`` that puts them together again."""
    leaves = []
    return leaves, _flattened(tree, leaves, is_leaf)


def _flattened(tree, leaves, is_leaf):
    if is_leaf is not None and is_leaf(tree):
        leaves.append(tree)
        return _LEAF_SPEC
    kind = tree.__class__
    node = SUPPORTED_NODES.get(kind)
    if node is None:
        # only named tuples and named results are registered by a class above their own
        if isinstance(tree, tuple):
            kind = _node_type(tree)
            node = SUPPORTED_NODES.get(kind)
        if node is None:
            leaves.append(tree)
            return _LEAF_SPEC
    children, context = node.flatten_fn(tree)
    return TreeSpec(kind, context, [_flattened(child, leaves, is_leaf) for child in children])


def tree_structure(tree, is_leaf=None):
    """The spec alone."""
    return tree_flatten(tree, is_leaf)[1]


def tree_unflatten(leaves, treespec):
    """The tree that ``treespec`` describes, with ``leaves``. The two may come the other way round, as they once did in PyTorch."""
    if isinstance(leaves, TreeSpec):
        leaves, treespec = treespec, leaves
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    return treespec.unflatten(leaves)


def tree_map(func, tree, *rests, is_leaf=None):
    """A tree of the same structure with ``func`` applied to the leaves (and to what stands there in ``rests``)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten([func(*each) for each in zip(leaves, *others)])


def tree_map_(func, tree, *rests, is_leaf=None):
    """Call ``func`` on every leaf for its effect; returns ``tree``."""
    leaves, spec = tree_flatten(tree, is_leaf)
    for each in zip(leaves, *[spec.flatten_up_to(rest) for rest in rests]):
        func(*each)
    return tree


def map_only(type_or_types_or_pred, /):
    """Make a function leave everything alone that is not of the given types (or that a predicate does not hold for)."""
    chosen = _chooser(type_or_types_or_pred)

    def decorate(func):
        @functools.wraps(func)
        def wrapped(value):
            return func(value) if chosen(value) else value

        return wrapped

    return decorate


def _chooser(which):
    if isinstance(which, (type, tuple, types.UnionType)):
        return lambda value: isinstance(value, which)
    if callable(which):
        return which
    raise TypeError("Argument must be a type, a tuple of types, or a callable.")


def tree_map_only(type_or_types_or_pred, /, func, tree, is_leaf=None):
    """``tree_map`` that changes only leaves of some types."""
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(type_or_types_or_pred, /, func, tree, is_leaf=None):
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether ``pred`` holds for every leaf."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(type_or_types, /, pred, tree, is_leaf=None):
    """Whether ``pred`` holds for every leaf of some types."""
    return all(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, type_or_types))


def tree_any_only(type_or_types, /, pred, tree, is_leaf=None):
    return any(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, type_or_types))


def _broadcast_to_and_flatten(tree, treespec, is_leaf=None):
    """The leaves of ``tree`` stretched to a spec of which it is a prefix: a leaf stands for a whole subtree. None where it is no prefix."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    if treespec.is_leaf() or _node_type(tree) is not treespec.type:
        return None
    children, context = SUPPORTED_NODES[treespec.type].flatten_fn(tree)
    if len(children) != treespec.num_children or context != treespec.context:
        return None
    stretched = []
    for child, spec in zip(children, treespec.children()):
        found = _broadcast_to_and_flatten(child, spec, is_leaf)
        if found is None:
            return None
        stretched += found
    return stretched


# ------------------------------------------------------------------------------------------------------------- paths


def _with_paths(tree, path, is_leaf):
    if tree_is_leaf(tree, is_leaf):
        yield path, tree
        return
    kind = _node_type(tree)
    keyed = SUPPORTED_NODES[kind].flatten_with_keys_fn
    if keyed is None:
        raise ValueError(
            f"Did not find a flatten_with_keys_fn for type: {kind}. Please pass a flatten_with_keys_fn argument to register_pytree_node."
        )
    for key, child in keyed(tree)[0]:
        yield from _with_paths(child, (*path, key), is_leaf)


def tree_leaves_with_path(tree, is_leaf=None):
    """(key path, leaf) pairs."""
    return list(_with_paths(tree, (), is_leaf))


def tree_flatten_with_path(tree, is_leaf=None):
    """``tree_flatten`` with (key path, leaf) pairs for leaves."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func, tree, *rests, is_leaf=None):
    """``tree_map`` with the leaf's key path as the function's first argument."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten([func(path, leaf, *rest) for (path, leaf), *rest in zip(pairs, *others)])


# -------------------------------------------------------------------------------------------------------- as text


def _name_of_namedtuple(cls):
    known = _SERIALIZED.get(cls)
    if known is None or known.name is None:
        raise NotImplementedError(
            f"Can't serialize TreeSpec of namedtuple class {cls} because we didn't register a serializated_type_name. Please register "
            "using `_register_namedtuple`."
        )
    return json.dumps(known.name)


def _namedtuple_by_name(name):
    name = json.loads(name)
    for cls, known in _SERIALIZED.items():
        if known.name == name:
            return cls
    raise NotImplementedError(
        f"Can't deserialize TreeSpec of namedtuple class {name} because we couldn't find a serializated name."
    )


def _dump_factory(context):
    factory, keys = context
    return {
        "default_factory_module": factory.__module__,
        "default_factory_name": factory.__qualname__,
        "dict_context": keys,
    }


def _load_factory(data):
    import importlib

    module = importlib.import_module(data["default_factory_module"])
    return [getattr(module, data["default_factory_name"]), data["dict_context"]]


_PROTOCOL = 1


def treespec_dumps(treespec, protocol=None):
    """A spec as JSON text: ``[protocol, {"type", "context", "children_spec"}]``."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    if protocol not in (None, _PROTOCOL):
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{_PROTOCOL}]")
    return json.dumps((_PROTOCOL, _to_json(treespec)))


def _to_json(spec):
    if spec.is_leaf():
        return {"type": None, "context": None, "children_spec": []}
    known = _SERIALIZED.get(spec.type)
    if known is None or known.name is None:
        raise NotImplementedError(
            f"No registered serialization name for {spec.type} found. Please update your _register_pytree_node call with a "
            "`serialized_type_name` kwarg."
        )
    context = json.dumps(spec.context, default=_enum_to_json) if known.dump is None else known.dump(spec.context)
    return {"type": known.name, "context": context, "children_spec": [_to_json(child) for child in spec.children()]}


def _enum_to_json(value):
    """A member of an enumeration by its names; TypeError for whatever else JSON does not know."""
    if not isinstance(value, enum.Enum):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    kind = type(value)
    return {"__enum__": True, "fqn": f"{kind.__module__}:{kind.__qualname__}", "name": value.name}


def _enum_from_json(found):
    if not found.get("__enum__"):
        return found
    module, _, qualname = found["fqn"].partition(":")
    kind = functools.reduce(getattr, qualname.split("."), importlib.import_module(module))
    if not (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        raise ValueError(f"{found['fqn']} is no enumeration")
    return kind[found["name"]]


def treespec_loads(serialized):
    """The spec that ``treespec_dumps`` wrote."""
    protocol, data = json.loads(serialized)
    if protocol != _PROTOCOL:
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{_PROTOCOL}]")
    return _from_json(data)


def _from_json(data):
    if data["type"] is None:
        return _LEAF_SPEC
    for cls, known in _SERIALIZED.items():
        if known.name == data["type"] and cls in SUPPORTED_NODES:
            break
    else:
        raise NotImplementedError(f"Deserializing {data['type']} in pytree is not registered.")
    context = (
        json.loads(data["context"], object_hook=_enum_from_json) if known.load is None else known.load(data["context"])
    )
    return TreeSpec(cls, context, [_from_json(child) for child in data["children_spec"]])


class _Asterisk(str):
    __slots__ = ()

    def __repr__(self):
        return "*"


def treespec_pprint(treespec):
    """The tree with ``*`` for every leaf, as text."""
    return repr(treespec.unflatten([_Asterisk()] * treespec.num_leaves))
