"""Events, tables and traces of the profiler."""

import json

import rushlight as torch
from rushlight.autograd.profiler import profile, record_function


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
