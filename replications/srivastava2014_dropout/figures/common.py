"""What the figures share: lines with intervals, and the paper's curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from oldschool.report.style import paper_points

from ..means import ends, intervals
from ..published import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#7F7F7F"
UPDATES = "updates"
TEST_ERROR = "test error, %"


def bars(axes: Axes, rows: pd.DataFrame, x: str, y: str, look: Mapping[str, Any]) -> None:
    """Means over nets at each ``x`` with bars of their intervals; nothing where no net is."""
    if rows.empty:
        return
    found = intervals(rows, x, y)
    axes.errorbar(found.index.to_numpy(float), found.middle, yerr=ends(found), **look)


def legend(axes: Axes, **options: Any) -> None:
    """A legend, unless no net counts and there is nothing to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**options)


def paper_curve(
    axes: Axes, values: Curve, bars: Curve, label: str, *, hollow: bool = False, size: float = 9.0,
) -> None:  # fmt: skip
    """The paper's points as stars with its bars, joined by a thin dash-dotted line.

    Args:
        axes: where.
        values: of the stars.
        bars: half of each bar's length.
        label: entry of the legend.
        hollow: for the second of two curves.
        size: of the stars.
    """
    x, y = list(values), list(values.values())
    stars = paper_points(axes, x, y, label, fill="white" if hollow else None)
    stars.set(markersize=size, linestyle="-.", linewidth=0.7)
    axes.errorbar(
        x, y, yerr=[bars[at] for at in x], fmt="none", ecolor="black", elinewidth=0.7, zorder=4
    )
