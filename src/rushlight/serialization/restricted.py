"""The reader of pickles that runs no code: what ``torch.load(weights_only=True)`` trusts a file with.

It is an interpreter of the few pickle instructions that numbers, strings, containers and tensors need. A name in the file is looked
up in a table, never imported; a call must be of an object of that table; state is set on a few known classes. Whoever trusts further
classes says so with ``add_safe_globals``.
"""

import _compat_pickle
import pickle
import pickletools
import warnings
from collections import Counter, OrderedDict

from .. import _tensor, _utils, dtypes, storage
from ..devices import device
from ..parameter import Parameter
from ..size import Size
from ..tensor import Tensor

__all__ = [
    *(
        "RestrictedUnpickler",
        "add_safe_globals",
        "clear_safe_globals",
        "get_safe_globals",
        "globals_of",
        "safe_globals",
    ),
]

#: modules from which nothing is taken even if somebody asks for it
_BLOCKED = ("sys", "os", "posix", "nt")
#: what users have added
_trusted: set = set()


def add_safe_globals(safe_globals):
    """Let ``torch.load`` use these functions and classes (or pairs of one and its full name) with ``weights_only=True``."""
    _trusted.update(safe_globals)


def get_safe_globals():
    """The functions and classes that were added."""
    return list(_trusted)


def clear_safe_globals():
    """Trust none but the built-in ones again."""
    _trusted.clear()


class safe_globals:  # noqa: N801 - PyTorch's name
    """Trust functions and classes within a ``with`` block; see `add_safe_globals`."""

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc):
        _trusted.difference_update(self.safe_globals)


def _encode(text, encoding="utf-8"):
    """How bytes are written in old pickles: as text in latin1."""
    if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise pickle.UnpicklingError(f"the file asks for the codec {encoding!r}, which bytes are never written in")
    return text.encode(encoding)


_allowed_by_name = None


def _allowed():
    """What every file may name, by full name."""
    global _allowed_by_name
    if _allowed_by_name is None:
        from . import _get_layout
        from .names import find

        table = {
            **{"collections.OrderedDict": OrderedDict, "collections.Counter": Counter, "_codecs.encode": _encode},
            **{"builtins.bytearray": bytearray, "builtins.set": set, "builtins.complex": complex},
            **{"torch.Size": Size, "torch.Tensor": Tensor, "torch.device": device},
            **{"torch.nn.parameter.Parameter": Parameter, "torch.serialization._get_layout": _get_layout},
            **{
                "torch.storage.TypedStorage": storage.TypedStorage,
                "torch.storage.UntypedStorage": storage.UntypedStorage,
            },
            "torch._tensor._rebuild_from_type_v2": _tensor._rebuild_from_type_v2,
        }
        table.update({f"torch._utils.{function.__name__}": function for function in _utils.REBUILD})
        for each in dtypes.ALL:
            table[f"torch.{each.name}"] = each
        for name, kind in storage.STORAGES.items():
            table[f"torch.{name}"] = table[f"torch.cuda.{name}"] = kind
            typed = name.replace("Storage", "Tensor")
            if not typed.startswith("Complex"):
                table[f"torch.{typed}"] = table[f"torch.cuda.{typed}"] = find("torch", typed)
        _allowed_by_name = table
    return _allowed_by_name


def _trusted_by_name():
    table = {}
    for each in _trusted:
        if isinstance(each, tuple):
            if len(each) != 2:
                raise ValueError(
                    f"Expected tuple of length 2 (global, str of callable full path), but got tuple of length: {len(each)}"
                )
            each, name = each
            if type(name) is not str:
                raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(name)}")
        else:
            name = f"{each.__module__}.{each.__qualname__}"
        table[name] = each
    return table


def _full_name(arg):
    """The (module, name) of a GLOBAL instruction, Python 2's names as Python 3's."""
    module, _, name = arg.partition(" ")
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def _instructions(file):
    """(instruction, its argument) of one pickle; UnpicklingError where the bytes are none."""
    try:
        for opcode, arg, _ in pickletools.genops(file):
            if opcode.name not in RestrictedUnpickler.RUN:
                raise pickle.UnpicklingError(f"Unsupported operand {ord(opcode.code)}")
            yield opcode.name, arg
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise pickle.UnpicklingError(f"the file is cut off or no pickle: {error}") from error


