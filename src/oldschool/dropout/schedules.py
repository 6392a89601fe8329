"""Learning rate and momentum as functions of the updates made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """A value that changes as training goes on."""

    def at(self, step: int) -> float:
        """The value for the update after ``step`` others."""
        ...


@dataclass(frozen=True)
class Constant:
    """Always the same."""

    value: float

    def at(self, step: int) -> float:
        """See :class:`Schedule`."""
        return self.value


@dataclass(frozen=True)
class InverseDecay:
    """start / (1 + t / tau)."""

    start: float
    tau: float

    def at(self, step: int) -> float:
        """See :class:`Schedule`."""
        return self.start / (1.0 + step / self.tau)


@dataclass(frozen=True)
class Halving:
    """start 2^(-t / every), or, in steps, start 2^(-floor(t / every)).

    Attributes:
        start: the first value.
        every: updates in which it halves.
        in_steps: halve at once after every so many updates.
    """

    start: float
    every: int
    in_steps: bool = False

    def at(self, step: int) -> float:
        """See :class:`Schedule`."""
        times = step // self.every if self.in_steps else step / self.every
        return self.start * 2.0**-times


@dataclass(frozen=True)
class Saturating:
    """end - (end - start) exp(-t / tau)."""

    start: float
    end: float
    tau: float

    def at(self, step: int) -> float:
        """See :class:`Schedule`."""
        return self.end - (self.end - self.start) * math.exp(-step / self.tau)


@dataclass(frozen=True)
class LinearRamp:
    """From start to end in a line over so many updates, then constant."""

    start: float
    end: float
    steps: int

    def at(self, step: int) -> float:
        """See :class:`Schedule`."""
        share = min(step / self.steps, 1.0)
        return (1.0 - share) * self.start + share * self.end
