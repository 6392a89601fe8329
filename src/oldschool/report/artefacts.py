"""Figures and tables as files: made when their inputs changed, kept when not, removed if gone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.errors import DataError, StorageError
from oldschool.report import STYLE_SHEET
from oldschool.report.inputs import Inputs
from oldschool.report.sources import code_digest
from oldschool.runs import files
from oldschool.runs.experiment import Figure, Replication, Table

LEDGER = "artefacts.json"
_PARTS = ("results", "code", "drawn_with", "files")


MEASURED = "make bench"


@dataclass(frozen=True)
class Artefact:
    """One figure or table, in all its formats.

    Attributes:
        key: its path without suffix, relative to the report folder.
        kind: ``figures`` or ``tables``.
        hashes: {frame it is made from: sha256}.
        code: hash of the sources that make it.
        make: gives {suffix: content}.
    """

    key: str
    kind: str
    hashes: Mapping[str, str]
    code: str
    make: Callable[[], Mapping[str, bytes]]


class Ledger:
    """What made each file of the report folder, as ``artefacts.json`` records it."""

    def __init__(self, folder: Path) -> None:
        """Read the record of ``folder``; an absent one is empty.

        Raises:
            DataError: it is not what this module writes.
        """
        self.folder = folder
        self.old = _read(folder / LEDGER)
        self.new: dict[str, dict[str, Any]] = {}

    def bring_up_to_date(self, artefacts: Sequence[Artefact], owner: Mapping[str, str]) -> str:
        """Make what is not up to date.

        Args:
            artefacts: of one replication and one kind.
            owner: {frame: experiment that writes it}, to say whose results changed; other frames
                are measured by ``make bench``.

        Returns:
            What was done and why: ``9 kept (up to date), 1 rebuilt (results changed: xor)``.

        Raises:
            StorageError: a file cannot be written; files written before it are whole.
        """
        done: Counter[str] = Counter()
        for artefact in artefacts:
            reason = self._stale(artefact, owner)
            done[reason] += 1
            if reason:
                self._make(artefact)
            else:
                self.new[artefact.key] = self.old[artefact.key]
        kept = done.pop("", 0)
        parts = [f"{kept} kept (up to date)"] if kept else []
        parts += [
            f"{count} {'made (new)' if reason == 'new' else f'rebuilt ({reason})'}"
            for reason, count in sorted(done.items())
        ]
        return ", ".join(parts)

    def _stale(self, artefact: Artefact, owner: Mapping[str, str]) -> str:
        """Why the artefact must be made, or ""."""
        entry = self.old.get(artefact.key)
        if entry is None:
            return "new"
        for name, sha256 in entry["files"].items():
            path = self.folder / name
            if not path.is_file():
                return "missing"
            if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                return "file differs from the record"
        before = entry["results"]
        changed = {
            owner.get(frame, MEASURED)
            for frame in artefact.hashes
            if before.get(frame) != artefact.hashes[frame]
        }
        if changed:
            return f"results changed: {', '.join(sorted(changed))}"
        if entry["code"] != artefact.code or before.keys() != artefact.hashes.keys():
            return "code changed"
        return ""

    def _make(self, artefact: Artefact) -> None:
        try:
            contents = artefact.make()
        except Exception as error:
            error.add_note(f"while making {artefact.key}")
            raise
        names = {}
        for suffix, content in contents.items():
            name = f"{artefact.key}.{suffix}"
            write(self.folder / name, content)
            names[name] = hashlib.sha256(content).hexdigest()
        self.new[artefact.key] = {
            "results": dict(sorted(artefact.hashes.items())),
            "code": artefact.code,
            "drawn_with": drawn_with(),
            "files": names,
        }

    def entry_of(self, name: str) -> dict[str, Any] | None:
        """The record of the artefact that a file belongs to; None if it belongs to none."""
        return self.old.get(name.rpartition(".")[0])

    def files(self) -> list[str]:
        """Names of the record and of all files it is about, as far as they were made."""
        return [LEDGER, *(name for entry in self.new.values() for name in entry["files"])]

    def close(self) -> list[str]:
        """Write the record, then remove the files of artefacts that are no more.

        Returns:
            Keys of the artefacts removed.

        Raises:
            StorageError: the record cannot be written, or a file not be removed.
        """
        text = json.dumps(self.new, indent=1, sort_keys=True) + "\n"
        write(self.folder / LEDGER, text.encode())
        current = set(self.files())
        gone = [key for key in self.old if key not in self.new]
        for key in self.old:
            for name in self.old[key]["files"]:
                if name not in current:
                    remove(self.folder / name)
        return gone


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The record's entries, each checked to have all its parts."""
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_bytes())
        return {key: {part: entry[part] for part in _PARTS} for key, entry in entries.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{paths.shown(path)} is damaged: delete it and run `make report`"
        ) from error


def drawn_with() -> str:
    """The version that decides whether two drawings can be compared stroke by stroke."""
    return f"matplotlib {metadata.version('matplotlib')}"


def figure_artefact(inputs: Inputs, figure: Figure) -> Artefact:
    """The figure's files, to be drawn from the frames it needs; matplotlib is imported late."""

    def make() -> dict[str, bytes]:
        from oldschool.report import style

        with style.report_style():
            return style.render(figure.draw(_needed(inputs, figure.needs)))

    return Artefact(
        f"figures/{inputs.replication.name}/{figure.name}",
        "figures",
        {frame: inputs.hashes[frame] for frame in figure.needs},
        code_digest(figure.draw, "oldschool.report.style", files=[STYLE_SHEET]),
        make,
    )


def table_artefact(inputs: Inputs, table: Table) -> Artefact:
    """The table's files, to be built from the frames it needs."""

    def make() -> dict[str, bytes]:
        from oldschool.report import tables

        label = f"{inputs.replication.name}-{table.name}"
        texts = tables.render(table.build(_needed(inputs, table.needs)), table.caption, label)
        return {suffix: text.encode() for suffix, text in texts.items()}

    words = hashlib.sha256(table.caption.encode()).hexdigest()[:16]
    return Artefact(
        f"tables/{inputs.replication.name}/{table.name}",
        "tables",
        {frame: inputs.hashes[frame] for frame in table.needs},
        f"{code_digest(table.build, 'oldschool.report.tables')}-{words}",
        make,
    )


def missing(inputs: Inputs, item: Figure | Table) -> list[str]:
    """Frames that a figure or table needs and that were never run."""
    return [frame for frame in item.needs if frame not in inputs.frames]


def owners(replication: Replication) -> dict[str, str]:
    """{frame: experiment that writes it}."""
    return {
        frame: experiment.name
        for experiment in replication.experiments
        for frame in experiment.frames
    }


def write(path: Path, content: bytes) -> None:
    """Write a file whole, or leave it alone if it is the same already.

    Raises:
        StorageError: it cannot be written; what was there stays.
    """
    try:
        files.replace_if_different(path, content)
    except OSError as error:
        raise StorageError(f"cannot write {paths.shown(path)}: {error.strerror}") from error


def remove(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        StorageError: it is there and cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot remove {paths.shown(path)}: {error.strerror}") from error


def _needed(inputs: Inputs, needs: Sequence[str]) -> dict[str, Any]:
    # Shallow copies under copy-on-write: what one drawing changes, the next does not see.
    return {frame: inputs.frames[frame].copy(deep=False) for frame in needs}
