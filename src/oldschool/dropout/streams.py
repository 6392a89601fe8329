"""Random streams, one a net, whose state can be kept.

A bit generator gives masks in a twentieth of the time that torch's Bernoulli numbers take on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

LEVELS = 1 << 16  # of the integers drawn


def stream_seed(seed: int, component: int) -> np.random.SeedSequence:
    """The seed of one of several independent streams of a net."""
    return np.random.SeedSequence(seed, spawn_key=(component,))


class Source(Protocol):
    """Fills a buffer (R, N), each row from a stream of its own."""

    def fill(self, buffer: Tensor) -> None:
        """Draw anew for every element."""
        ...

    def state(self) -> list[Any]:
        """Where the streams are, a value a net that torch can save."""
        ...

    def restore(self, state: list[Any]) -> None:
        """Go on from ``state``."""
        ...


class Words:
    """16 random bits an element, as int16, on the CPU: SFC64, read 64 bits at a time."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [np.random.SFC64(stream_seed(seed, 0)) for seed in seeds]

    def fill(self, buffer: Tensor) -> None:
        """See :class:`Source`; N is a multiple of 4."""
        words = buffer.numpy().view(np.uint64)
        for row, stream in zip(words, self._streams, strict=True):
            row[:] = stream.random_raw(len(row))

    def state(self) -> list[Any]:
        """See :class:`Source`."""
        return [sfc64_state(stream) for stream in self._streams]

    def restore(self, state: list[Any]) -> None:
        """See :class:`Source`."""
        for stream, one in zip(self._streams, state, strict=True):
            restore_sfc64(stream, one)


class TorchStreams:
    """int16 or normal numbers from torch's generators, on the device of the buffer."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._streams = [
            torch.Generator(device).manual_seed(
                int(stream_seed(seed, 0).generate_state(1, np.uint64)[0] >> np.uint64(1))
            )
            for seed in seeds
        ]

    def fill(self, buffer: Tensor) -> None:
        """See :class:`Source`: int16 uniform over all values, or N(0, 1)."""
        for row, stream in zip(buffer, self._streams, strict=True):
            if buffer.is_floating_point():
                row.normal_(generator=stream)
            else:
                row.random_(-LEVELS // 2, LEVELS // 2, generator=stream)

    def state(self) -> list[Any]:
        """See :class:`Source`."""
        return [stream.get_state() for stream in self._streams]

    def restore(self, state: list[Any]) -> None:
        """See :class:`Source`."""
        for stream, one in zip(self._streams, state, strict=True):
            stream.set_state(one)


def sfc64_state(stream: np.random.SFC64) -> list[int]:
    """The state of a bit generator of which only whole 64-bit words are drawn."""
    return [int(word) for word in stream.state["state"]["state"]]


def restore_sfc64(stream: np.random.SFC64, words: Sequence[int]) -> None:
    """Put a bit generator into the state that :func:`sfc64_state` gave."""
    stream.state = {
        "bit_generator": "SFC64",
        "state": {"state": np.array(words, dtype=np.uint64)},
        "has_uint32": 0,
        "uinteger": 0,
    }
