"""The unit functions of a cascade, plainly and as the hot loops want them."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

SUM_LIMIT = 15.0  # the sigmoid of a greater sum is taken to be at its end, with slope 0
EXPONENT_LIMIT = 75.0  # the Gaussian of a greater square is taken to be 0
# Where exp is exactly 0 or infinite, and as fast as elsewhere: nearer by it meets denormals.
_FAR = 1e30


class CascadeUnit(Protocol):
    """A unit function v(a) of the sum a of weighted inputs.

    In the hot loops it is given by raw values r, of which v is a linear map: a covariance does
    not see the constant, and factors are put in where tensors are small.

    Attributes:
        name: how settings call it.
        bound: values lie between plus and minus this.
        flat: whether v' vanishes anywhere, so that outputs need an offset to it.
        scale: v = scale r + constant.
        constant: see ``scale``.
        gain: a factor of dr/da, see ``pull``.
    """

    name: str
    bound: float
    flat: bool
    scale: float
    constant: float
    gain: float

    def value(self, sums: Tensor) -> Tensor:
        """v of the sums, plainly; autograd goes through it."""
        ...

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        """r of the sums, in ``sums`` or in ``spare`` of the same shape: that very tensor."""
        ...

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> None:
        """``direction`` times dr/da / gain, in ``out``.

        Args:
            direction: broadcasts to the shape of the others.
            values: what ``raw_values`` returned.
            sums: what ``raw_values`` was given, as it left it.
            out: overwritten; whichever of ``sums`` and ``spare`` is not ``values`` will do.
        """
        ...


class _Logistic:
    """r = 1 / (1 + e^-ka), whose slope is k r (1 - r)."""

    flat = True

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> None:
        torch.ops.aten.sigmoid_backward.grad_input(direction, values, grad_input=out)


class _Sigmoid(_Logistic):
    """1 / (1 + e^-a) - 1/2, and its end where |a| is beyond the limit."""

    name, bound, scale, constant, gain = "sigmoid", 0.5, 1.0, -0.5, 1.0

    def value(self, sums: Tensor) -> Tensor:
        return torch.where(sums.abs() > SUM_LIMIT, 0.5 * sums.sign(), torch.sigmoid(sums) - 0.5)

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        torch.hardshrink(sums, SUM_LIMIT, out=spare)
        return sums.add_(spare, alpha=_FAR).sigmoid_()


class _Tanh(_Logistic):
    """Written as a sigmoid, of which torch makes a faster function."""

    name, bound, scale, constant, gain = "tanh", 1.0, 2.0, -1.0, 2.0

    def value(self, sums: Tensor) -> Tensor:
        return torch.tanh(sums)

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        return sums.mul_(2.0).sigmoid_()


class _Gaussian:
    """exp(-a^2 / 2), and 0 where that is beyond the limit; the slope is -a r."""

    name, bound, flat, scale, constant, gain = "gaussian", 1.0, True, 1.0, 0.0, -1.0

    def value(self, sums: Tensor) -> Tensor:
        exponent = -0.5 * sums * sums
        return torch.where(exponent < -EXPONENT_LIMIT, 0.0, torch.exp(exponent))

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        torch.mul(sums, sums, out=spare).mul_(-0.5)
        return torch.threshold_(spare, -EXPONENT_LIMIT, -_FAR).exp_()

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> None:
        torch.mul(sums, values, out=out).mul_(direction)


class _Linear:
    name, bound, flat, scale, constant, gain = "linear", math.inf, False, 1.0, 0.0, 1.0

    def value(self, sums: Tensor) -> Tensor:
        return sums

    def raw_values(self, sums: Tensor, spare: Tensor) -> Tensor:
        return sums

    def pull(self, direction: Tensor, values: Tensor, sums: Tensor, out: Tensor) -> None:
        out.copy_(direction)


_ALL: tuple[CascadeUnit, ...] = (_Sigmoid(), _Tanh(), _Gaussian(), _Linear())
_UNITS = {unit.name: unit for unit in _ALL}


def unit_named(name: str) -> CascadeUnit:
    """The unit function called ``name``.

    Raises:
        ValueError: there is none.
    """
    try:
        return _UNITS[name]
    except KeyError:
        raise ValueError(f"no unit function {name!r}; there are {', '.join(_UNITS)}") from None
