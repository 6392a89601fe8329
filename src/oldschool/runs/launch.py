"""Running a replication: plan, keep what is up to date, run the rest, collect."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oldschool import paths
from oldschool.errors import DataError, StorageError, UnavailableError, UserError
from oldschool.runs import digest, files, frames, provenance, reads, results, store, worker
from oldschool.runs.config import Settings, instance
from oldschool.runs.experiment import Experiment, Replication, Unit
from oldschool.runs.pool import Pool
from oldschool.runs.progress import Display
from oldschool.runs.results import Failed, Stored
from oldschool.runs.worker import Task

if TYPE_CHECKING:
    import pandas as pd

UP_TO_DATE = "up to date"


class UnitsFailedError(UserError):
    """Some units failed; all others were run and collected."""


def run(settings: Settings, report_dir: Path, display: Display) -> bool:
    """Run all experiments of a replication and collect their results.

    Args:
        settings: what to run.
        report_dir: where the collected results go.
        display: where to say what is run, kept and why.

    Returns:
        Whether any unit was run or any collected row written; if not, all was up to date.

    Raises:
        UnitsFailedError: a unit failed; everything else was done.
        DataError: data or a manifest are damaged; everything else was done.
        StorageError: the store or the report folder cannot be written.
        KeyboardInterrupt: interrupted; finished units are kept.
    """
    save_config(settings)
    problems: list[UserError] = []
    stored: dict[str, list[Stored]] = {}
    lacking: dict[str, DataError] = {}  # {experiment: why its data cannot be had}
    changed = False
    with Pool(_jobs(settings)) as pool:
        for experiment in settings.replication.experiments:
            title = f"{settings.replication.name}/{experiment.name}"
            absent = [need for need in experiment.needs if need not in stored]
            if absent and absent[0] in lacking:
                lacking[experiment.name] = lacking[absent[0]]
                problems += _leave_out(settings, experiment, report_dir, lacking, display)
                continue
            if absent:
                problems.append(UnitsFailedError(f"{title} was not run: {absent[0]} has failed"))
                display.say(f"{title}: not run, because {absent[0]} has failed")
                continue
            earlier: dict[str, bytes] = {}
            for need in experiment.needs:
                needed = settings.replication.experiment(need)
                earlier |= results.collected_texts(needed, stored[need])
            try:
                data = experiment.data(settings.config)
            except DataError as error:
                if not isinstance(error, UnavailableError):
                    problems.append(error)
                lacking[experiment.name] = error
                problems += _leave_out(settings, experiment, report_dir, lacking, display)
                continue
            seconds = results.seconds(report_dir, settings.replication.name, experiment.name)
            done, failed, kept = _run_experiment(
                settings, experiment, earlier, data, seconds, pool, display
            )
            if failed:
                problems.append(_failure(title, failed, len(done)))
            else:
                stored[experiment.name] = done
            try:
                lines = results.collect(report_dir, settings, experiment, done, failed, data)
            except StorageError as error:
                problems.append(error)
                continue
            for line in lines:
                display.say(f"  {line}")
            changed |= not kept or not all(line.endswith(UP_TO_DATE) for line in lines)
    if problems:
        raise next((one for one in problems if isinstance(one, StorageError)), problems[0])
    return changed


def rerun(
    replication: Replication,
    experiment: Experiment,
    unit_record: Mapping[str, Any],
    manifest: Mapping[str, Any],
    inputs: Mapping[str, bytes] | None = None,
) -> dict[str, pd.DataFrame]:
    """Run one collected unit again, in this process, past the store.

    Args:
        replication: the experiment's replication.
        experiment: whose unit it is.
        unit_record: the unit's entry in the collected manifest.
        manifest: the collected manifest, whose settings and seed are used.
        inputs: {frame: the rows that the unit reads, as CSV}, where the experiment reads.
    """
    unit = unit_of(experiment, unit_record)
    config = instance(replication, {**manifest["settings"], "seed": manifest["seed"]})
    return worker.run_unit(replication, experiment, unit, config, inputs or {})


def unit_of(experiment: Experiment, record: Mapping[str, Any]) -> Unit:
    """The unit that a manifest or an entry of a collected manifest is about."""
    return Unit(experiment.name, dict(record["condition"]), record["start"], record["stop"])


def save_config(settings: Settings) -> Path:
    """Keep the resolved settings of a run, named by what is in them.

    Raises:
        StorageError: ``runs/`` cannot be written.
    """
    text = yaml.safe_dump(settings.values, sort_keys=False)
    name = f"{settings.replication.name}-{digest.text_digest(text)}.yaml"
    file = paths.saved_configs() / name
    try:
        files.replace_if_different(file, text.encode())
    except OSError as error:
        raise StorageError(
            f"cannot write {paths.shown(file)}: {error.strerror or error}"
        ) from error
    return file


def _run_experiment(
    settings: Settings,
    experiment: Experiment,
    earlier: Mapping[str, bytes],
    data: Mapping[str, str],
    seconds: Mapping[str, float],
    pool: Pool,
    display: Display,
) -> tuple[list[Stored], list[Failed], bool]:
    """What is stored of an experiment, what has failed, and whether all was up to date."""
    title = f"{settings.replication.name}/{experiment.name}"
    values = worker.run_values(settings.values, experiment)
    needed = frames.Parsed(earlier)
    readable = reads.Earlier(experiment, earlier)
    tasks = []
    for unit in experiment.plan(settings.config, needed):
        inputs = readable.rows(unit)
        key = digest.unit_digest(experiment, settings.config, unit, data, reads.hashes(inputs))
        name, commit = settings.replication.name, provenance.commit()
        tasks.append(Task(name, unit, key, values, data, commit, inputs))
    _check_distinct(title, tasks)
    reasons = _reasons(settings, experiment, tasks)
    todo = [task for task in tasks if reasons[task.digest] != UP_TO_DATE]
    # The longest first, new ones before them, so that no worker is left alone with a long one.
    todo.sort(key=lambda task: -seconds.get(results.place(task.unit), math.inf))
    for task in todo:
        reason = reasons[task.digest]
        if display.is_live or reason.startswith("damaged"):
            display.say(f"{task.unit.label()}: {reason}")
    errors: dict[str, str] = {}
    with display.bar(title, len(todo)) as bar:
        for task, outcome in pool.run(todo, lambda task: bar.start(task.unit.label())):
            bar.finish(task.unit.label())
            if outcome.status == "unwritable":
                raise StorageError(
                    f"cannot write the store: {outcome.message}; all finished units are kept: "
                    "put it right and run again"
                )
            if outcome.status == "failed":
                errors[task.digest] = outcome.message
                display.say(f"failed: {title} {task.unit.label()}: {outcome.message}")
            elif outcome.status == "kept":
                reasons[task.digest] = "done by another process"
    display.say(_summary(title, tasks, reasons, errors))
    done = [
        Stored(task.unit, task.folder, store.load(task.folder))
        for task in tasks
        if task.digest not in errors
    ]
    failed = [
        Failed(task.unit, task.digest, errors[task.digest])
        for task in tasks
        if task.digest in errors
    ]
    return done, failed, not todo


def _leave_out(
    settings: Settings,
    experiment: Experiment,
    report_dir: Path,
    lacking: Mapping[str, DataError],
    display: Display,
) -> list[UserError]:
    """Say that an experiment is not run, and leave its collected rows or the reason behind.

    Returns:
        What went wrong with that.
    """
    error = lacking[experiment.name]
    reason = error.reason if isinstance(error, UnavailableError) else str(error)
    display.say(f"{settings.replication.name}/{experiment.name}: not run: {error}")
    try:
        for line in results.leave_out(report_dir, settings, experiment, reason):
            display.say(f"  {line}")
    except (DataError, StorageError) as problem:
        return [problem]
    return []


def _check_distinct(title: str, tasks: Sequence[Task]) -> None:
    counts = Counter(task.digest for task in tasks)
    for task in tasks:
        if counts[task.digest] > 1:
            raise ValueError(f"{title}: the plan has {task.unit.label()} more than once")


def _reasons(settings: Settings, experiment: Experiment, tasks: Sequence[Task]) -> dict[str, str]:
    """For each task's digest why it has to be run, or that it is up to date."""
    reasons: dict[str, str] = {}
    wanted = digest.unit_settings(experiment, settings.config)
    unknown = []
    for task in tasks:
        try:
            manifest = store.load(task.folder)
        except store.DamagedError as error:
            reasons[task.digest] = f"damaged: {error}"
        except store.MissingError:
            unknown.append(task)
        else:
            # A default that was changed in the code changes settings but not the digest.
            names = digest.changed(manifest["settings"], wanted)
            reasons[task.digest] = f"settings changed: {', '.join(names)}" if names else UP_TO_DATE
    if unknown:
        newest: dict[str, dict[str, Any]] = {}
        for manifest in store.manifests(settings.replication.name, experiment.name):
            key = digest.canonical([manifest["condition"], manifest["start"], manifest["stop"]])
            newest.setdefault(key, manifest)
        for task in unknown:
            unit = task.unit
            reasons[task.digest] = _change(
                newest.get(results.place(unit)), experiment, wanted, task, settings.config.seed
            )
    return reasons


