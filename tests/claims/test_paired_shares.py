"""The difference of two shares on the same cases, held to McNemar's exact test."""

import numpy as np
import pytest
from scipy import stats

from oldschool.claims.estimate import Estimate, NotRun, paired_shares


def cases(both: int, only_first: int, only_second: int, neither: int):
    first = [True] * (both + only_first) + [False] * (only_second + neither)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return first, second


@pytest.mark.parametrize("only_first", range(9))
@pytest.mark.parametrize("only_second", range(4))
def test_above_nought_exactly_where_mcnemars_test_rejects(only_first, only_second):
    if only_first + only_second == 0:
        return
    found = paired_shares(*cases(100, only_first, only_second, 50))
    assert isinstance(found, Estimate)
    test = stats.binomtest(only_first, only_first + only_second, alternative="greater")
    assert (found.low > 0) == (test.pvalue < 0.05)
    n = 150 + only_first + only_second
    assert found.value == pytest.approx(100 * (only_first - only_second) / n)
    assert found.low <= found.value <= found.high


def test_two_rare_cases_prove_nothing():
    found = paired_shares(*cases(1700, 2, 0, 2))
    assert found.low < 0 < found.value


def test_no_discordant_case():
    found = paired_shares(*cases(10, 0, 0, 5))
    assert found.value == 0
    assert found.low == -found.high < 0


def test_refusals():
    assert isinstance(paired_shares([], []), NotRun)
    with pytest.raises(ValueError, match="different length"):
        paired_shares([True], [True, False])


def test_rejects_equal_shares_at_most_at_five_per_cent():
    random = np.random.default_rng(0)
    rejected = 0
    for _ in range(2000):
        discordant = random.random(300) < 0.03
        first = np.where(discordant, random.random(300) < 0.5, True)
        second = np.where(discordant, ~first, True)
        rejected += paired_shares(first, second).low > 0
    assert rejected / 2000 <= 0.05


def test_covers_the_true_difference():
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(1000):
        wins = random.random(1704) < 0.0012  # rare, and never a loss
        found = paired_shares(np.ones(1704, bool), ~wins)
        covered += found.low <= 0.12 <= found.high
    assert covered / 1000 >= 0.9
