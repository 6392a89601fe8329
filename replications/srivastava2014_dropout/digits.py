"""MNIST as the nets see it, and the part of it that open settings were chosen on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from oldschool import paths
from oldschool.data import mnist
from oldschool.data.images import ImageSet

from .settings import HELD_OUT, DropoutConfig


@dataclass(frozen=True)
class Digits:
    """Digits as inputs from 0 to 1 and classes.

    Attributes:
        train_x: (60000, 784), float32.
        train_y: (60000,), int64.
        test_x: (10000, 784).
        test_y: (10000,).
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    @property
    def varying(self) -> Tensor:
        """Pixels that are not the same in all training digits, (784,) bool."""
        return self.train_x.amax(0) > self.train_x.amin(0)

    @property
    def held_out(self) -> Digits:
        """The same with the last 10,000 training digits in the test digits' place."""
        return Digits(
            self.train_x[:-HELD_OUT],
            self.train_y[:-HELD_OUT],
            self.train_x[-HELD_OUT:],
            self.train_y[-HELD_OUT:],
        )


def digits(config: DropoutConfig, device: torch.device | str = "cpu") -> Digits:
    """MNIST from the configured folder or the hosts; read once a process."""
    return _digits(paths.data(config.data.dir), torch.device(device))


@cache
def _digits(folder: Path | None, device: torch.device) -> Digits:
    return float_digits(mnist.mnist(folder), device)


def float_digits(found: ImageSet, device: torch.device | str) -> Digits:
    """Pixels from 0 to 1."""
    x = [(one.float() / 255).to(device) for one in (found.train_x, found.test_x)]
    y = [one.to(device) for one in (found.train_y, found.test_y)]
    return Digits(x[0], y[0], x[1], y[1])


def sources(config: DropoutConfig) -> Mapping[str, str]:
    """The hash of the digits, after a look whether they can be had."""
    return mnist.hashes(paths.data(config.data.dir))
