"""A supervised task as tensors: what a batch of nets is trained and pruned on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Task:
    """Inputs and targets, shared by all nets of a batch or of each net its own.

    Attributes:
        x: inputs, shape (P, inputs), or (R, P, inputs) with a sample a net, float.
        t: targets, shape (P, outputs) or (R, P, outputs), same dtype.
    """

    x: Tensor
    t: Tensor

    def __post_init__(self) -> None:
        if self.x.ndim not in (2, 3) or self.x.shape[:-1] != self.t.shape[:-1]:
            raise ValueError(
                "a task needs inputs (P, inputs) and targets (P, outputs), a net or in all, "
                f"not {tuple(self.x.shape)} and {tuple(self.t.shape)}"
            )

    def __len__(self) -> int:
        """P."""
        return self.x.shape[-2]

    def subset(self, index: Tensor) -> Task:
        """The task of the nets ``index`` alone, which may name one more than once."""
        return self if self.x.ndim == 2 else Task(self.x[index], self.t[index])

    def sha256(self) -> str:
        """Hash of shapes and values, as float64: the same on every machine."""
        digest = hashlib.sha256()
        for tensor in (self.x, self.t):
            values = tensor.detach().to("cpu", torch.float64).contiguous()
            digest.update(str(tuple(values.shape)).encode())
            digest.update(values.numpy().astype("<f8").tobytes())
        return digest.hexdigest()
