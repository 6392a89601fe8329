"""The replication of Optimal Brain Damage: its nets and its experiments, on few digits."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import Tensor

from oldschool.claims.claim import load_claims
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data import usps
from oldschool.data.task import Task
from oldschool.errors import ConfigError, DataError
from oldschool.nets.planes import Dense, Planes
from oldschool.nets.stack import Stack
from oldschool.pruning.rounds import LeastFirst, magnitude
from oldschool.report.speed import CLASSIFICATION
from oldschool.runs.experiment import Experiment, Unit
from oldschool.runs.seeds import Seeds
from replications.lecun1989_obd import (
    REPLICATION,
    deletion,
    diagonals,
    digits,
    interactive,
    nets,
    passes,
    retraining,
    shares,
    tables,
    trainings,
)
from replications.lecun1989_obd.estimates import ESTIMATES
from replications.lecun1989_obd.settings import (
    METHODS,
    DeletionSettings,
    DiagonalsSettings,
    DigitsSettings,
    InteractiveSettings,
    RetrainingSettings,
    ScheduleConfig,
    SharesSettings,
    TrainingsSettings,
)
from tests.problems import generator
from tests.replications.configs import Settings

N = 2578
TRAIN, TEST = 160, 90
AGAIN = ScheduleConfig(rate=5e-4, passes=0.2, batch=8, looked_at=20)
CONFIG = Settings(
    digits=DigitsSettings(nets=3, block=2, schedule=ScheduleConfig(passes=1.0, looked_at=20)),
    diagonals=DiagonalsSettings(nets=2, samples=3, drawn=1),
    deletion=DeletionSettings(
        nets=2, deleted=[60, 200, 420], obs_samples=30, exact_samples=2, quadratic_samples=20,
        other_alphas=[1e-2], other_nets=1,
    ),
    retraining=RetrainingSettings(
        nets=2, block=2, few=1, share=0.1, to=400, obs_samples=30, schedule=AGAIN
    ),
    shares=SharesSettings(nets=2, deleted=600, passes=1, samples=10, singly=1),
    trainings=TrainingsSettings(nets=2, passes=0.3, deleted=[50, 400]),
    interactive=InteractiveSettings(
        nets=2, block=2, schedule=ScheduleConfig(passes=0.3, looked_at=20), removed_passes=0.2,
        share=0.3, to=2440, retraining=replace(AGAIN, passes=0.1),
    ),
)  # fmt: skip
MEASURES = ["train_mse", "train_wrong", "test_mse", "test_wrong", "test_rejects"]


# --- claims ------------------------------------------------------------------------------


def test_every_claim_has_an_estimate_or_a_reason_why_not():
    claims = load_claims(REPLICATION.folder)
    assert set(ESTIMATES) == {claim.id for claim in claims if not claim.not_run}
    assert {claim.id for claim in claims if claim.not_run} == {"obd.base.reject_all"}


def test_claims_and_artefacts_read_frames_that_experiments_make():
    frames = {frame for experiment in REPLICATION.experiments for frame in experiment.frames}
    for claim in load_claims(REPLICATION.folder):
        assert set(claim.frames) <= frames, claim.id
        assert claim.frames or claim.not_run, claim.id
    for artefact in (*REPLICATION.figures, *REPLICATION.tables):
        assert set(artefact.needs) <= frames | {CLASSIFICATION}, artefact.name  # of `make bench`


def test_all_published_values_are_there():
    facts = Path(os.environ.get("OLDSCHOOL_DATA", ""), "..", "papers", "claims.csv")
    if "OLDSCHOOL_DATA" not in os.environ or not facts.exists():
        pytest.skip("no list of published claims beside the data (OLDSCHOOL_DATA)")
    with facts.open() as file:
        published = {row["id"]: row["paper_value"] for row in csv.DictReader(file)}
    ours = {claim.id: claim.paper_value for claim in load_claims(REPLICATION.folder)}
    theirs = {name: value for name, value in published.items() if name.startswith("obd.")}
    assert set(theirs) <= set(ours)
    for name, value in theirs.items():
        # "A factor of four" is 9760 / 2578.
        if isinstance(ours[name], float) and name != "obd.factor4":
            assert float(value) == ours[name], name


# --- the papers' nets --------------------------------------------------------------------


def table_of(net: Stack) -> list[tuple[str, int, int, int]]:
    """Name, units, connections and parameters of each layer."""
    return [
        (
            layer.name,
            layer.scheme.above.units,
            int(layer.scheme.uses.sum()),
            layer.scheme.weights + layer.scheme.biases,
        )
        for layer in net.layers
    ]


def test_the_small_net_is_the_papers():
    net = nets.small_net("lecun_tanh")
    assert table_of(net) == [
        ("H1", 4 * 24 * 24, 59_904, 104),
        ("H2", 4 * 12 * 12, 2880, 8),
        ("H3", 12 * 8 * 8, 32_768, 512),
        ("H4", 12 * 4 * 4, 960, 24),
        ("output", 10, 1930, 1930),
    ]
    assert nets.counts(net) == {"parameters": 2578, "connections": 98_442, "units": 4634}
    read = [set(row) for row in nets.H3_TABLE]
    assert sum(len(row) for row in read) == 20
    assert sorted(len(row) for row in read) == [1] * 4 + [2] * 8
    assert all(row <= {0, 1} for row in read[:6])  # two modules
    assert all(row <= {2, 3} for row in read[6:])


def test_the_larger_net_is_the_papers():
    net = nets.large_net("lecun_tanh")
    assert table_of(net) == [
        ("H1", 768, 19_968, 1068),
        ("H2", 192, 38_592, 2592),
        ("H3", 30, 5790, 5790),
        ("output", 10, 310, 310),
    ]
    assert nets.counts(net) == {"parameters": 9760, "connections": 64_660, "units": 1256}
    assert all(len(row) == 8 for row in nets.H2_TABLE)
    assert [sum(plane in row for row in nets.H2_TABLE) for plane in range(12)] == [8] * 12
    small = nets.without_h3("lecun_tanh")
    assert table_of(small)[:2] == table_of(net)[:2]
    assert (small.weights, table_of(small)[2]) == (5590, ("output", 10, 1930, 1930))


@pytest.mark.parametrize(
    ("name", "table", "make"),
    [
        ("H3_TABLE", ((0, 1), *nets.H3_TABLE[1:]), nets.small_net),
        ("H2_TABLE", (*nets.H2_TABLE[:-1], tuple(range(9))), nets.large_net),
    ],
)
def test_a_net_with_other_counts_is_not_the_papers(monkeypatch, name, table, make):
    make.__wrapped__("tanh")
    monkeypatch.setattr(nets, name, table)
    with pytest.raises(AssertionError, match="the net is not the paper's"):
        make.__wrapped__("tanh")


# --- what is measured --------------------------------------------------------------------


def task(x: list[float], right: list[int]) -> Task:
    targets = [[1.0, -1.0] if k == 0 else [-1.0, 1.0] for k in right]
    return Task(torch.tensor(x)[:, None].double(), torch.tensor(targets).double())


def test_measures_by_hand():
    net = Stack((Dense(Planes(1), 2),), "linear")
    theta = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]]).double()  # (x, -x), (.5, 0)
    data = digits.Digits(
        task([0.5, -1.0, 2.0], [0, 1, 1]), task([1.0, 0.25, -0.5, -2.0], [0, 1, 1, 1])
    )
    found = digits.measures(net, theta, data)
    assert set(found) == set(MEASURES)
    assert found["train_mse"] == pytest.approx(
        [(0.25 + 0.25 + 0 + 0 + 9 + 9) / 6, (0.25 + 1 + 2.25 + 1 + 2.25 + 1) / 6]
    )
    assert found["train_wrong"] == pytest.approx([100 / 3, 200 / 3])
    assert found["test_mse"] == pytest.approx(
        [(1.25**2 + 1.25**2 + 0.25 + 0.25 + 1 + 1) / 8, (0.25 + 1 + 3 * (2.25 + 1)) / 8]
    )
    assert found["test_wrong"] == pytest.approx([25.0, 75.0])
    # The wrong one is the least sure; of those equally sure the first counts.
    assert found["test_rejects"] == pytest.approx([25.0, 75.0])


def rejects(margins: list[float], missed: set[int], allowed: float = 0.01) -> float:
    best = torch.tensor([[0.5 + margin for margin in margins], [0.5] * len(margins)])
    right = torch.tensor([k not in missed for k in range(len(margins))])
    return digits.rejects(best, right, allowed)


def test_rejects_by_hand():
    assert rejects([0.4, 0.1, 0.3, 0.2], set()) == 0.0
    assert rejects([0.4, 0.1, 0.3, 0.2], {1}) == 25.0  # the least sure
    assert rejects([0.4, 0.1, 0.3, 0.2], {3}) == 50.0  # and the one that is less sure
    assert rejects([0.4, 0.1, 0.3, 0.2], {0}) == 100.0  # no digit can be taken before it
    # A quarter may be wrong: the most sure one is paid for by three right ones.
    assert rejects([0.4, 0.1, 0.3, 0.2], {0}, allowed=0.25) == 0.0
    assert rejects([0.4, 0.1, 0.3, 0.2], {2}, allowed=0.3) == 0.0
    assert rejects([0.4, 0.1, 0.3, 0.2], {1, 2}, allowed=0.4) == 25.0
    # One of a hundred is one per cent, and of ninety-nine it is more.
    margins = [1 - k / 1000 for k in range(100)]
    assert rejects(margins, {0}) == 0.0
    assert rejects(margins, {50}) == 0.0
    assert rejects(margins[:99], {50}) == pytest.approx(100 * 49 / 99)
    assert rejects([1 - k / 1000 for k in range(300)], {0, 1, 2}) == 0.0
    assert rejects([1 - k / 1000 for k in range(299)], {0, 1, 2}) == 100.0


def test_outputs_are_the_same_in_parts():
    net = nets.large_net("lecun_tanh")
    theta = net.uniform([generator(seed) for seed in range(11)], 2.4)
    x = torch.rand(70, 256, generator=generator(0), dtype=torch.float64)
    torch.testing.assert_close(digits.outputs(net, theta, x), net.outputs(theta, x))


# --- experiments -------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def few_digits() -> Iterator[usps.Usps]:
    """The first digits of both sets in place of all of them."""
    whole = usps.usps()
    few = usps.Usps(
        Task(whole.train.x[:TRAIN], whole.train.t[:TRAIN]),
        Task(whole.test.x[:TEST], whole.test.t[:TEST]),
        whole.train_labels[:TRAIN],
        whole.test_labels[:TEST],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(usps, "usps", lambda: few)
        digits.digits.cache_clear()
        yield few
    digits.digits.cache_clear()


READ = usps.usps.__wrapped__  # reads the file each time
Rows = dict[str, pd.DataFrame]


def run_unit(experiment: Experiment, unit: Unit, earlier: Rows, config: Settings = CONFIG) -> Rows:
    """A unit's rows; it gets those of its own nets."""
    if not experiment.reads:
        return dict(experiment.run(config, unit, Seeds(0)))
    own = {
        name: earlier[name][earlier[name].replicate.isin(unit.replicates)]
        for name in experiment.reads
    }
    return dict(experiment.run(config, unit, Seeds(0), own))


