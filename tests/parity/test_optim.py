"""Optimisers against PyTorch's, over its own optimiser database: 20 steps of each setting, state, text, errors, interchange."""

import copy
import importlib
import inspect
import io
import pickle

import numpy as np
import pytest
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum

import rushlight
from tests.parity.optim_harness import INFOS, Pair, carry, carry_back, disagreements, outcome

TOLERANCE = {
    torch.float64: 1e-10,
    torch.float32: 2e-5,
    torch.bfloat16: 2e-2,
    torch.complex128: 1e-10,
    torch.complex64: 2e-5,
}
DENSE = [name for name in INFOS if name != "SparseAdam"]


def base(library):
    """The module of the base class, which is no attribute of PyTorch's ``torch.optim``."""
    return importlib.import_module(f"{library.__name__}.optim.optimizer")


def settings(name):
    """Every setting of the database for the CPU."""
    return [each.kwargs for each in INFOS[name].optim_inputs_func(device="cpu")]


def tolerance(name, kwargs, dtype):
    if name == "Muon":
        # a product of bfloat16 matrices may round the other way in one place, a 256th of a step's size
        return max(TOLERANCE[dtype], 4e-5)
    if kwargs.get("differentiable") or kwargs.get("foreach"):
        # numbers of the step are computed in float32 there
        return max(TOLERANCE[dtype], 1e-7)
    return TOLERANCE[dtype]


