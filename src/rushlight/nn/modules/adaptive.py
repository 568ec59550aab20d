"""The softmax over very many classes whose rare ones are looked at only where they may matter (E. Grave et al., 2017)."""

from collections import namedtuple

from ... import argmax
from .. import functional as F  # noqa: N812
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log probabilities of classes sorted by falling frequency, in clusters.

    The ``head`` decides between the most frequent classes and the clusters of the others; each cluster of the ``tail`` is a
    projection to fewer features and a linear layer to its classes.

    Args:
        in_features: number of features of the input.
        n_classes: number of classes.
        cutoffs: where clusters begin, in rising order.
        div_value: each cluster has that many times fewer features than the one before.
        head_bias: whether the head has a bias.
    """

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = cutoffs == sorted(set(cutoffs)) and 0 < cutoffs[0] and cutoffs[-1] <= n_classes - 1
        if not rising or any(int(cutoff) != cutoff for cutoff in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is "
                "between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        kind = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **kind)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(self._clusters()):
            narrow = int(in_features // div_value ** (number + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, narrow, bias=False, **kind), Linear(narrow, high - low, bias=False, **kind)
                )
            )

    def _clusters(self):
        """First class, and the one after the last, of each cluster."""
        return zip(self.cutoffs, self.cutoffs[1:])

    def reset_parameters(self):
        """Draw all weights anew."""
        self.head.reset_parameters()
        for projection, classes in self.tail:
            projection.reset_parameters()
            classes.reset_parameters()

    def forward(self, input_, target_):
        """The log probability of each target, and the mean of their negatives.

        Args:
            input_: (N, in_features) or (in_features,).
            target_: class numbers, (N,) or ().
        """
        if target_.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target_.dim() == 1 and input_.size(0) != target_.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input_.dim() != target_.dim() + 1:
            raise RuntimeError(
                f"{target_.dim()}D target tensor expects {target_.dim() + 1}D input tensors, but found inputs with size "
                f"{input_.size()}"
            )
        alone = target_.dim() == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if alone else (input_, target_)
        output = input.new_zeros(target.size(0))
        # where each target, or the cluster it is in, stands in the head's result
        place = target.new_empty(target.size(0))
        found = 0
        for number, (low, high) in enumerate(zip([0, *self.cutoffs], self.cutoffs)):
            mask = (target >= low) & (target < high)
            rows = mask.nonzero().squeeze()
            if rows.numel() == 0:
                continue
            found += rows.numel()
            if number == 0:
                place.index_copy_(0, rows, target[mask])
                continue
            place.index_fill_(0, rows, self.shortlist_size + number - 1)
            within = F.log_softmax(self.tail[number - 1](input.index_select(0, rows)), dim=1)
            output.index_copy_(0, rows, within.gather(1, (target[mask] - low).unsqueeze(1)).squeeze(1))
        if found != target.size(0):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{target.min().item()}, "
                f"{target.max().item()}] were found. "
            )
        output += F.log_softmax(self.head(input), dim=1).gather(1, place.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if alone else output, loss)

    def _get_full_log_prob(self, input, head_output):
        full = input.new_empty((head_output.size(0), self.n_classes))
        head = F.log_softmax(head_output, dim=1)
        size = self.shortlist_size
        full[:, :size] = head[:, :size]
        for number, (low, high) in enumerate(self._clusters()):
            within = F.log_softmax(self.tail[number](input), dim=1)
            full[:, low:high] = within + head[:, size + number].unsqueeze(1)
        return full

    def log_prob(self, input):
        """Log probabilities of all classes, (N, n_classes), of an input (N, in_features)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most probable class of each row: that of `log_prob`, computed only where the head points at a cluster."""
        head_output = self.head(input)
        best = argmax(head_output, dim=1)
        rare = best >= self.shortlist_size
        if rare.any():
            best[rare] = argmax(self._get_full_log_prob(input[rare], head_output[rare]), dim=1)
        return best
