"""Events, tables and traces of the profiler."""

import gzip
import json
import threading
import warnings

import pytest

import rushlight as torch
from rushlight.autograd import profiler_table
from rushlight.autograd.profiler import EventList, FunctionEvent, MemRecordsAcc, emit_nvtx, profile, record_function
from rushlight.autograd.profiler_util import FunctionEventAvg, _format_time


def by_name(found):
    return {event.name: event for event in found}


def test_events_nest_and_add_up(tmp_path):
    x = torch.ones(3, 4, requires_grad=True)
    with profile(record_shapes=True, profile_memory=True) as found:
        with record_function("a stretch"):
            y = (x * 2).sin()
        y.sum()
    events = by_name(found.function_events)
    assert {"aten::mul", "aten::sin", "aten::sum", "a stretch"} <= set(events)
    assert events["aten::mul"].cpu_parent is events["a stretch"]
    assert events["aten::mul"].input_shapes[0] == [3, 4]
    assert events["aten::sin"].cpu_memory_usage == 48
    assert events["a stretch"].cpu_time_total >= events["aten::mul"].cpu_time_total + events["aten::sin"].cpu_time_total
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


def test_composites_and_makers_of_tensors_are_events_around_their_parts():
    with profile(record_shapes=True) as found:
        weight = torch.ones(5, 4)
        torch.nn.functional.linear(torch.zeros(3, 4), weight)
    names = [event.name for event in found.function_events]
    assert names == ["aten::ones", "aten::zeros", "aten::linear", "aten::t", "aten::mm"]
    linear, turned = found.function_events[2:4]
    assert linear.structured_input_shapes == [[3, 4], [5, 4]] and turned.cpu_parent is linear


def test_inputs_are_described():
    x = torch.ones(2, 3)
    with profile(record_shapes=True) as found:
        torch.cat([x, x], 1)
        with record_function("with a text", "1, 2"):
            pass
        handle = torch.autograd._record_function_with_args_enter("with arguments", 1, False, [x, x], "a", x)
        torch.autograd._record_function_with_args_exit(handle)
        torch.ops.profiler._record_function_exit(torch.ops.profiler._record_function_enter("by an operator", None))
    joined, text, arguments, operator = found.function_events
    assert joined.input_shapes == [[], []] and joined.structured_input_shapes == [[[2, 3], [2, 3]], []]
    assert joined.structured_input_strides == [[[3, 1], [3, 1]], []]
    assert joined.concrete_inputs == [None, 1] and joined.input_dtypes == ["TensorList", "Scalar"]
    assert text.input_shapes == [[]] and text.concrete_inputs == ["1, 2"]
    assert text.is_user_annotation and text.scope == 7 and not joined.is_user_annotation
    assert arguments.input_shapes == [[], [], [], [], [2, 3]]
    assert operator.name == "by an operator" and operator.input_shapes == []


def test_memory_given_back_counts_where_it_happens():
    with profile(profile_memory=True) as found:
        with record_function("takes"):
            x = torch.ones(100)
        with record_function("gives back"):
            del x
        y = torch.ones(10)
        del y
    events = by_name(found.function_events)
    assert events["takes"].cpu_memory_usage == 400 and events["gives back"].self_cpu_memory_usage == -400
    assert events["[memory]"].cpu_memory_usage == -40
    assert found.total_average().self_cpu_memory_usage == 0
    kept = torch.ones(10)
    with profile(profile_memory=True) as found:
        torch.flatten(kept)
        kept.t()
    assert [event.cpu_memory_usage for event in found.function_events] == [0] * len(found.function_events)


def test_operations_are_counted():
    a, b, image = torch.ones(2, 3), torch.ones(3, 4), torch.ones(1, 3, 8, 8)
    with profile(with_flops=True) as found:
        a @ b
        a * a
        torch.bmm(torch.ones(5, 2, 3), torch.ones(5, 3, 4))
        torch.nn.functional.conv2d(image, torch.ones(2, 3, 3, 3), stride=2, padding=1)
        a.sin()
    flops = {name: event.flops for name, event in by_name(found.function_events).items() if event.flops}
    assert flops == {"aten::mm": 48, "aten::mul": 6, "aten::bmm": 240, "aten::conv2d": 2 * 2 * 27 * 16}
    assert "Total FLOPs" in found.key_averages().table()


