"""What candidate units maximise: how well a unit's value V goes with the residual errors E.

The score of a unit is the sum over the outputs o of the magnitude of

    cov_o = sum_p (V_p - mean V) (E_po - mean E_o) / sum_po E_po^2,

the covariance of Fahlman & Lebiere (1990, eq. 1) in the scale of their programs, or of the
correlation coefficient, cov_o normalised by the spread of V and of E_o, which they had tried
first and found to work less well.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor


class Score(Protocol):
    """A candidate's score, on c pools of C units at P cases, for O outputs.

    Units are given by raw values r (c, C, P), of which V is a linear map, see
    :class:`oldschool.growing.units.CascadeUnit`.
    """

    def targets(self, errors: Tensor, scale: float) -> Tensor:
        """What the values are compared with: (c, O, P), from errors (c, O, P) and dV/dr."""
        ...

    def signed(self, values: Tensor, targets: Tensor, out: Tensor) -> None:
        """The score at each output with its sign, in ``out`` (c, C, O)."""
        ...

    def look(self, values: Tensor, targets: Tensor, senses: Tensor, out: Tensor) -> Tensor:
        """As ``signed``, and tells where to push the values for the score to rise.

        Args:
            values: r, (c, C, P).
            targets: (c, O, P).
            senses: (c, C, O) of 1 and -1, the signs by which the outputs count. Of one output
                the sign is left out, for the caller to put in where tensors are small.
            out: the signed scores, (c, C, O); overwritten.

        Returns:
            d score / dr, (c, C, P) or, where it is the same for a whole pool, (c, 1, P).
        """
        ...


def _centred(errors: Tensor) -> Tensor:
    return errors - errors.mean(2, keepdim=True)


class _Covariance:
    def targets(self, errors: Tensor, scale: float) -> Tensor:
        squares = (errors * errors).sum((1, 2), keepdim=True)
        return _centred(errors).mul_(scale / squares)

    def signed(self, values: Tensor, targets: Tensor, out: Tensor) -> None:
        torch.bmm(values, targets.mT, out=out)  # targets have mean 0: so need not values

    def look(self, values: Tensor, targets: Tensor, senses: Tensor, out: Tensor) -> Tensor:
        self.signed(values, targets, out)
        return targets if senses.shape[2] == 1 else torch.bmm(senses, targets)


class _Correlation:
    def targets(self, errors: Tensor, scale: float) -> Tensor:
        centred = _centred(errors)
        return centred.div_(_length(centred))

    def signed(self, values: Tensor, targets: Tensor, out: Tensor) -> None:
        unit = _centred(values)
        torch.bmm(unit.div_(_length(unit)), targets.mT, out=out)

    def look(self, values: Tensor, targets: Tensor, senses: Tensor, out: Tensor) -> Tensor:
        unit = _centred(values)
        length = _length(unit)
        torch.bmm(unit.div_(length), targets.mT, out=out)
        if senses.shape[2] == 1:
            return torch.addcmul(targets, unit, out, value=-1.0).div_(length)
        total = (senses * out).sum(2, keepdim=True)
        return torch.bmm(senses, targets).addcmul_(unit, total, value=-1.0).div_(length)


def _length(centred: Tensor) -> Tensor:
    """Euclidean length over the cases, and at least what rounding makes of a constant."""
    floor = torch.finfo(centred.dtype).eps * math.sqrt(centred.shape[2])
    length: Tensor = torch.linalg.vector_norm(centred, dim=2, keepdim=True)
    return length.clamp_min_(floor)


_SCORES: dict[str, Score] = {"covariance": _Covariance(), "correlation": _Correlation()}


def score_named(name: str) -> Score:
    """The score called ``name``.

    Raises:
        ValueError: there is none.
    """
    try:
        return _SCORES[name]
    except KeyError:
        raise ValueError(f"no score {name!r}; there are {', '.join(_SCORES)}") from None
