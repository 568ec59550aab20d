"""Sample inputs as recipes, from which equal arguments are built for either library.

PyTorch's sample is taken apart once: every tensor becomes a NumPy picture of its storage with size, strides and offset.
`Recipe.build` then makes fresh tensors of the module asked for, as often as wanted (in-place variants destroy their
inputs), with strides, expanded dimensions, shared storage and `requires_grad` as they were. Conjugate and negative bits
are resolved, so both libraries start from the same bytes.
"""

import dataclasses
import random

import numpy as np
import torch

from .names import Absent, Translator


class Unsupported(Exception):
    """The sample holds something that is out of scope: a sparse, quantised, nested or non-CPU tensor."""


@dataclasses.dataclass
class _Leaf:
    """Stands for a tensor in the nested arguments."""

    index: int


@dataclasses.dataclass
class _Picture:
    """One tensor: where in which buffer, and what kind."""

    buffer: int
    dtype: torch.dtype
    size: tuple
    stride: tuple
    offset: int
    requires_grad: bool


# NumPy has no bfloat16 or complex32: those travel as integers of the same width and are viewed back.
_CARRIER = {torch.bfloat16: torch.int16}


class Recipe:
    """The arguments of one call, from `SampleInput` (input, args, kwargs)."""

    def __init__(self, sample, requires_grad=True):
        self._buffers = []
        self._storages = {}
        self._pictures = []
        self._seen = {}
        self._keep_grad = requires_grad
        self.args = self._take((sample.input, *sample.args))
        self.kwargs = self._take(dict(sample.kwargs))
        # a tensor given as `out` may have to grow, which memory borrowed from NumPy cannot
        out = self.kwargs.get("out")
        out = out if isinstance(out, (tuple, list)) else (out,)
        self._growing = {leaf.index for leaf in out if isinstance(leaf, _Leaf)}
        self.process = sample.output_process_fn_grad
        self.broadcasts_input = sample.broadcasts_input
        self.numel = sum(b.size for b in self._buffers)
        self._sample = sample

    def _take(self, value):
        if isinstance(value, torch.Tensor):
            return self._take_tensor(value)
        if isinstance(value, (tuple, list)) and not isinstance(value, torch.Size):
            taken = [self._take(v) for v in value]
            return tuple(taken) if isinstance(value, tuple) else taken
        if isinstance(value, dict):
            return {k: self._take(v) for k, v in value.items()}
        if isinstance(value, slice):
            return slice(self._take(value.start), self._take(value.stop), self._take(value.step))
        if isinstance(value, torch.layout) and value != torch.strided:
            raise Unsupported(str(value))
        return value

    def _take_tensor(self, tensor):
        known = self._seen.get(id(tensor))
        if known is not None:
            return known
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized or tensor.is_nested:
            raise Unsupported(f"{tensor.layout}, {tensor.device}")
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            raise Unsupported(type(tensor).__name__)
        if tensor.dim() > 64:
            raise Unsupported("NumPy arrays have at most 64 dimensions")
        plain = tensor.detach()
        if plain.is_conj() or plain.is_neg():
            plain = plain.resolve_conj().resolve_neg()
        carried = plain.view(_CARRIER[plain.dtype]) if plain.dtype in _CARRIER else plain
        storage = carried.untyped_storage()
        key = (storage.data_ptr(), carried.dtype)
        offset = carried.storage_offset()
        if storage.data_ptr() == 0 or key not in self._storages:
            count = storage.nbytes() // carried.element_size()
            flat = torch.as_strided(carried, (count,), (1,), 0)
            self._buffers.append(flat.numpy().copy())
            self._storages[key] = len(self._buffers) - 1
        picture = _Picture(
            self._storages[key],
            plain.dtype,
            tuple(plain.shape),
            plain.stride(),
            offset,
            bool(tensor.requires_grad and self._keep_grad),
        )
        self._pictures.append(picture)
        leaf = _Leaf(len(self._pictures) - 1)
        self._seen[id(tensor)] = leaf
        return leaf

    def build(self, translator: Translator, requires_grad=True, double=False):
        """Fresh `(args, kwargs, tensors)` for the translator's module.

        `requires_grad=False` drops the flag everywhere; `double=True` makes float32 tensors float64 (for a reference
        that is more exact than both libraries).
        """
        module = translator.target
        buffers = [None] * len(self._buffers)
        tensors = []
        for picture in self._pictures:
            if buffers[picture.buffer] is None:
                buffers[picture.buffer] = self._buffers[picture.buffer].copy()
            buffer = buffers[picture.buffer]
            if double and buffer.dtype == np.float32:
                buffer = buffers[picture.buffer] = buffer.astype(np.float64)
            array = np.lib.stride_tricks.as_strided(
                buffer[picture.offset :], picture.size, [s * buffer.itemsize for s in picture.stride]
            )
            tensor = module.from_numpy(array)
            if picture.dtype in _CARRIER:
                tensor = tensor.view(translator.value(picture.dtype))
            if len(tensors) in self._growing:
                tensor = tensor.clone()
            if requires_grad and picture.requires_grad:
                tensor.requires_grad_()
            tensors.append(tensor)

        def put(value):
            if isinstance(value, _Leaf):
                return tensors[value.index]
            if type(value) in (tuple, list):
                return type(value)(put(v) for v in value)
            if type(value) is dict:
                return {k: put(v) for k, v in value.items()}
            if isinstance(value, slice):
                return slice(put(value.start), put(value.stop), put(value.step))
            if double and value is torch.float32:
                value = torch.float64
            return translator.value(value)

        return put(self.args), put(self.kwargs), tensors

    def __repr__(self):
        def show(value):
            if isinstance(value, _Leaf):
                p = self._pictures[value.index]
                short = str(p.dtype).split(".")[1]
                plain = tuple(np.empty(p.size, np.int8).strides) == tuple(p.stride)
                return f"{short}{list(p.size)}" + ("" if plain else f" strides {list(p.stride)}")
            if isinstance(value, (tuple, list)):
                inner = ", ".join(show(v) for v in value)
                return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
            if isinstance(value, dict):
                return ", ".join(f"{k}={show(v)}" for k, v in value.items())
            return getattr(value, "__name__", None) or repr(value)

        parts = [show(v) for v in self.args]
        if self.kwargs:
            parts.append(show(self.kwargs))
        return ", ".join(parts)


def _fix_seeds():
    """The database draws its samples from three generators."""
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


# Samples of more elements than this are large (one entry has eighteen, up to five million): two of them are kept.
LARGE = 200_000


def recipes(op, dtype, requires_grad):
    """The recipes of an entry for one dtype, the same ones on every run: all but surplus large ones."""
    _fix_seeds()
    made = []
    for sample in op.sample_inputs("cpu", dtype, requires_grad=requires_grad):
        try:
            made.append(Recipe(sample))
        except Unsupported:
            continue
    large = sorted((r for r in made if r.numel > LARGE), key=lambda r: r.numel)
    surplus = {id(r) for r in large[2:]}
    return [r for r in made if id(r) not in surplus]


def error_recipes(op):
    """(recipe, error type, pattern) of the database's error inputs."""
    _fix_seeds()
    made = []
    for error in op.error_inputs("cpu"):
        try:
            made.append((Recipe(error.sample_input), error.error_type, error.error_regex))
        except Unsupported:
            continue
    return made


__all__ = ["Absent", "Recipe", "Unsupported", "error_recipes", "recipes"]
