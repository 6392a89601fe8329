"""One estimate a claim: a pure function from the frames to a number with its interval."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd

from oldschool.claims.estimate import (
    Estimate,
    NotRun,
    exact,
    mean,
    median,
    paired_difference,
    share,
)
from oldschool.runs.experiment import Frames

from .monk_nets import START_WEIGHTS
from .settings import PAPER_ALPHAS
from .xor import HIDDEN_BIASES

Result = Estimate | NotRun
Estimator = Callable[[Frames], Result]

# Fixed beforehand: the sigmoid of back-propagation with the usual targets, and the middle of
# the paper's range of alpha. The other set-ups are the sensitivity table.
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


def _start(problem: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = frames["monks"]
        one = rows[(rows.problem == problem) & (rows.method == "obs") & ~rows.retrained]
        missed = int((~one.trained).sum())
        note = f"{missed} of {len(one)} nets miss the paper's training accuracy"
        return mean(100 * one[column].to_numpy(), note)

    return estimate


def _fixed(count: int) -> Estimator:
    return lambda frames: exact(count)


def _accuracy(problem: str, column: str) -> Estimator:
    return lambda frames: mean(100 * monks(frames, problem, "obs", False)[column].to_numpy())


def _weights(problem: str, paper: int) -> Estimator:
    def estimate(frames: Frames) -> Result:
        left = monks(frames, problem, "obs", False)
        again = monks(frames, problem, "obs", True).weights_left
        few = left[left.weights_left <= paper]
        test = f", their mean test accuracy {100 * few.test_accuracy.mean():.1f} %"
        note = (
            f"mean {left.weights_left.mean():.1f}, best {left.weights_left.min()}; "
            f"{100 * len(few) / max(len(left), 1):.0f} % of nets end at or below {paper}"
            f"{test if len(few) else ''}; with retraining median {again.median():g}"
        )
        return median(left.weights_left.to_numpy(), note)

    return estimate


def _reduction(problem: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        left = monks(frames, problem, "obs", False).weights_left.to_numpy()
        return median(100 * (1 - left / START_WEIGHTS[problem]))

    return estimate


def _least_difference(rivals: list[tuple[str, bool]]) -> Estimator:
    """Mean of (rival - OBS) weights left over paired nets, where it is least."""

    def estimate(frames: Frames) -> Result:
        found: list[tuple[str, Estimate]] = []
        for problem, (method, retrained) in itertools.product(START_WEIGHTS, rivals):
            ours = monks(frames, problem, "obs", False).set_index("replicate").weights_left
            theirs = monks(frames, problem, method, retrained).set_index("replicate").weights_left
            result = paired_difference(theirs.loc[ours.index].to_numpy(), ours.to_numpy())
            if isinstance(result, NotRun):
                return result
            found.append((f"{problem} {method}{' retrained' if retrained else ''}", result))
        note = "weights more than OBS: " + ", ".join(
            f"{label} {result.value:+.1f}" for label, result in found
        )
        least = min((result for _, result in found), key=lambda result: result.low)
        return Estimate(least.value, least.low, least.high, least.n, note)

    return estimate


def _rule(frames: Frames) -> Result:
    rows = monks(frames, "monk3", "obs", False)
    kinds = rows.rule.nunique()
    return share(int(rows.is_clause.sum()), len(rows), f"{kinds} different rules in all")


def _inputs(frames: Frames) -> Result:
    return median(monks(frames, "monk1", "obs", False).inputs_left.to_numpy())


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


def _across(frames: Frames, method: str, column: str) -> str:
    """The same share in the other set-ups, for the note."""
    parts = []
    for set_up, decay in sorted(set(zip(frames["xor"].set_up, frames["xor"].decay, strict=True))):
        if (set_up, decay) != (PRIMARY_SET_UP, 0.0):
            values = xor_rows(frames, method, set_up, decay)[column]
            label = set_up + (f" with decay {decay:g}" if decay else "")
            parts.append(f"{label} {100 * values.mean():.1f} %")
    return "; ".join(parts)


def _xor_share(method: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        values = xor_rows(frames, method)[column]
        note = "elsewhere: " + _across(frames, method, column)
        if column == "solved":
            zero = xor_rows(frames, method)["zero"].mean()
            note = f"error back to zero in the strict sense: {100 * zero:.1f} %; {note}"
        return share(int(values.sum()), len(values), note)

    return estimate


def _xor_ordering(frames: Frames) -> Result:
    right = {name: xor_rows(frames, name).relearns for name in ("magnitude", "obd", "obs")}
    differences = []
    for rival in ("magnitude", "obd"):
        ours, theirs = right["obs"].to_numpy(float), right[rival].to_numpy(float)
        result = paired_difference(100 * ours, 100 * theirs)
        if isinstance(result, NotRun):
            return result
        differences.append(result)
    least = min(differences, key=lambda result: result.low)
    note = ", ".join(
        f"{name} right at {100 * values.mean():.1f} %" for name, values in right.items()
    )
    return Estimate(least.value, least.low, least.high, least.n, note)


def _xor_recovery(frames: Frames) -> Result:
    rows = pd.concat([xor_rows(frames, "magnitude"), xor_rows(frames, "obd")])
    wrong = rows[~rows.weight.isin(HIDDEN_BIASES)]
    by_weight = wrong.groupby("weight").relearns.mean()
    again = ", ".join(f"{name} {100 * value:.0f} %" for name, value in by_weight.items() if value)
    forced = frames["xor_deletions"]
    forced = forced[
        (forced.set_up == PRIMARY_SET_UP) & (forced.decay == 0) & (forced.weight == "v3")
    ]
    note = (
        f"recovered by deleted weight: {again or 'none'}; v3, which the paper's magnitude net "
        f"lost, can be relearned at {100 * (forced.attempt > 0).mean():.0f} % of all minima"
    )
    return share(int(wrong.relearns.sum()), len(wrong), note)


def _off_diagonal(frames: Frames) -> Result:
    rows = frames["xor_starts"]
    rows = rows[(rows.set_up == PRIMARY_SET_UP) & (rows.decay == 0) & (rows.status == "minimum")]
    return mean(100 * rows.off_diagonal.to_numpy())


def ordered(rows: pd.DataFrame, kind: str) -> pd.Series:
    """Whether mag >= OBD >= OBS, per net; equal but for rounding counts as equal."""
    mag, obd, obs = (rows[f"{method}_{kind}"] for method in ("magnitude", "obd", "obs"))
    slack = 1e-9 * mag.abs().clip(lower=1e-9)
    return (mag >= obd - slack) & (obd >= obs - slack)


def _inequality(kind: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = frames["inequality"]
        found: list[tuple[str, Estimate]] = []
        for task, nets in rows.groupby("task", sort=False):
            holds = ordered(nets, kind)
            result = share(int(holds.sum()), len(nets))
            if isinstance(result, NotRun):
                return result
            found.append((str(task), result))
        note = ", ".join(f"{task} {result.value:.1f} %" for task, result in found)
        if kind == "predicted":
            holds = ordered(rows, kind)
            return share(int(holds.sum()), len(rows), note)
        least = min((result for _, result in found), key=lambda result: result.low)
        return Estimate(least.value, least.low, least.high, least.n, note)

    return estimate


def _alpha(frames: Frames) -> Result:
    """Largest mean difference of weights left between two alphas of the paper's range."""
    grid = frames["monks_grid"]
    unit = grid.unit.iloc[0]  # the grid's first; the others are its sensitivity rows
    grid = grid[(grid.unit == unit) & grid.trained & grid.alpha.isin(PAPER_ALPHAS)]
    largest: tuple[str, Estimate] | None = None
    for problem in START_WEIGHTS:
        rows = grid[grid.problem == problem]
        if rows.empty:
            return NotRun(f"no net of {problem} reached the paper's training accuracy")
        decay = _usual_decay(rows)
        table = rows[rows.decay == decay].pivot(
            index="replicate", columns="alpha", values="weights_left"
        )
        for low, high in itertools.combinations(table.columns, 2):
            result = paired_difference(table[low].to_numpy(), table[high].to_numpy())
            if isinstance(result, NotRun):
                return result
            if largest is None or abs(result.value) > abs(largest[1].value):
                label = f"{problem} at decay {decay:g}, alpha {low:g} against {high:g}"
                largest = (label, result)
    if largest is None:
        return NotRun("fewer than two alphas of the paper's range were run")
    label, result = largest
    return Estimate(result.value, result.low, result.high, result.n, label)


