"""Figures of the Gaussian task of NIPS 6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy import stats

from oldschool.claims.estimate import LEVEL
from oldschool.report.style import DOUBLE, METHOD_STYLE, paper_line, subplots
from oldschool.runs.experiment import Frames

from ..gaussian_paths import table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN = 45  # deletions; beyond them the nets are ruined
_ENTROPY: Mapping[str, Mapping[str, Any]] = {
    "obs": {"label": "a = 1/(o(1-o))", "color": "#0072B2", "linestyle": "-", "marker": "o"},
    "obs_plain": {
        "label": "as if squared", "color": "#000000", "linestyle": (0, (3, 1.5)), "marker": "^",
    },
}  # fmt: skip


def _line(axes: Axes, values: pd.DataFrame, look: Mapping[str, Any]) -> None:
    """Mean over nets with its 90 % interval (Student's t)."""
    values = values.loc[:, :_SHOWN]
    middle, spread = values.mean(), values.sem()
    arm = float(stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1)) * spread
    axes.plot(middle.index, middle, markevery=5, markersize=3.5, **look)
    axes.fill_between(
        middle.index, middle - arm, middle + arm, color=look["color"], alpha=0.2, linewidth=0
    )


def gaussian_paths(frames: Frames) -> Figure:
    """NIPS 6, Figs 1 and 2: training and test error against deletions."""
    rows = frames["gaussian"]
    figure, panels = subplots(2, 2, width=DOUBLE, height=4.6, sharex=True, sharey="row")
    nets = rows.replicate.nunique()
    for column, (net, title, least) in enumerate(
        (("trained", "trained to a minimum", 22), ("early", "stopped early", 17))
    ):
        for line, part in enumerate(("train", "test")):
            for method in ("obd", "obs"):
                look = {
                    name: METHOD_STYLE[method][name]
                    for name in ("label", "color", "linestyle", "marker")
                }
                values = table(rows, net, method, f"{part}_error")
                _line(panels[line, column], values, look)
        panels[0, column].set_title(f"{title}, {nets} nets")
        panels[1, column].set_xlabel("deletions")
        paper_line(panels[1, column], least, f"paper, least: {least}", axis="x")
        panels[1, column].legend()
    paper_line(panels[0, 0], 24, "paper, crossing: 24", axis="x")
    panels[0, 0].legend()
    panels[0, 0].set(ylabel="training error E", ylim=(0.07, 0.2))
    panels[1, 0].set(ylabel="test error E", ylim=(0.09, 0.2))
    return figure


def gaussian_entropy(frames: Frames) -> Figure:
    """OBS for the cross-entropy, with the right weights of the samples and without."""
    rows = frames["gaussian"]
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.6)
    for panel, (column, label, scale) in zip(
        panels,
        (
            ("train_error", "training cross-entropy", 1),
            ("test_error", "test cross-entropy", 1),
            ("test_wrong", "test cases wrong, %", 100),
        ),
        strict=True,
    ):
        start = 0.0
        for method, look in _ENTROPY.items():
            values = scale * table(rows, "cross-entropy", method, column)
            _line(panel, values, look)
            start = float(values[0].mean())
        panel.set(xlabel="deletions", ylabel=label, ylim=(0.85 * start, 2.2 * start))
    panels[0].legend()
    panels[1].set_title(f"{rows.replicate.nunique()} nets")
    return figure
