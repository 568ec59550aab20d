"""Schedules of learning rates against their formulas, and averages of weights."""

import math

import pytest

import rushlight as torch
from rushlight.optim import lr_scheduler as schedules
from rushlight.optim import swa_utils


def optimiser(lr=1.0, **options):
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr, **options)


def rates(make, epochs=8, **options):
    """The rate at each epoch."""
    optim = optimiser(**options)
    made = make(optim)
    seen = []
    for _ in range(epochs):
        seen.append(optim.param_groups[0]["lr"])
        assert made.get_last_lr() == [seen[-1]]
        optim.step()
        made.step()
    return seen


FORMULAS = {
    "lambda": (lambda o: schedules.LambdaLR(o, lambda e: 1 / (1 + e)), lambda e: 1 / (1 + e)),
    "multiplicative": (lambda o: schedules.MultiplicativeLR(o, lambda e: 0.5), lambda e: 0.5**e),
    "step": (lambda o: schedules.StepLR(o, 3, 0.5), lambda e: 0.5 ** (e // 3)),
    "multi step": (lambda o: schedules.MultiStepLR(o, [2, 5], 0.5), lambda e: 0.5 ** ((e >= 2) + (e >= 5))),
    "constant": (lambda o: schedules.ConstantLR(o, 0.25, 4), lambda e: 0.25 if e < 4 else 1),
    "linear": (lambda o: schedules.LinearLR(o, 0.5, 1.0, 4), lambda e: 0.5 + 0.5 * min(e, 4) / 4),
    "exponential": (lambda o: schedules.ExponentialLR(o, 0.9), lambda e: 0.9**e),
    "polynomial": (lambda o: schedules.PolynomialLR(o, 6, 2.0), lambda e: (1 - min(e, 6) / 6) ** 2),
    "cosine": (lambda o: schedules.CosineAnnealingLR(o, 4), lambda e: (1 + math.cos(math.pi * e / 4)) / 2),
    "restarts": (
        lambda o: schedules.CosineAnnealingWarmRestarts(o, 3),
        lambda e: (1 + math.cos(math.pi * (e % 3) / 3)) / 2,
    ),
    "cyclic": (
        lambda o: schedules.CyclicLR(o, 0, 1, 4, cycle_momentum=False),
        lambda e: 1 - abs(e / 4 - 1) if e <= 8 else None,
    ),
    "swa": (lambda o: swa_utils.SWALR(o, 0.0, 4, "linear"), lambda e: 1 - min(e, 4) / 4),
}


@pytest.mark.parametrize("name", list(FORMULAS))
def test_rates_follow_the_formula(name):
    make, formula = FORMULAS[name]
    assert rates(make) == pytest.approx([formula(epoch) for epoch in range(8)], abs=1e-12)


@pytest.mark.parametrize("name", ["step", "multi step", "constant", "linear", "exponential", "polynomial", "cosine"])
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_an_epoch_given_by_number_uses_the_closed_form(name):
    make, formula = FORMULAS[name]
    optim = optimiser()
    made = make(optim)
    optim.step()
    for epoch in (6, 1, 3):
        made.step(epoch)
        assert optim.param_groups[0]["lr"] == pytest.approx(formula(epoch), abs=1e-12)


def test_one_cycle_goes_up_and_down_and_momentum_the_other_way():
    optim = optimiser(momentum=0.9)
    made = schedules.OneCycleLR(optim, 1.0, total_steps=10, pct_start=0.5, anneal_strategy="linear")
    seen = []
    for _ in range(10):
        seen.append((optim.param_groups[0]["lr"], optim.param_groups[0]["momentum"]))
        optim.step()
        if len(seen) < 10:
            made.step()
    lrs, momenta = zip(*seen)
    assert lrs[0] == pytest.approx(1 / 25) and lrs[4] == pytest.approx(1) and lrs[9] == pytest.approx(1 / 25 / 1e4)
    assert momenta[0] == 0.95 and momenta[4] == pytest.approx(0.85) and momenta[9] == pytest.approx(0.95)


def test_a_plateau_is_waited_out():
    optim = optimiser()
    made = schedules.ReduceLROnPlateau(optim, factor=0.5, patience=1, cooldown=1)
    seen = []
    for measure in (3, 2, 2, 2, 2, 2, 2, torch.tensor(1.0)):
        made.step(measure)
        seen.append(optim.param_groups[0]["lr"])
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_one_schedule_after_another():
    seen = rates(
        lambda o: schedules.SequentialLR(
            o, [schedules.ConstantLR(o, 0.1, 100), schedules.ExponentialLR(o, 0.5)], milestones=[3]
        ),
        6,
    )
    assert seen == pytest.approx([0.1, 0.1, 0.1, 1, 0.5, 0.25])


def test_schedules_at_once():
    seen = rates(
        lambda o: schedules.ChainedScheduler([schedules.StepLR(o, 2, 0.5), schedules.ExponentialLR(o, 0.1)]), 4
    )
    assert seen == pytest.approx([1, 0.1, 0.005, 0.0005])


def test_a_rate_that_is_a_tensor_is_written_in_place():
    rate = torch.tensor(1.0)
    optim = optimiser(rate)
    made = schedules.StepLR(optim, 1, 0.5)
    optim.step()
    made.step()
    assert optim.param_groups[0]["lr"] is rate and rate.item() == 0.5


def test_the_order_of_steps_is_watched():
    made = schedules.StepLR(optimiser(), 1)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before"):
        made.step()
    with pytest.warns(UserWarning, match="please use `get_last_lr\\(\\)`"):
        made.get_lr()


def test_state_of_functions_that_are_objects_is_kept():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    made = schedules.LambdaLR(optimiser(), Decay(0.5))
    state = made.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}] and "optimizer" not in state
    other = schedules.LambdaLR(optimiser(), Decay(0.9))
    other.load_state_dict(state)
    assert other.lr_lambdas[0].rate == 0.5


# ------------------------------------------------------------------------------------------------ averages of weights


def test_equal_averages():
    model = torch.nn.Linear(1, 1, bias=False)
    made = swa_utils.AveragedModel(model)
    for value in (1.0, 2.0, 6.0):
        with torch.no_grad():
            model.weight.fill_(value)
        made.update_parameters(model)
    assert made.module.weight.item() == pytest.approx(3)
    assert made.n_averaged.item() == 3
    assert made(torch.ones(1, 1)).item() == pytest.approx(3)


def test_exponential_averages():
    model = torch.nn.Linear(1, 1, bias=False)
    made = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.75))
    for value in (1.0, 5.0):
        with torch.no_grad():
            model.weight.fill_(value)
        made.update_parameters(model)
    assert made.module.weight.item() == pytest.approx(0.75 + 0.25 * 5)
    with pytest.raises(ValueError, match="Invalid decay value 2"):
        swa_utils.get_ema_avg_fn(2)


def test_statistics_of_batch_norm_are_computed_anew():
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    model.eval()
    batches = [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])]
    swa_utils.update_bn(batches, model)
    assert model[0].running_mean.item() == pytest.approx(4)
    assert model[0].momentum == 0.1 and not model.training


def test_one_cycle_that_was_saved_with_its_function():
    made = schedules.OneCycleLR(optimiser(momentum=0.5), 1.0, total_steps=4, anneal_strategy="linear")
    del made._anneal_func_type
    made.anneal_func = lambda start, end, share: 0.25
    made.optimizer.step()
    made.step()
    assert made.get_last_lr() == [0.25]
