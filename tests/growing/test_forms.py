"""The batched form against the reference, and trials against the block they are in."""

import pytest
import torch
from scipy import stats

from oldschool.data.parity import parity
from oldschool.data.spirals import two_spirals
from oldschool.data.task import Task, random_split
from oldschool.growing import lockstep
from oldschool.growing.batched import grow
from oldschool.growing.outcome import OutputPhase
from oldschool.growing.reference import grow_reference
from oldschool.growing.settings import GENERAL, SPIRALS
from tests.growing.cases import SCORES, UNITS, seeds, settings, task
from tests.problems import generator


def curve_of(task, chosen, seed):
    """Of a reference trial: every epoch, and the trial."""
    found = []
    trial = grow_reference(task, chosen, generator(seed), lambda *epoch: found.append(epoch))
    return found, trial


def curves_of(task, chosen, generators):
    """Of each trial of a block: every epoch; and the block."""
    found = [[] for _ in generators]

    def watch(kind, hidden, epoch, trials, values):
        for trial, value in zip(trials.tolist(), values.tolist(), strict=True):
            found[trial].append((kind, hidden, epoch, value))

    return found, grow(task, chosen, generators, watch)


def assert_same_curve(one, other):
    """To the last digits at first, and still closely when rounding has grown."""
    assert [epoch[:3] for epoch in one] == [epoch[:3] for epoch in other]
    ours, theirs = (torch.tensor([e[3] for e in c], dtype=torch.float64) for c in (one, other))
    torch.testing.assert_close(ours[:15], theirs[:15], rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


def assert_same_trial(grown, trial, alone):
    """The trial of a block is the one grown by itself, until rounding grows."""
    assert grown.reason[trial] == alone.reason[0]
    for ours, other in zip(grown.history(trial), alone.history(0), strict=True):
        assert (ours.kind, ours.hidden, ours.epochs) == (other.kind, other.hidden, other.epochs)
        assert ours.error_bits == other.error_bits
    for name in ("hidden", "output_epochs", "candidate_epochs", "crossings", "error_bits"):
        assert int(getattr(grown, name)[trial]) == int(getattr(alone, name)[0])
    for ours, other in zip(grown.phases[:2], alone.phases[:2], strict=False):
        row = int((ours.trials == trial).nonzero())
        torch.testing.assert_close(ours.weights[row], other.weights[0], rtol=1e-9, atol=1e-9)
    close = {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(grown.squared_error[trial], alone.squared_error[0], **close)
    nets, net = grown.nets(), alone.nets()
    hidden, width = int(net.hidden[0]), net.output_weights.shape[2]
    torch.testing.assert_close(
        nets.output_weights[trial, :, :width], net.output_weights[0], **close
    )
    torch.testing.assert_close(
        nets.hidden_weights[trial, :hidden, :width], net.hidden_weights[0], **close
    )


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_batched_is_the_reference_epoch_by_epoch(score, unit, outputs):
    chosen = settings(score=score, hidden_unit=unit)
    curves, grown = curves_of(task(outputs), chosen, seeds(3))
    for seed in range(3):
        curve, alone = curve_of(task(outputs), chosen, seed)
        assert_same_curve(curves[seed], curve)
        assert_same_trial(grown, seed, alone)


@pytest.mark.parametrize(
    "changes",
    [
        {"output_unit": "tanh"},
        {"output_unit": "linear"},
        {"weight_multiplier": 0.0},
        {"weight_range": 0.5, "pool": 1},
        {"slope_offset": 0.0, "patience": 0},
        {"threshold": 0.55, "patience": 2},
    ],
    ids=str,
)
def test_every_setting_means_the_same_in_both(changes):
    chosen = settings(**changes)
    curves, grown = curves_of(task(2), chosen, seeds(4))
    for seed in range(4):
        curve, alone = curve_of(task(2), chosen, seed)
        assert_same_curve(curves[seed], curve)
        assert_same_trial(grown, seed, alone)


def test_first_phases_on_the_two_spirals():
    chosen = SPIRALS.__class__(**{**vars(SPIRALS), "max_hidden": 1})
    curves, grown = curves_of(two_spirals(), chosen, seeds(3))
    for seed in range(3):
        curve, alone = curve_of(two_spirals(), chosen, seed)
        assert_same_curve(curves[seed][:60], curve[:60])
        first, other = (trial.history(seed * (trial is grown))[:2] for trial in (grown, alone))
        assert [phase.epochs for phase in first] == [phase.epochs for phase in other]


@pytest.mark.parametrize("chunk", [1, 1 << 30])
def test_a_trial_does_not_depend_on_its_block(chunk, monkeypatch):
    """Phases end at different epochs, so that rows are moved; some trials learn."""
    monkeypatch.setattr(lockstep, "_CHUNK_BYTES", chunk)
    chosen = settings(epochs=15, patience=2, threshold=0.2)
    grown = grow(task(), chosen, seeds(7))
    assert len(set(grown.reason)) == 2
    ends = {tuple(report.epochs for report in grown.history(trial)) for trial in range(7)}
    assert len(ends) == 7
    for trial in range(7):
        assert_same_trial(grown, trial, grow(task(), chosen, seeds(1, trial)))


def test_gaps_are_closed_in_blocks_too_large_for_one_to_matter():
    chosen = settings(epochs=15, patience=2)
    grown = grow(task(), chosen, seeds(50))
    for trial in range(0, 50, 7):
        assert_same_trial(grown, trial, grow(task(), chosen, seeds(1, trial)))


def test_each_trial_may_have_a_training_set_of_its_own():
    train, _ = random_split(parity(4), 10, seeds(3))
    grown = grow(train, settings(), seeds(3))
    for trial in range(3):
        own = Task(train.x[trial], train.t[trial])
        assert_same_trial(grown, trial, grow(own, settings(), seeds(1, trial)))


def test_the_same_seeds_give_the_same_bits():
    one, other = (grow(two_spirals(), SPIRALS, seeds(5)) for _ in range(2))
    assert one.reason == other.reason
    assert torch.equal(one.nets().output_weights, other.nets().output_weights)


def test_generators_are_drawn_from_in_the_documented_order():
    chosen = settings(epochs=1, patience=0, max_hidden=1, weight_range=2.0)
    random = generator(0)
    first = 4.0 * torch.rand(2, 4, generator=random, dtype=torch.float64) - 2.0
    pool = 4.0 * torch.rand(4, 4, generator=random, dtype=torch.float64) - 2.0
    watched = []
    grown = grow(task(2), chosen, seeds(1), lambda *epoch: watched.append(epoch[4]))
    x = torch.cat([torch.ones(13, 1).double(), task(2).x], 1)
    errors = (torch.sigmoid(x @ first.T) - 0.5 - task(2).t).square().sum()
    torch.testing.assert_close(watched[0], errors[None])
    phase = grown.phases[1]
    # One step of descent from the pool's best unit: it has not gone far.
    distance = (pool - phase.weights).norm(dim=1).min()
    assert 0 < float(distance) < 0.2


def samples(grown) -> tuple[list[int], list[int]]:
    return grown.hidden.tolist(), (grown.output_epochs + grown.candidate_epochs).tolist()


def test_float32_float64_and_the_authors_agree_on_the_two_spirals():
    double = two_spirals()
    single = Task(double.x.float(), double.t.float())
    count = 60
    grown = [grow(task, SPIRALS, seeds(count)) for task in (double, single)]
    for trials in grown:
        assert trials.reason.count("learned") >= count - 2  # of a thousand, one does not
        hidden, epochs = (torch.tensor(sample).double() for sample in samples(trials))
        # The authors' programs: 14.6 to 14.95 units, sd 1.69; 1626 to 1666 epochs, sd 205.
        assert 14.6 - 4 * 1.69 / count**0.5 < float(hidden.mean()) < 14.95 + 4 * 1.69 / count**0.5
        assert 1626 - 4 * 205 / count**0.5 < float(epochs.mean()) < 1666 + 4 * 205 / count**0.5
    for ours, theirs in zip(*map(samples, grown), strict=True):
        assert stats.ks_2samp(ours, theirs).pvalue > 0.01
    assert grown[0].nets().output_weights.dtype == torch.float64
    assert grown[1].nets().output_weights.dtype == torch.float32


def test_batched_and_reference_have_the_same_distribution():
    chosen = GENERAL.__class__(**{**vars(GENERAL), "hidden_unit": "gaussian"})
    count = 40
    batched = samples(grow(parity(4), chosen, seeds(count)))
    alone = [grow_reference(parity(4), chosen, seed) for seed in seeds(count, 1000)]
    assert all(trial.reason == ["learned"] for trial in alone)
    for ours, theirs in zip(batched, zip(*map(samples, alone), strict=True), strict=True):
        assert stats.ks_2samp(ours, [values[0] for values in theirs]).pvalue > 0.01


def test_outputs_are_trained_on_from_where_they_were():
    """Old weights keep their steps and slopes when a unit comes in."""
    chosen = settings(epochs=3, patience=0, max_hidden=1, weight_multiplier=0.0)
    grown = grow(task(), chosen, seeds(1))
    before, after = (phase for phase in grown.phases if isinstance(phase, OutputPhase))
    assert not torch.allclose(before.weights[0, 0], after.weights[0, 0, :4], atol=1e-3)
