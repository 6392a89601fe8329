"""Figs 2a and 2b, the error rates, and the larger net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oldschool.report.style import DOUBLE, paper_line, paper_points, subplots
from oldschool.runs.experiment import Frames

from ..nets import LARGE, SMALL
from ..paths import deletion, retraining, rise, whole
from .common import LOOKS, PARAMETERS_LEFT, left, line, paper_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The papers' whole net, of 23 passes.
PAPER_LARGE = {
    "train_mse": 0.0025, "test_mse": 0.018, "train_wrong": 0.14, "test_wrong": 5.0
}  # fmt: skip
METHODS = ("random", "magnitude", "obd", "obs")


def retrained_error(frames: Frames) -> Figure:
    """Figs 2a and 2b: training and test error without and with retraining."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.3)
    for panel, part, low in zip(panels, ("train", "test"), (-2, 0), strict=True):
        found = rise(deletion(frames, "obd", f"{part}_mse"))
        look = LOOKS["obd"] | {"label": "OBD, not retrained", "marker": ""}
        line(panel, left(found), found, look)
        for method in METHODS:
            if (frames["retraining"].method == method).any():
                found = rise(retraining(frames, method, f"{part}_mse"))
                look = LOOKS[method] | {"label": f"{LOOKS[method]['label']}, retrained"}
                line(panel, left(found), found, look, markerfacecolor="white")
        paper_axis(panel, low, "MSE over the unpruned net's, dB")
        paper_line(panel, SMALL["parameters"] - 1500, "paper: level to 1500 deleted", axis="x")
    nets = whole(frames["retraining"]).query("method == 'obd'").replicate.nunique()
    panels[0].set_title(f"training set, {nets} nets")
    panels[1].set_title("test set")
    panels[1].legend()
    return figure


def error_rates(frames: Frames) -> Figure:
    """Test error against parameters, without and with retraining."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.5, sharey=True)
    for method in METHODS:
        if (frames["deletion"].method == method).any():
            found = deletion(frames, method, "test_wrong")
            line(panels[0], left(found), found, LOOKS[method])
        if (frames["retraining"].method == method).any():
            found = retraining(frames, method, "test_wrong")
            line(panels[1], left(found), found, LOOKS[method], markerfacecolor="white")
    start = deletion(frames, "obd", "test_wrong")[0].mean()
    for panel, title in zip(panels, ("not retrained", "retrained"), strict=True):
        panel.axhline(start, color="#7F7F7F", linewidth=0.8, label=f"unpruned: {start:.2f} %")
        panel.set(xlabel=PARAMETERS_LEFT, xlim=(0, 2600), ylim=(0.6 * start, 4 * start))
        panel.set_title(title)
    paper_line(panels[0], 3.4, "paper, unpruned, with printed digits: 3.4 %")
    panels[0].set_ylabel("test digits wrong, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def interactive(frames: Frames) -> Figure:
    """The larger net on its road to a quarter of its parameters."""
    rows = whole(frames["interactive"]).copy()
    rows["step"] = rows.groupby("replicate").cumcount()
    x = rows.groupby("step").parameters.first().to_numpy(float)
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.5)
    for column, label, marker, colour in (
        ("train_mse", "training set", "o", "#0072B2"), ("test_mse", "test set", "s", "#E69F00"),
    ):  # fmt: skip
        table = rows.pivot(index="replicate", columns="step", values=column)
        look = {"label": label, "color": colour, "marker": marker, "linestyle": "-"}
        line(panels[0], x, table, look)
        factor, claim = (10, "x 10") if column == "train_mse" else (1.5, "+ 50 %")
        over = f"paper: {claim} over ours"
        paper_points(panels[0], x[1], factor * table[0].mean(), over, fill=colour)
        unpruned = f"paper: {label}, whole net"
        paper_points(panels[0], x[0], PAPER_LARGE[column], unpruned, fill=colour)
    for column, label, marker, colour in (
        ("train_wrong", "training set", "o", "#0072B2"), ("test_wrong", "test set", "s", "#E69F00"),
    ):  # fmt: skip
        table = rows.pivot(index="replicate", columns="step", values=column)
        look = {"label": label, "color": colour, "marker": marker, "linestyle": "-"}
        line(panels[1], x, table, look)
        unpruned = f"paper: {label}, whole net"
        paper_points(panels[1], x[0], PAPER_LARGE[column], unpruned, fill=colour)
    for panel in panels:
        panel.axvline(x[1], color="#7F7F7F", linewidth=0.8)
        panel.set(xlabel=PARAMETERS_LEFT, xlim=(2000, LARGE["parameters"] + 300))
        panel.invert_xaxis()
    panels[0].set(ylabel="mean squared error", yscale="log")
    panels[0].set_title(f"{rows.replicate.nunique()} nets; grey: layer removed")
    panels[1].set(ylabel="digits wrong, %", ylim=(0, None))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
