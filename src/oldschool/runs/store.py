"""Finished work units on disk: whole or not at all, and checked when read.

A unit is a folder ``<store>/<replication>/<experiment>/<digest>/`` with one CSV file a frame
and ``manifest.json``; a unit that failed is the file ``<digest>.error.json`` beside it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.runs import files, frames
from oldschool.runs.digest import canonical
from oldschool.runs.locks import lock

MANIFEST = "manifest.json"
SEAL = "seal"


class MissingError(Exception):
    """The unit is not in the store."""


class DamagedError(Exception):
    """The unit is in the store, but not as it was written; the message says what is wrong."""


def folder(replication: str, experiment: str, digest: str) -> Path:
    """Where a unit is or will be."""
    return paths.store() / replication / experiment / digest


def load(unit: Path) -> dict[str, Any]:
    """The manifest of a stored unit, after checking it and every frame file.

    Raises:
        MissingError: there is no such unit.
        DamagedError: a file is missing, cut off or edited.
    """
    if not unit.is_dir():
        raise MissingError
    manifest = _manifest(unit)
    for name in manifest["frames"]:
        frame(unit, name, manifest)
    return manifest


def frame(unit: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """The CSV text of one frame of a stored unit.

    Raises:
        DamagedError: the file is missing or not what the manifest says.
    """
    file = unit / f"{name}.csv"
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise DamagedError(f"{paths.shown(file)} is missing") from None
    if frames.sha256(content) != manifest["frames"][name]["sha256"]:
        raise DamagedError(f"{paths.shown(file)} does not match its hash")
    return content


def save(unit: Path, contents: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """Write a unit; the caller holds its lock.

    Args:
        unit: the unit's folder; a damaged one in its place is removed.
        contents: {frame name: CSV text}.
        manifest: everything said about the unit; hashes of the frames included.

    Raises:
        OSError: the disk is full or the store cannot be written; nothing is left behind.
    """
    _clear_leftovers(unit)
    temporary = unit.with_name(f".{unit.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        for name, content in contents.items():
            files.write_bytes(temporary / f"{name}.csv", content)
        sealed = {**manifest, SEAL: _seal(manifest)}
        text = json.dumps(sealed, indent=1, sort_keys=True, default=str) + "\n"
        files.write_bytes(temporary / MANIFEST, text.encode())
        files.flush_folder(temporary)
        if unit.exists():
            unit.rename(unit.with_name(f".{unit.name}.{os.getpid()}.old"))
        temporary.rename(unit)
        files.flush_folder(unit.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _error_file(unit).unlink(missing_ok=True)
    _clear_leftovers(unit)


def save_error(unit: Path, record: Mapping[str, Any]) -> None:
    """Record that a unit failed, for people; it is run again the next time.

    Raises:
        OSError: the store cannot be written.
    """
    text = json.dumps(record, indent=1, sort_keys=True, default=str) + "\n"
    files.replace(_error_file(unit), text.encode())


@contextmanager
def locked(unit: Path, wait: bool) -> Iterator[bool]:
    """Hold the right to run a unit; yields whether it is held (always, with ``wait``)."""
    with lock(unit.with_name(f"{unit.name}.lock"), wait) as held:
        yield held


def manifests(replication: str, experiment: str) -> list[dict[str, Any]]:
    """The readable manifests of all stored units of an experiment, newest first."""
    found = []
    for path in folder(replication, experiment, "").glob(f"*/{MANIFEST}"):
        try:
            found.append(_manifest(path.parent))
        except DamagedError:
            continue
    return sorted(found, key=lambda manifest: str(manifest["started"]), reverse=True)


def _manifest(unit: Path) -> dict[str, Any]:
    file = unit / MANIFEST
    try:
        manifest = json.loads(file.read_bytes())
        sealed = manifest.pop(SEAL)
    except FileNotFoundError:
        raise DamagedError(f"{paths.shown(file)} is missing") from None
    except (ValueError, AttributeError, KeyError, TypeError):
        raise DamagedError(f"{paths.shown(file)} is not a whole manifest") from None
    if sealed != _seal(manifest) or manifest["digest"] != unit.name:
        raise DamagedError(f"{paths.shown(file)} has been edited")
    return dict(manifest)


def _seal(manifest: Mapping[str, Any]) -> str:
    """A hash of the manifest itself; read from text and written from memory are alike."""
    return frames.sha256(canonical(json.loads(json.dumps(manifest, default=str))).encode())


def _error_file(unit: Path) -> Path:
    return unit.with_name(f"{unit.name}.error.json")


def _clear_leftovers(unit: Path) -> None:
    """Remove what a killed process left of this unit."""
    for leftover in unit.parent.glob(f".{unit.name}.*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
