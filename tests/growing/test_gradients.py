"""What the phases descend and climb, against autograd."""

from dataclasses import replace

import pytest
import torch

from oldschool.growing import candidates, outputs, reference
from oldschool.growing.units import EXPONENT_LIMIT, SUM_LIMIT, unit_named
from oldschool.training.quickprop import Quickprop
from tests.growing.cases import SCORES, UNITS, settings, task
from tests.problems import generator

TRIALS, POOL, CONNECTIONS, CASES = 3, 4, 5, 11


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def plain_value(unit: str, sums: torch.Tensor) -> torch.Tensor:
    return {
        "sigmoid": lambda a: torch.sigmoid(a) - 0.5,
        "gaussian": lambda a: torch.exp(-(a**2) / 2),
        "tanh": torch.tanh,
        "linear": lambda a: a,
    }[unit](sums)


def plain_scores(name: str, value: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """(R, C, O), straight from the paper's formula."""
    v = value - value.mean(2, keepdim=True)
    e = errors - errors.mean(2, keepdim=True)
    covariance = torch.einsum("rcp,rop->rco", v, e)
    if name == "covariance":
        return covariance / (errors**2).sum((1, 2))[:, None, None]
    return covariance / (v.norm(dim=2)[:, :, None] * e.norm(dim=2)[:, None, :])


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("count", [1, 2])
def test_candidates_climb_the_score_with_its_sign_frozen(score, unit, count):
    values, errors = draw(TRIALS, CONNECTIONS, CASES), draw(TRIALS, count, CASES, seed=1)
    w = draw(TRIALS, POOL, CONNECTIONS, seed=2).requires_grad_()
    scores = plain_scores(score, plain_value(unit, w @ values), errors)
    senses = torch.where(draw(*scores.shape, seed=3) < 0, -1.0, 1.0).double()
    (gradient,) = torch.autograd.grad((senses * scores).sum(), w)

    chosen = settings(score=score, hidden_unit=unit)
    phase = candidates._Phase(values, errors, w.detach(), chosen)
    phase._senses.copy_(senses)
    phase.step()  # turns slopes into those of -score
    torch.testing.assert_close(phase._slopes, -gradient)
    torch.testing.assert_close(phase._scores, scores.detach())

    trial = reference._Trial(task(count), chosen, generator(0), lambda *_: None)
    trial.values, trial.errors, trial.cases = values[0].numpy(), errors[0].numpy(), CASES
    candidate = reference._Weights(w[0, 0].detach().numpy())
    one, rise = trial.score(candidate, senses[0, 0].numpy())
    torch.testing.assert_close(torch.tensor(one), scores[0, 0].detach())
    torch.testing.assert_close(torch.tensor(rise), gradient[0, 0])


@pytest.mark.parametrize("unit", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("count", [1, 2])
def test_outputs_descend_the_squared_error_where_there_is_no_offset(unit, count):
    values, t = draw(TRIALS, CONNECTIONS, CASES), draw(TRIALS, count, CASES, seed=1)
    w = draw(TRIALS, count, CONNECTIONS, seed=2).requires_grad_()
    error = ((plain_value(unit, w @ values) - t) ** 2).sum((1, 2))
    (gradient,) = torch.autograd.grad(error.sum() / 2, w)
    chosen = settings(output_unit=unit, slope_offset=0.0)
    phase = outputs._Phase(values, t, Quickprop.start(w.detach()), chosen)
    phase.look()
    torch.testing.assert_close(phase._slopes, gradient)
    torch.testing.assert_close(phase.squared_error, error.detach())


def test_the_offset_is_added_to_the_derivative_of_outputs_that_are_flat():
    values, t = draw(TRIALS, CONNECTIONS, CASES), draw(TRIALS, 1, CASES, seed=1)
    w = draw(TRIALS, 1, CONNECTIONS, seed=2)
    for unit, offset in (("sigmoid", 0.1), ("tanh", 0.1), ("linear", 0.0)):
        o = plain_value(unit, w @ values)
        prime = {"sigmoid": 0.25 - o * o, "tanh": 1 - o * o, "linear": torch.ones_like(o)}[unit]
        phase = outputs._Phase(values, t, Quickprop.start(w), settings(output_unit=unit))
        phase.look()
        torch.testing.assert_close(phase._errors, (o - t) * (prime + offset))


def test_sums_beyond_the_limit_give_the_end_of_the_sigmoid_and_no_slope():
    below, above = SUM_LIMIT - 1e-9, SUM_LIMIT + 1e-9
    sums = torch.tensor([-1e9, -above, -below, 0.0, below, above, 1e9], dtype=torch.float64)
    unit = unit_named("sigmoid")
    value = unit.value(sums)
    assert value[[0, 1, 5, 6]].tolist() == [-0.5, -0.5, 0.5, 0.5]
    assert 0.0 < 0.5 - float(value[4]) < 1e-6
    raw = unit.raw_values(sums.clone(), torch.empty_like(sums))
    assert torch.equal(raw - 0.5, value)
    slope = torch.empty_like(sums)
    unit.pull(torch.ones_like(sums), raw, sums, slope)
    assert slope[[0, 1, 5, 6]].tolist() == [0.0] * 4
    assert float(slope[2]) > 0.0
    assert reference.activation("sigmoid", sums.numpy()).tolist() == value.tolist()


def test_a_gaussian_beyond_the_limit_is_zero():
    edge = (2 * EXPONENT_LIMIT) ** 0.5
    sums = torch.tensor([-1e100, -1.001 * edge, 0.999 * edge, 0.0], dtype=torch.float64)
    unit = unit_named("gaussian")
    value = unit.value(sums)
    assert value[:2].tolist() == [0.0, 0.0]
    assert 0.0 < float(value[2]) < 1e-32
    assert torch.equal(unit.raw_values(sums.clone(), torch.empty_like(sums)), value)
    assert reference.activation("gaussian", sums.numpy()).tolist() == value.tolist()


@pytest.mark.parametrize("unit", [*UNITS, "linear"])
def test_raw_values_are_the_values_up_to_their_linear_map(unit):
    sums = torch.linspace(-20, 20, 81, dtype=torch.float64)
    function = unit_named(unit)
    raw = function.raw_values(sums.clone(), torch.empty_like(sums))
    torch.testing.assert_close(function.scale * raw + function.constant, function.value(sums))


def test_a_unit_that_is_the_same_at_all_cases_correlates_with_nothing():
    values, errors = draw(TRIALS, CONNECTIONS, CASES), draw(TRIALS, 1, CASES, seed=1)
    values[:, 0] = 1.0
    w = torch.zeros(TRIALS, POOL, CONNECTIONS, dtype=torch.float64)
    w[:, 0, 0] = 0.3  # the bias alone
    phase = candidates._Phase(values, errors, w, settings(score="correlation"))
    phase.score()
    assert bool((phase._scores.abs() < 1e-6).all())


def test_a_score_that_is_no_number_loses():
    values, errors = draw(TRIALS, CONNECTIONS, CASES), draw(TRIALS, 1, CASES, seed=1)
    w = draw(TRIALS, POOL, CONNECTIONS, seed=2)
    w[:, 2] = torch.nan
    limit = replace(settings(epochs=1))
    best = candidates.train_candidates(values, errors, w, limit)
    assert bool(best.weights.isfinite().all() & best.scores.isfinite().all())
