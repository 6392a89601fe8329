"""Collected results: the tidy rows and manifests that are committed, and how they are read.

``<report_dir>/results/<replication>/<frame>.csv`` (``.csv.gz`` above 1 MB) and beside them
``<experiment>.manifest.json``. Both are functions of the stored units alone, so that a run in
which every unit is kept rewrites nothing.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oldschool import paths
from oldschool.errors import DataError, StorageError, UserError
from oldschool.runs import digest, files, frames, store
from oldschool.runs.config import PROFILES, Settings
from oldschool.runs.experiment import Experiment, Unit
from oldschool.runs.locks import lock

if TYPE_CHECKING:
    import pandas as pd

GZIP_ABOVE = 1_000_000
SUFFIXES = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Stored:
    """A planned unit that is in the store."""

    unit: Unit
    folder: Path
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """A planned unit that could not be run."""

    unit: Unit
    digest: str
    error: str


def report_dir(settings: Settings, multirun: bool) -> Path:
    """Where the results of a run go.

    ``reports/`` for the default and paper profiles as they are declared; any other run gets a
    folder of its own in ``runs/reports/``, named by profile and a hash of what differs. The
    ``report_dir`` setting overrules this; in a multirun it holds a folder a combination.
    """
    profile = settings.config.profile
    name: str = profile
    if settings.what_if:
        name += "-" + digest.text_digest(digest.canonical(settings.what_if))[:8]
    forced = settings.config.report_dir
    if forced is not None:
        return Path(forced) / name if multirun else Path(forced)
    if settings.what_if or profile == PROFILES[0]:
        return paths.what_if_reports(name)
    return paths.reports()


def writing(report_dir: Path) -> AbstractContextManager[bool]:
    """Hold the right to write below a report folder; other processes wait."""
    name = digest.text_digest(str(report_dir.resolve()))
    return lock(paths.runs() / "locks" / f"{name}.lock")


def collect(
    report_dir: Path,
    settings: Settings,
    experiment: Experiment,
    stored: Sequence[Stored],
    failed: Sequence[Failed],
    data: Mapping[str, str],
) -> list[str]:
    """Write the frames and the manifest of one experiment.

    Args:
        report_dir: where to.
        settings: of the run.
        experiment: whose units they are.
        stored: the units to collect, in plan order.
        failed: the units that are missing, with their errors.
        data: {data set: sha256}.

    Returns:
        A line for every file: written and why, or up to date.

    Raises:
        StorageError: the folder cannot be written.
        UserError: units of different code do not fit together.
    """
    replication = settings.replication.name
    folder = paths.results(report_dir, replication)
    former = _former(folder, experiment.name)
    if former and PROFILES.index(former["profile"]) > PROFILES.index(settings.config.profile):
        return [
            f"{paths.shown(folder)}: {experiment.name} keeps its results of the higher profile "
            f"{former['profile']}; those of {settings.config.profile} stay in the store"
        ]
    contents = collected_texts(experiment, stored)
    manifest = _manifest(settings, experiment, stored, failed, data, contents, former)
    lines = []
    try:
        with writing(report_dir):
            for stale in folder.glob(".*.tmp"):
                stale.unlink(missing_ok=True)  # left by a killed process
            for name in experiment.frames:
                lines += _write_frame(folder, name, contents.get(name), former)
            _replace_manifest(folder, experiment, manifest)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return lines


def leave_out(
    report_dir: Path, settings: Settings, experiment: Experiment, reason: str
) -> list[str]:
    """Keep what was collected of an experiment whose data cannot be had, or note why not.

    Args:
        report_dir: where the results are.
        settings: of the run.
        experiment: which is not run.
        reason: why.

    Returns:
        A line that says what stands in the report.

    Raises:
        DataError: the manifest of what was collected is damaged; it stays.
        StorageError: the folder cannot be written.
    """
    name = settings.replication.name
    folder = paths.results(report_dir, name)
    former = load_manifest(report_dir, name, experiment.name)
    if former and former["frames"]:
        other = _otherwise(former, settings, experiment)
        stale = f"; they are of another {', '.join(other)}" if other else ""
        return [f"{paths.shown(folder)}: the rows collected earlier stay{stale}"]
    manifest = _manifest(settings, experiment, [], [], {}, {}, None) | {"unavailable": reason}
    try:
        with writing(report_dir):
            _replace_manifest(folder, experiment, manifest)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return []


def _otherwise(former: Mapping[str, Any], settings: Settings, experiment: Experiment) -> list[str]:
    """In what collected rows are not those that a run with ``settings`` would give."""
    wanted = digest.resolved_settings(experiment, settings.config)
    run = {"profile": settings.config.profile, "seed": settings.config.seed}
    other = digest.changed(former, run) + digest.changed(former["settings"], wanted)
    if {unit["code_version"] for unit in former["units"]} - {experiment.code_version}:
        other.append("code_version")
    return other


def collected_texts(experiment: Experiment, stored: Sequence[Stored]) -> dict[str, bytes]:
    """The frames of an experiment as the text that is collected; none if no unit is stored."""
    return {name: _concatenated(name, stored) for name in experiment.frames} if stored else {}


def load_frames(report_dir: Path, replication: str) -> Mapping[str, pd.DataFrame]:
    """All collected frames of a replication; those never run are absent.

    Raises:
        DataError: a file is damaged or not what its manifest says.
    """
    return frames.Parsed(load_texts(report_dir, replication))


def load_texts(report_dir: Path, replication: str) -> dict[str, bytes]:
    """All collected frames of a replication as CSV; those never run are absent.

    Raises:
        DataError: a file is damaged or not what its manifest says.
    """
    folder = paths.results(report_dir, replication)
    expected = {
        name: entry["sha256"]
        for file in sorted(folder.glob("*.manifest.json"))
        for name, entry in _read_manifest(file)["frames"].items()
    }
    found = {}
    for suffix in SUFFIXES:
        for file in sorted(folder.glob(f"*{suffix}")):
            name = file.name.removesuffix(suffix)
            content = _read(file)
            if name in expected and (content is None or frames.sha256(content) != expected[name]):
                raise DataError(_damage(file, replication))
            if content is not None:
                found[name] = content
    missing = expected.keys() - found.keys()
    if missing:
        raise DataError(_damage(folder / f"{min(missing)}.csv", replication))
    return dict(sorted(found.items()))


def load_manifest(report_dir: Path, replication: str, experiment: str) -> dict[str, Any] | None:
    """The manifest of an experiment's collected results; None if it was never collected.

    Raises:
        DataError: the file is damaged.
    """
    file = paths.results(report_dir, replication) / f"{experiment}.manifest.json"
    return _read_manifest(file) if file.is_file() else None


def place(unit: Unit) -> str:
    """What tells a unit from the others of its experiment, whatever its settings."""
    return digest.canonical([dict(unit.condition), unit.start, unit.stop])


def seconds(report_dir: Path, replication: str, experiment: str) -> dict[str, float]:
    """{place of a unit: seconds it took when its collected rows were made}."""
    former = _former(paths.results(report_dir, replication), experiment)
    return {
        place(Unit(experiment, unit["condition"], unit["start"], unit["stop"])): unit["seconds"]
        for unit in (former or {"units": ()})["units"]
    }


def _replace_manifest(folder: Path, experiment: Experiment, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, sort_keys=True, default=str) + "\n"
    files.replace_if_different(folder / f"{experiment.name}.manifest.json", text.encode())


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write {paths.shown(Path(error.filename or folder))}: "
        f"{error.strerror or error}; all finished units are kept in "
        f"{paths.shown(paths.store())}: put it right or set report_dir=FOLDER, and run again"
    )


def _damage(file: Path, replication: str) -> str:
    return (
        f"{paths.shown(file)} is not what its manifest says: "
        f"`make replicate-{replication}` writes it again"
    )


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_bytes())
        if PROFILES.count(manifest["profile"]) and manifest["frames"] is not None:
            return dict(manifest)
    except (ValueError, KeyError, TypeError):
        pass
    replication = file.parent.name
    raise DataError(
        f"{paths.shown(file)} is damaged: `make replicate-{replication}` writes it again"
    )


def _former(folder: Path, experiment: str) -> dict[str, Any] | None:
    """The manifest of rows that are there already, if it is whole."""
    with suppress(DataError, OSError):
        manifest = _read_manifest(folder / f"{experiment}.manifest.json")
        return None if "unavailable" in manifest else manifest
    return None


def _concatenated(name: str, stored: Sequence[Stored]) -> bytes:
    parts = [store.frame(entry.folder, name, entry.manifest) for entry in stored]
    for entry, part in zip(stored, parts, strict=True):
        if frames.header(part) != frames.header(parts[0]):
            raise UserError(
                f"frame {name}: {entry.unit.label()} and {stored[0].unit.label()} have different "
                f"columns: raise the code_version of {entry.unit.experiment}"
            )
    return frames.concatenate(parts)


def _read(file: Path) -> bytes | None:
    """Content of a results file, unpacked; None if it is absent or cannot be unpacked."""
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix == ".gz" else content
    except (FileNotFoundError, NotADirectoryError, EOFError, zlib.error, gzip.BadGzipFile):
        return None


def _write_frame(
    folder: Path, name: str, content: bytes | None, former: Mapping[str, Any] | None
) -> list[str]:
    """Write, keep or (``content`` None) remove one frame; a line for each file concerned."""
    suffix = ".csv.gz" if content is not None and len(content) > GZIP_ABOVE else ".csv"
    lines = []
    for other in SUFFIXES:
        if (content is None or other != suffix) and (folder / f"{name}{other}").is_file():
            (folder / f"{name}{other}").unlink()
            lines.append(f"{paths.shown(folder / f'{name}{other}')}: removed")
    if content is None:
        return lines
    file = folder / f"{name}{suffix}"
    before = _read(file)
    if before == content:
        return [*lines, f"{paths.shown(file)}: up to date"]
    known = former["frames"].get(name) if former else None
    if not file.exists():
        reason = "new"
    elif before is None or (known and frames.sha256(before) != known["sha256"]):
        reason = "written again (damaged: it did not match its manifest)"
    else:
        reason = "written again (rows changed)"
    packed = gzip.compress(content, compresslevel=9, mtime=0) if suffix == ".csv.gz" else content
    files.replace(file, packed)
    return [*lines, f"{paths.shown(file)}: {reason}"]


def _manifest(
    settings: Settings,
    experiment: Experiment,
    stored: Sequence[Stored],
    failed: Sequence[Failed],
    data: Mapping[str, str],
    contents: Mapping[str, bytes],
    former: Mapping[str, Any] | None,
) -> dict[str, Any]:
    environments: list[Any] = []
    units = []
    known = _by_digest(former)
    for entry in stored:
        unit = {key: entry.manifest[key] for key in ("digest", "code_version", "frames")}
        unit |= {key: entry.manifest[key] for key in ("condition", "start", "stop")}
        if experiment.reads:
            unit["inputs"] = entry.manifest["inputs"]
        # Rows that are the same as those collected before keep their record of when and where,
        # but for one from before starts, or cores and the kind of processor, were recorded.
        source: Mapping[str, Any] = known.get(entry.manifest["digest"], entry.manifest)
        recorded = "started" in source and "cores" in source["environment"]
        if source["frames"] != entry.manifest["frames"] or not recorded:
            source = entry.manifest
        if source["environment"] not in environments:
            environments.append(source["environment"])
        unit |= {
            "started": source["started"],
            "seconds": source["seconds"],
            "environment": environments.index(source["environment"]),
        }
        units.append(unit)
    # The declared settings leave no mark.
    what_if = {"what_if": settings.what_if} if settings.what_if else {}
    return what_if | {
        "replication": settings.replication.name,
        "experiment": experiment.name,
        "profile": settings.config.profile,
        "seed": settings.config.seed,
        "settings": digest.resolved_settings(experiment, settings.config),
        "data": dict(data),
        "frames": {
            name: {
                "rows": sum(entry.manifest["frames"][name]["rows"] for entry in stored),
                "sha256": frames.sha256(content),
            }
            for name, content in contents.items()
        },
        "units": units,
        "failed": [
            {
                "condition": dict(entry.unit.condition),
                "start": entry.unit.start,
                "stop": entry.unit.stop,
                "digest": entry.digest,
                "error": entry.error,
            }
            for entry in failed
        ],
        "environments": environments,
    }


def _by_digest(former: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The units of a collected manifest by digest, each with its environment spelled out."""
    if former is None:
        return {}
    return {
        unit["digest"]: {**unit, "environment": former["environments"][unit["environment"]]}
        for unit in former["units"]
    }
