"""Figures of the MONK's problems, the paper's Fig. 6 among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.patches import Circle, Rectangle

from oldschool.data.monks import ATTRIBUTE_VALUES, INPUT_NAMES
from oldschool.report.style import (
    DOUBLE,
    METHOD_STYLE,
    paper_line,
    paper_points,
    subplots,
)
from oldschool.runs.experiment import Frames

from ..monk_nets import START_WEIGHTS
from ..selection import grid, monks
from .common import METHODS, PAPER_LEFT, PAPER_TEST, PROBLEM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def monks_weights(frames: Frames) -> Figure:
    """Share of nets with at most so many weights left, without and with retraining."""
    figure, panels = subplots(2, 3, width=DOUBLE, height=4.2, sharex="col", sharey=True)
    for column, problem in enumerate(PAPER_LEFT):
        counts = np.arange(START_WEIGHTS[problem] + 1)
        for line, retrained in enumerate((False, True)):
            panel = panels[line, column]
            for method in METHODS:
                left = monks(frames, problem, method, retrained).weights_left.to_numpy()
                below = 100 * np.searchsorted(np.sort(left), counts, side="right") / len(left)
                look = METHOD_STYLE[method]
                panel.step(
                    counts,
                    below,
                    where="post",
                    color=look["color"],
                    linestyle=look["linestyle"],
                    label=look["label"],
                )
            paper_line(panel, PAPER_LEFT[problem], "paper, OBS", axis="x")
        nets = len(monks(frames, problem, "obs", False))
        paper = PAPER_LEFT[problem]
        panels[0, column].set_title(f"{PROBLEM[problem]}, {nets} nets, paper {paper}")
        panels[1, column].set_xlabel("weights left, at most")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    panels[0, 0].set_ylabel("no retraining\nshare of nets, %")
    panels[1, 0].set_ylabel("retrained after each deletion\nshare of nets, %")
    return figure


def monks_paths(frames: Frames) -> Figure:
    """Training error and test accuracy against the weights left."""
    paths = frames["monks_paths"]
    figure, panels = subplots(2, 3, width=DOUBLE, height=4.2, sharex="col")
    for column, problem in enumerate(PAPER_LEFT):
        trained = monks(frames, problem, "obs", False).replicate
        rows = paths[(paths.problem == problem) & paths.replicate.isin(trained)]
        for method in METHODS:
            for retrained in (False, True):
                look = METHOD_STYLE[method]
                of = rows[(rows.method == method) & (rows.retrained == retrained)]
                style = {
                    "color": look["color"],
                    "linestyle": ":" if retrained else "-",
                    "marker": look["marker"],
                    "markevery": 6,
                    "markerfacecolor": "white" if retrained else look["color"],
                    "linewidth": 1.0,
                    "markersize": 3.0,
                }
                for line, quantity, scale in ((0, "after", 1.0), (1, "test_accuracy", 100.0)):
                    groups = of.groupby("weights_left")[quantity]
                    middle = groups.median() * scale
                    label = look["label"] + (", retrained" if retrained else "")
                    panels[line, column].plot(middle.index, middle, label=label, **style)
                    if not retrained:
                        panels[line, column].fill_between(
                            middle.index, groups.quantile(0.25) * scale,
                            groups.quantile(0.75) * scale, color=look["color"], alpha=0.15,
                            linewidth=0,
                        )  # fmt: skip
        panels[0, column].set(
            yscale="log", title=f"{PROBLEM[problem]}, {rows.replicate.nunique()} nets"
        )
        paper_points(panels[1, column], PAPER_LEFT[problem], PAPER_TEST[problem])
        panels[1, column].set(xlabel="weights left", ylim=(30, 102))
        panels[0, column].invert_xaxis()
    panels[0, 0].set_ylabel("training error E")
    panels[1, 0].set_ylabel("test accuracy, %")
    panels[1, 0].legend(fontsize=5.5, loc="lower left")
    return figure


def monks_grid(frames: Frames) -> Figure:
    """Mean weights left over weight decay and alpha."""
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.9)
    for panel, problem in zip(panels, PAPER_LEFT, strict=True):
        rows = grid(frames, problem)
        means = rows[rows.trained].pivot_table(
            index="decay", columns="alpha", values="weights_left", aggfunc="mean"
        )
        means = means.reindex(sorted(rows.decay.unique()))
        panel.imshow(means, cmap="cividis_r", aspect="auto")
        for (y, x), value in np.ndenumerate(means.to_numpy()):
            if np.isfinite(value):
                dark = value > np.nanmean(means.to_numpy())
                panel.text(
                    x, y, f"{value:.0f}", ha="center", va="center", fontsize=6.5,
                    color="white" if dark else "black",
                )  # fmt: skip
        chosen = frames["monks"][frames["monks"].problem == problem]
        if len(chosen):
            decay, alpha = chosen.decay.iloc[0], chosen.alpha.iloc[0]
            if decay in means.index and alpha in means.columns:
                y, x = list(means.index).index(decay), list(means.columns).index(alpha)
                panel.add_patch(
                    Rectangle(
                        (x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2
                    )
                )
        shares = rows.groupby("decay").trained.mean().reindex(means.index)
        panel.set_xticks(range(means.shape[1]), [f"{a:.0e}" for a in means.columns], rotation=90)
        panel.set_yticks(
            range(len(means)), [f"{d:g} ({100 * shares[d]:.0f} %)" for d in means.index]
        )
        panel.grid(False)
        nets = rows[rows.alpha == rows.alpha.iloc[0]].groupby("decay").size().max()
        title = f"{PROBLEM[problem]}, paper {PAPER_LEFT[problem]}\n{nets} nets a row"
        panel.set(title=title, xlabel=r"$\alpha$")
    panels[0].set_ylabel("weight decay (nets trained)")
    return figure


def monk1_net(frames: Frames) -> Figure:
    """A MONK-1 net before and after OBS, the paper's Fig. 6."""
    rows = frames["monks_weights"]
    rows = rows[rows.problem == "monk1"]
    nets = monks(frames, "monk1", "obs", False).set_index("replicate")
    counts = nets[["weights_left", "inputs_left"]]
    away = (counts - counts.median()).abs()
    away = away[away.index.isin(rows.replicate)]
    typical = away.sort_values(["weights_left", "inputs_left"], kind="stable").index[0]
    net = rows[rows.replicate == typical]
    figure, panels = subplots(2, 1, width=DOUBLE, height=3.7)
    for panel, column in zip(panels, ("before", "after"), strict=True):
        kept = net.kept if column == "after" else pd.Series(True, index=net.index)
        _draw_monk_net(panel, dict(zip(net.weight[kept], net[column][kept], strict=True)))
        panel.set_title(
            f"{'trained' if column == 'before' else 'after OBS'}: {int(kept.sum())} weights"
        )
    return figure


