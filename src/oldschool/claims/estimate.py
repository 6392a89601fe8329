"""What we measured: a value with its two-sided 90 % interval and the number behind it.

The level is the same everywhere. A 90 % two-sided interval makes every comparison with one
edge a one-sided test at 5 %, and "the interval lies inside the margin" the two one-sided
tests (TOST) of equivalence at 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.90
_TAIL = (1.0 - LEVEL) / 2.0
_RESAMPLES = 9999
_FEW = 10
_TIE = 2.0**-32  # of the range of the values: means no further apart tie
_NOT_SAMPLED = "none: counted or computed, not sampled"
_BATCH_ELEMENTS = 2_000_000  # resampled values held at once: 16 MB
_RESAMPLING_SEED = 19930101  # the same resamples for the same data, in every run

Values = Sequence[float] | NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A measured quantity.

    Attributes:
        value: the point estimate, in the unit of its claim.
        low: lower end of the 90 % interval; equals ``value`` for an exact quantity.
        high: upper end.
        n: independent replicates behind it.
        note: what a reader must know beside the number; shown with the verdict.
        method: how the interval was computed; no part of the result itself.

    Raises:
        ValueError: a NaN, ends in the wrong order, or no replicate.
    """

    value: float
    low: float
    high: float
    n: int
    note: str = ""
    method: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if any(math.isnan(number) for number in (self.value, self.low, self.high)):
            raise ValueError(f"an estimate holds a NaN: {self.value} [{self.low}, {self.high}]")
        if self.low > self.high:
            raise ValueError(f"interval ends in the wrong order: [{self.low}, {self.high}]")
        if self.n < 1:
            raise ValueError(f"an estimate needs at least one replicate, not {self.n}")

    @property
    def sampled(self) -> bool:
        """Whether its interval tells of chance; not if it was counted or computed."""
        return self.method != _NOT_SAMPLED and self.n > 1


@dataclass(frozen=True)
class NotRun:
    """There is no number, and why."""

    reason: str


Result = Estimate | NotRun


def share(successes: int, n: int, note: str = "", *, few: bool = False) -> Estimate | NotRun:
    """Share in per cent with Wilson's score interval; ``NotRun`` when there is no case at all.

    Args:
        successes: cases that count.
        n: all cases.
        note: see :class:`Estimate`.
        few: take the exact (Clopper-Pearson) interval, which never covers less than it says;
            with a handful of cases Wilson's may.

    Raises:
        ValueError: ``successes`` is not in 0..n.
    """
    successes, n = int(successes), int(n)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} cases")
    if n == 0:
        return NotRun("no case to count")
    method = "exact" if few else "wilson"
    interval = stats.binomtest(successes, n).proportion_ci(LEVEL, method=method)
    return Estimate(
        100.0 * successes / n,
        100.0 * float(interval.low),
        100.0 * float(interval.high),
        n,
        note,
        "share: exact (Clopper-Pearson)" if few else "share: Wilson's score",
    )


