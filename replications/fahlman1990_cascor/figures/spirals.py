"""Figures of the trials on the two spirals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from oldschool.claims.estimate import Estimate, mean, share
from oldschool.report.style import (
    DOUBLE,
    LEARNER_STYLE,
    bar_style,
    paper_line,
    paper_points,
    subplots,
)
from oldschool.runs.experiment import Frames

from .. import authors
from ..paper import CROSSINGS, EPOCHS, HISTOGRAM, MILLION
from ..selection import pools, variation
from ..sensitivity import VARIATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOR = LEARNER_STYLE["cascor"]["color"]
_FEWEST = 10  # trials of which a median is drawn


def spirals_histogram(frames: Frames) -> Figure:
    """Trials by hidden units, beside the paper's hundred."""
    rows = frames["spirals"]
    learned = rows[rows.learned]
    figure, panels = subplots(1, 2, width=DOUBLE, height=2.8, width_ratios=[1.7, 1])
    first, last = min(12, learned.hidden.min()), max(19, learned.hidden.max())
    for hidden in range(first, last + 1):
        found = share(int((learned.hidden == hidden).sum()), len(learned))
        if isinstance(found, Estimate):
            panels[0].bar(hidden, found.value, width=0.8, **bar_style("cascor"))
            bars = [[found.value - found.low], [found.high - found.value]]
            panels[0].errorbar(hidden, found.value, yerr=bars, color="black", linewidth=0.8)
    counts = list(HISTOGRAM.values())
    paper = [share(count, sum(counts)) for count in counts]
    arms = np.array([[p.value - p.low, p.high - p.value] for p in paper if isinstance(p, Estimate)])
    panels[0].errorbar(
        [hidden + 0.25 for hidden in HISTOGRAM], counts, yerr=arms.T, linestyle="none",
        color="black", linewidth=0.8,
    )  # fmt: skip
    paper_points(panels[0], [hidden + 0.25 for hidden in HISTOGRAM], counts, "paper, 100 trials")
    panels[0].set(xlabel="hidden units", ylabel="trials, %", title=f"{len(learned)} trials")
    panels[0].set_xticks(range(first, last + 1))
    handles, labels = panels[0].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    panels[0].legend(unique.values(), unique.keys())
    panels[1].hist(
        learned.epochs, bins=25, weights=np.full(len(learned), 100 / len(learned)),
        **bar_style("cascor"),
    )  # fmt: skip
    paper_line(panels[1], EPOCHS, f"paper, mean: {EPOCHS}", axis="x")
    ours = learned.epochs.mean()
    panels[1].axvline(ours, color="black", linewidth=1.3, label=f"ours, mean: {ours:.0f}")
    panels[1].set(xlabel="epochs, both phases", ylabel="trials, %")
    panels[1].set_ylim(0, 1.45 * panels[1].get_ylim()[1])  # room for the legend
    panels[1].legend()
    return figure


def spirals_phases(frames: Frames) -> Figure:
    """Learning curves, phase by phase."""
    rows = frames["spirals_phases"]
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.7)
    outputs = rows[rows.phase == "output"].copy()
    rows = rows.assign(total=rows.groupby("replicate").epochs.cumsum())
    outputs["total"] = rows.total[outputs.index]
    for _, trial in outputs.groupby("replicate"):
        panels[0].plot(trial.total, trial.error_bits, color=_COLOR, linewidth=0.4, alpha=0.3)
    bits = outputs.groupby("hidden")
    many = bits.size()[bits.size() >= _FEWEST].index
    panels[0].plot(
        bits.total.median()[many], bits.error_bits.median()[many], color="black", marker="o",
        markersize=3, label="median at 0, 1, 2, ... units",
    )  # fmt: skip
    panels[0].set(xlabel="epochs so far", ylabel="wrong points of 194", xlim=(0, None))
    panels[0].legend()
    _band(panels[1], bits.squared_error)
    panels[1].set(xlabel="hidden units", ylabel="summed squared error", yscale="log")
    for phase, line, mark in (("output", "-", "o"), ("candidate", (0, (3, 1.5)), "^")):
        groups = rows[rows.phase == phase].groupby("hidden").epochs
        _band(panels[2], groups, label=phase, linestyle=line, marker=mark)
    panels[2].set(xlabel="hidden units before the phase", ylabel="epochs of the phase")
    panels[2].legend()
    panels[1].set_title(f"{rows.replicate.nunique()} trials; bands: half of them")
    return figure


