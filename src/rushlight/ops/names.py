"""What PyTorch calls the operators that rushlight calls otherwise: for dispatch modes and profiles, which show names to programs."""

from .table import OPS

__all__ = ["THEIR_NAME", "shown_name"]

#: operators that PyTorch's namespace has under another name
THEIR_NAME = {
    **{"_to_dtype": "_to_copy", "_slice": "slice", "_select": "select", "_none": "unsqueeze", "_whole": "alias"},
    **dict.fromkeys(("_alias", "_make_dual", "_fw_primal"), "alias"),
    **{"_index": "index", "_copy": "copy", "_tanh_backward": "tanh_backward", "_sigmoid_backward": "sigmoid_backward"},
}
#: the same, where rushlight's name is PyTorch's with an underscore before it
_UNDERSCORED = (
    "adaptive_max_pool2d adaptive_max_pool3d as_strided_scatter binary_cross_entropy "
    "binary_cross_entropy_with_logits block_diag bucketize cdist complex diagonal_backward diagonal_scatter "
    "embedding_backward fill gather_backward histogram histogramdd huber_loss index_put index_select_backward isin "
    "max_unpool2d max_unpool3d mse_loss multi_margin_loss multilabel_margin_loss narrow nll_loss nll_loss2d "
    "nll_loss_backward nonzero nonzero_static norm pdist polygamma prelu rrelu_with_noise scatter searchsorted "
    "select_backward select_scatter slice_backward slice_scatter smooth_l1_loss soft_margin_loss split "
    "tensor_split unfold_backward unique_consecutive upsample_bicubic2d upsample_bilinear2d upsample_linear1d "
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d view_as_real where zero"
).split()
THEIR_NAME.update({f"_{name}": name for name in _UNDERSCORED if name not in OPS})

#: names to show only, where several operators here are one of PyTorch's
_SHOWN = {
    **THEIR_NAME,
    **{"_above": "threshold_backward", "_convolution_weight": "convolution_backward", "_split": "split"},
    **{"_setitem": "copy_", "_setwhole": "copy_", "_setnumber": "fill_", "_setindex": "index_put_"},
    **{f"_{name}_{part}": name for name in ("max", "min", "median", "nanmedian") for part in ("dim", "all")},
    **{f"_{name}_{part}": name for name in ("index_fill", "masked_fill") for part in ("value", "tensor")},
    **{"_scatter_value": "scatter", "_scatter_reduced": "scatter", "_aminmax": "aminmax", "_unique": "_unique2"},
    **{"_batch_norm_core": "native_batch_norm", "_attention": "scaled_dot_product_attention"},
    **{
        "_div_rounded": "div",
        "_lstm_layer": "lstm",
        "_gru_layer": "gru",
        "_rnn_layer": "rnn_tanh",
        "_pool_gather": "max_pool2d_with_indices",
    },
    **{f"_{name}": name for name in ("adaptive_avg_pool2d", "adaptive_avg_pool3d", "ctc_loss")},
    **{"cross_entropy": "cross_entropy_loss", "_nll_loss": "nll_loss_forward", "_nll_loss2d": "nll_loss2d_forward"},
}


def shown_name(name):
    """What profiles call an operator or a composite: PyTorch's name, as far as there is one."""
    name = name.removeprefix("_nn_")
    return _SHOWN.get(name, name)
