"""Logs for TensorBoard, read back from their files."""

import importlib.util
import pathlib
import struct

import pytest

import rushlight as torch

HAVE = importlib.util.find_spec("tensorboardX") is not None
needs_package = pytest.mark.skipif(not HAVE, reason="needs the package tensorboardX")


def summaries(folder):
    """(step, tag, value) of every summary under a folder."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(pathlib.Path(folder).rglob("events.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 12 + length + 4
            found += [(event.step, value.tag, value) for value in event.summary.value]
    return found


@needs_package
def test_scalars_histograms_images_and_texts(tmp_path):
    from rushlight.utils.tensorboard import SummaryWriter

    with SummaryWriter(log_dir=tmp_path / "run") as writer:
        weight = torch.arange(6.0, requires_grad=True)
        writer.add_scalar("loss", torch.tensor(0.5, requires_grad=True), 3)
        writer.add_scalar("loss", 0.25, global_step=4)
        writer.add_scalars("both", {"a": torch.tensor(1.0), "b": 2.0}, 1)
        writer.add_histogram("weights", weight, 2)
        writer.add_histogram("halves", weight.bfloat16(), 2)
        writer.add_text("note", "hello")
        writer.add_pr_curve("curve", torch.tensor([0, 1]), torch.tensor([0.2, 0.9]))
        writer.add_hparams({"lr": 0.1}, {"accuracy": torch.tensor(0.9)}, run_name="hp")
        assert writer.log_dir == writer.get_logdir() == str(tmp_path / "run")
    found = summaries(tmp_path)
    losses = [(step, value.simple_value) for step, tag, value in found if tag == "loss"]
    assert losses == [(3, 0.5), (4, 0.25)]
    (histogram,) = [value.histo for _, tag, value in found if tag == "weights"]
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (0, 5, 6, 15)
    assert {"both", "halves", "note/text_summary", "curve", "accuracy"} <= {tag for _, tag, _ in found}


@needs_package
def test_images(tmp_path):
    pytest.importorskip("PIL", reason="tensorboardX writes images with Pillow")
    from rushlight.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_image("one", torch.rand(3, 4, 5))
        writer.add_images("many", torch.rand(2, 1, 4, 5))
    sizes = {tag: (value.image.height, value.image.width) for _, tag, value in summaries(tmp_path)}
    assert sizes["one"] == (4, 5)


@needs_package
def test_what_the_package_cannot_do_is_said(tmp_path):
    from rushlight.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        with pytest.raises(NotImplementedError, match="TorchScript"):
            writer.add_graph(torch.nn.Linear(1, 1), torch.ones(1))
        with pytest.raises(NotImplementedError, match="float32"):
            writer.add_scalar("x", 1, double_precision=True)
        with pytest.raises(TypeError, match="should be dictionary"):
            writer.add_hparams([], {})


@pytest.mark.skipif(HAVE, reason="the package is there")
def test_a_missing_package_is_named():
    with pytest.raises(ModuleNotFoundError, match="tensorboardX package; install it with"):
        import rushlight.utils.tensorboard  # noqa: F401
