"""Collected results files as bytes, and the lines of them that one work unit gave."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oldschool.runs.results import SUFFIXES


def read(folder: Path, frame: str) -> tuple[Path, bytes | None]:
    """A frame's file and its unpacked content, None if it is missing or cannot be unpacked."""
    for suffix in SUFFIXES:
        file = folder / f"{frame}{suffix}"
        if file.is_file():
            try:
                content = file.read_bytes()
                return file, gzip.decompress(content) if suffix.endswith(".gz") else content
            except (OSError, EOFError, zlib.error):
                return file, None
    return folder / f"{frame}{SUFFIXES[0]}", None


def rows_by_unit(content: bytes, manifest: Mapping[str, Any], frame: str) -> list[bytes]:
    """Header and lines of each of the manifest's units; they lie in its order."""
    header, *lines = content.splitlines(keepends=True)
    parts, start = [], 0
    for unit in manifest["units"]:
        stop = start + unit["frames"][frame]["rows"]
        parts.append(b"".join([header, *lines[start:stop]]))
        start = stop
    return parts
