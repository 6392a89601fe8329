"""One work unit from task to store: what happens inside a worker process."""

from __future__ import annotations

import copy
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from oldschool.runs import checkpoint, digest, frames, provenance, reads, registry, store
from oldschool.runs.config import RunConfig, instance
from oldschool.runs.experiment import Experiment, Replication, Run, RunOnRows, Unit
from oldschool.runs.seeds import Seeds

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["run", "kept", "busy", "failed", "unwritable"]


@dataclass(frozen=True)
class Task:
    """A unit to run, in plain values that travel between processes.

    Attributes:
        replication: its name.
        unit: what to run.
        digest: the unit's digest.
        values: plain settings of the run.
        data: {data set: sha256}.
        commit: commit and whether dirty.
        inputs: {frame: the rows that the unit reads, as CSV}.
    """

    replication: str
    unit: Unit
    digest: str
    values: Mapping[str, Any]
    data: Mapping[str, str]
    commit: Mapping[str, Any]
    inputs: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return store.folder(self.replication, self.unit.experiment, self.digest)


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        status: ``run``; ``kept`` when another process finished it first; ``busy`` when another
            process is at it; ``failed``; ``unwritable`` when the store could not be written.
        message: one line for a unit that failed or could not be written.
    """

    status: Status
    message: str = ""


def execute(task: Task, wait: bool) -> Outcome:
    """Run a unit and store it, unless another process has done so or is at it.

    Args:
        task: what to run.
        wait: whether to wait for another process that is at it.
    """
    try:
        with store.locked(task.folder, wait) as held:
            return _execute(task) if held else Outcome("busy")
    except OSError as error:
        return Outcome("unwritable", f"{error.filename or task.folder}: {error.strerror or error}")


def _execute(task: Task) -> Outcome:
    replication = registry.find(task.replication)
    experiment = replication.experiment(task.unit.experiment)
    config = instance(replication, task.values)
    if _is_current(task, experiment, config):
        return Outcome("kept")
    record = {**_identity(task, experiment, config), "started": _now()}
    clock = time.perf_counter()
    try:
        with checkpoint.kept_in(task.folder.with_suffix(".checkpoint")):
            contents = run_unit(replication, experiment, task.unit, config, task.inputs)
        texts = {name: frames.to_csv(frame) for name, frame in contents.items()}
    except Exception as error:
        return fail(task, describe(error), traceback.format_exc())
    record |= {
        "status": "done",
        "seconds": round(time.perf_counter() - clock, 3),
        "environment": {**task.commit, **provenance.environment()},
        "frames": {
            name: {"rows": len(contents[name]), "sha256": frames.sha256(text)}
            for name, text in texts.items()
        },
    }
    store.save(task.folder, texts, record)
    return Outcome("run")


def fail(task: Task, message: str, trace: str | None = None) -> Outcome:
    """Record that a unit failed.

    Args:
        task: the unit's task.
        message: one line.
        trace: the traceback; None if the process died, so that there is none.

    Raises:
        OSError: the store cannot be written.
    """
    replication = registry.find(task.replication)
    experiment = replication.experiment(task.unit.experiment)
    record = {
        **_identity(task, experiment, instance(replication, task.values)),
        "status": "failed",
        "error": message,
        "environment": {**task.commit, **provenance.environment()},
    }
    if trace is not None:
        record["traceback"] = trace
    store.save_error(task.folder, record)
    return Outcome("failed", message)


def _is_current(task: Task, experiment: Experiment, config: Any) -> bool:
    """Whether the store has the unit, whole and with these settings."""
    try:
        manifest = store.load(task.folder)
    except (store.MissingError, store.DamagedError):
        return False
    return not digest.changed(manifest["settings"], digest.unit_settings(experiment, config))


def run_unit(
    replication: Replication,
    experiment: Experiment,
    unit: Unit,
    config: Any,
    inputs: Mapping[str, bytes],
) -> dict[str, pd.DataFrame]:
    """Call ``experiment.run`` with the settings it has declared, and check what it returns.

    The config it gets lacks the nodes it has not declared, so that a unit cannot depend on a
    setting that is not in its digest; nor does it get other rows than those it reads.

    Args:
        replication: the experiment's replication.
        experiment: what to run.
        unit: condition and block.
        config: instance of the replication's schema.
        inputs: {frame: the rows that the unit reads, as CSV}.

    Raises:
        ValueError: the frames are not those declared, or one has no columns.
        Exception: whatever the experiment raises.
    """
    declared = copy.copy(config)
    for node in replication.schema:
        if node not in experiment.settings:
            delattr(declared, node)
    provenance.set_threads(config.threads)
    seeds = Seeds(config.seed)
    if experiment.reads:
        rows = {name: frames.from_csv(inputs[name]) for name in experiment.reads}
        result = dict(cast(RunOnRows, experiment.run)(declared, unit, seeds, rows))
    else:
        result = dict(cast(Run, experiment.run)(declared, unit, seeds))
    if set(result) != set(experiment.frames):
        raise ValueError(f"returned frames {sorted(result)}, declared {sorted(experiment.frames)}")
    for name, frame in result.items():
        if len(frame.columns) == 0:
            raise ValueError(f"frame {name} has no columns")
    return {name: result[name] for name in experiment.frames}


def describe(error: BaseException) -> str:
    """An exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def run_values(values: Mapping[str, Any], experiment: Experiment) -> dict[str, Any]:
    """The part of the settings that a unit of the experiment gets."""
    common = {entry.name for entry in fields(RunConfig)}
    return {key: value for key, value in values.items() if key in common | {*experiment.settings}}


def _identity(task: Task, experiment: Experiment, config: Any) -> dict[str, Any]:
    inputs = {"inputs": reads.hashes(task.inputs)} if experiment.reads else {}
    return inputs | {
        "replication": task.replication,
        "experiment": experiment.name,
        "condition": dict(task.unit.condition),
        "start": task.unit.start,
        "stop": task.unit.stop,
        "digest": task.digest,
        "code_version": experiment.code_version,
        "seed": config.seed,
        "settings": digest.unit_settings(experiment, config),
        "data": dict(task.data),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
