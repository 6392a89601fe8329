"""CIFAR-10 and CIFAR-100: 50,000 + 10,000 photographs of 32 x 32 pixels (Krizhevsky 2009).

They are not part of this package, see :mod:`oldschool.data.source`. The archives are those "for
Python", whose published md5s are c58f30108f718f92721af3b95e74349a (CIFAR-10) and
eb9058c3a382ffc7106e4002c42a8d85 (CIFAR-100); the hashes below are of the same files.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oldschool.data import unpickle
from oldschool.data.images import ImageSet
from oldschool.data.source import Source, find

_HOST = "https://www.cs.toronto.edu/~kriz/"


def _source(name: str, sha256: str) -> Source:
    return Source(name, "cifar", (_HOST + name,), sha256)


CIFAR10 = _source(
    "cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
)
CIFAR100 = _source(
    "cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
)
_TRAIN10 = tuple(f"cifar-10-batches-py/data_batch_{k}" for k in range(1, 6))
_TEST10 = ("cifar-10-batches-py/test_batch",)


@lru_cache
def cifar10(folder: Path | None) -> ImageSet:
    """The ten classes, x of shape (P, 3, 32, 32), red, green, blue; read once a process.

    Args:
        folder: the local data folder; the archive may lie in it or in its ``cifar/``.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: the archive cannot be had.
    """
    batches = _batches(find(CIFAR10, folder), (*_TRAIN10, *_TEST10))
    return ImageSet(
        *_joined(batches, _TRAIN10, b"labels"),
        *_joined(batches, _TEST10, b"labels"),
    )


@lru_cache
def cifar100(folder: Path | None) -> ImageSet:
    """The hundred fine classes, otherwise as :func:`cifar10`.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: the archive cannot be had.
    """
    train, test = ("cifar-100-python/train",), ("cifar-100-python/test",)
    batches = _batches(find(CIFAR100, folder), (*train, *test))
    return ImageSet(
        *_joined(batches, train, b"fine_labels"),
        *_joined(batches, test, b"fine_labels"),
    )


def _batches(archive: Path, members: Sequence[str]) -> dict[str, Any]:
    """{member: what is pickled in it}, in one pass: going back would unpack again.

    Raises:
        DataError: a member is no pickle of arrays alone.
    """
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name in members else None
            if content is not None:
                found[member.name] = unpickle.arrays(content, f"{archive}: {member.name}")
    return found


def _joined(
    batches: Mapping[str, Any], members: Sequence[str], labels: bytes
) -> tuple[Tensor, Tensor]:
    """Images and labels of the batches, in the order of ``members``."""
    images = np.concatenate([batches[member][b"data"] for member in members])
    return (
        torch.from_numpy(images.reshape(-1, 3, 32, 32)),
        torch.tensor([label for member in members for label in batches[member][labels]]),
    )
