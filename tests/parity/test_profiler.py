"""What a profile shows of given events, and which events ordinary programs have: as PyTorch."""

import itertools
import json
import warnings

import pytest
import torch

import rushlight


def events(module, seed=0):
    """A list of made-up events, nested and not, some with shapes, stacks, memory, counts of operations."""
    util = module.autograd.profiler_util
    spans = [
        ("aten::linear", 0, 50, [[3, 4], [5, 4], []], 24, 0),
        ("aten::mm", 10, 40, [[3, 4], [4, 5]], 24, 120),
        (
            "a stretch with a very long name, longer than any column of names can be, so that it is cut",
            60,
            2_500_000,
            [],
            -3000,
            0,
        ),
        ("aten::mm", 100, 1500, [[30, 40], [40, 50]], 6000, 120_000),
        ("aten::mul", 1600, 1700, [[3] * 40, []], 5 << 20, 3**20),
        ("[memory]", 1650, 1650, [], -(3 << 30), 0),
        ("aten::mul", 2_600_000, 2_600_003, [[3], []], 0, 3),
    ]
    found = util.EventList(
        [
            util.FunctionEvent(
                *(number, name, 1, start, end, "", 0, shapes),
                stack=[
                    f"/a/rather/long/path/to/a/file/of/the/program.py({number}): inner{'x' * 20 * seed}",
                    "b.py(1): outer",
                ]
                if seed
                else [],
                cpu_memory_usage=memory,
                flops=flops,
                trace_name=name,
            )
            for number, (name, start, end, shapes, memory, flops) in enumerate(spans)
        ],
        profile_memory=seed != 1,
        with_flops=seed == 0,
    )
    found._build_tree()
    return found


OPTIONS = [
    {},
    dict(sort_by="self_cpu_time_total", row_limit=3),
    dict(sort_by="cpu_memory_usage", row_limit=-1, time_unit="ms"),
    dict(sort_by="count", max_name_column_width=20, max_shapes_column_width=15, max_src_column_width=30),
    dict(header="all of them", top_level_events_only=True, time_unit="s"),
    dict(
        max_name_column_width=None, max_shapes_column_width=None, max_src_column_width=None, time_unit="us", row_limit=0
    ),
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_tables(seed, options):
    groups = [{}, dict(group_by_input_shapes=True), dict(group_by_stack_n=1), dict(group_by_stack_n=5)]
    ours, theirs = events(rushlight, seed), events(torch, seed)
    assert ours.table(**options) == theirs.table(**options)
    for group in groups:
        assert ours.key_averages(**group).table(**options) == theirs.key_averages(**group).table(**options)


@pytest.mark.parametrize("seed", range(2))
def test_events_and_averages_show_themselves(seed, tmp_path):
    ours, theirs = events(rushlight, seed), events(torch, seed)
    assert repr(ours) == repr(theirs) and str(ours) == str(theirs)
    assert repr(ours.key_averages()) == repr(theirs.key_averages())
    assert repr(ours.total_average()) == repr(theirs.total_average())
    assert ours.self_cpu_time_total == theirs.self_cpu_time_total
    told = []
    for found in (ours, theirs):
        found.export_chrome_trace(tmp_path / "trace")
        found.export_stacks(tmp_path / "stacks", "self_cpu_time_total")
        told.append((json.loads((tmp_path / "trace").read_text()), (tmp_path / "stacks").read_text()))
    assert told[0] == told[1]


def test_trees_of_random_spans():
    import random

    for seed in range(50):
        draw = random.Random(seed)
        ends = [sorted(draw.choices(range(12), k=2)) for _ in range(8)]
        spans = [(draw.choice("ab"), draw.randrange(2), *pair) for pair in ends]
        shown = []
        for module in (rushlight, torch):
            util = module.autograd.profiler_util
            found = util.EventList([util.FunctionEvent(i, *span, stack=[]) for i, span in enumerate(spans)])
            found._build_tree()
            shown.append([(e.id, [c.id for c in e.cpu_children], e.cpu_parent and e.cpu_parent.id) for e in found])
        assert shown[0] == shown[1]


def test_schedules():
    for wait, warmup, active, repeat, skip, wait_first in itertools.product(
        (0, 2), (0, 1), (1, 3), (0, 2), (0, 2), (0, 1)
    ):
        said = []
        for module in (rushlight, torch):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                options = dict(wait=wait, warmup=warmup, active=active, repeat=repeat)
                schedule = module.profiler.schedule(**options, skip_first=skip, skip_first_wait=wait_first)
            said.append(([schedule(step).name for step in range(20)], [str(each.message) for each in told]))
        assert said[0] == said[1]


#: programs with names that PyTorch and rushlight give to the same operators, and no others within them
PROGRAMS = {
    "elementwise": "(x * x).sin().sum().backward()",
    "matrices": "x.mm(w).relu().sum().backward()",
    "stretches": "\nwith mark('one'):\n    x.exp()\n    with mark('two'):\n        x.cos()\n",
    "views": "x.t().unsqueeze(0).squeeze(0)",
    "in place": "x.clone().mul_(w).sum().backward()",
    "functions": "torch.nn.functional.linear(x, x).softmax(-1)",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_events_of_programs(name):
    found = []
    for module in (rushlight, torch):
        scope = {
            "torch": module,
            "x": module.ones(3, 3, requires_grad=True),
            "w": module.ones(3, 3, requires_grad=True),
            "mark": module.profiler.record_function,
        }
        with module.profiler.profile(record_shapes=True) as profile:
            exec(PROGRAMS[name], scope)
        top, numbers = [], {}
        for event in profile.events():
            if event.cpu_parent is None or event.cpu_parent.is_user_annotation or event.scope == 1:
                number = numbers.setdefault(event.sequence_nr, len(numbers)) if "Backward" in event.name else None
                top.append((event.name, event.scope, event.is_user_annotation, number))
        found.append([each for each in top if each[0] not in ("aten::ones_like", "aten::to")])
    assert found[0] == found[1]
