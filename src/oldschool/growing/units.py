"""The unit functions of a cascade, plainly and as the hot loop of the candidates wants them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

SUM_LIMIT = 15.0  # the sigmoid of a greater sum is taken to be at its end, with slope 0
_FAR = 1e4  # times SUM_LIMIT, a sum whose sigmoid rounds to 0 or 1 in every precision


class Training(Protocol):
    """A unit function v(a) on the tensors of a pool, without allocating any.

    What it calls raw values r are v up to a linear map, v = scale r + constant: a covariance does
    not see the constant, and factors are put in where tensors are small.

    Attributes:
        scale: dv/dr.
        gain: a factor of dr/da, see ``pull``.
    """

    scale: float
    gain: float

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        """r of the sums, in the memory of ``sums`` or of ``spare``, of the same shape."""
        ...

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> Tensor:
        """``direction`` times dr/da / gain, in ``out``.

        Args:
            direction: broadcasts to the shape of the others.
            values: what ``raw_values`` returned.
            sums: what ``raw_values`` was given, as it left it.
            out: overwritten.
        """
        ...


class _TrainingSigmoid:
    """r = 1 / (1 + e^-ka), whose slope is k r (1 - r)."""

    def __init__(self, scale: float, steepness: float, limit: float | None) -> None:
        self.scale, self.gain, self._limit = scale, steepness, limit

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        if self.gain != 1.0:
            sums.mul_(self.gain)
        if self._limit is not None:
            torch.hardshrink(sums, self._limit, out=spare)
            sums.add_(spare, alpha=_FAR)
        return sums.sigmoid_()

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> Tensor:
        fused = torch.ops.aten.sigmoid_backward.grad_input
        fused(direction, values, grad_input=out)
        return out


class _TrainingGaussian:
    """r = exp(-a^2 / 2), whose slope is -a r."""

    scale, gain = 1.0, -1.0

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        return torch.mul(sums, sums, out=spare).mul_(-0.5).exp_()

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> Tensor:
        return torch.mul(sums, values, out=out).mul_(direction)


@dataclass(frozen=True)
class CascadeUnit:
    """A unit function v(a) of the sum a of weighted inputs.

    Attributes:
        name: how settings call it.
        value: a -> v.
        slope: (v, offset) -> v' + offset, a new tensor, for output units; a Gaussian has none.
        bound: outputs lie between plus and minus this.
        training: the form for pools of candidates; linear units have none.
    """

    name: str
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, float], Tensor] | None
    bound: float
    training: Training | None


def _sigmoid(sums: Tensor) -> Tensor:
    """1 / (1 + e^-a) - 1/2, and its end where |a| is beyond the limit."""
    return torch.where(sums.abs() > SUM_LIMIT, 0.5 * sums.sign(), torch.sigmoid(sums) - 0.5)


_UNITS = {
    unit.name: unit
    for unit in (
        CascadeUnit(
            "sigmoid",
            _sigmoid,
            lambda v, offset: (0.25 + offset) - v * v,
            0.5,
            _TrainingSigmoid(1.0, 1.0, SUM_LIMIT),
        ),
        CascadeUnit(
            "tanh",
            torch.tanh,
            lambda v, offset: (1.0 + offset) - v * v,
            1.0,
            _TrainingSigmoid(2.0, 2.0, None),
        ),
        CascadeUnit("gaussian", lambda a: torch.exp(-0.5 * a * a), None, 1.0, _TrainingGaussian()),
        CascadeUnit("linear", lambda a: a, lambda v, offset: torch.ones_like(v), math.inf, None),
    )
}


def unit_named(name: str) -> CascadeUnit:
    """The unit function called ``name``.

    Raises:
        ValueError: there is none.
    """
    try:
        return _UNITS[name]
    except KeyError:
        raise ValueError(f"no unit function {name!r}; there are {', '.join(_UNITS)}") from None
