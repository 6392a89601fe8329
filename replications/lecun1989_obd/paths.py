"""What is read off the ways that nets take through the deletions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oldschool.runs.experiment import Frames

OBS_ALPHA = 1e-4  # the constant of OBS wherever one is compared with other methods
FROM = 400  # deletions before which no method raises the error by what a plot shows
CLOSE = 1.0  # dB that count as the same


def counts(table: pd.DataFrame) -> list[int]:
    """The counts of deletions that the columns are named by."""
    return [int(str(name)) for name in table.columns]


def decibel(ratio: NDArray[np.float64] | pd.DataFrame | pd.Series) -> NDArray[np.float64]:
    """10 log10 of a ratio of mean squared errors."""
    with np.errstate(invalid="ignore", divide="ignore"):  # nets that died
        found: NDArray[np.float64] = 10 * np.log10(np.asarray(ratio, dtype=float))
    return found


def whole(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the nets that diverged, under any method."""
    lost = rows[~np.isfinite(rows.train_mse)].replicate.unique()
    return rows[~rows.replicate.isin(lost)]


def deletion(frames: Frames, method: str, column: str = "train_mse") -> pd.DataFrame:
    """A line a net, a column a count of deletions from 0, without retraining.

    Args:
        frames: with ``deletion``.
        method: ``obs`` at the alpha that it is compared at, or another.
        column: such as ``test_wrong`` or ``foreseen``.
    """
    rows = whole(frames["deletion"])
    rows = rows[rows.method == method]
    if method == "obs":
        alphas = sorted(rows.alpha.unique(), key=lambda alpha: abs(np.log(alpha / OBS_ALPHA)))
        rows = rows[rows.alpha == alphas[0]] if len(alphas) else rows
    return rows.pivot(index="replicate", columns="deleted", values=column)


def retraining(frames: Frames, method: str, column: str = "train_mse") -> pd.DataFrame:
    """A line a net, a column a count of deletions from 0, after the retraining of each round."""
    rows = whole(frames["retraining"])
    return rows[rows.method == method].pivot(index="replicate", columns="deleted", values=column)


def rise(table: pd.DataFrame) -> pd.DataFrame:
    """The same in dB over the unpruned net, column 0."""
    return pd.DataFrame(
        decibel(table.div(table[0], axis=0)), index=table.index, columns=table.columns
    )


def reaches(rises: pd.DataFrame, limit: float = CLOSE) -> pd.Series:
    """Deletions at which each net's line of dB first passes ``limit``, between counts in a line.

    The last count where it never does.
    """
    at = counts(rises)
    found: dict[Any, float] = {}
    for replicate, line in zip(rises.index, rises.to_numpy(float), strict=True):
        past = np.flatnonzero(line > limit)
        if len(past) == 0:
            found[replicate] = float(at[-1])
        elif past[0] == 0:
            found[replicate] = float(at[0])
        else:
            k = int(past[0])
            part = (limit - line[k - 1]) / (line[k] - line[k - 1])
            found[replicate] = at[k - 1] + part * (at[k] - at[k - 1])
    return pd.Series(found)


def below(lower: pd.DataFrame, upper: pd.DataFrame, start: int = FROM) -> pd.Series:
    """Per cent of the counts from ``start`` up at which a net is lower under the first."""
    return holds(lower.lt(upper), start)


def holds(truth: pd.DataFrame, start: int = FROM) -> pd.Series:
    """Share of the counts from ``start`` up at which something holds, a net, in per cent."""
    late = [count >= start for count in counts(truth)]
    return 100 * truth.loc[:, late].mean(axis=1)


def foreseen_gap(frames: Frames, column: str = "foreseen", method: str = "obd") -> pd.DataFrame:
    """Actual over foreseen error, in dB: a line a net, a column a count from 0."""
    actual, by_method = deletion(frames, method), deletion(frames, method, column)
    foreseen = by_method.fillna(0.0).add(actual[0], axis=0).clip(lower=1e-12)
    return pd.DataFrame(decibel(actual / foreseen), index=actual.index, columns=actual.columns)


def factor_reached(
    left: pd.DataFrame, wrong: pd.DataFrame, whole_net: float, slack: float
) -> pd.Series:
    """The largest factor of parameters at which the test error is at most ``slack`` points up.

    Args:
        left: parameters left, a line a net, a column a step, the unpruned net first.
        wrong: test error rates, likewise.
        whole_net: parameters of the unpruned net.
        slack: points.
    """
    good = wrong.le(wrong.iloc[:, 0] + slack, axis=0)
    return (whole_net / left.where(good)).max(axis=1)
