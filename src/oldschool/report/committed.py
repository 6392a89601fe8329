"""Collected results files as bytes, and the lines of them that one work unit gave."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oldschool.runs.experiment import Experiment
from oldschool.runs.reads import Earlier
from oldschool.runs.results import SUFFIXES


def file_of(folder: Path, frame: str) -> Path:
    """A frame's file; the plain one's name if there is none."""
    for suffix in SUFFIXES:
        if (folder / f"{frame}{suffix}").is_file():
            return folder / f"{frame}{suffix}"
    return folder / f"{frame}{SUFFIXES[0]}"


def read(file: Path) -> bytes | None:
    """A frame's rows as text, unpacked; None if they are missing or cannot be unpacked."""
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error):
        return None


def earlier(folder: Path, experiment: Experiment) -> Earlier:
    """The committed rows that an experiment reads, as far as they are there."""
    found = {frame: read(file_of(folder, frame)) for frame in experiment.reads}
    try:
        return Earlier(experiment, {name: text for name, text in found.items() if text is not None})
    except ValueError:  # edited so that they are no rows, which their own manifest gives away
        return Earlier(experiment, {})


def rows_by_unit(content: bytes, manifest: Mapping[str, Any], frame: str) -> list[bytes]:
    """Header and lines of each of the manifest's units; they lie in its order."""
    header, *lines = content.splitlines(keepends=True) or [b""]
    parts, start = [], 0
    for unit in manifest["units"]:
        stop = start + unit["frames"][frame]["rows"]
        parts.append(b"".join([header, *lines[start:stop]]))
        start = stop
    return parts
