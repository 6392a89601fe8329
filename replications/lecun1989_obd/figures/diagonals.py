"""Approximate diagonals against the exact one, and maps of the saliencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from oldschool.report.style import DOUBLE, subplots
from oldschool.runs.experiment import Frames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMS = {
    "gauss_newton": ("exact Gauss-Newton diagonal", "#0072B2", "o"),
    "full": ("the paper's recursion", "#009E73", "^"),
    "lm": ("its Levenberg-Marquardt form", "#56B4E9", "v"),
}
_LAYERS = {"H1": "#0072B2", "H2": "#000000", "H3": "#E69F00", "H4": "#CC79A7", "output": "#8C8C8C"}
_MARKERS = {"H1": "s", "H2": "*", "H3": "^", "H4": "D", "output": "."}


def diagonals(frames: Frames) -> Figure:
    """One net's h_kk weight by weight, and all nets' by layer."""
    figure, panels = subplots(1, 3, width=DOUBLE, height=2.9)
    one = frames["diagonal_weights"]
    one = one[one.replicate == one.replicate.min()]
    for panel, form in zip(panels[:2], ("full", "gauss_newton"), strict=True):
        for layer in reversed(_LAYERS):
            part = one[(one.layer == layer) & (one.exact > 0) & (one[form] > 0)]
            panel.plot(
                part.exact, part[form], linestyle="none", marker=_MARKERS[layer], markersize=2.5,
                color=_LAYERS[layer], label=layer, markeredgewidth=0,
            )  # fmt: skip
        least, most = one.exact[one.exact > 0].min(), one.exact.max()
        panel.plot([least, most], [least, most], color="black", linewidth=0.7, zorder=1)
        out = int(((one.exact <= 0) | (one[form] <= 0)).sum())
        panel.set(xscale="log", yscale="log", xlabel="exact h$_{kk}$", ylabel=_FORMS[form][0])
        panel.set_title(f"one net, {out} not positive")
    panels[0].legend(markerscale=2)
    rows = frames["diagonals"]
    for shift, (form, (label, colour, marker)) in enumerate(_FORMS.items()):
        found = rows[(rows.form == form) & (rows.layer != "all")]
        table = found.pivot(index="replicate", columns="layer", values="sum_ratio")[list(_LAYERS)]
        x = np.arange(len(_LAYERS)) + 0.22 * (shift - 1)
        panels[2].errorbar(
            x, table.mean(), yerr=[table.mean() - table.min(), table.max() - table.mean()],
            label=label, color=colour, marker=marker, linestyle="none",
        )  # fmt: skip
    panels[2].axhline(1, color="black", linewidth=0.7)
    panels[2].set_xticks(range(len(_LAYERS)), list(_LAYERS))
    panels[2].set(ylabel="sum over the layer, of the exact one's", ylim=(0, 1.6))
    panels[2].set_title(f"{rows.replicate.nunique()} nets, mean and range")
    panels[2].legend()
    return figure


def kernels(frames: Frames) -> Figure:
    """The first layer's kernels and the saliencies of their weights."""
    weights = frames["diagonal_weights"]
    weights = weights[weights.replicate == weights.replicate.min()]
    first = weights[weights.layer == "H1"].iloc[:100]
    value = first.value.to_numpy(float)
    most = np.abs(value).max()
    shown: dict[str, tuple[NDArray[np.float64], dict[str, Any]]] = {
        "weight": (value, {"cmap": "RdBu_r", "vmin": -most, "vmax": most}),
    }
    for name, form in (("saliency, recursion", first.full), ("saliency, exact", first.exact)):
        saliency = form.to_numpy(float) * value**2 / 2
        most = saliency.max()  # not above nought for a net that has died
        look = {"norm": LogNorm(most / 1e3, most, clip=True)} if most > 0 else {"vmin": 0}
        shown[name] = (saliency, look)
    figure, panels = subplots(3, 4, width=DOUBLE, height=4.6)
    for row, (name, (values, look)) in zip(panels, shown.items(), strict=True):
        for number, (panel, image) in enumerate(zip(row, values.reshape(4, 5, 5), strict=True)):
            drawn = panel.imshow(image, **look)
            panel.grid(False)
            panel.set_xticks([])
            panel.set_yticks([])
            panel.set_title(f"{name}, map {number + 1}" if number == 0 else f"map {number + 1}")
        figure.colorbar(drawn, ax=list(row), shrink=0.9)
    return figure


def field(frames: Frames) -> Figure:
    """Where on the input field the saliency of the first layer's weights arises."""
    rows = frames["field"]
    nets = rows.replicate.nunique()
    table = rows.groupby(["row", "column"])[["saliency", "ink"]].mean()
    figure, panels = subplots(1, 2, width=DOUBLE, height=3.0)
    for panel, column, label in (
        (panels[0], "saliency", "saliency of the connections from a pixel"),
        (panels[1], "ink", "mean grey level, -1 paper to 1 ink"),
    ):
        image = table[column].unstack().to_numpy(float)
        drawn = panel.imshow(image)
        panel.grid(False)
        panel.add_patch(Rectangle((5.5, 5.5), 16, 16, fill=False, color="white", linewidth=0.8))
        panel.set(xlabel="column", ylabel="row")
        figure.colorbar(drawn, ax=panel, label=label)
    panels[0].set_title(f"mean of {nets} nets")
    panels[1].set_title("training digits; frame: 16 x 16")
    return figure
