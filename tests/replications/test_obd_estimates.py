"""Every estimator of Optimal Brain Damage on small frames made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from oldschool.claims.claim import load_claims
from oldschool.claims.estimate import Estimate, NotRun
from oldschool.claims.verdict import NOT_RUN, judge
from replications.lecun1989_obd import REPLICATION, paths
from replications.lecun1989_obd.estimates import ESTIMATES

NETS = 6
LOST = 6  # a net more, which diverged and whose numbers would spoil every mean
COUNTS = [0, 400, 600, 800, 1000, 1200]
# dB over the unpruned net, without retraining.
RISES = {
    ("magnitude", math.nan): [0, 1, 2, 4, 6, 8],
    ("obd", math.nan): [0, 0.5, 1, 2, 7, 4],
    ("obd_lm", math.nan): [0, 2, 3, 5, 7, 9],
    ("obd_exact", math.nan): [0, 0.1, 0.1, 0.1, 0.1, 0.1],
    ("random", math.nan): [0, 8, 12, 16, 20, 24],
    ("obs", 1e-4): [0, 0.2, 2, 1, 1, 1],
    ("obs", 1e-2): [0, 9, 9, 9, 9, 9],
}
# dB of the actual error over the foreseen one.
GAPS = {
    "obd_lm": [0, 0, 0, 0, 0, 0.9],
    "obd_exact": [0, 2, 2, 2, 2, 2],
    "obs": [0, 0.5, 0.5, 0.5, 1.5, 1.5],
    "quadratic": [0, 4, 4, 4, 4, 4],
}
ROUNDS = [0, 258, 516, 774, 1032, 1290, 1548, 1806]
RETRAINED = {  # dB of the training error, of the test error, wrong test digits
    "magnitude": ([0, 0, 0, 2, 2, 2, 2, 2], [0] * 8, [4.0] * 8),
    # At 516 the line without retraining, 400 to 600, is at .79 dB.
    "obd": (
        [0, -1, 0.795, 0, 0, 0.4, 1.6, 3],
        [0, 0, -0.5, -0.5, 0, 0, 0.9, 1.0],
        [4.0, 4.0, 3.9, 3.8, 3.9, 4.6, 3.7, 4.5],
    ),
    "obs": ([0] * 8, [0] * 8, [4.0] * 8),
}


def whole(net: int) -> float:
    """The training error of an unpruned net."""
    return math.inf if net == LOST else 0.01 * (1 + net)


def times(start: float, rises: list[float]) -> list[float]:
    return [start * 10 ** (rise / 10) for rise in rises]


def obd_gap(net: int) -> list[float]:
    """Passes 1 dB 60 + 20 net deletions after 600; a net more foresees too much."""
    there = 0.5 + 0.5 * 200 / (60 + 20 * net)
    gap = [0, 0.2, 0.5, there, 2.0, -0.5]
    return [-value for value in gap] if net == 5 else gap


def foreseen(actual: list[float], gap: list[float]) -> list[float]:
    return [value / 10 ** (g / 10) - actual[0] for value, g in zip(actual, gap, strict=True)]


def deletion_frame() -> pd.DataFrame:
    parts = []
    for (method, alpha), rises in RISES.items():
        for net in range(4 if method == "obs" else NETS + 1):
            errors = times(whole(net), rises)
            gap = obd_gap(net) if method == "obd" else GAPS.get(method)
            nothing = [0.0] + [math.nan] * 5
            lost = net == LOST
            parts.append(
                pd.DataFrame(
                    {
                        "method": method,
                        "alpha": alpha,
                        "replicate": net,
                        "deleted": COUNTS,
                        "train_mse": errors,
                        "foreseen": foreseen(errors, gap) if gap and not lost else nothing,
                        "quadratic": foreseen(errors, GAPS["quadratic"])
                        if method == "obd" and not lost
                        else math.nan,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def retraining_frame() -> pd.DataFrame:
    parts = []
    for method, (train, test, wrong) in RETRAINED.items():
        for net in range(2 if method == "obs" else NETS + 1):
            parts.append(
                pd.DataFrame(
                    {
                        "method": method,
                        "replicate": net,
                        "deleted": ROUNDS,
                        "train_mse": times(whole(net), train),
                        "test_mse": times(0.03, test),
                        "test_wrong": [99.0] * 8 if net == LOST else np.array(wrong) + net,
                        "connections": [1] * 8 if net == LOST else [98_442 - 31.797 * n for n in
                                                                     ROUNDS],
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def digits_frame() -> pd.DataFrame:
    nets = np.arange(NETS + 1)
    lost = nets == LOST
    return pd.DataFrame(
        {
            "replicate": nets,
            "parameters": 2578,
            "connections": 98_442,
            "units": 4635,
            "train_wrong": np.where(lost, 90.0, 1.0 + nets / 10),
            "train_mse": np.where(lost, np.nan, 0.016 + nets / 1000),
            "test_wrong": np.where(lost, 90.0, 4.0 + nets / 10),
            "test_mse": np.where(lost, np.inf, 0.030 + nets / 1000),
            "test_rejects": np.where(lost, 100.0, 8.0 + nets),
        }
    )


MOMENTS = ["trained", "layer removed", *["weights deleted"] * 3]


def interactive_frame() -> pd.DataFrame:
    """Blocks of nets one after the other, moment by moment, as they are run."""
    parts = []
    for block in (range(4), range(4, NETS + 1)):
        for step, moment in enumerate(MOMENTS):
            for net in block:
                lost = net == LOST
                parts.append(
                    {
                        "replicate": net,
                        "moment": moment,
                        "parameters": [9760, 5590, 5031, 2574, 2440][step],
                        "train_mse": math.nan
                        if lost
                        else (0.002 + net / 1e4) * [1, 6 + net, 9, 9, 9][step],
                        "train_wrong": 0.1 + net / 100,
                        "test_mse": 0.02 * (1 + net) * [1, 1.4, 1.4, 1.5, 1.6][step],
                        "test_wrong": 90.0 if lost else net + [5.0, 4.8, 5.6, 5.4, 5.6][step],
                    }
                )
    return pd.DataFrame(parts)


def frames() -> dict[str, pd.DataFrame]:
    return {
        "digit_nets": digits_frame(),
        "deletion": deletion_frame(),
        "retraining": retraining_frame(),
        "interactive": interactive_frame(),
        "passes": pd.DataFrame(
            {"pass": ["gradient", "full", "lm"], "operations": [1000, 1600, 1100]}
        ),
    }


def estimate(name: str, **given: pd.DataFrame) -> Estimate:
    found = ESTIMATES[f"obd.{name}"](frames() | given)
    assert isinstance(found, Estimate), found
    return found


def not_run(name: str, **given: pd.DataFrame) -> str:
    found = ESTIMATES[f"obd.{name}"](frames() | given)
    assert isinstance(found, NotRun), found
    return found.reason


MEAN = 2.5  # of the numbers of the nets


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("net.units", 4635),
        ("net.connections", 98_442),
        ("net.parameters", 2578),
        ("terms", 2578**2),
        ("base.train_error", 1.0 + MEAN / 10),
        ("base.train_mse", 0.016 + MEAN / 1000),
        ("base.test_error", 4.0 + MEAN / 10),
        ("base.test_mse", 0.030 + MEAN / 1000),
        ("base.reject_handwritten", 8.0 + MEAN),
        ("big.parameters", 9760),
        ("big.train_error", 0.1 + MEAN / 100),
        ("big.train_mse", 0.002 + MEAN / 1e4),
        ("big.test_error", 5.0 + MEAN),
        ("big.test_mse", 0.02 * (1 + MEAN)),
        ("fig1a.obd_below_magnitude", 80),  # all but 1000
        ("fig1a.random_off_scale", 12),
        ("fig1b.agreement", 650 + 60),  # 660 to 760
        ("fig1b.underestimate", 50),  # 1000 or 1200
        ("fig1a.obs_below_obd", 80),  # all but 600
        ("fig1a.ordering", 60),  # neither 600 nor 1000
        ("fig2a.flat_to", 1290 + 258 / 2),  # .4 dB, then 1.6
        ("fig2b.flat_to", 1806),  # 1 dB is not past it
        ("fig2.retraining_helps", 200 / 3),  # of 516, 774 and 1032
        ("interactive.factor", 9760 / 5590),
        ("interactive.train_mse", 6 + MEAN),
        ("interactive.test_mse", 40),
        ("interactive.test_error", -0.2),
        ("factor4", 9760 / 2574),
        ("factor2", 2578 / 1030),  # 1548, though 1290 is worse
        ("accuracy", -0.3),
        ("speed", 98_442 / (98_442 - 31.797 * 1548)),
        ("saliency_cost", 1.6),
    ],
)
def test_every_number_by_hand(name, value):
    assert estimate(name).value == pytest.approx(value)


def test_every_estimator_is_tried():
    marks = test_every_number_by_hand.pytestmark
    assert {f"obd.{name}" for name, _ in marks[0].args[1]} == set(ESTIMATES)


def test_every_estimate_can_be_judged():
    claims = {claim.id: claim for claim in load_claims(REPLICATION.folder)}
    for name, estimator in ESTIMATES.items():
        given = {frame: frames()[frame] for frame in claims[name].frames}  # and reads no other
        assert judge(claims[name], estimator(given), "default").word != NOT_RUN, name


def test_nets_that_diverged_are_left_out_and_told():
    for name, count in (
        ("base.test_error", NETS),
        ("big.test_error", NETS),
        ("fig1b.agreement", NETS),
        ("fig1a.obs_below_obd", 4),
        ("fig2a.flat_to", NETS),
        ("factor4", NETS),
    ):
        assert estimate(name).n == count
    assert estimate("base.train_mse").note.endswith("1 nets diverged")
    assert estimate("big.train_error").note.endswith("1 nets diverged")
    well = digits_frame().head(NETS)
    assert "diverged" not in estimate("base.train_mse", digit_nets=well).note


def test_notes_tell_the_other_ways():
    note = estimate("base.train_mse").note
    assert "range 0.016 to 0.021" in note
    assert f"half of it, a mean of (t - o)^2 / 2, is {0.0185 / 2:.3g}" in note
    assert "half of it" not in estimate("base.train_error").note
    assert estimate("terms").note == f"{2578 * 2577} of them off the diagonal"
    note = estimate("fig1a.obd_below_magnitude").note
    assert "Levenberg-Marquardt form 0 %; with the exact diagonal 100 %" in note
    assert "400 0.5, 600 1.0, 800 2.0, 1000 -1.0, 1200 4.0" in note
    note = estimate("fig1b.agreement").note
    assert "Gauss-Newton matrix 100, with the Levenberg-Marquardt form 1200" in note
    assert "the exact diagonal 200, what OBS foresees of its own deletions 900" in note
    note = estimate("fig1a.obs_below_obd").note
    assert "400 0.3, 600 -1.0, 800 1.0, 1000 6.0, 1200 3.0" in note
    assert "alpha 0.0001 of 0.0001, 0.01. At alpha 0.01 (" in note
    assert "OBS is at 400 9.0, 600 9.0, 800 9.0, 1000 9.0, 1200 9.0 dB, OBD at 400 0.5" in note
    note = estimate("fig1a.ordering").note
    assert note == "magnitude >= OBD at 80 % of the counts, OBD >= OBS at 80 %; 4 nets"
    assert "random 16.0 dB, magnitude 4.0 dB" in estimate("fig1a.random_off_scale").note
    note = estimate("fig2a.flat_to").note
    assert (
        "dB at 1548 deleted 1.60, least -1.00 at 258; others: magnitude 645 (6 nets), obs 1806"
        in note
    )
    assert estimate("fig2.retraining_helps").note == "3 rounds of 6 nets"
    assert "from 7.50 % to 7.30 %" in estimate("interactive.test_error").note
    assert "5590" in estimate("interactive.factor").note
    note = estimate("factor4").note
    assert "ends at 2440 parameters, where the test error has changed by +0.60 points" in note
    assert (
        "258 +0.00, 516 -0.10, 774 -0.20, 1032 -0.10, 1290 +0.60, 1548 -0.30"
        in estimate("accuracy").note
    )
    assert "Levenberg-Marquardt form 1.10" in estimate("saliency_cost").note


def test_methods_that_were_not_run_are_told():
    ranked = deletion_frame().query("method in ['magnitude', 'obd']")
    for name, missing in (
        ("fig1a.random_off_scale", "random"),
        ("fig1a.obs_below_obd", "obs"),
        ("fig1a.ordering", "obs"),
    ):
        assert not_run(name, deletion=ranked) == f"fewer than two nets under {missing}"
    assert "exact diagonal" not in estimate("fig1a.obd_below_magnitude", deletion=ranked).note
    assert "OBS" not in estimate("fig1b.agreement", deletion=ranked).note
    without = deletion_frame().query("method != 'obd'")
    for name in ("fig1a.obd_below_magnitude", "fig1b.agreement", "fig1b.underestimate"):
        assert not_run(name, deletion=without) == "fewer than two nets under obd"
    others = retraining_frame().query("method != 'obd'")
    for name in ("fig2a.flat_to", "factor2", "accuracy", "speed", "fig2.retraining_helps"):
        assert not_run(name, retraining=others) == "fewer than two nets under obd"


def test_counts_that_were_not_measured_are_told():
    few = deletion_frame().query("deleted != 800")
    assert not_run("fig1a.random_off_scale", deletion=few) == "800 deletions were not measured"
    rounds = retraining_frame().query("deleted != 1548")
    for name in ("accuracy", "speed"):
        assert not_run(name, retraining=rounds) == "1548 deletions were not measured"
    assert "1548" not in estimate("fig2a.flat_to", retraining=rounds).note
    two = deletion_frame().query("replicate < 2")
    assert "5 values" in not_run("fig1b.agreement", deletion=two)


# --- what is read off a road -----------------------------------------------------------------


def table(*lines: list[float]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=[0, 100, 200, 400])


def test_where_a_line_passes_a_limit():
    found = paths.reaches(
        table([0, 0.5, 1.5, 3], [0, 1.0, 0.2, 3.8], [0, 0, 0, 0], [2, 2, 2, 2], [0, 9, 0, 9])
    )
    assert found.tolist() == pytest.approx([150, 200 + 200 * 0.8 / 3.6, 400, 0, 100 / 9])
    assert paths.reaches(table([0, 1, 3, 3]), limit=2.0).tolist() == [150]


def test_shares_of_counts():
    lower, upper = table([1, 1, 3, 1], [2, 2, 2, 2]), table([2, 2, 2, 2], [2, 2, 2, 3])
    assert paths.below(lower, upper, start=100).tolist() == pytest.approx([200 / 3, 100 / 3])
    assert paths.below(lower, upper, start=0).tolist() == [75, 25]
    assert paths.below(lower, upper, start=400).tolist() == [100, 100]


def test_the_largest_factor_within_the_slack():
    left = table([100, 50, 25, 10], [100, 50, 25, 10], [100, 50, 25, 10])
    wrong = table([4, 4.5, 4.4, 9], [4, 5, 5, 5], [4, 5, 5, 3])
    found = paths.factor_reached(left, wrong, 100, 0.4)
    assert found.tolist() == [4, 1, 10]


def test_decibels_are_of_the_unpruned_net():
    found = paths.rise(table([0.5, 5, 50, 0.05], [2, 2, 4, 1]))
    np.testing.assert_allclose(found, [[0, 10, 20, -10], [0, 0, 3.0103, -3.0103]], atol=1e-4)


def test_obs_is_compared_at_the_alpha_nearest_to_the_usual_one():
    rows = deletion_frame().query("method == 'obs'").copy()
    rows["alpha"] = rows.alpha.map({1e-4: 3e-6, 1e-2: 1e-3})
    found = paths.deletion({"deletion": rows}, "obs")
    assert paths.rise(found)[400].tolist() == pytest.approx([9] * 4)  # that of 1e-3


def test_a_net_that_diverged_under_one_method_is_left_out_of_all():
    rows = deletion_frame().query("replicate < 6").copy()
    rows.loc[(rows.method == "random") & (rows.replicate == 2) & (rows.deleted == 600),
             "train_mse"] = math.nan  # fmt: skip
    assert set(paths.whole(rows).replicate) == {0, 1, 3, 4, 5}
    assert paths.deletion({"deletion": rows}, "obd").index.tolist() == [0, 1, 3, 4, 5]
