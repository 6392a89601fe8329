"""Checkpoints of the unit that is being run, so that a killed run goes on where it was.

The worker says where a unit's checkpoint lies; the experiment's code saves into it whenever it can
and asks for it at the start. Outside a worker nothing is saved and nothing is found.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LOOK = 100  # updates between two questions whether a checkpoint is due
_SECONDS = 60.0


@dataclass
class _Place:
    file: Path
    saved: float


_place: ContextVar[_Place | None] = ContextVar("place", default=None)


@contextmanager
def kept_in(file: Path) -> Iterator[None]:
    """Checkpoints lie in ``file`` while this lasts; when it ends well, the file is removed."""
    token = _place.set(_Place(file, time.monotonic()))
    try:
        yield
        file.unlink(missing_ok=True)
    finally:
        _place.reset(token)


def save(state: Callable[[], dict[str, Any]], device: torch.device) -> None:
    """Write what ``state`` gives, whole or not at all, if the last one is a minute old.

    Args:
        state: gives what the next updates depend on.
        device: where the nets are; its random streams go on only on a device of its kind.
    """
    place = _place.get()
    if place is None or time.monotonic() - place.saved < _SECONDS:
        return
    import torch

    place.file.parent.mkdir(parents=True, exist_ok=True)
    part = place.file.with_suffix(f".{os.getpid()}.part")
    torch.save({"device": device.type, "state": state()}, part)
    os.replace(part, place.file)
    place.saved = time.monotonic()


def load(device: torch.device) -> dict[str, Any] | None:
    """The last state, its tensors on the CPU.

    None without one, if its file is damaged, or if it is of another kind of device.
    """
    place = _place.get()
    if place is None or not place.file.exists():
        return None
    import torch

    try:
        found = torch.load(place.file, map_location="cpu")
        state: dict[str, Any] = found["state"]
        return state if found["device"] == device.type else None
    except Exception:  # what a damaged file raises hangs on where it is damaged
        return None
