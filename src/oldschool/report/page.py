"""``index.html``: one static page of claims with verdicts and each paper's figures and tables."""

from __future__ import annotations

import csv
import os
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from oldschool import paths
from oldschool.claims.assess import Judged
from oldschool.claims.claim import KINDS
from oldschool.claims.estimate import NotRun
from oldschool.claims.verdict import VERDICTS
from oldschool.report import DPI, artefacts, committed, speed
from oldschool.report.inputs import Inputs, commit, origin
from oldschool.runs import launch
from oldschool.runs.config import PROFILES
from oldschool.runs.experiment import Figure, Table

_CSS_DPI = 96
_ROWS_SHOWN = 30  # a longer table gets a box of its own to scroll in
_NUMBER = re.compile(r"-?[\d.,]+(e[+-]?\d+)?( ?%)?( \[.*\])?|-")


def render(read_in: Sequence[Inputs], report_dir: Path, out: Path) -> str:
    """The page as HTML.

    Args:
        read_in: all replications, in order.
        report_dir: where the page will lie in the end; links are relative to it.
        out: holds the figures and tables just made.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("oldschool.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("index.html.j2").render(
        papers=[_paper(inputs, report_dir, out) for inputs in read_in],
        speed=[row | {"bar": speed.bar(row)} for row in speed.read(report_dir)],
        verdicts=VERDICTS,
        kinds=KINDS,
        profiles=PROFILES,
    )


def _paper(inputs: Inputs, report_dir: Path, out: Path) -> dict[str, Any]:
    replication = inputs.replication
    origins = {origin(manifest): None for manifest in inputs.manifests.values()}
    return {
        "name": replication.name,
        "title": replication.title,
        "citation": replication.citation,
        "readme": _link(replication.folder / "README.md", report_dir),
        "counts": Counter(judged.verdict.word for judged in inputs.judged),
        "claims": [_claim(judged) for judged in inputs.judged],
        "runs": [_run(inputs, name, report_dir) for name in inputs.manifests],
        "what_if": [run for run in origins if run.overrides or run.profile == PROFILES[0]],
        "figures": [_figure(inputs, figure, out) for figure in replication.figures],
        "tables": [_table(inputs, table, out) for table in replication.tables],
    }


def _claim(judged: Judged) -> dict[str, Any]:
    claim = judged.claim
    try:
        rule = str(claim.acceptance())
    except ValueError:
        rule = ""
    row = judged.row()
    text = isinstance(claim.paper_value, str)
    return row | {
        "what": claim.what,
        "published": claim.paper_value if text else f"{row['paper_value']} {claim.unit}",
        **_ours(judged),
        "rule": rule,
        "margin_reason": claim.margin_reason,
        "inconsistencies": claim.inconsistencies,
    }


def _ours(judged: Judged) -> dict[str, str]:
    """Our number with its unit, and its interval; one that was counted once has none."""
    ours = judged.result
    if isinstance(ours, NotRun):
        return {"ours": "", "interval": ""}
    value, interval = judged.printed()
    return {
        "ours": f"{value} {judged.claim.unit}",
        "interval": interval if ours.n > 1 else "",
    }


def _run(inputs: Inputs, name: str, report_dir: Path) -> dict[str, Any]:
    manifest = inputs.manifests[name]
    units, environments = manifest["units"], manifest["environments"]
    seconds = sum(unit["seconds"] for unit in units)
    return {
        "name": name,
        "profile": manifest["profile"],
        "seed": manifest["seed"],
        "overrides": origin(manifest).overrides,
        "unavailable": manifest.get("unavailable", ""),
        "units": len(units),
        "failed": [
            f"{launch.unit_of(inputs.replication.experiment(name), unit).label()}: {unit['error']}"
            for unit in manifest["failed"]
        ],
        "seconds": f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}",
        "commits": sorted({commit(environment) for environment in environments}),
        "machines": sorted({_machine(environment) for environment in environments}),
        "frames": [
            {"name": frame, "rows": entry["rows"], "file": _rows_file(inputs, frame, report_dir)}
            for frame, entry in manifest["frames"].items()
        ],
    }


def _machine(environment: Mapping[str, Any]) -> str:
    return str(environment["gpu"] or environment["cpu"])


def _rows_file(inputs: Inputs, frame: str, report_dir: Path) -> str:
    file = committed.file_of(paths.results(report_dir, inputs.replication.name), frame)
    return file.relative_to(report_dir).as_posix()


def _figure(inputs: Inputs, figure: Figure, out: Path) -> dict[str, Any]:
    shown = _item(inputs, figure) | {"alt": figure.alt, "original": figure.original}
    if not shown["lacking"]:
        key = f"figures/{inputs.replication.name}/{figure.name}"
        width, height = _css_size(out / f"{key}.png")
        shown |= {"key": key, "width": width, "height": height}
    return shown


def _table(inputs: Inputs, table: Table, out: Path) -> dict[str, Any]:
    shown = _item(inputs, table)
    if not shown["lacking"]:
        key = f"tables/{inputs.replication.name}/{table.name}"
        with (out / f"{key}.csv").open(newline="", encoding="utf-8") as stream:
            header, *rows = csv.reader(stream)
        right = [
            bool(rows) and all(not row[column] or _NUMBER.fullmatch(row[column]) for row in rows)
            for column in range(len(header))
        ]
        shown |= {"key": key, "header": header, "rows": rows, "right": right}
        shown["tall"] = len(rows) > _ROWS_SHOWN
    return shown


def _item(inputs: Inputs, item: Figure | Table) -> dict[str, Any]:
    return {
        "name": item.name,
        "title": item.title,
        "caption": item.caption,
        "lacking": artefacts.missing(inputs, item),
    }


def _css_size(png: Path) -> tuple[int, int]:
    """Width and height in CSS pixels at which the figure has its size in print."""
    with png.open("rb") as stream:
        width, height = struct.unpack(">II", stream.read(24)[16:])
    return round(width * _CSS_DPI / DPI), round(height * _CSS_DPI / DPI)


def _link(target: Path, report_dir: Path) -> str:
    return Path(os.path.relpath(target.resolve(), report_dir.resolve())).as_posix()
