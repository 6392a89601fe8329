"""Figs 9 and 10: the probability of keeping a unit, and the number of training digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.ticker import FuncFormatter, NullFormatter

from oldschool.report.style import DOUBLE, DROPOUT_STYLE, subplots
from oldschool.runs.experiment import Frames

from ..means import count, kept
from ..published import FIG9A, FIG9A_BARS, FIG9B, FIG9B_BARS, FIG10, FIG10_BARS
from .common import TEST_ERROR, bars, legend, paper_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SERIES = {
    "n_fixed": ("(a) n fixed", FIG9A, FIG9A_BARS, "n = 2048"),
    "pn_fixed": ("(b) p n fixed", FIG9B, FIG9B_BARS, "p n = 256, 256, 512"),
}
_PARTS: dict[str, dict[str, Any]] = {
    "test": {"label": "test", "color": "#0072B2", "marker": "o", "linestyle": "-"},
    "train": {
        "label": "training", "color": "#E69F00", "marker": "s", "linestyle": (0, (6, 2)),
        "markerfacecolor": "white",
    },
}  # fmt: skip
_OURS = {"none": "none", "dropout": "dropout_max_norm"}  # the way of each of the paper's curves


def rate(frames: Frames) -> Figure:
    """Figs 9a and 9b: ours on the left, the paper's on the right."""
    figure, panels = subplots(2, 2, width=DOUBLE, height=5.0, sharex=True)
    for (ours, paper), (series, (title, values, spreads, size)) in zip(
        panels, _SERIES.items(), strict=True
    ):
        all_rows = frames["rate"]
        all_rows = all_rows[all_rows.series == series]
        rows = kept(all_rows, "p")
        for part, look in _PARTS.items():
            bars(ours, rows, "p", f"{part}_error", look)
            paper_curve(
                paper,
                values[part],
                spreads[part],
                f"paper, {look['label']}",
                hollow=part == "train",
            )
        ours.set_ylabel("error, %")
        ours.set_title(f"{title}, ours: {_units(all_rows)}\n{count(all_rows, 'p')}")
        paper.set_title(f"{title}, paper: {size}\nthree hidden layers")
        for panel in (ours, paper):  # stars and marks at nought are not cut in half
            panel.set_ylim(-0.03 * panel.get_ylim()[1], None)
    for panel in panels[1]:
        panel.set(xlabel="probability p of keeping a hidden unit", xlim=(0.05, 1.05))
    for panel in panels[0]:
        legend(panel)
    return figure


def _units(rows: pd.DataFrame) -> str:
    units = rows.sort_values("p").units
    if units.empty:
        return "no net"
    first, last = int(units.iloc[0]), int(units.iloc[-1])
    return f"first layer of {first}" + (f" to {last}" if last != first else "") + " units"


def dataset_size(frames: Frames) -> Figure:
    """Fig. 10: the error with and without dropout, and what dropout saves."""
    all_rows = frames["dataset_size"]
    rows = kept(all_rows, "digits", "way")
    figure, (error, gain) = subplots(1, 2, width=DOUBLE, height=3.4)
    for name, way in _OURS.items():
        bars(error, rows[rows.way == way], "digits", "test_error", DROPOUT_STYLE[way])
        paper_curve(
            error, FIG10[name], FIG10_BARS[name], f"paper, {DROPOUT_STYLE[name]['label']}",
            hollow=name == "none", size=7.0,
        )  # fmt: skip
    error.set(yscale="log", ylabel=TEST_ERROR)
    error.set_yticks([1, 2, 5, 10, 20, 50], labels=["1", "2", "5", "10", "20", "50"])
    error.yaxis.set_minor_formatter(NullFormatter())
    error.set_title(f"ours: {count(all_rows, 'digits', 'way')}")
    bars(gain, gains(rows), "digits", "saved", DROPOUT_STYLE["dropout_max_norm"])
    saved = {digits: FIG10["none"][digits] - FIG10["dropout"][digits] for digits in FIG10["none"]}
    paper_curve(gain, saved, dict.fromkeys(saved, 0.0), "paper")
    gain.axhline(0, color="black", linewidth=0.7)
    gain.set(
        ylabel="test error that dropout saves, points", title="pairs of nets on the same digits"
    )
    for panel in (error, gain):
        _digits_axis(panel)
    error.legend()
    return figure


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """What dropout saves, in points, of each pair of nets on the same digits."""
    table = rows.pivot(index=["digits", "replicate"], columns="way", values="test_error")
    for way in _OURS.values():
        if way not in table:
            table[way] = float("nan")
    return (table.none - table.dropout_max_norm).rename("saved").dropna().reset_index()


def _digits_axis(axes: Axes) -> None:
    axes.set(xscale="log", xlabel="training digits")
    axes.set_xticks([100, 500, 1000, 5000, 10_000, 50_000])
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.set_xticks([], minor=True)


def _thousands(value: float, _: object) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