def run_all(experiment: Experiment, earlier: Rows) -> Rows:
    parts = [run_unit(experiment, unit, earlier) for unit in experiment.plan(CONFIG, earlier)]
    assert all(set(part) == set(experiment.frames) for part in parts)
    return {
        name: pd.concat([part[name] for part in parts if len(part[name])])
        for name in experiment.frames
    }


@pytest.fixture(scope="module")
def trained(few_digits) -> Rows:
    return run_all(digits.DIGITS, {})


def weights(trained: Rows, count: int) -> Tensor:
    rows = trained["digit_weights"]
    return digits.weights_of(rows[rows.replicate < count], torch.float32)


def same(found: pd.DataFrame, expected: pd.DataFrame, columns: list[str] = MEASURES) -> None:
    """The same nets: rounding apart, as other nets stand beside them in a batch."""
    for column in columns:
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-4, err_msg=column)


def test_the_digits_lie_in_the_middle_of_the_field(few_digits):
    found = digits.digits(28, torch.float32)
    fields = found.train.x.view(-1, 28, 28)
    assert fields.dtype == torch.float32
    assert fields[:, 6:22, 6:22].equal(few_digits.train.x.view(-1, 16, 16).float())
    around = torch.ones(28, 28, dtype=torch.bool)
    around[6:22, 6:22] = False
    assert set(fields[:, around].unique().tolist()) == {-1.0}
    assert found.test.t.equal(few_digits.test.t.float())
    whole = digits.digits(16, torch.float64)
    assert whole.test.x.equal(few_digits.test.x)


