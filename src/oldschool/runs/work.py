"""The units of one experiment in a run: what is kept, what is run and why, what has failed."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any

from oldschool.runs import digest, frames, provenance, reads, results, store, worker
from oldschool.runs.config import Settings
from oldschool.runs.experiment import Experiment
from oldschool.runs.results import Failed, Stored
from oldschool.runs.worker import Outcome, Task

UP_TO_DATE = "up to date"


def title(settings: Settings, experiment: str) -> str:
    """An experiment as it is named to the user."""
    return f"{settings.replication.name}/{experiment}"


class Work:
    """An experiment's planned units, from the plan to the last outcome.

    Attributes:
        experiment: whose units they are.
        title: replication and experiment.
        data: {data set: sha256}.
        reasons: {a task's digest: why it has to be run, or that it is up to date}.
        todo: tasks to be run that nobody has been given, the longest first.
        kept: whether there was nothing to run.
    """

    def __init__(
        self,
        settings: Settings,
        experiment: Experiment,
        earlier: Mapping[str, bytes],
        data: Mapping[str, str],
        seconds: Mapping[str, float],
    ) -> None:
        """Plan.

        Args:
            settings: of the run.
            experiment: whose units are planned.
            earlier: {frame: collected rows as CSV} of the experiments that it needs.
            data: {data set: sha256}.
            seconds: {place: how long the unit took when it was last run}.
        """
        self.experiment, self.data = experiment, data
        self.title = title(settings, experiment.name)
        values = worker.run_values(settings.values, experiment)
        readable = reads.Earlier(experiment, earlier)
        self._tasks = []
        for unit in experiment.plan(settings.config, frames.Parsed(earlier)):
            inputs = readable.rows(unit)
            key = digest.unit_digest(experiment, settings.config, unit, data, reads.hashes(inputs))
            name, commit = settings.replication.name, provenance.commit()
            self._tasks.append(Task(name, unit, key, values, data, commit, inputs))
        _check_distinct(self.title, self._tasks)
        self.reasons = _reasons(settings, experiment, self._tasks)
        todo = [task for task in self._tasks if self.reasons[task.digest] != UP_TO_DATE]
        # New ones before the longest, so that no worker is left alone with a long one.
        todo.sort(key=lambda task: -seconds.get(results.place(task.unit), math.inf))
        self.todo = deque(todo)
        self.kept = not todo
        self._awaited = len(todo)
        self._errors: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether all outcomes are known."""
        return self._awaited == 0

    def note(self, task: Task, outcome: Outcome) -> None:
        """What became of one of the tasks."""
        self._awaited -= 1
        if outcome.status == "failed":
            self._errors[task.digest] = outcome.message
        elif outcome.status == "kept":
            self.reasons[task.digest] = "done by another process"

    def stored(self) -> list[Stored]:
        """The units that are in the store, in plan order."""
        return [
            Stored(task.unit, task.folder, store.load(task.folder))
            for task in self._tasks
            if task.digest not in self._errors
        ]

    def failed(self) -> list[Failed]:
        """The units that are not, in plan order."""
        return [
            Failed(task.unit, task.digest, self._errors[task.digest])
            for task in self._tasks
            if task.digest in self._errors
        ]

    def summary(self) -> str:
        """One line: how many units were kept, run and failed, and why."""
        groups: dict[str, Counter[str]] = {"kept": Counter(), "run": Counter(), "failed": Counter()}
        for task in self._tasks:
            reason = self.reasons[task.digest]
            if task.digest in self._errors:
                groups["failed"][self._errors[task.digest]] += 1
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
        return f"{self.title}: {len(self._tasks)} units: {', '.join(parts) or 'nothing to do'}"


def _check_distinct(shown: str, tasks: Sequence[Task]) -> None:
    counts = Counter(task.digest for task in tasks)
    for task in tasks:
        if counts[task.digest] > 1:
            raise ValueError(f"{shown}: the plan has {task.unit.label()} more than once")


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
