"""Figures of NETtalk: the error along the way, what is left, and how often to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from oldschool.data.nettalk import FEATURES, STRESSES, WINDOW
from oldschool.report.style import DOUBLE, METHOD_STYLE, paper_points, subplots
from oldschool.runs.experiment import Frames

from ..selection import nettalk_at, nettalk_path, nettalk_start, nettalk_target
from .common import METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER_RATIO = 4701 / 5259
# Grey-safe looks of the compared settings, darkest first.
_SHADES = ("#000000", "#0072B2", "#E69F00", "#999999", "#CC79A7")
_MARKS = ("o", "s", "^", "D", "v")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _nets(count: int) -> str:
    return f"{count} net{'s' if count > 1 else ''}"


def _relative(rows: pd.DataFrame, start: pd.DataFrame, part: str) -> pd.Series:
    return 100 * rows[f"{part}_sse"] / rows.replicate.map(start[f"{part}_sse"])


def _band(axes: Axes, rows: pd.DataFrame, values: pd.Series, method: str) -> None:
    """Median over nets and, as a band, their range."""
    groups = values.groupby(rows.weights_left)
    middle = groups.median()
    look = METHOD_STYLE[method]
    axes.plot(
        middle.index, middle, label=look["label"], color=look["color"],
        linestyle=look["linestyle"], marker=look["marker"], markersize=3, markevery=3,
    )  # fmt: skip
    axes.fill_between(
        middle.index, groups.min(), groups.max(), color=look["color"], alpha=0.15, linewidth=0
    )


def nettalk_error(frames: Frames) -> Figure:
    """Training and test error against weights left, without and with retraining."""
    start = nettalk_start(frames)
    figure, panels = subplots(2, 2, width=DOUBLE, height=4.8, sharex=True)
    targets = [nettalk_target(frames, 1), nettalk_target(frames, -1)]
    for line in range(2):
        for column, part in enumerate(("train", "test")):
            panel = panels[line, column]
            for method in METHODS:
                first = nettalk_path(frames, method, 1)
                if line:
                    first = first[first.weights_left >= targets[0]]
                _band(panel, first, _relative(first, start, part), method)
                if line:
                    _with_retraining(panel, frames, start, method, part)
            for target in targets:
                panel.axvline(target, color="black", linewidth=0.6, linestyle=":")
            panel.axhline(100, color="black", linewidth=0.6)
            panel.set_ylim((50, 400) if part == "train" else (85, 160))
            if part == "train":
                panel.set(yscale="log", yticks=[50, 100, 200, 400])
                panel.set_yticklabels(["50", "100", "200", "400"])
                panel.minorticks_off()
        paper_points(panels[line, 1], targets[1], 100 * PAPER_RATIO, "paper, OBS")
    counts = _nets(len(start))
    panels[0, 0].set(title=f"training words, {counts}", ylabel="no retraining\nerror, % of start")
    panels[0, 1].set(title=f"all other words, {counts}")
    panels[1, 0].set_ylabel("retrained at each dotted line\nerror, % of start")
    panels[0, 0].invert_xaxis()
    for panel in panels[1]:
        panel.set_xlabel("weights left")
    figure.legend(*panels[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _with_retraining(
    panel: Axes, frames: Frames, start: pd.DataFrame, method: str, part: str
) -> None:
    """The last stage, and what retraining gives at the ends of the stages, as open marks."""
    last = int(frames["nettalk"].stage.max())
    rows = nettalk_path(frames, method, last)
    _band(panel, rows, _relative(rows, start, part), method)
    look = METHOD_STYLE[method]
    for stage in range(1, last + 1):
        again = nettalk_at(frames, method, stage, "retrained").reset_index()
        panel.plot(
            again.weights_left.iloc[0], _relative(again, start, part).median(), linestyle="none",
            marker=look["marker"], markersize=7, markerfacecolor="white",
            markeredgecolor=look["color"], zorder=4,
        )  # fmt: skip


def nettalk_weights(frames: Frames) -> Figure:
    """Which letters in which places, and which outputs, keep their weights."""
    rows = frames["nettalk_weights"]
    rows = rows[rows.stage == rows.stage.max()]
    left = int(rows.weights_left.min())
    rows = rows[rows.weights_left == left].assign(share=100 * rows.kept / rows.weights)
    figure, panels = subplots(
        1, 3, width=DOUBLE, height=3.4, gridspec_kw={"width_ratios": [1.1, 0.9, 1.2]}
    )
    inputs = rows[rows.kind == "input"]
    obs = inputs[(inputs.method == "obs") & (inputs.code < len(_LETTERS))]
    shares = obs.pivot_table(index="code", columns="position", values="share", aggfunc="mean")
    image = panels[0].imshow(shares, aspect="auto", cmap="cividis", vmin=0)
    panels[0].set(
        xlabel="place in the window", title=f"OBS, {left} weights", yticks=range(len(_LETTERS))
    )
    panels[0].set_yticklabels(list(_LETTERS), fontsize=5)
    places = [f"{place - WINDOW // 2:+d}".replace("+0", "0") for place in range(WINDOW)]
    panels[0].set_xticks(range(WINDOW), labels=places)
    panels[0].grid(visible=False)
    figure.colorbar(image, ax=panels[0], label="weights left, %", location="left")
    nets = rows.replicate.nunique()
    for method in METHODS:
        look = METHOD_STYLE[method]
        style = {name: look[name] for name in ("color", "linestyle", "marker", "label")}
        mine = inputs[inputs.method == method].groupby(["replicate", "position"])
        by_place = (100 * mine.kept.sum() / mine.weights.sum()).unstack()
        panels[1].plot(by_place.columns, by_place.mean(), **style)
        outputs = rows[(rows.kind == "output") & (rows.method == method)]
        by_unit = outputs.groupby("code").share.mean()
        panels[2].plot(
            by_unit, np.arange(len(by_unit)), linestyle="none",
            **{name: style[name] for name in ("color", "marker")},
        )  # fmt: skip
    panels[1].set(xlabel="place in the window", ylabel="weights left, %", ylim=(0, None))
    panels[1].set(title=f"mean of {_nets(nets)}", xticks=range(-(WINDOW // 2), WINDOW // 2 + 1))
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    names = [name.lower() for name in FEATURES] + [f"stress {symbol}" for symbol in STRESSES]
    panels[2].set_yticks(range(len(names)), labels=names, fontsize=5.5)
    panels[2].set(xlabel="weights left, %", title="to the output units", xlim=(0, 103))
    panels[2].invert_yaxis()
    return figure


def nettalk_looks(frames: Frames) -> Figure:
    """Alpha, precision, and the number of looks at the net."""
    rows = frames["nettalk_looks"]
    large = rows[rows.hidden == rows.hidden.max()]
    small = rows[rows.hidden == rows.hidden.min()]
    figure, panels = subplots(2, 2, width=DOUBLE, height=4.8)
    nets = large.replicate.nunique()
    for shade, mark, (alpha, of) in zip(
        _SHADES, _MARKS, large[large.every == 0].groupby("alpha"), strict=False
    ):
        for precision, line, filled in (("float64", "-", shade), ("float32", ":", "white")):
            part = of[(of.precision == precision) & of.train_sse.notna()]
            middle = part.groupby("weights_left").train_sse.median()
            panels[0, 0].plot(
                middle.index, middle, color=shade, linestyle=line, marker=mark, markersize=3.5,
                markevery=2, markerfacecolor=filled, label=f"{alpha:.0e}, {precision}",
            )  # fmt: skip
            if precision == "float32":
                shared = part.groupby("weights_left").survivors_shared.median()
                panels[0, 1].plot(
                    shared.index, shared, color=shade, linestyle=line, marker=mark, markersize=3.5,
                    markevery=2, markerfacecolor="white", label=f"{alpha:.0e}",
                )  # fmt: skip
    panels[0, 0].set(yscale="log", ylabel="training error, sum of squares")
    panels[0, 0].set_title(f"alpha and precision, {_nets(nets)}")
    panels[0, 0].legend(fontsize=5.5)
    panels[0, 1].set(ylabel="survivors shared with float64, %", title="float32 against float64")
    panels[0, 1].set_ylim(0, 103)
    panels[0, 1].legend(title="alpha", fontsize=6)
    primary = large[large.every != 0].alpha.max()
    for panel, of in ((panels[1, 0], large[large.alpha == primary]), (panels[1, 1], small)):
        of = of[(of.precision == "float64") & of.train_sse.notna()]
        order = sorted(of.every.unique(), key=lambda every: every or np.inf)
        for shade, mark, every in zip(_SHADES, _MARKS, order, strict=False):
            part = of[of.every == every]
            middle = part.groupby("weights_left").train_sse.median()
            looks = int(part.looks.max())
            panel.plot(
                middle.index, middle, color=shade, marker=mark, markersize=3.5, markevery=2,
                label=f"every {every}: {looks} looks" if every else "one look",
            )  # fmt: skip
        panel.set(yscale="log", xlabel="weights left")
        units = int(of.hidden.iloc[0])
        of_units = f"{units} hidden unit{'s' if units > 1 else ''}"
        panel.set_title(f"{of_units}, {_nets(of.replicate.nunique())}")
        panel.legend(fontsize=6)
    panels[1, 0].set_ylabel("training error, sum of squares")
    for panel in panels.flat:
        panel.invert_xaxis()
    return figure


def nettalk_large(frames: Frames) -> Figure:
    """The net of 80 hidden units: error and right phonemes stage by stage."""
    rows = frames["nettalk_large"]
    start = nettalk_start(frames, "nettalk_large")
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.8)
    pruned = rows[rows.moment == "pruned"]
    for replicate in start.index:
        trained = rows[(rows.replicate == replicate) & (rows.moment == "trained")]
        mine = pd.concat([trained, pruned[pruned.replicate == replicate]])
        again = rows[(rows.replicate == replicate) & (rows.moment == "retrained")]
        look = METHOD_STYLE["obs"]
        for panel, values in (
            (panels[0], lambda part: _relative(part, start, "test")),
            (panels[1], lambda part: part.test_phoneme),
        ):
            for stage, part in mine.groupby("stage"):
                before = rows[(rows.replicate == replicate) & (rows.stage == stage - 1)]
                before = before[before.moment.isin(["trained", "retrained"])]
                way = pd.concat([before, part]) if stage else part
                panel.plot(way.weights_left, values(way), color=look["color"], linewidth=1)
            panel.plot(
                again.weights_left, values(again), linestyle="none", marker="o",
                markerfacecolor="white", markeredgecolor=look["color"],
            )  # fmt: skip
    panels[0].axhline(100, color="black", linewidth=0.6)
    panels[0].set(ylabel="test error, % of start", xlabel="weights left", xscale="log")
    panels[1].set(ylabel="right phonemes, test words, %", xlabel="weights left", xscale="log")
    ticks = [int(start.weights_left.iloc[0]), *sorted(again.weights_left, reverse=True)]
    for panel in panels:
        panel.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        panel.minorticks_off()
        panel.invert_xaxis()
    panels[0].set_title(f"{_nets(len(start))}; open: retrained")
    return figure
