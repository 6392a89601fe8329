"""Every estimator of dropout: on the paper's own points, and on small frames made by hand."""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oldschool import paths
from oldschool.claims.claim import load_claims
from oldschool.claims.estimate import Estimate, NotRun, Result, exact, mean
from oldschool.claims.verdict import NOT_REPRODUCED, REPRODUCED, judge
from replications.srivastava2014_dropout import published
from replications.srivastava2014_dropout.estimates import ESTIMATES
from replications.srivastava2014_dropout.estimates.dataset_size import crossing
from replications.srivastava2014_dropout.estimates.nets import largest_of, least_of
from replications.srivastava2014_dropout.estimates.plausible import ends, plausible_means

CLAIMS = {claim.id: claim for claim in load_claims(paths.replications() / "srivastava2014_dropout")}
NAMES = [name.removeprefix("dropout.") for name in ESTIMATES]
NUMBERS = {
    "test_error", "train_error", "test_mse", "effective_pixels", "mean_activation", "near_zero",
    "dead", "neighbour_correlation",
}  # fmt: skip
NETS = 5
MAX_NORM = "dropout_max_norm"


def rows(condition: dict, **columns) -> pd.DataFrame:
    """A row a replicate of one condition; a number stands for all replicates."""
    lists = [value for value in columns.values() if isinstance(value, list)]
    count = len(lists[0]) if lists else NETS
    return pd.DataFrame(
        {**condition, "replicate": range(count), "diverged": False} | columns, index=range(count)
    )


def frame(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def ways(**errors) -> pd.DataFrame:
    return frame(*(rows({"way": way}, test_error=error) for way, error in errors.items()))


# --- the paper's own points ------------------------------------------------------------------

SHAPES = [(2, 1024), (2, 2048), (4, 1024), (4, 2048), (3, 1024), (3, 2048)]  # Table 2 has 3 layers


def net(layers: int, width: int, hidden: str, way: str) -> dict:
    return {"layers": layers, "width": width, "hidden": hidden, "way": way}


def curve(condition: dict, errors, nets: int = NETS) -> pd.DataFrame:
    return frame(
        *(
            rows(condition | {"updates": 10_000 * step}, test_error=[error] * nets)
            for step, error in enumerate(errors, start=1)
        )
    )


def papers_architectures() -> pd.DataFrame:
    drawn = [
        curve(net(*SHAPES[i], "relu", way), lines[i], nets=2)
        for way, lines in (("none", published.FIG4_NONE), (MAX_NORM, published.FIG4_DROPOUT))
        for i in range(6)
    ]
    ends = {
        (2, 800, "logistic", "none"): 1.6,
        (3, 1024, "logistic", "none"): 1.6,  # the paper compares with two layers of 800
        (3, 1024, "logistic", "dropout"): 1.35,
        (3, 1024, "relu", "dropout"): 1.25,
        (2, 4096, "relu", MAX_NORM): 1.01,
        (2, 8192, "relu", MAX_NORM): 0.95,
    }
    return frame(
        *drawn,
        *(
            rows(net(*key) | {"updates": 10**6}, test_error=[error] * 2)
            for key, error in ends.items()
        ),
    )


def papers_rate() -> pd.DataFrame:
    return frame(
        *(
            rows(
                {"series": series, "p": float(p), "units": round(units(p))},
                test_error=curves["test"][p],
                train_error=curves["train"][p],
            )
            for series, curves, units in (
                ("n_fixed", published.FIG9A, lambda p: 2048),
                ("pn_fixed", published.FIG9B, lambda p: 256 / p),
            )
            for p in curves["test"]
        )
    )


def sizes(dropout: dict, none: dict) -> pd.DataFrame:
    return frame(
        *(
            rows({"digits": digits, "way": way}, test_error=error)
            for way, errors in ((MAX_NORM, dropout), ("none", none))
            for digits, error in errors.items()
        )
    )


def papers_convnets() -> pd.DataFrame:
    errors = {
        "svhn": (3.95, 3.02, 2.55),
        "cifar10": (15.6, 14.32, 12.61, 12.5),
        "cifar100": (43.48, 41.26, 37.2),
    }
    names = ("none", "fully_connected", "everywhere", "gaussian")
    return frame(
        *(
            rows({"data": data, "way": way}, test_error=error)
            for data, values in errors.items()
            for way, error in zip(names, values, strict=False)
        )
    )


def features_frame() -> pd.DataFrame:
    numbers = {
        "none": {"effective_pixels": 200.0, "mean_activation": 2.0, "near_zero": 40.0},
        "dropout": {"effective_pixels": 100.0, "mean_activation": 0.7, "near_zero": 70.0},
    }
    return frame(*(rows({"way": w}, test_mse=0.9, **n) for w, n in numbers.items()))


def rbm_frame() -> pd.DataFrame:
    return frame(
        rows({"way": "none"}, dead=20.0, neighbour_correlation=0.4, near_zero=30.0),
        rows({"way": "dropout"}, dead=5.0, neighbour_correlation=0.6, near_zero=55.0),
    )


def marginal_frame() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"check": check, "problem": i, "data": data, "p": 0.5, "difference": size * (i + 1)}
            for check, size in (("identity", 1e-15), ("ridge", 2e-14), ("gaussian", 1.0))
            for data, count in (("random", 3), ("digits", 1))
            for i in range(count)
        ]
    )