@pytest.mark.parametrize("experiment", REPLICATION.experiments, ids=lambda one: one.name)
def test_a_damaged_file_of_digits_is_one_clear_line(monkeypatch, tmp_path, experiment):
    monkeypatch.setattr(usps, "usps", READ)
    assert experiment.data(CONFIG) == {"usps": usps.SHA256}
    damaged = tmp_path / "usps.npz"
    damaged.write_bytes(Path(usps.__file__).with_name(usps.FILE).read_bytes()[:-1])
    monkeypatch.setattr(usps, "FILE", str(damaged))
    with pytest.raises(DataError, match=r"usps\.npz is damaged"):
        experiment.data(CONFIG)


def test_digit_nets_are_the_papers_and_measured_as_they_are_stored(trained):
    rows, table = trained["digit_nets"], trained["digit_weights"]
    assert [
        (unit.start, unit.stop) for unit in digits.plan(CONFIG, {})
    ] == [(0, 2), (2, 3)]  # fmt: skip
    assert rows.replicate.tolist() == [0, 1, 2]
    for name, value in nets.SMALL.items():
        assert set(rows[name]) == {value}
    assert len(table) == 3 * N
    theta = weights(trained, 3)
    net, data = nets.small_net("lecun_tanh"), digits.digits(28, torch.float32)
    same(rows, pd.DataFrame(digits.measures(net, theta, data)))
    np.testing.assert_allclose(rows.largest_weight, theta.abs().amax(1).numpy())
    gradient = recursive_diagonal(net, theta, data.train).gradient
    np.testing.assert_allclose(rows.gradient_norm, gradient.norm(dim=1).numpy(), rtol=1e-4)
    assert not rows.diverged.any()
    assert (theta[0] != theta[1]).all()


def test_a_net_is_the_same_in_any_block():
    config = Settings(digits=replace(CONFIG.digits, precision="float64"))
    both = run_unit(digits.DIGITS, Unit("digits", {}, 0, 2), {}, config)
    alone = run_unit(digits.DIGITS, Unit("digits", {}, 1, 2), {}, config)
    second = both["digit_weights"].query("replicate == 1").value
    np.testing.assert_allclose(alone["digit_weights"].value, second, rtol=1e-9, atol=1e-12)


def test_a_net_that_diverged_is_a_row_that_says_so():
    wild = replace(CONFIG.digits, unit="linear", schedule=ScheduleConfig(rate=10.0, looked_at=5))
    config = Settings(digits=wild)
    rows = run_unit(digits.DIGITS, Unit("digits", {}, 0, 1), {}, config)["digit_nets"]
    assert rows.diverged.tolist() == [True]
    assert not np.isfinite(rows.train_mse).any()


# --- diagonals ---


@pytest.fixture(scope="module")
def diagonal_rows(trained) -> Rows:
    return run_all(diagonals.DIAGONALS, trained)


