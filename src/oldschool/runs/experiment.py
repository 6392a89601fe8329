"""What an experiment is: a plan of work units, and a function from a unit to tidy rows.

A replication (a folder of ``replications/``) exports one :class:`Replication`; the rest of
the package reads everything it needs to know about a paper from that object, and so never
names a paper itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oldschool.runs.seeds import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MplFigure

    from oldschool.claims.estimate import Estimate, NotRun

Scalar = str | int | float | bool
Frames = Mapping[str, "pd.DataFrame"]


@dataclass(frozen=True)
class Unit:
    """A block of replicates under one condition: what is run, stored and resumed as a whole.

    Attributes:
        experiment: name of the experiment it belongs to.
        condition: the settings that tell this unit from the others of its experiment.
        start: first replicate id of the block.
        stop: one past the last replicate id.
    """

    experiment: str
    condition: Mapping[str, Scalar]
    start: int
    stop: int

    @property
    def replicates(self) -> range:
        return range(self.start, self.stop)

    def label(self) -> str:
        """Short text for progress and messages, such as ``monks[problem=monk1] 0-49``."""
        inner = ",".join(f"{key}={value}" for key, value in self.condition.items())
        return f"{self.experiment}[{inner}] {self.start}-{self.stop - 1}"


Run = Callable[[Any, Unit, Seeds], Frames]
RunOnRows = Callable[[Any, Unit, Seeds, Frames], Frames]


@dataclass(frozen=True)
class Experiment:
    """One experiment of a replication.

    Attributes:
        name: unique within the replication; also the name of its settings node.
        code_version: raised by hand when a change of code changes the rows.
        settings: names of the settings nodes whose values enter a unit's digest. Dataclass
            fields marked ``plan_only()`` shape the plan but never a unit, and stay out.
        frames: names of the tidy frames that ``run`` returns, a results file each.
        plan: (config, frames of the experiments in ``needs``) -> units, in report order.
        run: (config, unit, seeds) -> {frame name: rows}; pure, single process. Where the
            experiment ``reads``, it gets the rows as a fourth argument {frame name: rows}.
        data: (config) -> {data set: sha256}, what the digest says about the data.
        needs: names of experiments, declared before, whose collected frames ``plan`` reads; it is
            not begun before they are over.
        reads: names of frames, of experiments in ``needs``, that ``run`` works on. A unit gets
            the rows whose ``replicate`` is one of its own, of all conditions, as they are read
            from these rows' CSV: nine digits, and whole numbers in all rows are a column of
            integers. It runs again if and only if these rows change.
        rows_apart: share of a unit's rows that may come out otherwise on another machine, where
            rounding decides what training runs into; declared with its reason. At 1 only that
            there are rows, with the same columns, is compared there.
        resampled: where rounding decides all of them, another machine draws another sample of
            the same distribution; it is compared as such, and not row by row.
    """

    name: str
    code_version: int
    settings: Sequence[str]
    frames: Sequence[str]
    plan: Callable[[Any, Frames], list[Unit]]
    run: Run | RunOnRows
    data: Callable[[Any], Mapping[str, str]] = lambda config: {}
    needs: Sequence[str] = ()
    reads: Sequence[str] = ()
    rows_apart: float = 0.05
    resampled: bool = False


@dataclass(frozen=True)
class SetUp:
    """What the units of one condition train, for the report's record; nothing is run for it.

    Attributes:
        nets: {name, such as its layers: free parameters at the start}.
        cases: {set, such as ``training``: how many cases it has}.
    """

    nets: Mapping[str, int] = field(default_factory=dict)
    cases: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure of the report: a pure function from frames to a matplotlib figure.

    Attributes:
        name: file name without suffix.
        needs: names of the frames that ``draw`` gets.
        draw: frames -> matplotlib figure.
        title: one line.
        caption: what is shown: net, data, n, interval, what to compare with the paper.
        alt: alternative text for those who cannot see it.
        original: what is known of the paper's own figure, or "" when it has none.
        sensitivity: whether it shows what other settings than the primary ones give.
    """

    name: str
    needs: Sequence[str]
    draw: Callable[[Frames], MplFigure]
    title: str
    caption: str
    alt: str
    original: str = ""
    sensitivity: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the report: a pure function from frames to a frame ready to print.

    Attributes:
        name: file name without suffix.
        needs: names of the frames that ``build`` gets.
        build: frames -> frame of texts.
        title: one line.
        caption: what is shown.
        sensitivity: whether it shows what other settings than the primary ones give.
    """

    name: str
    needs: Sequence[str]
    build: Callable[[Frames], pd.DataFrame]
    title: str
    caption: str
    sensitivity: bool = False


@dataclass(frozen=True)
class Replication:
    """Everything the package has to know about one paper.

    Attributes:
        name: short name: ``make replicate-<name>``, ``conf/<name>.yaml``, ``reports/*/<name>/``.
        title: the paper's title.
        citation: authors, year, venue, pages.
        folder: the replication's folder; holds ``README.md`` and ``claims.yaml``.
        schema: {settings node: dataclass}, the typed configuration.
        experiments: in the order they are begun, as far as their needs allow; one may be begun
            while another that it does not need is run.
        figures: in the order they are shown.
        tables: in the order they are shown.
        estimates: {claim id: function of all frames -> Estimate or NotRun}.
        set_ups: {experiment: function of settings and a unit's condition -> what it trains}.
        scales: {experiment: {profile: its nets and their training}}, where these are less than
            the paper's or it does not say; a phrase that is cited beside their numbers.
    """

    name: str
    title: str
    citation: str
    folder: Path
    schema: Mapping[str, type]
    experiments: Sequence[Experiment]
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    estimates: Mapping[str, Callable[[Frames], Estimate | NotRun]] = field(default_factory=dict)
    set_ups: Mapping[str, Callable[[Any, Mapping[str, Scalar]], SetUp]] = field(
        default_factory=dict
    )
    scales: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def experiment(self, name: str) -> Experiment:
        """The experiment called ``name``.

        Raises:
            KeyError: there is none of that name.
        """
        for candidate in self.experiments:
            if candidate.name == name:
                return candidate
        raise KeyError(name)


def labels(units: Sequence[Unit]) -> str:
    """The first of some units, at least one, and how many more there are."""
    more = len(units) - 1
    return units[0].label() + (f" and {more} more unit{'s' * (more > 1)}" if more else "")


def blocks(experiment: str, condition: Mapping[str, Scalar], count: int, size: int) -> list[Unit]:
    """Units of ``size`` replicates that cover ``count``; fixed by the config, not by workers."""
    return [
        Unit(experiment, dict(condition), start, min(start + size, count))
        for start in range(0, count, size)
    ]


def plan_only(default: Any) -> Any:
    """A dataclass field that shapes the plan (how many, which grid) and stays out of digests."""
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata={"plan_only": True})
    return field(default=default, metadata={"plan_only": True})
