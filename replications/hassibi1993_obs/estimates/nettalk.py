"""Estimates on NETtalk: how far OBS prunes, and what that does to the test error."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pandas as pd

from oldschool.claims.estimate import Result, exact, mean, median, paired_difference
from oldschool.runs.experiment import Frames

from ..selection import nettalk_at, nettalk_path, nettalk_start, nettalk_target

Estimator = Callable[[Frames], Result]


def _weights(name: str, note: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        counts = nettalk_start(frames, name).weights_left
        return exact(float(counts.iloc[0]), len(counts), note)

    return estimate


def fewest(rows: pd.DataFrame, start: pd.DataFrame, slack: float = 0.0) -> pd.Series:
    """For each replicate the fewest weights of ``rows`` at a test error no higher than at first.

    That is the count at the start where no row is. ``slack`` is the share by which it may be
    higher all the same.
    """
    good = rows[rows.test_sse <= (1 + slack) * rows.replicate.map(start.test_sse)]
    found = good.groupby("replicate").weights_left.min()
    return found.reindex(start.index).fillna(start.weights_left).astype(int)


def _relative(frames: Frames, stage: int, moment: str, method: str = "obs") -> pd.Series:
    """Test error over that of the same net before pruning."""
    found = nettalk_at(frames, method, stage, moment)
    return found.test_sse / nettalk_start(frames).test_sse.reindex(found.index)


def _resolution(frames: Frames) -> str:
    counts = sorted(nettalk_path(frames, "obs", 1).weights_left.unique())
    widest = max(b - a for a, b in itertools.pairwise(counts))
    return f"nets are measured at every {widest} weights or closer"


def _middle(frames: Frames) -> Result:
    start, path = nettalk_start(frames), nettalk_path(frames, "obs", 1)
    left, near = fewest(path, start), fewest(path, start, 0.01)
    target = nettalk_target(frames, 1)
    ratio = _relative(frames, 1, "pruned")
    note = (
        f"{_resolution(frames)}; range {left.min()} to {left.max()}, at a test error up to 1 % "
        f"higher {near.min()} to {near.max()} (median {near.median():.0f}); at {target} weights it "
        f"is {ratio.mean():.3f} of that at the start ({ratio.min():.3f} to {ratio.max():.3f})"
    )
    return median(left.to_numpy(), note)


def _end(frames: Frames) -> Result:
    start = nettalk_start(frames)
    again = nettalk_at(frames, "obs", 1, "retrained").reset_index()
    before = nettalk_path(frames, "obs", 1)
    before = before[before.weights_left >= nettalk_target(frames, 1)]
    rows = pd.concat([before, again, nettalk_path(frames, "obs", 2)], ignore_index=True)
    left, near = fewest(rows, start), fewest(rows, start, 0.01)
    ratio = _relative(frames, 1, "retrained")
    note = (
        f"{_resolution(frames)}; range {left.min()} to {left.max()}, at a test error up to 1 % "
        f"higher {near.min()} to {near.max()} (median {near.median():.0f}); retrained at "
        f"{nettalk_target(frames, 1)} weights it is {ratio.mean():.3f} of that at the start"
    )
    return median(left.to_numpy(), note)


def _ratio(frames: Frames) -> Result:
    ratio, again = _relative(frames, -1, "pruned"), _relative(frames, -1, "retrained")
    start, end = nettalk_start(frames), nettalk_at(frames, "obs", -1, "pruned")
    note = (
        f"retrained once more: {again.mean():.3f} ({again.min():.3f} to {again.max():.3f}); "
        f"right phonemes {start.test_phoneme.mean():.1f} % at the start, "
        f"{end.test_phoneme.mean():.1f} % at the end"
    )
    return mean(ratio.to_numpy(), note)


def _against(method: str) -> Estimator:
    """How much higher the other method's test error is, after the last retraining."""

    def estimate(frames: Frames) -> Result:
        ours, theirs = (100 * _relative(frames, -1, "retrained", name) for name in ("obs", method))
        pruned = 100 * (
            _relative(frames, -1, "pruned", method) - _relative(frames, -1, "pruned", "obs")
        )
        note = (
            f"after retraining at {nettalk_target(frames, -1)} weights: {theirs.mean():.1f} % "
            f"against {ours.mean():.1f} %; before it the difference is {pruned.mean():.1f} "
            f"({pruned.min():.1f} to {pruned.max():.1f})"
        )
        return paired_difference(theirs.to_numpy(), ours.to_numpy(), note)

    return estimate


def _headline(frames: Frames) -> Result:
    name = "nettalk_large"
    start = nettalk_start(frames, name)
    ends = {
        moment: nettalk_at(frames, "obs", -1, moment, name).test_sse / start.test_sse
        for moment in ("pruned", "retrained")
    }
    again = ends["retrained"]
    note = (
        f"retrained once more: {again.mean():.3f} ({again.min():.3f} to {again.max():.3f}); "
        "retrained at the end of each stage, H computed once a stage, for up to 9,426 deletions: "
        "more looks cost less error on the smaller net (nettalk_looks)"
    )
    return mean(ends["pruned"].to_numpy(), note)


NETTALK_ESTIMATES: dict[str, Estimator] = {
    "obs.nettalk.start": _weights("nettalk", "given by the architecture, not measured"),
    "obs.nettalk.middle": _middle,
    "obs.nettalk.end": _end,
    "obs.nettalk.error_ratio": _ratio,
    "obs.nettalk.beats_magnitude": _against("magnitude"),
    "obs.nettalk.beats_obd": _against("obd"),
    "obs.nettalk.sejnowski": _weights(
        "nettalk_large",
        "trained weights, biases counted; given by the architecture. Sejnowski and Rosenberg's own "
        "18,629 would lie outside the rounding",
    ),
    "obs.nettalk.headline": _headline,
}
