"""Labelled images as their original files have them: bytes, not yet scaled."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Training and test images in the order of the original files.

    Attributes:
        train_x: grey levels 0 to 255, uint8; (P, 784) or (P, 3, 32, 32), by the set.
        train_y: labels, (P,) int64.
        test_x: the same of the test images.
        test_y: their labels.
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