def mean(values: Values, note: str = "") -> Estimate | NotRun:
    """Mean with a bias-corrected and accelerated (BCa) bootstrap interval.

    Of fewer than ten values a bootstrap's interval is too short; they get Student's t. Values
    that are all the same, but for rounding, give an interval of width nought; fewer than two
    values give ``NotRun``, as one value says nothing about spread.

    Raises:
        ValueError: a value is not finite.
    """
    data = _checked(values)
    if data.size < 2:
        return NotRun(f"an interval of the mean needs at least 2 values, there are {data.size}")
    centre = float(data.mean())
    rounding = 4 * float(np.finfo(np.float64).eps * np.abs(data).max())
    spread = float(np.ptp(data))
    if spread <= 4 * data.size * rounding:  # else the means of all values but one differ, too
        value = float(data[0]) if spread == 0.0 else centre
        return Estimate(value, value, value, data.size, note, "mean: of values all the same")
    if data.size < _FEW:
        arm = float(stats.t.ppf(1 - _TAIL, data.size - 1) * stats.sem(data))
        return Estimate(centre, centre - arm, centre + arm, data.size, note, "mean: Student's t")
    # BCa counts the resampled means below the sample's. Those apart from it by rounding alone, as
    # of the sample in another order, have to tie with it.
    close = max(_TIE * spread, rounding)

    def resampled_mean(values: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        means = values.mean(axis)
        return np.where(np.abs(means - centre) <= close, centre, means)

    interval = stats.bootstrap(
        (data,),
        resampled_mean,
        confidence_level=LEVEL,
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH_ELEMENTS // data.size),
        method="BCa",
        rng=np.random.default_rng(_RESAMPLING_SEED),
    ).confidence_interval
    method = f"mean: BCa bootstrap, {_RESAMPLES} resamples"
    return Estimate(centre, float(interval.low), float(interval.high), data.size, note, method)


def median(values: Values, note: str = "") -> Estimate | NotRun:
    """Median with the distribution-free interval between two order statistics.

    The interval covers the median with at least 90 % whatever the distribution. A bootstrap
    does not do here: medians of counts, such as weights left in a net, take few values, and
    BCa's jackknife acceleration is then 0/0.  Fewer than five values give ``NotRun``: even
    their full range covers the median with less than 90 %.

    Raises:
        ValueError: a value is not finite.
    """
    data = np.sort(_checked(values))
    # P(Binomial(n, 1/2) < rank) <= 5 %, so at most that chance is lost on either side.
    rank = int(stats.binom.ppf(_TAIL, data.size, 0.5)) if data.size else 0
    if rank < 1:
        return NotRun(f"an interval of the median needs at least 5 values, there are {data.size}")
    low, high = float(data[rank - 1]), float(data[-rank])
    return Estimate(
        float(np.median(data)), low, high, data.size, note, "median: between order statistics"
    )


def exact(value: float, n: int = 1, note: str = "") -> Estimate:
    """A quantity that is counted or computed, not sampled: an interval of width nought."""
    value = float(value)
    return Estimate(value, value, value, n, note, _NOT_SAMPLED)


def paired_difference(a: Values, b: Values, note: str = "") -> Estimate | NotRun:
    """Mean of ``a - b`` over pairs measured on the same replicate, as :func:`mean` does it.

    Raises:
        ValueError: different lengths, or a value is not finite.
    """
    first, second = _checked(a), _checked(b)
    if first.shape != second.shape:
        raise ValueError(f"pairs of different length: {first.size} and {second.size}")
    return mean(first - second, note)


def ratio_of_means(a: Values, b: Values, note: str = "") -> Estimate | NotRun:
    """Mean of ``a`` over mean of ``b``, two independent samples of positive numbers.

    The interval is that of the difference of the logarithms of the means, whose standard errors
    come by the delta method, with Welch's degrees of freedom. Samples of fewer than two values
    give ``NotRun``.

    Raises:
        ValueError: a value is not finite or not positive.
    """
    first, second = _checked(a), _checked(b)
    if min(first.size, second.size) < 2:
        return NotRun("an interval of a ratio needs at least 2 values on either side")
    if min(first.min(), second.min()) <= 0:
        raise ValueError("a ratio of means needs positive values")
    squares = [(stats.sem(data) / data.mean()) ** 2 for data in (first, second)]
    total = sum(squares)
    centre = float(first.mean() / second.mean())
    method = "ratio of means: Welch's t of the logarithms, delta method"
    if total == 0:
        return Estimate(centre, centre, centre, min(first.size, second.size), note, method)
    freedom = total**2 / sum(
        square**2 / (data.size - 1) for square, data in zip(squares, (first, second), strict=True)
    )
    arm = float(stats.t.ppf(1 - _TAIL, freedom) * math.sqrt(total))
    few = min(first.size, second.size)
    return Estimate(centre, centre * math.exp(-arm), centre * math.exp(arm), few, note, method)


def paired_shares(first: Values, second: Values, note: str = "") -> Estimate | NotRun:
    """Difference of two shares measured on the same cases, first minus second, in points.

    Only the discordant cases tell the shares apart. Given their number m, those in which the
    first holds are Binomial(m, p), with p = 1/2 if the shares are equal. The interval joins the
    exact (Clopper-Pearson) one of p with Wilson's of m / n. It lies above nought exactly where
    McNemar's exact one-sided test rejects at 5 %; a bootstrap of rare discordant cases would
    reject far too often. Without any discordant case the ends are those of m / n itself.

    Args:
        first: truth values, a case each.
        second: truth values on the same cases.
        note: see :class:`Estimate`.

    Raises:
        ValueError: different lengths.
    """
    a, b = np.asarray(first, dtype=bool).ravel(), np.asarray(second, dtype=bool).ravel()
    if a.shape != b.shape:
        raise ValueError(f"pairs of different length: {a.size} and {b.size}")
    if a.size == 0:
        return NotRun("no case to count")
    wins, discordant = int((a & ~b).sum()), int((a != b).sum())
    rare = stats.binomtest(discordant, a.size).proportion_ci(LEVEL, method="wilson")
    fewest, most = 100.0 * float(rare.low), 100.0 * float(rare.high)
    method = "difference of paired shares: exact, of the discordant cases"
    if discordant == 0:
        return Estimate(0.0, -most, most, a.size, note, method)
    interval = stats.binomtest(wins, discordant).proportion_ci(LEVEL, method="exact")
    low, high = 2.0 * float(interval.low) - 1.0, 2.0 * float(interval.high) - 1.0
    return Estimate(
        100.0 * (2 * wins - discordant) / a.size,
        low * (fewest if low > 0 else most),
        high * (most if high > 0 else fewest),
        a.size,
        note,
        method,
    )


def _checked(values: Values) -> NDArray[np.float64]:
    """``values`` as a flat float64 array, refused if any is not finite."""
    data = np.asarray(values, dtype=np.float64).ravel()
    bad = int(data.size - np.isfinite(data).sum())
    if bad:
        raise ValueError(f"{bad} of {data.size} values are not finite; leave them out by a rule")
    return data