def test_stacks_lead_from_the_call_outwards_and_backward_has_those_of_forward(tmp_path):
    x = torch.ones(2, requires_grad=True)

    def inner():
        return x.sin()

    with profile(with_stack=True) as found:
        inner().sum().backward()
    events = by_name(found.function_events)
    first, second = events["aten::sin"].stack[:2]
    assert first.endswith(": inner") and __file__ in second
    assert events["aten::cos"].stack == events["aten::sin"].stack
    grouped = found.key_averages(group_by_stack_n=1)
    assert {event.key: event.stack for event in grouped}["aten::sin"] == [first]
    assert "Source Location" in grouped.table() and "Source Location" not in found.key_averages().table()
    found.export_stacks(tmp_path / "stacks", "self_cpu_time_total")
    lines = (tmp_path / "stacks").read_text().splitlines()
    assert any(line.rpartition(" ")[0].endswith(":_inner") for line in lines)
    with pytest.raises(ValueError, match="metric should be one of: "):
        found.export_stacks(tmp_path / "stacks", "count")


def test_nodes_of_backward_show_and_have_the_numbers_of_the_calls_that_made_them():
    x = torch.ones(3, requires_grad=True)
    assert not torch.autograd._profiler_enabled() and not torch.autograd.profiler._is_profiler_enabled
    with profile(record_shapes=True) as found:
        assert torch.autograd._profiler_enabled() and torch.autograd.profiler._is_profiler_enabled
        y = x.sin()
        y.sum().backward()
    events = by_name(found.function_events)
    made, engine, node = (
        events[each] for each in ("aten::sin", "autograd::engine::evaluate_function: SinBackward0", "SinBackward0")
    )
    assert made.sequence_nr == engine.sequence_nr == node.sequence_nr == y.grad_fn._sequence_nr()
    assert made.fwd_thread == 0 and node.fwd_thread == made.thread
    assert node.cpu_parent is engine and events["aten::cos"].cpu_parent is node
    assert node.scope == 1 and node.input_shapes == [[3]]
    assert events["torch::autograd::AccumulateGrad"].sequence_nr == -1


def test_a_profile_notes_its_own_thread():
    with profile() as found:
        thread = threading.Thread(target=lambda: torch.ones(2) * 2)
        thread.start()
        thread.join()
        torch.ones(2) + 1
    assert [event.name for event in found.function_events] == ["aten::ones", "aten::add"]


def test_what_a_profile_refuses():
    assert profile(enabled=False).__enter__() is None
    unfinished = profile()
    assert str(unfinished) == "<unfinished torch.autograd.profile>" and unfinished.table() == ""
    with unfinished:
        pass
    with pytest.raises(RuntimeError, match="Profiler context manager is not reentrant"), unfinished:
        pass
    with pytest.raises(AssertionError, match="requires with_stack=True"):
        unfinished.export_stacks("nowhere")
    with emit_nvtx(enabled=False):
        pass
    with pytest.raises(NotImplementedError, match="emit_nvtx is not there"), emit_nvtx():
        pass
    with pytest.raises(NotImplementedError, match="has no profiler_metrics"):
        torch._C._profiler._ExperimentalConfig(profiler_metrics=["one"])


def test_events_and_their_averages():
    average = FunctionEventAvg()
    assert average.cpu_time == 0.0
    for i, (start, end) in enumerate(((10, 15), (20, 30))):
        average.add(FunctionEvent(id=i, name="a call", thread=0, start_us=start, end_us=end))
    average += average
    assert (average.key, average.count, average.cpu_time_total, average.cpu_time) == ("a call", 4, 30, 7.5)
    assert average.cpu_time_str == "7.500us" and average.device_time_total == 0
    with pytest.raises(AssertionError, match="Expected keys to match, but got another vs a call"):
        average.add(FunctionEvent(id=2, name="another", thread=0, start_us=0, end_us=1))
    assert [_format_time(us) for us in (1, 1e3, 1e6)] == ["1.000us", "1.000ms", "1.000s"]
    with pytest.warns(FutureWarning, match="`cuda_time` is deprecated, please use `device_time` instead."):
        assert average.cuda_time == 0


def tree(*spans):
    events = EventList(
        FunctionEvent(id=i, name=name, thread=thread, start_us=start, end_us=end, stack=[])
        for i, (name, thread, start, end) in enumerate(spans)
    )
    events._build_tree()
    return events


