"""Digits that tests of dropout can learn, in the place of MNIST."""

from __future__ import annotations

import torch

from replications.srivastava2014_dropout.digits import Digits
from tests.problems import generator


def patterned(own: float, train: int, test: int) -> Digits:
    """Ten sparse patterns, of each case a share ``own`` of pixels; the rest are other strokes."""
    draw = generator(3)
    patterns = torch.rand(10, 784, generator=draw) < 0.15

    def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.randint(10, (count,), generator=draw)
        other = torch.rand(count, 784, generator=draw) < 0.15
        kept = torch.rand(count, 784, generator=draw) < own
        return torch.where(kept, patterns[y], other).float(), y

    return Digits(*drawn(train), *drawn(test))
