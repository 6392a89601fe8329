"""The figures and tables of the report."""

from __future__ import annotations

from oldschool.runs.experiment import Figure, Table

FIGURES: tuple[Figure, ...] = ()
TABLES: tuple[Table, ...] = ()
