"""Estimates on the Gaussian task of NIPS 6, read off the paths of deletions."""

from __future__ import annotations

from collections.abc import Callable

from oldschool.claims.estimate import Result, mean, median
from oldschool.runs.experiment import Frames

from ..gaussian_paths import crossing, least_test_error, obd_rise, table

Estimator = Callable[[Frames], Result]


def _crossing(frames: Frames) -> Result:
    rows = frames["gaussian"]
    found = crossing(rows)
    ours, theirs = (
        table(rows, "trained", method, "train_error").mean() for method in ("obs", "obd")
    )
    ahead = (ours < theirs).loc[1:]
    note = (
        f"range {found.min()} to {found.max()}; the mean training errors cross at deletion "
        f"{(~ahead).idxmax()}"
    )
    return median(found.to_numpy(), note)


def _test_min(net: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = frames["gaussian"]
        found = least_test_error(rows, net)
        errors = table(rows, net, "obs", "test_error")
        fall = 100 * (1 - errors.min(axis=1) / errors[0])
        note = (
            f"range {found.min()} to {found.max()}; there the test error is {fall.mean():.1f} % "
            f"below that before pruning; the mean over nets is least at "
            f"{errors.mean().idxmin()} deletions"
        )
        return median(found.to_numpy(), note)

    return estimate


def _rise(frames: Frames) -> Result:
    found = obd_rise(frames["gaussian"])
    share = 100 * float((found > 0).mean())
    return mean(found.to_numpy(), f"it rises in {share:.0f} % of the nets")


GAUSSIAN_ESTIMATES: dict[str, Estimator] = {
    "obs.gaussian.crossing": _crossing,
    "obs.gaussian.test_min": _test_min("trained"),
    "obs.gaussian.test_min_early": _test_min("early"),
    "obs.gaussian.obd_test_rises": _rise,
}
