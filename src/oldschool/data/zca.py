"""Whitening that stays as near to the images as whitening can (ZCA; Bell & Sejnowski 1997).

Data are centred, turned onto their principal components, each component is divided by its standard
deviation, and all is turned back: W = E diag((lambda + floor)^(-1/2)) E^T of the covariance
C = E diag(lambda) E^T. Without a floor W C W = 1. With one the components that hardly vary, which
are noise, are not blown up: a component's variance becomes lambda / (lambda + floor).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_CASES = 5000  # at a time, in double precision


@dataclass(frozen=True)
class Zca:
    """A whitening.

    Attributes:
        mean: of the cases it was made from, (n,), float64.
        matrix: W, (n, n), symmetric, float64.
    """

    mean: Tensor
    matrix: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Cases (P, n) whitened, in single precision."""
        return torch.cat(
            [((some.double() - self.mean) @ self.matrix).float() for some in torch.split(x, _CASES)]
        )


def zca(x: Tensor, floor: float) -> Zca:
    """The whitening of cases.

    Args:
        x: cases (P, n), of any dtype and on any device.
        floor: added to every component's variance, as a share of their mean.

    Raises:
        ValueError: the floor is below 0, or it is 0 and a component does not vary.
    """
    mean = torch.stack([some.double().sum(0) for some in torch.split(x, _CASES)]).sum(0) / len(x)
    covariance = mean.new_zeros(x.shape[1], x.shape[1])
    for some in torch.split(x, _CASES):
        off = some.double() - mean
        covariance.addmm_(off.mT, off, alpha=1 / len(x))
    variances, axes = torch.linalg.eigh(covariance)
    raised = variances.clamp_min(0) + floor * variances.mean()
    if floor < 0 or not float(raised.min()) > torch.finfo(raised.dtype).eps * float(raised.max()):
        raise ValueError(f"a floor of {floor} leaves components that do not vary")
    return Zca(mean, axes * raised.rsqrt() @ axes.mT)
