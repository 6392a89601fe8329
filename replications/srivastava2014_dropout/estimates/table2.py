"""Table 2: what logistic units, ReLU, max-norm, width and pretraining do."""

from __future__ import annotations

import pandas as pd

from oldschool.claims.estimate import Result, mean
from oldschool.runs.experiment import Frames, Scalar

from .curves import DROPOUT, ends
from .nets import Estimator, Missing, difference, gap, level, nets

_Net = tuple[int, int, str, str]
_PRINTED: dict[str, _Net] = {
    "standard_800": (2, 800, "logistic", "none"),
    "dropout_logistic_3x1024": (3, 1024, "logistic", "dropout"),
    "dropout_relu_3x1024": (3, 1024, "relu", "dropout"),
    "maxnorm_3x1024": (3, 1024, "relu", DROPOUT),
    "maxnorm_3x2048": (3, 2048, "relu", DROPOUT),
    "maxnorm_2x4096": (2, 4096, "relu", DROPOUT),
    "maxnorm_2x8192": (2, 8192, "relu", DROPOUT),
}
_LABELS = {"none": "none", "dropout": "dropout", DROPOUT: "dropout with max-norm"}
_COMPARED = 3  # layers of the nets that differ in one thing only


def _condition(net: _Net) -> tuple[str, dict[str, Scalar]]:
    layers, width, hidden, way = net
    condition: dict[str, Scalar] = {"layers": layers, "width": width, "hidden": hidden, "way": way}
    return f"{layers}x{width} {hidden} {_LABELS[way]}", condition


def _printed(net: _Net) -> Estimator:
    name, condition = _condition(net)

    def estimate(frames: Frames) -> Result:
        found = nets(ends(frames["architectures"]), {name: condition})
        return mean(found[name].to_numpy(), found.note())

    return estimate


def _widths(rows: pd.DataFrame, layers: int, hidden: str, way: str) -> set[int]:
    chosen = rows[(rows.layers == layers) & (rows.hidden == hidden) & (rows.way == way)]
    return {int(width) for width in chosen.width}


def _one_change(first: tuple[str, str], second: tuple[str, str]) -> Estimator:
    """Two kinds (hidden, way) of the widest net of three layers that was trained as both."""

    def estimate(frames: Frames) -> Result:
        rows = ends(frames["architectures"])
        widths = [_widths(rows, _COMPARED, *kind) for kind in (first, second)]
        if not widths[0] & widths[1]:
            told = " and ".join(f"{hidden} with {_LABELS[way]}" for hidden, way in (first, second))
            raise Missing(f"no net of {_COMPARED} layers was trained as both {told}")
        width = max(widths[0] & widths[1])
        pair = dict(_condition((_COMPARED, width, *kind)) for kind in (first, second))
        return difference(nets(rows, pair), *pair)

    return estimate


def _width_gain(frames: Frames) -> Result:
    rows = ends(frames["architectures"])
    widths = sorted(_widths(rows, 2, "relu", DROPOUT))
    if len(widths) < 2:
        raise Missing("fewer than two widths of two layers of ReLU with dropout and max-norm")
    pair = dict(_condition((2, width, "relu", DROPOUT)) for width in (widths[-1], widths[0]))
    return difference(nets(rows, pair), *pair)


TABLE2_ESTIMATES: dict[str, Estimator] = {
    **{f"dropout.table2.{name}": _printed(net) for name, net in _PRINTED.items()},
    "dropout.table2.dropout_gain": _one_change(("logistic", "dropout"), ("logistic", "none")),
    "dropout.table2.relu_gain": _one_change(("relu", "dropout"), ("logistic", "dropout")),
    "dropout.table2.maxnorm_gain": _one_change(("relu", DROPOUT), ("relu", "dropout")),
    "dropout.table2.width_gain": _width_gain,
    "dropout.table2.dbn": level("pretraining", "none", {"way": "none"}),
    "dropout.table2.dbn_dropout": level("pretraining", "dropout", {"way": "dropout"}),
    "dropout.table2.pretraining_gain": gap(
        "pretraining", {"dropout": {"way": "dropout"}, "none": {"way": "none"}}
    ),
}
