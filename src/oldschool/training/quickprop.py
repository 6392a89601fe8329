"""Quickprop (Fahlman 1988) as the programs of Fahlman & Lebiere (1990) apply it.

Each weight goes its own way. From its slope now, s, its slope before the last step, p, and that
step, d, a parabola is laid through the error; the next step goes to the parabola's minimum,

    d s / (p - s),

but no farther than mu d. While the slope still points the way the weight went, a step of plain
gradient descent is added. With shrink = mu / (1 + mu), the limit mu d is passed just where s
lies beyond shrink p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def quickprop_step(
    slope: float, previous_slope: float, previous_step: float, *, epsilon: float, mu: float
) -> float:
    """The next step of one weight, branch by branch as in the authors' programs.

    Where p = s and the parabola has no minimum, the C program divides by zero and takes an
    infinite step, as here; the Lisp program stops with an error. A weight that starts with
    p = d = 0 never comes there: s then has to lie uphill of a step that was taken uphill.

    Args:
        slope: s, with its weight decay.
        previous_slope: p, s at the step before; 0 at the first.
        previous_step: d; 0 at the first.
        epsilon: rate of gradient descent.
        mu: largest growth of a step.
    """
    s, p, d = slope, previous_slope, previous_step
    shrink = mu / (1.0 + mu)
    step = 0.0
    if d < 0.0:
        if s > 0.0:
            step -= epsilon * s
        if s >= shrink * p:
            step += mu * d
        else:
            step += d * _divide(s, p - s)
    elif d > 0.0:
        if s < 0.0:
            step -= epsilon * s
        if s <= shrink * p:
            step += mu * d
        else:
            step += d * _divide(s, p - s)
    else:
        step -= epsilon * s
    return step


def _divide(dividend: float, divisor: float) -> float:
    """As IEEE arithmetic divides; Python raises for a divisor of zero."""
    return dividend / divisor if divisor else math.copysign(math.inf, dividend)


@dataclass
class Quickprop:
    """Weights under Quickprop, of any shape, on any device.

    Attributes:
        weights: changed in place.
        steps: the last step of each weight; 0 at first.
        slopes: the slope of each weight, decay included, before that step; 0 at first.
    """

    weights: Tensor
    steps: Tensor
    slopes: Tensor

    @classmethod
    def start(cls, weights: Tensor) -> Quickprop:
        """Weights that have not been moved yet; they are not copied."""
        return cls(weights, torch.zeros_like(weights), torch.zeros_like(weights))

    def update(self, slopes: Tensor, *, epsilon: float, mu: float, decay: float = 0.0) -> None:
        """Make one step.

        The branches of :func:`quickprop_step` without a branch. With f the sign of a step d, 0
        where there was none, let z = f max(f s, shrink f p). Then z / (p - z) is mu where the
        step is limited and s / (p - s) elsewhere, and s - f max(f s, 0) is s where the linear
        term counts and 0 elsewhere.

        Args:
            slopes: dE/dw of each weight, without decay; overwritten.
            epsilon: rate of gradient descent.
            mu: largest growth of a step.
            decay: times the weight, is added to its slope.
        """
        s, p, d = slopes, self.slopes, self.steps
        if decay:
            s.add_(self.weights, alpha=decay)
        sign = torch.sign(d)
        t = sign * s
        linear = t.clamp(min=0.0)
        torch.addcmul(s, sign, linear, value=-1.0, out=linear)
        limit = (sign * p).mul_(mu / (1.0 + mu))
        far = torch.maximum(t, limit, out=t).mul_(sign)
        factor = far.div_(p.sub_(far))
        # 0 / 0: no step before, or no slope before it and none against it now.
        factor.nan_to_num_(mu, math.inf, -math.inf)
        d.mul_(factor).sub_(linear, alpha=epsilon)
        self.weights.add_(d)
        p.copy_(s)

    def map(self, change: Callable[[Tensor], Tensor]) -> Quickprop:
        """The same after ``change`` of each of its tensors, such as a choice of rows."""
        return Quickprop(change(self.weights), change(self.steps), change(self.slopes))

    def join(self, new: Quickprop) -> Quickprop:
        """These weights and others, side by side in the last dimension."""
        return Quickprop(
            torch.cat([self.weights, new.weights], -1),
            torch.cat([self.steps, new.steps], -1),
            torch.cat([self.slopes, new.slopes], -1),
        )
