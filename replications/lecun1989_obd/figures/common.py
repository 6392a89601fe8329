"""What the figures share: looks, lines with intervals, and the paper's axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from oldschool.claims.estimate import LEVEL
from oldschool.report.style import METHOD_STYLE

from ..nets import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEYS = ("label", "color", "linestyle", "marker")
LOOKS: dict[str, dict[str, Any]] = {
    **{name: {key: style[key] for key in _KEYS} for name, style in METHOD_STYLE.items()},
    "obd_lm": {
        "label": "OBD, Levenberg-Marquardt form", "color": "#56B4E9", "linestyle": ":",
        "marker": "v",
    },
    "obd_exact": {
        "label": "OBD, exact diagonal", "color": "#CC79A7", "linestyle": (0, (5, 1, 1, 1)),
        "marker": "D",
    },
}  # fmt: skip
PARAMETERS_LEFT = "parameters left"
FEW = 5  # nets; the band of fewer is their range


def line(axes: Axes, x: Any, values: pd.DataFrame, look: Mapping[str, Any], **more: Any) -> None:
    """Mean over nets, a row each, with its 90 % interval (Student's t); of few nets their range."""
    middle = values.mean().to_numpy()
    axes.plot(x, middle, **{"markersize": 3.2, **look, **more})
    low, high = values.min().to_numpy(), values.max().to_numpy()
    if len(values) >= FEW:
        arm = stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1) * values.sem().to_numpy()
        low, high = middle - arm, middle + arm
    axes.fill_between(x, low, high, color=look["color"], alpha=0.18, linewidth=0)


def left(values: pd.DataFrame) -> np.ndarray:
    """Parameters left at each column, whose name is how many are deleted."""
    return SMALL["parameters"] - values.columns.to_numpy(float)


def paper_axis(axes: Axes, low: float, label: str, parameters: bool = True) -> None:
    """dB from ``low`` to 16, as the paper draws it, over 0 to 2578 parameters left."""
    axes.set(ylim=(low, 16), ylabel=label, xlim=(0, 2600))
    if parameters:
        axes.set_xlabel(PARAMETERS_LEFT)