def test_diagonals_are_compared_layer_by_layer(diagonal_rows, trained):
    rows, drawn = diagonal_rows["diagonals"], diagonal_rows["diagonal_weights"]
    layers = {"all": N, "H1": 104, "H2": 8, "H3": 512, "H4": 24, "output": 1930}
    assert rows.groupby(["replicate", "form"]).layer.apply(list).tolist() == [[*layers]] * 6
    assert (rows.weights == rows.layer.map(layers)).all()
    assert (rows[rows.form != "full"].negative == 0).all()
    assert drawn.weight.tolist() == list(range(N))
    assert set(drawn.replicate) == {0}
    np.testing.assert_allclose(drawn.value, weights(trained, 1)[0].numpy())
    first = rows[rows.replicate == 0].set_index(["form", "layer"])
    for form in diagonals.FORMS[1:]:
        for layer in layers:
            part = drawn if layer == "all" else drawn[drawn.layer == layer]
            row, ours, exact = first.loc[form, layer], part[form], part.exact
            assert row.negative == (ours < 0).sum()
            assert row.negative_exact == (exact < 0).sum()
            ranks = np.corrcoef(ours.rank(), exact.rank())[0, 1]
            assert row.rank_correlation == pytest.approx(ranks)
            saliency = stats.spearmanr(ours * part.value**2, exact * part.value**2).statistic
            assert row.saliency_correlation == pytest.approx(saliency)
            assert row.sum_ratio == pytest.approx(sum(ours) / sum(exact))
            assert row.median_ratio == pytest.approx((ours / exact).median())


def test_the_last_layers_diagonal_is_exact(diagonal_rows):
    last = diagonal_rows["diagonal_weights"].query("layer == 'output'")
    np.testing.assert_allclose(last.full, last.exact, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(last.lm, last.gauss_newton, rtol=1e-3, atol=1e-6)


def test_the_field_has_the_saliency_of_the_first_kernels(diagonal_rows, few_digits):
    field, drawn = diagonal_rows["field"], diagonal_rows["diagonal_weights"]
    assert field.groupby("replicate").size().tolist() == [784] * 2
    kernels = drawn[drawn.weight < 100]
    saliency = (kernels.lm * kernels.value**2 / 2).sum()
    first = field[field.replicate == 0]
    assert first.saliency.sum() == pytest.approx(saliency, rel=1e-4)
    ink = first.pivot(index="row", columns="column", values="ink").to_numpy()
    expected = few_digits.train.x[:3].view(3, 16, 16).mean(0).numpy()
    np.testing.assert_allclose(ink[6:22, 6:22], expected, atol=1e-6)
    assert (ink[:6] == -1).all()


# --- deletion ---


@pytest.fixture(scope="module")
def deletion_rows(trained) -> Rows:
    return run_all(deletion.DELETION, trained)


def seen_by(monkeypatch: pytest.MonkeyPatch, module) -> list[Tensor]:
    """The weights of all nets that a module measures."""
    seen, measures = [], module.measures

    def looking(net, theta, data):
        seen.append(theta.clone())
        return measures(net, theta, data)

    monkeypatch.setattr(module, "measures", looking)
    return seen


def test_units_of_deletion():
    units = deletion.plan(CONFIG, {})
    assert [(*unit.condition.values(), unit.start, unit.stop) for unit in units] == [
        ("magnitude", 0, 2), ("obd", 0, 2), ("obd_lm", 0, 2), ("obd_exact", 0, 2),
        ("random", 0, 2), ("obs", 1e-4, 0, 1), ("obs", 1e-4, 1, 2), ("obs", 1e-2, 0, 1),
    ]  # fmt: skip
    without = replace(CONFIG.deletion, methods=["obd"])
    config = Settings(digits=CONFIG.digits, deletion=without)
    assert [unit.condition["method"] for unit in deletion.plan(config, {})] == ["obd"]
    # No more nets than there are.
    config = Settings(digits=replace(CONFIG.digits, nets=1), deletion=CONFIG.deletion)
    assert {unit.stop for unit in deletion.plan(config, {})} == {1}


def test_all_methods_delete_from_the_same_nets(deletion_rows, trained):
    rows = deletion_rows["deletion"]
    assert set(rows.method) == set(METHODS)
    ways = rows.fillna({"alpha": 0.0}).groupby(["method", "alpha", "replicate"])
    assert len(ways) == 5 * 2 + 3
    for _, way in ways:
        assert way.deleted.tolist() == [0, 60, 200, 420]
        assert way.foreseen.iloc[0] == 0.0
    for replicate, start in rows[rows.deleted == 0].groupby("replicate"):
        net = trained["digit_nets"].query(f"replicate == {replicate}")
        same(start, pd.concat([net] * len(start)))
    assert rows[rows.method != "obs"].alpha.isna().all()
    assert sorted(rows[rows.method == "obs"].alpha.unique()) == [1e-4, 1e-2]


def test_who_foresees_what(deletion_rows):
    rows = deletion_rows["deletion"].query("deleted > 0")
    nothing = rows.method.isin(["magnitude", "random"])
    assert rows[nothing].foreseen.isna().all()
    assert rows[~nothing].foreseen.notna().all()
    for method in ("obd_lm", "obs"):
        for _, way in rows[rows.method == method].groupby(["alpha", "replicate"], dropna=False):
            assert way.foreseen.is_monotonic_increasing
            assert (way.foreseen > 0).all()
    for term in deletion.TERMS:
        assert (rows[term].notna() == (rows.method == "obd")).all()


def test_what_is_foreseen_is_in_units_of_the_mean_square(deletion_rows, trained):
    """OBD's sum of saliencies, and both other terms, by automatic differentiation."""
    net, data = nets.small_net("lecun_tanh"), digits.digits(28, torch.float32)
    theta = weights(trained, 1)[0].double()
    whole = digits.digits(28, torch.float64).train
    h = recursive_diagonal(net, theta[None], whole).diagonal[0]
    saliency = h * theta**2 / 2
    rows = deletion_rows["deletion"].query("method == 'obd' and replicate == 0")
    at = theta.clone().requires_grad_()
    mse = (net.outputs(at[None], whole.x)[0].T - whole.t).square().mean()
    (slope,) = torch.autograd.grad(mse, at)
    for row in rows.itertuples():
        gone = saliency.argsort()[: row.deleted]
        assert row.foreseen == pytest.approx(2 * float(saliency[gone].sum()) / 10, rel=1e-3)
        change = torch.zeros_like(theta)
        change[gone] = -theta[gone]
        assert row.first_order == pytest.approx(float(slope @ change), rel=1e-2, abs=1e-6)
        _, moved = torch.func.jvp(
            lambda w: net.outputs(w[None], whole.x[:20])[0], (theta,), (change,)
        )
        assert row.quadratic == pytest.approx(float(moved.square().mean()), rel=1e-2, abs=1e-6)
    assert rows.iloc[0].train_mse == pytest.approx(mse.item(), rel=1e-4)
    assert data.train.x.dtype == torch.float32


def test_layers_lose_what_is_deleted(deletion_rows):
    layers = deletion_rows["deletion_layers"].fillna({"alpha": 0.0})
    way = ["method", "alpha", "replicate"]
    sums = layers.groupby([*way, "deleted"])[["left", "of"]].sum().reset_index()
    assert (sums.left == N - sums.deleted).all()
    assert set(sums.of) == {N}
    assert (layers.groupby([*way, "layer"]).left.diff().dropna() <= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_weights_go_one_upon_the_other(monkeypatch, trained, method):
    seen = seen_by(monkeypatch, deletion)
    condition = {"method": method, "alpha": 1e-4}
    run_unit(deletion.DELETION, Unit("deletion", condition, 0, 1), trained)
    assert seen[0].equal(weights(trained, 1))
    gone = [theta == 0 for theta in seen]
    assert [int(one.sum()) for one in gone] == [0, 60, 200, 420]
    for before, after in pairwise(gone):
        assert bool(after[before].all())
    if method != "obs":
        assert all(theta[~one].equal(seen[0][~one]) for theta, one in zip(seen, gone, strict=True))
    if method == "magnitude":
        order = seen[0][0].abs().argsort()
        assert set(gone[2].nonzero()[:, 1].tolist()) == set(order[:200].tolist())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deleted": [200, 100]}, r"deletion\.deleted.*rising counts from 1 to 2577"),
        ({"deleted": [N]}, r"deletion\.deleted"),
        ({"deleted": []}, r"deletion\.deleted"),
        ({"methods": ["obd", "obsd"]}, r"deletion\.methods.*obsd"),
        ({"other_alphas": [0.0]}, r"deletion\.alpha"),
        ({"obs_samples": 0}, r"deletion\.obs_samples"),
    ],
)
def test_settings_out_of_range_are_one_line(change, words):
    with pytest.raises(ConfigError, match=words):
        replace(CONFIG.deletion, **change)


