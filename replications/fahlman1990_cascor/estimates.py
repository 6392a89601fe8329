"""One estimate a claim: a pure function from the frames to a number with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from oldschool.claims.estimate import (
    LEVEL,
    Estimate,
    NotRun,
    Result,
    exact,
    mean,
    median,
    paired_difference,
    ratio_of_means,
    share,
)
from oldschool.runs.experiment import Frames

from . import authors
from .paper import CROSSINGS, EPOCHS, HIDDEN_MEAN, HISTOGRAM
from .parity import PRIMARY
from .selection import parity_rows, pools, rival, variation

Estimator = Callable[[Frames], Result]
HUNDRED = 100  # trials of the paper
_DRAWS = 2000
_SEED = 19900101


def _learned(frames: Frames) -> pd.DataFrame:
    rows = frames["spirals"]
    return rows[rows.learned]


def _with_note(found: Result, note: str) -> Result:
    return found if isinstance(found, NotRun) else replace(found, note=note)


def _success(frames: Frames) -> Result:
    rows = frames["spirals"]
    found = share(int(rows.learned.sum()), len(rows))
    return _with_note(found, authors.listed("learned, %"))


def _beside(values: np.ndarray, quantity: str) -> str:
    """The authors' programs with the same parameters, and how far ours is from each."""
    spread = values.std(ddof=1)
    told = []
    for name in authors.SAME_SET_UP:
        theirs, count = (authors.SPIRALS[what][name] for what in (quantity, "trials"))
        z = authors.z(values.mean(), spread, len(values), theirs, int(count))
        told.append(f"{name} {theirs:.6g} (z = {z:.1f})")
    return f"the authors' own programs with the same parameters: {', '.join(told)}"


def _mean(column: str, quantity: str, paper_value: float) -> Estimator:
    def estimate(frames: Frames) -> Result:
        values = _learned(frames)[column].to_numpy(float)
        z = authors.z(values.mean(), values.std(ddof=1), len(values), paper_value, HUNDRED)
        note = (
            f"sd {values.std(ddof=1):.4g}, range {values.min():.6g} to {values.max():.6g}; from "
            f"the paper's hundred trials ours differs by {values.mean() - paper_value:.4g} "
            f"(z = {z:.1f}); {_beside(values, quantity)}"
        )
        return mean(values, note)

    return estimate


def _median_units(frames: Frames) -> Result:
    return median(_learned(frames).hidden.to_numpy(), authors.listed("hidden_median"))


