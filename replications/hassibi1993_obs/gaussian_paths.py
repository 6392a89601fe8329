"""What is read off the paths of deletions on the Gaussian task, a number a net."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Deletions over which the rise of OBD's test error is averaged: as many as the paper's OBS test
# error falls.
FALLING = 22


def table(rows: pd.DataFrame, net: str, method: str, column: str) -> pd.DataFrame:
    """One column of the rows of a net and method: a line a replicate, a column a deletion from 0.

    Args:
        rows: of frame ``gaussian``.
        net: ``trained``, ``early`` or ``cross-entropy``.
        method: ``obd`` or ``obs``; for the cross-entropy net with the plain H, ``obs_plain``.
        column: such as ``test_error``.
    """
    of = rows[(rows.net == net) & (rows.method == method)]
    return of.pivot(index="replicate", columns="deletions", values=column)


def _whole(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the replicates of which a net has diverged on the way, under any method."""
    lost = rows[~np.isfinite(rows.train_error)].replicate.unique()
    return rows[~rows.replicate.isin(lost)]


def crossing(rows: pd.DataFrame, slack: float = 0.0) -> pd.Series:
    """The first deletion, from 1 up, after which OBS's training error is not below OBD's.

    At the last deletion at the latest: both nets are then without a weight, and the same.

    Args:
        rows: of frame ``gaussian``.
        slack: count it as not below from this share above OBD's.
    """
    rows = _whole(rows)
    ours = table(rows, "trained", "obs", "train_error").drop(columns=0)
    theirs = table(rows, "trained", "obd", "train_error").drop(columns=0)
    reached = ours >= (1 + slack) * theirs
    reached[reached.columns[-1]] = True
    return reached.idxmax(axis=1)


def least_test_error(rows: pd.DataFrame, net: str, method: str = "obs") -> pd.Series:
    """Deletions after which the test error is least, the fewest where it is so more than once."""
    return table(_whole(rows), net, method, "test_error").idxmin(axis=1)


def fall_on_fresh_cases(rows: pd.DataFrame, net: str) -> pd.Series:
    """How far OBS's error falls to where the test error is least, in per cent, on other cases.

    On the test cases themselves the least of 65 values is low by selection alone.
    """
    least = least_test_error(rows, net)
    fresh = table(_whole(rows), net, "obs", "fresh_error").loc[least.index]
    values = fresh.to_numpy()
    there = values[np.arange(len(values)), fresh.columns.get_indexer(pd.Index(least))]
    return pd.Series(100 * (1 - there / values[:, 0]), index=least.index)


def obd_rise(rows: pd.DataFrame) -> pd.Series:
    """Mean of OBD's test error over the first deletions, less that before, in per cent of it."""
    errors = table(_whole(rows), "trained", "obd", "test_error")
    mean = errors.loc[:, 1:FALLING].mean(axis=1)
    return 100 * (mean / errors[0] - 1)


def summary(rows: pd.DataFrame, nets: pd.DataFrame) -> pd.DataFrame:
    """A line a replicate: how its trained net came out, and all that is read off its paths.

    Args:
        rows: of frame ``gaussian``.
        nets: of frame ``gaussian_nets``.
    """
    trained = nets[nets.net == "trained"].set_index("replicate")
    return pd.DataFrame(
        {
            "gradient_norm": trained.gradient_norm,
            "largest_weight": trained.largest_weight,
            "train_error": table(rows, "trained", "obs", "train_error")[0],
            "test_error": table(rows, "trained", "obs", "test_error")[0],
            "crossing": crossing(rows),
            "crossing_1_percent": crossing(rows, 0.01),
            "test_min": least_test_error(rows, "trained"),
            "test_min_early": least_test_error(rows, "early"),
            "obd_rise": obd_rise(rows),
        }
    ).reset_index()