def _draw_monk_net(axes: Axes, weights: dict[str, float]) -> None:
    places: dict[str, tuple[float, float]] = {}
    x = 0.0
    names = iter(INPUT_NAMES)
    for count in ATTRIBUTE_VALUES:
        for _ in range(count):
            places[next(names)] = (x, 0.0)
            x += 1.0
        x += 0.6
    places["1"] = (x, 0.0)
    hidden = sorted({name.split("<-")[0] for name in weights if name.startswith("h")})
    everything = [f"h{k}" for k in range(1, 4)]
    for k, name in enumerate(everything):
        places[name] = ((k + 0.7) * x / 3.2, 2.0)
    places["o"] = (x / 2, 3.6)
    for name, value in weights.items():
        end, start = name.split("<-")
        source = places[start] if not (end == "o" and start == "1") else (x, 2.0)
        axes.plot(
            [source[0], places[end][0]], [source[1], places[end][1]], zorder=1,
            color="#0072B2" if value > 0 else "#D55E00",
            linestyle="-" if value > 0 else "--",
            linewidth=min(0.3 + 0.22 * abs(value), 2.6),
        )  # fmt: skip
    read = {name.split("<-")[1] for name in weights if name.startswith("h")}
    for name, (px, py) in places.items():
        used = name in read or name in hidden or name == "o"
        axes.add_patch(
            Circle((px, py), 0.26, facecolor="white" if used else "#E8E8E8",
                   edgecolor="black" if used else "#B0B0B0", zorder=3)
        )  # fmt: skip
        if name in INPUT_NAMES or name == "1":
            axes.text(px, py - 0.62, name, ha="center", va="center", fontsize=5.2)
        else:
            axes.text(px, py, name, ha="center", va="center", fontsize=5, zorder=4)
    if "o<-1" in weights:
        axes.add_patch(Circle((x, 2.0), 0.26, facecolor="white", edgecolor="black", zorder=3))
        axes.text(x, 2.0, "1", ha="center", va="center", fontsize=5, zorder=4)
    axes.plot([], [], color="#0072B2", linestyle="-", label="weight > 0")
    axes.plot([], [], color="#D55E00", linestyle="--", label="weight < 0")
    axes.legend(loc="upper left", fontsize=6)
    axes.set(xlim=(-1, x + 1), ylim=(-0.9, 4.0), aspect="equal")
    axes.axis("off")
