"""Estimates on XOR: which weight goes, and what is left of the net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from oldschool.claims.estimate import Estimate, NotRun, Result, mean, paired_shares, share
from oldschool.runs.experiment import Frames

from ..selection import PRIMARY_ALPHA, PRIMARY_SET_UP, xor_rows
from ..xor import HIDDEN_BIASES

Estimator = Callable[[Frames], Result]


def _others(frames: Frames) -> list[tuple[str, float]]:
    """Every set-up and decay but the primary one."""
    pairs = sorted(set(zip(frames["xor"].set_up, frames["xor"].decay, strict=True)))
    return [pair for pair in pairs if pair != (PRIMARY_SET_UP, 0.0)]


def _named(set_up: str, decay: float) -> str:
    return set_up + (f" with decay {decay:g}" if decay else "")


def _across(frames: Frames, method: str, column: str) -> str:
    """The same share in the other set-ups, for the note."""
    parts = []
    for set_up, decay in _others(frames):
        values = xor_rows(frames, method, set_up, decay)[column]
        parts.append(f"{_named(set_up, decay)} {100 * values.mean():.1f} %")
    return "elsewhere: " + "; ".join(parts)


def _right(method: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        values = xor_rows(frames, method).relearns
        return share(int(values.sum()), len(values), _across(frames, method, "relearns"))

    return estimate


def _no_retraining(frames: Frames) -> Result:
    rows = xor_rows(frames, "obs")
    stops = frames["xor_stop"]
    stops = stops[
        (stops.set_up == PRIMARY_SET_UP)
        & (stops.method == "obs")
        & np.isclose(stops.alpha, PRIMARY_ALPHA)
    ]
    totals = stops.groupby("stop_error")[["solved", "minima"]].sum()
    by_stop = ", ".join(
        f"{error:g}: {100 * row.solved / row.minima:.1f} %"
        for error, row in totals.sort_index(ascending=False).iterrows()
        if row.minima
    )
    note = (
        f"error back to zero in the strict sense: {100 * rows.zero.mean():.1f} %; by the error "
        f"at which training ends, {by_stop}; {_across(frames, 'obs', 'solved')}"
    )
    return share(int(rows.solved.sum()), len(rows), note)


def _ordering(frames: Frames) -> Result:
    right = {name: xor_rows(frames, name).relearns for name in ("magnitude", "obd", "obs")}
    note = ", ".join(
        f"{name} right at {100 * values.mean():.1f} %" for name, values in right.items()
    )
    found = []
    for rival in ("magnitude", "obd"):
        result = paired_shares(right["obs"].to_numpy(), right[rival].to_numpy())
        if isinstance(result, NotRun):
            return result
        found.append(result)
    least = min(found, key=lambda result: result.low)
    return replace(least, note=note)


def _recovery(frames: Frames) -> Result:
    """Share that relearns of the nets pruned wrongly, by the method with the larger share."""

    def wrong(method: str, set_up: str = PRIMARY_SET_UP, decay: float = 0.0) -> tuple[int, int]:
        rows = xor_rows(frames, method, set_up, decay)
        rows = rows[~rows.weight.isin(HIDDEN_BIASES)]
        return int(rows.relearns.sum()), len(rows)

    counts = {method: wrong(method) for method in ("magnitude", "obd")}
    forced = frames["xor_deletions"]
    forced = forced[
        (forced.set_up == PRIMARY_SET_UP) & (forced.decay == 0) & (forced.weight == "v3")
    ]
    parts = [f"{method} {found} of {count}" for method, (found, count) in counts.items()]
    elsewhere = [
        f"{_named(set_up, decay)} {method} {found} of {count}"
        for set_up, decay in _others(frames)
        for method in ("magnitude", "obd")
        for found, count in [wrong(method, set_up, decay)]
        if count
    ]
    note = (
        f"recovered: {', '.join(parts)}; v3, which the paper's magnitude net lost, can be "
        f"relearned at {100 * (forced.attempt > 0).mean():.0f} % of all minima; elsewhere: "
        f"{'; '.join(elsewhere)}"
    )
    results = [share(found, count, note, few=True) for found, count in counts.values()]
    shares = [result for result in results if isinstance(result, Estimate)]
    return max(shares, key=lambda result: result.value) if shares else results[0]


def _off_diagonal(frames: Frames) -> Result:
    rows = frames["xor_starts"]
    rows = rows[(rows.set_up == PRIMARY_SET_UP) & (rows.decay == 0) & (rows.status == "minimum")]
    return mean(100 * rows.off_diagonal.to_numpy())


XOR_ESTIMATES: dict[str, Estimator] = {
    "obs.xor.obs_correct": _right("obs"),
    "obs.xor.magnitude_some": _right("magnitude"),
    "obs.xor.obd_some": _right("obd"),
    "obs.xor.ordering": _ordering,
    "obs.xor.no_retraining": _no_retraining,
    "obs.xor.wrong_never_recover": _recovery,
    "obs.xor.hessian_nondiagonal": _off_diagonal,
}
