"""Cascade-Correlation (Fahlman & Lebiere 1990), one trial, to be read.

What :mod:`oldschool.growing.batched` does for many trials at once is spelt out here as the
authors' programs do it: one candidate after the other, one weight after the other. With the same
generator both draw the same weights and grow the same net, until rounding parts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from oldschool.data.task import Task
from oldschool.growing.outcome import (
    LEARNED,
    NOT_FINITE,
    UNIT_LIMIT,
    CandidatePhase,
    Grown,
    OutputPhase,
    Phase,
)
from oldschool.growing.settings import CascadeSettings, PhaseSettings
from oldschool.growing.start import check_task, draw_weights
from oldschool.training.quickprop import quickprop_step

Array = NDArray[np.float64]
# (kind of phase, hidden units, epoch from 1, squared error or best score)
Watch = Callable[[str, int, int, float], None]


def grow_reference(
    task: Task,
    settings: CascadeSettings,
    generator: torch.Generator,
    watch: Watch | None = None,
) -> Grown:
    """Grow one net in float64.

    Args:
        task: the training set, x (P, inputs).
        settings: of the trial.
        generator: draws all weights, see :mod:`oldschool.growing.start`.
        watch: called in every epoch.

    Returns:
        The trial, R = 1.

    Raises:
        ValueError: the task does not fit the settings.
    """
    check_task(task, 1, settings)
    trial = _Trial(task, settings, generator, watch or (lambda *_: None))
    with np.errstate(over="ignore", invalid="ignore"):  # told as an error that is not finite
        reason = trial.grow()
    return Grown(settings, len(task), trial.phases, [reason])


def activation(kind: str, total: Array) -> Array:
    """A unit's value at each case, from the sums of its weighted inputs."""
    if kind == "sigmoid":
        inside = 1.0 / (1.0 + np.exp(-np.clip(total, -15.0, 15.0))) - 0.5
        return np.where(total < -15.0, -0.5, np.where(total > 15.0, 0.5, inside))
    if kind == "gaussian":
        exponent = -0.5 * total * total
        return np.where(exponent < -75.0, 0.0, np.exp(exponent))
    if kind == "tanh":
        return np.tanh(total)
    return total


def activation_prime(kind: str, value: Array, total: Array) -> Array:
    """Its derivative with respect to the sum."""
    if kind == "sigmoid":
        return 0.25 - value * value
    if kind == "gaussian":
        return -value * total
    if kind == "tanh":
        return 1.0 - value * value
    return np.ones_like(value)


class _Weights:
    """The weights into one unit, each with its last step and its slope before that step."""

    def __init__(self, weights: Array) -> None:
        self.w = weights
        self.step = np.zeros_like(weights)
        self.slope = np.zeros_like(weights)

    def update(self, slope: Array, epsilon: float, settings: PhaseSettings) -> None:
        """One Quickprop step, weight by weight; the decay is part of a slope."""
        for i in range(len(self.w)):
            s = slope[i] + settings.decay * self.w[i]
            self.step[i] = quickprop_step(
                s, self.slope[i], self.step[i], epsilon=epsilon, mu=settings.mu
            )
            self.w[i] += self.step[i]
            self.slope[i] = s

    def append(self, weight: float) -> None:
        """A new connection; the others keep their steps and slopes."""
        self.w = np.append(self.w, weight)
        self.step = np.append(self.step, 0.0)
        self.slope = np.append(self.slope, 0.0)


