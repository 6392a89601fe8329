"""A supervised task as tensors: what a batch of nets is trained and pruned on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


def random_split(
    task: Task, samples: int, generators: Sequence[torch.Generator]
) -> tuple[Task, Task]:
    """Random training sets and what they leave, one split a generator.

    Args:
        task: the samples shared by all nets, x of shape (P, inputs).
        samples: size of a training set.
        generators: R of them; each draws the split of one net.

    Returns:
        The training sets, x of shape (R, samples, inputs), and the rest, (R, P - samples, inputs).

    Raises:
        ValueError: the samples are not shared, or one of the two sets would be empty.
    """
    if task.x.ndim != 2 or not 0 < samples < len(task):
        raise ValueError(
            f"a split needs shared inputs (P, inputs) and 1 to P - 1 training samples, "
            f"not {tuple(task.x.shape)} and {samples}"
        )
    order = torch.stack([torch.randperm(len(task), generator=draw) for draw in generators])
    train, rest = order[:, :samples], order[:, samples:]
    return Task(task.x[train], task.t[train]), Task(task.x[rest], task.t[rest])
