"""What grown trials report: phase by phase, and all in all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.growing.network import CascadeNets
from oldschool.growing.settings import CascadeSettings

LEARNED = "learned"
UNIT_LIMIT = "limit of hidden units reached"
NOT_FINITE = "error is not finite"


@dataclass(frozen=True)
class PhaseReport:
    """What one phase did in one trial.

    Attributes:
        kind: ``output`` or ``candidate``.
        hidden: hidden units in the net.
        epochs: as the phase counts them.
        error_bits: wrong outputs; None for candidates.
        squared_error: summed over outputs and cases; None for candidates.
        score: of the installed unit; None for outputs.
    """

    kind: str
    hidden: int
    epochs: int
    error_bits: int | None = None
    squared_error: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class OutputPhase:
    """An output phase of the trials that were in it.

    Attributes:
        hidden: hidden units in the nets.
        trials: which trials, (A,) int64.
        epochs: (A,) int64; the one in which a trial is seen to have learned is not counted.
        learned: (A,) bool.
        error_bits: outputs that were wrong in the last forward pass, (A,) int64.
        squared_error: their squared error, summed over outputs and cases, (A,).
        weights: of the outputs at the end, (A, O, 1 + inputs + hidden).
    """

    hidden: int
    trials: Tensor
    epochs: Tensor
    learned: Tensor
    error_bits: Tensor
    squared_error: Tensor
    weights: Tensor

    def report(self, row: int) -> PhaseReport:
        """Of the trial of one row."""
        return PhaseReport(
            "output",
            self.hidden,
            int(self.epochs[row]),
            error_bits=int(self.error_bits[row]),
            squared_error=float(self.squared_error[row]),
        )


@dataclass(frozen=True)
class CandidatePhase:
    """A candidate phase of the trials that were in it.

    Attributes:
        hidden: hidden units in the nets, the new one not counted.
        trials: which trials, (A,) int64.
        epochs: (A,) int64; the first one, which only computes scores, is counted.
        score: of the unit that was installed, summed over the outputs, (A,).
        weights: its incoming weights, (A, 1 + inputs + hidden).
    """

    hidden: int
    trials: Tensor
    epochs: Tensor
    score: Tensor
    weights: Tensor

    def report(self, row: int) -> PhaseReport:
        """Of the trial of one row."""
        score = float(self.score[row])
        return PhaseReport("candidate", self.hidden, int(self.epochs[row]), score=score)


Phase = OutputPhase | CandidatePhase


@dataclass(frozen=True)
class Grown:
    """R trials of Cascade-Correlation.

    Attributes:
        settings: of the trials.
        cases: P, size of the training set.
        phases: output and candidate phases in turn, with the trials that were in them.
        reason: why each trial stopped: ``LEARNED``, ``UNIT_LIMIT`` or ``NOT_FINITE``.
    """

    settings: CascadeSettings
    cases: int
    phases: list[Phase]
    reason: list[str]

    @property
    def learned(self) -> Tensor:
        """(R,) bool."""
        return torch.tensor([reason == LEARNED for reason in self.reason])

    @property
    def hidden(self) -> Tensor:
        """Hidden units of each net, (R,) int64."""
        found = self._count()
        for phase in self._output_phases():
            found[phase.trials] = phase.hidden
        return found

    @property
    def error_bits(self) -> Tensor:
        """Wrong outputs in the last forward pass, before the last step, (R,) int64."""
        found = self._count()
        for phase in self._output_phases():
            found[phase.trials] = phase.error_bits
        return found

    @property
    def squared_error(self) -> Tensor:
        """Squared error in that pass, summed over outputs and cases, (R,)."""
        found = self.phases[0].weights.new_empty(len(self.reason))
        for phase in self._output_phases():
            found[phase.trials] = phase.squared_error
        return found

    @property
    def output_epochs(self) -> Tensor:
        """Epochs in output phases, (R,) int64."""
        found = self._count()
        for phase in self._output_phases():
            found[phase.trials] += phase.epochs
        return found

    @property
    def candidate_epochs(self) -> Tensor:
        """Epochs in candidate phases, (R,) int64."""
        found = self._count()
        for phase in self._candidate_phases():
            found[phase.trials] += phase.epochs
        return found

    @property
    def crossings(self) -> Tensor:
        """Connection crossings as the authors' C program counts them, (R,) int64.

        A crossing is a connection that a forward pass goes through for one case: in output
        phases those to the outputs, in the pass too that finds all learned; in candidate phases
        those to all candidates; and those to a new unit when it is installed. A whole pass
        through the net at that moment would add 2 % at most.
        """
        found = self._count()
        for phase in self._output_phases():
            connections = phase.weights[0].numel()
            found[phase.trials] += (phase.epochs + phase.learned) * connections
        for pool in self._candidate_phases():
            connections = pool.weights.shape[1]
            found[pool.trials] += (pool.epochs * self.settings.pool + 1) * connections
        return found * self.cases

    def history(self, trial: int) -> list[PhaseReport]:
        """The phases of one trial."""
        reports = []
        for phase in self.phases:
            for row in (phase.trials == trial).nonzero()[:, 0].tolist():
                reports.append(phase.report(row))
        return reports

    def nets(self, hidden: int | None = None) -> CascadeNets:
        """The nets, R of them.

        Args:
            hidden: as they were at the end of the output phase with so many hidden units, or at
                the end of the trial where it had not as many; None for the end.
        """
        phases = [phase for phase in self.phases if hidden is None or phase.hidden <= hidden]
        outputs = [phase for phase in phases if isinstance(phase, OutputPhase)]
        first, most = outputs[0].weights, outputs[-1].hidden
        trials, width = len(self.reason), first.shape[2] + most
        count = self._count()
        hidden_weights = first.new_zeros(trials, most, width)
        output_weights = first.new_zeros(trials, first.shape[1], width)
        for phase in phases:
            connections = phase.weights.shape[-1]
            if isinstance(phase, OutputPhase):
                output_weights[phase.trials, :, :connections] = phase.weights
                count[phase.trials] = phase.hidden
            elif phase.hidden < most:
                hidden_weights[phase.trials, phase.hidden, :connections] = phase.weights
        names = self.settings.hidden_unit, self.settings.output_unit
        return CascadeNets(hidden_weights, count, output_weights, *names)

    def _count(self) -> Tensor:
        device = self.phases[0].trials.device
        return torch.zeros(len(self.reason), dtype=torch.int64, device=device)

    def _output_phases(self) -> Iterator[OutputPhase]:
        return (phase for phase in self.phases if isinstance(phase, OutputPhase))

    def _candidate_phases(self) -> Iterator[CandidatePhase]:
        return (phase for phase in self.phases if isinstance(phase, CandidatePhase))