def _change(
    before: Mapping[str, Any] | None,
    experiment: Experiment,
    wanted: Mapping[str, Any],
    task: Task,
    seed: int,
) -> str:
    """What has changed since the newest stored unit of the same condition and block."""
    if before is None:
        return "new"
    changes = []
    if before["code_version"] != experiment.code_version:
        changes.append(f"code_version {before['code_version']} -> {experiment.code_version}")
    if before["data"] != dict(task.data):
        changes.append("data changed")
    read, now = before.get("inputs", {}), reads.hashes(task.inputs)
    if read.keys() != now.keys():
        changes.append("other frames read")
    changes += [
        f"rows of {name} changed" for name in now if name in read and read[name] != now[name]
    ]
    if names := digest.changed(before["settings"], wanted):
        changes.append(f"settings changed: {', '.join(names)}")
    if before["seed"] != seed:
        changes.append(f"seed {before['seed']} -> {seed}")
    return "; ".join(changes) or "settings added"


def _summary(
    title: str, tasks: Sequence[Task], reasons: Mapping[str, str], errors: Mapping[str, str]
) -> str:
    groups: dict[str, Counter[str]] = {"kept": Counter(), "run": Counter(), "failed": Counter()}
    for task in tasks:
        reason = reasons[task.digest]
        if task.digest in errors:
            groups["failed"][errors[task.digest]] += 1
        elif reason in (UP_TO_DATE, "done by another process"):
            groups["kept"][reason] += 1
        else:
            groups["run"]["damaged" if reason.startswith("damaged") else reason] += 1
    parts = []
    for verb, counts in groups.items():
        if counts:
            each = [
                reason if len(counts) == 1 else f"{count} {reason}"
                for reason, count in counts.most_common()
            ]
            parts.append(f"{counts.total()} {verb} ({', '.join(each)})")
    return f"{title}: {len(tasks)} units: {', '.join(parts) or 'nothing to do'}"


def _failure(title: str, failed: Sequence[Failed], done: int) -> UnitsFailedError:
    first = failed[0]
    experiment = title.partition("/")
    record = store.folder(experiment[0], experiment[2], first.digest).with_name(
        f"{first.digest}.error.json"
    )
    return UnitsFailedError(
        f"{len(failed)} of {len(failed) + done} units of {title} failed, the first: "
        f"{first.unit.label()}: {first.error} (see {paths.shown(record)})"
    )


def _jobs(settings: Settings) -> int:
    jobs: int | None = settings.config.jobs
    if jobs is not None:
        return jobs
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // int(settings.config.threads))
