"""Dropout for ordinary torch modules.

``torch.nn.Dropout(q)`` drops with probability q and multiplies what is kept by 1 / (1 - q) in
training, so that nothing is left to do at test. The paper keeps with probability p, multiplies by
nothing in training, and by p at test (section 4, Figure 2); after training, weights of the one are
1 / p times those of the other, which max-norm, weight decay and the learning rate notice.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from oldschool.dropout.max_norm import max_norm_ as project_


class BernoulliDropout(nn.Module):
    """y~ = r * y, r ~ Bernoulli(p) in training; p y in evaluation.

    Attributes:
        keep: p, the probability of keeping a unit.
        generator: that r is drawn from, on the device of y; None for torch's own.
    """

    def __init__(self, keep: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.keep, self.generator = _probability(keep), generator

    def forward(self, y: Tensor) -> Tensor:
        """Any shape; every element is a unit of its own."""
        if not self.training:
            return y * self.keep
        return y * torch.empty_like(y).bernoulli_(self.keep, generator=self.generator)

    def extra_repr(self) -> str:
        return f"keep={self.keep}"


class GaussianDropout(nn.Module):
    """y~ = r * y, r ~ N(1, (1 - p) / p) in training; y in evaluation (section 10).

    Attributes:
        keep: p of the Bernoulli noise that has the same variance in r / p.
        generator: that r is drawn from, on the device of y; None for torch's own.
    """

    def __init__(self, keep: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.keep, self.generator = _probability(keep), generator

    def forward(self, y: Tensor) -> Tensor:
        """Any shape; every element is a unit of its own."""
        if not self.training:
            return y
        sd = ((1 - self.keep) / self.keep) ** 0.5
        return y * torch.empty_like(y).normal_(1.0, sd, generator=self.generator)

    def extra_repr(self) -> str:
        return f"keep={self.keep}"


@torch.no_grad()
def max_norm_(module: nn.Module, limit: float) -> None:
    """Projects the incoming weights of every unit of linear and convolutional layers.

    To be called after every step of the optimiser. The incoming weights of a unit of a
    convolution are its kernel over all planes below; biases are free.

    Args:
        module: changed in place, with all that it contains.
        limit: c, the largest norm.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            project_(part.weight.flatten(1), part.weight.new_tensor(limit))


@torch.no_grad()
def monte_carlo(model: nn.Module, x: Tensor, nets: int) -> Tensor:
    """Mean output of thinned nets, each with masks of its own for every case.

    Only dropout is put into training; batch normalisation and all else is left as it is.

    Args:
        model: gives probabilities, whose mean is taken; with the dropout of this file or torch's.
        x: whatever the model takes.
        nets: k.
    """
    torchs = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
    kinds = (BernoulliDropout, GaussianDropout, *torchs)
    parts = [part for part in model.modules() if isinstance(part, kinds)]
    before = [part.training for part in parts]
    for part in parts:
        part.train()
    try:
        total: Tensor = model(x)
        for _ in range(nets - 1):
            total = total + model(x)
    finally:
        for part, mode in zip(parts, before, strict=True):
            part.train(mode)
    return total / nets


def _probability(keep: float) -> float:
    if not 0 < keep <= 1:
        raise ValueError(f"the probability of keeping a unit is above 0 and at most 1: {keep}")
    return keep
