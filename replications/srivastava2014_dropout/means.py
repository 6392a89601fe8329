"""Means over nets as figures and tables show them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from oldschool.claims.estimate import LEVEL, NotRun, mean
from oldschool.report.tables import fmt


class Interval(NamedTuple):
    """A mean over nets with the ends of what is drawn about it."""

    middle: float
    low: float
    high: float


def kept(rows: pd.DataFrame, *condition: str) -> pd.DataFrame:
    """Rows of the nets that never diverged; a net is a replicate under a condition.

    Verdicts on differences leave its replicate out under the other conditions too.
    """
    lost = rows.groupby([*condition, "replicate"]).diverged.transform("any")
    return rows[~lost.astype(bool)]


def count(rows: pd.DataFrame, *condition: str) -> str:
    """How many nets there are a condition, and how many diverged, in words."""
    good = kept(rows, *condition)
    nets = [*condition, "replicate"]
    lost = len(rows[nets].drop_duplicates()) - len(good[nets].drop_duplicates())
    counts = [good.replicate.nunique()]
    if condition and len(rows):
        by = list(condition)
        wanted = rows.groupby(by).size().index  # also those that no net is left of
        counts = good.groupby(by).replicate.nunique().reindex(wanted, fill_value=0).tolist()
    least, most = min(counts), max(counts)
    said = f"{most} net{'' if most == 1 else 's'}"
    if least < most:
        said = f"{least} to {said}"
    if condition:
        said += " each"
    return said + (f" ({lost} diverged)" if lost else "")


def interval(values: pd.Series) -> Interval:
    """Mean and 90 % interval, as tables and verdicts have it; of one value the value."""
    found = mean(values.to_numpy(float))
    if isinstance(found, NotRun):
        return Interval(*[float(values.iloc[0])] * 3)
    return Interval(found.value, found.low, found.high)


def intervals(rows: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """:func:`interval` for each value of ``by``: columns middle, low, high, rising index."""
    found = {value: interval(of[column]) for value, of in rows.groupby(by)}
    table = pd.DataFrame.from_dict(found, orient="index", columns=list(Interval._fields))
    return table.astype(float)


def wilson(error: float, cases: int) -> Interval:
    """The 90 % Wilson interval of a printed error in %, of so many cases."""
    wrong = round(error * cases / 100)
    ends = stats.binomtest(wrong, cases).proportion_ci(LEVEL, method="wilson")
    return Interval(error, 100 * float(ends.low), 100 * float(ends.high))


def text(values: pd.Series) -> str:
    """A table's cell: the mean with its 90 % interval, of one value the value, of none a dash."""
    found = mean(values.to_numpy(float))
    if isinstance(found, NotRun):
        return fmt(float(values.iloc[0])) if len(values) else "-"
    return fmt(found.value, found.low, found.high)


def ends(found: pd.DataFrame) -> np.ndarray:
    """Lengths of error bars, (2, n), of what :func:`intervals` gives."""
    return np.array([found.middle - found.low, found.high - found.middle]).clip(min=0)
