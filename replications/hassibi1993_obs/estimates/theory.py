"""Estimates of what section 3 derives: the order of the errors, the cost of the recursion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from oldschool.claims.estimate import NotRun, Result, exact, share
from oldschool.runs.experiment import Frames

from ..selection import at_least, ordered

Estimator = Callable[[Frames], Result]


def _predicted(frames: Frames) -> Result:
    rows = frames["inequality"]
    note = "a theorem where all three use one H; every net is a test of the code, not of nature"
    return share(int(ordered(rows, "predicted").sum()), len(rows), note)


def _actual(frames: Frames) -> Result:
    """The share on the task where the order holds least."""

    def percent(holds: pd.Series) -> str:
        return f"{100 * holds.mean():.1f}"

    found, parts = [], []
    for task, nets in frames["inequality"].groupby("task", sort=False):
        holds = ordered(nets, "actual")
        result = share(int(holds.sum()), len(nets))
        if isinstance(result, NotRun):
            return result
        found.append(result)
        mag, obd, obs = (nets[f"{name}_actual"] for name in ("magnitude", "obd", "obs"))
        least = at_least(mag, obs) & at_least(obd, obs)
        parts.append(
            f"{task} {percent(holds)} % (mag >= OBD {percent(at_least(mag, obd))} %, "
            f"OBS least of the three {percent(least)} %)"
        )
    worst = min(found, key=lambda result: result.low)
    return replace(worst, note="; ".join(parts))


def _recursion(frames: Frames) -> Result:
    rows = frames["recursion"]
    x = np.column_stack(
        [
            np.ones(len(rows)),
            np.log(rows.weights.to_numpy(float)),
            np.log(rows.samples.to_numpy(float)),
        ]
    )
    slopes = np.linalg.lstsq(x, np.log(rows.operations.to_numpy(float)), rcond=None)[0]
    return exact(float(slopes[1]), len(rows), f"exponent of P: {slopes[2]:.3f}")


THEORY_ESTIMATES: dict[str, Estimator] = {
    "obs.inequality": _predicted,
    "obs.inequality.actual": _actual,
    "obs.recursion_cost": _recursion,
}