@pytest.fixture(scope="module")
def papers() -> dict[str, pd.DataFrame]:
    thinned = {0: published.FIG11_SCALING} | published.FIG11
    return {
        "architectures": papers_architectures(),
        "regularizers": ways(
            l2=1.62, l2_l1=1.6, l2_kl=1.55, max_norm=1.35, dropout_l2=1.25, dropout_max_norm=1.05
        ),
        "gaussian": frame(
            rows({"noise": "bernoulli"}, test_error=1.08),
            rows({"noise": "gaussian"}, test_error=0.95),
        ),
        "rate": papers_rate(),
        "dataset_size": sizes(published.FIG10["dropout"], published.FIG10["none"]),
        "monte_carlo": frame(*(rows({"k": k}, test_error=e) for k, e in thinned.items())),
        "features": features_frame(),
        "rbm": rbm_frame(),
        "marginal": marginal_frame(),
        "convnet": papers_convnets(),
        "pretraining": ways(none=1.18, dropout=0.92),
    }


def read(name: str, frames: dict[str, pd.DataFrame]) -> Result:
    """The estimate of a claim, given the frames that it names and no other."""
    claim = CLAIMS[f"dropout.{name}"]
    return ESTIMATES[claim.id]({one: frames[one] for one in claim.frames})


def estimate(name: str, frames) -> Estimate:
    found = read(name, frames)
    assert isinstance(found, Estimate), found
    return found


def missing(name: str, frames) -> str:
    found = read(name, frames)
    assert isinstance(found, NotRun), found
    return found.reason


def test_every_claim_to_run_has_an_estimate_and_no_estimate_lacks_a_claim():
    assert set(ESTIMATES) == {name for name, claim in CLAIMS.items() if not claim.not_run}


@pytest.mark.parametrize("name", NAMES)
def test_the_papers_points_give_the_papers_statement(papers, name):
    claim, found = CLAIMS[f"dropout.{name}"], estimate(name, papers)
    # What "2-3 times longer" measures is not known: these curves give more by our rule.
    word = NOT_REPRODUCED if name == "slowdown" else REPRODUCED
    assert judge(claim, found, "paper").word == word, found
    if claim.kind == "equivalence" and isinstance(claim.paper_value, float):
        assert found.value == pytest.approx(claim.paper_value, abs=1.1 * max(claim.rounding, 0.01))
    # What a note says of the paper is what the paper's points give.
    if told := re.search(r"paper (-?[\d.]+)", found.note):
        assert found.value == pytest.approx(float(told[1]), rel=0.02), found.note


# --- missing rows ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_without_rows_or_nets_there_is_a_reason_and_never_an_exception(papers, name):
    (used,) = CLAIMS[f"dropout.{name}"].frames
    whole = papers[used]
    assert missing(name, {used: pd.DataFrame()}) == f"no rows of {used}"
    if used == "marginal":
        return
    assert "replicates left out: a net diverged" in missing(
        name, {used: whole.assign(diverged=True)}
    )
    assert missing(name, {used: whole[whole.replicate == 0]})
    for column in ("way", "noise", "series", "p", "digits", "k", "layers", "width", "hidden"):
        for value in whole[column].unique() if column in whole else ():
            found = read(name, {used: whole[whole[column] != value]})
            assert isinstance(found, Estimate) or found.reason


