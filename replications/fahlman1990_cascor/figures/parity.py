"""Figures of N-bit parity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from oldschool.claims.estimate import Estimate, mean
from oldschool.report.style import DOUBLE, paper_points, subplots
from oldschool.runs.experiment import Frames

from .. import authors
from ..paper import PARITY, PARITY10
from ..parity import PRIMARY, SET_UPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS: dict[str, dict[str, Any]] = dict(
    zip(
        SET_UPS,
        (
            {"color": "#D55E00", "marker": "D", "linestyle": "-"},
            {"color": "#0072B2", "marker": "o", "linestyle": (0, (3, 1.5))},
        ),
        strict=True,
    )
)


def _means(axes: Axes, groups: dict[int, pd.Series], name: str) -> None:
    found = {n: mean(values.to_numpy(float)) for n, values in groups.items()}
    good = {n: one for n, one in found.items() if isinstance(one, Estimate)}
    values = [one.value for one in good.values()]
    arms = [[v - one.low for v, one in zip(values, good.values(), strict=True)],
            [one.high - v for v, one in zip(values, good.values(), strict=True)]]  # fmt: skip
    axes.errorbar(list(good), values, yerr=arms, label=name, markersize=4, **_LOOKS[name])


def parity(frames: Frames) -> Figure:
    """Hidden units and epochs against N."""
    rows = frames["parity"]
    rows = rows[rows.learned]
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.9)
    for column, panel in zip(("hidden", "epochs"), panels, strict=True):
        for name in SET_UPS:
            of = rows[rows.set_up == name]
            _means(panel, {cast(int, n): part[column] for n, part in of.groupby("bits")}, name)
    for name, means in authors.PARITY_EPOCHS.items():
        panels[1].plot(
            list(means), list(means.values()), linestyle="none", marker="_", markersize=10,
            color=_LOOKS[name]["color"], label=f"authors' Lisp program, {name}",
        )  # fmt: skip
    fewest, most, epochs = (list(column) for column in zip(*PARITY.values(), strict=True))
    middle = (np.array(fewest) + np.array(most)) / 2
    panels[0].errorbar(
        list(PARITY), middle, yerr=(np.array(most) - np.array(fewest)) / 2, linestyle="none",
        color="black", linewidth=0.8,
    )  # fmt: skip
    paper_points(panels[0], list(PARITY), middle)
    paper_points(panels[1], list(PARITY), epochs)
    trials = rows.groupby(["set_up", "bits"]).size().min()
    panels[0].set(xlabel="N", ylabel="hidden units", title=f"{trials} trials or more each")
    panels[1].set(xlabel="N", ylabel="epochs, both phases", yscale="log")
    panels[1].set_yticks([25, 50, 100, 200, 400], labels=["25", "50", "100", "200", "400"])
    panels[1].minorticks_off()
    handles, labels = panels[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=6)
    return figure


def parity10(frames: Frames) -> Figure:
    """Errors on the cases of 10-bit parity that were not trained."""
    rows = frames["parity10"]
    splits = sorted(rows.train.unique(), reverse=True)
    figure, panels = subplots(1, len(splits), width=DOUBLE, height=2.7, squeeze=False, sharey=True)
    most = float(rows.test_wrong.max())
    edges = np.linspace(0, np.ceil(most / 2) * 2, 25)
    for panel, train in zip(panels[0], splits, strict=True):
        for name in SET_UPS:
            part = rows[(rows.train == train) & (rows.set_up == name) & rows.learned]
            panel.hist(
                part.test_wrong, bins=edges, weights=np.full(len(part), 100 / max(1, len(part))),
                histtype="step", linewidth=1.3, color=_LOOKS[name]["color"],
                linestyle="-" if name == PRIMARY else "--", label=f"{name}, {len(part)} trials",
            )  # fmt: skip
        if train in PARITY10:
            paper_points(panel, PARITY10[train], [1.5] * 4, "paper, 4 trials")
        others = 2**10 - train
        panel.set(xlabel=f"wrong of the other {others} cases, %", title=f"{train} cases trained")
    panels[0, 0].set_ylabel("trials, %")
    panels[0, 0].legend(fontsize=6)
    return figure
