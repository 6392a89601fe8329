"""The error of a batch of nets, with weight decay and masks, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp, backwards


@dataclass(frozen=True)
class Objective:
    """Error function + decay/2 |w|^2 for each of R nets.

    Attributes:
        net: the architecture.
        task: the data.
        decay: weight decay, a number or one a net (R,).
        mask: (R, N) bool, False where a weight is deleted and stays zero; None when none is.
        error: the error function, 1/(2P) sum |t - o|^2 if left out.
    """

    net: Mlp
    task: Task
    decay: float | Tensor = 0.0
    mask: Tensor | None = None
    error: Error = SQUARED

    def subset(self, index: Tensor) -> Objective:
        """The objective of the nets ``index`` alone."""
        return replace(
            self,
            task=self.task.subset(index),
            decay=self.decay[index] if isinstance(self.decay, Tensor) else self.decay,
            mask=None if self.mask is None else self.mask[index],
        )

    def _decays(self, theta: Tensor) -> Tensor:
        return torch.as_tensor(self.decay, dtype=theta.dtype).expand(len(theta))

    def data_term(self, theta: Tensor) -> Tensor:
        """The error without the decay, of each net, (R,)."""
        return self.error.value(self.net.outputs(theta, self.task.x), self.task.t)

    def value(self, theta: Tensor) -> Tensor:
        """The whole objective of each net, (R,)."""
        return self.data_term(theta) + self.penalty(theta)

    def penalty(self, theta: Tensor) -> Tensor:
        """The weight-decay term of each net, (R,)."""
        return 0.5 * self._decays(theta) * (theta * theta).sum(1)

    def penalty_gradient(self, theta: Tensor) -> Tensor:
        """decay * w, (R, N)."""
        return self._decays(theta)[:, None] * theta

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Objective (R,) and gradient (R, N) by one back-propagation."""
        activities = self.net.activities(theta, self.task.x)
        value = self.error.value(activities[-1], self.task.t) + self.penalty(theta)
        return value, self._back(theta, activities)

    def gradient(self, theta: Tensor) -> Tensor:
        """Gradient (R, N) by back-propagation; zero where masked."""
        return self._back(theta, self.net.activities(theta, self.task.x))

    def _back(self, theta: Tensor, activities: list[Tensor]) -> Tensor:
        outputs, samples = activities[-1], len(self.task)
        gradient = torch.empty_like(theta)
        slope = self.error.slope(outputs, self.task.t)
        delta = self.net.layers[-1].transfer.slope(outputs).mul_(slope).div_(samples)
        matrices = self.net.matrices(theta)
        for depth in reversed(range(len(matrices))):
            layer, below = self.net.layers[depth], activities[depth]
            gradient[:, layer.biases] = delta.sum(2)
            if below.ndim == 2:
                flat = delta.reshape(-1, samples) @ below.T
                gradient[:, layer.weights] = flat.view(len(theta), -1)
            else:
                gradient[:, layer.weights] = torch.bmm(delta, below.mT).flatten(1)
            if depth:
                slope = self.net.layers[depth - 1].transfer.slope(below)
                delta = slope.mul_(backwards(matrices[depth][0], delta))
        gradient.addcmul_(self._decays(theta)[:, None], theta)
        if self.mask is not None:
            gradient *= self.mask
        return gradient
