"""The output phase: the weights to the outputs are trained, everything below them stands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.growing.lockstep import Patience, Roster, Watch, chunk_rows
from oldschool.growing.settings import CascadeSettings
from oldschool.growing.units import CascadeUnit, unit_named
from oldschool.training.quickprop import Quickprop


@dataclass
class TrainedOutputs:
    """A trials at the end of an output phase.

    Attributes:
        weights: of the outputs, (A, O, n), with their last steps and slopes.
        errors: (A, O, P), the errors that candidates are to match: output minus target, times
            the derivative of the output unit and its offset. As in the authors' programs they
            are those of the last forward pass, before the last step.
        error_bits: (A,) int64, in the last forward pass.
        squared_error: (A,), summed over outputs and cases, likewise.
        epochs: (A,) int64; the one in which a trial is seen to have learned is not counted.
        learned: (A,) bool, no error bit is left.
    """

    weights: Quickprop
    errors: Tensor
    error_bits: Tensor
    squared_error: Tensor
    epochs: Tensor
    learned: Tensor


def train_outputs(
    values: Tensor,
    t: Tensor,
    weights: Quickprop,
    settings: CascadeSettings,
    watch: Watch | None = None,
) -> TrainedOutputs:
    """Train until all is learned, nothing changes any more or the limit of epochs is reached.

    Args:
        values: of bias, inputs and hidden units, (A, n, P).
        t: targets, (A, O, P).
        weights: (A, O, n).
        settings: of the trials.
        watch: told the summed squared error after every forward pass.
    """
    phase = _Phase(values, t, weights, settings)
    limit = settings.output.epochs
    for epoch in range(1, limit + 1):
        phase.look()
        if watch is not None:
            phase.roster.tell(watch, epoch, phase.squared_error)
        phase.end_learned(epoch)
        phase.step()
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
    shift: Tensor
    weights: Tensor
    slopes: Tensor
    differences: Tensor
    errors: Tensor
    squared_error: Tensor
    worst: Tensor
    sums: Tensor
    spare: Tensor

    def look(self, unit: CascadeUnit, offset: float) -> None:
        """Outputs, errors and slopes."""
        torch.bmm(self.weights, self.values, out=self.sums)
        raw = unit.raw_values(self.sums, self.spare)
        torch.add(self.shift, raw, alpha=unit.scale, out=self.differences)
        unit.pull(self.differences, raw, self.sums, self.errors)
        factor = unit.scale * unit.gain
        if factor != 1.0:
            self.errors.mul_(factor)
        if offset:
            self.errors.add_(self.differences, alpha=offset)
        torch.bmm(self.errors, self.values_t, out=self.slopes)
        torch.abs(self.differences, out=self.spare)
        torch.amax(self.spare, (1, 2), out=self.worst)
        torch.sum(self.spare.mul_(self.spare), (1, 2), out=self.squared_error)


class _Phase:
    """An output phase of A trials; ``found`` is complete when none of them runs any more."""

    def __init__(
        self, values: Tensor, t: Tensor, weights: Quickprop, settings: CascadeSettings
    ) -> None:
        trials, outputs, cases = t.shape
        self._unit = unit_named(settings.output_unit)
        self._offset = settings.slope_offset if self._unit.flat else 0.0
        self._threshold, self._phase = settings.threshold, settings.output
        self._values = values.clone()  # rows are moved
        self._shift = self._unit.constant - t
        self._weights = weights.map(torch.clone)
        self._slopes = torch.empty_like(weights.weights)
        self._differences, self._errors = t.new_empty(t.shape), t.new_empty(t.shape)
        self.squared_error, self._worst = t.new_empty(trials), t.new_empty(trials)
        self._patience = Patience(settings.output, t, at_once=True)
        size = chunk_rows(values, values.shape[1] + 5 * outputs)
        self._room = [t.new_empty(size, outputs, cases) for _ in range(2)]
        self.roster = Roster(trials, t.device)
        count = torch.zeros(trials, dtype=torch.int64, device=t.device)
        self.found = TrainedOutputs(
            weights.map(torch.empty_like),
            t.new_empty(t.shape),
            count,
            t.new_empty(trials),
            count.clone(),
            count.bool(),
        )
        self._cut()

    def _cut(self) -> None:
        """Lay the chunks anew over the rows that are left."""
        size = len(self._room[0])
        per_trial = (
            self._values,
            self._values.mT,
            self._shift,
            self._weights.weights,
            self._slopes,
            self._differences,
            self._errors,
            self.squared_error,
            self._worst,
        )
        self._chunks = [
            _Chunk(*rows, *(room[: len(rows[0])] for room in self._room))
            for rows in zip(*(torch.split(tensor, size) for tensor in per_trial), strict=True)
        ]

    def look(self) -> None:
        """Outputs, errors and slopes."""
        for chunk in self._chunks:
            chunk.look(self._unit, self._offset)
        self._chunks.reverse()  # the next epoch begins with those that are still in the cache

    def end_learned(self, epoch: int) -> None:
        """Let trials end in which no output is wrong, before their weights change."""
        self._end(self._worst < self._threshold, epoch - 1, learned=True)

    def step(self) -> None:
        """One Quickprop step."""
        phase = self._phase
        epsilon = phase.epsilon / self._errors.shape[2]
        self._weights.update(self._slopes, epsilon=epsilon, mu=phase.mu, decay=phase.decay)

    def end_stagnant(self, epoch: int, *, at_limit: bool) -> None:
        """Let trials end whose error has not changed, or all at the limit."""
        lost = self._patience.lost(self.squared_error, epoch)
        self._end(lost.fill_(True) if at_limit else lost, epoch)

    def close_gaps(self) -> None:
        move = self.roster.close_gaps()
        if move is not None:
            count = self.roster.running
            self._values, self._shift = move(self._values), move(self._shift)
            self._weights, self._slopes = self._weights.map(move), self._slopes[:count]
            self._differences, self._errors = self._differences[:count], self._errors[:count]
            self.squared_error, self._worst = self.squared_error[:count], self._worst[:count]
            self._patience.move(move)
            self._cut()

    def _end(self, which: Tensor, epochs: int, *, learned: bool = False) -> None:
        """Take what is kept of the trials of the rows ``which``."""
        rows = self.roster.end(which)
        if rows is None:
            return
        trials, found, now = self.roster.trials[rows], self.found, self._weights
        found.weights.weights[trials] = now.weights[rows]
        found.weights.steps[trials] = now.steps[rows]
        found.weights.slopes[trials] = now.slopes[rows]
        found.errors[trials] = self._errors[rows]
        wrong = ~(self._differences[rows].abs_() < self._threshold)  # what is no number, too
        found.error_bits[trials] = wrong.sum((1, 2))
        found.squared_error[trials] = self.squared_error[rows]
        found.epochs[trials] = epochs
        found.learned[trials] = learned
