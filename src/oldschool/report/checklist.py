"""``CHECKLIST.md``: the questions of a reproducibility checklist, answered by what was recorded.

The questions are those of the NeurIPS paper checklist and of the machine learning reproducibility
checklist. The answers come from the manifests, the rows, the settings and the claims; what none of
them has is "not recorded".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

import oldschool
from oldschool.claims.assess import Origin, command
from oldschool.claims.estimate import LEVEL, Estimate
from oldschool.claims.verdict import VERDICTS
from oldschool.errors import ConfigError
from oldschool.report.crate import LICENCE
from oldschool.report.inputs import Inputs, commit, origin
from oldschool.runs import launch
from oldschool.runs.config import instance
from oldschool.runs.experiment import SetUp

FILE = "CHECKLIST.md"
NOT_RECORDED = "not recorded"
# What rows say of a net that did not get to where it should.
_UNFINISHED = {"diverged": True, "learned": False, "trained": False, "at_minimum": False}
_MINUTE, _HOUR = 60, 3600


def render(read_in: Sequence[Inputs]) -> str:
    """The checklist as Markdown: what holds for all papers, then a section each."""
    parts = [
        "# Reproducibility checklist",
        "Made by `make report` from the manifests in `results/`, the rows, the settings and the "
        f"claims; what none of them has is {NOT_RECORDED}.",
        "## All papers",
        *_code(read_in),
        *_machines(read_in),
    ]
    for inputs in read_in:
        replication = inputs.replication
        trained = {name: set_ups(inputs, name) for name in inputs.manifests}
        parts += [
            f"## {replication.title}",
            f"{replication.citation}. All of it again: `{command(replication.name, _run(inputs))}`",
            *_claims(inputs),
            *_runs(inputs),
            *_nets(inputs, trained),
            *_data(inputs, trained),
            *_settings(inputs),
            *_error_bars(inputs),
            *_exclusions(inputs),
        ]
    return "\n\n".join(parts) + "\n"


def _code(read_in: Sequence[Inputs]) -> list[str]:
    commits = Counter(commit(environment) for _, environment in _environments(read_in))
    return [
        "### Is the code there, under which licence, and which version gave the rows?",
        f"oldschool {oldschool.__version__}, {LICENCE} licence. Units of work by commit:",
        _table(["commit", "units"], [[name, str(count)] for name, count in commits.items()]),
    ]


def _machines(read_in: Sequence[Inputs]) -> list[str]:
    seconds: dict[tuple[str, ...], list[float]] = {}
    units: Counter[tuple[str, ...]] = Counter()
    for unit, environment in _environments(read_in):
        versions = environment["packages"]
        key = (
            environment["cpu"],
            str(environment.get("cores") or NOT_RECORDED),
            f"{environment['memory']} GiB" if environment.get("memory") else NOT_RECORDED,
            environment["gpu"] or "none",
            environment["platform"],
            f"Python {environment['python']}, "
            + ", ".join(f"{name} {version}" for name, version in versions.items()),
            str(environment["threads"] or NOT_RECORDED),
        )
        units[key] += 1
        seconds.setdefault(key, []).append(unit["seconds"])
    rows = [[*key, str(units[key]), _time(math.fsum(seconds[key]))] for key in units]
    whole = math.fsum(each for one in seconds.values() for each in one)
    starts = sorted(unit["started"] for unit, _ in _environments(read_in) if "started" in unit)
    total = units.total()
    unknown = total - len(starts)
    when = [f"{NOT_RECORDED} of {unknown} of {total} units"] if unknown else []
    if starts:
        others = "the others " if unknown else ""
        when.append(f"{others}from {starts[0][:10]} to {starts[-1][:10]}")
    head = [
        "CPU",
        "cores",
        "memory",
        "GPU",
        "system",
        "software",
        "threads a unit",
        "units",
        "computing time",
    ]
    return [
        "### On which machines was it computed, with what software, and for how long?",
        _table(head, rows),
        f"Computing time in all: {_time(whole)}, each unit on the threads above. "
        f"When: {'; '.join(when)}.",
    ]


def _claims(inputs: Inputs) -> list[str]:
    counts = Counter(judged.verdict.word for judged in inputs.judged)
    told = ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word])
    margins = sum(bool(judged.claim.margin_reason) for judged in inputs.judged)
    return [
        "### What is claimed, and what came of it?",
        f"{len(inputs.judged)} claims: {told or 'none'}. For {margins} of them `claims.yaml` gives "
        "the reason of the accepted region. One by one: `claims.csv`.",
    ]


def _runs(inputs: Inputs) -> list[str]:
    rows = []
    for name, manifest in inputs.manifests.items():
        units = manifest["units"]
        runs: Counter[str] = Counter()
        for unit in units:
            runs[str(sorted(unit["condition"].items()))] += unit["stop"] - unit["start"]
        rows.append(
            [
                name,
                manifest["profile"],
                str(manifest["seed"]),
                str(len(runs)),
                _range(runs.values()),
                str(len(units)),
                _time(math.fsum(unit["seconds"] for unit in units)),
                manifest.get("unavailable", "" if units else "this profile plans none"),
            ]
        )
    head = ["experiment", "profile", "base seed", "conditions", "replicates of each"]
    head += ["units", "computing time", "not run, as"]
    return [
        "### How many runs are there, from which seeds, and how long did they take?",
        _table(head, rows),
        "All other seeds are hashes of the base seed and of names.",
    ]


def _nets(inputs: Inputs, trained: Mapping[str, Sequence[SetUp]]) -> list[str]:
    rows = [
        [name, ", ".join(f"{net}: {count}" for net, count in nets.items()) or NOT_RECORDED]
        for name in inputs.manifests
        for nets in [_merged(set_up.nets for set_up in trained[name])]
    ]
    return [
        "### How many parameters have the nets?",
        _table(["experiment", "free parameters at the start, biases counted"], rows),
    ]


def _data(inputs: Inputs, trained: Mapping[str, Sequence[SetUp]]) -> list[str]:
    rows = []
    for name, manifest in inputs.manifests.items():
        cases = _merged(set_up.cases for set_up in trained[name])
        rows.append(
            [
                name,
                ", ".join(f"{data} `{sha256[:12]}`" for data, sha256 in manifest["data"].items())
                or "none: generated from the seed, or none needed",
                ", ".join(f"{part}: {count}" for part, count in cases.items()) or NOT_RECORDED,
            ]
        )
    return [
        "### Which data, and how are they split?",
        _table(["experiment", "data, with the start of their sha256", "cases"], rows),
    ]


def _settings(inputs: Inputs) -> list[str]:
    rows = [
        [
            name,
            str(len(list(_leaves(manifest["settings"])))),
            ", ".join(
                f"{key}: {value}"
                for key, value in _leaves(manifest["settings"])
                if key.rpartition(".")[2] == "precision"
            )
            or "no such setting",
            ", ".join(origin(manifest).overrides) or "none",
            f"`results/{inputs.replication.name}/{name}.manifest.json`",
        ]
        for name, manifest in inputs.manifests.items()
    ]
    head = ["experiment", "settings", "precision set", "other than declared", "all of them"]
    return ["### Are all hyperparameters given?", _table(head, rows)]


def _error_bars(inputs: Inputs) -> list[str]:
    found = [judged.result for judged in inputs.judged if isinstance(judged.result, Estimate)]
    by: dict[str, list[int]] = {}
    for estimate in found:
        by.setdefault(estimate.method or NOT_RECORDED, []).append(estimate.n)
    rows = [[method, str(len(n)), _range(n)] for method, n in sorted(by.items())]
    return [
        "### What are the error bars, and how were they computed?",
        f"Two-sided {100 * LEVEL:.0f} % intervals over replicates.",
        _table(["interval", "claims", "replicates"], rows),
    ]


def _exclusions(inputs: Inputs) -> list[str]:
    failed = [
        f"{name}: {launch.unit_of(inputs.replication.experiment(name), unit).label()}: "
        f"{unit['error']}"
        for name, manifest in inputs.manifests.items()
        for unit in manifest["failed"]
    ]
    rows = []
    for frame, table in inputs.frames.items():
        for column, value in _UNFINISHED.items():
            if column in table and pd.api.types.is_bool_dtype(table[column].dtype):
                count = int((table[column] == value).sum())
                what = column if value else f"not {column.replace('_', ' ')}"
                rows.append([frame, what, str(count), str(len(table))])
    return [
        "### What was left out?",
        f"Units of work that failed: {len(failed) or 'none'}.",
        *(f"- {line}" for line in failed),
        "Rows that say that a net did not get to where it should; they stay in the rows. How many "
        "replicates a claim is left with is its n in `claims.csv`:",
        _table(["rows", "what", "count", "of"], rows),
    ]


def _run(inputs: Inputs) -> Origin:
    """The run of most experiments."""
    runs = Counter(origin(manifest) for manifest in inputs.manifests.values())
    return runs.most_common(1)[0][0] if runs else Origin("default")


def set_ups(inputs: Inputs, name: str) -> list[SetUp]:
    """What the units of an experiment train, a condition each; nothing if it is not known.

    Rows may be of settings or conditions that the code no longer has.
    """
    set_up = inputs.replication.set_ups.get(name)
    manifest = inputs.manifests[name]
    if set_up is None:
        return []
    try:
        config = instance(inputs.replication, manifest["settings"])
        return [set_up(config, unit["condition"]) for unit in manifest["units"]]
    except (ConfigError, KeyError):
        return []


def _merged(parts: Iterable[Mapping[str, int]]) -> dict[str, str]:
    """{name: its counts}, where conditions differ all of them."""
    found: dict[str, dict[int, None]] = {}
    for part in parts:
        for name, count in part.items():
            found.setdefault(name, {})[count] = None
    return {name: " or ".join(map(str, counts)) for name, counts in found.items()}


def _environments(
    read_in: Iterable[Inputs],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every unit with where it was computed."""
    for inputs in read_in:
        for manifest in inputs.manifests.values():
            for unit in manifest["units"]:
                yield unit, manifest["environments"][unit["environment"]]


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _range(values: Iterable[int]) -> str:
    found = sorted(set(values)) or [0]
    return f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _time(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None."
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return tabulate(cells, head, tablefmt="pipe", disable_numparse=True)
