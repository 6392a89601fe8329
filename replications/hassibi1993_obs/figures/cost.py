"""What the inverse Hessian costs against the number of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oldschool.report.style import DOUBLE, subplots
from oldschool.runs.experiment import Frames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "rank-1": {"color": "#E69F00", "marker": "s", "linestyle": (0, (6, 2))},
    "blocked": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "direct": {"color": "#000000", "marker": "^", "linestyle": (0, (3, 1.5))},
}


def inverse_cost(frames: Frames) -> Figure:
    """Seconds and gigabytes of the three forms."""
    rows = frames["inverse_cost"]
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.8)
    for form, look in _LOOKS.items():
        of = rows[rows.form == form].sort_values("weights")
        panels[0].plot(of.weights, of.seconds, label=form, **look)
        panels[1].plot(of.weights, of.gigabytes, label=form, **look)
    ticks = sorted(rows.weights.unique())
    for panel, label in zip(panels, ("seconds", "gigabytes"), strict=True):
        panel.set(xscale="log", yscale="log", xlabel="weights", ylabel=label)
        panel.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        panel.minorticks_off()
    panels[1].set_yticks([0.5, 1, 2, 5], labels=["0.5", "1", "2", "5"])
    panels[0].legend()
    panels[0].set_title(f"{rows.rows.iloc[0]:,} gradients, {rows.threads.iloc[0]} threads")
    panels[1].set_title(str(rows.machine.iloc[0]))
    return figure
