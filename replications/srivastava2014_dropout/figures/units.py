"""Figs 7, 8, 12 and 13: what hidden units look for, and how often they are active."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from oldschool.report.style import DOUBLE, DROPOUT_STYLE, paper_points, subplots
from oldschool.runs.experiment import Frames

from ..means import count, interval, kept
from ..printed import FIG8_MEANS
from .common import GREY, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WAYS = ("none", "dropout")


def feature_weights(frames: Frames) -> Figure:
    """Fig. 7."""
    return _grids(frames["feature_weights"])


def rbm_weights(frames: Frames) -> Figure:
    """Fig. 12."""
    return _grids(frames["rbm_weights"])


def feature_activations(frames: Frames) -> Figure:
    """Fig. 8."""
    return _activations(
        frames["feature_activations"], frames["features"], "activation of a hidden unit",
        "mean_activation", "mean activation", FIG8_MEANS,
    )  # fmt: skip


def rbm_activations(frames: Frames) -> Figure:
    """Fig. 13."""
    return _activations(
        frames["rbm_activations"], frames["rbm"], "P(h = 1) of a hidden unit",
        "near_zero", "P(h = 1) below .1, % of units and digits", {},
    )  # fmt: skip


def _grids(rows: pd.DataFrame) -> Figure:
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.4, gridspec_kw={"wspace": 0.1})
    shades = ScalarMappable(Normalize(-1, 1), "gray")
    for panel, way in zip(panels, WAYS, strict=True):
        of = rows[rows.way == way]
        if len(of):
            images = of.pivot(index="unit", columns="pixel", values="value").to_numpy(float)
            panel.imshow(_mosaic(images), cmap=shades.cmap, norm=shades.norm)
            panel.set_title(f"{DROPOUT_STYLE[way]['label']}: {len(images)} units")
        else:
            panel.set_title(f"{DROPOUT_STYLE[way]['label']}: no unit in use")
        panel.set_axis_off()
    figure.colorbar(shades, ax=list(panels), shrink=0.8, label="weight, of the unit's largest")
    return figure


def _mosaic(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square images, (units, pixels), side by side with gaps of NaN, each over its largest."""
    units, side = len(images), math.isqrt(images.shape[1])
    columns = math.ceil(math.sqrt(units))
    lines = math.ceil(units / columns)
    canvas = np.full((lines * (side + 2) - 2, columns * (side + 2) - 2), np.nan)
    largest = np.abs(images).max(axis=1, keepdims=True)
    scaled = images / np.where(largest > 0, largest, 1)
    for number, image in enumerate(scaled.reshape(units, side, side)):
        top, left = (side + 2) * (number // columns), (side + 2) * (number % columns)
        canvas[top : top + side, left : left + side] = image
    return canvas


def _activations(
    histogram: pd.DataFrame, nets: pd.DataFrame, quantity: str, column: str, label: str,
    paper: Mapping[str, float],
) -> Figure:  # fmt: skip
    figure, (shares, means) = subplots(1, 2, width=DOUBLE, height=2.9, width_ratios=[2.2, 1])
    good = kept(nets, "way")
    for x, way in enumerate(WAYS):
        look = DROPOUT_STYLE[way]
        _histogram(shares, histogram[histogram.way == way], way)
        of = good[good.way == way][column]
        if len(of):
            found = interval(of)
            means.plot(np.full(len(of), x - 0.25), of, linestyle="none", marker="_", color=GREY)
            means.errorbar(
                x, found.middle, color=look["color"], marker=look["marker"], markersize=5,
                yerr=[[found.middle - found.low], [found.high - found.middle]],
            )  # fmt: skip
    if paper:
        beside = [WAYS.index(way) + 0.25 for way in paper]
        paper_points(means, beside, list(paper.values()), "paper, by eye")
        means.legend(loc="lower left")
    shares.set(yscale="log", xlabel=quantity, ylabel="units and test digits, % a bin")
    legend(shares)
    shares.set_title("one net each")
    means.set_xticks(range(len(WAYS)), [DROPOUT_STYLE[way]["label"] for way in WAYS])
    means.margins(y=0.15)
    means.set(xlim=(-0.6, 1.6), ylim=(0, None), ylabel=label, title=count(nets, "way"))
    return figure


def _histogram(axes: Axes, rows: pd.DataFrame, way: str) -> None:
    if rows.empty:
        return
    look = DROPOUT_STYLE[way]
    point = rows[rows.low == rows.high]
    bins = rows[rows.low < rows.high].sort_values("low")
    said = f", exactly 0: {float(point.share.sum()):.0f} %" if len(point) else ""
    edges = [*bins.low, bins.high.iloc[-1]]
    axes.stairs(
        bins.share, edges, baseline=None, color=look["color"], linestyle=look["linestyle"],
        linewidth=1.3, label=f"{look['label']}{said}",
    )  # fmt: skip
    axes.plot(point.low, point.share, color=look["color"], marker=look["marker"], linestyle="none")
