"""Estimates on the Gaussian task of NIPS 6, read off the paths of deletions."""

from __future__ import annotations

from collections.abc import Callable

from oldschool.claims.estimate import Result, mean, median
from oldschool.runs.experiment import Frames

from ..gaussian_paths import (
    crossing,
    fall_on_fresh_cases,
    least_test_error,
    obd_rise,
    table,
)

Estimator = Callable[[Frames], Result]


def _crossing(frames: Frames) -> Result:
    rows = frames["gaussian"]
    found, clear = crossing(rows), crossing(rows, 0.01)
    ours, theirs = (
        table(rows, "trained", method, "train_error").mean() for method in ("obs", "obd")
    )
    ahead = (ours < theirs).loc[1:]
    note = (
        f"range {found.min()} to {found.max()}, {100 * (found == 1).mean():.0f} % at the first; "
        f"OBS is 1 % above OBD from deletion {clear.median():.0f} on ({clear.min()} to "
        f"{clear.max()}); the mean training errors cross at deletion {(~ahead).idxmax()}"
    )
    return median(found.to_numpy(), note)


def _test_min(net: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = frames["gaussian"]
        found, fall = least_test_error(rows, net), fall_on_fresh_cases(rows, net)
        errors = table(rows, net, "obs", "test_error")
        end = int(errors.columns[-1])
        note = (
            f"range {found.min()} to {found.max()}, {100 * (found == end).mean():.0f} % at a net "
            f"without a weight; on other cases the error there is {fall.mean():.2f} % below that "
            f"before pruning (median {fall.median():.2f} %); the mean test error over nets is "
            f"least at {errors.mean().idxmin()} deletions"
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
