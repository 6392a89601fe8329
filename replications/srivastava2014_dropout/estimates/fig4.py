"""Fig. 4: six nets with dropout and without, at the end and along their training; section 11."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oldschool.claims.estimate import NotRun, Result, mean
from oldschool.runs.experiment import Frames

from ..published import FIG4_DROPOUT, FIG4_NONE
from .curves import DROPOUT, LAYERS, NONE, PRINTED_WIDTHS, ends, fig4, label, of, read_off, shape
from .nets import Estimator, Nets, averaged, largest_of, least_of, nets, saved

_PRINTED = [(layers, width) for layers in LAYERS for width in PRINTED_WIDTHS]
_NEAR = 1.1  # times the least error of a run: where it counts as trained


def _at_rank(curve: int, way: str) -> Estimator:
    """The error that has the rank, among our six, of the paper's ``curve`` among its six."""
    finals = [line[-1] for line in (FIG4_NONE if way == NONE else FIG4_DROPOUT)]
    rank = sorted(finals).index(finals[curve - 1])

    def estimate(frames: Frames) -> Result:
        found = nets(ends(frames["architectures"]), of(_PRINTED, way))
        name = str(found.table.mean().sort_values(kind="stable").index[rank])
        return mean(found[name].to_numpy(), found.note(f"rank {rank + 1} of six is {name}"))

    return estimate


def _halves(found: Nets) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The six nets without dropout, and with."""
    return found.table.iloc[:, :6], found.table.iloc[:, 6:]


def _separation(frames: Frames) -> Result:
    rows = ends(frames["architectures"])
    found = nets(rows, of(fig4(rows), NONE, DROPOUT))
    none, dropout = _halves(found)
    note = found.note("paper 0.49 points")
    return averaged(none.min(axis=1) - dropout.max(axis=1), note)


def _every_net(frames: Frames) -> Result:
    rows = ends(frames["architectures"])
    six = fig4(rows)
    found = nets(rows, of(six, NONE, DROPOUT))
    parts = {shape(net): saved(found, label(net, DROPOUT), label(net, NONE), "") for net in six}
    return least_of(parts, found.note())


def _size(frames: Frames) -> Result:
    found = nets(ends(frames["architectures"]), of(_PRINTED, NONE, DROPOUT))
    none, dropout = _halves(found)
    return averaged(dropout.mean(axis=1) / none.mean(axis=1), found.note())


def _late(updates: NDArray[np.int64], errors: NDArray[np.float64]) -> float:
    """Mean error over the last tenth of a run, over that of the tenth around half-way."""
    last = updates[-1]
    middle = errors[(20 * updates > 9 * last) & (20 * updates <= 11 * last)]
    return float(errors[10 * updates > 9 * last].mean() / middle.mean())


def _no_early_stopping(frames: Frames) -> Result:
    rows = frames["architectures"]
    six = fig4(rows)
    found = nets(read_off(rows, six, _late), of(six, DROPOUT), "read")
    parts = {shape(net): averaged(found[label(net, DROPOUT)], "") for net in six}
    return largest_of(parts, f"0.9 to 1.01 in the paper's curves; {found.count()}")


def _time(updates: NDArray[np.int64], errors: NDArray[np.float64]) -> float:
    """Updates up to the first moment with an error within a tenth of the run's least."""
    return float(updates[np.argmax(errors <= _NEAR * errors.min())])


def _slowdown(frames: Frames) -> Result:
    rows = frames["architectures"]
    six = fig4(rows)
    found = nets(read_off(rows, six, _time), of(six, NONE, DROPOUT), "read")
    none, dropout = (np.log(half).mean(axis=1) for half in _halves(found))
    times = np.exp(np.log(found.table).mean())
    told = ", ".join(
        f"{shape(net)} {times[label(net, DROPOUT)]:.0f} / {times[label(net, NONE)]:.0f}"
        for net in six
    )
    note = (
        f"updates with / without dropout: {told}; measured first at {rows.updates.min()}; "
        f"by this rule the paper's curves give 9 to 49; {found.count()}"
    )
    result = averaged(dropout - none, note)
    if isinstance(result, NotRun):
        return result
    value, low, high = (math.exp(one) for one in (result.value, result.low, result.high))
    return replace(result, value=value, low=low, high=high)


FIG4_ESTIMATES: dict[str, Estimator] = {
    **{
        f"dropout.fig4.net{curve}.{name}": _at_rank(curve, way)
        for curve in range(1, 7)
        for name, way in (("none", NONE), ("dropout", DROPOUT))
    },
    "dropout.fig4.separation": _separation,
    "dropout.fig4.every_net": _every_net,
    "dropout.fig4.size": _size,
    "dropout.table2.no_early_stopping": _no_early_stopping,
    "dropout.slowdown": _slowdown,
    "dropout.slowdown.direction": _slowdown,
}
