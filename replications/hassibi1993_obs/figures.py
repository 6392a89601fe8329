"""Figures: pure functions from tidy frames to matplotlib figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.colors import LogNorm
from matplotlib.patches import Circle, Rectangle

from oldschool.claims.estimate import Estimate, share
from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.data.monks import ATTRIBUTE_VALUES, INPUT_NAMES
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
    paper_points,
    subplots,
)
from oldschool.runs.experiment import Frames

from .estimates import PRIMARY_ALPHA, monks, ordered, xor_rows
from .monk_nets import START_WEIGHTS
from .xor import HIDDEN_BIASES, SET_UPS, WEIGHTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS = ("magnitude", "obd", "obs")
PAPER_LEFT = {"monk1": 14, "monk2": 15, "monk3": 4}
PAPER_TEST = {"monk1": 100.0, "monk2": 100.0, "monk3": 97.2}
PROBLEM = {"monk1": "MONK-1", "monk2": "MONK-2", "monk3": "MONK-3"}


def _share(values: pd.Series) -> Estimate:
    found = share(int(values.sum()), len(values))
    if not isinstance(found, Estimate):
        raise ValueError("a share of no cases")
    return found


def _point(axes: Axes, x: float, estimate: Estimate, **style: Any) -> None:
    bars = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
    axes.errorbar([x], [estimate.value], yerr=bars, **{**style, "linestyle": "none"})


# --- XOR ---------------------------------------------------------------------------------


def xor_right(frames: Frames) -> Figure:
    """Shares of right deletions, a panel a criterion, a column a set-up."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.4, sharey=True)
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
                    _point(panel, x + offset, _share(values), **style)
        paper_line(panel, 100, "paper: OBS 100 %")
        panel.set_title(title)
        labels = [
            f"{set_up}\n{'no decay' if decay == 0 else f'decay {decay:g}'}"
            for set_up, decay in columns
        ]
        panel.set_xticks(range(len(columns)), labels, rotation=90)
        panel.set_ylim(-4, 106)
    panels[0].set_ylabel("share of minima, %")
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=4)
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
                (alpha, _share(group[column]))
                for alpha, group in rows[rows.set_up == set_up].groupby("alpha")
            ]
            x = [alpha for alpha, _ in found]
            y = np.array([estimate.value for _, estimate in found])
            low = np.array([estimate.low for _, estimate in found])
            high = np.array([estimate.high for _, estimate in found])
            panel.errorbar(
                x, y, yerr=[y - low, high - y], color=color, marker=marker, linestyle=line,
                label=set_up,
            )  # fmt: skip
        paper_line(panel, 100, "paper: 100 %, insensitive")
        panel.set(xscale="log", xlabel=r"$\alpha$", title=title, ylim=(40, 103))
    panels[0].set_ylabel("share of minima, %")
    panels[0].legend(loc="lower left")
    return figure


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


# --- MONK's problems ---------------------------------------------------------------------


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
                    label=f"{look['label']}, median {np.median(left):g}",
                )
            paper_line(panel, PAPER_LEFT[problem], f"paper, OBS: {PAPER_LEFT[problem]}", axis="x")
            panel.legend(fontsize=5.8, loc="center right", frameon=True, framealpha=0.9)
        nets = len(monks(frames, problem, "obs", False))
        panels[0, column].set_title(f"{PROBLEM[problem]}, {nets} nets")
        panels[1, column].set_xlabel("weights left, at most")
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
    grid = frames["monks_grid"]
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.9)
    for panel, problem in zip(panels, PAPER_LEFT, strict=True):
        rows = grid[(grid.problem == problem) & (grid.unit == grid.unit.iloc[0])]
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
            y = means.index.get_indexer([chosen.decay.iloc[0]])[0]
            x = means.columns.get_indexer([chosen.alpha.iloc[0]])[0]
            if min(x, y) >= 0:
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
        panel.set(title=f"{PROBLEM[problem]}, paper {PAPER_LEFT[problem]}", xlabel=r"$\alpha$")
    panels[0].set_ylabel("weight decay (nets trained)")
    return figure