def test_events_of_a_thread_lie_within_each_other_by_their_times():
    spans = [(0, 0, 10), (0, 1, 3), (0, 2, 3), (0, 4, 9), (1, 5, 6), (0, 12, 13)]
    events = tree(*[(str(i), *span) for i, span in enumerate(spans)])
    assert [[child.id for child in event.cpu_children] for event in events] == [[1, 3], [2], [], [], [], []]
    assert events[0].self_cpu_time_total == 10 - 2 - 5
    top = events.table(top_level_events_only=True, time_unit="ms", header="all of them")
    assert "\nall of them\n" in top and "0.010ms" in top and " 3 " not in top


def test_an_event_takes_in_its_only_child_of_the_same_name():
    events = tree(("a", 0, 0, 10), ("a", 0, 1, 9), ("b", 0, 2, 3))
    assert [event.name for event in events] == ["a", "b"]
    assert events[0].cpu_children == [events[1]] and events[1].cpu_parent is events[0]


def test_a_table_is_laid_out_in_columns():
    events = tree(("first", 0, 0, 4), ("second", 0, 4, 5), ("second", 0, 5, 7))
    lines = events.key_averages().table(sort_by="count").splitlines()
    assert lines[0] == "  ".join(["-" * 10] + ["-" * 12] * 6) + "  "
    assert lines[1].split() == "Name Self CPU % Self CPU CPU total % CPU total CPU time avg # of Calls".split()
    assert lines[3].split() == ["second", "42.86%", "3.000us", "42.86%", "3.000us", "1.500us", "2"]
    assert lines[-1] == "Self CPU time total: 7.000us" and len({len(line) for line in lines[:-1]}) == 1
    assert len(events.table(row_limit=1).splitlines()) == len(lines) - 1
    assert EventList().table() == ""
    assert [profiler_table.format_memory(count) for count in (5, -2048, 3 << 20)] == ["5 B", "-2.00 KB", "3.00 MB"]


def test_records_of_memory_are_found_by_time():
    class Record:
        def __init__(self, when):
            self.start_ns = lambda: when

    records = [[Record(when), False] for when in (5, 1, 3)]
    assert [found[0].start_ns() for found in MemRecordsAcc(records).in_interval(1, 3)] == [1, 3]


# ------------------------------------------------------------------------------------------------- torch.profiler


def scheduled(**options):
    return torch.profiler.schedule(**{"wait": 1, "warmup": 1, "active": 2, **options})


def test_a_schedule_records_the_active_steps_only():
    traces = []
    warnings.simplefilter("ignore")  # once in a process, that events of a cycle go with the next
    with torch.profiler.profile(schedule=scheduled(), on_trace_ready=lambda p: traces.append(p.events())) as prof:
        for _ in range(8):
            torch.ones(2) + 1
            prof.step()
    assert len(traces) == 2
    assert [sum(event.name == "aten::add" for event in each) for each in traces] == [2, 2]
    assert [event.trace_name for event in traces[0] if event.name == "ProfilerStep*"] == [
        "ProfilerStep#2",
        "ProfilerStep#3",
    ]


def test_what_schedules_say():
    def said(steps, **options):
        return "".join(
            scheduled(**options)(step).name[0] + str(scheduled(**options)(step).value) for step in range(steps)
        )

    assert said(9) == "N0W1R2R3N0W1R2R3N0"
    assert said(7, repeat=1, skip_first=1) == "N0N0W1R2R3N0N0"
    assert said(6, skip_first=1, skip_first_wait=1) == "N0W1R2R3N0W1"
    with pytest.warns(UserWarning, match="won't be using warmup"):
        assert scheduled(warmup=0)(1) is torch.profiler.ProfilerAction.RECORD
    with pytest.raises(AssertionError, match="Step must be non-negative. Got -1."):
        scheduled()(-1)


