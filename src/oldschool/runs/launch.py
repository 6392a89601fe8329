"""Running a replication: plan, keep what is up to date, run the rest, collect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oldschool import paths
from oldschool.errors import DataError, StorageError, UnavailableError, UserError
from oldschool.runs import digest, files, provenance, results, store, worker
from oldschool.runs.config import Settings, instance
from oldschool.runs.experiment import Experiment, Replication, Unit
from oldschool.runs.pool import Pool
from oldschool.runs.progress import Bar, Display
from oldschool.runs.results import Failed, Stored
from oldschool.runs.work import UP_TO_DATE, Work, title
from oldschool.runs.worker import Outcome, Task

if TYPE_CHECKING:
    import pandas as pd


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
        StorageError: the store or the report folder cannot be written. Where it is the store, no
            experiment that is not over is collected.
        UserError: units of different code do not fit together; everything else was done.
        KeyboardInterrupt: interrupted; finished units are kept.
    """
    save_config(settings)
    course = _Course(settings, report_dir, display)
    with Pool(_jobs(settings)) as pool, display:
        for task, outcome in pool.run(course.next_task, course.started):
            course.done(task, outcome)
    if problems := course.problems():
        raise next((one for one in problems if isinstance(one, StorageError)), problems[0])
    return course.changed


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


class _Course:
    """How far a run is.

    An experiment is begun when a worker is free, those that it needs are over, and those declared
    before it have no unit left to give: no worker is idle while the last units of one are run.

    Attributes:
        changed: whether any unit was run or any collected row written.
    """

    def __init__(self, settings: Settings, report_dir: Path, display: Display) -> None:
        self.changed = False
        self._settings, self._report_dir, self._display = settings, report_dir, display
        names = [experiment.name for experiment in settings.replication.experiments]
        self._numbers = {name: number for number, name in enumerate(names, start=1)}
        self._waiting = set(names)  # not begun
        self._works: dict[str, Work] = {}  # begun and not over
        self._bars: dict[str, Bar] = {}
        self._stored: dict[str, list[Stored]] = {}  # of those over without a failure
        self._lacking: dict[str, DataError] = {}  # {experiment: why its data cannot be had}
        self._problems: dict[str, list[UserError]] = {name: [] for name in names}

    def problems(self) -> list[UserError]:
        """What went wrong, in the order in which the experiments are declared."""
        return [problem for problems in self._problems.values() for problem in problems]

    def next_task(self) -> Task | None:
        """A task to run; None if there is none before another is done, or none at all."""
        for experiment in self._settings.replication.experiments:
            name = experiment.name
            unsettled = self._waiting | self._works.keys()
            if name in self._waiting and unsettled.isdisjoint(experiment.needs):
                self._waiting.remove(name)
                try:
                    self._begin(experiment)
                except UserError as error:  # it does not keep the rest from being run
                    self._display.say(f"{title(self._settings, name)}: not run: {error}")
                    self._problems[name].append(error)
            if name in self._works and self._works[name].todo:
                return self._works[name].todo.popleft()
        return None

    def started(self, task: Task) -> None:
        """A task is begun."""
        self._bars[task.unit.experiment].start(_in_bar(task))

    def done(self, task: Task, outcome: Outcome) -> None:
        """A task is done.

        Raises:
            StorageError: the store cannot be written.
        """
        work, label = self._works[task.unit.experiment], task.unit.label()
        self._bars[task.unit.experiment].finish(_in_bar(task))
        if outcome.status == "unwritable":
            raise StorageError(
                f"cannot write the store: {outcome.message}; all finished units are kept: "
                "put it right and run again"
            )
        if outcome.status == "failed":
            self._display.say(f"failed: {work.title} {label}: {outcome.message}")
        work.note(task, outcome)
        if work.is_over:
            self._end(work)

    def _begin(self, experiment: Experiment) -> None:
        """Plan an experiment, or say why it cannot be run."""
        settings, name = self._settings, experiment.name
        absent = [need for need in experiment.needs if need not in self._stored]
        if absent and absent[0] in self._lacking:
            self._leave_out(experiment, self._lacking[absent[0]])
            return
        if absent:
            shown = title(settings, name)
            problem = UnitsFailedError(f"{shown} was not run: {absent[0]} has failed")
            self._problems[name].append(problem)
            self._display.say(f"{shown}: not run, because {absent[0]} has failed")
            return
        earlier: dict[str, bytes] = {}
        for need in experiment.needs:
            needed = settings.replication.experiment(need)
            earlier |= results.collected_texts(needed, self._stored[need])
        try:
            data = experiment.data(settings.config)
        except DataError as error:
            if not isinstance(error, UnavailableError):
                self._problems[name].append(error)
            self._leave_out(experiment, error)
            return
        seconds = results.seconds(self._report_dir, settings.replication.name, name)
        work = Work(settings, experiment, earlier, data, seconds)
        for task in work.todo:
            reason = work.reasons[task.digest]
            if reason.startswith("damaged") or (self._display.is_live and reason != "new"):
                self._display.say(f"{task.unit.label()}: {reason}")
        self._works[name] = work
        shown = f"{work.title} ({self._numbers[name]} of {len(self._numbers)})"
        self._bars[name] = self._display.bar(shown, len(work.todo))
        if work.is_over:
            self._end(work)

    def _end(self, work: Work) -> None:
        """Collect an experiment all of whose units are stored or have failed."""
        name = work.experiment.name
        del self._works[name]
        self._bars.pop(name).close()
        self._display.say(work.summary())
        done, failed = work.stored(), work.failed()
        if failed:
            self._problems[name].append(_failure(self._settings, work, failed, len(done)))
        else:
            self._stored[name] = done
        try:
            lines = results.collect(
                self._report_dir, self._settings, work.experiment, done, failed, work.data
            )
        except UserError as error:
            self._problems[name].append(error)
            if not isinstance(error, StorageError):
                self._stored.pop(name, None)  # rows that do not fit together serve no other
            return
        for line in lines:
            self._display.say(f"  {line}")
        self.changed |= not work.kept or not all(line.endswith(UP_TO_DATE) for line in lines)

    def _leave_out(self, experiment: Experiment, error: DataError) -> None:
        """Say that an experiment is not run, and leave its collected rows or the reason behind."""
        self._lacking[experiment.name] = error
        reason = error.reason if isinstance(error, UnavailableError) else str(error)
        self._display.say(f"{title(self._settings, experiment.name)}: not run: {error}")
        try:
            lines = results.leave_out(self._report_dir, self._settings, experiment, reason)
        except (DataError, StorageError) as problem:
            self._problems[experiment.name].append(problem)
            return
        for line in lines:
            self._display.say(f"  {line}")


def _in_bar(task: Task) -> str:
    """A unit beside the name of its experiment."""
    return task.unit.label().removeprefix(task.unit.experiment)


def _failure(
    settings: Settings, work: Work, failed: Sequence[Failed], done: int
) -> UnitsFailedError:
    first = failed[0]
    folder = store.folder(settings.replication.name, work.experiment.name, first.digest)
    record = folder.with_name(f"{first.digest}.error.json")
    return UnitsFailedError(
        f"{len(failed)} of {len(failed) + done} units of {work.title} failed, the first: "
        f"{first.unit.label()}: {first.error} (see {paths.shown(record)})"
    )


def _jobs(settings: Settings) -> int:
    jobs: int | None = settings.config.jobs
    if jobs is not None:
        return jobs
    return max(1, provenance.cores() // int(settings.config.threads))
