"""Writing files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write and flush to the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace(path: Path, content: bytes) -> None:
    """Write beside the file, then rename over it; a reader sees the old or the new one whole.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_bytes(temporary, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def replace_if_different(path: Path, content: bytes) -> bool:
    """Like :func:`replace`, but a file that is the same already is left alone.

    Returns:
        Whether the file was written.
    """
    if path.is_file() and path.read_bytes() == content:
        return False
    replace(path, content)
    return True


def flush_folder(folder: Path) -> None:
    """Make a rename within the folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