def _band(axes: Axes, groups: Any, **style: Any) -> None:
    """Median of each group and, as a band, half of its values, where there are ten or more."""
    many = groups.size()[groups.size() >= _FEWEST].index
    middle = groups.median()[many]
    low, high = groups.quantile(0.25)[many], groups.quantile(0.75)[many]
    axes.plot(middle.index, middle, color=_COLOR, markersize=3, **style)
    axes.fill_between(middle.index, low, high, color=_COLOR, alpha=0.2, linewidth=0)


def sensitivity(frames: Frames) -> Figure:
    """Success, hidden units and epochs with one parameter changed at a time."""
    present = set(frames["sensitivity"].variation) | {"primary"}
    names = [name for name in VARIATIONS if name in present]
    figure, panels = subplots(1, 3, width=DOUBLE, height=0.6 + 0.19 * len(names), sharey=True)
    figure.set_layout_engine("constrained", rect=(0.02, 0, 0.98, 1))  # room for the names
    for line, name in enumerate(names):
        rows = variation(frames, name)
        learned = rows[rows.learned]
        found = (
            share(int(rows.learned.sum()), len(rows)),
            mean(learned.hidden.to_numpy(float)),
            mean(learned.epochs.to_numpy(float)),
        )
        for panel, estimate in zip(panels, found, strict=True):
            if isinstance(estimate, Estimate):
                bars = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
                main = name == "primary"
                panel.errorbar(
                    estimate.value, line, xerr=bars, color=_COLOR if main else "#0072B2",
                    marker="D" if main else "o", markersize=4 if main else 3,
                )  # fmt: skip
    for panel, value, label in (
        (panels[0], 100.0, "trials that learn, %"),
        (panels[1], 15.2, "hidden units, mean"),
        (panels[2], EPOCHS, "epochs, mean"),
    ):
        paper_line(panel, value, axis="x")
        panel.set_xlabel(label)
    for panel, quantity in ((panels[1], "hidden_mean"), (panels[2], "epochs")):
        values = authors.SPIRALS[quantity].values()
        panel.axvspan(min(values), max(values), color="#BBBBBB", alpha=0.5, linewidth=0)
    panels[0].set_yticks(range(len(names)), labels=names, fontsize=6)
    panels[0].invert_yaxis()
    trials = frames["sensitivity"].groupby("variation").size()
    panels[1].set_title(f"{trials.min()} trials or more each; dash-dotted: paper")
    return figure


def pool(frames: Frames) -> Figure:
    """Hidden units, epochs and crossings against the size of the pool."""
    rows = pools(frames)
    rows = rows[rows.learned]
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.5)
    for panel, column, label, paper in (
        (panels[0], "hidden", "hidden units, mean", 15.2),
        (panels[1], "epochs", "epochs, mean", EPOCHS),
        (panels[2], "crossings", "million crossings, mean", CROSSINGS / MILLION),
    ):
        scale = MILLION if column == "crossings" else 1.0
        for size, group in rows.groupby("pool"):
            found = mean(group[column].to_numpy(float) / scale)
            if isinstance(found, Estimate):
                bars = [[found.value - found.low], [found.high - found.value]]
                panel.errorbar(size, found.value, yerr=bars, color=_COLOR, marker="D")
        paper_points(panel, 8, paper)
        sizes = sorted(rows.pool.unique())
        panel.set_xscale("log", base=2)
        panel.set_xticks(sizes, labels=[str(size) for size in sizes])
        panel.set(xlabel="candidates in the pool", ylabel=label)
    panels[0].legend()
    panels[1].set_title(f"{rows.groupby('pool').size().min()} trials or more each")
    return figure


def n_log_n(frames: Frames) -> Figure:
    """Epochs against the hidden units a trial ends with."""
    rows = frames["spirals"]
    rows = rows[rows.learned]
    figure, panel = subplots(1, 1, width=DOUBLE / 2, height=2.8)
    sizes = sorted(rows.hidden.unique().tolist())
    spread = [rows[rows.hidden == hidden].epochs.to_numpy() for hidden in sizes]
    panel.boxplot(
        spread, positions=sizes, widths=0.6, showfliers=False,
        medianprops={"color": _COLOR},
    )  # fmt: skip
    n = np.array(sizes, dtype=float)
    middle, units = rows.epochs.mean(), rows.hidden.mean()
    for label, curve, line in (
        ("N", n / units, ":"),
        ("N log N", n * np.log(n) / (units * np.log(units)), "-"),
        ("N squared", (n / units) ** 2, (0, (3, 1.5))),
    ):
        panel.plot(n, middle * curve, label=label, linestyle=line, color="black", linewidth=0.9)
    panel.set(xlabel="hidden units N at the end", ylabel="epochs", title=f"{len(rows)} trials")
    panel.set_xticks(n, labels=[f"{value:.0f}" for value in n])
    panel.legend()
    return figure
