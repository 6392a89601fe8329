"""The candidate phase: a pool of units is trained to match the residual errors of the outputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.growing.lockstep import Patience, Roster, Watch, chunk_rows
from oldschool.growing.score import Score, score_named
from oldschool.growing.settings import CascadeSettings
from oldschool.growing.units import CascadeUnit, unit_named
from oldschool.training.quickprop import Quickprop


@dataclass
class TrainedCandidates:
    """The best unit of each of A pools at the end of a candidate phase.

    Attributes:
        weights: its incoming weights, (A, n).
        scores: its score at each output, with its sign, in the last forward pass, (A, O).
        epochs: (A,) int64, the first one, which only computes scores, counted.
    """

    weights: Tensor
    scores: Tensor
    epochs: Tensor


def train_candidates(
    values: Tensor,
    errors: Tensor,
    weights: Tensor,
    settings: CascadeSettings,
    watch: Watch | None = None,
) -> TrainedCandidates:
    """Train until the best score changes no more or the limit of epochs is reached.

    Each epoch follows the signs that the scores had in the epoch before, and the winner is the
    unit whose score was best before the last step, as in the authors' programs.

    Args:
        values: of bias, inputs and hidden units, (A, n, P).
        errors: of the outputs, (A, O, P).
        weights: of the candidates, (A, C, n).
        settings: of the trials.
        watch: told the best score after every epoch, the first one counted.
    """
    phase = _Phase(values, errors, weights, settings)
    limit = settings.candidate.epochs
    phase.score()
    if watch is not None:
        phase.roster.tell(watch, 1, phase.best_score)
    for epoch in range(1, limit + 1):
        phase.step()
        if watch is not None:
            phase.roster.tell(watch, epoch + 1, phase.best_score)
        phase.end_stagnant(epoch, at_limit=epoch == limit)
        if phase.roster.running == 0:
            break
        phase.close_gaps()
    return phase.found


@dataclass
class _Chunk:
    """Views of some trials' rows, and room for what is computed of them."""

    values: Tensor
    values_t: Tensor
    targets: Tensor
    weights: Tensor
    slopes: Tensor
    scores: Tensor
    senses: Tensor
    sums: Tensor
    spare: Tensor

    def score(self, unit: CascadeUnit, score: Score) -> None:
        """Scores only."""
        torch.bmm(self.weights, self.values, out=self.sums)
        score.signed(unit.raw_values(self.sums, self.spare), self.targets, self.scores)

    def look(self, unit: CascadeUnit, score: Score) -> None:
        """Scores, and how they rise with the weights, up to the unit's gain."""
        torch.bmm(self.weights, self.values, out=self.sums)
        raw = unit.raw_values(self.sums, self.spare)
        direction = score.look(raw, self.targets, self.senses, self.scores)
        free = self.spare if raw is self.sums else self.sums
        unit.pull(direction, raw, self.sums, free)
        torch.bmm(free, self.values_t, out=self.slopes)


class _Phase:
    """A candidate phase of A trials; ``found`` is complete when none of them runs any more."""

    def __init__(
        self, values: Tensor, errors: Tensor, weights: Tensor, settings: CascadeSettings
    ) -> None:
        trials, pool, connections = weights.shape
        outputs, cases = errors.shape[1:]
        self._unit, self._score = unit_named(settings.hidden_unit), score_named(settings.score)
        self._phase = settings.candidate
        self._epsilon = settings.candidate.epsilon / (cases * connections)
        self._values = values.clone()  # rows are moved
        self._targets = self._score.targets(errors, self._unit.scale)
        self._weights = Quickprop.start(weights.clone())
        self._slopes = torch.empty_like(weights)
        self._scores = weights.new_empty(trials, pool, outputs)
        self._senses = torch.empty_like(self._scores)
        self._one = weights.new_ones(())
        self._patience = Patience(settings.candidate, weights, at_once=False)
        size = chunk_rows(values, connections + 2 * pool + outputs)
        self._room = [weights.new_empty(size, pool, cases) for _ in range(2)]
        self.roster = Roster(trials, weights.device)
        self.found = TrainedCandidates(
            weights.new_empty(trials, connections),
            weights.new_empty(trials, outputs),
            torch.empty(trials, dtype=torch.int64, device=weights.device),
        )
        self._cut()

    def _cut(self) -> None:
        """Lay the chunks anew over the rows that are left."""
        size = len(self._room[0])
        per_trial = (
            self._values,
            self._values.mT,
            self._targets,
            self._weights.weights,
            self._slopes,
            self._scores,
            self._senses,
        )
        self._chunks = [
            _Chunk(*rows, *(room[: len(rows[0])] for room in self._room))
            for rows in zip(*(torch.split(tensor, size) for tensor in per_trial), strict=True)
        ]

    def score(self) -> None:
        """The first epoch: scores, and no step."""
        for chunk in self._chunks:
            chunk.score(self._unit, self._score)
        self._choose()

    def step(self) -> None:
        """One Quickprop step along the rise of the scores."""
        for chunk in self._chunks:
            chunk.look(self._unit, self._score)
        self._chunks.reverse()  # the next epoch begins with those that are still in the cache
        one_output = self._senses.shape[2] == 1
        factor = self._senses * -self._unit.gain if one_output else -self._unit.gain
        self._weights.update(
            self._slopes.mul_(factor),
            epsilon=self._epsilon,
            mu=self._phase.mu,
            decay=self._phase.decay,
        )
        self._choose()

    def _choose(self) -> None:
        """The signs for the next epoch, and the best units; a score that is no number loses."""
        torch.copysign(self._one, self._scores, out=self._senses)
        total = self._scores.abs()
        total = total[:, :, 0] if total.shape[2] == 1 else total.sum(2)
        self.best_score, self._best = total.nan_to_num_(0.0, torch.inf).max(1)

    def end_stagnant(self, epoch: int, *, at_limit: bool) -> None:
        """Let trials end whose best score has not changed, or all at the limit."""
        lost = self._patience.lost(self.best_score, epoch)
        rows = self.roster.end(lost.fill_(True) if at_limit else lost)
        if rows is not None:
            trials, best = self.roster.trials[rows], self._best[rows]
            self.found.weights[trials] = self._weights.weights[rows, best]
            self.found.scores[trials] = self._scores[rows, best]
            self.found.epochs[trials] = epoch + 1

    def close_gaps(self) -> None:
        move = self.roster.close_gaps()
        if move is not None:
            count = self.roster.running
            self._values, self._targets = move(self._values), move(self._targets)
            self._weights, self._senses = self._weights.map(move), move(self._senses)
            self._slopes, self._scores = self._slopes[:count], self._scores[:count]
            self._patience.move(move)
            self._cut()
