"""Intervals against other implementations and against their promised coverage."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from oldschool.claims.estimate import (
    Estimate,
    NotRun,
    Result,
    exact,
    mean,
    median,
    paired_difference,
    paired_shares,
    ratio_of_means,
    share,
)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (999, 1000), (10, 10)])
def test_share_is_wilsons_interval_in_per_cent(successes: int, n: int) -> None:
    low, high = proportion_confint(successes, n, alpha=0.10, method="wilson")
    ours = share(successes, n)
    assert isinstance(ours, Estimate)
    assert ours.value == pytest.approx(100 * successes / n)
    assert (ours.low, ours.high) == pytest.approx((100 * low, 100 * high), abs=1e-9)
    assert 0.0 <= ours.low <= ours.value <= ours.high <= 100.0


def test_share_refuses_impossible_counts_and_has_no_number_without_cases() -> None:
    assert isinstance(share(0, 0), NotRun)
    with pytest.raises(ValueError, match="5 successes of 4"):
        share(5, 4)


def test_mean_of_normal_data_agrees_with_students_interval() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    low, high = stats.t.interval(0.90, 399, values.mean(), stats.sem(values))
    ours = mean(values)
    assert isinstance(ours, Estimate)
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.02)


def test_the_same_data_give_the_same_interval_to_the_last_bit() -> None:
    values = np.random.default_rng(4).exponential(size=50)
    assert mean(values) == mean(list(values))


@pytest.mark.parametrize("n", [10, 11, 12, 50])
@pytest.mark.parametrize("centre", [0.0, 11.7, 1e6])
def test_the_last_bit_of_the_data_moves_no_interval(n, centre) -> None:
    """As logarithms of one processor and of another differ in it."""
    random = np.random.default_rng(5)
    values = random.normal(centre, 1.0, n)
    ours = mean(values)
    for _ in range(8):
        other = mean(np.nextafter(values, values + random.integers(-1, 2, n)))
        assert other.low == pytest.approx(ours.low, rel=0, abs=1e-6)
        assert other.high == pytest.approx(ours.high, rel=0, abs=1e-6)


@pytest.mark.parametrize("n", [10, 50, 250, 1000])
@pytest.mark.parametrize("ulps", [1, 2, 8, 60, 10_000])
def test_values_that_differ_by_rounding_have_an_interval(n, ulps) -> None:
    for seed in range(5):
        values = 1.0 + np.random.default_rng(seed).integers(0, ulps + 1, n) * 2.0**-52
        ours = mean(values)
        assert isinstance(ours, Estimate)
        assert 1.0 <= ours.low <= ours.value <= ours.high <= 1.0 + (ulps + 1) * 2.0**-52


def test_shares_of_counts_have_the_interval_of_the_counts() -> None:
    random = np.random.default_rng(7)
    for _ in range(10):
        counts = random.integers(0, 10, 10)
        ours, shares = mean(counts), mean(100 * counts / 9)
        scaled = (100 / 9 * ours.low, 100 / 9 * ours.high)
        assert (shares.low, shares.high) == pytest.approx(scaled, rel=1e-9)


def test_the_mean_is_as_plain_bca_has_it_where_no_resample_is_the_sample() -> None:
    values = np.random.default_rng(6).exponential(size=40)
    plain = stats.bootstrap(
        (values,), np.mean, confidence_level=0.90, rng=np.random.default_rng(19930101)
    ).confidence_interval
    ours = mean(values)
    assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), rel=1e-8)


@pytest.mark.parametrize("estimator", [mean, median])
def test_constant_data_give_an_interval_of_width_nought(estimator) -> None:
    assert estimator([7.0] * 20, note="all alike") == Estimate(7.0, 7.0, 7.0, 20, "all alike")


def test_too_few_values_are_no_number_rather_than_a_sure_one() -> None:
    assert isinstance(mean([]), NotRun)
    assert isinstance(mean([1.0]), NotRun)
    assert isinstance(median([1, 2, 3, 4]), NotRun)
    assert median([5, 1, 4, 2, 3]) == Estimate(3.0, 1.0, 5.0, 5)


@pytest.mark.parametrize("estimator", [mean, median])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(estimator, bad: float) -> None:
    with pytest.raises(ValueError, match="1 of 3 values are not finite"):
        estimator([1.0, bad, 2.0])


def test_paired_difference_is_the_mean_of_the_differences() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.normal(size=(2, 60))
    assert paired_difference(a, b) == mean(a - b)
    with pytest.raises(ValueError, match="different length: 60 and 59"):
        paired_difference(a, b[1:])


def test_an_estimate_cannot_hold_nonsense() -> None:
    assert exact(14) == Estimate(14.0, 14.0, 14.0, 1)
    for wrong in [(float("nan"), 0, 1, 5), (0, 1, 0, 5), (0, 0, 0, 0)]:
        with pytest.raises(ValueError):
            Estimate(*wrong)


def _coverage(estimator, draw, truth: float, trials: int) -> float:
    """Share of ``trials`` data sets whose interval holds the truth."""
    hits = 0
    for trial in range(trials):
        ours = estimator(draw(np.random.default_rng(trial)))
        hits += ours.low <= truth <= ours.high
    return hits / trials


# 400 trials put +-3 % (two standard errors) around a coverage of 90 %.
def test_the_mean_of_skewed_data_is_covered_about_as_promised() -> None:
    cover = _coverage(mean, lambda rng: rng.exponential(size=80), 1.0, trials=400)
    assert 0.86 <= cover <= 0.94


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng: rng.exponential(size=75), np.log(2.0)),
        (lambda rng: rng.binomial(30, 0.5, size=75), 15.0),
        (lambda rng: rng.poisson(4.0, size=8), 4.0),
    ],
    ids=["continuous", "counts", "few counts"],
)
def test_the_median_is_covered_at_least_as_promised(draw, truth: float) -> None:
    assert _coverage(median, draw, truth, trials=1500) >= 0.885


def test_a_share_is_covered_as_promised_on_average_over_all_shares() -> None:
    counts = np.arange(61)
    intervals = [share(int(count), 60) for count in counts]
    low, high = np.array([[ours.low, ours.high] for ours in intervals]).T / 100.0
    cover = [
        stats.binom.pmf(counts, 60, truth)[(low <= truth) & (truth <= high)].sum()
        for truth in np.linspace(0.01, 0.99, 99)
    ]
    assert np.mean(cover) == pytest.approx(0.90, abs=0.01)
    assert min(cover) > 0.80


def test_few_cases_take_the_exact_interval():
    found = share(1, 4, few=True)
    assert (found.low, found.high) == pytest.approx((1.27, 75.14), abs=0.01)
    assert found.low < share(1, 4).low


def test_ratio_of_means_covers_what_it_says() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        a, b = random.gamma(9.0, 2.0, 30), random.gamma(4.0, 1.0, 50)
        found = ratio_of_means(a, b)
        assert isinstance(found, Estimate)
        assert found.value == pytest.approx(a.mean() / b.mean())
        assert found.n == 30
        hits += found.low <= 18.0 / 4.0 <= found.high
    assert 0.86 < hits / 400 < 0.94


def test_ratio_of_means_at_the_edges() -> None:
    same = ratio_of_means([4.0, 4.0], [2.0, 2.0])
    assert same == Estimate(2.0, 2.0, 2.0, 2)
    assert isinstance(ratio_of_means([1.0], [1.0, 2.0]), NotRun)
    with pytest.raises(ValueError, match="positive"):
        ratio_of_means([1.0, 0.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("result", "method"),
    [
        (share(3, 10), "share: Wilson's score"),
        (share(3, 10, few=True), "share: exact (Clopper-Pearson)"),
        (mean([1, 2, 4]), "mean: Student's t"),
        (mean(range(20)), "mean: BCa bootstrap, 9999 resamples"),
        (mean([3, 3]), "mean: of values all the same"),
        (median(range(9)), "median: between order statistics"),
        (exact(3), "none: counted or computed, not sampled"),
        (
            ratio_of_means([1, 2], [2, 3]),
            "ratio of means: Welch's t of the logarithms, delta method",
        ),
        (
            paired_shares([True, False], [False, False]),
            "difference of paired shares: exact, of the discordant cases",
        ),
    ],
)
def test_an_estimate_says_how_its_interval_was_computed(result: Result, method: str) -> None:
    assert isinstance(result, Estimate)
    assert result.method == method
