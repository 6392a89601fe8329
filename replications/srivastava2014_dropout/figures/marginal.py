"""Section 9: stochastic training with dropout on its way to the ridge solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oldschool.report.style import DOUBLE, subplots
from oldschool.runs.experiment import Frames

from .common import GREY, UPDATES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = {
    "last": ("last weights", "#E69F00", "s", (0, (6, 2))),
    "averaged": ("averaged weights", "#0072B2", "o", "-"),
}


def marginal(frames: Frames) -> Figure:
    """A panel a probability."""
    rows = frames["marginal_path"]
    rows = rows[rows.updates > 0]
    kept = sorted(rows.p.unique())
    figure, panels = subplots(
        1, max(1, len(kept)), width=DOUBLE, height=2.9, squeeze=False, sharey=True
    )
    for panel, p in zip(panels[0], kept, strict=False):
        of = rows[rows.p == p]
        for column, (label, color, marker, line) in _LOOKS.items():
            look = {"color": color, "marker": marker, "linestyle": line, "markersize": 3.2}
            paths = of.pivot(index="updates", columns="replicate", values=column)
            first, *_ = panel.plot(paths.index, paths, **look)
            first.set_label(label)
        at = np.sort(of.updates.unique()).astype(float)
        end = float(of[of.updates == at[-1]].averaged.mean())
        # Beside the line, not on it.
        panel.plot(at, 0.6 * end * np.sqrt(at[-1] / at), color=GREY, linestyle=":", linewidth=1.3,
                   label="slope of 1 / sqrt(updates)")  # fmt: skip
        panel.set_title(f"p = {p:g}, {of.replicate.nunique()} paths")
    for panel in panels[0]:
        panel.set(xscale="log", yscale="log", xlabel=UPDATES)
    panels[0][0].set_ylabel("distance to the ridge solution, relative")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
