"""R multilayer perceptrons with all shortcut connections, as one batch.

Every layer sees the bias, the inputs and all layers below it, not only the nearest one. Units
are symmetric sigmoids, 1 / (1 + e^-a) - 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from oldschool.data.task import Task


@dataclass(frozen=True)
class ShortcutNet:
    """The architecture.

    Attributes:
        sizes: units per layer from inputs to outputs, such as (2, 5, 5, 5, 1).
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"a net needs two or more layers of one or more units: {self.sizes}")

    @cached_property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(units, connections of each) of every layer but the inputs; the bias counts."""
        return tuple(
            (units, 1 + sum(self.sizes[:depth]))
            for depth, units in enumerate(self.sizes)
            if depth > 0
        )

    @cached_property
    def weights(self) -> int:
        """N, the number of weights, biases counted."""
        return sum(units * connections for units, connections in self.layers)

    def uniform(
        self,
        generators: Sequence[torch.Generator],
        bound: float,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:
        """Starting weights U(-bound, bound), one generator a net: (R, N)."""
        draws = [torch.rand(self.weights, generator=one, dtype=dtype) for one in generators]
        return (2 * torch.stack(draws) - 1) * bound

    def matrices(self, theta: Tensor) -> list[Tensor]:
        """Views of theta (R, N): a layer's weights (R, units, connections), the bias first."""
        parts = torch.split(theta, [units * fan for units, fan in self.layers], dim=1)
        return [
            part.view(len(theta), units, fan)
            for part, (units, fan) in zip(parts, self.layers, strict=True)
        ]

    def values(self, theta: Tensor, x: Tensor) -> Tensor:
        """Bias, inputs and all units, outputs last: (R, 1 + sum of sizes, P).

        Args:
            theta: weights (R, N).
            x: inputs (P, inputs).
        """
        values = theta.new_ones(len(theta), 1 + sum(self.sizes), len(x))
        place = 1 + self.sizes[0]
        values[:, 1:place] = x.T
        for w in self.matrices(theta):
            units = w.shape[1]
            sums = torch.bmm(w, values[:, :place])
            torch.sub(sums.sigmoid_(), 0.5, out=values[:, place : place + units])
            place += units
        return values

    def outputs(self, theta: Tensor, x: Tensor) -> Tensor:
        """Outputs (R, K, P), -1/2 to 1/2, for weights (R, N) and inputs (P, inputs)."""
        return self.values(theta, x)[:, -self.sizes[-1] :]

    def errors_and_gradient(
        self, theta: Tensor, task: Task, slope_offset: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """o - t, and the gradient of E = 1/2 sum (o - t)^2 over outputs and cases.

        Args:
            theta: weights (R, N).
            task: x (P, inputs), t (P, K).
            slope_offset: added to the derivative of all units, which then is no gradient any
                more (Fahlman 1988).

        Returns:
            (R, K, P) and (R, N).
        """
        values = self.values(theta, task.x)
        errors = values[:, -self.sizes[-1] :] - task.t.T
        slopes = torch.addcmul(values.new_tensor(0.25 + slope_offset), values, values, value=-1.0)
        pull = torch.zeros_like(values)  # dE/dv of every unit
        pull[:, -self.sizes[-1] :] = errors
        gradient = torch.empty_like(theta)
        place = values.shape[1]
        for w, into in zip(
            reversed(self.matrices(theta)), reversed(self.matrices(gradient)), strict=True
        ):
            units = w.shape[1]
            place -= units
            delta = pull[:, place : place + units] * slopes[:, place : place + units]
            torch.bmm(delta, values[:, :place].mT, out=into)
            if place > 1 + self.sizes[0]:  # below there are no units
                pull[:, :place].baddbmm_(w.mT, delta)
        return errors, gradient
