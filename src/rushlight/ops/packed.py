"""Packing padded sequences into rows and padding rows again: what torch.nn.utils.rnn is made of."""

from ..array import packed as kernels
from .table import differentiable


def _pull_pack(F, g, y, input_shape, batch_first):
    return F._pad_rows(g, y[1], input_shape[1 if batch_first else 0], batch_first)


def _pull_pad(F, g, batch_sizes, batch_first):
    return F._packed_rows(F.transpose(g, 0, 1) if batch_first else g, batch_sizes)


differentiable(
    "_pack_padded_sequence",
    kernels.pack_padded_sequence,
    vjp=_pull_pack,
    returns="list",
    nondiff=(1,),
    saves=(1,),
    method=False,
)
# The padded form is made by writes in place in PyTorch, and the name of the last one's node is what users see.
differentiable("_pad_rows", kernels.pad_rows, vjp=_pull_pad, linear=True, node_name="CopySlices", function=False)
differentiable(
    "_packed_rows",
    kernels.packed_rows,
    vjp=lambda F, g, batch_sizes, input_shape: F._pad_rows(g, batch_sizes, input_shape[0]),
    linear=True,
    function=False,
)
