"""The Gaussian task of NIPS 6: data, paths of deletions, and what is read off them."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from oldschool.claims.estimate import Estimate
from oldschool.data.gaussian import MEANS, VARIANCES, gaussian
from oldschool.nets.error import CROSS_ENTROPY
from oldschool.runs.experiment import Unit
from oldschool.runs.seeds import Seeds
from replications.hassibi1993_obs import gaussian as experiment
from replications.hassibi1993_obs import gaussian_sensitivity
from replications.hassibi1993_obs.estimates import ESTIMATES
from replications.hassibi1993_obs.gaussian_paths import (
    crossing,
    fall_on_fresh_cases,
    least_test_error,
    obd_rise,
)
from replications.hassibi1993_obs.settings import GaussianSettings, TrainingSettings
from tests.problems import generator
from tests.replications.configs import Settings

SHORT = TrainingSettings(rate=0.003, epochs=200, iterations=30, newton_iterations=150)


def settings(**changes) -> GaussianSettings:
    return GaussianSettings(samples=200, training=SHORT, retrain_epochs=5, **changes)


def test_samples_have_the_means_and_variances_of_the_paper():
    task = gaussian(generator(1), 400_000)
    for part, (mean, variance) in enumerate(zip(MEANS, VARIANCES, strict=True)):
        x = task.x[part * 100_000 :][:100_000]
        torch.testing.assert_close(
            x.mean(0), torch.tensor(mean, dtype=torch.float64), atol=0.02, rtol=0
        )
        torch.testing.assert_close(
            x.var(0), torch.tensor(variance, dtype=torch.float64), atol=0.03, rtol=0
        )
    assert task.t[:, 0].tolist() == [1.0] * 200_000 + [0.0] * 200_000


@pytest.mark.parametrize("samples", [0, -4, 6])
def test_samples_come_in_fours(samples):
    with pytest.raises(ValueError, match="multiple of 4"):
        gaussian(generator(0), samples)


def test_the_net_has_the_papers_weights():
    assert experiment.NET.weights == 64


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    config = Settings(gaussian=settings(decay=1e-4))
    return dict(experiment.run(config, Unit("gaussian", {"decay": 1e-4}, 0, 3), Seeds(0)))


def test_every_net_is_pruned_to_the_last_weight_from_the_same_start(frames):
    rows = frames["gaussian"]
    lengths = rows.groupby(["net", "method", "replicate"]).deletions.agg(["min", "max", "size"])
    assert lengths.to_numpy().tolist() == [[0, 64, 65]] * (3 * 2 * 3)
    starts = rows[rows.deletions == 0].groupby(["net", "replicate"])[["train_error", "test_error"]]
    assert (starts.nunique() == 1).all(axis=None)
    ends = rows[rows.deletions == 64]
    assert ends[ends.net != "cross-entropy"].train_error.tolist() == pytest.approx([0.125] * 12)
    nets = frames["gaussian_nets"]
    assert (nets[nets.net == "trained"].gradient_norm <= 1e-8).all()
    assert (nets[nets.net == "early"].iterations <= 200).all()
    minima = nets[nets.net == "trained"].iterations
    assert (minima > 0).all()


def test_sets_are_drawn_apart_and_replicates_do_not_depend_on_the_block(frames):
    samples = experiment.draw(range(2), 40, Seeds(0))
    assert not samples.train.x.equal(samples.test.x)
    assert not samples.train.x.equal(samples.validation.x)
    assert not samples.train.x[0].equal(samples.train.x[1])
    config = Settings(gaussian=settings(decay=1e-4))
    alone = experiment.run(config, Unit("gaussian", {"decay": 1e-4}, 2, 3), Seeds(0))["gaussian"]
    together = frames["gaussian"].query("replicate == 2").reset_index(drop=True)
    early = (together.net == "trained") & (together.deletions <= 20)
    for column in ("train_error", "test_error"):
        assert alone[early.to_numpy()][column].tolist() == pytest.approx(
            together[early][column].tolist(), rel=1e-6
        )


def test_the_first_deletion_of_each_method_is_what_it_says(frames):
    """OBS as the recursion of NIPS 6 has it, OBD with its retraining, both by hand."""
    config, seeds = settings(decay=1e-4), Seeds(0)
    samples = experiment.draw(range(1), config.samples, seeds)
    start = experiment.start_weights(config, range(1), seeds)
    trained = experiment.train_on_cross_entropy(config, samples, start, 1e-4)
    theta, x, t = trained.theta, samples.train.x[0], samples.train.t[0]
    jacobian = torch.func.jacrev(lambda w: experiment.NET.outputs(w[None], x)[0, 0])(theta[0])
    outputs = experiment.NET.outputs(theta, x)[0, 0]
    found = {}
    for method, a in (("obs", 1 / (outputs * (1 - outputs))), ("obs_plain", torch.ones(len(x)))):
        inverse = torch.eye(64, dtype=torch.float64) / config.alpha
        for row, weight in zip(jacobian, a, strict=True):
            hx = inverse @ row
            inverse = inverse - torch.outer(hx, hx) / (len(x) / weight + row @ hx)
        rise = theta[0] ** 2 / (2 * inverse.diagonal())
        q = int(rise.argmin())
        w = theta[0] - theta[0, q] / inverse[q, q] * inverse[:, q]
        w[q] = 0.0
        after = float(CROSS_ENTROPY.value(experiment.NET.outputs(w[None], x), t))
        found[method] = (float(rise[q]), after)
    rows = frames["gaussian"].query("net == 'cross-entropy' and replicate == 0 and deletions == 1")
    for method, (predicted, after) in found.items():
        (row,) = rows[rows.method == method].itertuples()
        assert row.predicted == pytest.approx(predicted, rel=1e-3)
        assert row.train_error == pytest.approx(after, rel=1e-6)


def test_one_setting_at_a_time_is_changed_on_the_same_nets(frames):
    how = settings(
        decay=1e-4, other_nets=2, block=2, other_decays=[1e-3], other_rates=[3e-4],
        other_alphas=[1e-2],
    )  # fmt: skip
    config = Settings(gaussian=how)
    units = gaussian_sensitivity.plan(config, {})
    assert [tuple(unit.condition.values()) for unit in units] == [
        (1e-4, True, 0.001, 1e-6), (1e-3, True, 0.001, 1e-6), (1e-4, False, 0.001, 1e-6),
        (1e-4, True, 3e-4, 1e-6), (1e-4, True, 0.001, 1e-2),
    ]  # fmt: skip
    main, decayed, short, slow, damped = (
        gaussian_sensitivity.run(config, unit, Seeds(0))["gaussian_sensitivity"] for unit in units
    )
    assert main.crossing.tolist() == crossing(frames["gaussian"]).tolist()[:2]
    backwards = dict(reversed(units[0].condition.items()))  # a manifest sorts its keys
    again = gaussian_sensitivity.run(config, replace(units[0], condition=backwards), Seeds(0))
    pd.testing.assert_frame_equal(again["gaussian_sensitivity"], main)
    assert (short.train_error > main.train_error).all()
    assert (decayed.largest_weight < main.largest_weight).all()
    assert slow.train_error.tolist() == damped.train_error.tolist() == main.train_error.tolist()
    assert slow.obd_rise.tolist() != main.obd_rise.tolist() == damped.obd_rise.tolist()
    assert damped.test_min_early.tolist() != main.test_min_early.tolist()


# What is read off the paths, on paths made by hand.


def hand_made() -> dict[str, pd.DataFrame]:
    paths = {  # (net, method): training error and test error of two nets, deletions 0 to 30
        ("trained", "obs"): (
            [[1.0 + 0.1 * k for k in range(31)], [1.0 + 0.1 * k for k in range(31)]],
            [[abs(k - 20) + 50.0 for k in range(31)], [abs(k - 24) + 50.0 for k in range(31)]],
        ),
        ("trained", "obd"): (
            [[1.0] + [2.95] * 30, [1.0] + [3.35] * 30],
            [[60.0] + [66.0] * 30, [80.0] + [76.0] * 30],
        ),
        ("early", "obs"): (
            [[1.0] * 31] * 2,
            [[abs(k - 11) + 50.0 for k in range(31)], [50.0] * 31],
        ),
    }
    rows = [
        {"replicate": replicate, "net": net, "method": method, "deletions": k,
         "train_error": train[replicate][k], "test_error": test[replicate][k],
         "fresh_error": 10.0 - (replicate + 1) * (k == (20, 24)[replicate])}
        for (net, method), (train, test) in paths.items()
        for replicate in range(2)
        for k in range(31)
    ]  # fmt: skip
    return {"gaussian": pd.DataFrame(rows)}


def test_crossing_is_the_first_deletion_not_below():
    assert crossing(hand_made()["gaussian"]).tolist() == [20, 24]


def test_a_crossing_may_be_asked_to_be_clear():
    rows = hand_made()["gaussian"]
    assert crossing(rows, 0.03).tolist() == [21, 25]
    assert crossing(rows, 9.0).tolist() == [30, 30]  # never: at the end


def test_a_replicate_that_diverged_is_left_out():
    rows = hand_made()["gaussian"]
    lost = (rows.replicate == 0) & (rows.net == "early") & (rows.deletions == 7)
    rows = rows.assign(train_error=rows.train_error.where(~lost, float("inf")))
    assert crossing(rows).to_dict() == {1: 24}
    assert least_test_error(rows, "trained").to_dict() == {1: 24}


def test_the_fall_is_measured_on_other_cases_than_the_choice():
    rows = hand_made()["gaussian"]
    assert fall_on_fresh_cases(rows, "trained").tolist() == pytest.approx([10.0, 20.0])


def test_least_test_error_is_the_fewest_deletions_where_it_is_least():
    rows = hand_made()["gaussian"]
    assert least_test_error(rows, "trained").tolist() == [20, 24]
    assert least_test_error(rows, "early").tolist() == [11, 0]


def test_the_rise_is_of_the_mean_over_the_first_22_deletions():
    assert obd_rise(hand_made()["gaussian"]).tolist() == pytest.approx([10.0, -5.0])


def test_estimates_read_the_nets_they_name():
    frames = hand_made()
    many = pd.concat(
        [frames["gaussian"].assign(replicate=lambda f, k=k: f.replicate + 2 * k) for k in range(5)]
    )
    found = {name: ESTIMATES[name]({"gaussian": many}) for name in ESTIMATES if "gaussian" in name}
    assert all(isinstance(one, Estimate) and one.n == 10 for one in found.values())
    assert found["obs.gaussian.crossing"].value == 22
    assert (found["obs.gaussian.crossing"].low, found["obs.gaussian.crossing"].high) == (20, 24)
    assert found["obs.gaussian.test_min"].value == 22
    assert found["obs.gaussian.test_min_early"].value == 5.5
    assert found["obs.gaussian.obd_test_rises"].value == pytest.approx(2.5)
