"""The level of ``torch.func.jvp``: its tensors carry a tangent beside their value, and levels nest to any depth.

An operator computes its result on the primals and the tangent of its result by the rules of ``forward_ad.push_forward``, both below the
level. The tangent of a view is the same view of the tangent of its base, so in-place writes reach both.
"""

import numpy as np

from .. import inplace
from ..ops import subscript
from ..ops.table import TENSOR
from ..tensor import Tensor, View, attach, edge_of
from . import function, levels
from .forward_ad import _is_fwd_grad_enabled, moved_by, push_forward
from .levels import Lane, Level

__all__ = ["DualLevel"]


class Dual(Lane):
    """The array of a tensor with a tangent: ``held`` is the primal, ``tangent`` a tensor or None (zero)."""

    def __bool__(self):
        return bool(self.held._a)


class DualLevel(Level):
    """One call of ``jvp``."""

    array = Dual
    forward = True

    def __init__(self):
        super().__init__()
        self.adopted = []

    def __exit__(self, *exc):
        super().__exit__(*exc)
        for tensor in self.adopted:
            held = tensor._a.held
            tensor._a, tensor._edge = held._a, held._edge

    def make(self, primal, tangent):
        """A tensor of this level."""
        array = np.ndarray.view(primal._a, Dual)
        array.level, array.held, array.tangent = self, primal, tangent
        return attach(array, primal._dtype, None, [0])

    def split(self, tensor):
        """(primal, tangent or None) of any tensor."""
        if not isinstance(tensor, Tensor) or not (self.owns(tensor) or self._follows(tensor)):
            return tensor, None
        array = tensor._a
        if array.tangent is None and tensor._view is not None:
            # the base may have been given one since
            base = tensor._view.base
            if self.owns(base) and base._a.tangent is not None:
                self._derive(tensor)
        return array.held, array.tangent

    def _follows(self, tensor):
        """Whether a tensor is a view of one that was adopted since; then it is adopted too."""
        if tensor._view is None or self.owns(tensor) or not self.owns(tensor._view.base):
            return False
        self.adopt(tensor)
        return True

    def _concerned(self, values):
        follow = [isinstance(each, Tensor) and self._follows(each) for each in values]
        return True in follow or super()._concerned(values)

    def item(self, array):
        return array.held._a.item()

    def same(self, array):
        made = np.ndarray.view(array, Dual)
        made.level, made.held, made.tangent = self, array.held, array.tangent
        return made

    def lift(self, tensor):
        return tensor if self.owns(tensor) else self.make(tensor, None)

    def detached(self, tensor):
        array = tensor._a
        made = self.make(array.held.detach(), None)
        made._vc = tensor._vc
        return made

    def made_like(self, array, make, shape):
        return self.make(make(array.held) if shape is None else make(array.held, shape), None)

    def resized(self, array, shape, memory_format):
        raise RuntimeError("cannot resize variables that has a forward grad")

    def copied(self, tensor):
        primal, tangent = self.split(tensor)
        return self.make(TENSOR.clone(primal), None if tangent is None else TENSOR.clone(tangent))

    def _split_all(self, values):
        primals, tangents = [], []
        for value in values:
            if isinstance(value, Tensor):
                primal, tangent = self.split(value)
            elif value.__class__ in (list, tuple) and any(isinstance(each, Tensor) for each in value):
                pairs = [self.split(each) for each in value]
                primal = [p for p, _ in pairs]
                tangent = [t for _, t in pairs] if any(t is not None for _, t in pairs) else None
            else:
                primal, tangent = value, None
            primals.append(primal)
            tangents.append(tangent)
        return tuple(primals), tangents

    def compute(self, op, values):
        primals, tangents = self._split_all(values)
        result = levels.execute(op, primals)
        if all(t is None for t in tangents) or not _is_fwd_grad_enabled():
            return self._wrapped(result, None)
        return self._wrapped(result, push_forward(op, primals, result, tangents))

    def _wrapped(self, result, tangents):
        many = isinstance(result, tuple)
        results = result if many else (result,)
        tangents = tangents or [None] * len(results)
        made = [self.make(each, t) if isinstance(each, Tensor) else each for each, t in zip(results, tangents)]
        return levels.remade(result, made) if many else made[0]

    def compute_inplace(self, op, values):
        target = values[0]
        self.write(target, lambda own: own, self.compute(op, levels.overwritten(self, op, values)))

    def write(self, target, part, value):
        """Write a value (a tensor or a number) into a part of what ``target`` holds, and its tangent into the same part of its tangent."""
        primal, tangent = self.split(value)
        array = target._a
        place = part(array.held)
        place.copy_(primal) if isinstance(primal, Tensor) else place.fill_(primal)
        if array.tangent is None:
            if tangent is None:
                return
            if target._view is None and place is array.held and tangent._a.strides == array.strides:
                array.tangent = tangent.to(array.held._dtype) if tangent._dtype is not array.held._dtype else tangent
                return
            self._give_zeros(target, tangent)
        elif tangent is not None:
            self._spread(target, (tangent,))
        place = part(array.tangent)
        place.zero_() if tangent is None else place.copy_(tangent)

    def _give_zeros(self, target, like):
        """A zero tangent, a batch where ``like`` is one, for a tensor that has none; for a view, a part of its base's."""
        view = target._view
        base = (target if view is None else view.base)._a
        if base.tangent is None:
            # in memory as the base is, so that views of it are the same views
            if levels.batches(like) <= levels.batches(base.held):
                base.tangent = TENSOR.zeros_like(base.held)
        if base.tangent is None:
            order = sorted(range(base.ndim), key=lambda i: -base.strides[i])
            zeros = like.new_zeros([base.shape[i] for i in order], dtype=base.held._dtype)
            base.tangent = zeros.permute([order.index(i) for i in range(base.ndim)])
        if base is not target._a:
            self._derive(target)

    def _derive(self, target):
        """Make the tangent of a view the same view of its base's tangent."""
        view, base = target._view, target._view.base._a
        if view.replay is not None:
            target._a.tangent = view.replay(base.tangent)
            return
        whole, place, itemsize = base.tangent, inplace.Geometry(base, target._a), base.itemsize
        if whole._a.strides != base.strides:
            raise NotImplementedError(
                "jvp: the tangent of this view's base lies otherwise in memory than the base; clone() the base first"
            )
        start = whole.storage_offset() + place.offset // itemsize
        target._a.tangent = whole.as_strided(place.shape, [s // itemsize for s in place.strides], start)

    def _spread(self, target, others):
        """Make the tangent of ``target`` a batch wherever one of ``others`` is, so that it can be written to with them."""
        view = target._view
        base = (target if view is None else view.base)._a
        known = levels.batches(base.tangent)
        for other in others:
            if isinstance(other, Tensor) and not levels.batches(other) <= known:
                base.tangent = base.tangent + other.new_zeros((), dtype=base.tangent._dtype)
                known = levels.batches(base.tangent)
                if view is not None:
                    self._derive(target)

    def _inplace(self, op, values):
        self.adopt(values[0])
        return super()._inplace(op, values)

    def _setitem(self, target, index, value):
        self.adopt(target)
        return super()._setitem(target, index, value)

    def adopt(self, tensor):
        """Make a tensor that is about to be given a tangent one of this level, until the level ends."""
        if self.owns(tensor):
            return
        view = tensor._view
        if view is not None:
            self.adopt(view.base)
        held = attach(tensor._a, tensor._dtype, edge_of(tensor), tensor._vc)
        if view is not None:
            held._view = View(view.base._a.held, view.version, view.refuse, view.replay)
        self.adopted.append(tensor)
        tensor._a = self.make(held, None)._a
        tensor._edge = None

    def compute_getitem(self, tensor, index):
        index = self._plain(index)
        primal, tangent = self.split(tensor)
        found = subscript.getitem(primal, index)
        if not self.owns(tensor):
            return found
        return self.make(found, None if tangent is None else subscript.getitem(tangent, index))

    def compute_setitem(self, target, index, value):
        index = self._plain(index)
        primal, tangent = self.split(value)
        array = target._a
        subscript.setitem(array.held, index, primal)
        if array.tangent is None:
            if tangent is None:
                return
            self._give_zeros(target, tangent)
        self._spread(target, (*index, tangent))
        subscript.setitem(array.tangent, index, 0 if tangent is None else tangent)

    def _plain(self, index):
        return tuple(self.split(each)[0] for each in index)

    # ---------------------------------------------------------------------------------------------- custom functions

    def custom(self, cls, args):
        primals, tangents = self._split_all(args)
        result = cls.apply(*primals)
        outputs = result if isinstance(result, tuple) else (result,)
        if all(t is None for t in tangents):
            found = [None] * len(outputs)
        else:
            ctx = cls._backward_cls()
            ctx.needs_input_grad = tuple([t is not None for t in tangents])
            function._set_up(cls, ctx, primals, result)
            found = moved_by(ctx, primals, tangents, outputs)
        made = []
        for output, tangent in zip(outputs, found):
            written = [arg for arg, primal in zip(args, primals) if primal is output and self.owns(arg)]
            if written:
                self._rewrite(written[0], tangent)
                made.append(written[0])
            else:
                made.append(self.make(output, tangent) if isinstance(output, Tensor) else output)
        return levels.remade(result, made) if isinstance(result, tuple) else made[0]

    def _rewrite(self, target, tangent):
        """Give a tensor whose primal has been written in place the tangent of what was written."""
        inplace.bump(target._vc)
        own = target._a.tangent
        if tangent is own:
            return
        if own is None:
            if target._view is None:
                target._a.tangent = tangent
                return
            self._give_zeros(target, tangent)
        elif tangent is not None:
            self._spread(target, (tangent,))
        own = target._a.tangent
        own.zero_() if tangent is None else own.copy_(tangent)
