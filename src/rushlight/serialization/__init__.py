"""``torch.save`` and ``torch.load``: PyTorch's files, both ways.

A file is a zip archive of a pickle and of the bytes of each storage (``archive``), or of the older format (``legacy``). By default
``load`` reads it with an interpreter that runs no code (``restricted``).
"""

import io
import mmap as _mmap
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from enum import Enum
from typing import IO, TypeAlias

import numpy as np

from ..devices import device
from ..missing import module_getattr
from ..storage import UntypedStorage
from ..tensor import LAYOUTS
from .archive import Archive, map_file, write_archive
from .legacy import load_legacy, save_legacy
from .locations import default_restore_location, location_tag, register_package, restorer
from .pickling import Storages, pickler
from .reading import load_archive, unpickler_class
from .restricted import (
    RestrictedUnpickler,
    _allowed,
    _trusted_by_name,
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    globals_of,
    safe_globals,
)

__all__ = [
    "LoadEndianness",
    "SourceChangeWarning",
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "normalize_storage_type",
    "register_package",
    "safe_globals",
    "save",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "storage_to_tensor_type",
]

#: for annotations: what `save` and `load` take for a file, and `load` for ``map_location``
FILE_LIKE: TypeAlias = str | os.PathLike | IO[bytes]
MAP_LOCATION: TypeAlias = Callable | device | str | dict[str, str] | None
DEFAULT_PROTOCOL = 2
_UNSAFE = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running "
    "`torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only if "
    "you got the file from a trusted source."
)
_DOCS = (
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
    "https://pytorch.org/docs/stable/generated/torch.load.html."
)


class SourceChangeWarning(Warning):
    """PyTorch's warning about old files whose classes have changed; nothing here raises it."""


# --------------------------------------------------------------------------------------------------------------- saving


def _is_path(f):
    return isinstance(f, (str, os.PathLike))


def save(
    obj,
    f,
    pickle_module=pickle,
    pickle_protocol=DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
):
    """Save an object (a state dictionary, a tensor, a whole module) to a file that PyTorch and rushlight can load.

    Args:
        obj: what is saved. Tensors that share memory share it again when loaded.
        f: a path, or a binary file with ``write``.
        pickle_module: the module whose ``Pickler`` writes the structure.
        pickle_protocol: the version of the pickle; others than 2 cannot be loaded with ``weights_only=True``.

    The structure is pickled before the file is opened, so that an object that cannot be pickled leaves the file that was there alone.
    Raises RuntimeError where the folder does not exist, AttributeError where ``f`` is no file, and what pickling raises.
    """
    if not _is_path(f) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    if not _use_new_zipfile_serialization:
        if _skipping.data:
            raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
        buffer = io.BytesIO()
        save_legacy(obj, buffer, pickle_module, pickle_protocol)
        _put(f, lambda file: file.write(buffer.getbuffer()))
        return
    storages = Storages()
    buffer = io.BytesIO()
    pickler(pickle_module, buffer, pickle_protocol, lambda storage: ("storage", *storages.identify(storage))).dump(obj)
    arrays = {
        key: np.zeros(nbytes, np.uint8) if _skipping.data else untyped.bytes()[:nbytes]
        for key, (untyped, nbytes) in storages.found.items()
    }
    name = os.path.splitext(os.path.basename(os.fspath(f)))[0] if _is_path(f) else "archive"
    _put(f, lambda file: write_archive(file, name, buffer.getvalue(), arrays, not _disable_byteorder_record))


def _put(f, write):
    """Call ``write`` with the binary file that ``f`` is or names."""
    if not _is_path(f):
        write(f)
        if hasattr(f, "flush"):
            f.flush()
        return
    folder = os.path.dirname(os.fspath(f))
    if folder and not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    with open(f, "wb") as file:
        write(file)


class _Skipping(threading.local):
    data = False


_skipping = _Skipping()


class skip_data:  # noqa: N801 - PyTorch's name
    """Save within this block the structure only: the bytes of storages are zeros, in a file as long as it would be.

    ``materialize_fake_tensors`` says the same of fake tensors, which rushlight does not have.
    """

    def __init__(self, materialize_fake_tensors=False):
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self):
        self._before, _skipping.data = _skipping.data, True

    def __exit__(self, *exc):
        _skipping.data = self._before


