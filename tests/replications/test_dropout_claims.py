"""The claims on dropout: all are there, and each rule says yes to the paper's own points."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from oldschool import paths
from oldschool.claims.claim import Claim, load_claims
from oldschool.claims.estimate import exact
from oldschool.claims.verdict import NOT_REPRODUCED, REPRODUCED, judge
from oldschool.runs import config, registry
from replications.srivastava2014_dropout import published, settings
from replications.srivastava2014_dropout.estimates.dataset_size import SIZES, crossing
from replications.srivastava2014_dropout.estimates.fig4 import _time

FOLDER = paths.replications() / "srivastava2014_dropout"
FRAMES = {
    "architectures", "regularizers", "gaussian", "rate", "dataset_size", "monte_carlo",
    "features", "rbm", "marginal", "convnet", "pretraining",
}  # fmt: skip


@pytest.fixture(scope="module")
def claims() -> dict[str, Claim]:
    return {claim.id: claim for claim in load_claims(FOLDER)}


def test_all_published_values_are_there(claims):
    facts = Path(os.environ.get("OLDSCHOOL_DATA", ""), "..", "papers", "claims.csv")
    if "OLDSCHOOL_DATA" not in os.environ or not facts.exists():
        pytest.skip("no list of published claims beside the data (OLDSCHOOL_DATA)")
    with facts.open() as file:
        rows = [row for row in csv.DictReader(file) if row["id"].startswith("dropout.")]
    assert {row["id"] for row in rows} <= set(claims)
    for row in rows:
        ours = claims[row["id"]].paper_value
        # "Equal" reconstruction errors have a ratio of one.
        if isinstance(ours, float) and row["id"] != "dropout.fig7.reconstruction":
            assert float(row["paper_value"]) == ours, row["id"]


def test_a_claim_reads_an_experiment_or_says_why_it_is_not_run(claims):
    for claim in claims.values():
        assert bool(claim.frames) != bool(claim.not_run), claim.id
        assert set(claim.frames) <= FRAMES, claim.id
    assert {frame for claim in claims.values() for frame in claim.frames} == FRAMES


def test_sizes_wait_for_the_paper_profile(claims):
    for claim in claims.values():
        if claim.unit == "%" and claim.kind == "equivalence":
            assert claim.profile == "paper", claim.id


def test_the_figures_points_are_the_claims_values(claims):
    points = {
        f"dropout.{figure}.p{p:.1f}": error
        for figure, curves in (("fig9a", published.FIG9A), ("fig9b", published.FIG9B))
        for p, error in curves["test"].items()
    }
    for name, curve in published.FIG10.items():
        points |= {f"dropout.fig10.n{n}.{name}": error for n, error in curve.items()}
    for name, curves in (("none", published.FIG4_NONE), ("dropout", published.FIG4_DROPOUT)):
        points |= {
            f"dropout.fig4.net{i}.{name}": line[-1] for i, line in enumerate(curves, start=1)
        }
    points["dropout.training_error_p01.n_fixed"] = published.FIG9A["train"][0.1]
    points["dropout.training_error_p01.pn_fixed"] = published.FIG9B["train"][0.1]
    points["dropout.fig11.scaling"] = published.FIG11_SCALING
    points["dropout.fig11.k120"] = published.FIG11[119]
    assert len(points) == 20 + 12 + 12 + 4
    for name, value in points.items():
        assert claims[name].paper_value == pytest.approx(value, abs=0.0051), name


def spread(errors: list[float]) -> float:
    return 100 * (max(errors) - min(errors)) / float(np.mean(errors))


def paper_crossing(first: str, second: str, sizes: int = 6) -> float:
    """Digits from which on the paper's ``first`` is lower, over its smallest sizes."""
    lower, upper = (list(published.FIG10[name].values())[:sizes] for name in (first, second))
    return float(crossing(np.array(SIZES[:sizes]), np.subtract(upper, lower)))


