"""The tensor: an array, the version of its storage, and its place in the graph.

What an operator does is declared in ``ops``; the table there hangs the operators on this class. Here is what a tensor *is*: how it
is made around an array, what it hands to the graph, how views find their way back to their base, and its attributes.
"""

import weakref

import numpy as np

from . import dtypes
from .autograd import engine, hooks, inference
from .autograd.graph import Leaf, Output, describe, extra_of, warn_user
from .autograd.modes import set_grad, state, thread
from .devices import cpu
from .mirror import Mirror
from .size import Size

__all__ = ["Tensor", "edge_of", "wrap", "wrap_view"]

_new = object.__new__


class View:
    """What a view knows: its base tensor, the version its own edge belongs to, and why it may refuse in-place writes.

    ``refuse`` is None, or one of ``"no_grad"``, ``"multi"``, ``"inference"``: how the view was made.
    ``replay`` makes the view again from the base where strides cannot say it (real and imaginary parts, other dtypes).
    ``made`` is the version at which a view without a place in the graph was made; its ``version`` is -1, so that every use looks up
    whether the base wants gradients. ``mirror`` is the memory of a view that has its own (see there), or None; a mirror outside the
    graph is a view that users are not shown (``shown``).
    """

    __slots__ = ("base", "made", "mirror", "refuse", "replay", "shown", "version")

    def __init__(self, base, version, refuse=None, replay=None):
        self.base = base
        self.version = self.made = version
        self.refuse = refuse
        self.replay = replay
        self.mirror = None
        self.shown = True


def readonly(getter):
    """A property that refuses assignment in PyTorch's words."""
    name = getter.__name__

    def refuse(self, value):
        raise AttributeError(f"attribute '{name}' of 'torch._C.TensorBase' objects is not writable")

    return property(getter, refuse, doc=getter.__doc__)


