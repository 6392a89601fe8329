"""Figures of XOR, the paper's Figs 3 to 5 among them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.colors import LogNorm
from matplotlib.patches import Circle

from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.nets.error import squared_error
from oldschool.pruning.choice import Method
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.report.style import (
    DOUBLE,
    METHOD_STYLE,
    SINGLE,
    paper_line,
    subplots,
)
from oldschool.runs.experiment import Frames

from ..selection import PRIMARY_ALPHA, xor_rows
from ..xor import HIDDEN_BIASES, SET_UPS, WEIGHTS
from .common import METHODS, point, share_of, share_of_counts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def xor_right(frames: Frames) -> Figure:
    """Shares of right deletions, a panel a criterion, a column a set-up."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=4.2, sharey=True)
    rows = frames["xor"]
    columns = [(set_up, decay) for decay in sorted(rows.decay.unique()) for set_up in SET_UPS]
    for panel, column, title in (
        (panels[0], "relearns", "the deleted weight can be done without"),
        (panels[1], "solved", "still right after the deletion, no retraining"),
    ):
        for x, (set_up, decay) in enumerate(columns):
            for offset, method in zip((-0.22, 0.0, 0.22), METHODS, strict=True):
                values = xor_rows(frames, method, set_up, decay)[column]
                if len(values):
                    style = {
                        **METHOD_STYLE[method],
                        "label": METHOD_STYLE[method]["label"] if x == 0 else None,
                    }
                    point(panel, x + offset, share_of(values), **style)
        paper_line(panel, 100, "paper: OBS 100 %")
        panel.set_title(title)
        counts = [len(xor_rows(frames, "obs", *pair)) for pair in columns]
        labels = [
            f"{set_up}\n{'no decay' if decay == 0 else f'decay {decay:g}'}, n = {count}"
            for (set_up, decay), count in zip(columns, counts, strict=True)
        ]
        panel.set_xticks(range(len(columns)), labels, rotation=90)
        panel.set_ylim(-4, 106)
    panels[0].set_ylabel("share of minima, %")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def xor_alpha(frames: Frames) -> Figure:
    """OBS against alpha, a line a set-up."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.6, sharey=True)
    rows = frames["xor"]
    rows = rows[(rows.method == "obs") & (rows.decay == 0)]
    looks = [
        ("#0072B2", "o", "-"),
        ("#56B4E9", "s", "--"),
        ("#D55E00", "^", (0, (1, 1))),
        ("#CC79A7", "D", ":"),
    ]
    for panel, column, title in (
        (panels[0], "relearns", "the deleted weight can be done without"),
        (panels[1], "solved", "still right after the deletion, no retraining"),
    ):
        for (color, marker, line), set_up in zip(looks, SET_UPS, strict=True):
            found = [
                (alpha, share_of(group[column]))
                for alpha, group in rows[rows.set_up == set_up].groupby("alpha")
            ]
            x = [alpha for alpha, _ in found]
            y = np.array([estimate.value for _, estimate in found])
            low = np.array([estimate.low for _, estimate in found])
            high = np.array([estimate.high for _, estimate in found])
            panel.errorbar(
                x, y, yerr=[y - low, high - y], color=color, marker=marker, linestyle=line,
                label=f"{set_up}, n = {len(xor_rows(frames, 'obs', set_up))}",
            )  # fmt: skip
        paper_line(panel, 100, "paper: 100 %, insensitive")
        panel.set(xscale="log", xlabel=r"$\alpha$", title=title, ylim=(40, 103))
    panels[0].set_ylabel("share of minima, %")
    panels[0].legend(loc="lower left")
    return figure


def xor_stop(frames: Frames) -> Figure:
    """OBS against the error at which training ends, a panel a set-up, a line an alpha."""
    rows = frames["xor_stop"]
    set_ups = list(dict.fromkeys(rows.set_up))
    figure, panels = subplots(1, len(set_ups), width=DOUBLE, height=2.9, sharey=True, squeeze=False)
    lines: list[Any] = ["-", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (5, 3))]
    shades = ["#00204D", "#31446B", "#666970", "#958F78", "#CAB969"]
    markers = ["o", "s", "^", "D", "v"]
    for panel, set_up in zip(panels[0], set_ups, strict=True):
        of_set_up = rows[rows.set_up == set_up]
        obs = of_set_up[of_set_up.method == "obs"].groupby("alpha")
        looks = itertools.cycle(zip(lines, shades, markers, strict=True))
        for (alpha, parts), (line, shade, marker) in zip(obs, looks, strict=False):
            look = {"color": shade, "linestyle": line, "marker": marker}
            _solved_line(panel, parts, label=rf"OBS, $\alpha$ = {alpha:g}", **look)
        _solved_line(panel, of_set_up[of_set_up.method == "magnitude"], **METHOD_STYLE["magnitude"])
        paper_line(panel, 100, "paper, OBS: 100 %")
        minima = of_set_up.groupby(["stop_error", "method", "alpha"], dropna=False).minima.sum()
        few, most = minima.min(), minima.max()
        panel.set_title(f"{set_up}, n = {few}{f' to {most}' if most > few else ''}")
        panel.set(xscale="log", xlabel="error at which training ends", ylim=(-4, 106))
        panel.invert_xaxis()
    panels[0, 0].set_ylabel("all four patterns right\nafter the deletion, % of minima")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _solved_line(axes: Axes, parts: pd.DataFrame, **style: Any) -> None:
    totals = parts.groupby("stop_error")[["solved", "minima"]].sum()
    totals = totals[totals.minima > 0]
    found = [
        share_of_counts(int(solved), int(minima))
        for solved, minima in zip(totals.solved, totals.minima, strict=True)
    ]
    values = np.array([estimate.value for estimate in found])
    low = np.array([estimate.low for estimate in found])
    high = np.array([estimate.high for estimate in found])
    axes.errorbar(totals.index, values, yerr=[values - low, high - values], **style)


@dataclass(frozen=True)
class Example:
    """The minimum of XOR that the figures draw.

    Attributes:
        set_up: transfer function and targets.
        row: its row of ``xor_starts``.
        chosen: {method: weight deleted}.
        title: which minimum it is, and how usual the paper's choices are.
    """

    set_up: str
    row: pd.Series
    chosen: dict[str, str]
    title: str


def example(frames: Frames) -> Example:
    """The first minimum at which the methods choose as in the paper's Fig. 3.

    There magnitude deletes v3, OBD u22 and OBS u23, and the OBS net still solves XOR. Where no
    minimum has all this, OBS's success is dropped, then weights of the same kinds will do
    (output bias, input weight, hidden bias), and at last any minimum.
    """
    chosen = []
    for set_up in SET_UPS:
        rows = {m: xor_rows(frames, m, set_up).set_index("replicate") for m in METHODS}
        table = pd.DataFrame({method: of.weight for method, of in rows.items()})
        chosen.append(table.assign(set_up=set_up, solved=rows["obs"].solved))
    table = pd.concat(chosen).reset_index(names="replicate")
    exact = (table.magnitude == "v3") & (table.obd == "u22") & (table.obs == "u23")
    kinds = (
        (table.magnitude == "v3")
        & table.obd.isin(["u11", "u12", "u21", "u22"])
        & table.obs.isin(HIDDEN_BIASES)
    )
    solved = table.solved.astype(bool)
    for fits in (exact & solved, exact, kinds & solved, kinds, table.obs.notna()):
        if fits.any():
            found = table[fits].iloc[0]
            break
    starts = frames["xor_starts"]
    of_set_up = starts[(starts.set_up == found.set_up) & (starts.decay == 0)]
    title = (
        f"{found.set_up}, start {found.replicate}; the paper's three choices at "
        f"{int(exact.sum())} of {len(table)} minima, OBS net solves XOR at "
        f"{int((exact & solved).sum())} of these"
    )
    return Example(
        found.set_up,
        of_set_up.set_index("replicate").loc[found.replicate],
        {method: found[method] for method in METHODS},
        title,
    )


def _theta(row: pd.Series) -> torch.Tensor:
    return torch.tensor([[float(row[name]) for name in WEIGHTS]], dtype=torch.float64)


def _pruned(set_up: str, theta: torch.Tensor) -> dict[str, torch.Tensor]:
    """The example net after each method's deletion, (9,) each."""
    setting = SET_UPS[set_up]
    kept = torch.ones_like(theta, dtype=torch.bool)
    methods: list[Method] = [Magnitude(), OptimalBrainDamage(), OptimalBrainSurgeon(PRIMARY_ALPHA)]
    return {
        method.name: (theta + method.choose(setting.net, theta, setting.task, kept, kept).change)[0]
        for method in methods
    }


