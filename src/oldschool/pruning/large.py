"""Pruning one large net: many deletions for one computation of the saliencies.

The batch loop of :mod:`oldschool.pruning.loop` computes second derivatives anew for every
deletion, as the paper does. For a net of thousands of weights that is out of reach, so here a
method looks at the net once, deletes many weights on what it saw, and looks again after
``every`` deletions. With ``every=1`` it is the paper's loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor

from oldschool.curvature.blocks import gradient_blocks
from oldschool.curvature.diagonal import backpropagated_diagonal
from oldschool.curvature.downdate import ShrinkingInverse
from oldschool.curvature.inverse import direct_inverse, gram
from oldschool.curvature.product import gauss_newton_product
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.errors import UserError
from oldschool.nets.net import Net
from oldschool.nets.stack import Stack
from oldschool.pruning import obd, obs

# (net, weights (N,), inputs (P, inputs), indices kept (n,)) -> H of these (n, n), which it owns;
# it may be made for one kind of net
Hessian = Callable[[Any, Tensor, Tensor, Tensor], Tensor]


class Deleter(Protocol):
    """Deletes weights of one net on what it saw of it at the start.

    Attributes:
        theta: the weights now, (N,).
        kept: (N,) bool.
        predicted: the rise of the error predicted for all its deletions together; NaN where the
            method makes no prediction.
        deleted: the weights it has deleted, in order.
        drift: the largest relative residual of H^-1 measured so far; NaN without an H^-1.
    """

    theta: Tensor
    kept: Tensor
    predicted: float
    deleted: list[int]
    drift: float

    def delete(self, count: int) -> int:
        """Delete so many weights; returns how many it did before it had to look again."""
        ...


class LargeMethod(Protocol):
    """A pruning method for one large net."""

    @property
    def name(self) -> str:
        """How rows call the method."""
        ...

    def look(self, net: Net, theta: Tensor, task: Task, kept: Tensor) -> Deleter:
        """See the net as it is: weights (N,), zero where not ``kept`` (N,) bool."""
        ...


@dataclass(frozen=True)
class Step:
    """A net on its way.

    Attributes:
        theta: weights, (N,).
        kept: (N,) bool.
        predicted: rise of the error predicted for the deletions since the step before.
        deleted: the weights deleted since the step before, in order.
        looks: how often the method has looked at the net so far.
        drift: the largest residual of H^-1 measured since its last look; NaN without an H^-1.
    """

    theta: Tensor
    kept: Tensor
    predicted: float
    deleted: list[int]
    looks: int
    drift: float


def prune_large(
    net: Net,
    theta: Tensor,
    kept: Tensor,
    task: Task,
    method: LargeMethod,
    counts: Sequence[int],
    every: int | None = None,
) -> Iterator[Step]:
    """Prune one net down to each of ``counts`` weights in turn.

    Args:
        net: the architecture.
        theta: weights (N,), zero where not kept; not changed.
        kept: (N,) bool, which weights there are; not changed.
        task: the training set.
        method: magnitude, OBD or OBS.
        counts: weights left at which a step is wanted, falling.
        every: deletions after which the method looks at the net again; None for never.

    Yields:
        A step for each count.

    Raises:
        ValueError: the counts do not fall, or every is below 1.
    """
    left = int(kept.sum())
    require_falling(counts, left)
    if every is not None and every < 1:
        raise ValueError(f"every must be 1 or more, not {every}")
    deleter, looks, since = method.look(net, theta, task, kept), 1, 0
    for count in counts:
        predicted, deleted = 0.0, []
        while left > count:
            wanted = left - count if every is None else min(left - count, every - since)
            before = deleter.predicted
            done = deleter.delete(wanted)
            predicted += deleter.predicted - before
            deleted += deleter.deleted[len(deleter.deleted) - done :]
            left, since = left - done, since + done
            if done < wanted or (since == every and left > count):
                theta, kept = deleter.theta, deleter.kept
                del deleter  # the next look needs the memory of its H^-1
                deleter, looks, since = method.look(net, theta, task, kept), looks + 1, 0
        yield Step(
            deleter.theta.clone(), deleter.kept.clone(), predicted, deleted, looks, deleter.drift
        )


def require_falling(counts: Sequence[int], left: int) -> None:
    """Raises a ValueError unless the counts fall, from at most ``left`` to at least nought."""
    if list(counts) != sorted(set(counts), reverse=True) or (
        counts and not 0 <= counts[-1] <= counts[0] <= left
    ):
        raise ValueError(f"counts must fall from at most {left}: {list(counts)}")


class _InOrder:
    """Deletes by saliencies that do not change, the least first; other weights do not move."""

    def __init__(self, theta: Tensor, kept: Tensor, saliency: Tensor, rise: Tensor) -> None:
        self.theta, self.kept, self.predicted = theta.clone(), kept.clone(), 0.0
        index = kept.nonzero()[:, 0]
        self._order = index[saliency[index].argsort(stable=True)]
        self._rise = rise
        self.deleted: list[int] = []
        self.drift = math.nan

    def delete(self, count: int) -> int:
        gone = self._order[len(self.deleted) :][:count]
        self.theta[gone] = 0.0
        self.kept[gone] = False
        self.predicted += float(self._rise[gone].sum())
        self.deleted += gone.tolist()
        return len(gone)


@dataclass(frozen=True)
class LargeMagnitude:
    """Deletes the weights of least |w|; predicts nothing."""

    name: str = "magnitude"

    def look(self, net: Net, theta: Tensor, task: Task, kept: Tensor) -> Deleter:
        """See :class:`LargeMethod`."""
        return _InOrder(theta, kept, theta.abs(), torch.full_like(theta, torch.nan))


@dataclass(frozen=True)
class LargeOptimalBrainDamage:
    """Deletes the weights of least saliency h_kk w_k^2 / 2 (LeCun, Denker & Solla 1989).

    Attributes:
        levenberg_marquardt: take the diagonal without its f'' terms. Away from a minimum the
            exact one is negative for many weights, which then go first.
        name: how rows call the method.
    """

    levenberg_marquardt: bool = False
    name: str = "obd"

    def look(self, net: Net, theta: Tensor, task: Task, kept: Tensor) -> Deleter:
        """See :class:`LargeMethod`."""
        short, w = self.levenberg_marquardt, theta[None]
        if isinstance(net, Stack):
            diagonal = recursive_diagonal(net, w, task, levenberg_marquardt=short).diagonal[0]
        else:
            diagonal = backpropagated_diagonal(net, w, task, levenberg_marquardt=short)[0]
        saliency = obd.saliency(theta, diagonal)
        return _InOrder(theta, kept, saliency, saliency)


class DriftError(UserError):
    """H^-1 is no inverse even when just computed: alpha is too small for the precision."""


def gradient_hessian(net: Net, theta: Tensor, x: Tensor, kept: Tensor) -> Tensor:
    """H = 1/P sum X X^T of the weights ``kept`` (n,) from streamed gradients, float64: (n, n)."""
    return gram(gradient_blocks(net, theta, x, kept=kept), len(kept), len(x))


@dataclass(frozen=True)
class LargeOptimalBrainSurgeon:
    """Deletes the weight of least L_q and moves all others; H^-1 is downdated, not recomputed.

    Attributes:
        alpha: added to H, see :class:`oldschool.pruning.obs.OptimalBrainSurgeon`.
        hessian: how H is computed; its dtype is that of H^-1. See
            :func:`oldschool.curvature.sparse_inputs.sparse_gauss_newton` for one-hot inputs.
        buffer: deletions applied to H^-1 as one matrix product.
        drift: H^-1 is computed anew when its relative residual on a test vector, measured once
            a buffer against an exact product with H, has passed this and grown tenfold.
        name: how rows call the method.
    """

    alpha: float
    hessian: Hessian = gradient_hessian
    buffer: int = 256
    drift: float = 1e-6
    name: str = "obs"

    def look(self, net: Net, theta: Tensor, task: Task, kept: Tensor) -> Surgeon:
        """See :class:`LargeMethod`.

        Raises:
            DoesNotFitError: H does not fit into memory.
            DriftError: alpha is too small for the dtype.
        """
        return Surgeon(net, theta, task, kept, self)


class Surgeon:
    """One net under Optimal Brain Surgeon while H stands; see :class:`Deleter`."""

    def __init__(
        self, net: Net, theta: Tensor, task: Task, kept: Tensor, method: LargeOptimalBrainSurgeon
    ) -> None:
        self.theta, self.kept, self.predicted = theta.clone(), kept.clone(), 0.0
        self._net, self._x, self._at, self._method = net, task.x, theta.clone(), method
        self.deleted: list[int] = []
        self._index = kept.nonzero()[:, 0]
        hessian = method.hessian(net, theta, task.x, self._index)
        self._inverse = ShrinkingInverse(direct_inverse(hessian, method.alpha), method.buffer)
        self._w = theta[self._index]
        self._dead = torch.zeros_like(self._w)  # infinite where deleted
        self._since_check, self._dtype = 0, hessian.dtype
        self._fresh = self.drift = self.residual()
        if not self._fresh < 1.0:
            self._give_up()

    def delete(self, count: int) -> int:
        """See :class:`Deleter`; ends early where H^-1 has to be computed anew."""
        w, inverse, done = self._w, self._inverse, 0
        while done < count and not self._has_drifted():
            gone = obs.excise(w, inverse, self._dead)
            if gone is None:
                break
            q, rise = gone
            self.predicted += rise
            self.deleted.append(int(self._index[q]))
            self._since_check += 1
            done += 1
        if done == 0 and bool(inverse.alive.all()):
            self._give_up()
        self.theta[self._index] = w
        self.kept[self._index] = inverse.alive
        return done

    def residual(self) -> float:
        """|(H + alpha I) H^-1 z - z| / |z| over the weights left, with z = +1, -1, +1, ...

        The product with H is exact and uses no matrix, so this sees the rounding of H, of its
        inversion and of all downdates.
        """
        alive = self._inverse.alive
        z = torch.ones_like(self._w)
        z[1::2] = -1.0
        z *= alive
        moved = self._inverse.times(z)
        vector = torch.zeros_like(self._at)
        vector[self._index] = moved
        back = gauss_newton_product(self._net, self._at, self._x, vector)[self._index]
        residual = (back + self._method.alpha * moved - z) * alive
        return float(residual.norm() / z.norm().clamp_min(1.0))

    def _has_drifted(self) -> bool:
        """Looks once a buffer."""
        if self._since_check < self._method.buffer:
            return False
        self._since_check = 0
        now = self.residual()
        self.drift = max(self.drift, now)
        return not now <= max(self._method.drift, 10.0 * self._fresh)

    def _give_up(self) -> NoReturn:
        dtype = str(self._dtype).removeprefix("torch.")
        raise DriftError(
            f"H^-1 of {len(self._w)} weights in {dtype} at alpha "
            f"{self._method.alpha:g} is no inverse (relative residual {self._fresh:.1g}): take a "
            "larger alpha or float64"
        )
