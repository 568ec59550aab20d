"""Results that may be written over before backward: a layer's ``inplace=True`` after another, or ``x += y``, as in every residual net."""

import pytest

torch = pytest.importorskip("torch")

import rushlight  # noqa: E402


def results(torch):  # noqa: F811 - each library in turn
    F = torch.nn.functional  # noqa: N806

    def made(*sizes):
        count = 1
        for size in sizes:
            count *= size
        return torch.arange(float(count)).reshape(sizes).sin().requires_grad_()

    def ones(*sizes):
        return torch.ones(sizes, requires_grad=True)

    line, image, volume = (2, 4, 6), (2, 4, 6, 6), (2, 4, 4, 4, 4)
    return {
        "batch_norm": lambda: F.batch_norm(made(*image), None, None, ones(4), ones(4), True),
        "batch_norm_evaluation": lambda: F.batch_norm(made(*image), torch.zeros(4), torch.ones(4), ones(4), ones(4)),
        "instance_norm": lambda: F.instance_norm(made(*image), weight=ones(4), bias=ones(4)),
        "group_norm": lambda: F.group_norm(made(*image), 2, ones(4), ones(4)),
        "layer_norm": lambda: F.layer_norm(made(*line), (6,), ones(6), ones(6)),
        "rms_norm": lambda: F.rms_norm(made(*line), (6,)),
        "local_response_norm": lambda: F.local_response_norm(made(*image), 3),
        "max_pool1d": lambda: F.max_pool1d(made(*line), 2),
        "max_pool2d": lambda: F.max_pool2d(made(*image), 2),
        "max_pool3d": lambda: F.max_pool3d(made(*volume), 2),
        "adaptive_max_pool2d": lambda: F.adaptive_max_pool2d(made(*image), 2),
        "fractional_max_pool2d": lambda: F.fractional_max_pool2d(made(*image), 2, output_size=2),
        "avg_pool2d": lambda: F.avg_pool2d(made(*image), 2),
        "conv2d": lambda: F.conv2d(made(*image), ones(3, 4, 3, 3)),
        "conv_transpose2d": lambda: F.conv_transpose2d(made(*image), ones(4, 3, 3, 3)),
        "linear": lambda: F.linear(made(*line), ones(5, 6), ones(5)),
        "interpolate": lambda: F.interpolate(made(*image), scale_factor=2, mode="bilinear"),
        "pad": lambda: F.pad(made(*image), (1, 1, 1, 1), mode="reflect"),
        "dropout": lambda: F.dropout(made(*image)),
        "softmax": lambda: F.softmax(made(*line), 1),
        "sigmoid": lambda: F.sigmoid(made(*line)),
        "tanh": lambda: F.tanh(made(*line)),
        "relu": lambda: F.relu(made(*line)),
        "gelu": lambda: F.gelu(made(*line)),
        "silu": lambda: F.silu(made(*line)),
        "embedding": lambda: F.embedding(torch.tensor([0, 1]), ones(3, 2)),
        "embedding_bag": lambda: F.embedding_bag(torch.tensor([[0, 1]]), ones(3, 2), mode="max"),
        "cross_entropy": lambda: F.cross_entropy(made(*line), torch.zeros(2, 6, dtype=torch.int64), reduction="none"),
        "sort": lambda: torch.sort(made(*line))[0],
        "topk": lambda: torch.topk(made(*line), 2)[0],
        "max": lambda: torch.max(made(*line), 1)[0],
        "median": lambda: torch.median(made(*line), 1)[0],
        "kthvalue": lambda: torch.kthvalue(made(*line), 1)[0],
        "mode": lambda: torch.mode(made(*line), 1)[0],
        "cummax": lambda: torch.cummax(made(*line), 1)[0],
        "frexp": lambda: torch.frexp(made(*line))[0],
    }


def writes_over(library, make):
    """ "fine", or the error of a backward pass after the result was doubled in place."""
    library.manual_seed(0)
    try:
        make().mul_(2).sum().backward()
    except RuntimeError as error:
        return str(error).split(":")[0]
    return "fine"


@pytest.mark.parametrize("name", results(torch))
def test_what_may_be_written_over_is_what_pytorch_lets_be(name):
    assert writes_over(rushlight, results(rushlight)[name]) == writes_over(torch, results(torch)[name])
