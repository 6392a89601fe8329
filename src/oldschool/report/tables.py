"""Tables ready to print, in three forms: CSV, Markdown and LaTeX (booktabs)."""

from __future__ import annotations

import math

import pandas as pd
from tabulate import tabulate

from oldschool.digits import fmt

__all__ = ["escape", "fmt", "render"]


def render(table: pd.DataFrame, caption: str, label: str) -> dict[str, str]:
    """The table as {format: text}. The index is not printed; columns keep their order.

    Args:
        table: cells are text, whole numbers or truth values, or floats of which six digits show.
        caption: for LaTeX.
        label: for LaTeX, without the ``tab:``.
    """
    cells = table.map(_cell)
    cells.columns = [str(column) for column in table.columns]
    right = {
        str(column): pd.api.types.is_numeric_dtype(table[column])
        and not pd.api.types.is_bool_dtype(table[column])
        for column in table.columns
    }
    return {
        "csv": cells.to_csv(index=False, lineterminator="\n"),
        "md": _markdown(cells, right),
        "tex": _latex(cells, right, caption, label),
    }


def _markdown(cells: pd.DataFrame, right: dict[str, bool]) -> str:
    escaped = cells.map(lambda text: text.replace("|", "\\|").replace("\n", " "))
    return (
        tabulate(
            escaped.to_numpy().tolist(),
            headers=[column.replace("|", "\\|") for column in cells.columns],
            tablefmt="pipe",
            disable_numparse=True,
            colalign=["right" if right[column] else "left" for column in cells.columns]
            if len(cells)
            else None,
        )
        + "\n"
    )


def _latex(cells: pd.DataFrame, right: dict[str, bool], caption: str, label: str) -> str:
    styled = cells.map(escape).rename(columns=escape).style.hide(axis="index")
    return styled.to_latex(
        hrules=True,
        caption=escape(caption),
        label=f"tab:{label}",
        position="htbp",
        position_float="centering",
        column_format="".join("r" if right[column] else "l" for column in cells.columns),
    )


def escape(text: str) -> str:
    """``text`` as LaTeX prints it."""
    return text.translate(_SIGNS)


# Beside LaTeX's own signs, those of ours that its default fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{PLUS-MINUS SIGN}": r"\ensuremath{\pm}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\leq}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\geq}",
    "\N{NOT EQUAL TO}": r"\ensuremath{\neq}",
    "\N{GREEK SMALL LETTER ALPHA}": r"\ensuremath{\alpha}",
}
_SIGNS = str.maketrans(_LATEX)


def _cell(value: object) -> str:
    """One cell as text."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA:
        return ""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value + 0.0:.6g}"
    return str(value)