def _extreme(quantity: str, of: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = _learned(frames)
        groups = rows.groupby(rows.replicate // HUNDRED).hidden
        whole = groups.size() >= 0.9 * HUNDRED
        found = groups.agg(of)[whole]
        if found.empty:
            return NotRun("there are no hundred trials")
        note = (
            f"range {found.min()} to {found.max()} over {len(found)} times a hundred trials; "
            f"{authors.listed(quantity)} (of 300 and 100 trials)"
        )
        return median(found.to_numpy(), note)

    return estimate


def _tails(hidden: np.ndarray) -> np.ndarray:
    """``(..., 7)``: trials by hidden units, 12 and fewer, 13 to 17, 18 and more.

    hidden: ``(..., trials)``
    """
    binned = np.clip(hidden, 12, 18)[..., None] == np.arange(12, 19)
    return np.asarray(binned.sum(axis=-2), dtype=float)


def _p(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``(...)``: Pearson's chi-squared test that two rows of counts ``(..., bins)`` are alike.

    Bins empty in both say nothing and count for no degree of freedom. For three bins or more: with
    one degree of freedom there is no correction for continuity, with none there is nothing to test.
    """
    first, second = np.broadcast_arrays(first, second)
    table = np.stack([first, second], axis=-2)
    bins = table.sum(axis=-2, keepdims=True)
    expected = table.sum(axis=-1, keepdims=True) * bins / table.sum(axis=(-2, -1), keepdims=True)
    apart = np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=bins > 0)
    freedom = (bins > 0).sum(axis=(-2, -1)) - 1
    return np.asarray(stats.chi2.sf(apart.sum(axis=(-2, -1)), freedom))


def _histogram(frames: Frames) -> Result:
    hidden = _learned(frames).hidden
    if len(hidden) < HUNDRED:
        return NotRun(f"a histogram needs {HUNDRED} trials, there are {len(hidden)}")
    theirs = np.repeat(list(HISTOGRAM), list(HISTOGRAM.values()))
    ours = _tails(hidden.to_numpy())
    p = float(_p(_tails(theirs), ours))
    powers = {shift: _power(hidden.to_numpy(), ours, shift) for shift in (0.5, 1.0)}
    told = ", ".join(f"{shift:g} units in {100 * power:.0f} %" for shift, power in powers.items())
    rank = stats.mannwhitneyu(hidden, theirs).pvalue
    note = (
        f"seven bins; of a hundred trials it would find a shift by {told} of the cases. A test of "
        f"shifts alone is sharper, and finds one of {hidden.mean() - theirs.mean():.2f} units "
        f"(rank test, p = {rank:.3f})"
    )
    return exact(p, len(hidden), note)


def _power(hidden: np.ndarray, ours: np.ndarray, shift: float) -> float:
    """How often the test finds a hundred trials of ours, moved by ``shift`` units on average."""
    random = np.random.default_rng(_SEED)
    moved = np.stack(
        [random.choice(hidden, HUNDRED) + (random.random(HUNDRED) < shift) for _ in range(_DRAWS)]
    )
    return float((_p(_tails(moved), ours) < 0.05).mean())


def _rival(rule: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = rival(frames, rule)
        learned = rows[rows.learned]
        note = _rival_note(rows)
        found = median(learned[column].to_numpy(float), note)
        return NotRun(f"{found.reason}; {note}") if isinstance(found, NotRun) else found

    return estimate


def _rival_note(rows: pd.DataFrame) -> str:
    """What the starts that never learn do to a number that leaves them out."""
    never, limit = len(rows) - int(rows.learned.sum()), int(rows.epochs.max())
    middle = float(rows.epochs.where(rows.learned, np.inf).median())
    typical = f"{middle:.0f}" if np.isfinite(middle) else f"above {limit}"
    note = (
        f"{never} of {len(rows)} starts had not learned after {limit} epochs and are left out, so "
        f"this depends on the limit and is a lower bound; over all starts the median is {typical}"
    )
    return f"{note}, and {cost(rows, 'epochs'):.0f} are spent for each that learns"


def cost(rows: pd.DataFrame, column: str) -> float:
    """Epochs or crossings of all starts for each of them that learns."""
    learned = int(rows.learned.sum())
    return float(rows[column].sum()) / learned if learned else np.inf


def _speedup(rule: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = rival(frames, rule)
        theirs = rows[rows.learned][column].to_numpy(float)
        ours = _learned(frames)[column].to_numpy(float)
        sooner = []
        for limit in (20000, 30000):
            part = rows[rows.learned & (rows.epochs <= limit)][column]
            sooner.append(f"{part.mean() / ours.mean():.1f} at {limit}")
        note = (
            f"ratio of means; {', '.join(sooner)}; counting all that is spent "
            f"{cost(rows, column) / ours.mean():.0f}. Rivals: {_rival_note(rows)}"
        )
        return ratio_of_means(theirs, ours, note)

    return estimate


def slope(x: np.ndarray, y: np.ndarray, note: str = "") -> Result:
    """Slope of the least-squares line with Student's interval."""
    if len(x) < 3 or np.ptp(x) == 0:
        return NotRun("a slope needs three points that differ")
    line = stats.linregress(x, y)
    arm = float(stats.t.ppf(0.5 + LEVEL / 2, len(x) - 2)) * float(line.stderr)
    centre = float(line.slope)
    method = "slope of the least-squares line: Student's t"
    return Estimate(centre, centre - arm, centre + arm, len(x), note, method)


def _n_log_n(frames: Frames) -> Result:
    rows = _learned(frames)
    n = rows.hidden.to_numpy(float)
    found = slope(np.log(n * np.log(n)), np.log(rows.epochs.to_numpy(float)))
    plain = slope(np.log(n), np.log(rows.epochs.to_numpy(float)))
    if isinstance(found, NotRun) or isinstance(plain, NotRun):
        return found
    linear = slope(np.log(n * np.log(n)), np.log(n))
    alike = f"{linear.value:.3f}" if isinstance(linear, Estimate) else "-"
    holds = "lies in" if found.low <= 1 <= found.high else "lies outside"
    note = (
        f"N log N itself, b = 1, {holds} the interval; growth as N would give b = {alike} on these "
        f"trials, of {n.min():.0f} to {n.max():.0f} units; as a power of N: {plain.value:.2f} "
        f"[{plain.low:.2f}, {plain.high:.2f}]"
    )
    return replace(found, note=note)


def _pool(frames: Frames) -> Result:
    rows = pools(frames)
    means = rows.groupby("pool").hidden.mean()
    told = ", ".join(f"{pool}: {value:.2f}" for pool, value in means.items())
    note = f"means {told}; a trial that does not learn counts as the units at which it stops"
    return slope(np.log2(rows.pool.to_numpy(float)), rows.hidden.to_numpy(float), note)


def _correlation(frames: Frames) -> Result:
    other = variation(frames, "correlation").set_index("replicate")
    ours = frames["spirals"].set_index("replicate").reindex(other.index)
    shares = [100 * rows.learned.mean() for rows in (other, ours)]
    epochs = [rows.epochs.mean() for rows in (other, ours)]
    both = (other.learned & ours.learned).to_numpy()
    among = (other.hidden - ours.hidden).to_numpy()[both].mean()
    rates = [
        f"{str(name).removeprefix('correlation, ')} {part.hidden.mean():.2f} units and "
        f"{100 * part.learned.mean():.1f} % learned"
        for name, part in frames["sensitivity"].groupby("variation")
        if str(name).startswith("correlation, ")
    ]
    note = (
        f"learned {shares[0]:.1f} % against {shares[1]:.1f} %, epochs {epochs[0]:.0f} against "
        f"{epochs[1]:.0f}; the same starts; a trial that does not learn counts as the units at "
        f"which it stops, among those that do the difference is {among:.2f}. The rate suits the "
        f"covariance; the correlation at other rates: {'; '.join(rates) or 'not run'}"
    )
    return paired_difference(other.hidden.to_numpy(), ours.hidden.to_numpy(), note)


def _parity(bits: int, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = parity_rows(frames, "parity", PRIMARY, bits=bits)
        others = [
            f"{name} {part[column].mean():.4g}"
            for name, part in frames["parity"][frames["parity"].bits == bits].groupby("set_up")
            if name != PRIMARY
        ]
        note = (
            f"{PRIMARY}; {int(rows.learned.sum())} of {len(rows)} learned, range "
            f"{rows[column].min()} to {rows[column].max()}; {', '.join(others)}"
        )
        found = mean(rows[rows.learned][column].to_numpy(float))
        if isinstance(found, NotRun):
            return found
        if column == "epochs":
            values = rows[rows.learned].epochs.to_numpy(float)
            lisp = authors.PARITY_EPOCHS[PRIMARY][bits]
            z = authors.z(
                values.mean(), values.std(ddof=1), len(values), lisp, authors.PARITY_TRIALS
            )
            note += f"; the authors' Lisp program, the same set-up: {lisp:g} (z = {z:.1f})"
        return replace(found, note=note)

    return estimate


def _generalisation(train: int) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = parity_rows(frames, "parity10", PRIMARY, train=train)
        whole = frames["parity10"][frames["parity10"].train == train]
        others = [
            f"{name} {part.test_wrong.mean():.3g} %"
            for name, part in whole.groupby("set_up")
            if name != PRIMARY
        ]
        found = mean(rows[rows.learned].test_wrong.to_numpy(float))
        if isinstance(found, NotRun):
            return found
        note = (
            f"{PRIMARY}; {int(rows.learned.sum())} of {len(rows)} learned, with "
            f"{rows.hidden.mean():.1f} units on average, range {rows.test_wrong.min():.1f} to "
            f"{rows.test_wrong.max():.1f} %; {', '.join(others)}; the authors' Lisp program, the "
            f"same set-up: {authors.PARITY10_WRONG[PRIMARY][train]:g} %"
        )
        return replace(found, note=note)

    return estimate


ESTIMATES: dict[str, Estimator] = {
    "cascor.spirals.success": _success,
    "cascor.spirals.epochs": _mean("epochs", "epochs", EPOCHS),
    "cascor.spirals.hidden_mean": _mean("hidden", "hidden_mean", HIDDEN_MEAN),
    "cascor.spirals.hidden_median": _median_units,
    "cascor.spirals.hidden_min": _extreme("hidden_min", "min"),
    "cascor.spirals.hidden_max": _extreme("hidden_max", "max"),
    "cascor.spirals.histogram": _histogram,
    "cascor.spirals.crossings": _mean("crossings", "crossings", CROSSINGS),
    "cascor.rivals.backprop_epochs": _rival("back-propagation", "epochs"),
    "cascor.rivals.quickprop_epochs": _rival("quickprop", "epochs"),
    "cascor.rivals.backprop_crossings": _rival("back-propagation", "crossings"),
    "cascor.rivals.quickprop_crossings": _rival("quickprop", "crossings"),
    "cascor.speedup.epochs_backprop": _speedup("back-propagation", "epochs"),
    "cascor.speedup.epochs_quickprop": _speedup("quickprop", "epochs"),
    "cascor.speedup.crossings_backprop": _speedup("back-propagation", "crossings"),
    "cascor.speedup.crossings_quickprop": _speedup("quickprop", "crossings"),
    "cascor.nlogn": _n_log_n,
    "cascor.pool": _pool,
    "cascor.covariance_beats_correlation": _correlation,
    **{f"cascor.parity{n}.hidden": _parity(n, "hidden") for n in range(2, 9)},
    **{f"cascor.parity{n}.epochs": _parity(n, "epochs") for n in range(2, 9)},
    "cascor.parity10.error_512": _generalisation(512),
    "cascor.parity10.error_256": _generalisation(256),
}
