"""Epochs and crossings counted by hand, limits, and trials that do not learn."""

from dataclasses import replace

import pytest
import torch

from oldschool.data.parity import parity
from oldschool.data.task import Task
from oldschool.growing.batched import grow
from oldschool.growing.outcome import LEARNED, NOT_FINITE, UNIT_LIMIT
from oldschool.growing.reference import grow_reference
from oldschool.growing.settings import GENERAL, PhaseSettings
from tests.growing.cases import seeds, settings, task

XOR = parity(2)


def batched(task, chosen):
    return grow(task, chosen, seeds(1))


def plain(task, chosen):
    return grow_reference(task, chosen, *seeds(1))


FORMS = pytest.mark.parametrize("form", [batched, plain])


@FORMS
def test_epochs_and_crossings_of_a_trial_that_does_not_learn(form):
    chosen = settings(epochs=3, patience=0, max_hidden=2, pool=2, threshold=1e-9)
    grown = form(XOR, chosen)
    assert grown.reason == [UNIT_LIMIT]
    assert not bool(grown.learned)
    assert int(grown.hidden) == 2
    assert int(grown.output_epochs) == 3 * 3
    assert int(grown.candidate_epochs) == 2 * (1 + 3)
    outputs = 3 * (3 + 4 + 5)  # epochs times bias, inputs and hidden units
    candidates = 4 * 2 * (3 + 4)  # epochs times candidates times connections of each
    installed = 3 + 4
    assert int(grown.crossings) == 4 * (outputs + candidates + installed)
    assert int(grown.error_bits) == 4
    kinds = [(phase.kind, phase.hidden, phase.epochs) for phase in grown.history(0)]
    assert kinds == [
        ("output", 0, 3),
        ("candidate", 0, 4),
        ("output", 1, 3),
        ("candidate", 1, 4),
        ("output", 2, 3),
    ]


@FORMS
def test_an_epoch_without_error_bits_is_not_counted_but_crosses(form):
    grown = form(XOR, settings(threshold=1.0))
    assert grown.reason == [LEARNED]
    assert (int(grown.output_epochs), int(grown.candidate_epochs)) == (0, 0)
    assert int(grown.crossings) == 4 * 3
    assert int(grown.error_bits) == 0
    grown = form(XOR, settings(epochs=40, patience=0, threshold=0.49, max_hidden=8))
    assert grown.reason == [LEARNED]
    last = grown.history(0)[-1]
    assert last.error_bits == 0
    assert last.epochs < 40


@FORMS
def test_patience_of_outputs_runs_at_once_and_of_candidates_after_a_change(form):
    slow = PhaseSettings(epsilon=1e-12, mu=1.0, decay=0.0, patience=5, change=0.01, epochs=20)
    chosen = replace(settings(max_hidden=1, threshold=1e-9), output=slow, candidate=slow)
    grown = form(task(), chosen)
    assert [phase.epochs for phase in grown.history(0)] == [5, 1 + 20, 5]


@FORMS
def test_an_error_that_is_not_finite_ends_a_trial(form):
    wild = replace(GENERAL.output, epsilon=1e300, decay=0.0)
    grown = form(task(), replace(settings(output_unit="linear"), output=wild))
    assert grown.reason == [NOT_FINITE]
    assert not bool(grown.squared_error.isfinite())
    assert int(grown.error_bits) > 0


def test_a_trial_that_fails_leaves_the_others_alone():
    x, t = task().x.repeat(2, 1, 1), task().t.repeat(2, 1, 1)
    x[0] *= 1e200
    t[0] *= 1e150
    chosen = settings(output_unit="linear")
    grown = grow(Task(x, t), chosen, seeds(2))
    assert grown.reason[0] == NOT_FINITE
    alone = grow(task(), chosen, seeds(1, 1))
    assert grown.reason[1] == alone.reason[0]
    torch.testing.assert_close(grown.squared_error[1], alone.squared_error[0])


@pytest.mark.parametrize(("bits", "most"), [(2, 2), (4, 5)])
def test_parity_is_learned_with_gaussian_units(bits, most):
    grown = grow(parity(bits), replace(GENERAL, hidden_unit="gaussian"), seeds(30))
    assert grown.reason == [LEARNED] * 30
    assert int(grown.hidden.min()) >= 1
    assert int(grown.hidden.max()) <= most
    outputs = grown.nets().outputs(parity(bits).x)
    assert bool(((outputs - parity(bits).t.mT).abs() < GENERAL.threshold).all())


def test_tanh_learns_targets_of_one():
    xor = Task(XOR.x, 2 * XOR.t)
    chosen = replace(GENERAL, hidden_unit="tanh", output_unit="tanh", threshold=0.8)
    grown = grow(xor, chosen, seeds(10))
    assert grown.reason == [LEARNED] * 10


def test_several_outputs_are_learned_together():
    both = Task(XOR.x, torch.cat([XOR.t, -XOR.t], 1))
    grown = grow(both, replace(GENERAL, hidden_unit="gaussian"), seeds(10))
    assert grown.reason == [LEARNED] * 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden_unit": "step"}, "no unit function 'step'; there are sigmoid"),
        ({"output_unit": "softmax"}, "no unit function 'softmax'"),
        ({"score": "entropy"}, "no score 'entropy'; there are covariance, correlation"),
        ({"pool": 0}, "pool=0: must be 1 or more"),
        ({"max_hidden": -1}, "max_hidden=-1: must be 0 or more"),
        ({"threshold": 0.0}, "threshold=0.0: must be above 0"),
        ({"slope_offset": -0.1}, "slope_offset=-0.1: must be 0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(GENERAL, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epsilon": 0.0}, "epsilon=0.0: must be above 0"),
        ({"patience": -1}, "patience=-1: must be 0"),
    ],
)
def test_phases_that_make_no_sense_are_one_line(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(GENERAL.output, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Task(XOR.x, 2 * XOR.t), "targets reach 1, but sigmoid outputs only 0.5"),
        (Task(XOR.x * torch.nan, XOR.t), "must be finite"),
        (Task(XOR.x.float(), XOR.t), "of one float type"),
        (Task(XOR.x[:0], XOR.t[:0]), "on 0 cases"),
        (Task(XOR.x[None], XOR.t[None]), "2 trials, but inputs and targets of 1"),
    ],
)
def test_tasks_that_make_no_sense_are_one_line(wrong, message):
    with pytest.raises(ValueError, match=message):
        grow(wrong, GENERAL, seeds(2))
