"""A supervised task as tensors: what a batch of nets is trained and pruned on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Task:
    """Inputs and targets shared by all nets of a batch.

    Attributes:
        x: inputs, shape (P, inputs), float.
        t: targets, shape (P, outputs), same dtype.
    """

    x: Tensor
    t: Tensor

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.t.ndim != 2 or len(self.x) != len(self.t):
            raise ValueError(
                "a task needs inputs (P, inputs) and targets (P, outputs), "
                f"not {tuple(self.x.shape)} and {tuple(self.t.shape)}"
            )

    def __len__(self) -> int:
        return len(self.x)

    def sha256(self) -> str:
        """Hash of shapes and values, as float64: the same on every machine."""
        digest = hashlib.sha256()
        for tensor in (self.x, self.t):
            values = tensor.detach().to("cpu", torch.float64).contiguous()
            digest.update(str(tuple(values.shape)).encode())
            digest.update(values.numpy().astype("<f8").tobytes())
        return digest.hexdigest()
