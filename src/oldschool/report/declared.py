"""Whether collected rows are those of the settings that ``conf/`` declares now; nothing is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.claims.assess import Origin, command
from oldschool.report import committed
from oldschool.report.inputs import origin
from oldschool.runs import config, digest, frames, launch, results
from oldschool.runs.config import Settings
from oldschool.runs.experiment import Experiment, Replication, Unit, labels


def settings(replication: Replication, run: Origin) -> Settings:
    """What a run has to be, by ``conf/`` as it is now; what it set itself stays.

    Raises:
        ConfigError: ``conf/`` cannot be read, or a value in it is out of range.
    """
    return config.settings(replication, [f"profile={run.profile}", *run.overrides])


def settings_problems(
    report_dir: Path, experiment: Experiment, manifest: Mapping[str, Any], now: Settings
) -> list[str]:
    """A line for every setting that was another one when the rows were computed.

    Args:
        report_dir: holds ``results/``.
        experiment: whose rows they are.
        manifest: its collected manifest.
        now: what :func:`settings` gives for its run.
    """
    if "unavailable" in manifest:
        return []
    before = {"seed": manifest["seed"], **manifest["settings"]}
    wanted = {"seed": now.config.seed, **digest.resolved_settings(experiment, now.config)}
    files = config.sources(now.replication, now.config.profile)
    problems = []
    for key, (old, new) in digest.differences(before, wanted).items():
        file = config.declared_in(files, key)
        says = f"{paths.shown(file)} says" if file else "the code's default is"
        problems.append(
            f"{_file(report_dir, manifest)}: rows of {key} {digest.canonical(old)}, {says} "
            f"{digest.canonical(new)}: run `{_command(manifest)}`"
        )
    return problems


def plan_problems(
    report_dir: Path, experiment: Experiment, manifest: Mapping[str, Any], now: Settings
) -> list[str]:
    """Units that are not those of the plan, where the settings are.

    The plan is made from the committed rows that it reads. Units whose digest is not that of the
    settings, of the data and of the rows that their manifest says they are of, count too.
    Arguments are those of :func:`settings_problems`.
    """
    if "unavailable" in manifest:
        return []
    folder = paths.results(report_dir, now.replication.name)
    needed = {}
    for frame in _frames(now.replication, experiment.needs):
        text = committed.read(committed.file_of(folder, frame))
        if text is None:
            return []
        needed[frame] = frames.from_csv(text)
    planned = {results.place(unit): unit for unit in experiment.plan(now.config, needed)}
    records = [(record, launch.unit_of(experiment, record)) for record in _records(manifest)]
    collected = {results.place(unit): unit for _, unit in records}
    other = [
        unit
        for record, unit in records
        if results.place(unit) in planned
        and record["digest"] != _digest(experiment, now.config, unit, manifest["data"], record)
    ]
    found = [
        ("the plan has it, the rows have not", _lacking(planned, collected)),
        ("the plan has it not", _lacking(collected, planned)),
        ("its digest is not that of its settings", other),
    ]
    return [
        f"{_file(report_dir, manifest)}: {labels(units)}: {what}: run `{_command(manifest)}`"
        for what, units in found
        if units
    ]


def _digest(
    experiment: Experiment,
    settings: Any,
    unit: Unit,
    data: Mapping[str, str],
    record: Mapping[str, Any],
) -> str:
    # A failed unit's record does not say what rows it read.
    if experiment.reads and "inputs" not in record:
        return str(record["digest"])
    return digest.unit_digest(experiment, settings, unit, data, record.get("inputs"))


def _records(manifest: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [*manifest["units"], *manifest["failed"]]


def _frames(replication: Replication, experiments: Iterable[str]) -> list[str]:
    return [frame for name in experiments for frame in replication.experiment(name).frames]


def _lacking(units: Mapping[str, Unit], others: Mapping[str, Unit]) -> list[Unit]:
    return [unit for key, unit in units.items() if key not in others]


def _file(report_dir: Path, manifest: Mapping[str, Any]) -> str:
    folder = paths.results(report_dir, manifest["replication"])
    return paths.shown(folder / f"{manifest['experiment']}.manifest.json")


def _command(manifest: Mapping[str, Any]) -> str:
    return command(manifest["replication"], origin(manifest))
