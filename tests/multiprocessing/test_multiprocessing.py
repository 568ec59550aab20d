"""Tensors that travel between processes, and processes that are started together."""

import os
import subprocess
import sys
import time

import pytest

import rushlight as torch
import rushlight.multiprocessing as mp

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
FORK = mp.get_context("fork")


def add_rank(rank, shared, model, results):
    shared[rank] += rank + 1
    with torch.no_grad():
        model.weight.add_(1.0)
    results.put((rank, torch.full((2,), float(rank)), torch.nn.Parameter(torch.ones(1))))


def test_shared_memory_is_one_and_other_tensors_are_copies():
    shared = torch.zeros(3).share_memory_()
    model = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    assert model.share_memory() is model and model.weight.is_shared() and model.weight.is_leaf
    results = FORK.SimpleQueue()
    processes = [FORK.Process(target=add_rank, args=(i, shared, model, results)) for i in range(2)]
    for process in processes:
        process.start()
    got = sorted((results.get() for _ in processes), key=lambda each: each[0])
    for process in processes:
        process.join()
    assert shared.tolist() == [1, 2, 0] and model.weight.tolist() == [[2, 2]]
    assert [each[1].tolist() for each in got] == [[0, 0], [1, 1]]
    assert isinstance(got[0][2], torch.nn.Parameter) and got[0][2].requires_grad


def test_views_of_shared_memory_travel_as_views():
    whole = torch.arange(6.0).share_memory_()
    queue = FORK.Queue()
    queue.put(whole.view(2, 3).t())
    got = queue.get()
    got[0, 1] = 50
    assert got.is_shared() and whole.tolist() == [0, 1, 2, 50, 4, 5]
    assert whole.untyped_storage().is_shared() and not torch.ones(1).is_shared()


def test_gradients_go_on_after_sharing():
    weight = torch.ones(2, requires_grad=True).share_memory_()
    (weight * 3).sum().backward()
    assert weight.grad.tolist() == [3, 3] and weight.share_memory_() is weight


def test_tensors_of_a_graph_do_not_travel():
    with pytest.raises(RuntimeError, match="^Cowardly refusing to serialize non-leaf tensor"):
        FORK.SimpleQueue().put(torch.ones(1, requires_grad=True) * 2)


def fail(rank):
    if rank == 1:
        raise ValueError("no second one")


def leave(rank, code):
    os._exit(code)


def test_the_first_failure_ends_all():
    with pytest.raises(
        mp.ProcessRaisedException, match="-- Process 1 terminated with the following error:\n(.|\n)*no second one"
    ):
        mp.start_processes(fail, nprocs=2, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with exit code 3") as caught:
        mp.start_processes(leave, (3,), start_method="fork")
    assert caught.value.exit_code == 3 and caught.value.error_index == 0
    context = mp.start_processes(leave, (0,), nprocs=2, start_method="fork", join=False)
    assert len(context.pids()) == 2
    while not context.join():
        pass


SCRIPT = """
import torch
import torch.multiprocessing as mp

def double(rank, shared):
    shared[rank] = 2 * shared[rank]

if __name__ == "__main__":
    shared = torch.arange(1.0, 3.0).share_memory_()
    mp.spawn(double, (shared,), nprocs=2)
    print(shared)
"""


def test_spawned_processes_see_shared_memory(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(torch.__file__)))
    command = [sys.executable, "-m", "rushlight", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout == "tensor([2., 4.])\n", done.stderr


def test_strategies():
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(AssertionError, match="invalid sharing strategy 'x'"):
        mp.set_sharing_strategy("x")


def fail_and_linger(rank, seconds):
    if rank == 0:
        os._exit(5)
    time.sleep(seconds)


def test_the_others_may_end_by_themselves_or_are_told_to(caplog):
    for seconds, grace, terminated in ((0.3, 10, 0), (60, None, 1)):
        caplog.clear()
        context = mp.start_processes(fail_and_linger, (seconds,), nprocs=2, start_method="fork", join=False)
        with pytest.raises(mp.ProcessExitedException, match="exit code 5"):
            while not context.join(grace_period=grace):
                pass
        assert [record.getMessage() for record in caplog.records] == [
            f"Terminating process {context.pids()[1]} via signal SIGTERM"
        ] * terminated
        assert context.processes[1].exitcode == (-15 if terminated else 0)


def test_a_fork_server_starts_all_at_once_where_asked_to(monkeypatch):
    monkeypatch.setenv("TORCH_MP_PARALLEL_START", "1")
    with pytest.raises(mp.ProcessExitedException, match="process . terminated with exit code 3"):
        mp.start_processes(leave, (3,), nprocs=2, start_method="forkserver")
