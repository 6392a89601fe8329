"""One estimate a claim: a pure function from the frames to a number with its interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from oldschool.claims.estimate import (
    NotRun,
    Result,
    exact,
    mean,
    median,
    paired_difference,
)
from oldschool.runs.experiment import Frames

from . import paths
from .nets import LARGE, SMALL

Estimator = Callable[[Frames], Result]
_ALL_DIVERGED = "all nets diverged"
AFTER = 1548  # the round of `retraining` nearest to the paper's 1500 deletions


def _of(frame: str, *methods: str) -> Callable[[Estimator], Estimator]:
    """An estimator that has no number where one of ``methods`` was not run on two nets."""

    def decorate(estimator: Estimator) -> Estimator:
        def estimate(frames: Frames) -> Result:
            rows = paths.whole(frames[frame])
            nets = rows.groupby("method").replicate.nunique()
            few = [method for method in methods if nets.get(method, 0) < 2]
            if few:
                return NotRun(f"fewer than two nets under {', '.join(few)}")
            return estimator(frames)

        return estimate

    return decorate


def _counted(frame: str, column: str) -> Estimator:
    return lambda frames: exact(float(frames[frame][column].iloc[0]))


def _terms(frames: Frames) -> Result:
    weights = int(frames["digit_nets"].parameters.iloc[0])
    off = weights * (weights - 1)
    return exact(float(weights**2), note=f"{off} of them off the diagonal")


def _trained(frames: Frames) -> pd.DataFrame:
    return paths.whole(frames["digit_nets"])


def _base(column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = _trained(frames)
        return mean(rows[column].to_numpy(float), _spread(rows[column], len(frames["digit_nets"])))

    return estimate


def _spread(values: pd.Series, nets: int) -> str:
    note = f"sd {values.std(ddof=1):.3g}, range {values.min():.4g} to {values.max():.4g}"
    if str(values.name).endswith("mse"):
        note += f"; half of it, a mean of (t - o)^2 / 2, is {values.mean() / 2:.3g}"
    return f"{note}; {nets - len(values)} nets diverged" if nets > len(values) else note


def _of_large(moment: str, column: str) -> Callable[[Frames], pd.Series]:
    def values(frames: Frames) -> pd.Series:
        rows = paths.whole(frames["interactive"])
        return rows[rows.moment == moment].set_index("replicate")[column]

    return values


def _large(column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        values = _of_large("trained", column)(frames)
        return mean(values.to_numpy(), _spread(values, frames["interactive"].replicate.nunique()))

    return estimate


@_of("deletion", "obd", "magnitude")
def _obd_below_magnitude(frames: Frames) -> Result:
    obd, magnitude = (paths.deletion(frames, name) for name in ("obd", "magnitude"))
    others = {"obd_lm": "the Levenberg-Marquardt form", "obd_exact": "the exact diagonal"}
    forms = "".join(
        f"; with {label} {paths.below(paths.deletion(frames, name), magnitude).mean():.0f} %"
        for name, label in others.items()
        if (frames["deletion"].method == name).any()
    )
    gap = (paths.rise(magnitude) - paths.rise(obd)).mean()
    told = ", ".join(f"{count} {gap[count]:.1f}" for count in gap.index if count >= paths.FROM)
    note = f"{len(obd)} nets{forms}; dB of magnitude over OBD at each count: {told}"
    return mean(paths.below(obd, magnitude).to_numpy(), note)


@_of("deletion", "random", "magnitude")
def _random(frames: Frames) -> Result:
    random, magnitude = (paths.rise(paths.deletion(frames, k)) for k in ("random", "magnitude"))
    if 800 not in random.columns:
        return NotRun("800 deletions were not measured")
    note = (
        f"random {random[800].mean():.1f} dB, magnitude {magnitude[800].mean():.1f} dB; random's "
        f"mean "
        f"never leaves the paper's 16 dB: its most is {random.mean().max():.1f}"
    )
    return paired_difference(random[800].to_numpy(), magnitude[800].to_numpy(), note)


@_of("deletion", "obd")
def _agreement(frames: Frames) -> Result:
    def found(method: str = "obd", column: str = "foreseen") -> pd.Series:
        return paths.reaches(paths.foreseen_gap(frames, column, method).abs())

    others = {
        "obd_lm": "with the Levenberg-Marquardt form",
        "obd_exact": "with the exact diagonal",
        "obs": "what OBS foresees of its own deletions",
    }
    told = f"with the whole Gauss-Newton matrix {found(column='quadratic').median():.0f}" + "".join(
        f", {label} {found(name).median():.0f}"
        for name, label in others.items()
        if (frames["deletion"].method == name).any()
    )
    actual = paths.deletion(frames, "obd")
    rises = actual.sub(actual[0], axis=0)
    parts = (paths.deletion(frames, "obd", "foreseen") / rises).median()
    shares = ", ".join(
        f"{n} {100 * parts[n]:.0f} %" for n in paths.counts(actual) if n >= paths.FROM
    )
    nothing = paths.reaches(paths.rise(actual).abs()).median()
    note = (
        f"medians otherwise: {told}. The rule counts the unpruned error in: a forecast of no rise "
        f"at "
        f"all would agree to {nothing:.0f}. Of the rise alone OBD foresees, in the median, {shares}"
    )
    return median(found().to_numpy(), note)


@_of("deletion", "obd")
def _underestimate(frames: Frames) -> Result:
    gap = paths.foreseen_gap(frames)
    return mean(paths.holds(gap.gt(0), 801).to_numpy(), f"{len(gap)} nets")


@_of("deletion", "obs", "obd")
def _obs_below_obd(frames: Frames) -> Result:
    obs, obd = (paths.deletion(frames, name) for name in ("obs", "obd"))
    gap = (paths.rise(obd) - paths.rise(obs)).mean()
    told = ", ".join(f"{count} {gap[count]:.1f}" for count in gap.index if count >= paths.FROM)
    by_alpha = frames["deletion"][frames["deletion"].method == "obs"]
    alphas = ", ".join(f"{alpha:g}" for alpha in sorted(by_alpha.alpha.unique()))
    most = by_alpha[by_alpha.alpha == by_alpha.alpha.max()]
    other = paths.rise(most.pivot(index="replicate", columns="deleted", values="train_mse"))
    larger = ", ".join(f"{n} {other[n].mean():.1f}" for n in paths.counts(other) if n >= paths.FROM)
    note = (
        f"dB of OBD over OBS at each count: {told}; alpha {paths.OBS_ALPHA:g} of {alphas}. At "
        f"alpha "
        f"{most.alpha.max():g} ({len(other)} nets) OBS is at {larger} dB, OBD at "
        f"{', '.join(f'{n} {paths.rise(obd)[n].mean():.1f}' for n in gap.index if n >= paths.FROM)}"
    )
    return mean(paths.below(obs, obd.loc[obs.index]).to_numpy(), note)


@_of("deletion", "magnitude", "obd", "obs")
def _ordering(frames: Frames) -> Result:
    tables = [paths.deletion(frames, name) for name in ("magnitude", "obd", "obs")]
    nets = tables[2].index
    magnitude, obd, obs = (table.loc[nets] for table in tables)
    first, second = paths.holds(magnitude.ge(obd)), paths.holds(obd.ge(obs))
    both = paths.holds(magnitude.ge(obd) & obd.ge(obs))
    note = (
        f"magnitude >= OBD at {first.mean():.0f} % of the counts, OBD >= OBS at "
        f"{second.mean():.0f} %; {len(nets)} nets"
    )
    return mean(both.to_numpy(), note)


def _flat(column: str) -> Estimator:
    @_of("retraining", "obd")
    def estimate(frames: Frames) -> Result:
        table = paths.retraining(frames, "obd", column)
        rises = paths.rise(table)
        others = {
            name: paths.reaches(paths.rise(paths.retraining(frames, name, column)))
            for name in sorted(frames["retraining"].method.unique())
            if name != "obd"
        }
        told = ", ".join(
            f"{name} {found.median():.0f} ({len(found)} nets)" for name, found in others.items()
        )
        note = (
            f"dB at {AFTER} deleted {rises[AFTER].mean():.2f}, least {rises.mean().min():.2f} at "
            f"{rises.mean().idxmin()}; "
            if AFTER in rises.columns
            else ""
        )
        return median(paths.reaches(rises).to_numpy(), f"{note}others: {told}")

    return estimate


@_of("deletion", "obd")
@_of("retraining", "obd")
def _retraining_helps(frames: Frames) -> Result:
    with_it, without = (paths.retraining(frames, "obd"), paths.deletion(frames, "obd"))
    measured = paths.counts(without)
    counts = [n for n in paths.counts(with_it) if paths.FROM <= n <= measured[-1]]
    between = pd.DataFrame(
        [np.interp(counts, measured, np.log(line)) for line in without.to_numpy(float)],
        index=without.index,
        columns=counts,
    )
    nets = with_it.index.intersection(between.index)
    lower = pd.DataFrame(np.log(with_it.loc[nets, counts].to_numpy(float)), nets, counts).lt(
        between.loc[nets]
    )
    return mean(paths.holds(lower, 0).to_numpy(), f"{len(counts)} rounds of {len(lower)} nets")


def _layer_ratio(column: str, rise: bool) -> Estimator:
    def estimate(frames: Frames) -> Result:
        before, after = (_of_large(m, column)(frames) for m in ("trained", "layer removed"))
        ratio = (after / before.loc[after.index]).to_numpy()
        note = f"from {before.mean():.4g} to {after.mean():.4g}"
        return mean(100 * (ratio - 1) if rise else ratio, note)

    return estimate


def _layer_factor(frames: Frames) -> Result:
    left = _of_large("layer removed", "parameters")(frames)
    if left.empty:
        return NotRun(_ALL_DIVERGED)
    return exact(LARGE["parameters"] / float(left.iloc[0]), note=f"{left.iloc[0]} are left")


def _layer_error(frames: Frames) -> Result:
    before, after = (_of_large(m, "test_wrong")(frames) for m in ("trained", "layer removed"))
    note = f"from {before.mean():.2f} % to {after.mean():.2f} %"
    return paired_difference(after.to_numpy(), before.loc[after.index].to_numpy(), note)


def _factor4(frames: Frames) -> Result:
    rows = paths.whole(frames["interactive"]).copy()
    if rows.empty:
        return NotRun(_ALL_DIVERGED)
    rows["step"] = rows.groupby("replicate").cumcount()
    left, wrong = (
        rows.pivot(index="replicate", columns="step", values=name)
        for name in ("parameters", "test_wrong")
    )
    found = paths.factor_reached(left, wrong, LARGE["parameters"], 0.5)
    last = int(left.to_numpy(int)[0, -1])
    change = (wrong.iloc[:, -1] - wrong.iloc[:, 0]).mean()
    note = (
        f"the road ends at {last} parameters, where the test error has changed by {change:+.2f} "
        f"points"
    )
    return median(found.to_numpy(), note)


@_of("retraining", "obd")
def _factor2(frames: Frames) -> Result:
    found = _halved(frames, "obd")
    note = f"largest of all rounds; range {found.min():.2f} to {found.max():.2f}"
    if (frames["retraining"].method == "magnitude").any():
        note += f"; magnitude {_halved(frames, 'magnitude').median():.2f}"
    return median(found.to_numpy(), note)


def _halved(frames: Frames, method: str) -> pd.Series:
    wrong = paths.retraining(frames, method, "test_wrong")
    left = pd.DataFrame(
        {count: SMALL["parameters"] - count for count in paths.counts(wrong)}, index=wrong.index
    )
    return paths.factor_reached(left, wrong, SMALL["parameters"], 0.4)


@_of("retraining", "obd")
def _accuracy(frames: Frames) -> Result:
    wrong = paths.retraining(frames, "obd", "test_wrong")
    if AFTER not in wrong.columns:
        return NotRun(f"{AFTER} deletions were not measured")
    change = (wrong.sub(wrong[0], axis=0)).mean().drop(0)
    told = ", ".join(f"{count} {value:+.2f}" for count, value in change.items())
    note = f"unpruned {wrong[0].mean():.2f} %; change in points at each count: {told}"
    return paired_difference(wrong[AFTER].to_numpy(), wrong[0].to_numpy(), note)


@_of("retraining", "obd")
def _speed(frames: Frames) -> Result:
    left = paths.retraining(frames, "obd", "connections")
    if AFTER not in left.columns:
        return NotRun(f"{AFTER} deletions were not measured")
    note = f"{left[0].mean():.0f} connections before, {left[AFTER].mean():.0f} after"
    return mean((left[0] / left[AFTER]).to_numpy(), note)


def _saliency_cost(frames: Frames) -> Result:
    counts = frames["passes"].set_index("pass").operations
    short = counts["lm"] / counts["gradient"]
    note = f"both forward passes counted; Levenberg-Marquardt form {short:.2f}"
    return exact(counts["full"] / counts["gradient"], note=note)


ESTIMATES: dict[str, Estimator] = {
    **{f"obd.net.{name}": _counted("digit_nets", name) for name in SMALL},
    "obd.terms": _terms,
    "obd.base.train_error": _base("train_wrong"),
    "obd.base.train_mse": _base("train_mse"),
    "obd.base.test_error": _base("test_wrong"),
    "obd.base.test_mse": _base("test_mse"),
    "obd.base.reject_handwritten": _base("test_rejects"),
    "obd.big.parameters": _counted("interactive", "parameters"),
    "obd.big.train_error": _large("train_wrong"),
    "obd.big.train_mse": _large("train_mse"),
    "obd.big.test_error": _large("test_wrong"),
    "obd.big.test_mse": _large("test_mse"),
    "obd.fig1a.obd_below_magnitude": _obd_below_magnitude,
    "obd.fig1a.random_off_scale": _random,
    "obd.fig1b.agreement": _agreement,
    "obd.fig1b.underestimate": _underestimate,
    "obd.fig1a.obs_below_obd": _obs_below_obd,
    "obd.fig1a.ordering": _ordering,
    "obd.fig2a.flat_to": _flat("train_mse"),
    "obd.fig2b.flat_to": _flat("test_mse"),
    "obd.fig2.retraining_helps": _retraining_helps,
    "obd.interactive.factor": _layer_factor,
    "obd.interactive.train_mse": _layer_ratio("train_mse", rise=False),
    "obd.interactive.test_mse": _layer_ratio("test_mse", rise=True),
    "obd.interactive.test_error": _layer_error,
    "obd.factor4": _factor4,
    "obd.factor2": _factor2,
    "obd.accuracy": _accuracy,
    "obd.speed": _speed,
    "obd.saliency_cost": _saliency_cost,
}
