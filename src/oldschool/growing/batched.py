"""Cascade-Correlation (Fahlman & Lebiere 1990) for many trials at once.

A net starts without hidden units. In turn, the weights to the outputs are trained; and, while
outputs are still wrong, a pool of candidate units is trained to match the errors that are left,
the best of them is installed and its incoming weights are never changed again. All trials go
through these rounds together, and those that have learned leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.growing.candidates import TrainedCandidates, train_candidates
from oldschool.growing.lockstep import Watch
from oldschool.growing.outcome import (
    LEARNED,
    NOT_FINITE,
    UNIT_LIMIT,
    CandidatePhase,
    Grown,
    OutputPhase,
    Phase,
)
from oldschool.growing.outputs import train_outputs
from oldschool.growing.settings import CascadeSettings
from oldschool.growing.start import check_task, draw_weights
from oldschool.growing.units import unit_named
from oldschool.training.quickprop import Quickprop

# (kind of phase, hidden units, epoch from 1, trials (A,), squared errors or best scores (A,))
WatchTrials = Callable[[str, int, int, Tensor, Tensor], None]


@torch.inference_mode()  # spares every small operation its bookkeeping
def grow(
    task: Task,
    settings: CascadeSettings,
    generators: Sequence[torch.Generator],
    watch: WatchTrials | None = None,
) -> Grown:
    """Grow a net in each of R trials, in the precision and on the device of the task.

    On a CPU a few hundred to a thousand trials at a time are fastest, each on one thread.

    Args:
        task: the training set, x (P, inputs) for all trials or (R, P, inputs) with one a trial.
        settings: of the trials.
        generators: R CPU generators, one a trial, which draw all its weights as
            :mod:`oldschool.growing.start` says: a trial does not depend on those it is grown
            with beyond rounding.
        watch: called in every epoch, for learning curves.

    Returns:
        What became of each trial; one that has not learned says why.

    Raises:
        ValueError: the task does not fit the settings or the generators.
    """
    check_task(task, len(generators), settings)
    trials = _Trials.start(task, settings, generators)
    phases: list[Phase] = []
    reason = [UNIT_LIMIT] * len(generators)
    for hidden in range(settings.max_hidden + 1):
        ids = trials.ids
        told = _told(watch, "output", hidden, ids)
        trained = train_outputs(trials.values, trials.t, trials.weights, settings, told)
        phases.append(
            OutputPhase(
                hidden,
                ids,
                trained.epochs,
                trained.learned,
                trained.error_bits,
                trained.squared_error,
                trained.weights.weights,
            )
        )
        failed = ~trained.squared_error.isfinite()
        for which, text in ((trained.learned, LEARNED), (failed, NOT_FINITE)):
            for trial in ids[which].tolist():
                reason[trial] = text
        going = ~(trained.learned | failed)
        if hidden == settings.max_hidden or not going.any():
            break
        trials.weights = trained.weights
        trials.keep(going)
        told = _told(watch, "candidate", hidden, trials.ids)
        pool = trials.draw_pool()
        best = train_candidates(trials.values, trained.errors[going], pool, settings, told)
        score = best.scores.abs().sum(1)
        phases.append(CandidatePhase(hidden, trials.ids, best.epochs, score, best.weights))
        trials.install(best)
    return Grown(settings, len(task), phases, reason)


@dataclass
class _Trials:
    """The trials that have not learned yet, A of them.

    Attributes:
        settings: of the trials.
        generators: of all R trials.
        ids: which of these they are, (A,) int64.
        values: of bias, inputs and hidden units, (A, n, P).
        t: targets, (A, O, P).
        weights: to the outputs, (A, O, n).
    """

    settings: CascadeSettings
    generators: Sequence[torch.Generator]
    ids: Tensor
    values: Tensor
    t: Tensor
    weights: Quickprop

    @classmethod
    def start(
        cls, task: Task, settings: CascadeSettings, generators: Sequence[torch.Generator]
    ) -> _Trials:
        x, t = (part.mT.expand(len(generators), -1, -1) for part in (task.x, task.t))
        values = torch.cat([torch.ones_like(x[:, :1]), x], 1)
        ids = torch.arange(len(generators), device=x.device)
        weights = draw_weights(generators, t.shape[1], values.shape[1], settings.weight_range)
        return cls(settings, generators, ids, values, t, Quickprop.start(weights.to(values)))

    def draw_pool(self) -> Tensor:
        """Starting weights of candidates, (A, C, n)."""
        chosen = [self.generators[trial] for trial in self.ids.tolist()]
        pool, bound = self.settings.pool, self.settings.weight_range
        return draw_weights(chosen, pool, self.values.shape[1], bound).to(self.values)

    def keep(self, going: Tensor) -> None:
        """Go on with those ``going`` (A,) bool."""
        self.ids, self.values, self.t = self.ids[going], self.values[going], self.t[going]
        self.weights = self.weights.map(lambda tensor: tensor[going])

    def install(self, best: TrainedCandidates) -> None:
        """Add a hidden unit; the outputs' other weights keep their last steps and slopes."""
        activation = unit_named(self.settings.hidden_unit).value
        value = activation(torch.bmm(best.weights[:, None], self.values))
        self.values = torch.cat([self.values, value], 1)
        new = Quickprop.start(-self.settings.weight_multiplier * best.scores[:, :, None])
        self.weights = self.weights.join(new)


def _told(watch: WatchTrials | None, kind: str, hidden: int, alive: Tensor) -> Watch | None:
    """``watch`` as a phase calls it, which numbers the trials from 0."""
    if watch is None:
        return None
    return lambda epoch, rows, values: watch(kind, hidden, epoch, alive[rows], values)
