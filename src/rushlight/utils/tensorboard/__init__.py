"""``torch.utils.tensorboard``: logs for TensorBoard, written by the tensorboardX package."""

from .writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