def globals_of(file):
    """The full names of all globals that a pickle would look up, as a set; nothing is looked up."""
    return {".".join(_full_name(arg)) for name, arg in _instructions(file) if name == "GLOBAL"}


class RestrictedUnpickler:
    """Reads one pickle after the other from a binary file.

    ``persistent_load`` gives the storage of a persistent id. UnpicklingError for whatever the file asks for that is not allowed;
    nothing of a file that is refused is returned.
    """

    def __init__(self, file, *, encoding="utf-8", persistent_load=None):
        self._file = file
        self._encoding = encoding
        self.persistent_load = persistent_load

    def load(self):
        self._stack, self._marked, self._memo = [], [], {}
        self._table = {**_trusted_by_name(), **_allowed()}
        self._ids = {id(each) for each in self._table.values()}
        if not self._peek():
            raise EOFError("Ran out of input")
        run = self.RUN
        try:
            for name, arg in _instructions(self._file):
                if name == "STOP":
                    return self._stack.pop()
                run[name](self, arg)
        except (IndexError, KeyError) as error:
            raise pickle.UnpicklingError(f"the pickle uses what it never made ({error})") from error
        except (TypeError, ValueError, AttributeError) as error:
            if name == "BINPERSID":
                raise  # what the caller gave to place storages with
            raise pickle.UnpicklingError(f"the pickle uses things for what they are not: {error}") from error

    def _peek(self):
        place = self._file.tell()
        byte = self._file.read(1)
        self._file.seek(place)
        return byte

    # ------------------------------------------------------------------------------------------------ names and calls

    def _global(self, arg):
        module, name = _full_name(arg)
        full = f"{module}.{name}"
        if module in _BLOCKED:
            raise pickle.UnpicklingError(f"Trying to load unsupported GLOBAL {full} whose module {module} is blocked.")
        if full not in self._table:
            full = full.removeprefix("builtins.")
            raise pickle.UnpicklingError(
                f"Unsupported global: GLOBAL {full} was not an allowed global by default. Please use "
                f"`torch.serialization.add_safe_globals([{full}])` or the `torch.serialization.safe_globals([{full}])` context manager "
                "to allowlist this global if you trust this class/function."
            )
        self._stack.append(self._table[full])

    def _knows(self, obj):
        return id(obj) in self._ids

    def _reduce(self, _):
        args = self._stack.pop()
        function = self._stack[-1]
        if not self._knows(function):
            text = f"Trying to call reduce for unrecognized function {function}"
            if hasattr(function, "__self__"):
                text += f" which belongs to {function.__self__}"
            raise pickle.UnpicklingError(text)
        if function is _tensor._rebuild_from_type_v2 and not (args and self._knows(args[0]) and self._knows(args[1])):
            raise pickle.UnpicklingError(f"Trying to call reduce for unrecognized function {args[0] if args else None}")
        self._stack[-1] = function(*args)

    def _newobj(self, _):
        args = self._stack.pop()
        kind = self._stack.pop()
        if kind is Parameter:
            self._stack.append(Parameter(*args))
        elif isinstance(kind, type) and self._knows(kind):
            self._stack.append(kind.__new__(kind, *args))
        else:
            raise pickle.UnpicklingError(
                f"Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got {kind}"
            )

    def _build(self, _):
        state = self._stack.pop()
        made = self._stack[-1]
        kind = type(made)
        if kind is Tensor:
            made.set_(*state)
        elif kind is OrderedDict:
            made.__dict__.update(state)
        elif kind is not Counter and not any(kind is each for each in _trusted_by_name().values()):
            raise pickle.UnpicklingError(
                f"Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got {kind}"
            )
        elif hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            slots = None
            if isinstance(state, tuple) and len(state) == 2:
                state, slots = state
            if state:
                made.__dict__.update(state)
            for name, value in (slots or {}).items():
                setattr(made, name, value)

    def _persistent(self, _):
        pid = self._stack.pop()
        if type(pid) is not tuple and type(pid) is not int:
            raise pickle.UnpicklingError(f"persistent_load id must be tuple or int, but got {type(pid)}")
        if type(pid) is tuple and pid and pid[0] not in ("storage", b"storage"):
            raise pickle.UnpicklingError(f"Only persistent_load of storage is allowed, but got {type(pid[0])}")
        if self.persistent_load is None:
            raise pickle.UnpicklingError("unsupported persistent id encountered")
        self._stack.append(self.persistent_load(pid))

    # ---------------------------------------------------------------------------------------------------- containers

    def _mark(self, _):
        self._marked.append(self._stack)
        self._stack = []

    def _since_mark(self):
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _append(self, _):
        self._extend([self._stack.pop()], "append to")

    def _appends(self, _):
        self._extend(self._since_mark(), "extend")

    def _extend(self, items, verb):
        made = self._stack[-1]
        if type(made) is not list:
            raise pickle.UnpicklingError(f"Can only {verb} lists, but got {type(made)}")
        made.extend(items)

    def _setitem(self, _):
        value, key = self._stack.pop(), self._stack.pop()
        self._update("SETITEM", [key, value])

    def _setitems(self, _):
        self._update("SETITEMS", self._since_mark())

    def _update(self, opcode, items):
        made = self._stack[-1]
        if type(made) not in (dict, OrderedDict, Counter):
            raise pickle.UnpicklingError(
                f"Can only {opcode} for dict, collections.OrderedDict, collections.Counter, but got {type(made)}"
            )
        for key, value in zip(items[::2], items[1::2], strict=True):
            made[key] = value

    def _tuple(self, count):
        items = self._since_mark() if count is None else self._stack[-count:]
        if count is not None:
            if len(items) < count:
                raise IndexError("a tuple of more than there is")
            del self._stack[-count:]
        self._stack.append(tuple(items))

    # ---------------------------------------------------------------------------------------------- values and memo

    def _push(self, value):
        self._stack.append(value)

    def _bytes(self, text):
        if self._encoding == "bytes":
            self._stack.append(text.encode("latin-1"))
        else:
            self._stack.append(text.encode("latin-1").decode(self._encoding))

    def _get(self, index):
        self._stack.append(self._memo[index])

    def _put(self, index):
        self._memo[index] = self._stack[-1]

    def _protocol(self, number):
        if number != 2:
            warnings.warn(
                f"Detected pickle protocol {number} in the checkpoint, which was not the default pickle protocol used by `torch.load` "
                "(2). The weights_only Unpickler might not support all instructions implemented by this protocol, please file an issue "
                "for adding support if you encounter this.",
                stacklevel=2,
            )

    #: instruction to method(self, argument); an instruction that is not here is refused
    RUN = {
        **{"GLOBAL": _global, "REDUCE": _reduce, "NEWOBJ": _newobj, "BUILD": _build, "BINPERSID": _persistent},
        **{"MARK": _mark, "APPEND": _append, "APPENDS": _appends, "SETITEM": _setitem, "SETITEMS": _setitems},
        **{"TUPLE": _tuple, "TUPLE1": lambda self, _: self._tuple(1), "TUPLE2": lambda self, _: self._tuple(2)},
        **{"TUPLE3": lambda self, _: self._tuple(3), "EMPTY_TUPLE": lambda self, _: self._push(())},
        **{"EMPTY_LIST": lambda self, _: self._push([]), "EMPTY_DICT": lambda self, _: self._push({})},
        **{"EMPTY_SET": lambda self, _: self._push(set()), "NONE": lambda self, _: self._push(None)},
        **{"NEWTRUE": lambda self, _: self._push(True), "NEWFALSE": lambda self, _: self._push(False)},
        **dict.fromkeys(("BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE", "LONG1"), _push),
        **{"SHORT_BINSTRING": _bytes, "BINGET": _get, "LONG_BINGET": _get, "BINPUT": _put, "LONG_BINPUT": _put},
        **{"PROTO": _protocol, "STOP": None},
    }
