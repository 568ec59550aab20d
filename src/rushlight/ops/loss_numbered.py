"""The losses that are also functions of torch itself, where the reduction is a number: 0 none, 1 mean, 2 sum."""

from .table import composite


@composite("kl_div", method=False)
def kl_div(F, input, target, reduction=1, *, log_target=False):
    """`nn.functional.kl_div`."""
    return F._nn_kl_div(input, target, reduction=reduction, log_target=log_target)


@composite("binary_cross_entropy_with_logits", method=False)
def binary_cross_entropy_with_logits(F, input, target, weight=None, pos_weight=None, reduction=1):
    """`nn.functional.binary_cross_entropy_with_logits`."""
    return F._nn_binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, pos_weight=pos_weight)


@composite("poisson_nll_loss", method=False)
def poisson_nll_loss(F, input, target, log_input, full, eps, reduction):
    """`nn.functional.poisson_nll_loss`."""
    return F._nn_poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=reduction)


@composite("hinge_embedding_loss", method=False)
def hinge_embedding_loss(F, input, target, margin=1.0, reduction=1):
    """`nn.functional.hinge_embedding_loss`."""
    return F._nn_hinge_embedding_loss(input, target, margin, reduction=reduction)


@composite("margin_ranking_loss", method=False)
def margin_ranking_loss(F, input1, input2, target, margin=0.0, reduction=1):
    """`nn.functional.margin_ranking_loss`."""
    return F._nn_margin_ranking_loss(input1, input2, target, margin, reduction=reduction)


@composite("cosine_embedding_loss", method=False)
def cosine_embedding_loss(F, input1, input2, target, margin=0.0, reduction=1):
    """`nn.functional.cosine_embedding_loss`."""
    return F._nn_cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)


@composite("triplet_margin_loss", method=False)
def triplet_margin_loss(F, anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=1):
    """`nn.functional.triplet_margin_loss`."""
    return F._nn_triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=reduction)


@composite("ctc_loss", method=False)
def ctc_loss(F, log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """`nn.functional.ctc_loss`."""
    return F._nn_ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)
