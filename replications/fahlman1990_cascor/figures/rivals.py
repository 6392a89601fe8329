"""Figures of the comparison with back-propagation and Quickprop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oldschool.report.style import DOUBLE, LEARNER_STYLE, paper_points, subplots
from oldschool.runs.experiment import Frames

from ..paper import CROSSINGS, EPOCHS, RIVAL_CROSSINGS, RIVAL_EPOCHS
from ..selection import rival

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = {"back-propagation": "backprop", "quickprop": "quickprop"}


def rivals(frames: Frames) -> Figure:
    """Share of starts that have learned against epochs and crossings."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.0, sharey=True)
    groups = [("cascor", frames["spirals"], EPOCHS, CROSSINGS)]
    groups += [
        (_STYLE[rule], rival(frames, rule), RIVAL_EPOCHS[rule], RIVAL_CROSSINGS[rule])
        for rule in _STYLE
    ]
    for style, rows, *paper in groups:
        look = LEARNER_STYLE[style]
        for panel, column, value in zip(panels, ("epochs", "crossings"), paper, strict=True):
            taken = np.sort(rows[rows.learned][column].to_numpy(float))
            share = 100 * np.arange(len(taken) + 1) / len(rows)
            # On to the limit, which is where those that never learned were given up.
            end = max(float(rows[column].max()), taken[-1] if len(taken) else 0.0)
            panel.step(
                np.concatenate([taken[:1], taken, [end]]) if len(taken) else [end, end],
                np.concatenate([share, share[-1:]]) if len(taken) else [0, 0],
                where="post", color=look["color"], linestyle=look["linestyle"],
                label=f"{look['label']}, {len(rows)} starts",
            )  # fmt: skip
            paper_points(panel, value, 50, "_", fill=look["color"])
    for panel, label in zip(panels, ("epochs", "connection crossings"), strict=True):
        panel.set(xscale="log", xlabel=label)
    panels[0].set(ylabel="starts that have learned, %", ylim=(0, 102))
    handles, labels = panels[0].get_legend_handles_labels()
    star = paper_points(panels[0], [], [], "_", fill="white")
    figure.legend([*handles, star], [*labels, "paper"], loc="outside upper center", ncols=4)
    return figure
