"""Seeds derived by hashing names, never by arithmetic.

A seed is the sha256 of (base seed, experiment, condition, replicate, component). The caller
passes only the axes of the condition that may change the draw, so that nets trained for one
pruning method are the very nets of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Seeds:
    """The seeds of one run.

    Attributes:
        base: the run's ``seed`` setting.
    """

    base: int

    def seed(
        self, experiment: str, replicate: int, component: str, **axes: str | int | float | bool
    ) -> int:
        """A 63-bit seed for one random stream.

        Args:
            experiment: namespace of the stream; experiments that must share nets share it.
            replicate: replicate id.
            component: what is drawn, such as ``"weights"``.
            **axes: the condition's axes that may change the draw; all others are left out.
        """
        key = json.dumps([self.base, experiment, axes, replicate, component], sort_keys=True)
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1

    def generators(
        self,
        experiment: str,
        replicates: Iterable[int],
        component: str,
        **axes: str | int | float | bool,
    ) -> list[torch.Generator]:
        """One CPU generator a replicate, each with its own seed."""
        import torch

        return [
            torch.Generator().manual_seed(self.seed(experiment, replicate, component, **axes))
            for replicate in replicates
        ]
