"""Whether the committed report is what the code and the committed results give.

Each problem is one line that names a file and what differs. Nothing is written but a temporary
folder.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.claims.assess import Origin
from oldschool.errors import ConfigError, DataError, UserError
from oldschool.report import artefacts, committed, compare, crate, declared, readme, rerun
from oldschool.report.build import CLAIMS, build
from oldschool.report.inputs import origin
from oldschool.report.speed import measured_folder, speed_file
from oldschool.runs import frames, launch, reads, results
from oldschool.runs.config import Settings
from oldschool.runs.experiment import Experiment, Replication, Unit, labels

_DRAWINGS = (".svg", ".pdf")
Say = Callable[[str], None]


def verify(
    report_dir: Path, replications: Mapping[str, Replication], sample: int = 1, say: Say = print
) -> list[str]:
    """All that is wrong with a report folder.

    Results must be what their manifests say, of the code's ``code_version`` and of the settings
    that ``conf/`` declares and, where units read earlier rows, made from the committed ones;
    figures, tables, verdicts and pages made anew from them must be the committed ones; no file may
    be there that nothing makes; and a few units run again must give the committed rows.

    Args:
        report_dir: the folder to check.
        replications: all there are, by name.
        sample: units to run again of each experiment, always the same ones.
        say: takes lines that tell what was checked, and what could not be.

    Returns:
        A line for each problem; an empty list if all is well.
    """
    unsound: list[str] = []
    stale: list[str] = []
    current = []
    for replication in replications.values():
        composed: dict[Origin, Settings] = {}
        absent: list[str] = []
        for experiment in replication.experiments:
            try:
                manifest = results.load_manifest(report_dir, replication.name, experiment.name)
            except DataError as error:
                unsound.append(str(error))
                continue
            if manifest is None:
                absent.append(experiment.name)
                continue
            edited = _frame_problems(report_dir, replication, manifest)
            unsound += edited
            old = _stale(report_dir, replication, experiment, manifest)
            try:
                run = origin(manifest)
                if run not in composed:
                    composed[run] = declared.settings(replication, run)
                now = composed[run]
                old += declared.settings_problems(report_dir, experiment, manifest, now)
                if not old and not unsound:
                    old += declared.plan_problems(report_dir, experiment, manifest, now)
            except ConfigError as error:
                old.append(str(error))
            old = old or _made_from_others(report_dir, replication, experiment, manifest)
            stale += [line for line in old if line not in stale]
            if not edited and not old:
                current.append((replication, experiment, manifest))
        if len(absent) < len(replication.experiments):
            folder = paths.shown(paths.results(report_dir, replication.name))
            stale += [
                f"{folder}: no manifest of {name}, as the other experiments have: run "
                f"`make replicate-{replication.name}`"
                for name in absent
            ]
    problems = unsound + stale
    if unsound:
        say("figures, tables and pages: not compared, as results are not what they should be")
    else:
        problems += _report_problems(report_dir, replications.values(), say)
    problems += _strangers(report_dir, replications.values())
    for replication, experiment, manifest in current:
        problems += rerun.problems(report_dir, replication, experiment, manifest, sample, say)
    return problems


def _frame_problems(
    report_dir: Path, replication: Replication, manifest: Mapping[str, Any]
) -> list[str]:
    """Results files of one experiment that are not what its manifest says."""
    problems = []
    for frame, entry in manifest["frames"].items():
        file = committed.file_of(paths.results(report_dir, replication.name), frame)
        content = committed.read(file)
        if content is None:
            problems.append(f"{paths.shown(file)}: missing or unreadable, its manifest lists it")
            continue
        apart = [
            launch.unit_of(replication.experiment(manifest["experiment"]), unit)
            for unit, rows in zip(
                manifest["units"], committed.rows_by_unit(content, manifest, frame), strict=True
            )
            if frames.sha256(rows) != unit["frames"][frame]["sha256"]
        ]
        if apart:
            what = f"the rows of {labels(apart)} are not those that were run"
            problems.append(f"{paths.shown(file)}: edited: {what}")
        elif frames.sha256(content) != entry["sha256"]:
            problems.append(f"{paths.shown(file)}: edited: it is not what its manifest says")
    return problems


def _stale(
    report_dir: Path, replication: Replication, experiment: Experiment, manifest: Mapping[str, Any]
) -> list[str]:
    """Units whose rows come from another ``code_version`` than the code's."""
    versions = {unit["code_version"] for unit in manifest["units"]} - {experiment.code_version}
    if not versions:
        return []
    file = paths.results(report_dir, replication.name) / f"{experiment.name}.manifest.json"
    return [
        f"{paths.shown(file)}: rows of code_version {', '.join(map(str, sorted(versions)))}, the "
        f"code is at {experiment.code_version}: run `make replicate-{replication.name}`"
    ]


