"""``SummaryWriter`` with PyTorch's methods over tensorboardX's, which takes NumPy arrays: tensors are handed over as such."""

import functools

from ...tensor import Tensor

try:
    import tensorboardX
    from tensorboardX import FileWriter
except ImportError:
    raise ModuleNotFoundError(
        "torch.utils.tensorboard needs the tensorboardX package; install it with: pip install 'rushlight[tensorboard]'",
        name="tensorboardX",
    ) from None

__all__ = ["FileWriter", "SummaryWriter"]


def _plain(value):
    """``value`` with the tensors in it as NumPy arrays (bfloat16 as float32)."""
    if isinstance(value, Tensor):
        value = value.detach()
        return (value.float() if value.dtype.name == "bfloat16" else value).numpy()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(each) for each in value)
    return value


def _converted(method):
    @functools.wraps(method)
    def add(self, *args, **kwargs):
        return method(self, *_plain(args), **_plain(kwargs))

    return add


def _number(value):
    """A one-element tensor or array as a Python number."""
    return value.item() if hasattr(value, "item") else value


class SummaryWriter(tensorboardX.SummaryWriter):
    """Writes scalars, histograms, images, figures, texts, embeddings and curves to a folder that TensorBoard shows.

    Args:
        log_dir: the folder; by default ``runs/`` with the time and the machine's name.
        comment: appended to the default folder's name.
        purge_step: events of this step and later that an interrupted run left are hidden.
        max_queue: how many events may wait before they are written.
        flush_secs: how many seconds they may wait.
        filename_suffix: appended to the file's name.
    """

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        super().__init__(
            None if log_dir is None else str(log_dir), comment, purge_step, max_queue, flush_secs, filename_suffix
        )

    @property
    def log_dir(self):
        """The folder that is written to."""
        return self.logdir

    def get_logdir(self):
        return self.logdir

    def add_scalar(
        self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False
    ) -> None:
        """Add a number (or a one-element tensor) to the curve ``tag``, as float32."""
        if new_style or double_precision:
            raise NotImplementedError("tensorboardX writes scalars in the old style and as float32 only")
        super().add_scalar(tag, _number(scalar_value), global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None) -> None:
        """Add several numbers by name to one chart."""
        numbers = {tag: _number(value) for tag, value in tag_scalar_dict.items()}
        super().add_scalars(main_tag, numbers, global_step, walltime)

    def add_hparams(
        self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None
    ) -> None:
        """Add a run of the given hyperparameters with the metrics it reached."""
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        if hparam_domain_discrete:
            raise NotImplementedError("tensorboardX cannot write the domains of hyperparameters")
        settings = {key: _number(value) for key, value in hparam_dict.items()}
        reached = {key: _number(value) for key, value in metric_dict.items()}
        super().add_hparams(settings, reached, run_name, global_step)

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True) -> None:
        raise NotImplementedError(
            "add_graph() draws a traced TorchScript graph, which rushlight does not have; print(model) shows the layers"
        )

    add_audio = _converted(tensorboardX.SummaryWriter.add_audio)
    add_embedding = _converted(tensorboardX.SummaryWriter.add_embedding)
    add_figure = _converted(tensorboardX.SummaryWriter.add_figure)
    add_histogram = _converted(tensorboardX.SummaryWriter.add_histogram)
    add_histogram_raw = _converted(tensorboardX.SummaryWriter.add_histogram_raw)
    add_image = _converted(tensorboardX.SummaryWriter.add_image)
    add_image_with_boxes = _converted(tensorboardX.SummaryWriter.add_image_with_boxes)
    add_images = _converted(tensorboardX.SummaryWriter.add_images)
    add_mesh = _converted(tensorboardX.SummaryWriter.add_mesh)
    add_pr_curve = _converted(tensorboardX.SummaryWriter.add_pr_curve)
    add_pr_curve_raw = _converted(tensorboardX.SummaryWriter.add_pr_curve_raw)
    add_video = _converted(tensorboardX.SummaryWriter.add_video)
