"""Which rows a number or a figure is made from, and the primary set-up of XOR."""

from __future__ import annotations

import numpy as np
import pandas as pd

from oldschool.runs.experiment import Frames

# The sigmoid of back-propagation with the usual targets, and the middle of the paper's range of
# alpha. The other set-ups are sensitivity.
PRIMARY_SET_UP = "logistic 0/1"
PRIMARY_ALPHA = 1e-6


def monks(frames: Frames, problem: str, method: str, retrained: bool) -> pd.DataFrame:
    """The nets of a problem that were trained to the paper's accuracy, pruned in one way."""
    rows = frames["monks"]
    return rows[
        (rows.problem == problem)
        & (rows.method == method)
        & (rows.retrained == retrained)
        & rows.trained
    ]


def grid(
    frames: Frames, problem: str, method: str = "obs", retrained: bool = False
) -> pd.DataFrame:
    """The grid's rows of a problem and way of pruning, with the unit function of ``monks``.

    The rivals of OBS are run with that one alone; rows of other units are sensitivity.
    """
    rows = frames["monks_grid"]
    unit = rows.unit[rows.method != "obs"].iloc[0]
    found: pd.DataFrame = rows[
        (rows.unit == unit)
        & (rows.problem == problem)
        & (rows.method == method)
        & (rows.retrained == retrained)
    ]
    return found


def xor_rows(
    frames: Frames,
    method: str,
    set_up: str = PRIMARY_SET_UP,
    decay: float = 0.0,
    alpha: float = PRIMARY_ALPHA,
) -> pd.DataFrame:
    """One method's deletions at the minima of a set-up, in the order of the starts."""
    rows = frames["xor"]
    rows = rows[(rows.set_up == set_up) & (rows.decay == decay) & (rows.method == method)]
    return rows[np.isclose(rows.alpha, alpha)] if method == "obs" else rows


def at_least(first: pd.Series, second: pd.Series) -> pd.Series:
    """Whether first >= second, row by row; equal but for rounding counts as equal."""
    slack = 1e-9 * first.abs().clip(lower=1e-9)
    return first >= second - slack


def ordered(rows: pd.DataFrame, kind: str) -> pd.Series:
    """Whether mag >= OBD >= OBS in the rows of ``inequality``.

    Args:
        rows: of that frame.
        kind: ``predicted`` takes OBD by the diagonal of the same H as the others, ``actual``
            OBD by the exact diagonal, as everywhere else.
    """
    rival = "obd_lm" if kind == "predicted" else "obd"
    mag, obd, obs = (rows[f"{method}_{kind}"] for method in ("magnitude", rival, "obs"))
    return at_least(mag, obd) & at_least(obd, obs)


def nettalk_start(frames: Frames, name: str = "nettalk") -> pd.DataFrame:
    """The nets before pruning, by replicate; one that diverged is not among them."""
    rows = frames[name]
    return rows[(rows.moment == "trained") & rows.train_sse.notna()].set_index("replicate")


def nettalk_target(frames: Frames, stage: int, name: str = "nettalk") -> int:
    """Weights left at the end of a stage, -1 for the last: 2438 and 1560 as declared."""
    rows = frames[name]
    stages = rows[rows.moment == "retrained"].groupby("stage").weights_left.first()
    return int(stages.iloc[-1 if stage < 0 else stage - 1])


def nettalk_at(
    frames: Frames, method: str, stage: int, moment: str, name: str = "nettalk"
) -> pd.DataFrame:
    """The nets at the end of a stage, as ``pruned`` or as ``retrained``, by replicate."""
    rows = frames[name]
    here = rows.weights_left == nettalk_target(frames, stage, name)
    last = rows.stage.max() if stage < 0 else stage
    chosen = here & (rows.method == method) & (rows.stage == last) & (rows.moment == moment)
    return rows[chosen & rows.train_sse.notna()].set_index("replicate")


def nettalk_path(frames: Frames, method: str, stage: int) -> pd.DataFrame:
    """All measured nets of a stage as they were pruned, from the fewest deletions on."""
    rows = frames["nettalk"]
    chosen = (rows.method == method) & (rows.stage == stage) & (rows.moment == "pruned")
    return rows[chosen].sort_values(["replicate", "weights_left"], ascending=[True, False])