def xor_nets(frames: Frames) -> Figure:
    """The three pruned nets of one minimum, the paper's Fig. 3."""
    shown = example(frames)
    setting = SET_UPS[shown.set_up]
    theta = _theta(shown.row)
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.9)
    figure.suptitle(shown.title, fontsize=7)
    for panel, (method, weights) in zip(panels, _pruned(shown.set_up, theta).items(), strict=True):
        outputs = setting.net.outputs(weights[None], setting.task.x)[0, 0]
        good = int(((outputs > setting.middle) == (setting.task.t[:, 0] > setting.middle)).sum())
        deleted = shown.chosen[method]
        _draw_xor_net(panel, dict(zip(WEIGHTS, weights.tolist(), strict=True)), deleted)
        panel.set_title(
            f"{METHOD_STYLE[method]['label']} deletes {deleted}\n{good} of 4 patterns right"
        )
    return figure


def _draw_xor_net(axes: Axes, weights: dict[str, float], deleted: str) -> None:
    places = {
        "in1": (0.0, 0.0), "in2": (1.1, 0.0), "b1": (2.2, 0.0),
        "h1": (0.0, 1.3), "h2": (1.1, 1.3), "b2": (2.2, 1.3), "out": (0.8, 2.5),
    }  # fmt: skip
    # Where along its line each label stands, so that no two meet.
    label_at = {
        "u11": 0.62, "u12": 0.75, "u13": 0.22, "u21": 0.22, "u22": 0.8, "u23": 0.62,
        "v1": 0.5, "v2": 0.5, "v3": 0.45,
    }  # fmt: skip
    ends = {
        "u11": ("in1", "h1"), "u12": ("in2", "h1"), "u13": ("b1", "h1"),
        "u21": ("in1", "h2"), "u22": ("in2", "h2"), "u23": ("b1", "h2"),
        "v1": ("h1", "out"), "v2": ("h2", "out"), "v3": ("b2", "out"),
    }  # fmt: skip
    for name, (start, end) in ends.items():
        (x0, y0), (x1, y1) = places[start], places[end]
        gone = name == deleted
        axes.plot(
            [x0, x1], [y0, y1], zorder=1,
            color="#B0B0B0" if gone else "black", linestyle=":" if gone else "-",
            linewidth=1.0 if gone else min(0.6 + 0.25 * abs(weights[name]), 3.0),
        )  # fmt: skip
        at = label_at[name]
        text = f"{name} deleted" if gone else f"{name} {weights[name]:.2g}"
        axes.text(
            x0 + at * (x1 - x0), y0 + at * (y1 - y0), text, fontsize=5.5, ha="center",
            va="center", zorder=2, color="#D55E00" if gone else "black",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
    for name, (x, y) in places.items():
        axes.add_patch(Circle((x, y), 0.13, facecolor="white", edgecolor="black", zorder=3))
        label = "1" if name.startswith("b") else name
        axes.text(x, y, label, ha="center", va="center", fontsize=5, zorder=4)
    axes.set(xlim=(-0.5, 2.6), ylim=(-0.3, 2.8), aspect="equal")
    axes.axis("off")


def xor_hessian(frames: Frames) -> Figure:
    """Magnitudes of the Hessian's elements at the example minimum, the paper's Fig. 4."""
    shown = example(frames)
    setting = SET_UPS[shown.set_up]
    order = ["v1", "v2", "v3", "u11", "u12", "u13", "u21", "u22", "u23"]
    index = [WEIGHTS.index(name) for name in order]
    h = gauss_newton(output_gradients(setting.net, _theta(shown.row), setting.task.x))[0]
    size = h[index][:, index].abs().numpy()
    figure, panel = subplots(width=SINGLE, height=3.0)
    image = panel.imshow(
        np.maximum(size, size.max() * 1e-6),
        norm=LogNorm(vmin=size.max() * 1e-4, vmax=size.max()),
        cmap="cividis",
    )
    panel.set_xticks(range(9), order, rotation=90)
    panel.set_yticks(range(9), order)
    panel.grid(False)
    figure.colorbar(image, ax=panel, label="|H|, elements", extend="min")
    return figure


def xor_surface(frames: Frames) -> Figure:
    """Two slices of the error surface with the methods' end points, the paper's Fig. 5."""
    shown = example(frames)
    setting, chosen = SET_UPS[shown.set_up], shown.chosen
    theta = _theta(shown.row)
    ends = _pruned(shown.set_up, theta)
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.2)
    for panel, rival in zip(panels, ("magnitude", "obd"), strict=True):
        pair = (chosen[rival], chosen["obs"])
        first, second = (WEIGHTS.index(name) for name in pair)
        drawn = {method: ends[method] for method in (rival, "obs")}
        marks = torch.stack([theta[0], *drawn.values()])
        spans = []
        for weight in (first, second):
            low, high = float(marks[:, weight].min()), float(marks[:, weight].max())
            room = 0.35 * max(high - low, 1.0)
            spans.append(torch.linspace(low - room, high + room, 121, dtype=torch.float64))
        grid = torch.meshgrid(*spans, indexing="xy")
        points = theta.repeat(grid[0].numel(), 1)
        points[:, first], points[:, second] = grid[0].flatten(), grid[1].flatten()
        surface = squared_error(setting.net.outputs(points, setting.task.x), setting.task.t)
        image = panel.contourf(
            spans[0], spans[1], (surface / setting.scale).view(grid[0].shape), 12, cmap="Greys"
        )
        start = (float(theta[0, first]), float(theta[0, second]))
        for method, weights in drawn.items():
            look = METHOD_STYLE[method]
            end = (float(weights[first]), float(weights[second]))
            arrow = {"arrowstyle": "-", "color": look["color"], "linewidth": 1.2}
            panel.annotate("", end, start, arrowprops=arrow)
            panel.plot(
                *end,
                marker=look["marker"],
                color=look["color"],
                markersize=7,
                markeredgecolor="white",
                linestyle="none",
                label=f"{look['label']} ({chosen[method]} = 0)",
            )
        panel.plot(
            *start,
            marker="P",
            color="#D55E00",
            markersize=8,
            markeredgecolor="white",
            linestyle="none",
            label="minimum",
            zorder=6,
        )
        panel.legend(loc="best", frameon=True, fontsize=6)
        panel.set(xlabel=pair[0], ylabel=pair[1])
        panel.grid(False)
    figure.colorbar(image, ax=list(panels), label="E / squared target distance")
    return figure