def test_settings_of_the_other_experiments_are_checked_too():
    with pytest.raises(ConfigError, match=r"digits\.precision"):
        replace(CONFIG.digits, precision="float16")
    with pytest.raises(ConfigError, match=r"digits\.schedule\.batch"):
        replace(CONFIG.digits, schedule=ScheduleConfig(batch=0))
    with pytest.raises(ConfigError, match=r"digits\.unit"):
        replace(CONFIG.digits, unit="tank")
    with pytest.raises(ConfigError, match=r"retraining\.share"):
        replace(CONFIG.retraining, share=0.0)
    with pytest.raises(ConfigError, match=r"retraining\.to"):
        replace(CONFIG.retraining, to=N)
    with pytest.raises(ConfigError, match=r"retraining\.methods"):
        replace(CONFIG.retraining, methods=["obd_lm"])
    with pytest.raises(ConfigError, match=r"shares\.deleted"):
        replace(CONFIG.shares, deleted=0)
    with pytest.raises(ConfigError, match=r"interactive\.to"):
        replace(CONFIG.interactive, to=5590)
    with pytest.raises(ConfigError, match=r"diagonals\.samples"):
        replace(CONFIG.diagonals, samples=0)


# --- retraining ---


def test_rounds_by_hand():
    assert retraining.rounds(100, 0.25, 100) == [25, 50, 75, 100]
    assert retraining.rounds(100, 0.3, 100) == [30, 60, 90, 100]
    assert retraining.rounds(100, 0.3, 20) == [20]
    assert retraining.rounds(100, 1.0, 40) == [40]
    assert retraining.rounds(10, 0.001, 3) == [1, 2, 3]
    assert retraining.rounds(N, 0.1, 1500) == [258, 516, 774, 1032, 1290, 1500]
    assert 1548 in retraining.rounds(N, 0.1, 2320)


