"""Trials that train in step and leave a phase one by one.

A phase works on tensors with the trials first. Of a trial that has ended, all that is kept is
taken at once; its rows are trained on, to no effect, until so many have ended that it pays to
close the gaps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from oldschool.growing.settings import PhaseSettings

# moves rows of a tensor (A, ...) in place and returns a view of the first ones
Move = Callable[[Tensor], Tensor]
# (epoch, trials (A,), error or best score (A,)): told of the trials that still train
Watch = Callable[[int, Tensor, Tensor], None]

_CLOSE_AT = 16  # gaps are closed when one in so many of the rows is of an ended trial
_CHUNK_BYTES = 1 << 21  # what is worked on together stays in a core's own cache


def chunk_rows(values: Tensor, tensors: int) -> int:
    """How many trials to put through a chain of operations at a time.

    Args:
        values: (A, n, P), a tensor of the phase.
        tensors: how many rows of P numbers the chain touches for one trial.
    """
    if values.is_cuda:
        return len(values)
    wanted = _CHUNK_BYTES // (tensors * values.shape[2] * values.element_size())
    return min(len(values), max(1, wanted))


class Roster:
    """The trials of a phase and the rows they have.

    Attributes:
        trials: which trial each row is of, (A,) int64.
        running: how many trials still train.
    """

    def __init__(self, trials: int, device: torch.device) -> None:
        self.trials = torch.arange(trials, device=device)
        self.running = trials
        self._runs = torch.ones(trials, dtype=torch.bool, device=device)

    def end(self, which: Tensor) -> Tensor | None:
        """Let the trials of the rows ``which`` (A,) bool end.

        Returns:
            The rows of those that had not ended yet; None where there are none.
        """
        if not which.any():
            return None
        rows = (which & self._runs).nonzero()[:, 0]
        self._runs[rows] = False
        self.running -= len(rows)
        return rows if len(rows) else None

    def tell(self, watch: Watch, epoch: int, values: Tensor) -> None:
        """Tell ``watch`` the values (A,) of the trials that still train."""
        watch(epoch, self.trials[self._runs], values[self._runs])

    def close_gaps(self) -> Move | None:
        """Give the running trials the first rows, where it is time for it; else None.

        Returns:
            What does the same to any other tensor of the phase.
        """
        gone = len(self.trials) - self.running
        if gone * _CLOSE_AT < len(self.trials) or not gone:
            return None
        count = self.running
        gaps = (~self._runs[:count]).nonzero()[:, 0]
        movers = self._runs[count:].nonzero()[:, 0] + count

        def move(tensor: Tensor) -> Tensor:
            tensor.index_copy_(0, gaps, tensor.index_select(0, movers))
            return tensor[:count]

        self.trials, self._runs = move(self.trials), move(self._runs)
        return move


class Patience:
    """Ends a phase in which nothing has changed for some epochs.

    A value counts as changed when it differs from what it was at its last change by more than a
    share of that. In the first epoch it is only noted.
    """

    def __init__(self, settings: PhaseSettings, like: Tensor, *, at_once: bool) -> None:
        """Watch one value a trial.

        Args:
            settings: the patience and the share.
            like: (A, ...), a tensor of the phase, of the dtype of the values.
            at_once: whether patience runs from the start of the phase, as in output phases, or
                from the first change, as in candidate phases.
        """
        self._patience, self._change = settings.patience, settings.change
        first = settings.patience if at_once else settings.epochs + 1
        self._last = like.new_empty(len(like))
        self._quit = torch.full((len(like),), first, device=like.device)

    def lost(self, values: Tensor, epoch: int) -> Tensor:
        """(A,) bool: with which values (A,) a phase is to end after this epoch, counted from 1."""
        if epoch == 1:
            self._last.copy_(values)
            return torch.zeros_like(values, dtype=torch.bool)
        changed = (values - self._last).abs_() > self._last * self._change
        self._last = torch.where(changed, values, self._last)
        self._quit.masked_fill_(changed, epoch + self._patience)
        if self._patience == 0:
            return torch.zeros_like(changed)
        return self._quit <= epoch

    def move(self, move: Move) -> None:
        """Follow the trials to their new rows."""
        self._last, self._quit = move(self._last), move(self._quit)
