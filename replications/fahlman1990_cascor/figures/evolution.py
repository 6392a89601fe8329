"""The paper's Figs 3 and 4: what a net says over the plane, and what its units see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oldschool.report.style import DOUBLE, subplots
from oldschool.runs.experiment import Frames

from ..spirals import TASK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 5


def _over_the_plane(frames: Frames, column: str, stages: list[int], titles: list[str]) -> Figure:
    rows = frames["evolution"]
    lines = -(-len(stages) // _COLUMNS)
    figure, panels = subplots(
        lines, _COLUMNS, width=DOUBLE, height=1.5 * lines, squeeze=False, sharex=True, sharey=True
    )
    last, count = float(rows.x.max()), rows.x.nunique()
    edge = last + last / (count - 1)  # to the outer side of the outermost pixels
    bound = float(np.nanmax(np.abs(rows[column])))
    positive = TASK.t[:, 0].numpy() > 0
    points = TASK.x.numpy()
    for panel, stage, title in zip(panels.flat, stages, titles, strict=False):
        values = rows[rows.hidden == stage].pivot(index="y", columns="x", values=column)
        image = panel.imshow(
            values, origin="lower", extent=(-edge, edge, -edge, edge), cmap="gray",
            vmin=-bound, vmax=bound, interpolation="bilinear",
        )  # fmt: skip
        for chosen, face, rim in ((positive, "white", "black"), (~positive, "black", "white")):
            panel.scatter(*points[chosen].T, s=3, c=face, edgecolors=rim, linewidths=0.25, zorder=3)
        panel.set_title(title, fontsize=7)
        panel.set(xticks=[-6, 0, 6], yticks=[-6, 0, 6])
        panel.grid(visible=False)
    for panel in list(panels.flat)[len(stages) :]:
        panel.set_visible(False)
    figure.supxlabel("x", fontsize=8)
    figure.supylabel("y", fontsize=8)
    figure.colorbar(image, ax=panels, shrink=0.6, label="value")
    return figure


def evolution_outputs(frames: Frames) -> Figure:
    """The output of the net with 0, 1, ... hidden units."""
    stages = sorted(frames["evolution"].hidden.unique().tolist())
    titles = [f"{stage} unit{'s' if stage != 1 else ''}" for stage in stages]
    return _over_the_plane(frames, "output", stages, titles)


def evolution_fields(frames: Frames) -> Figure:
    """The receptive field of each hidden unit."""
    stages = [stage for stage in sorted(frames["evolution"].hidden.unique().tolist()) if stage]
    return _over_the_plane(frames, "field", stages, [f"unit {stage}" for stage in stages])
