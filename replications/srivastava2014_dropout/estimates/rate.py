"""Fig. 9: the probability p of keeping a unit, with n fixed and with p n fixed."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from oldschool.claims.estimate import Estimate, NotRun, Result, mean
from oldschool.runs.experiment import Frames, Scalar

from .nets import Conditions, Estimator, averaged, difference, least_of, nets
from .plausible import METHOD, ends, plausible_means

_N, _PN = "n_fixed", "pn_fixed"
_GRID = tuple(tenth / 10 for tenth in range(1, 11))
_LEVEL = (0.4, 0.5, 0.6, 0.7, 0.8)  # where the curve is said to be flat
_OUTER = (0.1, 0.2, 0.3, 1.0)
_UNITS, _KEPT = 2048, 256  # printed: n, and p n of the first layer
_SEED = 20140601


def _p(p: float) -> str:
    return f"p = {p:g}"


def _of(series: str, *values: float) -> Conditions:
    return {_p(p): {"series": series, "p": p} for p in values}


def _printed(series: str, *values: float) -> Conditions:
    """The same of nets of the printed size."""
    conditions: dict[str, dict[str, Scalar]] = {}
    for p in values:
        units = _UNITS if series == _N else round(_KEPT / p)
        conditions[f"{_p(p)}, {units} units"] = {"series": series, "p": p, "units": units}
    return conditions


def _level(series: str, p: float, column: str = "test_error") -> Estimator:
    conditions = _printed(series, p)

    def estimate(frames: Frames) -> Result:
        found = nets(frames["rate"], conditions, column)
        return mean(found.table.iloc[:, 0].to_numpy(), found.note())

    return estimate


def _flat(frames: Frames) -> Result:
    """Equivalence of each pair, by its own t interval; the mean of all is taken as fixed."""
    found = nets(frames["rate"], _of(_N, *_LEVEL))
    middle = float(found.table.to_numpy().mean())
    pairs = []
    for a, b in combinations(map(_p, _LEVEL), 2):
        pair = difference(found, a, b)
        if isinstance(pair, NotRun):
            return pair
        pairs.append(pair)
    scale = 100 / middle if middle else 0.0  # without any error all are equal
    return Estimate(
        scale * max(abs(pair.value) for pair in pairs),
        scale * max(max(0.0, pair.low, -pair.high) for pair in pairs),
        scale * max(max(abs(pair.low), abs(pair.high)) for pair in pairs),
        len(found.table),
        found.note("paper 5.5 %"),
        f"largest of paired differences: {pairs[0].method}",
    )


def _u_shape(frames: Frames) -> Result:
    found = nets(frames["rate"], _of(_N, *_OUTER, *_LEVEL))
    middle = found.table[[_p(p) for p in _LEVEL]].mean(axis=1)
    parts = {_p(p): averaged(100 * (found[_p(p)] / middle - 1), "") for p in _OUTER}
    return least_of(parts, found.note("paper 11 %"))


def _inner(frames: Frames) -> Result:
    found = nets(frames["rate"], _of(_PN, 0.1, 0.6, 1.0))
    parts = {_p(p): averaged(100 * (found[_p(p)] / found[_p(0.6)] - 1), "") for p in (0.1, 1.0)}
    return least_of(parts, found.note("paper 54.5 %"))


def _half(frames: Frames) -> Result:
    found = nets(frames["rate"], _of(_PN, 0.5, 0.6))
    return averaged(100 * (found[_p(0.5)] / found[_p(0.6)] - 1), found.note("paper 9.5 %"))


def _underfitting(frames: Frames) -> Result:
    return difference(nets(frames["rate"], _of(_N, 0.1, 0.5), "train_error"), _p(0.1), _p(0.5))


def _more_units(column: str) -> Estimator:
    conditions: Conditions = {
        "p n fixed": {"series": _PN, "p": 0.1},
        "n fixed": {"series": _N, "p": 0.1},
    }

    def estimate(frames: Frames) -> Result:
        units = frames["rate"][frames["rate"].p == 0.1].groupby("series").units.max()
        told = ", ".join(f"{series} {count} units" for series, count in units.items())
        return difference(nets(frames["rate"], conditions, column), *conditions, told)

    return estimate


def _optimum(frames: Frames) -> Result:
    """p of the least mean error; its ends are quantiles over plausible means."""
    found = nets(frames["rate"], _printed(_PN, *_GRID))
    errors = found.table.to_numpy()
    count = len(errors)
    if count < 2:
        return NotRun(f"an interval needs at least 2 replicates, there are {count}")
    grid = np.array(_GRID)
    draws = plausible_means(errors, np.random.default_rng(_SEED))
    low, high = ends(grid[draws.argmin(axis=1)])
    value = float(grid[errors.mean(axis=0).argmin()])
    return Estimate(value, low, high, count, found.note(), METHOD)


RATE_ESTIMATES: dict[str, Estimator] = {
    **{
        f"dropout.{figure}.p{p:.1f}": _level(series, p)
        for figure, series in (("fig9a", _N), ("fig9b", _PN))
        for p in _GRID
    },
    "dropout.fig9a.flat": _flat,
    "dropout.fig9a.u_shape": _u_shape,
    "dropout.fig9a.underfitting": _underfitting,
    "dropout.fig9b.inner": _inner,
    "dropout.fig9b.half": _half,
    "dropout.fig9b.optimum": _optimum,
    "dropout.fig9.more_units": _more_units("test_error"),
    "dropout.training_error_p01": _more_units("train_error"),
    "dropout.training_error_p01.n_fixed": _level(_N, 0.1, "train_error"),
    "dropout.training_error_p01.pn_fixed": _level(_PN, 0.1, "train_error"),
}
