"""The speed ratios of ``make bench``: measured, so never rebuilt, and shown as they were kept."""

from __future__ import annotations

import csv
from pathlib import Path

from oldschool import paths
from oldschool.errors import DataError

COLUMNS = ("what", "seconds", "against", "against_seconds", "ratio", "bar", "machine")


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
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DataError(f"{paths.shown(file)} is damaged: delete it and run `make bench`")
    return rows
