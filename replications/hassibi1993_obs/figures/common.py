"""What the figures share: the paper's numbers of Table 1, names, and shares with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from oldschool.claims.estimate import Estimate, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS = ("magnitude", "obd", "obs")
PAPER_LEFT = {"monk1": 14, "monk2": 15, "monk3": 4}
PAPER_TEST = {"monk1": 100.0, "monk2": 100.0, "monk3": 97.2}
PROBLEM = {"monk1": "MONK-1", "monk2": "MONK-2", "monk3": "MONK-3"}


def share_of_counts(successes: int, cases: int) -> Estimate:
    """A share in per cent with its interval, of one case or more."""
    found = share(successes, cases)
    if not isinstance(found, Estimate):
        raise ValueError("a share of no cases")
    return found


def share_of(values: pd.Series) -> Estimate:
    """The share of true values, in per cent, with its interval."""
    return share_of_counts(int(values.sum()), len(values))


def point(axes: Axes, x: float, estimate: Estimate, **style: Any) -> None:
    bars = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
    axes.errorbar([x], [estimate.value], yerr=bars, **{**style, "linestyle": "none"})
