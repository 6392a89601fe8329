"""One look for all figures, and a save that gives the same bytes every time.

A ``draw`` function needs only :func:`subplots`, ``METHOD_STYLE`` and the two helpers for the
paper's values; the report draws it inside :func:`report_style` and saves it. Lines, letters and
sizes are in ``oldschool.mplstyle``, also to be had as
``plt.style.use("oldschool.report.oldschool")``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib
import matplotlib.style
import numpy as np

matplotlib.use("Agg")
from matplotlib.figure import Figure

from oldschool.report import DPI, STYLE_SHEET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

SINGLE = 3.5  # width in inches of a figure of one journal column
DOUBLE = 7.0  # and of two
FORMATS = ("svg", "png", "pdf")

# Okabe and Ito's colours, which the colour-blind tell apart. Marker and line tell the methods
# apart in grey, and OBD from random where red and green look alike. A black dash-dotted line or a
# star is always the paper's value.
METHOD_STYLE: dict[str, Mapping[str, Any]] = {
    "magnitude": {
        "label": "magnitude",
        "color": "#E69F00",
        "marker": "s",
        "linestyle": (0, (6, 2)),
    },
    "obd": {"label": "OBD", "color": "#009E73", "marker": "^", "linestyle": (0, (3, 1.5))},
    "obs": {"label": "OBS", "color": "#0072B2", "marker": "o", "linestyle": "-"},
    "random": {"label": "random", "color": "#7F7F7F", "marker": "x", "linestyle": ":"},
}
# Ways to train a net, which are not drawn together with methods of pruning.
LEARNER_STYLE: dict[str, Mapping[str, Any]] = {
    "cascor": {
        "label": "Cascade-Correlation",
        "color": "#D55E00",
        "marker": "D",
        "linestyle": "-",
    },
    "backprop": {
        "label": "back-propagation",
        "color": "#7F7F7F",
        "marker": "s",
        "linestyle": (0, (6, 2)),
    },
    "quickprop": {
        "label": "Quickprop",
        "color": "#56B4E9",
        "marker": "^",
        "linestyle": (0, (3, 1.5)),
    },
}
# What is done to a net against overfitting, likewise.
DROPOUT_STYLE: dict[str, Mapping[str, Any]] = {
    "none": {
        "label": "without dropout",
        "color": "#E69F00",
        "marker": "s",
        "linestyle": (0, (6, 2)),
    },
    "dropout": {
        "label": "dropout",
        "color": "#009E73",
        "marker": "^",
        "linestyle": (0, (3, 1.5)),
    },
    "dropout_max_norm": {
        "label": "dropout, max-norm",
        "color": "#0072B2",
        "marker": "o",
        "linestyle": "-",
    },
    "gaussian": {"label": "Gaussian noise", "color": "#CC79A7", "marker": "D", "linestyle": ":"},
}
_HATCH = {
    "magnitude": "//", "obd": "\\\\", "obs": "", "random": "..",
    "cascor": "", "backprop": "//", "quickprop": "..",
    "none": "//", "dropout": "\\\\", "dropout_max_norm": "", "gaussian": "..",
}  # fmt: skip
_PAPER: Mapping[str, Any] = {"color": "black", "zorder": 5}


@contextmanager
def report_style() -> Iterator[None]:
    """The report's settings of matplotlib, from its defaults and nobody's matplotlibrc."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.style.use(STYLE_SHEET)
        yield


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = DOUBLE,
    height: float | None = None,
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure and its axes, as ``pyplot.subplots`` gives them, without pyplot's global state.

    Args:
        rows: rows of axes.
        columns: columns of axes.
        width: inches, ``SINGLE`` or ``DOUBLE``.
        height: inches; left out, each axes is about four wide to three high.
        **options: passed on to ``Figure.subplots`` (``sharex``, ``squeeze``, ...).
    """
    figure = Figure(figsize=(width, height or 0.75 * width * rows / columns))
    return figure, figure.subplots(rows, columns, **options)


def bar_style(method: str) -> dict[str, Any]:
    """Keywords for a bar, box or histogram of what has a style: colour, hatch for grey."""
    style = (METHOD_STYLE | LEARNER_STYLE | DROPOUT_STYLE)[method]
    return {
        "label": style["label"],
        "facecolor": style["color"],
        "hatch": _HATCH[method],
        "edgecolor": "white",
        "linewidth": 0.5,
    }


def paper_line(ax: Axes, value: float, label: str | None = None, *, axis: str = "y") -> Line2D:
    """The paper's value as a black dash-dotted line across ``ax``.

    Args:
        ax: where.
        value: the paper's number, in the axis's unit.
        label: entry of the legend; ``paper: <value>`` if left out, ``"_"`` for none.
        axis: the axis the value is read on: ``"y"`` for a level line, ``"x"`` for an upright.
    """
    draw = {"y": ax.axhline, "x": ax.axvline}[axis]
    return draw(
        value,
        label=f"paper: {value:g}" if label is None else label,
        linestyle="-.",
        linewidth=1.1,
        **_PAPER,
    )


def paper_points(
    ax: Axes, x: Any, y: Any, label: str = "paper", *, fill: str | None = None
) -> Line2D:
    """The paper's values as stars at ``(x, y)``, each a number or a sequence.

    Args:
        ax: where.
        x: places.
        y: values.
        label: entry of the legend.
        fill: colour inside a black edge, to tell several of the paper's values apart; black stars
            if left out.
    """
    return ax.plot(
        np.atleast_1d(x),
        np.atleast_1d(y),
        label=label,
        linestyle="none",
        marker="*",
        markersize=9.0,
        markerfacecolor=fill or "black",
        markeredgecolor="black" if fill else "white",
        markeredgewidth=0.7 if fill else 0.5,
        **_PAPER,
    )[0]


def render(figure: Figure) -> dict[str, bytes]:
    """The figure as {format: bytes}, the same bytes every time: no dates, no random names."""
    metadata: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    images = {}
    with report_style():
        # Lay out once, so that all formats agree and none pays for it again.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for kind in FORMATS:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata[kind])
            images[kind] = buffer.getvalue()
    return images
