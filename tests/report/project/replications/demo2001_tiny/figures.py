"""Figures and tables of the tiny replication."""

import numpy as np
import pandas as pd

from oldschool.claims.estimate import mean, median
from oldschool.report.style import (
    METHOD_STYLE,
    SINGLE,
    bar_style,
    paper_line,
    paper_points,
    subplots,
)
from oldschool.report.tables import fmt

METHODS = ("magnitude", "obd", "obs")


def weights_left(frames):
    """Histograms of the weights left, a panel a problem."""
    figure, panels = subplots(1, 2, height=2.6, sharey=True)
    for panel, (problem, nets) in zip(panels, frames["pruned"].groupby("problem"), strict=True):
        bins = np.arange(nets["left"].min(), nets["left"].max() + 2) - 0.5
        for method in METHODS:
            left = nets[nets["method"] == method]["left"]
            panel.hist(left, bins, alpha=0.75, **bar_style(method))
        paper_line(panel, 14, axis="x")
        panel.set(title=problem, xlabel="weights left")
    panels[0].set_ylabel("nets")
    panels[-1].legend()
    return figure


def operations(frames):
    """Operations against size."""
    figure, panel = subplots(width=SINGLE)
    panel.plot("n", "operations", data=frames["cost"], **METHOD_STYLE["obs"])
    paper_points(panel, 3, 9)
    panel.set(xlabel="weights n", ylabel="operations")
    panel.legend()
    return figure


def weights_table(frames):
    """Median weights left and mean accuracy, a row a problem and method."""
    rows = []
    for (problem, method), nets in frames["pruned"].groupby(["problem", "method"]):
        left, accuracy = median(nets["left"]), mean(nets["accuracy"])
        rows.append(
            {
                "problem": problem,
                "method": METHOD_STYLE[method]["label"],
                "nets": len(nets),
                "weights left": fmt(left.value, left.low, left.high),
                "accuracy, %": fmt(accuracy.value, accuracy.low, accuracy.high),
            }
        )
    return pd.DataFrame(rows)