# -------------------------------------------------------------------------------------------------------------- loading


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Load what ``save``, here or in PyTorch, has saved.

    Args:
        f: a path, or a binary file that can be read and sought in.
        map_location: where storages go: a device or its name for all, a dict from saved to wanted ones, or a function (storage,
            location) that returns a storage or None. A file saved on a GPU needs ``map_location="cpu"``.
        pickle_module: the module whose ``Unpickler`` reads the structure, with ``weights_only=False``.
        weights_only: read numbers, strings, containers and tensors, run no code, and refuse the rest (the default). With False the
            file may run any code: only for files you trust.
        mmap: let the storages lie in the mapped file, so that they are read when used; writes do not reach the file.
        pickle_load_args: options of the unpickler, such as ``encoding``.

    Raises ``pickle.UnpicklingError`` where the file asks for what is not allowed, RuntimeError where it is cut off or corrupt, or was
    saved on a device that is not here; nothing is returned of a file that cannot be read as a whole.
    """
    weights_only = _choose_weights_only(weights_only, pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if weights_only and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    pickle_load_args.setdefault("encoding", "utf-8")
    if _is_path(f) and os.fspath(f).endswith(".safetensors"):
        return _load_safetensors(f, map_location)
    if weights_only:

        def unpickler(file, persistent_load):
            return RestrictedUnpickler(file, persistent_load=persistent_load, **pickle_load_args).load()
    else:
        kind = unpickler_class(pickle_module or pickle)

        def unpickler(file, persistent_load):
            made = kind(file, **pickle_load_args)
            made.persistent_load = persistent_load
            return made.load()

    if _is_path(f):
        with open(f, "rb") as file:
            return _load(file, f, unpickler, restorer(map_location), weights_only, mmap)
    _check_seekable(f)
    return _load(f, None, unpickler, restorer(map_location), weights_only, mmap)


def _choose_weights_only(weights_only, pickle_module):
    on = ("1", "y", "yes", "true")
    force = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0").lower() in on
    force_not = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0").lower() in on
    if force and force_not:
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both were set."
        )
    if force:
        return True
    if weights_only is not None:
        return weights_only
    if force_not:
        warnings.warn(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was not explicitly passed "
            "to `torch.load`, forcing weights_only=False.",
            UserWarning,
            stacklevel=3,
        )
        return False
    return pickle_module is None


def _check_seekable(f):
    try:
        f.seek(f.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO and "
            "try to load from it instead."
        ) from None


def _is_zipfile(file):
    place = file.tell()
    head = file.read(4)
    file.seek(place)
    return head == b"PK\x03\x04"


def _is_tar(file):
    place = file.tell()
    head = file.read(262)
    file.seek(place)
    return head[257:] == b"ustar"


def _tar_refused(weights_only):
    if weights_only:
        return RuntimeError(f"Cannot use ``weights_only=True`` with files saved in the legacy .tar format. {_UNSAFE}")
    return NotImplementedError(
        "rushlight does not read the .tar files of PyTorch before 0.1.10; load the file with PyTorch and save it again"
    )


def _load(file, path, unpickler, restore, weights_only, mmap):
    try:
        if not _is_zipfile(file):
            if mmap:
                where = f"f={path}, " if path is not None else ""
                raise RuntimeError(
                    f"mmap can only be used with files saved with `torch.save({where}_use_new_zipfile_serialization=True), please "
                    "torch.save your checkpoint with this option in order to use mmap."
                )
            if _is_tar(file):
                raise _tar_refused(weights_only)
            return load_legacy(file, unpickler, restore)
        archive = Archive(file)
        if "constants.pkl" in archive:
            raise RuntimeError(
                "Cannot load TorchScript archives: rushlight has no TorchScript; save the model's state_dict() with torch.save instead"
            )
        if "version" not in archive:
            raise RuntimeError(
                'Expected hasRecord("version") to be true, but got false.  (Could this error message be improved?  If so, please report '
                "an enhancement request to PyTorch.)"
            )
        mapped = None
        if mmap:
            if path is None:
                raise ValueError("f must be a file path in order to use the mmap argument")
            mapped = map_file(path, get_default_mmap_options() == _mmap.MAP_SHARED)
        return load_archive(archive, unpickler, restore, mapped, _default_order())
    except pickle.UnpicklingError as error:
        if not weights_only:
            raise
        raise pickle.UnpicklingError(_refusal(str(error))) from None


def _refusal(text):
    """PyTorch's frame around the reason why a file was refused."""
    if "was not an allowed global by default." in text:
        head = (
            "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those steps only if you "
            f"trust the source of the checkpoint\033[0m. \n\t(1) {_UNSAFE}\n\t(2) Alternatively, to load with `weights_only=True` please "
            "check the recommended steps in the following error message.\n\tWeightsUnpickler error: "
        )
        return head + text + _DOCS
    head = f"Weights only load failed. {_UNSAFE}\n"
    if "is blocked" not in text:
        head += (
            "Please file an issue with the following so that we can make `weights_only=True` compatible with your use case: "
            "WeightsUnpickler error: "
        )
    return f"{head}\n\n{text}{_DOCS}"


