"""The USPS zip-code digits: 9298 handwritten digits off envelopes, 16 x 16 grey levels.

Digits kindly made available by the US Postal Service / AT&T: the files zip.train and zip.test,
segmented, deslanted and scaled by LeCun et al. (1990). No licence is stated. The 2549 + 700 printed
digits that LeCun, Denker & Solla (1989) used beside these are not to be had.

``usps.npz`` has them with their three decimals; ``scripts/make_usps.py`` says where it is from and
makes it again.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from oldschool.data.task import Task
from oldschool.errors import DataError

FILE = "usps.npz"
SHA256 = "cc1ad799ce0b264de97200f23a91daaf0479a9b69d65d82a043ee5e9b5b6beaf"
SIDE = 16
CLASSES = 10
# Digits of class 0, 1, ... 9.
TRAIN_COUNTS = (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644)
TEST_COUNTS = (359, 264, 198, 166, 200, 160, 170, 147, 166, 177)


@dataclass(frozen=True)
class Usps:
    """Both sets, in the order of zip.train and zip.test.

    Attributes:
        train: x (7291, 256), the image row by row, from -1 for paper to 1 for ink; t (7291, 10),
            1 for the right class and -1 for the others; float64.
        test: the same of the 2007 test digits.
        train_labels: 0 to 9, (7291,) int64.
        test_labels: (2007,) int64.
    """

    train: Task
    test: Task
    train_labels: Tensor
    test_labels: Tensor


@cache
def usps() -> Usps:
    """The digits.

    Raises:
        DataError: the package's array file is missing or damaged.
    """
    return load(resources.files(__package__).joinpath(FILE))


def load(file: Traversable) -> Usps:
    """The digits of an array file, checked.

    Args:
        file: an .npz of ``train_values``, int16 (7291, 256), each value times 1000,
            ``train_labels``, uint8 (7291,), and the same two of ``test``.

    Raises:
        DataError: it cannot be read, or is not the one expected.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror or error})") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != SHA256:
        raise _unusable(file, f"is damaged (sha256 {sha256[:16]}..., not {SHA256[:16]}...)")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        values = [torch.from_numpy(arrays[f"{part}_values"]) for part in ("train", "test")]
        labels = [torch.from_numpy(arrays[f"{part}_labels"]).long() for part in ("train", "test")]
    for part, counts in zip(labels, (TRAIN_COUNTS, TEST_COUNTS), strict=True):
        if part.bincount(minlength=CLASSES).tolist() != list(counts):
            raise _unusable(file, "has other numbers of digits a class than the USPS set")
    train, test = (
        Task(x.double() / 1000, _targets(k)) for x, k in zip(values, labels, strict=True)
    )
    return Usps(train, test, *labels)


def _targets(labels: Tensor) -> Tensor:
    return 2.0 * one_hot(labels, CLASSES).double() - 1.0


def _unusable(file: Traversable, what: str) -> DataError:
    advice = "reinstall the package or, in a checkout, run scripts/make_usps.py"
    return DataError(f"{file} {what}: {advice}")