def monk1_net(frames: Frames) -> Figure:
    """A MONK-1 net before and after OBS, the paper's Fig. 6."""
    rows = frames["monks_weights"]
    rows = rows[rows.problem == "monk1"]
    left = monks(frames, "monk1", "obs", False).set_index("replicate").weights_left
    left = left[left.index.isin(rows.replicate)]
    typical = (left - left.median()).abs().idxmin()
    net = rows[rows.replicate == typical]
    figure, panels = subplots(2, 1, width=DOUBLE, height=4.6)
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
        used = name in read or name in hidden or name == "o" or name == "1"
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
    axes.set(xlim=(-1, x + 1), ylim=(-1.1, 4.1), aspect="equal")
    axes.axis("off")


# --- prediction --------------------------------------------------------------------------


def predicted_actual(frames: Frames) -> Figure:
    """Predicted against actual increase of the error: MONK's deletions, XOR's first deletions."""
    figure, panels = subplots(2, 2, width=DOUBLE, height=5.4, sharex=True, sharey=True)
    paths = frames["monks_paths"]
    paths = paths[~paths.retrained & paths.accepted]
    first = frames["inequality"]
    first = first[first.task.str.startswith("xor")]
    for panel, task in zip(panels.flat, (*PAPER_LEFT, "xor"), strict=True):
        nets = len(first) if task == "xor" else paths[paths.problem == task].replicate.nunique()
        for method in ("obd", "obs"):
            if task == "xor":
                predicted, actual = first[f"{method}_predicted"], first[f"{method}_actual"]
            else:
                rows = paths[(paths.problem == task) & (paths.method == method)]
                predicted, actual = rows.predicted, rows.deleted - rows.before
            shown = (predicted > 0) & (actual > 0)
            look = METHOD_STYLE[method]
            panel.plot(
                predicted[shown],
                actual[shown],
                linestyle="none",
                marker=look["marker"],
                markersize=1.8,
                alpha=0.35,
                color=look["color"],
                rasterized=True,
                label=f"{look['label']}, n = {len(actual)}, {100 * (1 - shown.mean()):.0f} % fall",
            )
        panel.plot([1e-12, 10], [1e-12, 10], color="black", linewidth=0.8)
        panel.set(xscale="log", yscale="log", xlim=(1e-10, 3), ylim=(1e-10, 3))
        panel.set_title(f"{PROBLEM.get(task, 'XOR, first deletion')}, {nets} nets")
        panel.legend(fontsize=5.8, loc="lower right", markerscale=2.5)
    for panel in panels[1]:
        panel.set_xlabel("predicted increase of E")
    for panel in panels[:, 0]:
        panel.set_ylabel("actual increase of E")
    return figure


def inequality(frames: Frames) -> Figure:
    """Shares of nets in which the three errors stand in the claimed order."""
    rows = frames["inequality"]
    tasks = list(dict.fromkeys(rows.task))
    figure, panel = subplots(width=DOUBLE, height=2.6)
    for offset, kind, marker, color, label in (
        (-0.12, "predicted", "s", "#7F7F7F", "to second order"),
        (0.12, "actual", "o", "#0072B2", "actual errors"),
    ):
        for x, task in enumerate(tasks):
            estimate = _share(ordered(rows[rows.task == task], kind))
            _point(
                panel, x + offset, estimate, marker=marker, color=color,
                label=label if x == 0 else None,
            )  # fmt: skip
    paper_line(panel, 100, "paper: always, to second order")
    counts = rows.task.value_counts()
    panel.set_xticks(range(len(tasks)), [f"{PROBLEM.get(t, t)}\nn = {counts[t]}" for t in tasks])
    panel.tick_params(axis="x", labelsize=6)
    panel.set(ylabel="mag $\\geq$ OBD $\\geq$ OBS, % of nets", ylim=(-4, 106))
    panel.legend(loc="lower left")
    return figure