@pytest.mark.parametrize(
    ("name", "query", "reason"),
    [
        ("table2.maxnorm_2x8192", "width < 8000", "no rows of: 2x8192 relu dropout with max-norm"),
        ("table2.relu_gain", "hidden == 'relu'",
         "no net of 3 layers was trained as both relu with dropout and logistic with dropout"),
        ("table2.width_gain", "layers != 2 or width == 1024", "fewer than two widths"),
        ("fig4.every_net", "layers != 4", "widths with all of these: none"),
        ("fig4.separation", "width != 2048 or way != 'none'", "widths with all of these: 1024"),
        ("fig4.net3.none", "width != 2048", "no rows of: 2x2048 none, 3x2048 none, 4x2048 none"),
        ("slowdown.direction", "updates > 900000", "a curve needs 20 measured moments"),
        ("table9.order", "way != 'l2_kl'", "no rows of: l2_kl"),
        ("table10.mnist.better", "noise == 'gaussian'", "no rows of: Bernoulli"),
        ("fig9a.flat", "p not in (.4, .7)", "no rows of: p = 0.4, p = 0.7"),
        ("fig9a.p0.5", "units != 2048", "no rows of: p = 0.5, 2048 units"),
        ("fig9b.p0.1", "units != 2560", "no rows of: p = 0.1, 2560 units"),
        ("fig9b.optimum", "p != .6", "no rows of: p = 0.6, 427 units"),
        ("fig10.crossing", "digits > 500", "training sizes not run: 100, 500"),
        ("fig10.middle", "digits != 5000", "no rows of: 5000 dropout, 5000 none"),
        ("fig11.large_k", "k != 119", "no rows of: k = 119"),
        ("fig11.k50", "k == 0", "no average"),
        ("fig12.features", "way == 'none'", "no rows of: dropout"),
        ("theory.ridge", "check != 'ridge'", "no rows of: ridge"),
        ("table3.order", "data != 'svhn'", "no rows of: none, fully_connected, everywhere"),
        ("table2.dbn", "way != 'none'", "no rows of: none"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(papers, name, query, reason):
    (used,) = CLAIMS[f"dropout.{name}"].frames
    assert reason in missing(name, {used: papers[used].query(query)})


# --- diverged nets ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_net_that_diverged_is_left_out_of_all_conditions_and_told(papers, name):
    (used,) = CLAIMS[f"dropout.{name}"].frames
    if used == "marginal":
        return
    whole = papers[used]
    lost = whole[whole.replicate == 0].assign(replicate=NETS)
    for column in NUMBERS & set(lost.columns):
        lost[column] = 90.0 + np.arange(len(lost)) / 7  # would spoil every mean
    found = estimate(name, {used: frame(whole, lost.assign(diverged=True))})
    before = estimate(name, papers)
    assert (found.value, found.low, found.high, found.n) == (
        before.value, before.low, before.high, before.n,
    )  # fmt: skip
    assert f"1 of {whole.replicate.nunique() + 1} replicates left out: a net diverged" in found.note


def test_one_condition_that_diverged_takes_the_replicate_out_of_the_others():
    rates = ways(l2=[2.0, 3.0, 9.0], l2_l1=[1.0, 1.0, 90.0])
    rates.loc[5, "diverged"] = True
    found = estimate("table9.step.l2_l1", {"regularizers": rates})
    assert (found.value, found.n) == (-1.5, 2)
    assert "means l2_l1: 1 %, l2: 2.5 %; n = 2; 1 of 3 replicates left out" in found.note


def test_a_net_without_a_number_is_left_out_and_a_ratio_to_nought_is_no_number():
    machines = rbm_frame()
    machines.loc[1, "neighbour_correlation"] = math.nan  # no unit is alive
    found = estimate("fig12.coarser", {"rbm": machines})
    assert (found.value, found.n) == (pytest.approx(0.2), NETS - 1)
    assert "a net diverged or has no such number" in found.note
    still = features_frame().assign(mean_activation=0.0)
    assert "5 of 5 replicates have a ratio to nought" in missing(
        "fig8.mean_ratio", {"features": still}
    )


def test_a_net_that_ever_diverged_has_no_end():
    whole = papers_architectures()
    hit = (whole.layers == 2) & (whole.way == "none") & (whole.hidden == "relu")
    whole.loc[hit & (whole.replicate == 1) & (whole.updates == 50_000), "diverged"] = True
    reason = missing("fig4.separation", {"architectures": whole})
    assert reason == "an interval of the mean needs at least 2 values, there are 1"


# --- by hand ---------------------------------------------------------------------------------


def t_interval(values) -> tuple[float, float]:
    """90 %, by the textbook."""
    arm = stats.t.ppf(0.95, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return np.mean(values) - arm, np.mean(values) + arm


def agrees(found: Estimate, values) -> None:
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx(t_interval(values))
    assert found.n == len(values)


SIX = ("l2", "l2_l1", "l2_kl", "max_norm", "dropout_l2", "dropout_max_norm")


def test_table_9_counts_pairs_in_order_and_the_gap_of_two_groups():
    # Fully in order; the first two swapped and the last two tied; fully reversed.
    columns = np.array([[6, 5, 4, 3, 2, 1], [5, 6, 4, 3, 1, 1], [1, 2, 3, 4, 5, 6]], dtype=float)
    frames = {"regularizers": ways(**dict(zip(SIX, columns.T.tolist(), strict=True)))}
    agrees(estimate("table9.order", frames), [100, 100 * 13.5 / 15, 0])
    agrees(estimate("table9.separation", frames), [3 - 2, 3 - 1, 1 - 6])
    agrees(estimate("table9.step.dropout_l2", frames), [-1, -2, 1])
    agrees(estimate("table9.maxnorm", frames), [3, 3, 4])


def test_ratios_and_differences_are_those_of_pairs():
    noise = frame(
        rows({"noise": "bernoulli"}, test_error=[2.0, 4.0, 5.0]),
        rows({"noise": "gaussian"}, test_error=[1.0, 3.0, 5.0]),
    )
    agrees(estimate("table10.mnist.order", {"gaussian": noise}), [0.5, 0.75, 1])
    agrees(estimate("table10.mnist.better", {"gaussian": noise}), [-1, -1, 0])
    pixels = frame(
        rows({"way": "none"}, effective_pixels=[100.0, 200.0], near_zero=[10.0, 20.0]),
        rows({"way": "dropout"}, effective_pixels=[50.0, 150.0], near_zero=[40.0, 60.0]),
    )
    found = estimate("fig7.features", {"features": pixels})
    agrees(found, [0.5, 0.75])
    assert "means dropout: 100 pixels, none: 150 pixels; n = 2" in found.note
    agrees(estimate("fig8.sparsity", {"features": pixels}), [30, 40])


def six_nets(errors) -> pd.DataFrame:
    """``errors(layers, width, way, replicate, step)`` at 20 moments of two replicates."""
    return pd.DataFrame(
        [
            net(layers, width, "relu", way)
            | {"replicate": r, "updates": 50 * step, "diverged": False}
            | {"test_error": errors(layers, width, way, r, step)}
            for layers, width, way, r, step in itertools.product(
                (2, 3, 4), (64, 128), ("none", MAX_NORM), range(2), range(1, 21)
            )
        ]
    ).sample(frac=1, random_state=0)


def test_fig_4_takes_the_least_favourable_of_six_nets_at_the_end():
    def errors(layers, width, way, r, step):
        if step < 20:
            return 50.0
        return (4.0 if way == "none" else 2.0 + (layers == 3) * (width == 64)) + r * (layers == 2)

    frames = {"architectures": six_nets(errors)}
    # Replicate 1: the largest with dropout is again 3, that of three layers and of two.
    agrees(estimate("fig4.separation", frames), [4 - 3, 4 - 3])
    found = estimate("fig4.every_net", frames)
    assert found.value == pytest.approx(25)  # 3x64: 3 for 4
    assert found.low == pytest.approx(min(25, t_interval([50, 40])[0]))
    assert "3x64: 25" in found.note and "2x128: 45" in found.note
    assert "no rows of: 2x1024 none" in missing("fig4.size", frames)


def test_late_errors_are_compared_with_those_half_way():
    def errors(layers, width, way, r, step):
        if way == "none":
            return 9.0
        if step in (10, 11):
            return 2.0 + (step == 11) * (layers == 4)  # mean 2, or 2.5
        return 1.0 + r if step in (19, 20) else 7.0

    found = estimate("table2.no_early_stopping", {"architectures": six_nets(errors)})
    assert found.value == pytest.approx(0.75)
    assert found.low == pytest.approx(t_interval([0.4, 0.8])[0])  # of four layers
    assert found.high == pytest.approx(t_interval([0.5, 1.0])[1])
    assert "4x128: 0.6" in found.note


def test_slowdown_is_the_geometric_mean_of_times_to_a_tenth_above_the_least():
    def errors(layers, width, way, r, step):
        there = 2 if way == "none" else (4 if r == 0 or layers == 2 else 16)
        return 1.09 if step == there else (1.0 if step == 20 else 1.11)

    frames = {"architectures": six_nets(errors)}
    found = estimate("slowdown.direction", frames)
    logs = [math.log(2), (2 * math.log(2) + 4 * math.log(8)) / 6]
    low, high = t_interval(logs)
    assert found.value == pytest.approx(math.exp(np.mean(logs)))
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert "2x64 200 / 100" in found.note and "3x64 400 / 100" in found.note
    assert "measured first at 50" in found.note
    assert read("slowdown", frames) == found


def test_table_2_takes_the_widest_net_of_three_layers_that_was_trained_both_ways():
    nets = frame(
        rows(net(3, 64, "logistic", "none") | {"updates": 9}, test_error=[3.0, 4.0]),
        rows(net(3, 64, "logistic", "dropout") | {"updates": 9}, test_error=[2.0, 2.5]),
        rows(net(3, 128, "logistic", "none") | {"updates": 9}, test_error=[9.0, 9.0]),
        rows(net(2, 32, "relu", MAX_NORM) | {"updates": 9}, test_error=[2.0, 2.0]),
        rows(net(2, 64, "relu", MAX_NORM) | {"updates": 9}, test_error=[9.0, 9.0]),
        rows(net(2, 512, "relu", MAX_NORM) | {"updates": 9}, test_error=[1.0, 1.5]),
    )
    agrees(estimate("table2.dropout_gain", {"architectures": nets}), [-1, -1.5])
    agrees(estimate("table2.width_gain", {"architectures": nets}), [-1, -0.5])


def test_fig_4_numbers_are_compared_by_rank(papers):
    for i, line in enumerate(published.FIG4_NONE, start=1):
        found = estimate(f"fig4.net{i}.none", papers)
        assert found.value == line[-1]
    assert "rank 1 of six is 4x2048 none" in estimate("fig4.net4.none", papers).note


def rates(series: str, errors: dict, units: int = 9, column: str = "test_error") -> pd.DataFrame:
    return frame(
        *(
            rows({"series": series, "p": p, "units": units}, **{column: value})
            for p, value in errors.items()
        )
    )


def test_flatness_tests_each_pair_for_equivalence():
    errors = {0.4: [1.0, 1.2], 0.5: [1.0, 1.0], 0.6: [1.0, 1.0], 0.7: [1.0, 1.0], 0.8: [1.3, 1.5]}
    found = estimate("fig9a.flat", {"rate": rates("n_fixed", errors)})
    middle = np.mean(list(errors.values()))
    assert found.value == pytest.approx(100 * 0.4 / middle)  # .8 against .5
    low, high = t_interval([0.3, 0.5])
    assert found.high == pytest.approx(100 * high / middle)
    # .8 less .4 is .3 in both replicates, so that this difference at least is there.
    assert found.low == pytest.approx(100 * max(low, 0.3) / middle)


def test_shapes_over_p():
    outer = {0.1: [4.0, 6.0], 0.2: [3.0, 3.0], 0.3: [2.0, 4.0], 1.0: [9.0, 9.0]}
    flat = {p: [2.0, 2.0] for p in (0.4, 0.5, 0.6, 0.7, 0.8)}
    found = estimate("fig9a.u_shape", {"rate": rates("n_fixed", outer | flat)})
    assert found.value == pytest.approx(50)
    assert found.low == pytest.approx(t_interval([0, 100])[0])  # of p = .3, the widest
    inner = {0.1: [3.0, 4.0], 0.5: [2.2, 2.6], 0.6: [2.0, 2.0], 1.0: [5.0, 5.0]}
    frames = {"rate": rates("pn_fixed", inner)}
    found = estimate("fig9b.inner", frames)
    assert found.value == pytest.approx(75)  # of p = .1; 150 at 1 in both replicates
    assert (found.low, found.high) == pytest.approx((t_interval([50, 100])[0], 150))
    agrees(estimate("fig9b.half", frames), [10, 30])


def test_more_units_are_compared_at_a_tenth():
    both = frame(
        rates("n_fixed", {0.1: [3.0, 4.0]}, 20).assign(train_error=[1.0, 2.0]),
        rates("pn_fixed", {0.1: [2.0, 3.5]}, 80).assign(train_error=[0.5, 1.0]),
    )
    found = estimate("fig9.more_units", {"rate": both})
    agrees(found, [-1, -0.5])
    assert "n_fixed 20 units, pn_fixed 80 units" in found.note
    agrees(estimate("training_error_p01", {"rate": both}), [-0.5, -1])


@pytest.mark.parametrize("n", [2, 3, 6, 20])
def test_plausible_means_have_each_mean_s_t_interval(n):
    values = np.random.default_rng(n).normal(size=(n, 3)) @ [[1, 0.9, 0], [0, 0.1, 0], [0, 0, 2]]
    draws = plausible_means(values, np.random.default_rng(0))
    for column in range(3):
        low, high = t_interval(values[:, column])
        width = high - low
        assert ends(draws[:, column]) == pytest.approx((low, high), abs=0.06 * width)
    gap = values[:, 0] - values[:, 1]  # replicates stay whole, so pairs keep their own interval
    assert ends(draws[:, 0] - draws[:, 1]) == pytest.approx(
        t_interval(gap), abs=0.06 * np.ptp(t_interval(gap))
    )


def test_the_best_p_and_its_ends():
    errors = {tenth / 10: [9.0, 9.0] for tenth in range(1, 11)}
    errors |= {0.3: [1.0, 5.0], 0.6: [2.5, 2.5], 0.8: [5.0, 1.0]}
    parts = [rates("pn_fixed", {p: value}, round(256 / p)) for p, value in errors.items()]
    found = estimate("fig9b.optimum", {"rate": frame(*parts)})
    # By Student's t of one degree of freedom p = .3 and .8 are least in 42 % of draws each.
    assert (found.value, found.low, found.high) == (0.6, 0.3, 0.8)


def test_shares_saved_by_training_digits():
    none = {100: [20.0, 20.0], 500: [10.0, 10.0], 5000: [4.0, 4.0], 10_000: [2.0, 2.0, 2.0]}
    dropout = {100: [22.0, 24.0], 500: [9.0, 10.0], 5000: [3.0, 3.2], 10_000: [1.0, 1.0, 1.9]}
    none[50_000], dropout[50_000] = [1.0, 1.0], [0.9, 1.1]
    frames = {"dataset_size": sizes(dropout, none)}
    agrees(estimate("fig10.small", frames), [10, 0])
    agrees(estimate("fig10.worse_at_100", frames), [2, 4])
    middle = estimate("fig10.middle", frames)
    assert middle.value == pytest.approx(22.5)  # of 5000; 35 at 10,000
    assert middle.low == pytest.approx(t_interval([50, 50, 5])[0])
    assert middle.high == pytest.approx(t_interval([25, 20])[1])
    assert middle.n == 2
    assert estimate("fig10.large", frames).value == pytest.approx(0)
    # 5000 saves 1 and .8; 100 -2 and -4; 50,000 .1 and -.1.
    assert estimate("fig10.gain", frames).value == pytest.approx(0.9)


def test_where_lines_cross_over_log_n():
    digits = np.array([10, 100, 1000])
    gains = np.array(
        [[-1.0, 1, 1], [-1, -1, 3], [1, -3, 1], [1, 1, 1], [1, 1, 0], [1, 1, -1], [0, 1, 1]]
    )
    expected = [10**1.5, 10**2.25, 10**2.75, 0, 1001, 1001, 10]
    np.testing.assert_allclose(crossing(digits, gains), expected)


def test_the_crossing_and_its_ends():
    none = {digits: [10.0, 10.0] for digits in (100, 500, 1000, 5000, 10_000)}
    dropout = {100: [12.0] * 3, 500: [11.0, 11.0], 1000: [9.0, 7.0], 5000: [9.0] * 2}
    dropout[10_000] = [9.0] * 2
    none[100] = [10.0] * 3  # a size may have more draws
    frames = {"dataset_size": sizes(dropout, none)}
    found = estimate("fig10.crossing", frames)

    # The gain at 500 is -1, at 1000 1 and 3, and at 5000 1: its t interval moves the crossing.
    low, high = t_interval([1, 3])
    assert found.value == pytest.approx(500 * 2 ** (1 / 3))
    assert found.low == pytest.approx(500 * 2 ** (1 / (1 + high)), rel=0.01)
    assert found.high == pytest.approx(1000 * 5 ** (low / (low - 1)), rel=0.02)
    assert found.n == 2
    always = sizes(none | {100: [9.0] * 3}, {digits: [11.0] * 2 for digits in none})
    assert estimate("fig10.crossing", {"dataset_size": always}).value == pytest.approx(0)
    never = estimate("fig10.crossing", {"dataset_size": sizes(none, none)})
    assert (never.value, never.low, never.high) == (10_001, 10_001, 10_001)
    assert never.note.startswith(
        "dropout does not have the lower mean at 10000, the largest size: it has with 0.0 % of "
    )
    assert "largest size" not in found.note
    assert judge(CLAIMS["dropout.fig10.crossing"], never, "default").word == NOT_REPRODUCED


def averages(errors: dict) -> dict[str, pd.DataFrame]:
    return {"monte_carlo": frame(*(rows({"k": k}, test_error=e) for k, e in errors.items()))}


def test_averages_of_thinned_nets():
    frames = averages({0: [2.0, 4.0], 5: [3.0, 5.0], 21: [2.2, 4.8], 119: [2.0, 3.8]})
    agrees(estimate("fig11.small_k", frames), [50, 25])
    agrees(estimate("fig11.large_k", frames), [0, -5])
    agrees(estimate("fig11.better", frames), [0, -0.2])
    found = estimate("fig11.falls", frames)
    assert found.value == pytest.approx(np.mean([10, 25]))  # 40 and 5 before it
    assert found.low == pytest.approx(t_interval([40, 5])[0])


def test_the_least_k_that_is_as_good():
    frames = averages(
        {119: [1.0] * 4 + [2.5], 0: [2.0] * 5, 5: [2.0, 3, 3, 3, 3], 21: [3.0, 2, 2, 3, 3]}
    )
    found = estimate("fig11.k50", frames)
    assert (found.value, found.low, found.high) == (21, 5, 120)
    assert "1 of 5 nets never reach it and count as 120" in found.note
    assert "needs at least 5 values" in missing("fig11.k50", averages({0: [2.0], 5: [1.0]}))


def test_theory_is_the_largest_of_all_problems():
    found = estimate("theory.identity", {"marginal": marginal_frame()})
    assert found == exact(3 * 1e-15, 4, found.note)
    assert "digits 1e-15 (1), random 3e-15 (3)" in found.note
    broken = marginal_frame()
    broken.loc[broken.check == "ridge", "difference"] = math.nan
    assert missing("theory.ridge", {"marginal": broken}) == "ridge: a difference is not finite"


def test_the_least_and_the_largest_take_each_end_by_itself():
    parts = {"a": Estimate(2, 0, 3, 4, "x"), "b": Estimate(1.5, 1, 5, 6), "c": mean([2.0, 2.0])}
    assert least_of(parts) == Estimate(1.5, 0, 2, 2, "each of a: 2 (x), b: 1.5, c: 2")
    assert largest_of(parts, "y") == Estimate(2, 2, 5, 2, "each of a: 2 (x), b: 1.5, c: 2; y")
    reason = "b: an interval of the mean needs at least 2 values, there are 1"
    assert least_of(parts | {"b": mean([1.0])}) == NotRun(reason)
