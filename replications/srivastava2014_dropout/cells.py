"""Cells that the tables share: names of ways, and what our nets give beside the paper's."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .means import kept, text

WAYS = {
    "none": "none",
    "dropout": "dropout",
    "dropout_max_norm": "dropout, max-norm",
    "l2": "L2",
    "l2_l1": "L2, L1 towards the end",
    "l2_kl": "L2, KL sparsity",
    "max_norm": "max-norm",
    "dropout_l2": "dropout, L2",
    "fully_connected": "dropout, fully connected layers",
    "everywhere": "dropout, all layers",
    "gaussian": "Gaussian noise, all layers",
}


def ours(of: pd.DataFrame, *columns: str) -> dict[str, Any]:
    """Cells of one condition's nets: means of ``columns``, and how many nets are behind them."""
    good = kept(of)
    cells: dict[str, Any] = {column: text(good[column]) for column in columns}
    return {**cells, "nets": len(good), "diverged": len(of) - len(good)}


def named(cells: dict[str, Any]) -> dict[str, Any]:
    names = {"test_error": "ours, test, %", "train_error": "ours, training, %"}
    return {names.get(key, key): value for key, value in cells.items()}


def groups(rows: pd.DataFrame, *by: str) -> list[tuple[Any, pd.DataFrame]]:
    """Rows by the values of one column, or of several as a tuple, rising."""
    return list(rows.groupby(by[0] if len(by) == 1 else list(by)))
