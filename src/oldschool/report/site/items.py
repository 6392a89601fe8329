"""Figures and tables as pages show them."""

from __future__ import annotations

import csv
import re
import struct
from pathlib import Path
from typing import Any

from oldschool.report import DPI, artefacts
from oldschool.report.inputs import Inputs
from oldschool.runs.experiment import Figure, Table

_CSS_DPI = 96
_ROWS_SHOWN = 30  # a longer table gets a box of its own to scroll in
_NUMBER = re.compile(r"-?[\d.,]+(e[+-]?\d+)?( ?%)?( \[.*\])?|-")


def figures(inputs: Inputs, out: Path) -> list[dict[str, Any]]:
    """All figures of a paper; those made lie in ``out``."""
    return [_figure(inputs, figure, out) for figure in inputs.replication.figures]


def tables(inputs: Inputs, out: Path) -> list[dict[str, Any]]:
    """All tables of a paper; those made lie in ``out``."""
    return [_table(inputs, table, out) for table in inputs.replication.tables]


def _figure(inputs: Inputs, figure: Figure, out: Path) -> dict[str, Any]:
    shown = _item(inputs, figure, "figure") | {"alt": figure.alt, "original": figure.original}
    if not shown["lacking"]:
        key = f"figures/{inputs.replication.name}/{figure.name}"
        width, height = _css_size(out / f"{key}.png")
        shown |= {"key": key, "width": width, "height": height}
    return shown


def _table(inputs: Inputs, table: Table, out: Path) -> dict[str, Any]:
    shown = _item(inputs, table, "table")
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


def _item(inputs: Inputs, item: Figure | Table, kind: str) -> dict[str, Any]:
    return {
        "name": item.name,
        "anchor": f"{kind}-{item.name}",
        "needs": item.needs,
        "title": item.title,
        "caption": item.caption,
        "sensitivity": item.sensitivity,
        "lacking": artefacts.missing(inputs, item),
    }


def _css_size(png: Path) -> tuple[int, int]:
    """Width and height in CSS pixels at which the figure has its size in print."""
    with png.open("rb") as stream:
        width, height = struct.unpack(">II", stream.read(24)[16:])
    return round(width * _CSS_DPI / DPI), round(height * _CSS_DPI / DPI)
