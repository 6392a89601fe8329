"""Section 9.1: dropout marginalised in linear regression."""

from __future__ import annotations

import numpy as np

from oldschool.claims.estimate import Result, exact
from oldschool.runs.experiment import Frames

from .nets import Estimator, Missing


def _largest(check: str) -> Estimator:
    """The largest relative difference of all problems."""

    def estimate(frames: Frames) -> Result:
        rows = frames["marginal"][frames["marginal"].check == check]
        if rows.empty:
            raise Missing(f"no rows of: {check}")
        if not np.isfinite(rows.difference).all():
            raise Missing(f"{check}: a difference is not finite")
        by = rows.groupby("data").difference
        told = ", ".join(
            f"{data} {largest:.2g} ({len(by.get_group(data))})"
            for data, largest in by.max().items()
        )
        note = f"largest of each kind of data, and problems: {told}"
        return exact(float(rows.difference.max()), len(rows), note)

    return estimate


THEORY_ESTIMATES: dict[str, Estimator] = {
    "dropout.theory.identity": _largest("identity"),
    "dropout.theory.ridge": _largest("ridge"),
}