def test_events_of_cycles_are_kept_if_asked_for():
    for keep, second in ((False, 2), (True, 3)):
        prof = torch.profiler.profile(acc_events=keep)
        counts = []
        for repeats in (1, 2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                prof.start()
            for _ in range(repeats):
                torch.ones(2)
            prof.stop()
            counts.append(len(prof.events()))
        assert counts == [1, second]


def test_collection_can_be_interrupted():
    with torch.profiler.profile() as prof:
        prof.toggle_collection_dynamic(False, [torch.profiler.ProfilerActivity.CPU])
        torch.ones(2).sin()
        prof.toggle_collection_dynamic(True, [torch.profiler.ProfilerActivity.CPU])
        torch.ones(2)
    assert [event.name for event in prof.events()] == ["aten::ones"]


def test_a_trace_says_what_ran_and_what_led_to_it(tmp_path):
    x = torch.ones(2, requires_grad=True)
    prof = torch.profiler.profile(
        record_shapes=True, on_trace_ready=torch.profiler.tensorboard_trace_handler(tmp_path, "me", True)
    )
    prof.preset_metadata_json("numbers", "[1, 2]")
    with prof:
        x.sin().sum().backward()
        prof.add_metadata("who", 'a "name"')
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("me.") and path.name.endswith(".pt.trace.json.gz")
    trace = json.loads(gzip.decompress(path.read_bytes()))
    assert trace["numbers"] == [1, 2] and trace["who"] == 'a "name"' and trace["record_shapes"] == 1
    ran = {event["name"]: event for event in trace["traceEvents"] if event["ph"] == "X"}
    assert ran["aten::sin"]["args"]["Input Dims"] == [[2]] and ran["aten::sin"]["dur"] > 0
    starts = [event for event in trace["traceEvents"] if event["ph"] == "s"]
    ends = [event for event in trace["traceEvents"] if event["ph"] == "f"]
    assert starts and sorted(event["id"] for event in starts) == sorted(event["id"] for event in ends)
    assert any(event["ts"] == ran["aten::sin"]["ts"] for event in starts)


def test_profiles_that_were_not_started_have_nothing_to_show():
    prof = torch.profiler.profile()
    for method, doing in (
        ("events", "accessing events"),
        ("key_averages", "getting key averages"),
        ("stop", "stopping trace"),
    ):
        with pytest.raises(AssertionError, match=f"Profiler must be initialized before {doing}"):
            getattr(prof, method)()
    with pytest.raises(AssertionError, match="No valid profiler activities found"):
        torch.profiler.profile(activities=[])


def test_other_devices_are_warned_of():
    kinds = torch.profiler.ProfilerActivity
    with pytest.warns(UserWarning, match="CUDA is not available, disabling CUDA profiling"):
        with torch.profiler.profile(activities=[kinds.CPU, kinds.CUDA]) as prof:
            torch.ones(2)
    assert prof.use_device == "cuda" and "aten::ones" in prof.key_averages().table(sort_by="cuda_time_total")
    with pytest.raises(AssertionError, match="No activities"), pytest.warns(UserWarning):
        torch.profiler.profile(activities=[kinds.CUDA]).start()
    with pytest.raises(NotImplementedError, match="no kinds to choose"):
        torch.profiler.profile(activities=[{kinds.CPU: ["CPU_OP"]}]).start()


def test_loaders_and_optimizers_name_what_they_do():
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    with profile() as found:
        for (row,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2, 2))):
            optimizer.zero_grad()
            (row * weight).sum().backward()
            optimizer.step()
    counts = {average.key: average.count for average in found.key_averages()}
    assert counts["enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"] == 3
    assert counts["Optimizer.zero_grad#SGD.zero_grad"] == counts["Optimizer.step#SGD.step"] == 2


def test_functions_of_the_user_are_events_with_their_parts_within():
    class Sine(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.sin()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * ctx.saved_tensors[0].cos()

    x = torch.ones(2, requires_grad=True)
    with profile() as found:
        y = Sine.apply(x)
        y.sum().backward()
        mapped = torch.vmap(torch.func.grad(Sine.apply))(x.detach())
    made, part = found.function_events[:2]
    assert made.name == "Sine" and part.name == "aten::sin" and part.cpu_parent is made
    node = next(event for event in found.function_events if event.name == "SineBackward")
    assert made.sequence_nr == node.sequence_nr == y.grad_fn._sequence_nr()
    assert [child.name for child in node.cpu_children] == ["aten::cos", "aten::mul"]
    assert mapped.tolist() == x.grad.tolist()


def test_operators_have_the_names_pytorch_gives_them():
    with profile() as found:
        x = torch.arange(6.0).view(2, 3)
        x[torch.tensor([0, 1])]
        x[0]
        x[torch.tensor([0, 1])] = 1.0
        torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]))
    names = [event.name for event in found.function_events]
    assert {"aten::index", "aten::index_put_", "aten::cross_entropy_loss", "aten::nll_loss_forward"} <= set(names)
    assert not any("aten::_nn" in name for name in names)
