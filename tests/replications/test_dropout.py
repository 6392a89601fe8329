"""The replication of dropout: plans, rows, and nets shared, on a few digits of noise."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
import torch

from oldschool.dropout.predict import weight_scaled
from oldschool.runs import checkpoint
from oldschool.runs.experiment import Experiment, Unit
from oldschool.runs.seeds import Seeds
from replications.srivastava2014_dropout import (
    architectures,
    dataset_size,
    gaussian,
    monte_carlo,
    rate,
    regularizers,
    training,
)
from replications.srivastava2014_dropout.digits import Digits
from replications.srivastava2014_dropout.settings import (
    ArchitecturesSettings,
    DatasetSizeSettings,
    GaussianSettings,
    MonteCarloSettings,
    RateSettings,
    RecipeSettings,
    RegularizersSettings,
    ScheduleConfig,
)
from tests.replications.configs import Settings
from tests.replications.dropout_digits import patterned

MODULES = (architectures, regularizers, gaussian, rate, dataset_size, monte_carlo)
SLOW = ScheduleConfig(rate=0.1, momentum_end=0.9)
CONFIG = Settings(
    recipe=RecipeSettings(
        digits=200, batch=20, keep_input=0.9, keep=0.8, max_norm=1.0, dropout=SLOW, plain=SLOW,
        device="cpu",
    ),
    architectures=ArchitecturesSettings(
        nets=2, block=1, layers=[2, 3], widths=[8, 12], table_width=12, wide=[16], standard=10,
        updates=30, moments=3,
    ),
    regularizers=RegularizersSettings(nets=2, block=1, sizes=[12, 12], updates=30, l1=1e-2),
    gaussian=GaussianSettings(nets=2, block=1, sizes=[12, 12], updates=30),
    rate=RateSettings(
        nets=2, block=1, sizes=[12, 12], kept=[4, 6], fixed_n=[0.5, 1.0], fixed_pn=[0.1, 1.0],
        updates=30,
    ),
    dataset_size=DatasetSizeSettings(
        small=3, large=2, block=2, sizes=[12, 12], digits=[100, 2000], updates=[30, 20]
    ),
    monte_carlo=MonteCarloSettings(
        nets=2, block=1, sizes=[12, 12], updates=30, masks=6, k=[1, 5, 6], repeats=3
    ),
)  # fmt: skip
MEASURED = ["test_wrong", "test_error", "train_error", "diverged"]
COLUMNS = {
    "architectures": [
        "layers", "width", "hidden", "way", "replicate", "updates",
        "test_wrong", "test_error", "diverged",
    ],
    "regularizers": ["way", "replicate", *MEASURED],
    "gaussian": ["noise", "replicate", *MEASURED],
    "rate": ["series", "p", "units", "replicate", *MEASURED],
    "dataset_size": ["digits", "way", "replicate", *MEASURED],
    "monte_carlo": ["replicate", "k", "repeats", "test_error", "test_error_sd", "diverged"],
}  # fmt: skip


@cache
def some_digits() -> Digits:
    return patterned(0.25, 2500, 300)


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    for module in MODULES:
        monkeypatch.setattr(module, "digits", lambda config, device="cpu": some_digits())


def experiment(module) -> Experiment:
    return next(value for value in vars(module).values() if isinstance(value, Experiment))


def rows(module, config=CONFIG) -> pd.DataFrame:
    """All units of an experiment."""
    one = experiment(module)
    units = one.plan(config, {})
    labels = [unit.label() for unit in units]
    assert len(set(labels)) == len(labels)
    return pd.concat(
        [one.run(config, unit, Seeds(0))[one.name] for unit in units], ignore_index=True
    )


@cache
def all_rows(name: str) -> pd.DataFrame:
    return rows(next(module for module in MODULES if experiment(module).name == name))


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_have_the_columns_that_figures_read(name):
    found = all_rows(name)
    assert list(found.columns) == COLUMNS[name]
    assert not found.diverged.any()
    assert found.test_error.between(0, 100).all()
    assert not found.drop(columns=["test_error_sd"], errors="ignore").isna().any().any()
    if "test_wrong" in found:
        pd.testing.assert_series_equal(
            found.test_error, found.test_wrong * 100 / 300, check_names=False
        )


def test_fig4_and_table2_are_planned():
    found = all_rows("architectures")
    last = found[found.updates == 30]
    nets = last.groupby(["layers", "width", "hidden", "way"]).replicate.nunique()
    assert nets.eq(2).all()
    curves = {(n, w, "relu", k) for n in (2, 3) for w in (8, 12) for k in CURVES}
    ends = {
        (3, 12, "logistic", "none"), (3, 12, "logistic", "dropout"), (3, 12, "relu", "dropout"),
        (2, 16, "relu", "dropout_max_norm"), (2, 10, "logistic", "none"),
    }  # fmt: skip
    assert set(nets.index) == curves | ends
    moments = found.groupby(["layers", "width", "hidden", "way", "replicate"]).updates.apply(list)
    for key, at in moments.items():
        assert at == ([10, 20, 30] if key[:4] in curves else [30])


CURVES = ("none", "dropout_max_norm")


def test_a_net_is_the_same_in_all_experiments():
    """The net with dropout and max-norm of one size has one start, one order, one course."""
    same = [
        all_rows("gaussian").query("noise == 'bernoulli'"),
        all_rows("regularizers").query("way == 'dropout_max_norm'"),
    ]
    for found in same:
        scaled = all_rows("monte_carlo").query("k == 0")
        assert found.test_error.tolist() == scaled.test_error.tolist()
    assert same[0].test_error.nunique() == 2


@pytest.mark.parametrize("name", ["regularizers", "gaussian", "rate", "dataset_size"])
def test_conditions_differ(name):
    found = all_rows(name)
    keys = [key for key in ("way", "noise", "series", "p", "digits") if key in found]
    first = found[found.replicate == 0].groupby(keys)[["test_error", "train_error"]].first()
    assert not first.duplicated().any()


def test_the_ways_are_what_they_are_called():
    recipe, settings = CONFIG.recipe, replace(CONFIG.regularizers, l1_after=0.5, updates=40)
    ways = {k: regularizers.regularizer(recipe, settings, k, 3) for k in regularizers.WAYS}
    kept = (0.9, 0.8, 0.8)
    assert {k for k, one in ways.items() if one.keep is not None} == {
        "dropout_l2", "dropout_max_norm"
    }  # fmt: skip
    assert ways["dropout_l2"].keep == ways["dropout_max_norm"].keep == kept
    assert {k for k, one in ways.items() if one.max_norm is not None} == {
        "max_norm", "dropout_max_norm"
    }  # fmt: skip
    assert ways["l2_l1"].penalties.l1_after == 20
    assert {k for k, one in ways.items() if one.penalties.l2} == {
        "l2", "l2_l1", "l2_kl", "dropout_l2"
    }  # fmt: skip
    assert {k for k, one in ways.items() if one.penalties.sparsity} == {"l2_kl"}


def test_widths_with_p_n_fixed():
    settings = CONFIG.rate
    assert rate.hidden_layers(settings, "pn_fixed", 0.1) == [40, 60]
    assert rate.hidden_layers(settings, "n_fixed", 0.1) == [12, 12]
    found = all_rows("rate")
    assert set(found[found.series == "pn_fixed"].units) == {40, 4}


def test_small_sets_are_drawn_more_often_and_never_twice_the_same():
    found = all_rows("dataset_size")
    counts = found[found.way == "none"].groupby("digits").replicate.nunique()
    assert counts.to_dict() == {100: 3, 2000: 2}
    assert found[(found.digits == 100) & (found.way == "none")].test_error.nunique() > 1


def test_the_trained_digits_are_the_sets_own():
    """A net that has seen 100 digits often knows these, and not the others."""
    settings = replace(CONFIG.dataset_size, digits=[100], updates=[400], small=2)
    found = rows(dataset_size, Settings(recipe=CONFIG.recipe, dataset_size=settings))
    plain = found[found.way == "none"]
    assert (plain.train_error == 0).all()
    assert (plain.test_error > 1).all()


def test_monte_carlo_goes_towards_the_mean_of_all_masks():
    config = Settings(
        recipe=CONFIG.recipe,
        monte_carlo=replace(CONFIG.monte_carlo, masks=40, k=[1, 40], repeats=8, nets=1),
    )
    found = rows(monte_carlo, config).set_index("k")
    assert found.loc[40, "test_error"] < found.loc[1, "test_error"]
    assert found.loc[40, "test_error_sd"] == 0  # all masks: the same mean at every draw
    assert found.loc[1, "test_error_sd"] > 0


def test_thinned_nets_are_those_of_the_keep_probabilities():
    """With p = 1 a thinned net is the net."""
    net = training.classifier([12, 12])
    start = training.start(net, CONFIG.recipe, Unit("x", {}, 0, 1), Seeds(0), torch.device("cpu"))
    x = some_digits().test_x
    found = monte_carlo.stored(net, start, (1.0, 1.0, 1.0), x, 2, 5)
    torch.testing.assert_close(found, net.outputs(start, x).expand(2, -1, -1))
    half = monte_carlo.stored(net, start, (1.0, 1.0, 0.5), x, 400, 5)
    scaled = weight_scaled(start, torch.tensor([[1.0, 1.0, 0.5]]))
    hidden = net.activities(start, x)[1]
    assert float(hidden.mean()) > 0.1
    assert float((half.mean(0) - net.outputs(scaled, x)[0]).abs().max()) < 0.05


@pytest.mark.parametrize("name", ["regularizers", "dataset_size"])
def test_rows_do_not_depend_on_the_blocks(name):
    module = next(module for module in MODULES if experiment(module).name == name)
    node = getattr(CONFIG, name)
    other = Settings(**{**vars(CONFIG), name: replace(node, block=1 if node.block == 2 else 2)})
    found = rows(module, other)
    for column in ("test_error", "train_error"):
        assert (found[column] - all_rows(name)[column]).abs().max() < 0.7  # two digits of 300


def test_a_killed_training_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "_SECONDS", 0.0)
    one, unit = experiment(architectures), architectures.plan(CONFIG, {})[0]
    whole = one.run(CONFIG, unit, Seeds(0))["architectures"]
    save = checkpoint.save
    saved = []

    def dies(state, device):
        save(state, device)
        saved.append(state()["trainer"]["step"])
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", dies)
    file = tmp_path / "unit.checkpoint"
    with pytest.raises(KeyboardInterrupt), checkpoint.kept_in(file):
        one.run(CONFIG, unit, Seeds(0))
    monkeypatch.setattr(checkpoint, "save", save)
    with checkpoint.kept_in(file):
        assert checkpoint.load(torch.device("cpu"))["trainer"]["step"] == saved[-1] == 20
        pd.testing.assert_frame_equal(one.run(CONFIG, unit, Seeds(0))["architectures"], whole)


def test_a_net_that_diverges_is_a_row_that_says_so():
    wild = replace(CONFIG.recipe, plain=ScheduleConfig(rate=1e6))
    config = Settings(recipe=wild, regularizers=CONFIG.regularizers)
    unit = regularizers.plan(config, {})[0]
    found = regularizers.run(config, unit, Seeds(0))["regularizers"]
    assert found.diverged.all()
    assert (found.test_error > 50).all()
    assert "NaN" not in json.dumps(found.to_dict("list"))


@pytest.mark.parametrize(("name", "own"), [("max_norm", True), ("dropout_max_norm", False)])
def test_max_norm_alone_has_a_schedule_of_its_own(name, own, monkeypatch):
    alone = ScheduleConfig(rate=0.07)
    config = Settings(
        recipe=CONFIG.recipe,
        regularizers=replace(CONFIG.regularizers, max_norm_schedule=alone),
    )
    seen = []
    train = regularizers.train

    def watched(net, recipe, *rest):
        seen.append(recipe.dropout)
        return train(net, recipe, *rest)

    monkeypatch.setattr(regularizers, "train", watched)
    unit = Unit("regularizers", {"way": name}, 0, 1)
    regularizers.run(config, unit, Seeds(0))
    assert seen == [alone if own else CONFIG.recipe.dropout]


def test_paper_profile_of_a_million_updates_is_the_printed_recipe():
    """Table 10's printed net, for some hundred of its updates."""
    printed = ScheduleConfig(
        rate=1.0, rate_tau=0.01, momentum_start=0.5, momentum_end=0.99, momentum_tau=0.1
    )
    recipe = RecipeSettings(digits=2500, start="authors", dropout=printed, device="cpu")
    done = training.way(recipe, "dropout_max_norm", 3)
    settings = training.settings_of(recipe, done, 1_000_000)
    assert settings.rate.at(10_000) == pytest.approx(0.5)
    assert settings.momentum.at(100_000) == pytest.approx(0.99 - 0.49 / 2.718281828)
    assert settings.keep == (0.8, 0.5, 0.5)
    net = training.classifier([1024, 1024])
    unit = Unit("gaussian", {}, 0, 1)
    begin = training.start(net, recipe, unit, Seeds(0), torch.device("cpu"))
    assert float(begin.weights[0].std()) == pytest.approx(0.001 / 32, rel=0.01)
    assert float(begin.weights[1].std()) == pytest.approx(1 / 32, rel=0.01)
    trainer, _ = training.train(net, recipe, done, some_digits(), 150, unit, Seeds(0))
    error = training.test_errors(net, trainer.at_test(), some_digits())["test_error"][0]
    assert error < 50  # by chance 90
    for weights in trainer.parameters.weights:
        assert float(weights.norm(dim=2).max()) < 3.0001
