"""Which rows a number or a figure is made from."""

from __future__ import annotations

import pandas as pd

from oldschool.runs.experiment import Frames


def variation(frames: Frames, name: str) -> pd.DataFrame:
    """Trials on the spirals with one parameter changed; ``primary`` for none."""
    if name == "primary":
        return frames["spirals"]
    rows = frames["sensitivity"]
    return rows[rows.variation == name]


def pools(frames: Frames) -> pd.DataFrame:
    """Trials on the spirals by size of the pool, the primary one among them."""
    rows = frames["sensitivity"]
    others = rows[rows.variation.str.startswith("pool of ")]
    # Whatever else was varied was varied at the primary pool.
    primary = rows.pool[~rows.variation.str.startswith("pool of ")].iloc[0]
    trials = frames["spirals"]
    same = trials[trials.replicate.isin(others.replicate)].assign(pool=primary)
    return pd.concat([same, others], ignore_index=True)


def rival(frames: Frames, rule: str) -> pd.DataFrame:
    """The starts of a rule on Lang and Witbrock's net."""
    rows = frames["rivals"]
    return rows[rows.rule == rule]


def parity_rows(frames: Frames, frame: str, set_up: str, **where: int) -> pd.DataFrame:
    """The trials of a set-up of ``parity`` or ``parity10`` with so many bits or cases."""
    rows = frames[frame]
    chosen = rows.set_up == set_up
    for column, value in where.items():
        chosen &= rows[column] == value
    return rows[chosen]