@pytest.fixture(scope="module")
def retraining_rows(trained) -> pd.DataFrame:
    return run_all(retraining.RETRAINING, trained)["retraining"]


def test_rounds_of_all_methods_start_from_the_same_nets(retraining_rows, trained):
    rows = retraining_rows
    nets_of = rows.groupby("method").replicate.unique().map(list).to_dict()
    assert nets_of == {"magnitude": [0, 1], "obd": [0, 1], "obs": [0], "random": [0]}
    for _, road in rows.groupby(["method", "replicate"]):
        assert road.deleted.tolist() == [0, 258, 400]
    for replicate, start in rows[rows.deleted == 0].groupby("replicate"):
        net = trained["digit_nets"].query(f"replicate == {replicate}")
        same(start, pd.concat([net] * len(start)))
        assert set(start.connections) == {98_442}
        assert start.foreseen.isna().all()
    left = [name for name in rows if name.startswith("left_")]
    assert [name.removeprefix("left_") for name in left] == ["H1", "H2", "H3", "H4", "output"]
    assert (rows[left].sum(axis=1) == N - rows.deleted).all()
    later = rows[rows.deleted > 0]
    assert (later.connections < 98_442).all()
    foresees = later.method.isin(["obd", "obs"])
    assert (later.foreseen.notna() == foresees).all()


@pytest.mark.parametrize("method", ["magnitude", "obd", "obs", "random"])
def test_deleted_weights_are_nought_after_retraining_and_stay_so(monkeypatch, trained, method):
    seen = seen_by(monkeypatch, retraining)
    unit = Unit("retraining", {"method": method}, 0, 1)
    rows = run_unit(retraining.RETRAINING, unit, trained)["retraining"]
    gone = [theta[0] == 0 for theta in seen]
    assert [int(one.sum()) for one in gone] == rows.deleted.tolist() == [0, 258, 400]
    assert bool(gone[2][gone[1]].all())
    assert not bool((seen[1] == seen[0])[0, ~gone[1]].all())
    net = nets.small_net("lecun_tanh")
    for one, row in zip(gone, rows.itertuples(), strict=True):
        assert row.connections == int(net.uses[~one].sum())
        assert row.left_H1 == int((~one)[:104].sum())
        assert row.left_output == int((~one)[-1930:].sum())


def test_a_net_sees_the_digits_in_the_same_order_under_every_method(monkeypatch, trained):
    same_method = LeastFirst("same", magnitude, foresees=False)
    monkeypatch.setattr(retraining, "pruner", lambda *given: same_method)
    first, second = (
        run_unit(retraining.RETRAINING, Unit("retraining", {"method": name}, 0, 1), trained)[
            "retraining"
        ].drop(columns="method")
        for name in ("obd", "obs")
    )
    pd.testing.assert_frame_equal(first, second)


# --- shares ---


Trained = tuple[Tensor, Tensor | None, object, list[torch.Generator], Tensor]


def recorded_trainings(monkeypatch: pytest.MonkeyPatch, module) -> list[Trained]:
    """What a module trains: weights before, those kept, schedule, generators, weights after."""
    seen: list[Trained] = []
    train: Callable[..., Tensor] = module.stochastic_diagonal_lm

    def looking(net, theta, task, schedule, generators, kept=None):
        after = train(net, theta, task, schedule, generators, kept)
        seen.append((theta.clone(), kept, schedule, generators, after))
        return after

    monkeypatch.setattr(module, "stochastic_diagonal_lm", looking)
    return seen


def run_way(trained: Rows, name: str, count: int = 1, config: Settings = CONFIG) -> pd.DataFrame:
    return run_unit(shares.SHARES, Unit("shares", {"way": name}, 0, count), trained, config)[
        "shares"
    ]


def test_all_ways_end_with_as_many_deleted_after_as_much_retraining(monkeypatch, trained):
    config = Settings(**{**CONFIG.__dict__, "shares": replace(CONFIG.shares, deleted=30)})
    units = shares.plan(config, {})
    assert [unit.condition["way"] for unit in units] == list(shares.WAYS)
    assert [unit.stop for unit in units] == [
        1 if way.share is None else 2 for way in shares.WAYS.values()
    ]
    never = Settings(**{**CONFIG.__dict__, "shares": replace(CONFIG.shares, singly=0)})
    assert "one weight a round" not in [u.condition["way"] for u in shares.plan(never, {})]
    bases = []
    for unit in units:
        seen = recorded_trainings(monkeypatch, shares)
        rows = run_unit(shares.SHARES, unit, trained, config)["shares"]
        monkeypatch.undo()
        way = shares.WAYS[str(unit.condition["way"])]
        step = {None: 1, 0.01: 26}.get(way.share, 258)
        step = 129 if way.share == 0.05 else step
        assert set(rows.rounds) == {math.ceil(30 / step)} == {len(seen)}
        assert set(rows.deleted) == {30}
        assert all(int((~kept).sum()) == 30 * len(kept) for _, kept, *_ in seen[-1:])
        schedules = [schedule for _, _, schedule, _, _ in seen]
        assert sum(one.passes for one in schedules) == pytest.approx(1.0)
        assert {(one.rate, one.batch, one.looked_at) for one in schedules} == {(5e-4, 8, 10)}
        base = rows[[f"base_{name}" for name in MEASURES]].set_axis(MEASURES, axis=1)
        bases.append(base[:1])
    for base in bases:
        same(base, trained["digit_nets"][:1])


