"""Figs 1a and 1b, and what becomes of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from oldschool.report.style import DOUBLE, paper_line, subplots
from oldschool.runs.experiment import Frames

from ..nets import SMALL
from ..paths import deletion, foreseen_gap, rise, whole
from .common import LOOKS, PARAMETERS_LEFT, left, line, paper_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LAYERS = ("H1", "H2", "H3", "H4", "output")


def deletion_error(frames: Frames) -> Figure:
    """Fig. 1a: the training error against the parameters left, and the same of the test error."""
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.6, sharey=True)
    rows = frames["deletion"]
    for panel, part in zip(panels, ("train", "test"), strict=True):
        for method in ("random", "magnitude", "obd", "obd_lm", "obd_exact", "obs"):
            if (rows.method == method).any():
                found = rise(deletion(frames, method, f"{part}_mse"))
                line(panel, left(found), found, LOOKS[method])
        paper_axis(panel, 0, "")
    nets = whole(rows).replicate.nunique()
    panels[0].set(ylabel="MSE over the unpruned net's, dB", title=f"training set, {nets} nets")
    panels[1].set_title("test set")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def prediction(frames: Frames) -> Figure:
    """Fig. 1b: what OBD foresees and what comes."""
    figure, (error, gap) = subplots(1, 2, width=DOUBLE, height=3.7)
    actual = deletion(frames, "obd")
    by_terms = {
        "foreseen": ("foreseen by the recursion", LOOKS["obd"] | {"linestyle": "--"}),
        "quadratic": (
            "by the whole Gauss-Newton matrix",
            {"color": "#D55E00", "marker": "P", "linestyle": ":"},
        ),
    }
    line(error, left(actual), rise(actual), {**LOOKS["obd"], "label": "actual", "color": "#000000"})
    for column, (label, look) in by_terms.items():
        found = deletion(frames, "obd", column).fillna(0.0).add(actual[0], axis=0)
        found[0] = actual[0]
        line(error, left(found), rise(found), {**look, "label": label})
    paper_axis(error, 0, "MSE over the unpruned net's, dB")
    paper_line(error, SMALL["parameters"] - 800, "paper: agree to 800 deleted", axis="x")
    error.set_title(f"deletion by OBD, {len(actual)} nets")
    for column, (label, look) in by_terms.items():
        found = foreseen_gap(frames, column)
        line(gap, found.columns.to_numpy(float), found, {**look, "label": label})
    for method in ("obd_exact", "obs"):
        found = foreseen_gap(frames, method=method)
        line(
            gap,
            found.columns.to_numpy(float),
            found,
            {**LOOKS[method], "label": f"{LOOKS[method]['label']}, of its own deletions"},
        )
    gap.axhspan(-1, 1, color="#E2E2E2", zorder=0, label="agreement, 1 dB")
    paper_line(gap, 800, "_", axis="x")
    gap.set(xlabel="parameters deleted", ylabel="actual over foreseen error, dB", ylim=(-3, 12))
    shown = dict(zip(*reversed(gap.get_legend_handles_labels()), strict=True))
    shown |= dict(zip(*reversed(error.get_legend_handles_labels()), strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=3)
    return figure


def layers(frames: Frames) -> Figure:
    """Which layers lose most."""
    rows = frames["deletion_layers"]
    figure, panels = subplots(1, len(_LAYERS), width=DOUBLE, height=2.4, sharey=True)
    for panel, layer in zip(panels, _LAYERS, strict=True):
        of = rows[rows.layer == layer]
        for method in ("magnitude", "obd", "obd_exact", "obs"):
            part = of[of.method == method]
            if method == "obs":
                part = part[part.alpha == _nearest_alpha(part)]
            if part.empty:
                continue
            table = part.assign(share=100 * part.left / part.of).pivot(
                index="replicate", columns="deleted", values="share"
            )
            line(panel, table.columns.to_numpy(float), table, LOOKS[method], markersize=2.2)
        panel.plot([0, 2578], [100, 0], color="#7F7F7F", linewidth=0.8, label="even share")
        panel.set(title=f"{layer}: {int(of.of.iloc[0])}", xlim=(0, 2578), ylim=(0, 102))
        panel.set_xticks([0, 1000, 2000])
    panels[0].set_ylabel("weights left, % of the layer's")
    panels[2].set_xlabel("parameters deleted")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _nearest_alpha(rows: pd.DataFrame) -> float:
    alphas = rows.alpha.dropna().unique()
    return float(alphas[np.abs(np.log(alphas / 1e-4)).argmin()]) if len(alphas) else np.nan


def obs_alphas(frames: Frames) -> Figure:
    """Optimal Brain Surgeon without retraining against alpha."""
    rows = whole(frames["deletion"])
    rows = rows[rows.method == "obs"]
    alphas = sorted(rows.alpha.unique())
    nets = rows.groupby("alpha").replicate.nunique().min()
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.8, sharey=True)
    shades = ("#0072B2", "#56B4E9", "#000000", "#CC79A7", "#7F7F7F")
    for panel, part in zip(panels, ("train", "test"), strict=True):
        for alpha, colour, marker in zip(alphas, shades, "os^Dv", strict=False):
            table = rows[(rows.alpha == alpha) & (rows.replicate < nets)].pivot(
                index="replicate", columns="deleted", values=f"{part}_mse"
            )
            found = rise(table)
            panel.plot(
                left(found), found.mean(), color=colour, marker=marker, markersize=3.2,
                label=f"alpha {alpha:.0e}",
            )  # fmt: skip
        found = rise(deletion(frames, "magnitude", f"{part}_mse"))
        panel.plot(left(found), found.mean(), **{**LOOKS["magnitude"], "marker": ""})
        paper_axis(panel, -1, "")
        panel.set_xlabel(PARAMETERS_LEFT)
    panels[0].set(ylabel="MSE over the unpruned net's, dB", title=f"training set, {nets} nets")
    panels[1].set_title("test set")
    panels[0].legend()
    return figure
