"""Figures of what the second order predicts and what the error does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oldschool.report.style import (
    DOUBLE,
    METHOD_STYLE,
    paper_line,
    subplots,
)
from oldschool.runs.experiment import Frames

from ..selection import ordered
from .common import PAPER_LEFT, PROBLEM, point, share_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_LEAST, _MOST = 1e-12, 3.0


def predicted_actual(frames: Frames) -> Figure:
    """Predicted against actual increase of the error: MONK's deletions, XOR's first deletions."""
    figure, panels = subplots(2, 2, width=DOUBLE, height=5.4, sharex=True, sharey=True)
    paths = frames["monks_paths"]
    # A path goes on after a net's first refusal; only what stands before it is pruning.
    paths = paths[~paths.retrained]
    still = paths.groupby(["problem", "method", "replicate"], sort=False).accepted.cummin()
    paths = paths[still.astype(bool)]
    first = frames["inequality"]
    first = first[first.task.str.startswith("xor")]
    for panel, task in zip(panels.flat, (*PAPER_LEFT, "xor"), strict=True):
        nets = len(first) if task == "xor" else paths[paths.problem == task].replicate.nunique()
        for method in ("obd", "obs"):
            if task == "xor":
                predicted, actual = first[f"{method}_predicted"], first[f"{method}_actual"]
            else:
                rows = paths[(paths.problem == task) & (paths.method == method)]
                predicted, actual = rows.predicted, rows.deleted - rows.before
            shown = (predicted >= _LEAST) & (actual >= _LEAST)
            look = METHOD_STYLE[method]
            panel.plot(
                predicted[shown],
                actual[shown],
                linestyle="none",
                marker=look["marker"],
                markersize=1.8,
                alpha=0.35,
                color=look["color"],
                rasterized=True,
                label=(
                    f"{look['label']}, n = {len(actual)}: {100 * (actual < 0).mean():.0f} % fall, "
                    f"{100 * (~shown & (actual >= 0)).mean():.0f} % off the axes"
                ),
            )
        panel.plot([_LEAST, _MOST], [_LEAST, _MOST], color="black", linewidth=0.8)
        panel.set(xscale="log", yscale="log", xlim=(_LEAST, _MOST), ylim=(_LEAST, _MOST))
        panel.set_title(f"{PROBLEM.get(task, 'XOR, first deletion')}, {nets} nets")
        panel.legend(fontsize=5.8, loc="lower right", markerscale=2.5)
    for panel in panels[1]:
        panel.set_xlabel("predicted increase of E")
    for panel in panels[:, 0]:
        panel.set_ylabel("actual increase of E")
    return figure


def inequality(frames: Frames) -> Figure:
    """Shares of nets in which the three errors stand in the claimed order."""
    rows = frames["inequality"]
    tasks = list(dict.fromkeys(rows.task))
    figure, panel = subplots(width=DOUBLE, height=2.6)
    for offset, kind, marker, color, label in (
        (-0.12, "predicted", "s", "#7F7F7F", "to second order"),
        (0.12, "actual", "o", "#0072B2", "actual errors"),
    ):
        for x, task in enumerate(tasks):
            estimate = share_of(ordered(rows[rows.task == task], kind))
            point(
                panel, x + offset, estimate, marker=marker, color=color,
                label=label if x == 0 else None,
            )  # fmt: skip
    paper_line(panel, 100, "paper: always, to second order")
    counts = rows.task.value_counts()
    panel.set_xticks(range(len(tasks)), [f"{PROBLEM.get(t, t)}\nn = {counts[t]}" for t in tasks])
    panel.tick_params(axis="x", labelsize=6)
    panel.set(ylabel="mag $\\geq$ OBD $\\geq$ OBS, % of nets", ylim=(-4, 106))
    panel.legend(loc="lower left")
    return figure