def examples() -> dict[str, tuple[float, float]]:
    """{claim: (its estimate on the paper's own points, one that it must turn down)}."""
    a, b = published.FIG9A["test"], published.FIG9B["test"]
    train_a, train_b = published.FIG9A["train"], published.FIG9B["train"]
    dropout, none = (list(published.FIG10[name].values()) for name in ("dropout", "none"))
    saved = [100 * (1 - x / y) for x, y in zip(dropout, none, strict=True)]
    points = np.subtract(none, dropout)
    level = [a[p] for p in (0.4, 0.5, 0.6, 0.7, 0.8)]
    middle = float(np.mean(level))
    scaling, average = published.FIG11_SCALING, published.FIG11
    final = [[line[-1] for line in c] for c in (published.FIG4_NONE, published.FIG4_DROPOUT)]
    late = [float(np.mean(line[-10:]) / np.mean(line[45:55])) for line in published.FIG4_DROPOUT]
    outer = [100 * (a[p] / middle - 1) for p in (0.1, 0.2, 0.3, 1.0)]
    return {
        "fig4.separation": (min(final[0]) - max(final[1]), 0.0),
        "table2.no_early_stopping": (max(late), 1.1),
        "fig9a.flat": (spread(level), spread([*level, a[0.3]])),
        "fig9a.u_shape": (min(outer), 0.0),
        "fig9a.underfitting": (train_a[0.1] - train_a[0.5], 0.0),
        "fig9b.inner": (100 * (min(b[0.1], b[1.0]) / b[0.6] - 1), 0.0),
        "fig9b.half": (100 * (b[0.5] / b[0.6] - 1), 100 * (b[0.8] / b[0.6] - 1)),
        "fig9.more_units": (b[0.1] - a[0.1], 0.0),
        "training_error_p01": (train_b[0.1] - train_a[0.1], 0.0),
        "fig10.small": (max(saved[:2]), max(saved[:4])),
        "fig10.worse_at_100": (dropout[0] - none[0], dropout[2] - none[2]),
        "fig10.middle": (min(saved[3:5]), min(saved[1:5])),
        "fig10.large": (min(saved[3:]), min(saved)),
        "fig10.crossing": (
            paper_crossing("dropout", "none"), paper_crossing("none", "dropout"),
        ),
        "fig10.gain": (points[3] - max(points[0], points[5]), points[4] - points[3]),
        "fig11.small_k": (100 * (average[5] / scaling - 1), 100 * (average[119] / scaling - 1)),
        "fig11.falls": (
            100 * min(average[5] - average[21], average[21] - average[119]) / scaling, 0.0,
        ),
        "fig11.large_k": tuple(100 * (average[k] / scaling - 1) for k in (119, 13)),
        "fig11.better": (average[119] - scaling, average[21] - scaling),
    }  # fmt: skip


@pytest.mark.parametrize("name", examples())
def test_a_rule_takes_the_papers_points_and_turns_down_others(claims, name):
    papers, other = examples()[name]
    claim = claims[f"dropout.{name}"]
    assert judge(claim, exact(papers), claim.profile).word == REPRODUCED
    assert judge(claim, exact(other), claim.profile).word == NOT_REPRODUCED


@pytest.mark.parametrize("sizes", [5, 6])
def test_the_papers_curves_cross_between_500_and_1000_digits(claims, sizes):
    assert 500 < paper_crossing("dropout", "none", sizes) < 1000
    never = paper_crossing("none", "dropout", sizes)
    assert never == SIZES[sizes - 1] + 1
    verdict = judge(claims["dropout.fig10.crossing"], exact(never), "default")
    assert verdict.word == NOT_REPRODUCED


def test_what_happens_at_50000_digits_waits_for_the_paper_profile(claims):
    for name in ("large", "gain"):
        assert claims[f"dropout.fig10.{name}"].profile == "paper"
    for name in ("small", "worse_at_100", "middle", "crossing"):
        assert claims[f"dropout.fig10.{name}"].profile == "default"


def test_what_is_said_of_the_papers_slowing_down_is_what_its_curves_give():
    moments = [
        [_time(np.arange(1, len(curve) + 1), np.array(curve)) for curve in curves]
        for curves in (published.FIG4_DROPOUT, published.FIG4_NONE)
    ]
    times = np.divide(*moments)
    said = f"{times.min():.0f} to {times.max():.0f}"
    assert said == "9 to 49"
    assert np.exp(np.log(times).mean()) == pytest.approx(14, abs=0.5)
    assert (FOLDER / "README.md").read_text().count(said) == 2
    assert (FOLDER / "claims.yaml").read_text().count(f"Fig. 4 give {said}") == 2


def test_the_scales_are_those_of_profile_default():
    """They are worded from the defaults of the settings, which the profile may not change."""
    run = config.settings(registry.find("dropout"), ["profile=default"]).config
    for node, default in (
        ("recipe", settings.RecipeSettings()),
        ("architectures", settings.ArchitecturesSettings()),
        ("regularizers", settings.RegularizersSettings()),
        ("gaussian", settings.GaussianSettings()),
        ("rate", settings.RateSettings()),
        ("dataset_size", settings.DatasetSizeSettings()),
        ("monte_carlo", settings.MonteCarloSettings()),
        ("features", settings.FeaturesSettings()),
        ("rbm", settings.RbmSettings()),
    ):
        here = getattr(run, node)
        for name in ("sizes", "updates", "digits", "batch", "units", "epochs", "layers", "widths"):
            if hasattr(default, name):
                assert getattr(here, name) == getattr(default, name), (node, name)
