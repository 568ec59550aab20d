"""`torch.nn.init`: the numbers for a seed, and every text."""

import pytest

torch = pytest.importorskip("torch")

from tests.parity.scenes import Scenes, compare  # noqa: E402
from tests.parity.test_module_hooks import shown, warned  # noqa: E402


def scenes(torch):  # noqa: F811 - each library in turn
    scene, init = Scenes(), torch.nn.init

    def drawn(fill, *sizes, dtype="float32", seed=3):
        torch.manual_seed(seed)
        given = torch.empty(sizes, dtype=getattr(torch, dtype)).fill_(-7)
        given.requires_grad_(True)
        made = fill(given)
        return made is given, made.requires_grad, shown(made.detach()), torch.rand(1).item()

    fills = {
        "uniform": lambda t: init.uniform_(t, -1, 2),
        "normal": lambda t: init.normal_(t, 1.0, 3.0),
        "constant": lambda t: init.constant_(t, 0.3),
        "ones": lambda t: init.ones_(t),
        "zeros": lambda t: init.zeros_(t),
        "xavier_uniform": lambda t: init.xavier_uniform_(t, gain=2.0),
        "xavier_normal": lambda t: init.xavier_normal_(t),
        "kaiming_uniform": lambda t: init.kaiming_uniform_(t, a=1, mode="fan_out"),
        "kaiming_normal": lambda t: init.kaiming_normal_(t, nonlinearity="relu"),
        "orthogonal": lambda t: init.orthogonal_(t, gain=1.5),
        "sparse": lambda t: init.sparse_(t, 0.3, std=2.0),
        "eye": lambda t: init.eye_(t),
        "dirac": lambda t: init.dirac_(t, 2),
        "trunc_normal": lambda t: init.trunc_normal_(t),
        "trunc_normal_narrow": lambda t: init.trunc_normal_(t, 0.0, 1.0, 0.4, 0.5),
        "trunc_normal_far": lambda t: init.trunc_normal_(t, 0.0, 1.0, 3.0, 4.0),
    }
    shapes = [(), (5,), (4, 6), (6, 4), (2, 0), (4, 3, 5), (20, 10), (4, 2, 3, 3), (2, 2, 2, 2, 2)]
    for name, fill in fills.items():
        for sizes in shapes:
            for dtype in ("float32", "float64"):

                def filling(log, fill=fill, sizes=sizes, dtype=dtype):
                    return warned(lambda: drawn(fill, *sizes, dtype=dtype))

                filling.__name__ = f"{name}_{'x'.join(map(str, sizes))}_{dtype}"
                scene(filling)

    for number, wrong in enumerate(
        (
            lambda: init.kaiming_uniform_(torch.ones(2, 2), mode="fan"),
            lambda: init.kaiming_uniform_(torch.ones(2, 2), nonlinearity="nothing"),
            lambda: init.kaiming_normal_(torch.ones(2, 2), a="x"),
            lambda: init.kaiming_normal_(torch.ones(2, 2), mode="FAN_OUT").shape[0],
            lambda: init.dirac_(torch.ones(3, 2, 2), 2),
            lambda: init.dirac_(torch.ones(2, 2)),
            lambda: init.eye_(torch.ones(2)),
            lambda: init.sparse_(torch.ones(2), 0.5),
            lambda: init.orthogonal_(torch.ones(2)),
            lambda: init.calculate_gain("nothing"),
            lambda: init.calculate_gain("leaky_relu", "x"),
            lambda: init.calculate_gain("leaky_relu", True),
            lambda: [
                init.calculate_gain(n) for n in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
            ],
            lambda: init.calculate_gain("leaky_relu", 0.3),
            lambda: init.uniform_(torch.ones(2), 2, 1),
            lambda: init.normal_(torch.ones(2), 0, -1),
            lambda: init.constant_(torch.ones(2, dtype=torch.int64), 2.5).tolist(),
            lambda: init.trunc_normal_(torch.ones(2), 0, 1, 2, 1),
            lambda: init._calculate_fan_in_and_fan_out(torch.ones(2, 3, 4)),
            lambda: init._calculate_correct_fan(torch.ones(2, 3), "fan_out"),
        )
    ):

        def texts(log, wrong=wrong):
            return warned(wrong)

        texts.__name__ = f"texts_{number}"
        scene(texts)

    @scene
    def older_names(log):
        torch.manual_seed(0)
        old = (
            "uniform",
            "normal",
            "xavier_uniform",
            "xavier_normal",
            "kaiming_uniform",
            "kaiming_normal",
            "orthogonal",
            "eye",
        )
        return [warned(lambda name=name: shown(getattr(init, name)(torch.empty(3, 3)))) for name in old]

    @scene
    def own_generator(log):
        def drawn_by(fill):
            source = torch.Generator()
            source.manual_seed(5)
            return shown(fill(torch.empty(3, 4), source))

        torch.manual_seed(0)
        return [
            drawn_by(lambda t, g: init.uniform_(t, generator=g)),
            drawn_by(lambda t, g: init.normal_(t, generator=g)),
            drawn_by(lambda t, g: init.trunc_normal_(t, generator=g)),
            drawn_by(lambda t, g: init.xavier_uniform_(t, generator=g)),
            drawn_by(lambda t, g: init.xavier_normal_(t, generator=g)),
            drawn_by(lambda t, g: init.kaiming_uniform_(t, generator=g)),
            drawn_by(lambda t, g: init.kaiming_normal_(t, generator=g)),
            drawn_by(lambda t, g: init.orthogonal_(t, generator=g)),
            drawn_by(lambda t, g: init.sparse_(t, 0.5, generator=g)),
        ]

    @scene
    def sizes_that_cross_the_blocks_of_the_normal_stream(log):
        return [
            drawn(fills[name], 3, n) for name in ("normal", "kaiming_normal", "trunc_normal") for n in (1, 5, 16, 17)
        ]

    return scene


@pytest.mark.parametrize("name", scenes(torch))
def test_tensors_are_filled_as_pytorch_fills_them(name):
    assert compare(scenes, name) is None
