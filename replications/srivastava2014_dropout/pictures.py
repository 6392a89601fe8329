"""SVHN and CIFAR as the convolutional nets see them (appendices B.2 and B.3).

SVHN: the standard and the extra training digits together, red, green and blue each less its mean
and divided by its standard deviation over all training pixels. CIFAR: each image's colour channels
less their mean over that image, then whitened (ZCA).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from oldschool import paths
from oldschool.data import cifar, svhn
from oldschool.data.images import ImageSet
from oldschool.data.source import Source, hashes
from oldschool.data.zca import zca

from .settings import DropoutConfig

SIDE, CHANNELS = 32, 3
CLASSES: Mapping[str, int] = {"svhn": svhn.CLASSES, "cifar10": 10, "cifar100": 100}
_SOURCES: Mapping[str, tuple[Source, ...]] = {
    "svhn": (svhn.TRAIN, svhn.TEST, svhn.EXTRA),
    "cifar10": (cifar.CIFAR10,),
    "cifar100": (cifar.CIFAR100,),
}
_CIFAR: Mapping[str, Callable[[Path | None], ImageSet]] = {
    "cifar10": cifar.cifar10,
    "cifar100": cifar.cifar100,
}
_CASES = 5000  # at a time


@dataclass(frozen=True)
class Pictures:
    """Images as bytes or as numbers, and what makes inputs of them.

    Attributes:
        train_x: (P, 3, 32, 32), uint8 or float32.
        train_y: (P,), int64.
        test_x: as ``train_x``.
        test_y: their classes.
        mean: of each channel, (3, 1, 1), float32.
        sd: likewise.
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    mean: Tensor
    sd: Tensor

    def inputs(self, x: Tensor) -> Tensor:
        """Some of the images as inputs, float32: half a million do not fit as such."""
        return (x.float() - self.mean) / self.sd


def pictures(config: DropoutConfig, name: str, device: torch.device) -> Pictures:
    """A set from the configured folder or its host, on ``device``; read once a process.

    Args:
        config: where data lie, and the floor of the whitening.
        name: ``svhn``, ``cifar10`` or ``cifar100``.
        device: where to.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    return _pictures(paths.data(config.data.dir), name, config.convnet.zca_floor, device)


@cache
def _pictures(folder: Path | None, name: str, floor: float, device: torch.device) -> Pictures:
    if name == "svhn":
        found = svhn.svhn(folder)
        images = ImageSet(
            torch.cat([found.train_x, found.extra_x]),
            torch.cat([found.train_y, found.extra_y]),
            found.test_x,
            found.test_y,
        )
        return standardised(images, device)
    return whitened(_CIFAR[name](folder), floor, device)


def standardised(images: ImageSet, device: torch.device) -> Pictures:
    """Bytes, with the mean and standard deviation of each channel over all training pixels."""
    x = images.train_x.to(device)
    sums = torch.zeros(2, CHANNELS, dtype=torch.float64, device=device)
    for some in torch.split(x, _CASES):
        levels = some.double()
        sums += torch.stack([levels.sum((0, 2, 3)), levels.square().sum((0, 2, 3))])
    mean, square = sums / (len(x) * SIDE**2)
    shape = (CHANNELS, 1, 1)
    return Pictures(
        x,
        images.train_y.to(device),
        images.test_x.to(device),
        images.test_y.to(device),
        mean.float().view(shape),
        (square - mean.square()).sqrt().float().view(shape),
    )


def whitened(images: ImageSet, floor: float, device: torch.device) -> Pictures:
    """Inputs whose channels were centred image by image, then whitened by the training images."""
    shape = (-1, CHANNELS, SIDE, SIDE)
    train, test = (_centred(x.to(device)) for x in (images.train_x, images.test_x))
    whiten = zca(train, floor)
    return Pictures(
        whiten(train).view(shape),
        images.train_y.to(device),
        whiten(test).view(shape),
        images.test_y.to(device),
        torch.zeros(CHANNELS, 1, 1, device=device),
        torch.ones(CHANNELS, 1, 1, device=device),
    )


def _centred(x: Tensor) -> Tensor:
    """Grey levels (P, 3, 32, 32) less the mean of their image and channel, (P, 3072)."""
    levels = x.float()
    return (levels - levels.mean((2, 3), keepdim=True)).flatten(1)


def sources(config: DropoutConfig) -> Mapping[str, str]:
    """The hashes of the sets' files, after a look whether they can be had; none without nets."""
    if not config.convnet.nets:
        return {}
    files = [source for name in config.convnet.sets for source in _SOURCES[name]]
    return hashes(files, paths.data(config.data.dir))
