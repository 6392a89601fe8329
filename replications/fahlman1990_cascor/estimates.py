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
from .authors import beside
from .paper import HISTOGRAM
from .parity import PRIMARY
from .selection import parity_rows, pools, rival, variation

Estimator = Callable[[Frames], Result]
HUNDRED = 100  # trials of the paper
_DRAWS = 2000
_SEED = 19900101


def _learned(frames: Frames) -> pd.DataFrame:
    rows = frames["spirals"]
    return rows[rows.learned]


def _with_authors(found: Result, quantity: str, note: str = "") -> Result:
    if isinstance(found, NotRun):
        return found
    told = beside(found, authors.SPIRALS[quantity])
    return replace(found, note=f"{note}; {told}" if note else told)


def _success(frames: Frames) -> Result:
    rows = frames["spirals"]
    return _with_authors(share(int(rows.learned.sum()), len(rows)), "learned, %")


def _spirals(column: str, quantity: str, of: Callable[..., Result]) -> Estimator:
    def estimate(frames: Frames) -> Result:
        values = _learned(frames)[column].to_numpy(float)
        note = f"sd {values.std(ddof=1):.4g}, range {values.min():.6g} to {values.max():.6g}"
        return _with_authors(of(values), quantity, note)

    return estimate


def _extreme(quantity: str, of: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = _learned(frames)
        groups = rows.groupby(rows.replicate // HUNDRED).hidden
        whole = groups.size() >= 0.9 * HUNDRED
        found = groups.agg(of)[whole]
        if found.empty:
            return NotRun("there are no hundred trials")
        note = f"range {found.min()} to {found.max()} over {len(found)} times a hundred trials"
        return _with_authors(median(found.to_numpy()), quantity, note)

    return estimate


def _tails(counts: pd.Series) -> np.ndarray:
    """Trials by hidden units, 12 and fewer, 13 to 17, 18 and more."""
    hidden = counts.index.to_numpy()
    binned = np.clip(hidden, 12, 18)
    return np.array([counts[binned == k].sum() for k in range(12, 19)], dtype=float)


def _p(first: np.ndarray, second: np.ndarray) -> float:
    some = first + second > 0
    return float(stats.chi2_contingency(np.stack([first, second])[:, some]).pvalue)


def _histogram(frames: Frames) -> Result:
    hidden = _learned(frames).hidden
    if len(hidden) < HUNDRED:
        return NotRun(f"a histogram needs {HUNDRED} trials, there are {len(hidden)}")
    ours, paper = hidden.value_counts(), pd.Series(HISTOGRAM)
    p = _p(_tails(paper), _tails(ours))
    powers = {shift: _power(hidden.to_numpy(), _tails(ours), shift) for shift in (0.5, 1.0)}
    told = ", ".join(f"{shift:g} units in {100 * power:.0f} %" for shift, power in powers.items())
    return exact(
        p,
        len(hidden),
        f"seven bins; of a hundred trials it would find a shift by {told} of the cases",
    )


def _power(hidden: np.ndarray, ours: np.ndarray, shift: float) -> float:
    """How often the test finds a hundred trials of ours, moved by ``shift`` units on average."""
    random = np.random.default_rng(_SEED)
    found = 0
    for _ in range(_DRAWS):
        moved = random.choice(hidden, HUNDRED) + (random.random(HUNDRED) < shift)
        found += _p(_tails(pd.Series(moved).value_counts()), ours) < 0.05
    return found / _DRAWS


def _rival(rule: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = rival(frames, rule)
        learned = rows[rows.learned]
        note = _rival_note(rows)
        found = median(learned[column].to_numpy(float), note)
        return NotRun(f"{found.reason}; {note}") if isinstance(found, NotRun) else found

    return estimate


def _rival_note(rows: pd.DataFrame) -> str:
    never = len(rows) - int(rows.learned.sum())
    limit = int(rows.epochs.max())
    return f"{never} of {len(rows)} starts had not learned after {limit} epochs"


def _speedup(rule: str, column: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        rows = rival(frames, rule)
        theirs = rows[rows.learned][column].to_numpy(float)
        note = f"means of those that learned; {_rival_note(rows)}"
        return ratio_of_means(theirs, _learned(frames)[column].to_numpy(float), note)

    return estimate


def slope(x: np.ndarray, y: np.ndarray, note: str = "") -> Result:
    """Slope of the least-squares line with Student's interval."""
    if len(x) < 3 or np.ptp(x) == 0:
        return NotRun("a slope needs three points that differ")
    line = stats.linregress(x, y)
    arm = float(stats.t.ppf(0.5 + LEVEL / 2, len(x) - 2)) * float(line.stderr)
    centre = float(line.slope)
    return Estimate(centre, centre - arm, centre + arm, len(x), note)


def _n_log_n(frames: Frames) -> Result:
    rows = _learned(frames)
    n = rows.hidden.to_numpy(float)
    found = slope(np.log(n * np.log(n)), np.log(rows.epochs.to_numpy(float)))
    plain = slope(np.log(n), np.log(rows.epochs.to_numpy(float)))
    if isinstance(found, NotRun) or isinstance(plain, NotRun):
        return found
    note = f"as a power of N alone: {plain.value:.2f} [{plain.low:.2f}, {plain.high:.2f}]"
    return replace(found, note=f"{note}; trials of {n.min():.0f} to {n.max():.0f} units")


def _pool(frames: Frames) -> Result:
    rows = pools(frames)
    means = rows.groupby("pool").hidden.mean()
    told = ", ".join(f"{pool}: {value:.2f}" for pool, value in means.items())
    return slope(np.log2(rows.pool.to_numpy(float)), rows.hidden.to_numpy(float), f"means {told}")


def _correlation(frames: Frames) -> Result:
    other = variation(frames, "correlation").set_index("replicate")
    ours = frames["spirals"].set_index("replicate").reindex(other.index)
    shares = [100 * rows.learned.mean() for rows in (other, ours)]
    epochs = [rows.epochs.mean() for rows in (other, ours)]
    note = (
        f"learned {shares[0]:.1f} % against {shares[1]:.1f} %, epochs {epochs[0]:.0f} against "
        f"{epochs[1]:.0f}; the same starts"
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
            lisp = {f"Lisp, {name}": epochs[bits] for name, epochs in authors.PARITY_EPOCHS.items()}
            note += f"; {beside(found, lisp)}"
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
        lisp = {f"Lisp, {name}": wrong[train] for name, wrong in authors.PARITY10_WRONG.items()}
        note = (
            f"{PRIMARY}; {int(rows.learned.sum())} of {len(rows)} learned, with "
            f"{rows.hidden.mean():.1f} units on average, range {rows.test_wrong.min():.1f} to "
            f"{rows.test_wrong.max():.1f} %; {', '.join(others)}; {beside(found, lisp)}"
        )
        return replace(found, note=note)

    return estimate


ESTIMATES: dict[str, Estimator] = {
    "cascor.spirals.success": _success,
    "cascor.spirals.epochs": _spirals("epochs", "epochs", mean),
    "cascor.spirals.hidden_mean": _spirals("hidden", "hidden_mean", mean),
    "cascor.spirals.hidden_median": _spirals("hidden", "hidden_median", median),
    "cascor.spirals.hidden_min": _extreme("hidden_min", "min"),
    "cascor.spirals.hidden_max": _extreme("hidden_max", "max"),
    "cascor.spirals.histogram": _histogram,
    "cascor.spirals.crossings": _spirals("crossings", "crossings", mean),
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
