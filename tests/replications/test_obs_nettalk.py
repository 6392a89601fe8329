"""NETtalk: the road from a trained net to its last target, and what is read off it."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from oldschool.claims.estimate import Estimate
from oldschool.curvature.sparse_inputs import active_pairs
from oldschool.data import nettalk as corpus
from oldschool.runs.experiment import Unit
from oldschool.runs.seeds import Seeds
from replications.hassibi1993_obs import nettalk, nettalk_looks
from replications.hassibi1993_obs.estimates import ESTIMATES
from replications.hassibi1993_obs.estimates.nettalk import fewest
from replications.hassibi1993_obs.selection import nettalk_at, nettalk_start
from replications.hassibi1993_obs.settings import NettalkLooksSettings, NettalkNetSettings
from tests.problems import generator
from tests.replications.configs import Settings


def nonsense(words: int, seed: int) -> corpus.Windows:
    """Words of no language, spoken by a rule: the corpus itself is not for others to publish."""
    random = generator(seed)
    lengths = torch.randint(3, 9, (words,), generator=random).tolist()
    letters = [torch.randint(0, 26, (n,), generator=random).tolist() for n in lengths]
    spoken = [corpus.PHONEMES[index] for index in corpus.CANDIDATES.tolist()]
    found = {
        "".join(chr(97 + code) for code in word): (
            "".join(spoken[code] for code in word),
            "".join(corpus.STRESSES[code % 5] for code in word),
        )
        for word in letters
    }
    return corpus.windows(found)


@pytest.fixture(scope="module")
def speech():
    train, test = nonsense(60, 1), nonsense(40, 2)
    task = train.task()
    return nettalk.Speech(task, train, test, active_pairs(task.x))


SMALL = NettalkNetSettings(
    hidden=3,
    epochs=60,
    batch=8,
    retrain_epochs=10,
    targets=[450, 250],
    floor=150,
    step=100,
    every=120,
    obd_every=50,
)


@pytest.fixture(scope="module")
def frames(speech):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nettalk, "speech", lambda folder: speech)
        config = Settings(nettalk=SMALL, data=Settings(dir=None))
        return dict(nettalk.run("nettalk", config, Unit("nettalk", {}, 0, 2), Seeds(0)))


def test_the_architectures_have_the_papers_weights():
    assert nettalk.architecture(24).weights == 5546
    assert nettalk.architecture(80).weights == 18_426
    # Sejnowski and Rosenberg give each of the 309 units a threshold, inputs included.
    assert 203 * 80 + 80 * 26 + 309 == 18_629


def test_counts_are_the_targets_and_every_step_in_between():
    assert nettalk.counts(1000, [600, 300], 200, 250) == [850, 650, 600, 450, 300, 250]
    assert nettalk.counts(600, [600, 300], 200, 300) == [500, 300]


def test_every_method_goes_the_same_road_from_the_same_net(frames):
    rows = frames["nettalk"]
    assert (rows.moment == "trained").sum() == 2
    for _, one in rows[rows.method != ""].groupby(["replicate", "method"]):
        first = one[(one.stage == 1) & (one.moment == "pruned")].weights_left.tolist()
        assert first == [650, 550, 450, 350, 250, 150]
        second = one[(one.stage == 2) & (one.moment == "pruned")].weights_left.tolist()
        assert second == [350, 250, 150]  # on from the retrained net of 450 weights
        again = one[one.moment == "retrained"]
        assert again.weights_left.tolist() == [450, 250]
        at = one[(one.moment == "pruned") & (one.weights_left == again.weights_left.iloc[0])]
        assert again.train_sse.iloc[0] < 1.001 * at.train_sse.iloc[0]
        if one.method.iloc[0] == "magnitude":  # which leaves much to make up for
            assert again.train_sse.iloc[0] < at.train_sse.iloc[0]
    looks = rows[(rows.stage == 1) & (rows.moment == "pruned")].groupby("method").looks.max()
    assert looks.obs == looks.magnitude == 5  # 713 - 150 deletions, a look every 120
    assert looks.obd == 12
    drift = rows[rows.moment == "pruned"].groupby("method").drift.max()
    assert 0 < drift.obs < 1e-8
    assert drift[["magnitude", "obd"]].isna().all()


def test_obs_keeps_the_training_error_lowest(frames):
    rows = frames["nettalk"]
    at = rows[(rows.moment == "pruned") & (rows.stage == 1) & (rows.weights_left == 550)]
    by = at.set_index(["method", "replicate"]).train_sse.unstack(0)
    assert (by.obs < by.magnitude).all()
    assert (by.obs < by.obd).all()


def test_measures_are_those_of_the_net(speech):
    net = nettalk.architecture(3)
    theta = net.uniform([generator(0)], 1.0)[0]
    found = nettalk.evaluate(net, theta, speech.train_words)
    outputs = net.outputs(theta[None], speech.train.x)
    sse = float((outputs[0].T - speech.train.t).square().sum())
    assert found["sse"] == pytest.approx(sse, rel=1e-5)
    phoneme, stress = corpus.best_guess(outputs, speech.train_words)
    assert found["phoneme"] == pytest.approx(100 * float(phoneme[0]))
    assert found["stress"] == pytest.approx(100 * float(stress[0]))


def test_an_output_that_says_the_same_to_all_is_dead(speech):
    net = nettalk.architecture(3)
    theta = net.uniform([generator(0)], 1.0)[0]
    assert nettalk.evaluate(net, theta, speech.train_words)["dead"] == 0
    net.matrices(theta[None])[1][1][0, 4:6] = -30.0  # biases of two output units
    assert nettalk.evaluate(net, theta, speech.train_words)["dead"] == 2


def test_a_net_that_diverges_is_a_row_that_says_so(speech, monkeypatch):
    monkeypatch.setattr(nettalk, "speech", lambda folder: speech)
    honest = nettalk.train

    def diverging(*arguments):
        found = honest(*arguments)
        found.theta[0] = torch.nan
        return found

    monkeypatch.setattr(nettalk, "train", diverging)
    config = Settings(nettalk=replace(SMALL, methods=["magnitude"]), data=Settings(dir=None))
    rows = nettalk.run("nettalk", config, Unit("nettalk", {}, 0, 2), Seeds(0))["nettalk"]
    assert rows[rows.replicate == 0].moment.tolist() == ["trained"]
    assert rows[rows.replicate == 0].train_sse.isna().all()
    assert nettalk_start({"nettalk": rows}).index.tolist() == [1]
    assert nettalk_at({"nettalk": rows}, "magnitude", -1, "retrained").index.tolist() == [1]


def test_connections_count_every_kept_weight_once(frames):
    rows = frames["nettalk_weights"]
    counts = rows.groupby(["replicate", "method", "stage", "weights_left"]).kept.sum()
    assert (counts == counts.index.get_level_values("weights_left")).all()
    assert set(counts.index.get_level_values("weights_left")) == {450, 250}
    whole = rows.groupby(["replicate", "method", "stage", "weights_left"]).weights.sum()
    assert (whole == nettalk.architecture(3).weights).all()


def test_looks_compare_precisions_and_how_often_h_is_computed(speech, monkeypatch):
    monkeypatch.setattr(nettalk_looks, "speech", lambda folder: speech)
    looks = NettalkLooksSettings(
        nets=1, alphas=[1e-4, 1e-12], everies=[0, 100], until=200, small_nets=1, small_hidden=1,
        small_everies=[0, 50],
    )  # fmt: skip
    config = Settings(nettalk=SMALL, nettalk_looks=looks, data=Settings(dir=None))
    units = nettalk_looks.plan(config, {})
    assert [tuple(unit.condition.values()) for unit in units] == [
        (3, 1e-4, 0), (3, 1e-12, 0), (3, 1e-4, 100), (1, 1e-4, 0), (1, 1e-4, 50),
    ]  # fmt: skip
    rows = pd.concat([nettalk_looks.run(config, unit, Seeds(0))["nettalk_looks"] for unit in units])
    good = rows[(rows.hidden == 3) & (rows.alpha == 1e-4)]
    double = good[(good.precision == "float64") & (good.every == 0)]
    single = good[good.precision == "float32"]
    assert (double.survivors_shared == 100).all()
    assert single.survivors_shared.min() > 95
    assert single.train_sse.tolist() == pytest.approx(double.train_sse.tolist(), rel=0.05)
    # Far below float32's roundoff alpha gives no inverse: a row that says why, no number.
    (refused,) = rows[(rows.alpha == 1e-12) & (rows.precision == "float32")].itertuples()
    assert "is no inverse" in refused.reason
    assert refused.train_sse != refused.train_sse
    often = good[good.every == 100]
    assert often.looks.max() == 6  # 713 - 200 deletions
    assert often.train_sse.tolist() != double.train_sse.tolist()
    assert often.train_sse.tolist()[:1] == double.train_sse.tolist()[:1]  # before a second look


def test_two_orders_part_at_the_first_other_weight():
    def order(*weights: int) -> list:
        theta, kept = torch.zeros(1), torch.ones(1, dtype=torch.bool)
        return [nettalk_looks.Step(theta, kept, 0.0, list(weights), 1, 0.0)]

    assert nettalk_looks._first_apart(order(3, 1, 2), order(3, 1, 2)) == 0
    assert nettalk_looks._first_apart(order(3, 2, 1), order(3, 1, 2)) == 2


# Estimates on rows made by hand.

TARGETS = (2438, 1560)
METHODS = {"obs": 0.0, "obd": 0.1, "magnitude": 0.2}  # added to every ratio of OBS


def hand_made() -> dict[str, pd.DataFrame]:
    rows = []

    def row(replicate, method, stage, moment, left, ratio):
        rows.append(
            {"replicate": replicate, "method": method, "stage": stage, "moment": moment,
             "weights_left": left, "test_sse": ratio * (1000.0 + replicate),
             "test_phoneme": 80.0, "train_sse": 1.0}
        )  # fmt: skip

    for replicate in range(6):
        row(replicate, "", 0, "trained", 5546, 1.0)
        for method, more in METHODS.items():
            for left in (4000, 3000, 2438, 1560):
                # Two nets go below the start's error down to 2438 weights, the rest to 3000.
                good = left >= (2438 if replicate < 2 else 3000)
                row(replicate, method, 1, "pruned", left, 0.9 + more if good else 1.1 + more)
            row(replicate, method, 1, "retrained", 2438, 0.9 + more)
            for left in (2000, 1560, 1000):
                good = left >= (1560 if replicate < 5 else 1000)
                row(replicate, method, 2, "pruned", left, 0.95 + more if good else 1.3 + more)
            row(replicate, method, 2, "retrained", 1560, 0.97 + more + 0.001 * replicate)
    frame = pd.DataFrame(rows)
    return {"nettalk": frame, "nettalk_large": frame}


def estimate(name: str) -> Estimate:
    found = ESTIMATES[name](hand_made())
    assert isinstance(found, Estimate), found
    return found


def test_fewest_is_the_count_at_the_start_where_no_pruned_net_is_as_good():
    start = pd.DataFrame({"test_sse": [1.0, 1.0], "weights_left": [9, 9]}, index=[0, 1])
    rows = pd.DataFrame(
        {"replicate": [0, 0, 0, 1], "weights_left": [7, 5, 3, 7], "test_sse": [1.2, 1.0, 1.1, 1.3]}
    )
    assert fewest(rows, start).tolist() == [5, 9]
    assert fewest(rows, start, 0.1).tolist() == [3, 9]


def test_the_middle_is_without_retraining_and_the_end_with():
    assert estimate("obs.nettalk.start").value == 5546
    assert estimate("obs.nettalk.middle").value == 3000
    assert estimate("obs.nettalk.middle").low == 2438
    end = estimate("obs.nettalk.end")
    assert (end.value, end.low, end.high, end.n) == (1560, 1000, 1560, 6)


def test_the_ratio_is_of_the_pruned_net_and_the_rivals_of_the_retrained():
    assert estimate("obs.nettalk.error_ratio").value == pytest.approx(0.95)
    assert "retrained once more: 0.97" in estimate("obs.nettalk.error_ratio").note
    assert estimate("obs.nettalk.beats_magnitude").value == pytest.approx(20)
    assert estimate("obs.nettalk.beats_obd").value == pytest.approx(10)
    assert estimate("obs.nettalk.headline").value == pytest.approx(0.95)
