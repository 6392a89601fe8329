"""What a classification takes before and after pruning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oldschool.report.style import DOUBLE, subplots
from oldschool.runs.experiment import Frames

from ..nets import SMALL
from .common import PARAMETERS_LEFT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "module": {
        "label": "dense: torch module", "color": "#E69F00", "marker": "s", "linestyle": (0, (6, 2)),
    },
    "dense": {
        "label": "dense: matrix products", "color": "#000000", "marker": "^",
        "linestyle": (0, (3, 1.5)),
    },
    "sparse": {
        "label": "zeros left out", "color": "#0072B2", "marker": "o", "linestyle": "-",
    },
}  # fmt: skip
_IN_PROPORTION: Mapping[str, Any] = {"color": "#7F7F7F", "linestyle": ":", "marker": ""}


def classification(frames: Frames) -> Figure:
    """Time of a digit, alone and among others, against parameters left."""
    rows = frames["classification"]
    batches = sorted(rows.batch.unique())
    figure, panels = subplots(1, len(batches), width=DOUBLE, height=3.0, squeeze=False)
    for panel, batch in zip(panels[0], batches, strict=True):
        at = rows[rows.batch == batch]
        for form, look in _LOOKS.items():
            of = at[at.form == form].sort_values("deleted")
            panel.plot(SMALL["parameters"] - of.deleted, 1e6 * of.seconds / batch, **look)
        of = at[at.form == "sparse"].sort_values("deleted")
        share = of.connections / of.connections.iloc[0]
        panel.plot(
            SMALL["parameters"] - of.deleted, 1e6 * of.seconds.iloc[0] / batch * share,
            label="in proportion to connections", **_IN_PROPORTION,
        )  # fmt: skip
        panel.set(xlabel=PARAMETERS_LEFT, xlim=(0, 2650), ylim=(0, None))
        panel.set_title("one digit alone" if batch == 1 else f"{batch} digits at once")
    panels[0][0].set_ylabel("microseconds a digit")
    panels[0][0].legend(loc="center", bbox_to_anchor=(0.5, 0.55))
    return figure