def _usual_decay(rows: pd.DataFrame) -> float:
    """The decay at which the nets keep the fewest weights, over all alphas."""
    means = rows.groupby("decay").weights_left.mean()
    return float(means.sort_values(kind="stable").index[0])


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


ESTIMATES: dict[str, Estimator] = {
    **{
        f"obs.{problem}.{stage}.{part}": (
            _start(problem, f"start_{part}_accuracy")
            if stage == "bpwd"
            else _accuracy(problem, f"{part}_accuracy")
        )
        for problem in START_WEIGHTS
        for stage in ("bpwd", "obs")
        for part in ("train", "test")
    },
    **{
        f"obs.{problem}.bpwd.weights": _fixed(count)
        for problem, count in START_WEIGHTS.items()
    },
    **{f"obs.{problem}.reduction": _reduction(problem) for problem in START_WEIGHTS},
    "obs.monk1.obs.weights": _weights("monk1", 14),
    "obs.monk2.obs.weights": _weights("monk2", 15),
    "obs.monk3.obs.weights": _weights("monk3", 4),
    "obs.monk2.weights_nips6": _weights("monk2", 16),
    "obs.monk.obs_beats_magnitude": _least_difference([("magnitude", False)]),
    "obs.monk.obs_beats_obd": _least_difference([("obd", False)]),
    "obs.monk.obs_beats_retrained": _least_difference([("magnitude", True), ("obd", True)]),
    "obs.monk3.rule": _rule,
    "obs.monk1.inputs_left": _inputs,
    "obs.xor.obs_correct": _xor_share("obs", "relearns"),
    "obs.xor.magnitude_some": _xor_share("magnitude", "relearns"),
    "obs.xor.obd_some": _xor_share("obd", "relearns"),
    "obs.xor.ordering": _xor_ordering,
    "obs.xor.no_retraining": _xor_share("obs", "solved"),
    "obs.xor.wrong_never_recover": _xor_recovery,
    "obs.xor.hessian_nondiagonal": _off_diagonal,
    "obs.inequality": _inequality("predicted"),
    "obs.inequality.actual": _inequality("actual"),
    "obs.alpha_insensitive": _alpha,
    "obs.recursion_cost": _recursion,
}  # fmt: skip
