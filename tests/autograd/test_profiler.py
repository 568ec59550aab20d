"""Events, tables and traces of the profiler."""

import json

import pytest

import rushlight as torch
from rushlight.autograd.profiler import EventList, FunctionEvent, profile, record_function
from rushlight.autograd.profiler_util import FunctionEventAvg, _format_time


def test_events_nest_and_add_up(tmp_path):
    x = torch.ones(3, 4, requires_grad=True)
    with profile(record_shapes=True, profile_memory=True) as found:
        with record_function("a stretch"):
            y = (x * 2).sin()
        y.sum()
    by_name = {event.name: event for event in found}
    assert {"aten::mul", "aten::sin", "aten::sum", "a stretch"} <= set(by_name)
    assert by_name["aten::mul"].cpu_parent is by_name["a stretch"]
    assert by_name["aten::mul"].input_shapes[0] == [3, 4]
    assert by_name["aten::sin"].cpu_memory_usage == 48
    assert (
        by_name["a stretch"].cpu_time_total >= by_name["aten::mul"].cpu_time_total + by_name["aten::sin"].cpu_time_total
    )
    table = found.key_averages().table(sort_by="self_cpu_time_total")
    assert "aten::mul" in table and "# of Calls" in table and "CPU Mem" in table
    found.export_chrome_trace(tmp_path / "trace.json")
    names = {each["name"] for each in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]}
    assert "aten::sum" in names


def test_results_and_gradients_are_the_same_under_a_profile():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with profile():
        y = x.sin()
        y[0] = 5.0
        y.mul_(3)
        y.sum().backward()
    assert torch.allclose(x.grad, torch.tensor([0.0, 3 * -0.41614684]))


def test_a_schedule_records_the_active_steps_only():
    from rushlight.profiler import profile as stepped
    from rushlight.profiler import schedule

    traces = []
    with stepped(
        schedule=schedule(wait=1, warmup=1, active=2), on_trace_ready=lambda p: traces.append(p.events())
    ) as prof:
        for _ in range(8):
            torch.ones(2) + 1
            prof.step()
    assert len(traces) == 2
    assert [sum(event.name == "aten::add" for event in each) for each in traces] == [2, 2]


def test_nodes_of_backward_show_and_have_the_numbers_of_the_calls_that_made_them():
    x = torch.ones(3, requires_grad=True)
    assert not torch.autograd._profiler_enabled()
    with profile() as found:
        assert torch.autograd._profiler_enabled()
        y = x.sin()
        y.sum().backward()
    by_name = {event.name: event for event in found}
    made, engine, node = (
        by_name[each] for each in ("aten::sin", "autograd::engine::evaluate_function: SinBackward0", "SinBackward0")
    )
    assert made.sequence_nr == engine.sequence_nr == node.sequence_nr == y.grad_fn._sequence_nr()
    assert made.fwd_thread == 0 and node.fwd_thread == made.thread
    assert node.cpu_parent is engine and by_name["aten::cos"].cpu_parent is node
    assert by_name["torch::autograd::AccumulateGrad"].sequence_nr == -1


def test_events_and_their_averages():
    average = FunctionEventAvg()
    assert average.cpu_time == 0.0
    for i, (start, end) in enumerate(((10, 15), (20, 30))):
        average.add(FunctionEvent(id=i, name="a call", thread=0, start_us=start, end_us=end))
    average += average
    assert (average.key, average.count, average.cpu_time_total, average.cpu_time) == ("a call", 4, 30, 7.5)
    assert average.cpu_time_str == "7.500us" and average.device_time_total == 0
    with pytest.raises(AssertionError, match="an average of a call cannot take in another"):
        average.add(FunctionEvent(id=2, name="another", thread=0, start_us=0, end_us=1))
    assert [_format_time(us) for us in (1, 1e3, 1e6)] == ["1.000us", "1.000ms", "1.000s"]


def test_events_of_a_thread_lie_within_each_other_by_their_times():
    spans = [(0, 0, 10), (0, 1, 3), (0, 2, 3), (0, 4, 9), (1, 5, 6), (0, 12, 13)]
    events = EventList(
        FunctionEvent(id=i, name=str(i), thread=thread, start_us=start, end_us=end)
        for i, (thread, start, end) in enumerate(spans)
    )
    events._populate_cpu_children()
    assert [[child.id for child in event.cpu_children] for event in events] == [[1, 3], [2], [], [], [], []]
    assert events[0].self_cpu_time_total == 10 - 2 - 5
    top = events.table(top_level_events_only=True, time_unit="ms", header="all of them")
    assert top.startswith("all of them\n") and "0.010ms" in top and " 3 " not in top
