"""The rule of verdicts: edges, invariances, and its agreement with two one-sided tests."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from oldschool.claims.claim import Claim, Region
from oldschool.claims.estimate import Estimate, NotRun, exact
from oldschool.claims.verdict import VERDICTS, judge, replicates_to_settle, round_up

EQUIVALENCE = Claim(
    "p.weights", "Table 1", "weights left", "equivalence", 14.0, "default",
    margin=2.0, margin_reason="a tenth of the reduction",
)  # fmt: skip
ORDERING = replace(
    EQUIVALENCE, kind="ordering", paper_value="A < B", margin=None, region=(0.0, None), open=True
)

# Multiples of 1/8 are exact in binary, so that shifts and doublings are exact too.
eighths = st.integers(-400, 400).map(lambda k: k / 8)
widths = st.integers(0, 80).map(lambda k: k / 8)


def word(claim: Claim, low: float, high: float) -> str:
    return judge(claim, Estimate((low + high) / 2, low, high, 100), "default").word


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (12.0, 16.0, "reproduced"),
        (14.0, 14.0, "reproduced"),
        (11.875, 13.0, "undecided"),
        (13.0, 16.125, "undecided"),
        (11.0, 17.0, "undecided"),
        (11.0, 12.0, "undecided"),
        (10.0, 11.875, "not reproduced"),
        (16.125, 20.0, "not reproduced"),
    ],
)
def test_equivalence_at_its_edges(low: float, high: float, expected: str) -> None:
    assert word(EQUIVALENCE, low, high) == expected


def test_the_papers_rounding_widens_the_region() -> None:
    assert word(replace(EQUIVALENCE, rounding=0.5), 11.5, 16.5) == "reproduced"


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        ("at_least", 12.0, 90.0, "reproduced"),
        ("at_least", 11.0, 12.5, "undecided"),
        ("at_least", 5.0, 11.0, "not reproduced"),
        ("at_most", -90.0, 16.0, "reproduced"),
        ("at_most", 15.5, 17.0, "undecided"),
        ("at_most", 17.0, 18.0, "not reproduced"),
    ],
)
def test_one_sided_kinds(kind: str, low: float, high: float, expected: str) -> None:
    assert word(replace(EQUIVALENCE, kind=kind), low, high) == expected


def test_exact_is_the_very_number_or_a_region() -> None:
    claim = replace(EQUIVALENCE, kind="exact", margin=None)
    assert judge(claim, exact(14), "default").word == "reproduced"
    assert judge(claim, exact(14.0001), "default").word == "not reproduced"
    assert judge(claim, Estimate(14, 13, 15, 9), "default").word == "undecided"
    shared = replace(claim, region=(95.0, None))
    assert judge(shared, Estimate(99, 96, 100, 9), "default").word == "reproduced"


def test_an_open_region_excludes_its_edge() -> None:
    assert judge(ORDERING, exact(0.0), "default").word == "not reproduced"
    assert word(ORDERING, 0.0, 1.0) == "undecided"
    assert word(ORDERING, 0.125, 1.0) == "reproduced"
    assert word(replace(ORDERING, open=False), 0.0, 1.0) == "reproduced"


def test_partly_is_the_right_side_of_no_effect_but_too_small_or_too_large() -> None:
    claim = replace(EQUIVALENCE, null_value=0.0)
    assert word(claim, 3.0, 5.0) == "partly"
    assert word(claim, 20.0, 25.0) == "partly"
    assert word(claim, 0.0, 5.0) == "not reproduced"
    assert word(claim, -5.0, -3.0) == "not reproduced"
    below = replace(EQUIVALENCE, null_value=20.0)
    assert word(below, 17.0, 19.0) == "partly"
    assert word(below, 19.0, 21.0) == "not reproduced"


def test_no_number_or_too_low_a_profile_is_not_run_and_says_why() -> None:
    verdict = judge(EQUIVALENCE, NotRun("the tape is lost"), "paper")
    assert (verdict.word, verdict.reason) == ("not run", "the tape is lost")
    low = judge(EQUIVALENCE, exact(14), "smoke")
    assert low.word == "not run"
    assert low.reason == (
        "not judged: this claim needs profile default, these rows are of profile smoke"
    )
    assert judge(EQUIVALENCE, exact(14), "paper").word == "reproduced"


def test_the_reason_carries_the_note_and_the_region() -> None:
    reason = judge(EQUIVALENCE, exact(14, note="3 nets diverged"), "default").reason
    assert "3 nets diverged" in reason and "between 12 and 16" in reason


@pytest.mark.parametrize(
    ("ours", "shown"),
    [
        (Estimate(14.12345, 13.87654, 14.34567, 9), "the 90 % interval [13.88, 14.35] lies inside"),
        (Estimate(14.0, 14.0, 14.0, 1), "14 lies inside"),
        (Estimate(15.4321, 15.4321, 15.4321, 1), "15.4 lies inside"),
        # Rounded they would lie on the other side of the edge at 16.
        (Estimate(16.0004, 16.0004, 16.0004, 1), "16.0004 lies outside"),
        (Estimate(18.0, 16.0004, 20.1, 9), "the 90 % interval [16.0004, 20.1] lies outside"),
    ],
)
def test_the_reason_is_rounded_as_long_as_it_stays_true(ours: Estimate, shown: str) -> None:
    assert judge(EQUIVALENCE, ours, "default").reason.startswith(shown)


def test_undecided_says_how_many_replicates_would_settle_it() -> None:
    # Value 15, edge 16, arm 2: the interval must shrink to a half, so four times the nets.
    verdict = judge(EQUIVALENCE, Estimate(15, 13, 17, 100), "default")
    assert verdict.word == "undecided"
    # The lower edge at distance 3 is cleared by then; the nearer edge sets the number.
    assert "about 400 replicates" in verdict.reason
    on_edge = judge(EQUIVALENCE, Estimate(16, 15, 17, 100), "default")
    assert "more replicates alone would hardly settle it" in on_edge.reason
    # A distance of 1/32 wants (arm x 32)^2 times the nets: 900 times, and 1089 times.
    for arm, told in ((30 / 32, "about 90,000 replicates"), (33 / 32, "alone would hardly")):
        near = Estimate(16 - 1 / 32, 15.5, 16 - 1 / 32 + arm, 100)
        assert told in judge(EQUIVALENCE, near, "default").reason


@given(
    edge=st.sampled_from([12.0, 16.0]),
    offset=eighths.filter(bool),
    beyond=widths,
    other=widths,
    n=st.integers(2, 10_000),
)
def test_the_replicates_named_would_indeed_settle_it(edge, offset, beyond, other, n) -> None:
    region = EQUIVALENCE.acceptance()
    value = edge + offset
    arms = (abs(offset) + beyond, other) if offset > 0 else (other, abs(offset) + beyond)
    ours = Estimate(value, value - arms[0], value + arms[1], n)
    needed = replicates_to_settle(ours, region)
    assert needed > n
    if math.isinf(needed):
        assert value in region.edges()
        return
    shrink = math.sqrt(n / (needed * 1.000001))
    low, high = value - arms[0] * shrink, value + arms[1] * shrink
    assert region.holds(low, high) or region.misses(low, high)


@pytest.mark.parametrize(
    ("number", "rounded"), [(1, 1), (99, 99), (99.5, 100), (101, 110), (1234.5, 1300), (1300, 1300)]
)
def test_round_up_keeps_two_digits_and_never_goes_below(number: float, rounded: int) -> None:
    assert round_up(number) == rounded


claims = st.builds(
    lambda kind, margin, null: replace(EQUIVALENCE, kind=kind, margin=margin, null_value=null),
    st.sampled_from(["equivalence", "at_least", "at_most"]),
    widths,
    st.none(),
)


@given(claims, eighths, widths, widths, widths)
def test_widening_never_turns_one_sure_verdict_into_the_other(claim, low, width, more, less):
    narrow = word(claim, low, low + width)
    wide = word(claim, low - less, low + width + more)
    allowed = {
        "reproduced": {"reproduced", "undecided"},
        "not reproduced": {"not reproduced", "undecided"},
        "undecided": {"undecided"},
    }
    assert wide in allowed[narrow]


@given(claims, eighths, widths, eighths)
def test_shifting_paper_and_estimate_together_changes_nothing(claim, low, width, shift):
    moved = replace(claim, paper_value=claim.paper_value + shift)
    assert word(claim, low, low + width) == word(moved, low + shift, low + width + shift)


@given(claims, eighths, widths, st.sampled_from([0.25, 2.0, 1024.0]))
def test_another_unit_changes_nothing(claim, low, width, unit):
    scaled = replace(claim, paper_value=claim.paper_value * unit, margin=claim.margin * unit)
    assert word(claim, low, low + width) == word(scaled, low * unit, (low + width) * unit)


@given(claims, eighths, widths)
def test_mirroring_swaps_at_least_and_at_most_and_nothing_else(claim, low, width):
    kind = {"at_least": "at_most", "at_most": "at_least"}.get(claim.kind, claim.kind)
    mirrored = replace(claim, kind=kind, paper_value=-claim.paper_value)
    assert word(claim, low, low + width) == word(mirrored, -low - width, -low)


@given(eighths, widths, eighths, widths, st.booleans())
def test_inside_and_outside_exclude_each_other(low, width, edge, size, is_open):
    region = Region(edge, edge + size, is_open)
    assume(not (is_open and size == 0))
    assert not (region.holds(low, low + width) and region.misses(low, low + width))


@given(eighths, widths, st.sampled_from(["smoke", "default", "paper"]))
def test_every_verdict_is_one_of_the_five_and_has_a_reason(low, width, profile):
    verdict = judge(EQUIVALENCE, Estimate(low, low, low + width, 3), profile)
    assert verdict.word in VERDICTS and verdict.reason


@pytest.mark.parametrize("centre", [12.2, 12.6, 13.2, 14.0, 15.4, 15.9])
def test_equivalence_by_the_interval_is_tost_at_five_per_cent(centre: float) -> None:
    """With Student's interval the rule and statsmodels' two one-sided t tests must agree."""
    agreed = []
    for seed in range(30):
        values = np.random.default_rng(seed).normal(centre, 2.0, 25)
        low, high = stats.t.interval(0.90, 24, values.mean(), stats.sem(values))
        ours = judge(EQUIVALENCE, Estimate(values.mean(), low, high, 25), "default").word
        p_value, _, _ = DescrStatsW(values).ttost_mean(12.0, 16.0)
        assert (ours == "reproduced") == (p_value <= 0.05)
        agreed.append(ours)
    if centre == 14.0:
        assert agreed.count("reproduced") == 30
