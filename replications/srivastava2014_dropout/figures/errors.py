"""Tables 9 and 10 as figures: test errors by what is done against overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oldschool.report.style import DOUBLE, DROPOUT_STYLE, SINGLE, paper_points, subplots
from oldschool.runs.experiment import Frames

from ..means import count, interval, kept, wilson
from ..printed import TABLE9, TABLE10, TEST_DIGITS
from .common import GREY, TEST_ERROR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REGULARIZERS = {
    "l2": ("L2", "none"),
    "l2_l1": ("L2, L1 towards the end", "none"),
    "l2_kl": ("L2, KL sparsity", "none"),
    "max_norm": ("max-norm", "none"),
    "dropout_l2": ("dropout, L2", "dropout"),
    "dropout_max_norm": ("dropout, max-norm", "dropout_max_norm"),
}
NOISES = {"bernoulli": ("Bernoulli", "dropout_max_norm"), "gaussian": ("Gaussian", "gaussian")}


def regularizers(frames: Frames) -> Figure:
    """Table 9: nets, their mean with its interval, and beside them the paper's."""
    all_rows = frames["regularizers"]
    rows = kept(all_rows, "way")
    figure, (ours, paper) = subplots(1, 2, width=DOUBLE, height=2.6, sharey=True)
    for y, (way, (_, style)) in enumerate(REGULARIZERS.items()):
        of = rows[rows.way == way].test_error
        look = DROPOUT_STYLE[style]
        if len(of):
            found = interval(of)
            ours.plot(of, np.full(len(of), y + 0.22), linestyle="none", marker="|", color=GREY,
                      markersize=5, zorder=1)  # fmt: skip
            ours.errorbar(
                found.middle, y, color=look["color"], marker=look["marker"], linestyle="none",
                xerr=[[found.middle - found.low], [found.high - found.middle]], markersize=5,
            )  # fmt: skip
        _, low, high = wilson(TABLE9[way], TEST_DIGITS)
        paper.plot([low, high], [y, y], color="black", linewidth=0.8)
    paper_points(paper, list(TABLE9.values()), range(len(TABLE9)))
    ours.set_yticks(range(len(REGULARIZERS)), [name for name, _ in REGULARIZERS.values()])
    ours.invert_yaxis()
    ours.set(xlabel=TEST_ERROR, title=f"ours, {count(all_rows, 'way')}")
    paper.set(xlabel=TEST_ERROR, title="paper, Table 9")
    return figure


def gaussian(frames: Frames) -> Figure:
    """Table 10: pairs of nets of one start, and beside them the paper's means."""
    all_rows = frames["gaussian"]
    rows = kept(all_rows, "noise")
    figure, (ours, paper) = subplots(1, 2, width=SINGLE, height=2.6, width_ratios=[1.25, 1])
    table = rows.pivot(index="replicate", columns="noise", values="test_error")
    if set(NOISES) <= set(table):
        ours.plot([0, 1], table[list(NOISES)].T, color=GREY, linewidth=0.6, zorder=1)
    for x, (noise, (_, style)) in enumerate(NOISES.items()):
        of = rows[rows.noise == noise].test_error
        if len(of):
            found, look = interval(of), DROPOUT_STYLE[style]
            ours.errorbar(
                x + (2 * x - 1) * 0.12, found.middle, color=look["color"], marker=look["marker"],
                yerr=[[found.middle - found.low], [found.high - found.middle]], markersize=5,
            )  # fmt: skip
        value, spread = TABLE10[noise]
        paper.plot([x, x], [value - spread, value + spread], color="black", linewidth=0.8)
    paper_points(paper, [0, 1], [TABLE10[noise][0] for noise in NOISES])
    for panel in (ours, paper):
        panel.set_xticks(range(len(NOISES)), [name for name, _ in NOISES.values()])
        panel.set_xlim(-0.5, 1.5)
    ours.set(ylabel=TEST_ERROR, title=f"ours\n{count(all_rows, 'noise')}")
    paper.set_title("paper, 2 x 1024\n10 nets each")
    return figure
