"""Training on the whole set, epoch by epoch, until every output is right; and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.shortcut import ShortcutNet
from oldschool.training.quickprop import Quickprop


class Moving(Protocol):
    """Weights on their way."""

    @property
    def weights(self) -> Tensor:
        """(A, N), changed in place by ``update``."""
        ...

    def update(self, slopes: Tensor) -> None:
        """One step against the slopes (A, N), which may be overwritten."""
        ...

    def keep(self, going: Tensor) -> Moving:
        """Those of the nets ``going`` (A,) bool."""
        ...


@dataclass
class Momentum:
    """Back-propagation with momentum: dw(t) = momentum dw(t - 1) - rate dE/dw."""

    weights: Tensor
    step: Tensor
    rate: float
    momentum: float

    def update(self, slopes: Tensor) -> None:
        """See :class:`Moving`."""
        self.step.mul_(self.momentum).sub_(slopes, alpha=self.rate)
        self.weights += self.step

    def keep(self, going: Tensor) -> Momentum:
        """See :class:`Moving`."""
        return Momentum(self.weights[going], self.step[going], self.rate, self.momentum)


@dataclass
class QuickpropRule:
    """Quickprop with its constants, see :class:`oldschool.training.quickprop.Quickprop`."""

    state: Quickprop
    epsilon: float
    mu: float
    decay: float

    @property
    def weights(self) -> Tensor:
        return self.state.weights

    def update(self, slopes: Tensor) -> None:
        """See :class:`Moving`."""
        self.state.update(slopes, epsilon=self.epsilon, mu=self.mu, decay=self.decay)

    def keep(self, going: Tensor) -> QuickpropRule:
        """See :class:`Moving`."""
        kept = self.state.map(lambda tensor: tensor[going])
        return QuickpropRule(kept, self.epsilon, self.mu, self.decay)


@dataclass(frozen=True)
class Learned:
    """How R nets fared.

    Attributes:
        epochs: forward and backward passes made, (R,) int64; the pass that finds all outputs
            right makes no backward one and is not counted.
        learned: (R,) bool.
        error_bits: wrong outputs at the end, (R,) int64.
        diverged: (R,) bool, an output is no number.
        weights: at the end, (R, N).
    """

    epochs: Tensor
    learned: Tensor
    error_bits: Tensor
    diverged: Tensor
    weights: Tensor


def train_until_right(
    net: ShortcutNet,
    task: Task,
    moving: Moving,
    *,
    threshold: float,
    epochs: int,
    slope_offset: float = 0.0,
    watch: Callable[[int, Tensor, Tensor], None] | None = None,
) -> Learned:
    """Epochs until no output is ``threshold`` or farther from its target, net by net.

    Args:
        net: the architecture.
        task: shared by the nets.
        moving: R nets at their start, and the rule.
        threshold: an output this far from its target is wrong.
        epochs: limit.
        slope_offset: see :meth:`ShortcutNet.errors_and_gradient`.
        watch: (epochs made, ids (A,), error bits (A,)), called in every epoch.
    """
    nets = len(moving.weights)
    ids = torch.arange(nets)
    taken, bits = torch.full((nets,), epochs), torch.zeros(nets, dtype=torch.int64)
    learned, diverged = (torch.zeros(nets, dtype=torch.bool) for _ in range(2))
    final = moving.weights.clone()
    for epoch in range(epochs + 1):
        errors, slopes = net.errors_and_gradient(moving.weights, task, slope_offset)
        wrong = ~(errors.abs() < threshold)  # what is not a number is wrong, too
        count = wrong.sum((1, 2))
        if watch is not None:
            watch(epoch, ids, count)
        right, lost = count == 0, ~errors.isfinite().all(2).all(1)
        done = right | lost if epoch < epochs else torch.ones_like(right)
        if done.any():
            gone = ids[done]
            taken[gone], bits[gone] = epoch, count[done]
            learned[gone], diverged[gone] = right[done], lost[done]
            final[gone] = moving.weights[done]
            if done.all():
                break
            ids, moving, slopes = ids[~done], moving.keep(~done), slopes[~done]
        moving.update(slopes)
    return Learned(taken, learned, bits, diverged, final)
