"""Optimal Brain Surgeon (Hassibi & Stork 1992).

Of all changes dw that bring weight q to zero, the one that raises a quadratic error least is

    dw  = - w_q / [H^-1]_qq  H^-1 e_q                (eq. 5)
    L_q =   w_q^2 / (2 [H^-1]_qq)                    (eq. 5, the rise itself)

with H = 1/P sum X a X^T + alpha I, X the gradients of the outputs and a the second derivative of
the error function with respect to them, 1 for the squared error. The weight of least L_q
goes, every other weight moves with it, and H is computed anew for the next deletion.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.curvature.downdate import ShrinkingInverse
from oldschool.curvature.gauss_newton import output_gradients
from oldschool.curvature.inverse import damped_inverse
from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Choice, least


def saliency(theta: Tensor, inverse: Tensor) -> Tensor:
    """L_q = w_q^2 / (2 [H^-1]_qq): (R, n) from weights (R, n) and H^-1 (R, n, n)."""
    return theta * theta / (2 * inverse.diagonal(dim1=1, dim2=2))


def surgery(theta: Tensor, inverse: Tensor, weight: Tensor) -> Tensor:
    """dw = -w_q / [H^-1]_qq H^-1 e_q: (R, n) for the weight q (R,) of each net."""
    rows = torch.arange(len(theta))
    column = inverse[rows, :, weight]
    scale = theta[rows, weight] / column[rows, weight]
    return -scale[:, None] * column


def excise(w: Tensor, inverse: ShrinkingInverse, barred: Tensor) -> tuple[int, float] | None:
    """Delete the weight of least L_q of one net while H stands, and move the others.

    Args:
        w: weights (n,), float64; changed in place.
        inverse: H^-1 of those left; downdated.
        barred: added to L_q, (n,): 0, or infinite where a weight may not go or is gone; changed.

    Returns:
        The weight's place and L_q; None, with nothing changed, where [H^-1]_qq is not positive
        any more.
    """
    q = int((w * w).div_(inverse.diagonal).add_(barred).argmin())
    column = inverse.column(q)
    pivot = float(column[q])
    if not pivot > 0.0:
        return None
    rise = 0.5 * float(w[q]) ** 2 / pivot
    w.add_(column, alpha=-float(w[q]) / pivot)
    w[q] = 0.0
    barred[q] = torch.inf
    inverse.delete(q, column)
    return q, rise


@dataclass(frozen=True)
class OptimalBrainSurgeon:
    """Deletes the weight of least L_q and moves all others to make up for it.

    Attributes:
        alpha: the constant of H^-1_0 = I / alpha, 1e-8 to 1e-4 in the paper; relative to
            H = 1/P sum X X^T, so it has to be scaled with P where the error is summed.
        name: how rows call the method.
        error: the error function whose rise is to be least.
    """

    alpha: float
    name: str = "obs"
    error: Error = SQUARED

    def choose(self, net: Mlp, theta: Tensor, task: Task, kept: Tensor, prunable: Tensor) -> Choice:
        """See :class:`oldschool.pruning.choice.Method`."""
        nets = len(theta)
        rows = torch.arange(nets)[:, None]
        # Deleted weights leave the matrix: as zero rows they would give 0/0 in L_q.
        index = kept.nonzero()[:, 1].view(nets, -1)
        x = output_gradients(net, theta, task.x, self.error).flatten(2)[rows, index]
        inverse = damped_inverse(torch.bmm(x, x.mT) / len(task), self.alpha)
        w = theta.gather(1, index)
        place, predicted = least(saliency(w, inverse), prunable.gather(1, index))
        change = torch.zeros_like(theta).scatter_(1, index, surgery(w, inverse, place))
        return Choice(index[rows[:, 0], place], predicted, change)
