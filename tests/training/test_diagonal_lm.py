"""Stochastic diagonal Levenberg-Marquardt against a loop over nets and patterns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from oldschool.compiled.stack import compiled
from oldschool.curvature import recursion
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.planes import Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack
from oldschool.training import diagonal_lm
from oldschool.training.diagonal_lm import DiagonalSchedule, stochastic_diagonal_lm
from tests.problems import generator

NET = Stack(
    (
        Convolution(Planes(1, 4, 4), 2, 3, padding=1, border=-1.0),
        Subsampling(Planes(2, 4, 4)),
        Dense(Planes(2, 2, 2), 2),
    )
)
DRAW = generator(5)
TASK = Task(
    torch.rand(11, 16, generator=DRAW, dtype=torch.float64),
    torch.rand(11, 2, generator=DRAW, dtype=torch.float64),
)
SCHEDULE = DiagonalSchedule(rate=0.05, mu=0.3, passes=2.0, batch=4, looked_at=6)


@pytest.fixture(autouse=True, params=["compiled", "tensors"])
def form(request, monkeypatch):
    """Every test holds for both forms."""
    if request.param == "compiled":
        assert compiled(NET, TASK.x) is not None
    else:
        for module in (recursion, diagonal_lm):
            monkeypatch.setattr(module, "compiled", lambda *_: None)


def starts(count: int = 3) -> Tensor:
    return NET.uniform([generator(seed) for seed in range(count)], 2.4)


def orders(count: int = 3, first: int = 0) -> list[torch.Generator]:
    return [generator(100 + first + k) for k in range(count)]


def train(theta: Tensor, schedule: DiagonalSchedule = SCHEDULE, **more) -> Tensor:
    return stochastic_diagonal_lm(NET, theta, TASK, schedule, orders(len(theta)), **more)


def by_loops(theta: Tensor, schedule: DiagonalSchedule, order: torch.Generator) -> Tensor:
    """One net, a pattern at a time, by automatic differentiation."""
    w = theta.clone()
    shown = max(1, round(schedule.passes * len(TASK)))
    taken = 0
    while taken < shown:
        patterns = torch.randperm(len(TASK), generator=order).tolist()
        few = patterns[len(TASK) - schedule.looked_at :]
        seen = Task(TASK.x[few], TASK.t[few])
        h = recursive_diagonal(NET, w[None], seen, levenberg_marquardt=True).diagonal[0]
        patterns = patterns[: shown - taken]
        while patterns:
            step = torch.zeros_like(w)
            part, patterns = patterns[: schedule.batch], patterns[schedule.batch :]
            for p in part:
                at = w.clone().requires_grad_()
                o = NET.outputs(at[None], TASK.x[p : p + 1])[0, :, 0]
                (0.5 * (TASK.t[p] - o).square().sum()).backward()
                step += at.grad
            rate = schedule.rate * (1 - taken / shown)
            w = w - rate / (h + schedule.mu) * step
            taken += len(part)
    assert taken == shown
    return w


@pytest.mark.parametrize("passes", [2.0, 0.4, 1.7])
@pytest.mark.parametrize("batch", [1, 4])
def test_the_batched_rule_is_that_of_the_loop(batch, passes):
    schedule = replace(SCHEDULE, batch=batch, passes=passes)
    theta = starts()
    found = train(theta, schedule)
    assert theta.equal(starts())  # not changed
    assert bool((found - theta).abs().amax(1).gt(1e-2).all())
    for r, order in enumerate(orders()):
        torch.testing.assert_close(
            found[r], by_loops(theta[r], schedule, order), rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize(
    "changed", [{"rate": 0.06}, {"mu": 0.4}, {"batch": 5}, {"looked_at": 7}, {"passes": 3}]
)
def test_every_setting_matters(changed):
    theta = starts(1)
    other = train(theta, replace(SCHEDULE, **changed))
    assert float((train(theta) - other).abs().max()) > 1e-4


def test_a_net_does_not_depend_on_the_others():
    together = train(starts())
    for r in range(3):
        alone = stochastic_diagonal_lm(
            NET, starts()[r : r + 1], TASK, SCHEDULE, orders(1, first=r)
        )  # fmt: skip
        torch.testing.assert_close(alone[0], together[r], rtol=1e-12, atol=1e-14)
    turned = stochastic_diagonal_lm(NET, starts().flip(0), TASK, SCHEDULE, orders()[::-1])
    torch.testing.assert_close(turned.flip(0), together, rtol=1e-12, atol=1e-14)


def test_deleted_weights_stay_zero_and_the_others_learn():
    kept = torch.rand(3, NET.weights, generator=generator(3)) < 0.6
    kept[:, NET.layer_of > 0] |= torch.rand(3, 22, generator=generator(4)) < 0.8
    theta = starts() * kept
    found = train(theta, kept=kept)
    assert bool((found[~kept] == 0).all())
    assert bool((found != theta)[kept].all())
    everything = torch.ones_like(kept)
    assert train(theta, kept=everything).equal(train(theta))


class Counting(Stack):
    """Counts the patterns of each step."""

    def pull_back(self, theta, trace, pull):
        steps.append(pull.shape[2])
        return super().pull_back(theta, trace, pull)


steps: list[int] = []


@pytest.mark.parametrize(
    ("passes", "batch", "expected"),
    [
        (1.0, 4, [4, 4, 3]),
        (2.0, 11, [11, 11]),
        (0.5, 4, [4, 2]),  # 5.5 patterns are 6
        (1.3, 4, [4, 4, 3, 3]),  # 14.3 are 14
        (0.01, 4, [1]),
        (2.0, 100, [11, 11]),
    ],
)
def test_fractional_passes_count_patterns(passes, batch, expected):
    steps.clear()
    net = Counting(NET.schemes, NET.units)
    schedule = replace(SCHEDULE, passes=passes, batch=batch)
    stochastic_diagonal_lm(net, starts(), TASK, schedule, orders())
    assert steps == expected


def test_more_patterns_than_there_are_can_be_looked_at():
    found, all_of_them = (train(starts(), replace(SCHEDULE, looked_at=n)) for n in (500, 11))
    assert found.equal(all_of_them)


def test_a_diverging_net_is_not_finite_and_leaves_the_others_alone():
    net = Stack((Dense(Planes(16), 3), Dense(Planes(3), 2)), "linear")
    theta = net.uniform([generator(seed) for seed in range(3)], 1.0)
    wild = theta.clone()
    wild[1] *= 1e6
    schedule = replace(SCHEDULE, rate=0.2, mu=100.0, passes=10)
    calm, found = (stochastic_diagonal_lm(net, w, TASK, schedule, orders()) for w in (theta, wild))
    assert bool(calm.isfinite().all())
    assert found.isfinite().all(1).tolist() == [True, False, True]
    torch.testing.assert_close(found[[0, 2]], calm[[0, 2]], rtol=1e-12, atol=1e-14)


def test_it_learns():
    theta = starts()
    errors = [
        (NET.outputs(w, TASK.x) - TASK.t.T).square().mean((1, 2))
        for w in (theta, train(theta, replace(SCHEDULE, passes=40, rate=0.01)))
    ]
    assert bool((errors[1] < 0.5 * errors[0]).all())


def test_single_precision_stays_single():
    task = Task(TASK.x.float(), TASK.t.float())
    found = stochastic_diagonal_lm(NET, starts().float(), task, SCHEDULE, orders())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), train(starts()), rtol=1e-3, atol=1e-4)
