"""Dropout's features: what is measured of them, autoencoders, Boltzmann machines, section 9."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from oldschool.dropout.network import Architecture
from oldschool.dropout.rbm import Rbm
from oldschool.runs.experiment import Experiment, Unit
from oldschool.runs.seeds import Seeds
from replications.srivastava2014_dropout import features, marginal, measures, rbm
from replications.srivastava2014_dropout.digits import Digits
from replications.srivastava2014_dropout.settings import (
    FeaturesSettings,
    MarginalSettings,
    RbmSettings,
    RecipeSettings,
    ScheduleConfig,
)
from tests.problems import generator
from tests.replications.configs import Settings
from tests.replications.dropout_digits import patterned

CONFIG = Settings(
    recipe=RecipeSettings(device="cpu"),
    features=FeaturesSettings(
        nets=3,
        block=2,
        units=20,
        digits=1000,
        updates=300,
        drawn=4,
        schedule=ScheduleConfig(rate=0.01, momentum_start=0.9, momentum_end=0.9),
    ),
    rbm=RbmSettings(nets=3, block=2, units=15, digits=500, epochs=8, drawn=4),
    marginal=MarginalSettings(problems=3, digits=200, updates=300, nets=2),
)
COLUMNS = {
    "features": [
        "way", "replicate", "effective_pixels", "mean_activation", "near_zero", "dead",
        "neighbour_correlation", "train_mse", "test_mse", "diverged",
    ],
    "feature_weights": ["way", "unit", "pixel", "value"],
    "feature_activations": ["way", "low", "high", "share"],
    "rbm": [
        "way", "replicate", "dead", "neighbour_correlation", "near_zero", "mean_activation",
        "reconstruction_mse", "diverged",
    ],
    "rbm_weights": ["way", "unit", "pixel", "value"],
    "rbm_activations": ["way", "low", "high", "share"],
    "marginal": ["check", "problem", "data", "p", "difference"],
    "marginal_path": ["p", "replicate", "updates", "averaged", "last"],
}  # fmt: skip


@cache
def some_digits() -> Digits:
    return patterned(0.9, 1000, 300)


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    for module in (features, rbm, marginal):
        monkeypatch.setattr(module, "digits", lambda config, device="cpu": some_digits())


def frames(experiment: Experiment, config=CONFIG) -> dict[str, pd.DataFrame]:
    found = [experiment.run(config, unit, Seeds(0)) for unit in experiment.plan(config, {})]
    return {
        name: pd.concat([one[name] for one in found], ignore_index=True)
        for name in experiment.frames
    }


# --- measures ----------------------------------------------------------------------------


def test_effective_pixels():
    w = torch.zeros(3, 50)
    w[0, 7] = -2.0
    w[1] = torch.tensor([0.3, -0.3]).repeat(25)
    w[2, :10] = 1.0
    torch.testing.assert_close(measures.effective_pixels(w).float(), torch.tensor([1.0, 50, 10]))


def test_neighbour_correlation_is_that_of_a_loop():
    w = torch.randn(2, 784, generator=generator(1))
    varying = torch.rand(784, generator=generator(2)) < 0.8
    for unit, found in zip(w, measures.neighbour_correlation(w, varying), strict=True):
        pairs = []
        for y in range(28):
            for x in range(28):
                for there in ((y, x + 1), (y + 1, x)):
                    if max(there) < 28:
                        a, b = 28 * y + x, 28 * there[0] + there[1]
                        if varying[a] and varying[b]:
                            pairs.append((float(unit[a]), float(unit[b])))
        assert float(found) == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])


def test_neighbour_correlation_of_coarse_and_of_fine_features():
    y, x = np.mgrid[:28, :28]
    coarse = np.sin(x / 6) * np.sin(y / 6)
    fine = (-1.0) ** (x + y)
    both = torch.tensor(np.stack([coarse, fine]).reshape(2, -1))
    found = measures.neighbour_correlation(both, torch.ones(784, dtype=torch.bool))
    assert found[0] > 0.9
    assert found[1] == pytest.approx(-1)


def test_a_histogram_has_all_and_zeros_by_themselves():
    values = torch.tensor([[0.0, 0.0, 0.05], [0.95, 7.0, 0.5]])
    found = measures.histogram(values, 1.0)
    assert found.share.sum() == pytest.approx(100)
    assert found.iloc[0].to_dict() == {"low": 0, "high": 0, "share": pytest.approx(100 / 3)}
    assert found.iloc[-1].share == pytest.approx(100 / 6)  # 7 is in the last bin
    assert (found.high - found.low)[1:].to_numpy() == pytest.approx(1 / 50)


# --- autoencoders ------------------------------------------------------------------------


def test_frames_have_the_columns_that_figures_read():
    for experiment in (features.FEATURES, rbm.RBM, marginal.MARGINAL):
        for name, found in frames(experiment).items():
            assert list(found.columns) == COLUMNS[name], name
            assert not found.isna().any().any(), name


def test_activations_are_measured_with_all_units_kept_and_unscaled():
    unit = Unit("features", {"way": "dropout"}, 0, 1)
    net = Architecture((784, 20, 784), output="logistic")
    trainer = features.trained(net, CONFIG.features, "dropout", some_digits(), unit, Seeds(0))
    w, b = trainer.parameters.weights[0][0], trainer.parameters.biases[0][0]
    hidden = torch.relu(some_digits().test_x @ w.T + b)
    row = features.run(CONFIG, unit, Seeds(0))["features"].iloc[0]
    assert row.mean_activation == pytest.approx(float(hidden.mean()), rel=1e-5)
    near = 100 * float((hidden < 0.1 * hidden.mean()).double().mean())
    assert row.near_zero == pytest.approx(near, abs=0.1)
    assert row.dead == 100 * float((hidden.amax(0) == 0).double().mean())
    v, c = trainer.parameters.weights[1][0], trainer.parameters.biases[1][0]
    seen = torch.sigmoid(hidden @ (0.5 * v).T + c)  # p W at test
    mse = float((seen - some_digits().test_x).square().mean())
    assert row.test_mse == pytest.approx(mse, rel=1e-4)


def test_features_are_measured_over_units_in_use_and_pixels_that_vary(monkeypatch):
    """One unit is never active; a border of the images is blank, so its weights stay."""
    all_digits, blank = some_digits(), torch.arange(784) < 5 * 28
    border = replace(
        all_digits,
        train_x=all_digits.train_x.masked_fill(blank, 0),
        test_x=all_digits.test_x.masked_fill(blank, 0),
    )
    monkeypatch.setattr(features, "digits", lambda config, device="cpu": border)
    trained, kept = features.trained, []

    def with_a_dead_unit(*args):
        trainer = trained(*args)
        trainer.parameters.biases[0][:, 2] = -1e3
        kept.append(trainer.parameters.weights[0][0].double().numpy())
        return trainer

    monkeypatch.setattr(features, "trained", with_a_dead_unit)
    unit = Unit("features", {"way": "none"}, 0, 1)
    little = replace(CONFIG.features, updates=3, schedule=ScheduleConfig(rate=1e-4))
    short = Settings(recipe=CONFIG.recipe, features=little)
    found = features.run(short, unit, Seeds(0))
    squares = [w[5 * 28 :] ** 2 for k, w in enumerate(kept[0]) if k != 2]
    pixels = [square.sum() ** 2 / (square**2).sum() for square in squares]
    row = found["features"].iloc[0]
    assert row.dead == pytest.approx(100 / 20)
    assert row.effective_pixels == pytest.approx(np.mean(pixels))
    assert list(found["feature_weights"].unit.unique()) == [0, 1, 3, 4]


def test_autoencoders_learn_and_the_first_is_drawn():
    found = frames(features.FEATURES)
    x = some_digits().test_x
    means = found["features"].groupby("way").test_mse.mean()
    assert (means < float(x.var(0).mean())).all()
    assert means["none"] < means["dropout"]
    drawn = found["feature_weights"].groupby(["way", "unit"]).size()
    assert (drawn == 784).all()
    assert drawn.groupby("way").size().between(1, 4).all()
    shares = found["feature_activations"].groupby("way").share.sum()
    assert shares.to_numpy() == pytest.approx([100, 100])


@pytest.mark.parametrize("experiment", [features.FEATURES, rbm.RBM], ids=["features", "rbm"])
def test_rows_do_not_depend_on_the_blocks(experiment):
    node = replace(getattr(CONFIG, experiment.name), block=1)
    other = Settings(**{**vars(CONFIG), experiment.name: node})
    a, b = (frames(experiment, config)[experiment.name] for config in (CONFIG, other))
    numbers = a.select_dtypes("number").columns
    np.testing.assert_allclose(a[numbers], b[numbers], rtol=2e-2, atol=0.2)


# --- Boltzmann machines ------------------------------------------------------------------


def test_machines_learn_and_keep_what_is_drawn():
    found = frames(rbm.RBM)
    x = some_digits().test_x
    assert (found["rbm"].reconstruction_mse < float(x.var(0).mean())).all()
    assert found["rbm"].near_zero.between(0, 100).all()
    assert len(found["rbm_weights"]) == 2 * 4 * 784
    assert found["rbm_activations"].groupby("way").share.sum().to_numpy() == pytest.approx(100)


def test_dead_units_are_those_that_do_not_vary():
    """Machines that have not been trained, and whose weights are next to nothing."""
    still = Settings(recipe=CONFIG.recipe, rbm=replace(CONFIG.rbm, rate=1e-9, epochs=1, drawn=1))
    found = frames(rbm.RBM, still)["rbm"]
    # sd .01 a weight, some 118 of 784 pixels on: P(h = 1) varies by some .02 over digits
    assert (found.dead < 20).all()
    assert (found.mean_activation - 0.5).abs().max() < 0.05


@pytest.mark.parametrize(("way", "p"), [("none", 1.0), ("dropout", 0.5)])
def test_machines_are_measured_with_all_units_kept(monkeypatch, way, p):
    """Two units that say the same of every digit are dead, whichever way they say it."""
    x, draw = some_digits().test_x.double().numpy(), np.random.default_rng(1)
    w, a, b = draw.normal(0, 0.3, (15, 784)), draw.normal(0, 1, 784), draw.normal(-2, 1, 15)
    w[3] = w[5] = 0
    b[3], b[5] = -4, 4
    tensors = [torch.from_numpy(part).float()[None] for part in (w, a, b)]
    monkeypatch.setattr(rbm, "train_rbm", lambda *args, **settings: Rbm(*tensors))
    found = rbm.run(CONFIG, Unit("rbm", {"way": way}, 0, 1), Seeds(0))
    means = 1 / (1 + np.exp(-(x @ w.T + b)))
    seen = 1 / (1 + np.exp(-(p * means @ w + a)))
    live = [k for k in range(15) if k not in (3, 5)]
    assert means.std(0)[live].min() > 0.02
    row = found["rbm"].iloc[0]
    assert row.dead == pytest.approx(100 * 2 / 15)
    assert row.near_zero == pytest.approx(100 * (means < 0.1).mean(), abs=0.05)
    assert row.mean_activation == pytest.approx(means.mean(), rel=1e-5)
    assert row.reconstruction_mse == pytest.approx(((seen - x) ** 2).mean(), rel=1e-4)
    alike = measures.neighbour_correlation(torch.from_numpy(w[live]), some_digits().varying)
    assert row.neighbour_correlation == pytest.approx(float(alike.mean()), abs=1e-6)
    assert list(found["rbm_weights"].unit.unique()) == [0, 1, 2, 4]


# --- section 9 ---------------------------------------------------------------------------


def test_the_identity_and_the_ridge_hold():
    found = frames(marginal.MARGINAL)["marginal"]
    assert set(found.p) == {0.5, 0.8}
    assert found.groupby(["check", "data"]).size().to_dict() == {
        ("identity", "random"): 6, ("ridge", "digits"): 2, ("ridge", "random"): 6
    }  # fmt: skip
    assert found.difference.max() < 1e-9


def test_another_penalty_is_told_from_ridge(monkeypatch):
    x = torch.randn(30, 5, generator=generator(1), dtype=torch.float64)
    y = torch.randn(30, 2, generator=generator(2), dtype=torch.float64)
    assert marginal.ridges(x, y, 0.5) < 1e-12
    right = marginal.ridge
    monkeypatch.setattr(marginal, "ridge", lambda x, y, p: right(x, y, p - 0.01))
    assert marginal.ridges(x, y, 0.5) > 1e-3


def test_the_path_comes_nearer():
    path = frames(marginal.MARGINAL)["marginal_path"]
    assert path.groupby(["p", "replicate"]).size().nunique() == 1
    for _, one in path.groupby(["p", "replicate"]):
        assert one.updates.iloc[-1] == 300
        assert one["last"].iloc[-1] < 0.8 * one["last"].iloc[0]
        assert math.isfinite(one.averaged.sum())