def _load_safetensors(path, map_location):
    if isinstance(map_location, dict) or callable(map_location):
        kind = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {kind} map_location is not supported. Use a device string or torch.device instead."
        )
    try:
        from safetensors.numpy import load_file
    except ImportError:
        raise RuntimeError(
            "Attempting to load a safetensors file but safetensors is not installed. Please install safetensors with: pip install "
            "safetensors"
        ) from None
    from .. import from_numpy

    arrays = load_file(path)
    default_restore_location(UntypedStorage(), str(map_location or "cpu"))
    return {name: from_numpy(array) for name, array in arrays.items()}


def get_unsafe_globals_in_checkpoint(f):
    """The full names in a checkpoint that ``weights_only=True`` would refuse, as a list; nothing is loaded."""
    with open(f, "rb") if _is_path(f) else _borrowed(f) as file:
        if not _is_zipfile(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        archive = Archive(file)
        if "constants.pkl" in archive:
            raise ValueError(
                "Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint"
            )
        found = globals_of(io.BytesIO(archive.read("data.pkl")))
    return list(found - {*_allowed(), *_trusted_by_name()})


class _borrowed:
    """A file of somebody else in a ``with`` statement: it stays open."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self._file

    def __exit__(self, *exc):
        pass


# -------------------------------------------------------------------------------------------------------------- options


class LoadEndianness(Enum):
    """The byte order of files that do not say theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_options = {"endianness": None, "mmap": getattr(_mmap, "MAP_PRIVATE", None)}


def _default_order():
    chosen = _options["endianness"]
    if chosen is LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if chosen is LoadEndianness.BIG else "little"


def get_default_load_endianness():
    """The byte order assumed of files without a record of it; None means little."""
    return _options["endianness"]


def set_default_load_endianness(endianness):
    """Choose the byte order assumed of files without a record of it: a ``LoadEndianness`` or None."""
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _options["endianness"] = endianness


def get_default_mmap_options():
    """How ``load(mmap=True)`` maps files: ``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``."""
    return _options["mmap"]


class set_default_mmap_options:  # noqa: N801 - PyTorch's name
    """Let ``load(mmap=True)`` map files with ``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``; also for a ``with`` block."""

    def __init__(self, flags):
        if flags not in (_mmap.MAP_PRIVATE, _mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got "
                f"{flags}"
            )
        self._before = _options["mmap"]
        _options["mmap"] = flags

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        _options["mmap"] = self._before


def normalize_storage_type(storage_type):
    """The class a storage class is known by outside."""
    return storage_type


def storage_to_tensor_type(storage):
    """The old tensor class of a typed storage (``torch.FloatTensor``)."""
    from .names import find

    return find("torch", storage.pickle_storage_type().replace("Storage", "Tensor"))


_LAYOUTS_BY_TEXT = {f"torch.{name}": value for name, value in LAYOUTS.items()}  # type: ignore[attr-defined]


def _get_layout(name):
    """The layout called ``name`` ("torch.strided"), for pickles."""
    return _LAYOUTS_BY_TEXT[name]


_get_layout.__module__ = "torch.serialization"
__getattr__ = module_getattr("torch.serialization")