class Tensor:
    """A multi-dimensional array that records what is done to it, as ``torch.Tensor``.

    ``Tensor(*sizes)`` makes uninitialised elements, ``Tensor(sequence)`` a float tensor of its values; prefer ``torch.tensor``.
    """

    # _a: the array; _dtype: its rushlight dtype; _edge: what it hands to nodes (see autograd.graph); _vc: the version counter of its
    # storage; _view: None or a View; _meta: the Leaf that keeps .grad, set once there is something to keep
    __slots__ = ("__dict__", "__weakref__", "_a", "_dtype", "_edge", "_meta", "_vc", "_view")

    def __new__(cls, *args, **kwargs):
        return _legacy(cls, args, kwargs)

    # ------------------------------------------------------------------------------------------------- what it is

    @readonly
    def shape(self):
        return Size(self._a.shape)

    @readonly
    def dtype(self):
        return self._dtype

    @readonly
    def device(self):
        return cpu

    @readonly
    def layout(self):
        return strided

    @readonly
    def ndim(self):
        return self._a.ndim

    @readonly
    def itemsize(self):
        return self._dtype.itemsize

    @readonly
    def nbytes(self):
        return self._a.size * self._dtype.itemsize

    is_cuda = is_sparse = is_sparse_csr = is_quantized = is_meta = is_mps = is_mkldnn = is_nested = is_xpu = False
    is_mtia = is_vulkan = is_xla = is_ipu = is_maia = False
    is_cpu = True
    name = None
    names = property(lambda self: (None,) * self._a.ndim)

    # -------------------------------------------------------------------------------------------------- autograd

    @property
    def requires_grad(self):
        """Whether gradients are wanted for it, or for something it was computed from."""
        view = self._view
        if view is None:
            return self._edge is not None
        if view.refuse is not None and view.made != self._vc[0]:
            # looking its place up would be refused
            return self._edge is not None or edge_of(view.base) is not None
        return edge_of(self) is not None or view.base._edge is not None

    @requires_grad.setter
    def requires_grad(self, on):
        if not isinstance(on, (bool, np.bool_)):
            raise RuntimeError("requires_grad must be a bool")
        if on and not (self._dtype.is_floating_point or self._dtype.is_complex):
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        self.requires_grad_(bool(on))

    @requires_grad.deleter
    def requires_grad(self):
        raise RuntimeError("requires_grad must be a bool")

    def requires_grad_(self, requires_grad=True):
        """Turn recording for this leaf on or off, in place."""
        if requires_grad.__class__ is not bool:
            requires_grad = _flag(requires_grad)
        if thread.transforms:
            _refuse_in_transform(
                "Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs)", "requires_grad_()"
            )
        return self._require_grad(requires_grad)

    def _require_grad(self, requires_grad):
        # a view that may not have been written to is not asked for its place
        edge = edge_of(self) if self._view is None or self._view.refuse is None else self._edge
        if edge is not None and edge.__class__ is not Leaf:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                    "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return self
        if requires_grad and not (self._dtype.is_floating_point or self._dtype.is_complex):
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if requires_grad and self._vc.__class__ is not list and not inference.is_inference_mode_enabled():
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if requires_grad:
            self._edge = leaf_of(self)
            self._edge.owner = weakref.ref(self)
        elif edge is not None:
            edge.owner = None
            self._edge = None
        return self

    @readonly
    def is_leaf(self):
        """True for tensors that no recorded operation made."""
        edge = _place_of(self)
        return edge is None or edge.__class__ is Leaf

    @readonly
    def grad_fn(self):
        """The node that made this tensor; None for leaves."""
        edge = _place_of(self)
        if edge is None or edge.__class__ is Leaf:
            return None
        return edge.node if edge.__class__ is Output else edge

    @property
    def _grad_fn(self):
        """``grad_fn``, which may be set to None: that cuts the tensor off from what it was computed from."""
        return self.grad_fn

    @_grad_fn.setter
    def _grad_fn(self, node):
        if node is not None:
            raise RuntimeError("_grad_fn can be only set to None")
        self.detach_()

    @_grad_fn.deleter
    def _grad_fn(self):
        raise RuntimeError("Deletion of _grad_fn not allowed. Detach tensor instead!")

    @readonly
    def output_nr(self):
        edge = self._edge
        return edge.index if edge.__class__ is Output else 0

    @property
    def grad(self):
        """The gradient accumulated by ``backward``; None before."""
        try:
            return self._meta.grad
        except AttributeError:
            pass
        if self._edge is not None and self._edge.__class__ is not Leaf and not self.retains_grad:
            _warn_non_leaf_grad()
        return None

    @grad.setter
    def grad(self, value):
        if value is None:
            if hasattr(self, "_meta"):
                self._meta.grad = None
            return
        if not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        wanted = self._meta.dtype if hasattr(self, "_meta") else self._dtype
        if value._dtype is not wanted:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{value._dtype.cpp_name}' to a tensor with grad_dtype "
                f"'{wanted.legacy}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can "
                "set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with "
                "caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match."
            )
        if value._a.shape != self._a.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value._a.shape)}' to a tensor of size '{list(self._a.shape)}'. "
                "Please ensure that the gradient and the tensor are the same size"
            )
        leaf_of(self).grad = value

    @grad.deleter
    def grad(self):
        self.grad = None

    #: the same, under the name that PyTorch's optimizers once wrote to
    _grad = grad

    @property
    def grad_dtype(self):
        """The dtype of a leaf's gradient: the leaf's own, unless another is set, to which gradients are then cast.

        It cannot be None here, by which PyTorch lets gradients have any dtype.
        """
        self._require_leaf("accessed")
        return self._meta.dtype if hasattr(self, "_meta") else self._dtype

    @grad_dtype.setter
    def grad_dtype(self, dtype):
        if dtype is not None and not isinstance(dtype, dtypes.dtype):
            raise RuntimeError(f"grad_dtype must be a torch.dtype or None, but got {type(dtype).__name__}")
        self._require_leaf("set")
        if dtype is None:
            raise NotImplementedError(
                "rushlight keeps the gradients of a tensor in one dtype: grad_dtype cannot be None"
            )
        leaf = leaf_of(self)
        if leaf.grad is not None and leaf.grad._dtype is not dtype:
            raise RuntimeError(
                f"Cannot set grad_dtype to '{dtype.legacy}' because there is already a gradient with dtype "
                f"'{leaf.grad._dtype.cpp_name}'. Please clear the gradient (.grad = None) before changing grad_dtype, or ensure the new "
                "grad_dtype matches the existing gradient's dtype."
            )
        leaf.dtype = dtype
        extra_of(leaf).cast = None if dtype is self._dtype else dtype
        state.hooks = True

    def _require_leaf(self, done):
        if not self.is_leaf:
            raise RuntimeError(f"grad_dtype can only be {done} on leaf tensors.")

    def module_load(self, other, assign=False):
        """What ``load_state_dict`` puts in this tensor's place where it swaps tensors: ``self`` with the values of ``other``, or ``other``."""
        return other.detach() if assign else self.copy_(other).detach()

    def _own_grad(self):
        return self._meta.grad if hasattr(self, "_meta") else None

    def _set_own_grad(self, value):
        leaf_of(self).grad = value

    @readonly
    def retains_grad(self):
        edge = self._edge
        if edge is None or edge.__class__ is Leaf:
            return False
        node, index = describe(edge)
        extra = getattr(node, "extra", None)
        return bool(extra is not None and extra.retain and index in extra.retain)

    def retain_grad(self):
        """Keep the gradient of this non-leaf in ``.grad`` when ``backward`` passes it."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if thread.transforms:
            _refuse_in_transform("Tensor.retain_grad()", "retain_grad()")
        if edge.__class__ is Leaf:
            return
        node, index = describe(edge)
        extra = extra_of(node)
        if extra.retain is None:
            extra.retain = {}
        extra.retain[index] = weakref.ref(self)
        state.hooks = True

    def register_hook(self, hook):
        """Call ``hook(grad)`` whenever the gradient of this tensor is computed; it may return another gradient.

        Returns a handle with ``remove()``.
        """
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node, index = describe(edge)
        if thread.reverse:
            hook = hooks.within(thread.reverse[-1], hook)
        return hooks.add_tensor(extra_of(node or leaf_of(self)), index, hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call ``hook(self)`` each time a gradient has been accumulated into this leaf."""
        edge = edge_of(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge.__class__ is not Leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return hooks.add(extra_of(edge), "post_accumulate", hook)

    @property
    def _backward_hooks(self):
        """The hooks registered on this tensor by number, or None; another dictionary may take their place."""
        node, index = self._place()
        return None if node is None else hooks.of_tensor(getattr(node, "extra", None), index)

    @_backward_hooks.setter
    def _backward_hooks(self, found):
        node, index = self._place()
        if node is None and found is None:
            return
        hooks.set_of_tensor(extra_of(leaf_of(self) if node is None else node), index, found)

    @_backward_hooks.deleter
    def _backward_hooks(self):
        raise RuntimeError("Deletion of _backwards_hooks not allowed!")

    @property
    def _post_accumulate_grad_hooks(self):
        """The hooks registered on this leaf for when a gradient has been accumulated, by number, or None."""
        return getattr(getattr(self._place()[0], "extra", None), "post_accumulate", None)

    @_post_accumulate_grad_hooks.setter
    def _post_accumulate_grad_hooks(self, found):
        extra_of(self._place()[0] or leaf_of(self)).post_accumulate = found
        state.hooks = True

    def _place(self):
        """The node (or leaf, also of a tensor that does not require grad now) behind this tensor, and the number of its output."""
        edge = edge_of(self)
        return (getattr(self, "_meta", None), 0) if edge is None else describe(edge)

    @property
    def volatile(self):
        """False: PyTorch's first way of not recording is gone."""
        warn_user("volatile was removed (Variable.volatile is always False)")
        return False

    @volatile.setter
    def volatile(self, value):
        warn_user("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")

    @volatile.deleter
    def volatile(self):
        self.volatile = None

    @readonly
    def _version(self):
        if self._vc.__class__ is not list:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._vc[0]

    def is_inference(self):
        """Whether it was made in inference mode."""
        return self._vc.__class__ is not list

    @readonly
    def _base(self):
        """The tensor this one is a view of, or None."""
        return self._view.base if self._is_view() else None

    def _is_view(self):
        return self._view is not None and self._view.shown

    @property
    def data(self):
        """The same memory, outside the graph and with a version of its own."""
        if hasattr(self._a, "bdim"):
            raise RuntimeError("accessing `data` under vmap transform is not allowed")
        if self.__class__ is not Tensor and type(self).__torch_dispatch__ is not Tensor.__torch_dispatch__:
            made = self.detach()
            made._vc = [0]
            return made
        if mirror_of(self) is not None:
            return outside(self)
        return attach(self._a, self._dtype, None, inference.counter_like(self._vc))

    @data.setter
    def data(self, value):
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if thread.transforms:
            _refuse_data_in_transform(self, value)
        if self._edge is not None and not (value._dtype.is_floating_point or value._dtype.is_complex):
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._a = value._a
        self._dtype = value._dtype
        refit(self)

    @data.deleter
    def data(self):
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    def __hash__(self):
        return id(self)


# users see the class where PyTorch has it; ``_reduce`` in interop keeps pickles free of that name
Tensor.__module__ = "torch"


def refit(tensor):
    """Tell the Leaf of a tensor, if there is one, of the array that the tensor has from now on."""
    leaf = getattr(tensor, "_meta", tensor._edge)
    if leaf.__class__ is Leaf:
        leaf.array, leaf.shape, leaf.dtype = tensor._a, tensor._a.shape, tensor._dtype


class layout:  # noqa: N801 - PyTorch's name
    """How elements are stored. Tensors here are strided; the other layouts exist to be named, and refused."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _layout, (self.name,)


def _layout(name):
    return LAYOUTS[name]


LAYOUTS = {
    name: layout(name)
    for name in ("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "_mkldnn", "jagged")
}
strided = LAYOUTS["strided"]


def _refuse_data_in_transform(*tensors):
    """RuntimeError where a tensor whose memory is to be exchanged, or the other, belongs to a transform of torch.func."""
    batches = [hasattr(each._a, "bdim") and each._edge is None for each in tensors]
    if any(batches) or any(each._edge is not None or hasattr(each._a, "held") for each in tensors):
        where = "under vmap" if any(batches) else "inside functorch"
        raise RuntimeError(f"mutating directly with `.data` {where} transform is not allowed.")


def _refuse_in_transform(call, name):
    raise RuntimeError(
        f"You are attempting to call {call} inside of a function being transformed by a functorch transform. This is unsupported, please "
        f"attempt to use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call {name} outside of a function being "
        "transformed instead."
    )


def _flag(value):
    if isinstance(value, np.bool_):
        return bool(value)
    raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {type(value).__name__}")


def _warn_non_leaf_grad():
    warn_user(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated "
        "during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() "
        "on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
        "github.com/pytorch/pytorch/pull/30531 for more informations."
    )


def set_legacy(constructor):
    """Give ``Tensor(...)`` its constructor, which lives with the others on the operators' floor."""
    global _legacy
    _legacy = constructor


_legacy = None


# ------------------------------------------------------------------------------------------------------ construction


def wrap(array, dtype=None):
    """A tensor around ``array`` (not copied) that does not require grad; ``dtype`` saves looking it up."""
    tensor = _new(Tensor)
    tensor._a = array
    tensor._dtype = dtype if dtype is not None else dtypes.of(array.dtype)
    tensor._edge = None
    tensor._vc = inference.counter() if state.rare else [0]
    tensor._view = None
    return tensor


def attach(array, dtype, edge, counter):
    """A tensor at a given place of the graph, sharing a version counter: how saved values come back to life."""
    tensor = _new(Tensor)
    tensor._a = array
    tensor._dtype = dtype
    tensor._edge = edge
    tensor._vc = counter
    tensor._view = None
    return tensor


def wrap_view(array, dtype, source, refuse=None, replay=None):
    """A view of ``source`` around ``array``: same version counter, and the way back to the base for in-place writes."""
    tensor = _new(Tensor)
    tensor._a = array
    tensor._dtype = dtype
    tensor._edge = None
    tensor._vc = counter = source._vc
    if counter.__class__ is not list:
        tensor._view = None
        return tensor
    if not thread.grad:
        refuse = "inference" if state.rare and inference.is_inference_mode_enabled() else "no_grad"
    above = source._view
    if above is None:
        tensor._view = made = View(source, counter[0], refuse, replay)
    else:
        refuse = refuse or above.refuse
        if above.replay is not None:
            replay = _after(above.replay, replay or _strided(source._a, array))
        elif replay is not None:
            replay = _after(_strided(above.base._a, source._a), replay)
        tensor._view = made = View(above.base, counter[0], refuse, replay)
        made.mirror = above.mirror
    if refuse is not None and not thread.grad:
        made.version = -1
    return tensor


def wrap_reflection(array, function, source, replay):
    """A view of ``source`` whose elements are a function of its own: ``array``, made by ``mirror.reflected``."""
    above = mirror_of(source)
    if above is None:
        if array.strides != source._a.strides:
            return wrap(array, source._dtype)
        tensor = wrap_view(array, source._dtype, source, replay=replay)
        if tensor._view is not None:
            tensor._view.mirror = Mirror(array, source._a, function, source._vc[0])
        return tensor
    if above.function is not function:
        # a mirror in a mirror would be a copy of a copy
        return wrap(array, source._dtype)
    tensor = wrap_view(above.counterpart(source._a), source._dtype, source, replay=replay)
    tensor._view.mirror = None
    return tensor


def mirror_of(tensor):
    """The mirror that a tensor's memory belongs to, or None."""
    return None if tensor._view is None else tensor._view.mirror


def reading(tensor):
    """The array of a tensor, for those who read it outside of operators: a mirror is brought up to date first."""
    mirror = mirror_of(tensor)
    if mirror is not None:
        mirror.update(tensor._vc[0])
    return tensor._a


def memory(tensor):
    """The array over the storage that a tensor shows, for those who ask where it lies."""
    mirror = mirror_of(tensor)
    return tensor._a if mirror is None else mirror.counterpart(tensor._a)


def outside(tensor):
    """A tensor on the same memory and version counter that has no place in the graph."""
    made = attach(tensor._a, tensor._dtype, None, tensor._vc)
    if mirror_of(tensor) is not None:
        view = tensor._view
        made._view = View(outside(view.base), view.version, None, view.replay)
        made._view.mirror = view.mirror
        made._view.shown = False
    return made


def _after(first, second):
    """Replay of a view of a view."""
    return lambda base: second(first(base))


def _strided(source, array):
    """Replay of a view that strides can say, from arrays."""
    offset, strides, shape = address(array) - address(source), array.strides, array.shape

    def view(tensor):
        from .inplace import strided_view

        return strided_view(tensor, shape, strides, offset)

    return view


def address(array):
    """The address of the first element, in bytes."""
    return array.__array_interface__["data"][0]


def leaf_of(tensor):
    """The Leaf that keeps what belongs to this tensor as a leaf (.grad, hooks), made at first need."""
    try:
        return tensor._meta
    except AttributeError:
        made = tensor._meta = Leaf(weakref.ref(tensor), tensor._a, tensor._dtype)
        return made


def edge_of(tensor):
    """What ``tensor`` hands to a node that uses it; a view whose storage was written to since looks its place up again."""
    view = tensor._view
    if view is not None:
        if view.version != tensor._vc[0]:
            from .inplace import refresh

            refresh(tensor, view)
        elif tensor._edge is None and view.base._edge is not None:
            # the base was made to require grad after the view was taken: so does the view, but nothing leads from it to the base
            nowhere = Leaf()
            nowhere.shape, nowhere.dtype = tensor._a.shape, tensor._dtype
            return nowhere
    return tensor._edge


def _place_of(tensor):
    """``edge_of`` for who asks for the node: refused to a view that may not have been written to in any grad mode."""
    view = tensor._view
    if view is None or view.refuse is None or thread.grad:
        return edge_of(tensor)
    was = set_grad(True)
    try:
        return edge_of(tensor)
    finally:
        set_grad(was)


def _variable(leaf):
    """The tensor of a leaf; made again if the user has let it go."""
    tensor = leaf.owner() if leaf.owner is not None else None
    if tensor is None:
        tensor = wrap(leaf.array, leaf.dtype)
        tensor._edge = tensor._meta = leaf
    return tensor


Leaf.variable = property(_variable, doc="The tensor whose gradient is accumulated here.")

engine.bridge.wrap = wrap