def test_weights_that_go_for_good_stay_out(monkeypatch, trained):
    seen = recorded_trainings(monkeypatch, shares)
    run_way(trained, "10 % a round")
    counts = [int((~kept).sum()) for _, kept, *_ in seen]
    assert counts == [258, 516, 600]
    spread = [schedule.passes for _, _, schedule, *_ in seen]
    assert spread == pytest.approx([258 / 600, 258 / 600, 84 / 600])
    for theta, kept, _, _, after in seen:
        assert bool((theta[~kept] == 0).all())
        assert bool((after[~kept] == 0).all())
    for (_, before, *_), (_, after, *_) in pairwise(seen):
        assert not bool((after & ~before).any())
    # One stream of patterns goes through all rounds.
    assert all(generators[0] is seen[0][3][0] for _, _, _, generators, _ in seen)


def test_decrease_halves_before_it_deletes(monkeypatch, trained):
    start = weights(trained, 1)
    net, data = nets.small_net("lecun_tanh"), digits.digits(28, torch.float32)
    seen_digits = Task(data.train.x[:10], data.train.t[:10])
    everything = torch.ones_like(start, dtype=torch.bool)
    low = shares.lowest(net, start, everything, seen_digits, 258)
    seen = recorded_trainings(monkeypatch, shares)
    rows = run_way(trained, "10 % a round, decreased first")
    (first, kept, *_, after), (second, kept2, *_, after2), (third, kept3, *_) = seen
    assert first.equal(torch.where(low, start / 2, start))
    assert kept.equal(everything)
    # Of the 516 that are low now, those that were low before go, the others are halved.
    low2 = shares.lowest(net, after, kept, seen_digits, 516)
    assert kept2.equal(~(low & low2))
    assert 0 < int((~kept2).sum()) <= 258
    assert bool((second[low & low2] == 0).all())
    assert second[low2 & ~low].equal(after[low2 & ~low] / 2)
    assert second[~low2].equal(after[~low2])
    # In the last round all that are low go.
    low3 = shares.lowest(net, after2, kept2, seen_digits, 600)
    assert kept3.equal(~low3)
    assert bool((third[low3] == 0).all())
    assert rows.deleted.tolist() == [600]


def test_return_lets_weights_come_back_until_the_last_round(monkeypatch, trained):
    seen = recorded_trainings(monkeypatch, shares)
    rows = run_way(trained, "10 % a round, may come back")
    for theta, kept, _, _, after in seen[:-1]:
        assert bool(kept.all())
        gone = theta == 0
        assert bool((after[gone] != 0).any())
    assert [int((theta == 0).sum()) for theta, *_ in seen] == [258, 516, 600]
    last, kept, *_, after = seen[-1]
    assert kept.equal(last != 0)
    assert bool((after[~kept] == 0).all())
    assert rows.deleted.tolist() == [600]


def test_the_lowest_are_those_deleted_and_the_least_of_the_others(monkeypatch):
    score = torch.tensor([[5.0, 1.0, 4.0, 2.0, 0.0, 3.0], [1.0, 1.0, 0.5, 9.0, 0.0, 2.0]])
    monkeypatch.setattr(shares, "obd_lm_saliency", lambda net, theta, seen: score)
    kept = torch.ones(2, 6, dtype=torch.bool)
    kept[0, 0] = kept[1, 3] = False
    found = shares.lowest(None, None, kept, None, 3)
    assert found.nonzero().tolist() == [[0, 0], [0, 1], [0, 4], [1, 2], [1, 3], [1, 4]]
    assert shares.lowest(None, None, kept, None, 1).nonzero().tolist() == [[0, 0], [1, 3]]


# --- interactive ---


def test_the_layer_goes_and_those_below_it_stay(monkeypatch):
    (unit,) = interactive.plan(CONFIG, {})
    seen = recorded_trainings(monkeypatch, interactive)
    rows = run_unit(interactive.INTERACTIVE, unit, {})["interactive"]
    (_, _, whole, _, trained_net), (start, kept, removed, _, _), *rounds = seen
    below = 1068 + 2592
    assert trained_net.shape == (2, 9760)
    assert start.shape == (2, 5590)
    assert start[:, :below].equal(trained_net[:, :below])
    # The outputs' weights are new ones, of their own fan-in.
    fresh = start[:, below:]
    assert 0.9 * 2.4 / 193 < float(fresh.abs().max()) <= 2.4 / 193
    assert not bool((fresh[0] == fresh[1]).any())
    assert kept is None
    assert (whole.passes, removed.passes) == (0.3, 0.2)
    left = [5590 - 1677, 2440]
    assert [kept.sum(1).tolist() for _, kept, *_ in rounds] == [[count] * 2 for count in left]
    for theta, kept, schedule, _, after in rounds:
        assert bool((theta[~kept] == 0).all())
        assert bool((after[~kept] == 0).all())
        assert schedule.passes == 0.1
    assert not bool((rounds[1][1] & ~rounds[0][1]).any())

    for _, way in rows.groupby("replicate"):
        assert way.parameters.tolist() == [9760, 5590, *left]
        assert way.moment.tolist() == ["trained", "layer removed", *["weights deleted"] * 2]
        assert way.connections.iloc[:2].tolist() == [64_660, 19_968 + 38_592 + 1930]
        assert way.connections.is_monotonic_decreasing
    # A row is measured on the net that it is of.
    data, small = digits.digits(16, torch.float32), nets.without_h3("lecun_tanh")
    same(rows[:2], pd.DataFrame(digits.measures(nets.large_net("lecun_tanh"), trained_net, data)))
    same(rows[2:4], pd.DataFrame(digits.measures(small, seen[1][4], data)))
    same(rows[-2:], pd.DataFrame(digits.measures(small, rounds[-1][4], data)))


