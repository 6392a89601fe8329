"""Fig. 11: averages of k thinned nets against weight scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from oldschool.report.style import DOUBLE, DROPOUT_STYLE, paper_line, subplots
from oldschool.runs.experiment import Frames

from ..means import count, interval, kept
from ..published import FIG11, FIG11_BARS, FIG11_SCALING, FIG11_SCALING_BAR, Curve
from .common import TEST_ERROR, bars, legend, paper_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCALING: dict[str, Any] = {"color": "#D55E00", "linestyle": (0, (5, 1.5))}
_MARKED = (3, 5, 7, 9, 13, 21, 31, 51, 79, 119)  # of the paper's 59 points: a star each


def monte_carlo(frames: Frames) -> Figure:
    """Ours, the paper's, and both over their weight scaling."""
    all_rows = frames["monte_carlo"]
    rows = kept(all_rows)
    averaged = relative(rows)
    scaled = rows[rows.k == 0].test_error
    figure, (ours, paper, both) = subplots(1, 3, width=DOUBLE, height=3.0)
    look = {**DROPOUT_STYLE["dropout_max_norm"], "label": "mean of k thinned nets"}
    bars(ours, averaged, "k", "test_error", look)
    if len(scaled):
        found = interval(scaled)
        ours.axhline(found.middle, label="weight scaling", **_SCALING)
        ours.axhspan(found.low, found.high, color=_SCALING["color"], alpha=0.15, linewidth=0)
    draws = f"{int(averaged.repeats.max())} draws a k" if len(averaged) else "no draws"
    ours.set(ylabel=TEST_ERROR, title=f"ours, {draws}\n{count(all_rows)}")
    _paper(paper, FIG11, FIG11_BARS, "paper: thinned nets")
    paper_line(paper, FIG11_SCALING, "paper: weight scaling").set_linewidth(1.6)
    low, high = FIG11_SCALING - FIG11_SCALING_BAR, FIG11_SCALING + FIG11_SCALING_BAR
    paper.axhspan(low, high, color="black", alpha=0.12, linewidth=0)
    paper.set_title("paper\n784-1024-1024-2048-10")
    bars(both, averaged, "k", "over", {**look, "label": "ours"})
    over = {k: 100 * (error / FIG11_SCALING - 1) for k, error in FIG11.items()}
    _paper(both, over, dict.fromkeys(over, 0.0), "paper")
    both.axhline(0, **_SCALING)
    both.set(ylabel="over weight scaling's, %", title="relative to weight scaling\nours net by net")
    for panel in (ours, paper, both):
        _log_k(panel, rows)
        legend(panel, fontsize=6)
    return figure


def _paper(axes: Axes, values: Curve, spreads: Curve, label: str) -> None:
    """A line through all points; stars and bars at some, evenly over the logarithmic axis."""
    axes.plot(list(values), list(values.values()), color="black", linestyle="-.", linewidth=0.9)
    paper_curve(axes, {k: values[k] for k in _MARKED}, spreads, label, size=7.0)


def relative(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of k > 0 with ``over``: the error over that of the net's weight scaling, in %."""
    scaled = rows[rows.k == 0].set_index("replicate").test_error
    averaged = rows[rows.k > 0]
    over = averaged.test_error / averaged.replicate.map(scaled)
    return averaged.assign(over=100 * (over - 1))


def _log_k(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set(xscale="log", xlabel="thinned nets averaged, k")
    most = max(119, int(rows.k.max()) if len(rows) else 0)
    ticks = [k for k in (1, 3, 10, 30, 100, 300, 1000) if k <= most]
    axes.set_xticks(ticks, labels=[str(k) for k in ticks])
    axes.set_xlim(0.9 if (rows.k == 1).any() else 2.5, 1.15 * most)
    axes.set_xticks([], minor=True)