def _made_from_others(
    report_dir: Path, replication: Replication, experiment: Experiment, manifest: Mapping[str, Any]
) -> list[str]:
    """Units that have read other rows of an earlier frame than those that are committed."""
    folder = paths.results(report_dir, replication.name)
    earlier = committed.earlier(folder, experiment)
    apart: dict[str, list[Unit]] = {frame: [] for frame in experiment.reads}
    for record in manifest["units"]:
        unit = launch.unit_of(experiment, record)
        now = reads.hashes(earlier.rows(unit))
        for frame, units in apart.items():
            if frame not in now or record.get("inputs", {}).get(frame) != now[frame]:
                units.append(unit)
    file = folder / f"{experiment.name}.manifest.json"
    problems = []
    for frame, units in apart.items():
        if units:
            problems.append(
                f"{paths.shown(file)}: {labels(units)}: made from other rows of {frame} than "
                f"those committed: run `make replicate-{replication.name}`"
            )
    return problems


def _report_problems(report_dir: Path, replications: Iterable[Replication], say: Say) -> list[str]:
    """Files that differ from those made anew from the committed results."""
    problems = []
    with tempfile.TemporaryDirectory() as temporary:
        made_dir = Path(temporary)
        try:
            build(report_dir, replications, made_dir, lambda line: None, afresh=True)
            recorded = artefacts.Ledger(report_dir)
        except UserError as error:
            return [str(error)]
        made_with = artefacts.drawn_with()
        skipped = 0
        for made in sorted(file for file in made_dir.rglob("*") if file.is_file()):
            name = made.relative_to(made_dir).as_posix()
            file = report_dir / name
            if not file.is_file():
                problems.append(f"{paths.shown(file)}: missing: run `make report`")
                continue
            if name in (artefacts.LEDGER, crate.FILE):
                continue  # the first is a record of how files came about, the second comes last
            content = file.read_bytes()
            record = recorded.entry_of(name)
            if record and hashlib.sha256(content).hexdigest() != record["files"][name]:
                problems.append(f"{paths.shown(file)}: edited: it is not the file that was made")
            elif record and file.suffix in _DRAWINGS and record["drawn_with"] != made_with:
                skipped += 1
            elif what := compare.difference(name, content, made.read_bytes()):
                problems.append(f"{paths.shown(file)}: {what}: run `make report`")
        problems += _crate_problems(report_dir, made_dir, problems)
        if skipped:
            say(f"{skipped} SVG and PDF files: not compared, drawn by another matplotlib")
        problems += _unmade(report_dir, made_dir)
        problems += _readme_problems(report_dir, made_dir, replications)
    return problems


def _crate_problems(report_dir: Path, made_dir: Path, problems: Iterable[str]) -> list[str]:
    """What is wrong with the crate's metadata beside the files that have problems themselves."""
    file, made = report_dir / crate.FILE, (made_dir / crate.FILE).read_bytes()
    if not file.is_file():
        return []  # named with all others that are missing
    wrong = {line.partition(": ")[0] for line in problems}
    named = {
        name
        for each in made_dir.rglob("*")
        if paths.shown(report_dir / (name := each.relative_to(made_dir).as_posix())) in wrong
    }
    content = file.read_bytes()
    what = compare.difference(
        crate.FILE, content, crate.as_committed(made, content, report_dir, named)
    )
    return [f"{paths.shown(file)}: {what}: run `make report`"] if what else []


def _readme_problems(
    report_dir: Path, made_dir: Path, replications: Iterable[Replication]
) -> list[str]:
    """The README's scoreboard, if it is not what the claims made anew give."""
    file = readme.file_of(report_dir)
    if file is None:
        return []
    text = file.read_text(encoding="utf-8")
    if not readme.has_scoreboard(text):
        return [f"{paths.shown(file)}: no scoreboard between {readme.START} and {readme.END}"]
    claims = (made_dir / CLAIMS).read_text(encoding="utf-8")
    if readme.updated(text, claims, replications) == text:
        return []
    return [f"{paths.shown(file)}: its scoreboard is not that of {CLAIMS}: run `make report`"]


def _unmade(report_dir: Path, made_dir: Path) -> list[str]:
    """Files outside ``results/`` that making the report anew does not give."""
    problems = []
    for file in sorted(report_dir.rglob("*")):
        name = file.relative_to(report_dir)
        passed = name.parts[0] == "results" or any(part.startswith(".") for part in name.parts)
        measured = file == speed_file(report_dir) or file.parent == measured_folder(report_dir)
        passed = passed or measured
        if file.is_file() and not passed and not (made_dir / name).is_file():
            problems.append(f"{paths.shown(file)}: nothing makes this file: remove it")
    return problems


def _strangers(report_dir: Path, replications: Iterable[Replication]) -> list[str]:
    """Files in ``results/`` that no experiment writes."""
    known = set()
    for replication in replications:
        folder = paths.results(report_dir, replication.name)
        for experiment in replication.experiments:
            known.add(folder / f"{experiment.name}.manifest.json")
            for frame in experiment.frames:
                known.update(folder / f"{frame}{suffix}" for suffix in results.SUFFIXES)
    return [
        f"{paths.shown(file)}: no experiment writes this file: remove it"
        for file in sorted((report_dir / "results").rglob("*"))
        if file.is_file() and file not in known and not file.name.startswith(".")
    ]
