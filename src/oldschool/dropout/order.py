"""The order in which each of R nets is shown its training set: a permutation a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oldschool.dropout.streams import restore_sfc64, sfc64_state, stream_seed


class Order:
    """Mini-batches of each net from a stream of its own, so that companions do not matter.

    A pass is floor(N / P) mini-batches of a fresh permutation; the cases left over are not shown
    in that pass.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        samples: int,
        batch: int,
        *,
        members: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """The order from the beginning.

        Args:
            seeds: one a net.
            samples: cases in the data.
            batch: P.
            members: (R, N) int64, the cases that are a net's training set, if it is a part of
                the data.
            device: of the indices.
        """
        self._of = samples if members is None else members.shape[1]
        if not 0 < batch <= self._of:
            raise ValueError(
                f"a mini-batch is 1 to {self._of} cases, as many as there are: {batch}"
            )
        self._streams = [np.random.SFC64(stream_seed(seed, 1)) for seed in seeds]
        self._batch, self._members, self._device = batch, members, device
        self._per_pass = self._of // batch
        self._new_pass()

    def _new_pass(self) -> None:
        self._starts = [sfc64_state(stream) for stream in self._streams]
        for stream, words in zip(self._streams, self._starts, strict=True):
            restore_sfc64(stream, words)  # drops half a word that the last pass may have left
        permutations = [
            np.random.Generator(stream).permutation(self._of) for stream in self._streams
        ]
        order = torch.from_numpy(np.stack(permutations))
        if self._members is not None:
            order = self._members.cpu().gather(1, order)
        shown = order[:, : self._per_pass * self._batch].view(len(order), self._per_pass, -1)
        self._pass = shown.transpose(0, 1).contiguous().to(self._device)
        self._position = 0

    def next(self) -> Tensor:
        """Indices (R, P) int64 of the cases in the next mini-batch, contiguous."""
        if self._position == self._per_pass:
            self._new_pass()
        self._position += 1
        return self._pass[self._position - 1]

    def state_dict(self) -> dict[str, Any]:
        """Where the streams were at the start of the pass, and how much of it was shown."""
        return {"starts": self._starts, "position": self._position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken, with the same data and batch."""
        for stream, words in zip(self._streams, state["starts"], strict=True):
            restore_sfc64(stream, words)
        self._new_pass()
        self._position = state["position"]
