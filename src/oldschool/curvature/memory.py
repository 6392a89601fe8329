"""Whether a matrix of all pairs of weights fits into memory, said before it is tried."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch

from oldschool.errors import UserError

_GB = 1e9
_CGROUP = Path("/sys/fs/cgroup")


class DoesNotFitError(UserError):
    """A computation needs more memory than there is."""


def require_memory(
    what: str,
    weights: int,
    dtype: torch.dtype,
    copies: float = 1.0,
    device: torch.device | str = "cpu",
    beside: int = 0,
) -> None:
    """Refuse a computation on n x n matrices that would not fit.

    Args:
        what: names it in the message, such as ``"the inverse Hessian"``.
        weights: n.
        dtype: of the matrices.
        copies: how many of them there are at once beside those held already.
        device: where.
        beside: bytes needed at the same time for other things, whatever the dtype.

    Raises:
        DoesNotFitError: the free memory is less than that.
    """
    matrices = copies * dtype.itemsize * weights**2
    needed = matrices + beside
    free = free_memory(torch.device(device))
    if free is not None and needed > free:
        smaller = (
            ""
            if dtype.itemsize <= 4
            else f" (in float32: {(matrices / dtype.itemsize * 4 + beside) / _GB:.1f} GB)"
        )
        raise DoesNotFitError(
            f"{what} of {weights} weights takes {needed / _GB:.1f} GB in "
            f"{str(dtype).removeprefix('torch.')}{smaller}, and {free / _GB:.1f} GB are free: "
            "take a smaller net, a smaller dtype or fewer jobs"
        )


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on a device; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [value for value in (_available(), _left_in_container()) if value is not None]
    return min(found, default=None)


def _available() -> int | None:
    """What the kernel calls available; where it does not (macOS), all there is."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _left_in_container() -> int | None:
    """What a container's limit (cgroup 2) leaves; the page cache counts as free."""
    with suppress(OSError, ValueError, KeyError):
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
        cache = int(dict(line.split() for line in lines)["file"])
        return max(0, limit - used + cache)
    return None
