"""SVHN: house numbers off Street View, digits of 32 x 32 pixels in colour (Netzer et al. 2011).

For non-commercial use; it is not part of this package, see :mod:`oldschool.data.source`. The three
files are those of "format 2", cropped digits. Their published md5s are
e26dedcc434d2e4c54c9b2d4a06d8373 (train), eb5a983be6a315427106f1b164d9cef3 (test) and
a93ce644f1a588dc4d68dda5feec44a7 (extra); the hashes below are of the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.io import loadmat
from torch import Tensor

from oldschool.data.images import ImageSet
from oldschool.data.source import Source, find

CLASSES = 10
_HOST = "http://ufldl.stanford.edu/housenumbers/"


def _source(name: str, sha256: str) -> Source:
    return Source(name, "svhn", (_HOST + name,), sha256)


TRAIN = _source(
    "train_32x32.mat", "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"
)
TEST = _source("test_32x32.mat", "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b")
EXTRA = _source(
    "extra_32x32.mat", "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3"
)


@dataclass(frozen=True)
class Svhn(ImageSet):
    """73,257 training digits, 26,032 test digits and 531,131 easier ones; label 0 is digit 0.

    Attributes:
        extra_x: the easier ones, (P, 3, 32, 32) uint8.
        extra_y: their labels, (P,) int64.
    """

    extra_x: Tensor
    extra_y: Tensor


@lru_cache
def svhn(folder: Path | None) -> Svhn:
    """The digits, x of shape (P, 3, 32, 32), red, green, blue; read once a process, 2 GB.

    Args:
        folder: the local data folder; the three files may lie in it or in its ``svhn/``.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    # All are found before the first is read: a missing one is told at once.
    train, test, extra = [find(source, folder) for source in (TRAIN, TEST, EXTRA)]
    return Svhn(*_read(train), *_read(test), *_read(extra))


def _read(file: Path) -> tuple[Tensor, Tensor]:
    """Images and labels of a file, which has X (32, 32, 3, P) and y (P, 1), 10 for digit 0."""
    found = loadmat(file, variable_names=["X", "y"])
    images = np.ascontiguousarray(found["X"].transpose(3, 2, 0, 1))
    return torch.from_numpy(images), torch.from_numpy(found["y"].ravel() % 10).long()
