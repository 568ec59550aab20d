"""Schedules of learning rates and averages of weights against PyTorch's: 40 steps, state, warnings, error texts."""

import copy
import pickle
import types

import pytest
import torch

import rushlight
from tests.parity.optim_harness import disagreements, outcome

LIBRARIES = (torch, rushlight)
EPOCHS = 40


class Decay:
    """A function of the epoch that is an object, so that its attributes are saved."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


#: name: function of (torch.optim.lr_scheduler, optimiser, torch.optim.swa_utils)
SCHEDULES = {
    "lambda": lambda lr, o, swa: lr.LambdaLR(o, [lambda e: 0.9**e, Decay(0.8)]),
    "lambda for all": lambda lr, o, swa: lr.LambdaLR(o, lambda e: 1 / (1 + e)),
    "multiplicative": lambda lr, o, swa: lr.MultiplicativeLR(o, lambda e: 0.95),
    "step": lambda lr, o, swa: lr.StepLR(o, 3),
    "step 7": lambda lr, o, swa: lr.StepLR(o, step_size=7, gamma=0.3),
    "multi step": lambda lr, o, swa: lr.MultiStepLR(o, [3, 9, 9, 20], gamma=0.3),
    "constant": lambda lr, o, swa: lr.ConstantLR(o),
    "constant 11": lambda lr, o, swa: lr.ConstantLR(o, factor=0.5, total_iters=11),
    "linear": lambda lr, o, swa: lr.LinearLR(o),
    "linear 23": lambda lr, o, swa: lr.LinearLR(o, start_factor=0.1, end_factor=0.7, total_iters=23),
    "exponential": lambda lr, o, swa: lr.ExponentialLR(o, 0.9),
    "polynomial": lambda lr, o, swa: lr.PolynomialLR(o),
    "polynomial 20": lambda lr, o, swa: lr.PolynomialLR(o, total_iters=20, power=2.0),
    "cosine": lambda lr, o, swa: lr.CosineAnnealingLR(o, 10),
    "cosine 7": lambda lr, o, swa: lr.CosineAnnealingLR(o, T_max=7, eta_min=0.01),
    "restarts": lambda lr, o, swa: lr.CosineAnnealingWarmRestarts(o, 5),
    "longer restarts": lambda lr, o, swa: lr.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.001),
    "cyclic": lambda lr, o, swa: lr.CyclicLR(o, 0.01, 0.1, step_size_up=5),
    "cyclic 2": lambda lr, o, swa: lr.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 5, 9, "triangular2"),
    "cyclic range": lambda lr, o, swa: lr.CyclicLR(o, 0.01, 0.1, 5, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "cyclic own": lambda lr, o, swa: lr.CyclicLR(o, 0.01, 0.1, 5, scale_fn=lambda x: 1 / x, scale_mode="cycle"),
    "cyclic object": lambda lr, o, swa: lr.CyclicLR(o, 0.01, 0.1, 5, scale_fn=Decay(0.9), scale_mode="iterations"),
    "one cycle": lambda lr, o, swa: lr.OneCycleLR(o, 0.1, 40),
    "one cycle of epochs": lambda lr, o, swa: lr.OneCycleLR(
        o, [0.1, 0.2], epochs=4, steps_per_epoch=9, anneal_strategy="linear"
    ),
    "one cycle in three": lambda lr, o, swa: lr.OneCycleLR(o, 0.1, 50, three_phase=True, pct_start=0.25),
    "one cycle of lr only": lambda lr, o, swa: lr.OneCycleLR(o, 0.1, 50, cycle_momentum=False, div_factor=5.0),
    "plateau": lambda lr, o, swa: lr.ReduceLROnPlateau(o, patience=2),
    "plateau max": lambda lr, o, swa: lr.ReduceLROnPlateau(o, "max", 0.5, 1, 0.1, "abs", 2, [0.001, 0.002]),
    "sequential": lambda lr, o, swa: lr.SequentialLR(
        o, [lr.ConstantLR(o, 0.1, 3), lr.ExponentialLR(o, 0.9), lr.CosineAnnealingLR(o, 10)], [5, 12]
    ),
    "sequential in sequential": lambda lr, o, swa: lr.SequentialLR(
        o, [lr.SequentialLR(o, [lr.ExponentialLR(o, 0.9), lr.StepLR(o, 2)], [3]), lr.LinearLR(o, 0.1, 1, 4)], [6]
    ),
    "warm-up and restarts": lambda lr, o, swa: lr.SequentialLR(
        o, [lr.LinearLR(o, 0.1, total_iters=4), lr.CosineAnnealingWarmRestarts(o, 6)], milestones=[4]
    ),
    "chained": lambda lr, o, swa: lr.ChainedScheduler(
        [lr.ConstantLR(o, 0.1, 3), lr.ExponentialLR(o, 0.9)], optimizer=o
    ),
    "chained without optimizer": lambda lr, o, swa: lr.ChainedScheduler([lr.StepLR(o, 4), lr.CosineAnnealingLR(o, 12)]),
    "swa": lambda lr, o, swa: swa.SWALR(o, 0.02),
    "swa linear": lambda lr, o, swa: swa.SWALR(o, [0.02, 0.3], anneal_epochs=5, anneal_strategy="linear"),
    "swa at once": lambda lr, o, swa: swa.SWALR(o, 0.02, anneal_epochs=0),
}
COMPOUND = ("sequential", "sequential in sequential", "warm-up and restarts", "chained", "chained without optimizer")


def optimiser(library, tensor=False, kind="SGD"):
    """Two groups of different rates."""
    params = [library.nn.Parameter(library.ones(2)) for _ in range(2)]
    rates = [library.tensor(rate, dtype=library.float64) if tensor else rate for rate in (0.05, 0.1)]
    groups = [{"params": [p], "lr": rate} for p, rate in zip(params, rates)]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(library.optim, kind)(groups, **options)


def schedule(library, name, optim):
    return SCHEDULES[name](library.optim.lr_scheduler, optim, library.optim.swa_utils)


def note(schedule, optim):
    """The rates, as the schedule and as the optimiser has them, and the momentum."""
    momentum = [float(group["momentum"]) if "momentum" in group else group["betas"] for group in optim.param_groups]
    rates = [float(group["lr"]) for group in optim.param_groups]
    return [float(lr) for lr in schedule.get_last_lr()], rates, momentum


def go(library, name, *, tensor=False, kind="SGD", epochs=False, reload_at=None):
    """What is seen over 40 epochs; the state is put through a copy into a new schedule at ``reload_at``."""
    optim = optimiser(library, tensor, kind)
    made = schedule(library, name, optim)
    seen = []
    for epoch in range(EPOCHS):
        if epoch == reload_at:
            saved = copy.deepcopy((optim.state_dict(), made.state_dict()))
            seen.append(sorted(saved[1]))
            optim = optimiser(library, tensor, kind)
            made = schedule(library, name, optim)
            made.load_state_dict(saved[1])
            optim.load_state_dict(saved[0])
        optim.step()
        seen.append(note(made, optim))
        measure = (3, 2, 1, 1, 1, 1, 1, 1, 1, 0.5)[epoch % 10]
        arguments = [measure] if name.startswith("plateau") else []
        arguments += [epoch + 2] if epochs else []
        try:
            made.step(*arguments)
        except ValueError as error:
            seen.append(str(error))
            break
    return seen


# members of members are not told of the optimiser's first step in time, in either library
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of")


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_forty_epochs(name):
    assert not disagreements(go(rushlight, name), go(torch, name), 1e-12)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_rates_that_are_tensors_stay_the_same_tensors(name):
    assert not disagreements(go(rushlight, name, tensor=True), go(torch, name, tensor=True), 1e-12)
    optim = optimiser(rushlight, tensor=True)
    rate = optim.param_groups[0]["lr"]
    made = schedule(rushlight, name, optim)
    optim.step()
    made.step(*[1] if name.startswith("plateau") else [])
    assert optim.param_groups[0]["lr"] is rate
    assert made.get_last_lr()[0] is not rate


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name not in COMPOUND and "swa" not in name])
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_epochs_given_by_number(name):
    assert not disagreements(go(rushlight, name, epochs=True), go(torch, name, epochs=True), 1e-12)


@pytest.mark.parametrize("name", ["cyclic", "one cycle", "step", "swa"])
def test_beta1_is_cycled_where_there_is_no_momentum(name):
    assert not disagreements(go(rushlight, name, kind="Adam"), go(torch, name, kind="Adam"), 1e-12)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_state_goes_on_in_a_new_schedule(name):
    assert not disagreements(go(rushlight, name, reload_at=17), go(torch, name, reload_at=17), 1e-12)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if "lambda" not in name and "own" not in name])
def test_state_of_one_library_goes_on_in_the_other(name):
    """State without tensors is plain Python, so it can be handed over as it is."""
    theirs = optimiser(torch)
    first = schedule(torch, name, theirs)
    for epoch in range(9):
        theirs.step()
        first.step(*[epoch] if name.startswith("plateau") else [])
    ours = optimiser(rushlight)
    second = schedule(rushlight, name, ours)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for mine, other in zip(ours.param_groups, theirs.param_groups):
        mine.update({key: value for key, value in other.items() if key != "params"})
    for epoch in range(20):
        assert not disagreements(note(second, ours), note(first, theirs), 1e-12)
        for optim, made in ((theirs, first), (ours, second)):
            optim.step()
            made.step(*[epoch] if name.startswith("plateau") else [])


@pytest.mark.parametrize("name", ["step", "linear", "cosine", "exponential", "polynomial", "constant", "restarts"])
def test_going_on_from_an_epoch(name):
    def run(library):
        optim = optimiser(library)
        for group in optim.param_groups:
            group["initial_lr"] = group["lr"] * 2
        kind = type(schedule(library, name, optimiser(library)))
        arguments = {"step": [3], "cosine": [10], "exponential": [0.9], "restarts": [5]}.get(name, [])
        made = kind(optim, *arguments, last_epoch=4)
        seen = []
        for _ in range(10):
            optim.step()
            seen.append(note(made, optim))
            made.step()
        return seen

    assert not disagreements(run(rushlight), run(torch), 1e-12)


def groups_of(library, count=1, **options):
    p = [library.nn.Parameter(library.ones(1)) for _ in range(count)]
    return library.optim.SGD([{"params": [each]} for each in p], lr=0.1, **options)


def stepped_early(library):
    made = library.optim.lr_scheduler.StepLR(groups_of(library), 2)
    made.step()
    made.step()


def overridden(library):
    optim = groups_of(library)
    made = library.optim.lr_scheduler.StepLR(optim, 2)
    optim.step = types.MethodType(lambda self: None, optim)
    made.step()


def asked(library):
    optim = groups_of(library)
    made = library.optim.lr_scheduler.StepLR(optim, 2)
    optim.step()
    made.get_lr()


def asked_swa(library):
    made = library.optim.swa_utils.SWALR(groups_of(library), 0.1)
    made.get_lr()


def by_epoch(library, name):
    optim = groups_of(library)
    made = SCHEDULES[name](library.optim.lr_scheduler, optim, None)
    optim.step()
    made.step(*[1] if name == "plateau" else [], 3)


def too_far(library):
    optim = groups_of(library, momentum=0.9)
    made = library.optim.lr_scheduler.OneCycleLR(optim, 0.1, 2)
    for _ in range(4):
        optim.step()
        made.step()


def grown(library):
    optim = groups_of(library, 2)
    made = library.optim.lr_scheduler.ReduceLROnPlateau(optim, patience=0, min_lr=[0, 0])
    optim.add_param_group({"params": [library.nn.Parameter(library.ones(1))]})
    for _ in range(3):
        made.step(1)


def two_optimisers(L, kind):
    first, second = groups_of(L), groups_of(L)
    members = [L.optim.lr_scheduler.StepLR(first, 1), L.optim.lr_scheduler.StepLR(second, 1)]
    if kind == "sequential":
        return L.optim.lr_scheduler.SequentialLR(first, members, [1])
    return L.optim.lr_scheduler.ChainedScheduler(members, first)


def plateau_in(L, kind):
    o = groups_of(L)
    members = [L.optim.lr_scheduler.StepLR(o, 1), L.optim.lr_scheduler.ReduceLROnPlateau(o)]
    if kind == "sequential":
        return L.optim.lr_scheduler.SequentialLR(o, members, [1])
    return L.optim.lr_scheduler.ChainedScheduler(members)


def of(name, *arguments, count=1, **options):
    return lambda L: getattr(L.optim.lr_scheduler, name)(groups_of(L, count), *arguments, **options)


def bare(name, *arguments):
    return lambda L: getattr(L.optim.lr_scheduler, name)("optimizer", *arguments)


OUTCOMES = {
    "step before the optimiser's": stepped_early,
    "step overridden": overridden,
    "get_lr": asked,
    "get_lr of swa": asked_swa,
    **{f"epoch for {name}": lambda L, name=name: by_epoch(L, name) for name in ("step", "lambda for all", "plateau")},
    "no optimiser": bare("StepLR", 1),
    "no optimiser for plateau": bare("ReduceLROnPlateau"),
    "no optimiser for cycles": bare("CyclicLR", 1, 2),
    "no optimiser for one cycle": bare("OneCycleLR", 1, 2),
    "no initial rate": of("ExponentialLR", 0.9, last_epoch=3),
    "lambdas": of("LambdaLR", [abs], count=2),
    "multiplicative lambdas": of("MultiplicativeLR", [abs, abs, abs], count=2),
    "constant factor": of("ConstantLR", 1.5),
    "start factor": of("LinearLR", 0),
    "end factor": of("LinearLR", 0.5, 1.5),
    "plateau factor": of("ReduceLROnPlateau", factor=1.0),
    "plateau mode": of("ReduceLROnPlateau", "mean"),
    "plateau threshold mode": of("ReduceLROnPlateau", threshold_mode="none"),
    "plateau least rates": of("ReduceLROnPlateau", min_lr=[0.1, 0.1, 0.1], count=2),
    "plateau with a group more": grown,
    "cycle mode": of("CyclicLR", 0.1, 0.2, mode="round", cycle_momentum=False),
    "cycle rates": of("CyclicLR", [0.1, 0.1, 0.1], 0.2, count=2),
    "cycle without momentum": lambda L: L.optim.lr_scheduler.CyclicLR(L.optim.Adagrad([L.ones(1)]), 0.1, 0.2),
    "one cycle without momentum": lambda L: L.optim.lr_scheduler.OneCycleLR(L.optim.Adagrad([L.ones(1)]), 0.1, 4),
    "one cycle of nothing": of("OneCycleLR", 0.1),
    "one cycle of no steps": of("OneCycleLR", 0.1, 0),
    "one cycle of no epochs": of("OneCycleLR", 0.1, epochs=-1, steps_per_epoch=3),
    "one cycle of short epochs": of("OneCycleLR", 0.1, epochs=1, steps_per_epoch=1.5),
    "one cycle start": of("OneCycleLR", 0.1, 10, pct_start=2),
    "one cycle strategy": of("OneCycleLR", 0.1, 10, anneal_strategy="jump"),
    "one cycle rates": of("OneCycleLR", [0.1, 0.2], 10),
    "one cycle too far": too_far,
    "restarts after nothing": of("CosineAnnealingWarmRestarts", 0),
    "restarts shorter": of("CosineAnnealingWarmRestarts", 3, 0.5),
    "restarts to text": of("CosineAnnealingWarmRestarts", 3, 1, "low"),
    "restarts before the beginning": lambda L: of("CosineAnnealingWarmRestarts", 3)(L).step(-2),
    "sequence of nothing": lambda L: L.optim.lr_scheduler.SequentialLR(groups_of(L), [], []),
    "chain of nothing": lambda L: L.optim.lr_scheduler.ChainedScheduler([]),
    "sequence without milestones": lambda L: (
        lambda o: L.optim.lr_scheduler.SequentialLR(o, [L.optim.lr_scheduler.StepLR(o, 1)] * 2, [])
    )(groups_of(L)),
    "sequence of no schedules": lambda L: L.optim.lr_scheduler.SequentialLR(groups_of(L), [1], []),
    **{f"{kind} of two": lambda L, kind=kind: two_optimisers(L, kind) for kind in ("sequential", "chained")},
    **{f"{kind} with plateau": lambda L, kind=kind: plateau_in(L, kind) for kind in ("sequential", "chained")},
    "swa strategy": lambda L: L.optim.swa_utils.SWALR(groups_of(L), 0.1, anneal_strategy="jump"),
    "swa epochs": lambda L: L.optim.swa_utils.SWALR(groups_of(L), 0.1, anneal_epochs=-1),
    "swa rates": lambda L: L.optim.swa_utils.SWALR(groups_of(L), [0.1, 0.1]),
    "ema decay": lambda L: L.optim.swa_utils.get_ema_multi_avg_fn(1.5),
    "ema decay of one": lambda L: L.optim.swa_utils.get_ema_avg_fn(-0.5),
    "two averages": lambda L: L.optim.swa_utils.AveragedModel(L.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
    "no rate of its own": lambda L: L.optim.lr_scheduler.LRScheduler(groups_of(L)),
}


@pytest.mark.parametrize("case", list(OUTCOMES))
def test_errors_and_warnings_say_what_pytorch_says(case):
    expected = outcome(lambda: OUTCOMES[case](torch))
    assert expected != "no error"
    assert outcome(lambda: OUTCOMES[case](rushlight)) == expected


def test_warnings_point_at_the_users_line():
    import warnings

    for library in LIBRARIES:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stepped_early(library)
            by_epoch(library, "step")
            asked(library)
            asked_swa(library)
        names = {each.filename.rpartition("/")[2] for each in caught}
        assert len(caught) == 4
        if library is rushlight:
            assert names == {"test_lr_scheduler.py"}


@pytest.mark.parametrize("name", ["step", "cosine", "one cycle", "plateau", "chained", "swa", "cyclic"])
def test_schedules_can_be_pickled_and_copied(name):
    optim = optimiser(rushlight)
    made = schedule(rushlight, name, optim)
    for copied in (pickle.loads(pickle.dumps(made.state_dict())), copy.deepcopy(made.state_dict())):
        assert copied.keys() == made.state_dict().keys()
    assert type(made).__module__ == type(schedule(torch, name, optimiser(torch))).__module__


def test_old_base_class():
    assert issubclass(rushlight.optim.lr_scheduler._LRScheduler, rushlight.optim.lr_scheduler.LRScheduler)
    assert rushlight.optim.lr_scheduler._LRScheduler.__name__ == "_LRScheduler"


def test_a_schedule_of_ones_own():
    def run(library):
        class Halves(library.optim.lr_scheduler.LRScheduler):
            def get_lr(self):
                return [base / 2**self.last_epoch for base in self.base_lrs]

        optim = optimiser(library)
        made = Halves(optim)
        seen = []
        for _ in range(5):
            optim.step()
            made.step()
            seen.append((note(made, optim), made.state_dict()))
        return seen

    assert not disagreements(run(rushlight), run(torch), 1e-12)


# ------------------------------------------------------------------------------------------------ averages of weights


AVERAGES = {
    "equal": lambda s: {},
    "equal with buffers": lambda s: {"use_buffers": True},
    "equal of all": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "ema": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.9)},
    "ema with buffers": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.9), "use_buffers": True},
    "ema of one": lambda s: {"avg_fn": s.get_ema_avg_fn(0.9)},
    "equal of one": lambda s: {"avg_fn": s.get_swa_avg_fn(), "use_buffers": True},
    "own": lambda s: {"avg_fn": lambda average, current, count: (average * count + current) / (count + 1)},
}


def averaged(library, name):
    """The state of an averaged model after five updates, and after its batch norm was computed anew."""
    utils = library.optim.swa_utils
    model = library.nn.Sequential(library.nn.Linear(3, 4), library.nn.BatchNorm1d(4), library.nn.Linear(4, 2))
    with library.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(library.sin(library.arange(float(p.numel())).reshape(p.shape) + i))
    made = utils.AveragedModel(model, **AVERAGES[name](utils))
    optim = library.optim.SGD(model.parameters(), lr=0.01)
    data = [library.sin(library.arange(12.0).reshape(4, 3) + i) for i in range(5)]
    seen = []
    for batch in data:
        optim.zero_grad()
        model(batch).pow(2).mean().backward()
        optim.step()
        made.update_parameters(model)
        seen.append({key: value.clone() for key, value in made.state_dict().items()})
    utils.update_bn([(batch, 0) for batch in data], made)
    utils.update_bn(data, made, device="cpu")
    seen.append(dict(made.state_dict()))
    seen.append(made(data[0]).detach())
    seen.append((made.training, made.module[1].momentum, str(made)))
    return seen


@pytest.mark.parametrize("name", list(AVERAGES))
def test_averages_of_weights(name):
    assert not disagreements(averaged(rushlight, name), averaged(torch, name), 2e-6)


def test_an_average_is_a_copy_and_survives_a_state_dict():
    model = rushlight.nn.Linear(2, 2)
    made = rushlight.optim.swa_utils.AveragedModel(model)
    made.update_parameters(model)
    other = rushlight.optim.swa_utils.AveragedModel(rushlight.nn.Linear(2, 2))
    other.load_state_dict(made.state_dict())
    assert int(other.n_averaged) == 1
    assert rushlight.equal(other.module.weight, model.weight) and other.module.weight is not model.weight
    assert type(other).__module__ == torch.optim.swa_utils.AveragedModel.__module__
