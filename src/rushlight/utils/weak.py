"""``torch.utils.weak``: dictionaries whose keys are tensors, or other objects, by identity, which they do not keep alive."""

import copy
import weakref
from collections.abc import MutableMapping

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakIdRef", "WeakTensorKeyDictionary"]


class WeakIdRef(weakref.ref):
    """A weak reference that is equal to others of the same object, whatever that says of equality."""

    __slots__ = ("_id",)

    def __init__(self, key, callback=None):
        super().__init__(key, callback)
        self._id = id(key)

    def __hash__(self):
        return self._id

    def __eq__(self, other):
        mine, theirs = self(), other()
        return mine is theirs if mine is not None and theirs is not None else self is other


class WeakIdKeyDictionary(MutableMapping):
    """A mapping by identity whose items go when their keys do."""

    def __init__(self, dict=None, ref_type=WeakIdRef):
        self.ref_type = ref_type
        self.data = {}
        own = weakref.ref(self)

        def forget(ref):
            mapping = own()
            if mapping is not None:
                mapping.data.pop(ref, None)

        self._forget = forget
        if dict is not None:
            self.update(dict)

    def __getitem__(self, key):
        return self.data[self.ref_type(key)]

    def __setitem__(self, key, value):
        self.data[self.ref_type(key, self._forget)] = value

    def __delitem__(self, key):
        del self.data[self.ref_type(key)]

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        for ref in list(self.data):
            key = ref()
            if key is not None:
                yield key

    def __contains__(self, key):
        try:
            return self.ref_type(key) in self.data
        except TypeError:  # of which there can be no weak reference
            return False

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x}>"

    def keyrefs(self):
        """The weak references that are the keys."""
        return list(self.data)

    def copy(self):
        """Another mapping of the same keys to the same values."""
        return type(self)(self)

    __copy__ = copy

    def __deepcopy__(self, memo):
        """The same keys with copies of the values."""
        made = type(self)()
        for key, value in self.items():
            made[key] = copy.deepcopy(value, memo)
        return made


WeakTensorKeyDictionary = WeakIdKeyDictionary


class TensorWeakRef:
    """A weak reference of a tensor."""

    def __init__(self, tensor):
        self.ref = WeakIdRef(tensor)

    def __call__(self):
        return self.ref()

    def __eq__(self, other):
        return isinstance(other, TensorWeakRef) and self.ref == other.ref

    def __hash__(self):
        return hash(self.ref)