def check(name, kwargs, dtype, **options):
    single = dtype in (torch.float32, torch.complex64)
    try:
        if name == "LBFGS" and single:
            # near the minimum its curvature is the difference of nearly equal gradients, which is rounding: what is asked of single
            # precision is the whole state after a few iterations, and that all steps end in one place
            few, pair = Pair(name, {**kwargs, "max_iter": 3}, dtype), Pair(name, kwargs, dtype)
            few.step(1)
            pair.step()
            assert not few.disagreements(1e-3), (name, kwargs, dtype)
            assert not pair.off(1e-3), (name, kwargs, dtype)
            return
        pair = Pair(name, kwargs, dtype, **options)
        pair.step()
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{name}({kwargs}) on {dtype}") from error
    assert not pair.disagreements(tolerance(name, kwargs, dtype)), (name, kwargs, dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", DENSE)
def test_twenty_steps_of_each_setting_of_the_database(name, dtype):
    for kwargs in settings(name):
        check(name, kwargs, dtype)


@pytest.mark.parametrize("name", [name for name in DENSE if INFOS[name].supports_param_groups])
def test_groups_with_options_of_their_own(name):
    for kwargs in settings(name)[:2]:
        check(name, kwargs, torch.float64, groups=True)


@pytest.mark.parametrize("name", [name for name in DENSE if INFOS[name].supports_complex])
def test_complex_parameters(name):
    for kwargs in settings(name):
        check(name, kwargs, torch.complex128)
    check(name, {}, torch.complex64)


@pytest.mark.parametrize("name", [name for name in DENSE if name not in ("LBFGS", "Muon")])
def test_bfloat16_parameters(name):
    for kwargs in settings(name)[:3]:
        pair = Pair(name, kwargs, torch.bfloat16)
        pair.step(5)
        assert not pair.disagreements(TOLERANCE[torch.bfloat16]), kwargs


@pytest.mark.parametrize("name", [name for name in DENSE if INFOS[name].supported_impls])
def test_foreach_fused_and_differentiable(name):
    for way in INFOS[name].supported_impls:
        if way == "fused" and "cpu" not in INFOS[name].supports_fused_on:
            continue
        for kwargs in settings(name):
            if way == "foreach" and any(isinstance(each, torch.Tensor) for each in kwargs.values()):
                continue
            for dtype in (torch.float64, torch.float32):
                check(name, {**kwargs, way: True}, dtype)


# ----------------------------------------------------------------------------------------------------------- errors


def refused(library, name, each, params, kwargs):
    """What a bad input of the database comes to."""

    def run():
        optim = getattr(library.optim, name)(params, **kwargs)
        if each.error_on is OptimizerErrorEnum.STEP_ERROR:
            optim.step()

    return outcome(run)


@pytest.mark.parametrize("name", list(INFOS))
def test_errors_of_the_database(name):
    for each in INFOS[name].optim_error_inputs_func("cpu", torch.float32):
        if "dense params required" in each.optimizer_error_input.desc:
            continue  # there are no sparse tensors here
        params = each.optimizer_error_input.params or [torch.nn.Parameter(torch.randn(1, 1))]
        kwargs = each.optimizer_error_input.kwargs
        ours, grads = _carried(params)
        expected = refused(torch, name, each, params, kwargs)
        for mine, grad in grads:
            mine.grad = grad
        assert expected != "no error"
        assert refused(rushlight, name, each, ours, carry(kwargs)) == expected, (name, kwargs)


def _carried(params):
    """Parameters for rushlight, the same tensor staying the same, and the gradients to give them."""
    made = {}

    def visit(value):
        if isinstance(value, torch.Tensor):
            return made.setdefault(id(value), (carry(value), value))[0]
        if isinstance(value, dict):
            return {key: visit(each) for key, each in value.items()}
        return type(value)(visit(each) for each in value) if isinstance(value, (list, tuple)) else value

    carried = visit(params)
    return carried, [(mine, carry(own.grad)) for mine, own in made.values() if own.grad is not None]


BAD = {
    "empty": lambda L, p: L.optim.SGD([]),
    "no tensors": lambda L, p: L.optim.SGD([1]),
    "set": lambda L, p: L.optim.SGD([{"params": {p}}]),
    "not a group": lambda L, p: L.optim.SGD([p]).add_param_group([p]),
    "not a leaf": lambda L, p: L.optim.SGD([p * 2]),
    "negative lr": lambda L, p: L.optim.SGD([p], lr=-1),
    "negative tensor lr": lambda L, p: L.optim.Adam([p], lr=L.tensor(-1.0)),
    "nesterov alone": lambda L, p: L.optim.SGD([p], nesterov=True),
    "weight decay": lambda L, p: L.optim.SGD([p], weight_decay=-0.5),
    "betas": lambda L, p: L.optim.AdamW([p], betas=(0.9, 1.5)),
    "mixed betas": lambda L, p: L.optim.Adam([p], betas=(1, 0.9)),
    "capturable": lambda L, p: _stepped(L, L.optim.Adam([p], capturable=True), p),
    "capturable foreach": lambda L, p: _stepped(L, L.optim.Adam([p], capturable=True, foreach=True), p),
    "capturable asgd": lambda L, p: _stepped(L, L.optim.ASGD([p], capturable=True), p),
    "capturable nadam": lambda L, p: _stepped(L, L.optim.NAdam([p], capturable=True), p),
    "capturable nadam foreach": lambda L, p: _stepped(L, L.optim.NAdam([p], capturable=True, foreach=True), p),
    "capturable rprop foreach": lambda L, p: _stepped(L, L.optim.Rprop([p], capturable=True, foreach=True), p),
    "capturable rmsprop foreach": lambda L, p: _stepped(L, L.optim.RMSprop([p], capturable=True, foreach=True), p),
    "capturable adadelta": lambda L, p: _stepped(L, L.optim.Adadelta([p], capturable=True), p),
    "foreach and differentiable": lambda L, p: _stepped(L, L.optim.RAdam([p], foreach=True, differentiable=True), p),
    "fused and foreach": lambda L, p: L.optim.SGD([p], fused=True, foreach=True),
    "fused and differentiable": lambda L, p: L.optim.Adagrad([p], fused=True, differentiable=True),
    "fused complex": lambda L, p: _stepped(L, L.optim.Adam([p.detach().to(L.complex64)], fused=True)),
    "groups differ": lambda L, p: L.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": []}),
    "sizes differ": lambda L, p: L.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
    "hook returns": lambda L, p: _hooked(L, p),
    "no step": lambda L, p: L.optim.Optimizer([p], {}).step(),
    "required": lambda L, p: L.optim.Optimizer([p], {"lr": base(L).required}),
    "lbfgs groups": lambda L, p: L.optim.LBFGS([{"params": [p]}, {"params": [L.ones(1)]}]),
    "lbfgs search": lambda L, p: L.optim.LBFGS([p], line_search_fn="x").step(lambda: _loss(p)),
    "sparse dense": lambda L, p: _stepped(L, L.optim.SparseAdam([p]), p),
    "sparse complex": lambda L, p: L.optim.SparseAdam([p.detach().to(L.complex64)]),
    "muon foreach": lambda L, p: L.optim._muon.muon([], [], [], foreach=True, **_MUON),
    "grad scale": lambda L, p: _scaled(L, p),
    "numbers": lambda L, p: L.optim.radam.radam([p], [p], [p], [p], [1], beta1=1, beta2=1, lr=1, weight_decay=0, eps=0),
    "unknown option": lambda L, p: L.optim.SGD([p], speed=1),
}
_MUON = dict(lr=1, weight_decay=0, momentum=0, nesterov=True, ns_coefficients=(1, 1, 1), ns_steps=1, eps=1)
_MUON.update(adjust_lr_fn=None, has_complex=False)


def _stepped(library, optim, p=None):
    for group in optim.param_groups:
        for each in group["params"]:
            each.grad = library.ones_like(each)
    optim.step()


def _loss(p):
    loss = (p * p).sum()
    loss.backward()
    return loss


def _hooked(library, p):
    optim = library.optim.SGD([p])
    optim.register_step_pre_hook(lambda *given: 3)
    try:
        optim.step()
    except RuntimeError as error:
        # the text begins with the function and where it lies in memory
        raise RuntimeError(str(error).partition(" must return")[2]) from None


def _scaled(library, p):
    optim = library.optim.Adam([p])
    optim.grad_scale, optim.found_inf = library.ones(1), None
    _stepped(library, optim)


@pytest.mark.parametrize("case", list(BAD))
def test_errors_say_what_pytorch_says(case):
    import importlib

    for library in (torch, rushlight):
        for module in ("_muon", "radam", "optimizer"):
            vars(library.optim)[module] = importlib.import_module(f"{library.__name__}.optim.{module}")
    ours = outcome(lambda: BAD[case](rushlight, rushlight.nn.Parameter(rushlight.ones(2))))
    theirs = outcome(lambda: BAD[case](torch, torch.nn.Parameter(torch.ones(2))))
    assert theirs != "no error"
    assert ours == theirs


# ------------------------------------------------------------------------------------------------------- interchange


@pytest.mark.parametrize("name", DENSE)
def test_a_checkpoint_of_either_library_goes_on_in_the_other(name):
    for kwargs in settings(name)[:3]:
        first, second = Pair(name, kwargs, seed=1), Pair(name, kwargs, seed=1)
        first.step(3)
        second.own.load_state_dict(carry(first.optim.state_dict()))
        second.optim.load_state_dict(carry_back(first.own.state_dict()))
        assert not second.disagreements(1e-9), kwargs
        second.step(3)
        assert not second.disagreements(max(1e-8, tolerance(name, kwargs, torch.float64))), kwargs


def test_loading_casts_state_but_not_the_counter():
    for library in (torch, rushlight):
        p = library.nn.Parameter(library.ones(2, dtype=library.float32))
        optim = library.optim.Adam([p])
        _stepped(library, optim)
        other = library.optim.Adam([library.nn.Parameter(library.ones(2, dtype=library.float64))])
        other.load_state_dict(optim.state_dict())
        state = other.state_dict()["state"][0]
        assert [str(each.dtype) for each in state.values()] == ["torch.float32", "torch.float64", "torch.float64"]


def test_old_checkpoints_have_numbers_and_lack_options():
    kept = []
    for library in (torch, rushlight):
        p = library.nn.Parameter(library.ones(2))
        optim = library.optim.NAdam([p])
        _stepped(library, optim)
        saved = copy.deepcopy(optim.state_dict())
        saved["state"][0].update(step=3, mu_product=0.5)
        for option in ("maximize", "foreach", "capturable", "differentiable", "decoupled_weight_decay"):
            del saved["param_groups"][0][option]
        optim.load_state_dict(saved)
        _stepped(library, optim)
        kept.append(optim.state_dict())
    assert not disagreements(kept[1], kept[0], 1e-6)


@pytest.mark.parametrize("name", DENSE)
def test_pickles_and_deep_copies_go_on_alike(name):
    pair = Pair(name, {})
    pair.step(2)
    if name == "SGD":
        pair = Pair(name, {"momentum": 0.9})
        pair.step(2)
    for copied in (copy.deepcopy(pair.own), pickle.loads(pickle.dumps(pair.own))):
        assert not disagreements(copied.state_dict(), pair.optim.state_dict(), 1e-9)
        assert copied.param_groups[0]["params"][0] in copied.state
        assert repr(copied) == repr(pair.optim)


# -------------------------------------------------------------------------------------------------- a recorded step


RECORDED = {
    "SGD": [{}, {"momentum": 0.9, "weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}],
    "Adam": [{}, {"weight_decay": 0.1, "amsgrad": True, "maximize": True}],
    "AdamW": [{"amsgrad": True}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True, "weight_decay": 0.1}],
    "Adadelta": [{"weight_decay": 0.1}],
    "Adagrad": [{"weight_decay": 0.1}],
    "Adamax": [{"weight_decay": 0.1}],
    "ASGD": [{"weight_decay": 0.1}],
    "Rprop": [{}],
    "NAdam": [{"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "RAdam": [{"weight_decay": 0.1}],
}


def recorded(library, name, kwargs, arrays, first_step):
    """Gradients of a loss after one recorded step with respect to the parameter, its gradient and its state before."""
    make = lambda array: library.tensor(array, requires_grad=True)  # noqa: E731
    start, grad = make(arrays[0]), make(arrays[1])
    p = start.clone()
    p.grad = grad
    optim = getattr(library.optim, name)([p], differentiable=True, **kwargs)
    state = {}
    if not first_step:
        trial = getattr(library.optim, name)([library.tensor(arrays[0], requires_grad=True)], **kwargs)
        _stepped(library, trial)
        state = {
            key: make(arrays[2 + i]) if value.dim() else value + 7 * (key == "step")
            for i, (key, value) in enumerate(trial.state_dict()["state"].get(0, {}).items())
        }
        optim.state[p].update({key: value.clone() for key, value in state.items()})
    optim.step()
    made = [p, *[each for each in optim.state[p].values() if each.requires_grad]]
    weights = [library.tensor(arrays[-1 - i]) for i in range(len(made))]
    loss = sum((each * weight).sum() for each, weight in zip(made, weights))
    wanted = [start, grad, *[each for each in state.values() if each.requires_grad]]
    return loss, library.autograd.grad(loss, wanted, allow_unused=True)


@pytest.mark.parametrize("name", list(RECORDED))
def test_gradients_flow_through_a_differentiable_step(name):
    random = np.random.RandomState(3)
    arrays = [random.rand(4) + 0.5 for _ in range(12)]
    for kwargs in RECORDED[name]:
        for first_step in (True, False):
            theirs = recorded(torch, name, kwargs, arrays, first_step)
            ours = recorded(rushlight, name, kwargs, arrays, first_step)
            found = [each for pair in zip(ours[1], theirs[1]) for each in disagreements(*pair, 1e-9)]
            assert not found, (kwargs, first_step)
            assert not disagreements(ours[0], theirs[0], 1e-9)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_gradients_reach_hyperparameters(name):
    found = []
    for library in (torch, rushlight):
        make = lambda value: library.tensor(value, dtype=library.float64, requires_grad=True)  # noqa: E731, B023
        lr, decay = make(0.1), make(0.05)
        wanted = [lr, decay]
        kwargs = {"lr": lr, "weight_decay": decay}
        if name == "AdamW":
            kwargs["weight_decay"] = 0.01
            wanted.pop()
        if name != "SGD":
            kwargs["betas"] = make(0.9), make(0.99)
            wanted += kwargs["betas"]
        p = make([1.0, 2.0, 3.0]).clone()
        optim = getattr(library.optim, name)([p], differentiable=True, **kwargs)
        for step in range(3):
            p.grad = library.tensor([0.5, -1.0, 0.25 + step], dtype=library.float64)
            optim.step()
        found.append(library.autograd.grad((p * p).sum(), wanted))
    assert not disagreements(found[1], found[0], 1e-6)


# -------------------------------------------------------------------------------------------------------------- hooks


def called(library):
    """What the hooks of an optimiser note, in order."""
    calls = []

    def note(text, value=None):
        return lambda *given: (calls.append(text), value)[1]

    p = library.nn.Parameter(library.ones(2))
    optim = library.optim.SGD([p], lr=0.1, momentum=0.5)
    kept = [
        base(library).register_optimizer_step_pre_hook(note("global before")),
        base(library).register_optimizer_step_post_hook(note("global after")),
        optim.register_step_pre_hook(lambda o, args, kwargs: ((args[0], note("closure")), {})),
        optim.register_step_pre_hook(note("before")),
        optim.register_step_post_hook(note("after")),
        optim.register_state_dict_pre_hook(note("saving")),
        optim.register_state_dict_pre_hook(note("saving first"), prepend=True),
        optim.register_state_dict_post_hook(lambda o, state: {**state, "more": calls.append("saved")}),
        optim.register_load_state_dict_pre_hook(note("loading")),
        optim.register_load_state_dict_post_hook(note("loaded")),
        optim.register_load_state_dict_post_hook(note("loaded first"), prepend=True),
    ]
    try:
        optim.step()
        state = optim.state_dict()
        calls.append(sorted(state))
        optim.load_state_dict(state)
    finally:
        for handle in kept:
            handle.remove()
    optim.step()
    return calls


def test_hooks_are_called_in_pytorchs_order():
    assert called(rushlight) == called(torch)
    assert "closure" in called(torch)


def test_zero_grad():
    for library in (torch, rushlight):
        p = library.nn.Parameter(library.ones(2))
        optim = library.optim.SGD([p])
        (p * 3).sum().backward(create_graph=False)
        grad = p.grad
        optim.zero_grad(set_to_none=False)
        assert p.grad is grad and grad.tolist() == [0, 0]
        optim.zero_grad()
        assert p.grad is None


def test_fused_steps_obey_a_gradient_scaler():
    kept = []
    for library in (torch, rushlight):
        for name in ("SGD", "Adam", "Adagrad"):
            for inf in (0.0, 1.0):
                p = library.nn.Parameter(library.tensor([1.0, 2.0]))
                optim = getattr(library.optim, name)([p], lr=0.1, fused=True)
                assert optim._step_supports_amp_scaling
                p.grad = library.tensor([4.0, 8.0])
                optim.grad_scale, optim.found_inf = library.tensor(4.0), library.tensor(inf)
                optim.step()
                step = optim.state[p].get("step", library.zeros(()))
                kept.append((library is torch, [p.tolist(), step.tolist(), p.grad.tolist() if not inf else 0]))
    half = len(kept) // 2
    for (_, theirs), (_, ours) in zip(kept[:half], kept[half:]):
        assert not disagreements(ours, theirs, 1e-6)


def test_swapping_parameters_and_state_for_a_while():
    kept = []
    for library in (torch, rushlight):
        p, q = (library.nn.Parameter(library.tensor([x, 2.0])) for x in (1.0, 3.0))
        optim = library.optim.Adam([p], lr=0.1)
        _stepped(library, optim)
        saved = copy.deepcopy(optim.state_dict())
        saved["param_groups"][0]["lr"] = 0.5
        with library.optim.swap_in_optimizer_params_and_state(optim, {"w": q}, saved):
            _stepped(library, optim)
        kept.append((p.tolist(), q.tolist(), optim.param_groups[0]["lr"], float(optim.state[p]["step"])))
        kept[-1] += (
            outcome(lambda: library.optim.swap_in_optimizer_params_and_state(optim, {}, saved).__enter__()),  # noqa: B023
        )
    assert not disagreements(kept[1], kept[0], 1e-6)


# ------------------------------------------------------------------------------------------------------------- names


def parameters(function):
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


MODULES = (
    *("_adafactor", "_functional", "_muon", "adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "lbfgs"),
    *("lr_scheduler", "nadam", "optimizer", "radam", "rmsprop", "rprop", "sgd", "sparse_adam", "swa_utils"),
)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_and_signatures(module):
    import importlib

    theirs = importlib.import_module(f"torch.optim.{module}")
    ours = importlib.import_module(f"rushlight.optim.{module}")
    for name, value in vars(theirs).items():
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if value.__module__ not in (theirs.__name__, "torch.optim"):
            continue
        mine = getattr(ours, name)
        if inspect.isclass(value):
            assert mine.__module__ == value.__module__
            for method in ("__init__", "step"):
                if method in vars(value):
                    same = parameters(getattr(mine, method)) == parameters(getattr(value, method))
                    assert same or method == "step", (name, method)
        elif inspect.isfunction(value):
            assert parameters(mine) == parameters(value), name
    assert rushlight.optim.__all__ == torch.optim.__all__


def test_a_subclass_of_ones_own():
    """An optimiser as users write one, with state kept in ``self.state`` and an overridden ``step``."""
    kept = []
    for library in (torch, rushlight):
        required = base(library).required

        class Own(library.optim.Optimizer):
            def __init__(self, params, lr=required):
                super().__init__(params, dict(lr=lr))

            @library.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        state["count"] = state.get("count", 0) + 1
                        p.add_(p.grad, alpha=-group["lr"] * state["count"])

        model = library.nn.Linear(2, 1)
        with library.no_grad():
            for p in model.parameters():
                p.fill_(0.5)
        optim = Own(model.named_parameters(), lr=0.1)
        schedule = library.optim.lr_scheduler.StepLR(optim, 1)
        for _ in range(3):
            optim.zero_grad()
            model(library.ones(3, 2)).pow(2).sum().backward()
            optim.step()
            schedule.step()
        kept.append(([p.tolist() for p in model.parameters()], optim.state_dict(), repr(optim)))
    assert not disagreements(kept[1], kept[0], 1e-6)


def test_a_write_by_a_step_is_seen_by_saved_values():
    for library in (torch, rushlight):
        p = library.nn.Parameter(library.ones(2))
        optim = library.optim.SGD([p], lr=0.1)
        loss = (p * p).sum()
        p.grad = library.ones(2)
        optim.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
        assert p._version == 1


def test_a_state_dict_survives_a_file():
    p = rushlight.nn.Parameter(rushlight.ones(2))
    optim = rushlight.optim.Adam([("weight", p)], lr=0.1)
    _stepped(rushlight, optim)
    file = io.BytesIO(pickle.dumps(optim.state_dict()))
    other = rushlight.optim.Adam([("weight", rushlight.nn.Parameter(rushlight.ones(2)))])
    other.load_state_dict(pickle.load(file))
    assert repr(other.state_dict()) == repr(optim.state_dict())
