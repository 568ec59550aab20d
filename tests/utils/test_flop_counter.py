"""Counts of operations, and which modules run while they are counted."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.utils.flop_counter import FlopCounterMode, register_flop_formula
from rushlight.utils.module_tracker import ModuleTracker

aten = torch.ops.aten


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(5, 6)
        self.rest = nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 2))

    def forward(self, x):
        return self.rest(self.a(x))


def counted(function, **options):
    with FlopCounterMode(display=False, **options) as counter:
        function()
    return counter


def test_products_and_convolutions():
    x, w, batch = torch.ones(4, 5), torch.ones(5, 6), torch.ones(3, 5, 6)
    for function, expected in (
        (lambda: x @ w, 2 * 4 * 5 * 6),
        (lambda: torch.addmm(torch.ones(6), x, w), 2 * 4 * 5 * 6),
        (lambda: torch.bmm(torch.ones(3, 4, 5), batch), 3 * 2 * 4 * 5 * 6),
        (lambda: nn.functional.conv2d(torch.ones(2, 3, 8, 8), torch.ones(4, 3, 3, 3)), 2 * 2 * 36 * 4 * 3 * 9),
        (lambda: nn.functional.conv_transpose1d(torch.ones(2, 3, 8), torch.ones(3, 4, 5)), 2 * 2 * 8 * 3 * 4 * 5),
        (lambda: nn.functional.scaled_dot_product_attention(*torch.ones(3, 2, 4, 8).unbind()), 2 * 2 * (2 * 4 * 8 * 4)),
    ):
        assert counted(function).get_total_flops() == expected


def test_backward_counts_for_the_modules_whose_gradients_are_computed():
    x, net = torch.ones(4, 5, requires_grad=True), Net()
    counts = counted(lambda: net(x).sum().backward()).get_flop_counts()
    first = 2 * 4 * 5 * 6
    assert counts["Net.a"] == {aten.addmm: first, aten.mm: 2 * first}
    assert counts["Net.rest"][aten.mm] == 2 * counts["Net.rest"][aten.addmm]
    assert counts["Global"] == counts["Net"] and set(counts) == {
        "Global",
        "Net",
        "Net.a",
        "Net.rest",
        "Net.rest.0",
        "Net.rest.2",
    }
    conv, image = nn.Conv2d(4, 4, 3, padding=1), torch.ones(2, 4, 8, 8, requires_grad=True)
    assert (
        counted(lambda: conv(image).sum().backward()).get_total_flops()
        == 3 * counted(lambda: conv(image)).get_total_flops()
    )


def test_the_table(capsys):
    with FlopCounterMode():
        torch.ones(100, 100) @ torch.ones(100, 100)
    assert capsys.readouterr().out.splitlines() == [
        *("Module           FLOP    % Total", "----------  ---------  ---------"),
        *("Global      2000.000K    100.00%", " - aten.mm  2000.000K    100.00%"),
    ]
    counter = counted(lambda: Net()(torch.ones(1, 5)))
    assert counter.get_table(depth=1).splitlines()[2:] == [
        "Net            172.000    100.00%",
        " - aten.addmm  172.000    100.00%",
    ]


def test_formulas_of_ones_own():
    assert (
        counted(
            lambda: torch.ones(3).sin(), custom_mapping={aten.sin: lambda shape, out_shape: shape[0] + out_shape[0]}
        ).get_total_flops()
        == 6
    )
    with pytest.raises(RuntimeError, match="duplicate registrations for aten.mm"):
        register_flop_formula(aten.mm)(lambda *shapes, **rest: 0)
    with pytest.raises(ValueError, match="expected each target to be OpOverloadPacket"):
        register_flop_formula(3)(lambda *shapes, **rest: 0)
    with pytest.warns(UserWarning, match="mods argument is not needed anymore"):
        FlopCounterMode(Net())


def test_the_tracker_knows_who_runs():
    seen = []

    class Look(nn.Module):
        def forward(self, x):
            seen.append((sorted(tracker.parents), tracker.is_bw))
            y = x * 2
            y.register_hook(lambda gradient: seen.append((sorted(tracker.parents), tracker.is_bw)))
            return y + 1

    net = nn.Sequential(Look(), nn.ModuleDict({"inner": Look()})["inner"])
    with ModuleTracker() as tracker:
        net(torch.ones(2, requires_grad=True).clone()).sum().backward()
        assert tracker.parents == {"Global"} and not tracker.is_bw
    forward = [(["Global", "Sequential", f"Sequential.{i}"], False) for i in (0, 1)]
    assert seen == [*forward, *[(names, True) for names, _ in reversed(forward)]]