# --- passes ---


def test_operations_are_counted_product_by_product():
    rows = run_unit(passes.PASSES, passes.plan(CONFIG, {})[0], {})["passes"]
    found = rows.set_index("pass").operations.to_dict()
    # Multiplications and additions of the matrix products, with zeros in H3's modules of two
    # planes; the layers above the first are gone back through as well.
    h1, h3, output = 4 * 576 * 25, 12 * 64 * 50, 1920
    once, back = 2 * (h1 + h3 + output), 2 * (h3 + output)
    assert found == {
        "gradient": 2 * once + back,
        "full": 3 * once + 2 * back,
        "lm": 2 * once + back,
    }


# --- other trainings --------------------------------------------------------------------------


def test_other_trainings_change_one_thing_each(monkeypatch):
    seen = []

    def record(net, theta, task, schedule, generators, kept=None):
        seen.append((net, schedule, theta))
        return theta

    monkeypatch.setattr(trainings, "stochastic_diagonal_lm", record)
    units = trainings.plan(CONFIG, {})
    assert [unit.condition["training"] for unit in units] == list(trainings.WAYS)
    rows = pd.concat([run_unit(trainings.TRAININGS, unit, {})["trainings"] for unit in units])
    (plain, usual, start), *others = seen
    assert set(plain.units) == {"lecun_tanh"}
    assert (usual.passes, usual.rate, usual.mu) == (0.3, 1e-3, 0.1)
    changes = []
    for net, schedule, theta in others:
        assert torch.equal(theta, start)
        changes.append(
            [
                what
                for what, now, before in (
                    ("units", net.units, plain.units),
                    ("mu", schedule.mu, usual.mu),
                    ("passes", schedule.passes, usual.passes),
                )
                if now != before
            ]
        )
    assert changes == [["mu"]] * 2 + [["units"]] * 2
    assert others[-1][0].units == ("lecun_tanh", "linear", "lecun_tanh", "linear", "lecun_tanh")
    assert len(rows) == len(units) * 2 * 2 * 3
    unpruned = rows[rows.deleted == 0].groupby(["training", "replicate"]).train_mse
    assert (unpruned.nunique() == 1).all()
    assert rows[rows.method == "magnitude"].foreseen.isna().all()
    assert rows[(rows.method == "obd") & (rows.deleted > 0)].foreseen.ne(0).all()


def test_nets_that_did_not_learn_are_left_out_and_counted():
    rows = [
        {"training": "as the others", "replicate": net, "method": method, "deleted": deleted,
         "train_mse": 0.1 * (1 + (deleted > 0)), "train_wrong": 90.0 if net == 2 else 2.0,
         "foreseen": 0.05 * (deleted > 0)}
        for net in range(3) for method in ("magnitude", "obd") for deleted in (0, 400)
    ]  # fmt: skip
    (line,) = tables.trainings({"trainings": pd.DataFrame(rows)}).to_dict("records")
    assert line["nets"] == "2 of 3"
    assert line["400 deleted, dB: magnitude / OBD / foreseen"] == "3.0 / 3.0 / 1.8"


def test_terms_of_the_output_layer_by_hand(deletion_rows, trained):
    """Deletions seen through the output layer: a plain loop over digits, from the stored nets."""
    theta = weights(trained, 2).double()
    net, data = nets.small_net("lecun_tanh"), digits.digits(28, torch.float64)
    x = data.train.x[:20]
    rows = deletion_rows["deletion"]
    rows = rows[(rows.method == "obd") & (rows.deleted == 420)].set_index("replicate")
    counts = [N - 420]
    method = LeastFirst("obd", lambda n, t, k: 0.5 * t * t * recursive_diagonal(n, t, k).diagonal)
    kept = torch.ones_like(theta, dtype=torch.bool)
    at = method.prune(net, theta, kept, data.train, counts)[0]
    layer = net.layers[-1]
    for number, (w, pruned) in enumerate(zip(theta, at.theta, strict=True)):
        trace = net.forward(w[None], x)
        change = pruned - w
        matrix, bias = change[layer.weights].view(10, 192), change[layer.biases]
        shifts = torch.stack([matrix @ below + bias for below in trace.activities[-2][0].T])
        slopes = layer.transfer.slope(trace.outputs[0]).T
        whole = (slopes * shifts).square().sum() / len(x) / 10
        mean = (slopes * shifts.mean(0)).square().sum() / len(x) / 10
        assert rows.output_layer[number] == pytest.approx(float(whole), rel=1e-3)
        assert rows.as_bias[number] == pytest.approx(float(mean), rel=1e-3)
