"""What every optimiser is: groups, state, hooks, checkpoints, and what it refuses."""

import copy
import gc
import pickle

import pytest

import rushlight as torch
from rushlight.optim.optimizer import Optimizer, register_optimizer_step_post_hook, required


def parameter(*values):
    return torch.nn.Parameter(torch.tensor(values or [1.0, 2.0]))


def stepped(optim):
    for group in optim.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optim.step()
    return optim


def test_groups_take_the_defaults_they_do_not_override():
    p, q = parameter(), parameter()
    optim = torch.optim.SGD([{"params": p, "lr": 0.5}, {"params": [q]}], lr=0.1, momentum=0.9)
    assert [group["lr"] for group in optim.param_groups] == [0.5, 0.1]
    assert all(group["momentum"] == 0.9 for group in optim.param_groups)
    stepped(optim)
    assert p.tolist() == pytest.approx([0.5, 1.5])
    assert q.tolist() == pytest.approx([0.9, 1.9])


def test_names_are_kept_with_the_parameters():
    model = torch.nn.Linear(2, 1)
    optim = torch.optim.Adam(model.named_parameters())
    assert optim.param_groups[0]["param_names"] == ["weight", "bias"]
    assert "param_names: ['weight', 'bias']" in repr(optim)
    with pytest.raises(ValueError, match="cannot add param group without names"):
        optim.add_param_group({"params": [parameter()]})


def test_what_is_no_parameter_is_refused():
    with pytest.raises(TypeError, match="but got torch.FloatTensor"):
        torch.optim.SGD(parameter())
    with pytest.raises(ValueError, match="empty parameter list"):
        torch.optim.SGD([])
    with pytest.raises(TypeError, match="one of the params is int"):
        torch.optim.SGD([1])
    with pytest.raises(TypeError, match="ordered collections"):
        torch.optim.SGD([{"params": {parameter()}}])
    with pytest.raises(ValueError, match="non-leaf"):
        torch.optim.SGD([parameter() * 2])
    p = parameter()
    with pytest.raises(ValueError, match="more than one parameter group"):
        torch.optim.SGD([{"params": p}, {"params": p}])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        torch.optim.SGD([p, p])
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Optimizer([p], {"lr": required})


def test_parameters_without_gradient_are_left_alone():
    p, q = parameter(), parameter()
    optim = torch.optim.Adam([p, q])
    p.grad = torch.ones(2)
    optim.step()
    assert q.tolist() == [1, 2] and q not in optim.state and p in optim.state


def test_a_closure_is_called_with_gradients_on():
    p = parameter()
    optim = torch.optim.SGD([p], lr=0.1)

    def closure():
        optim.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optim.step(closure).item() == 5
    assert p.tolist() == pytest.approx([0.8, 1.6])


def test_state_dict_numbers_parameters_and_shares_tensors():
    p, q = parameter(), parameter()
    optim = stepped(torch.optim.Adam([{"params": [p]}, {"params": [q], "lr": 0.5}]))
    state = optim.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert list(state["state"]) == [0, 1]
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["state"][0]["exp_avg"] is optim.state[p]["exp_avg"]
    assert state["state"][0]["step"].dtype is torch.float32 and state["state"][0]["step"].shape == ()


def test_counters_are_double_where_that_is_the_default():
    torch.set_default_dtype(torch.float64)
    try:
        optim = stepped(torch.optim.Adam([parameter()]))
        assert optim.state_dict()["state"][0]["step"].dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("how", ["load", "pickle", "deepcopy"])
def test_a_copy_goes_on_as_the_original(how):
    p = parameter()
    optim = stepped(torch.optim.Adam([p], lr=0.1, amsgrad=True))
    if how == "load":
        q = torch.nn.Parameter(p.detach().clone())
        other = torch.optim.Adam([q])
        other.load_state_dict(copy.deepcopy(optim.state_dict()))
    else:
        other = copy.deepcopy(optim) if how == "deepcopy" else pickle.loads(pickle.dumps(optim))
        q = other.param_groups[0]["params"][0]
    assert q is not p
    stepped(optim)
    stepped(other)
    assert q.tolist() == p.tolist()
    assert repr(other) == repr(optim)


def test_a_checkpoint_that_does_not_fit_leaves_the_optimiser_as_it_was():
    optim = stepped(torch.optim.SGD([parameter()], momentum=0.9))
    before = repr(optim.state_dict())
    for groups in ([], [{"params": [0, 1]}]):
        with pytest.raises(ValueError, match="loaded state dict"):
            optim.load_state_dict({"state": {}, "param_groups": groups})
    assert repr(optim.state_dict()) == before


def test_hooks_may_change_arguments_and_can_be_removed():
    seen = []
    optim = torch.optim.SGD([parameter()])
    handle = optim.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: seen.append("closure") or 3), {}))
    after = register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    try:
        assert optim.step() == 3
    finally:
        handle.remove()
        after.remove()
    assert optim.step() is None
    assert seen == ["closure", "after"]


def test_classes_are_shown_by_pytorchs_names():
    assert torch.optim.Adam.__module__ == "torch.optim.adam"
    assert torch.optim.Muon.__module__ == "torch.optim"
    assert torch.optim.lr_scheduler.OneCycleLR.__module__ == "torch.optim.lr_scheduler"

    class Own(torch.optim.SGD):
        pass

    assert Own.__module__ == __name__


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        p = parameter()
        optim = torch.optim.SGD([p], lr=0.5, momentum=0.9)
        schedules = torch.optim.lr_scheduler
        for made in (
            schedules.LambdaLR(optim, lambda epoch: 1.0),
            schedules.CyclicLR(optim, 0.1, 0.2),
            schedules.OneCycleLR(optim, 0.1, 10),
            torch.optim.swa_utils.SWALR(optim, 0.1),
        ):
            stepped(optim)
            made.step()
        del made
        assert not gc.get_referrers(optim)
        del optim
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_profiles_name_the_step():
    optim = torch.optim.SGD([parameter()])
    with torch.autograd.profiler.profile() as profile:
        stepped(optim)
    assert any(event.name == "Optimizer.step#SGD.step" for event in profile.function_events)
