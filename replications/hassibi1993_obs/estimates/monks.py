"""Estimates on the MONK's problems: Table 1 and what is said around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from oldschool.claims.estimate import (
    Estimate,
    NotRun,
    Result,
    exact,
    mean,
    median,
    paired_difference,
    share,
)
from oldschool.runs.experiment import Frames

from ..monk_nets import START_WEIGHTS, eligible_decays
from ..selection import grid, monks
from ..settings import PAPER_ALPHAS, MonksGridSettings

Estimator = Callable[[Frames], Result]


def _start(problem: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = frames["monks"]
        one = rows[(rows.problem == problem) & (rows.method == "obs") & ~rows.retrained]
        missed = int((~one.trained).sum())
        note = f"{missed} of {len(one)} nets miss the paper's training accuracy"
        return mean(100 * one[column].to_numpy(), note)

    return estimate


def _accuracy(problem: str, column: str) -> Estimator:
    return lambda frames: mean(100 * monks(frames, problem, "obs", False)[column].to_numpy())


def _fixed(count: int) -> Estimator:
    return lambda frames: exact(count, note="given by the architecture, not measured")


def _choice(frames: Frames, problem: str) -> str:
    """What the choice of decay and alpha does to the number, for the notes."""
    chosen = frames["monks"][frames["monks"].problem == problem].iloc[0]
    rows = grid(frames, problem)
    rows = rows[rows.alpha.isin(PAPER_ALPHAS)]
    decays = eligible_decays(rows, MonksGridSettings().eligible)
    means = rows[rows.decay.isin(decays) & rows.trained].groupby(["decay", "alpha"])
    left = means.weights_left.mean()
    return (
        f"decay {chosen.decay:g} and alpha {chosen.alpha:g}, chosen to leave the fewest: over "
        f"the {len(left)} eligible pairs of the grid the mean is {left.min():.1f} to "
        f"{left.max():.1f}"
    )


def _weights(problem: str, paper: int) -> Estimator:
    def estimate(frames: Frames) -> Result:
        left = monks(frames, problem, "obs", False)
        again = monks(frames, problem, "obs", True).weights_left
        few = left[left.weights_left <= paper]
        test = f", their mean test accuracy {100 * few.test_accuracy.mean():.1f} %"
        note = (
            f"mean {left.weights_left.mean():.1f}, best {left.weights_left.min()}; "
            f"{100 * len(few) / max(len(left), 1):.0f} % of nets end at or below {paper}"
            f"{test if len(few) else ''}; with retraining median {again.median():g}; "
            f"{_choice(frames, problem)}"
        )
        return median(left.weights_left.to_numpy(), note)

    return estimate


def _reduction(problem: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        left = monks(frames, problem, "obs", False).weights_left.to_numpy()
        return median(100 * (1 - left / START_WEIGHTS[problem]), _choice(frames, problem))

    return estimate


def _at_own_best(frames: Frames, problem: str, method: str, retrained: bool) -> float | None:
    """Least mean weights left over the grid's eligible decays, each method at its own."""
    decays = eligible_decays(grid(frames, problem), MonksGridSettings().eligible)
    rows = grid(frames, problem, method, retrained)
    if method == "obs":
        rows = rows[rows.alpha.isin(PAPER_ALPHAS)]
    rows = rows[rows.decay.isin(decays) & rows.trained].fillna({"alpha": 0.0})
    if rows.empty:
        return None
    return float(rows.groupby(["decay", "alpha"]).weights_left.mean().min())


def _least_difference(rivals: list[tuple[str, bool]]) -> Estimator:
    """Mean of (rival - OBS) weights left over paired nets, where it is least."""

    def estimate(frames: Frames) -> Result:
        found: list[tuple[str, Estimate]] = []
        own = []
        for problem, (method, retrained) in itertools.product(START_WEIGHTS, rivals):
            ours = monks(frames, problem, "obs", False).set_index("replicate").weights_left
            theirs = monks(frames, problem, method, retrained).set_index("replicate").weights_left
            result = paired_difference(theirs.loc[ours.index].to_numpy(), ours.to_numpy())
            if isinstance(result, NotRun):
                return result
            label = f"{problem} {method}{' retrained' if retrained else ''}"
            found.append((label, result))
            best = _at_own_best(frames, problem, "obs", False)
            rival = _at_own_best(frames, problem, method, retrained)
            if best is not None and rival is not None:
                nets = grid(frames, problem, method, retrained).replicate.nunique()
                own.append(f"{label} {rival - best:+.1f} ({nets} nets)")
        note = (
            "weights more than OBS, at the decay chosen for OBS: "
            + ", ".join(f"{label} {result.value:+.1f}" for label, result in found)
            + "; each at the grid's decay that suits it best: "
            + ", ".join(own)
        )
        least = min((result for _, result in found), key=lambda result: result.low)
        return replace(least, note=note)

    return estimate


def _rule(frames: Frames) -> Result:
    rows = monks(frames, "monk3", "obs", False)
    note = (
        f"different rules in all: {rows.rule.nunique()}; before pruning "
        f"{100 * rows.start_is_clause.mean():.1f} % of the nets compute the clause already, by "
        "weight decay alone"
    )
    return share(int(rows.is_clause.sum()), len(rows), note)


def _inputs(frames: Frames) -> Result:
    return median(monks(frames, "monk1", "obs", False).inputs_left.to_numpy())


def _alpha(frames: Frames) -> Result:
    """Largest mean difference of weights left between two alphas, at the decays of Table 1."""
    largest: tuple[str, Estimate] | None = None
    for problem in START_WEIGHTS:
        decay = float(frames["monks"][frames["monks"].problem == problem].decay.iloc[0])
        rows = grid(frames, problem)
        rows = rows[(rows.decay == decay) & rows.trained & rows.alpha.isin(PAPER_ALPHAS)]
        table = rows.pivot(index="replicate", columns="alpha", values="weights_left")
        for low, high in itertools.combinations(table.columns, 2):
            result = paired_difference(table[low].to_numpy(), table[high].to_numpy())
            if isinstance(result, NotRun):
                return result
            if largest is None or abs(result.value) > abs(largest[1].value):
                largest = (f"{problem}, alpha {low:g} against {high:g}", result)
    if largest is None:
        return NotRun("the grid has no two alphas of the paper's range at the decays of Table 1")
    label, result = largest
    return replace(result, note=label)


MONKS_ESTIMATES: dict[str, Estimator] = {
    **{
        f"obs.{problem}.bpwd.{part}": _start(problem, f"start_{part}_accuracy")
        for problem in START_WEIGHTS
        for part in ("train", "test")
    },
    **{
        f"obs.{problem}.obs.{part}": _accuracy(problem, f"{part}_accuracy")
        for problem in START_WEIGHTS
        for part in ("train", "test")
    },
    **{f"obs.{problem}.bpwd.weights": _fixed(count) for problem, count in START_WEIGHTS.items()},
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
    "obs.alpha_insensitive": _alpha,
}
