"""Fig. 4: the test error along the training of six nets, with and without dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from oldschool.report.style import DOUBLE, DROPOUT_STYLE, paper_line, subplots
from oldschool.runs.experiment import Frames

from ..means import count, kept
from ..published import FIG4_DROPOUT, FIG4_NONE, UPDATES_A_POINT
from .common import TEST_ERROR, UPDATES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WAYS = ("none", "dropout_max_norm")
_LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)))  # by layers
_NET = ("layers", "width", "hidden", "way")


def architectures(frames: Frames) -> Figure:
    """Our nets on the left, the paper's on the right."""
    all_rows = frames["architectures"]
    all_rows = all_rows[(all_rows.hidden == "relu") & all_rows.way.isin(WAYS)]
    # Wide nets are trained with dropout only.
    sizes = all_rows[all_rows.way == "none"][["layers", "width"]].drop_duplicates()
    all_rows = all_rows.merge(sizes, on=["layers", "width"])
    rows = kept(all_rows, *_NET)
    figure, (ours, paper) = subplots(1, 2, width=DOUBLE, height=3.9)
    layers, widths = sorted(sizes.layers.unique()), sorted(sizes.width.unique())
    for way in WAYS:
        look = DROPOUT_STYLE[way]
        for (depth, width), of in rows[rows.way == way].groupby(["layers", "width"]):
            for _, net in of.groupby("replicate"):
                ours.plot(net.updates, net.test_error, color=look["color"], linewidth=0.5,
                          alpha=0.45)  # fmt: skip
            means = of.groupby("updates").test_error.mean()
            ours.plot(
                means.index, means, color=look["color"], marker=look["marker"], markersize=3.2,
                linestyle=_LINES[layers.index(depth) % len(_LINES)], linewidth=1.0,
                markerfacecolor=look["color"] if width == widths[-1] else "white",
                label=f"{depth} x {width}, {look['label']}",
            )  # fmt: skip
    _settled(ours, rows)
    last = int(rows.updates.max()) if len(rows) else 0
    ours.set(xlabel=UPDATES, ylabel=TEST_ERROR)
    ours.set_title(f"ours, {last:,} updates\n{count(all_rows, *_NET)}")
    _paper(paper)
    handles = [
        Line2D([], [], color=DROPOUT_STYLE[way]["color"], marker=DROPOUT_STYLE[way]["marker"],
               label=DROPOUT_STYLE[way]["label"])
        for way in WAYS
    ]  # fmt: skip
    handles += [
        Line2D([], [], color="black", linestyle=_LINES[i % len(_LINES)], label=f"{depth} layers")
        for i, depth in enumerate(layers)
    ]
    handles += [
        Line2D([], [], color="black", linestyle="none", marker="o", label=f"{width} units a layer",
               markerfacecolor="black" if width == widths[-1] else "white")
        for width in widths
    ]  # fmt: skip
    handles += [line for line in paper.lines if line.get_linestyle() == "-."][:1]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _settled(axes: Axes, rows: Any) -> None:
    """Cut what lies far above where the nets come to: the first moments of the training."""
    if rows.empty:
        return
    final = rows[rows.updates == rows.updates.max()].test_error
    low, high = float(rows.test_error.min()), 1.8 * float(final.max())
    axes.set_ylim(0.9 * low, min(high, 1.05 * float(rows.test_error.max())))
    axes.set_xlim(0, None)


def _paper(axes: Axes) -> None:
    for way, curves in zip(WAYS, (FIG4_NONE, FIG4_DROPOUT), strict=True):
        for curve in curves:
            axes.plot(
                UPDATES_A_POINT * np.arange(1, len(curve) + 1), curve,
                color=DROPOUT_STYLE[way]["color"], linewidth=0.6,
            )  # fmt: skip
        finals = [curve[-1] for curve in curves]
        paper_line(axes, float(np.mean(finals)), "paper: mean of its six nets at the end")
    axes.set(xlabel=UPDATES, xlim=(0, 1e6), ylim=(0.9, 2.7))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_title("paper, 1,000,000 updates\n2 to 4 layers of 1024 or 2048, one net each")
