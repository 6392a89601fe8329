"""What ``make bench`` keeps in the report: measured, so never rebuilt, and shown as it was kept."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from oldschool import paths
from oldschool.errors import DataError

COLUMNS = ("what", "seconds", "against", "against_seconds", "ratio", "bar", "machine")

COST = "inverse_cost"  # seconds and memory of H^-1 against the number of weights
CLASSIFICATION = "classification"  # seconds a batch of digits, dense and sparse, weights deleted


def measured_folder(report_dir: Path) -> Path:
    """Where ``make bench`` keeps frames that figures are drawn from, a CSV file each."""
    return report_dir / "measured"


def measured(report_dir: Path) -> dict[str, bytes]:
    """{frame: its CSV text} of all that was measured."""
    files = sorted(measured_folder(report_dir).glob("*.csv"))
    return {file.stem: file.read_bytes() for file in files}


def speed_file(report_dir: Path) -> Path:
    """Where ``make bench`` keeps its ratios."""
    return report_dir / "speed.csv"


def read(report_dir: Path) -> list[dict[str, str]]:
    """The ratios kept, a dictionary of ``COLUMNS`` each; none if there is no file.

    Raises:
        DataError: the file is not what ``make bench`` writes.
    """
    file = speed_file(report_dir)
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as text:
        reader = csv.DictReader(text)
        rows = list(reader)
    if tuple(reader.fieldnames or ()) != COLUMNS or not all(map(_has_numbers, rows)):
        raise DataError(f"{paths.shown(file)} is damaged: delete it and run `make bench`")
    return rows


def bar(row: Mapping[str, str]) -> str:
    """The ratio aimed at and whether it was reached: ``50 (met)``; "" if none was."""
    if not row["bar"]:
        return ""
    return f"{row['bar']} ({'met' if float(row['ratio']) >= float(row['bar']) else 'missed'})"


def _has_numbers(row: Mapping[str, str]) -> bool:
    try:
        float(row["ratio"]), float(row["bar"] or 0)
    except (TypeError, ValueError):
        return False
    return True
