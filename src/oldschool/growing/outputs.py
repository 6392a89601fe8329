"""The output phase: the weights to the outputs are trained, everything below them stands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.growing.lockstep import Patience, Roster, Watch
from oldschool.growing.settings import CascadeSettings
from oldschool.growing.units import unit_named
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
        failed: (A,) bool, the error is not finite.
    """

    weights: Quickprop
    errors: Tensor
    error_bits: Tensor
    squared_error: Tensor
    epochs: Tensor
    learned: Tensor
    failed: Tensor


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
        phase.forward()
        if watch is not None:
            phase.roster.tell(watch, epoch, phase.squared_error)
        phase.end_learned(epoch)
        phase.step()
        phase.end_stagnant(epoch, at_limit=epoch == limit)
        if phase.roster.running == 0:
            break
        phase.close_gaps()
    return phase.found


class _Phase:
    """An output phase of A trials; ``found`` is complete when none of them runs any more."""

    def __init__(
        self, values: Tensor, t: Tensor, weights: Quickprop, settings: CascadeSettings
    ) -> None:
        self._values, self._t = values.clone(), t.clone()  # rows are moved
        self._weights = weights.map(torch.clone)
        self._slopes = torch.empty_like(weights.weights)
        self._settings, self._phase = settings, settings.output
        unit = unit_named(settings.output_unit)
        assert unit.slope is not None  # as CascadeSettings makes sure
        self._value, self._slope = unit.value, unit.slope
        self._patience = Patience(settings.output, t, at_once=True)
        self.roster = Roster(len(t), t.device)
        count = torch.zeros(len(t), dtype=torch.int64, device=t.device)
        self.found = TrainedOutputs(
            weights,
            torch.empty_like(t),
            count,
            t.new_empty(len(t)),
            count.clone(),
            count.bool(),
            count.bool(),
        )

    def forward(self) -> None:
        """Outputs and errors of all cases."""
        outputs = self._value(torch.bmm(self._weights.weights, self._values))
        self._differences = outputs - self._t
        self._errors = self._slope(outputs, self._settings.slope_offset)
        self._errors.mul_(self._differences)
        self.squared_error = (self._differences * self._differences).sum((1, 2))

    def end_learned(self, epoch: int) -> None:
        """Let trials end in which no output is wrong, before their weights change."""
        worst = torch.linalg.vector_norm(self._differences, torch.inf, dim=(1, 2))
        self.found.learned[self._end(worst < self._settings.threshold, epoch - 1)] = True

    def step(self) -> None:
        """One Quickprop step."""
        torch.bmm(self._errors, self._values.mT, out=self._slopes)
        self._weights.update(
            self._slopes,
            epsilon=self._phase.epsilon / self._t.shape[2],
            mu=self._phase.mu,
            decay=self._phase.decay,
        )

    def end_stagnant(self, epoch: int, *, at_limit: bool) -> None:
        """Let trials end whose error is not finite, or has not changed, or all at the limit."""
        self.found.failed[self._end(~self.squared_error.isfinite(), epoch)] = True
        lost = self._patience.lost(self.squared_error, epoch)
        self._end(torch.ones_like(lost) if at_limit else lost, epoch)

    def close_gaps(self) -> None:
        move = self.roster.close_gaps()
        if move is not None:
            self._values, self._t = move(self._values), move(self._t)
            self._weights, self._slopes = self._weights.map(move), move(self._slopes)
            self._patience.move(move)

    def _end(self, which: Tensor, epochs: int) -> Tensor:
        """Take what is kept of the trials of the rows ``which``; returns these trials."""
        rows = self.roster.end(which)
        trials = self.roster.trials[rows]
        if len(rows):
            found, now = self.found, self._weights
            found.weights.weights[trials] = now.weights[rows]
            found.weights.steps[trials] = now.steps[rows]
            found.weights.slopes[trials] = now.slopes[rows]
            found.errors[trials] = self._errors[rows]
            wrong = self._differences[rows].abs_() >= self._settings.threshold
            found.error_bits[trials] = wrong.sum((1, 2))
            found.squared_error[trials] = self.squared_error[rows]
            found.epochs[trials] = epochs
        return trials