class _Trial:
    """A growing net and the values of its units at all cases."""

    def __init__(
        self, task: Task, settings: CascadeSettings, generator: torch.Generator, watch: Watch
    ) -> None:
        self.settings, self.generator, self.watch = settings, generator, watch
        x = task.x.double().numpy()
        self.targets: Array = task.t.double().numpy().T  # (outputs, cases)
        self.cases = len(x)
        # One row a unit: the bias, the inputs, then each hidden unit as it is installed.
        self.values: Array = np.vstack([np.ones(self.cases), x.T])
        self.inputs: int = x.shape[1]
        self.outputs = [_Weights(w) for w in self.draw(len(self.targets))]
        self.errors: Array = np.zeros_like(self.targets)
        self.squared_error = math.inf
        self.phases: list[Phase] = []

    @property
    def units(self) -> int:
        """Bias, inputs and hidden units: connections into a unit that sees all."""
        return len(self.values)

    @property
    def hidden(self) -> int:
        return self.units - 1 - self.inputs

    def draw(self, units: int) -> Array:
        drawn = draw_weights([self.generator], units, self.units, self.settings.weight_range)
        return drawn[0].numpy()

    def grow(self) -> str:
        """Output and candidate phases in turn; returns why they ended."""
        while True:
            if self.train_outputs():
                return LEARNED
            if not math.isfinite(self.squared_error):
                return NOT_FINITE
            if self.hidden == self.settings.max_hidden:
                return UNIT_LIMIT
            self.train_candidates()

    # The output phase

    def train_outputs(self) -> bool:
        """Train the weights to the outputs; True when no output is wrong any more."""
        phase = self.settings.output
        quit_epoch = phase.patience
        last = 0.0
        epochs = 0  # with an update
        learned = False
        for epoch in range(1, phase.epochs + 1):
            differences, slopes = self.output_pass()
            self.watch("output", self.hidden, epoch, self.squared_error)
            error_bits = int((~(np.abs(differences) < self.settings.threshold)).sum())
            if error_bits == 0:
                learned = True
                break
            for output, slope in zip(self.outputs, slopes, strict=True):
                output.update(slope, phase.epsilon / self.cases, phase)
            epochs += 1
            if phase.patience == 0:
                continue
            if epoch == 1:
                last = self.squared_error
            elif abs(self.squared_error - last) > last * phase.change:
                last = self.squared_error
                quit_epoch = epochs + phase.patience
            elif epochs >= quit_epoch:
                break
        self.phases.append(
            OutputPhase(
                self.hidden,
                torch.tensor([0]),
                torch.tensor([epochs]),
                torch.tensor([learned]),
                torch.tensor([error_bits]),
                torch.tensor([self.squared_error], dtype=torch.float64),
                torch.tensor(np.array([[output.w for output in self.outputs]])),
            )
        )
        return learned

    def output_pass(self) -> tuple[Array, Array]:
        """All cases through the outputs: their differences from the targets, and the slopes."""
        kind, offset = self.settings.output_unit, self.settings.slope_offset
        if kind == "linear":
            offset = 0.0  # its derivative does not vanish
        differences = np.empty_like(self.targets)
        slopes = np.empty((len(self.outputs), self.units))
        for o, output in enumerate(self.outputs):
            total = output.w @ self.values
            value = activation(kind, total)
            differences[o] = value - self.targets[o]
            self.errors[o] = differences[o] * (activation_prime(kind, value, total) + offset)
            slopes[o] = self.values @ self.errors[o]
        self.squared_error = float((differences**2).sum())
        return differences, slopes

    # The candidate phase

    def train_candidates(self) -> None:
        """Train a pool on the errors the outputs were left with, and install its best unit."""
        phase = self.settings.candidate
        epsilon = phase.epsilon / (self.cases * self.units)
        pool = [_Weights(w) for w in self.draw(self.settings.pool)]
        # A first epoch for the scores alone: their signs say which way to train.
        scores = [self.score(candidate)[0] for candidate in pool]
        best, best_score = best_of(scores)
        self.watch("candidate", self.hidden, 1, best_score)
        quit_epoch: float = math.inf  # until the best score has changed for the first time
        last = 0.0
        for epoch in range(1, phase.epochs + 1):
            for c, candidate in enumerate(pool):
                senses = np.where(scores[c] < 0.0, -1.0, 1.0)  # of the epoch before
                scores[c], rise = self.score(candidate, senses)
                candidate.update(-rise, epsilon, phase)
            best, best_score = best_of(scores)
            self.watch("candidate", self.hidden, epoch + 1, best_score)
            if phase.patience == 0:
                continue
            if epoch == 1:
                last = best_score
            elif abs(best_score - last) > last * phase.change:
                last = best_score
                quit_epoch = epoch + phase.patience
            elif epoch >= quit_epoch:
                break
        self.phases.append(
            CandidatePhase(
                self.hidden,
                torch.tensor([0]),
                torch.tensor([epoch + 1]),
                torch.tensor([np.abs(scores[best]).sum()]),
                torch.tensor(pool[best].w[None]),
            )
        )
        self.install(pool[best].w, scores[best])

    def score(self, candidate: _Weights, senses: Array | None = None) -> tuple[Array, Array]:
        """A candidate's score at each output, with its sign, and how it rises with the weights.

        The rise is that of the sum over the outputs of the score times its sense.
        """
        kind = self.settings.hidden_unit
        total = candidate.w @ self.values
        value = activation(kind, total)
        prime = activation_prime(kind, value, total)
        errors = self.errors - self.errors.mean(axis=1, keepdims=True)
        if self.settings.score == "covariance":
            scaled = errors / (self.errors**2).sum()
            scores = scaled @ value
            by_value = scaled
        else:
            spread = value - value.mean()
            # At least what rounding makes of a unit or an error that is the same at all cases.
            floor = np.finfo(np.float64).eps * math.sqrt(self.cases)
            length = max(float(np.linalg.norm(spread)), floor)
            scaled = errors / np.maximum(np.linalg.norm(errors, axis=1, keepdims=True), floor)
            scores = scaled @ spread / length
            by_value = (scaled - scores[:, None] * spread / length) / length
        if senses is None:
            senses = np.zeros_like(scores)
        return scores, self.values @ (prime * (senses @ by_value))

    def install(self, weights: Array, scores: Array) -> None:
        """Make a candidate a hidden unit, whose weights are frozen."""
        value = activation(self.settings.hidden_unit, weights @ self.values)
        self.values = np.vstack([self.values, value])
        for output, score in zip(self.outputs, scores, strict=True):
            output.append(-self.settings.weight_multiplier * score)


def best_of(scores: list[Array]) -> tuple[int, float]:
    """The candidate whose scores add up to most, and that sum; one that is no number loses."""
    best, best_score = 0, 0.0
    for c, score in enumerate(scores):
        total = float(np.abs(score).sum())
        if total > best_score:
            best, best_score = c, total
    return best, best_score
