"""Figures and tables of the dropout replication, drawn from small frames made by hand."""

import numpy as np
import pandas as pd
import pytest

from oldschool import paths
from oldschool.claims.claim import load_claims
from oldschool.report.style import report_style
from oldschool.report.tables import render as render_table
from replications.srivastava2014_dropout import means, printed, published, table2
from replications.srivastava2014_dropout.artefacts import FIGURES, TABLES
from replications.srivastava2014_dropout.figures import sweeps, units
from tests.replications.dropout_frames import frames

DRAW = {figure.name: figure for figure in FIGURES}
BUILD = {table.name: table for table in TABLES}


def drawn(name, given):
    figure = DRAW[name]
    with report_style():
        return figure.draw({frame: given[frame].copy() for frame in figure.needs})


def built(name, given):
    table = BUILD[name]
    return table.build({frame: given[frame].copy() for frame in table.needs})


def stars(axes):
    """The paper's points: {legend: {x: y}}."""
    return {
        line.get_label(): dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
        for line in axes.lines
        if line.get_marker() == "*"
    }


def means_drawn(axes, color):
    """Our means: {x: y} of the line of one colour."""
    lines = [line for line in axes.lines if line.get_color() == color]
    return dict(zip(*lines[0].get_data(), strict=True))


# --- all of them -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{}, {"nets": 2, "moments": 2}, {"nets": 2, "moments": 3, "lost": (1,)},
     {"nets": 1, "moments": 1, "lost": (0,)}],
    ids=["default", "smoke", "a net diverged", "all with dropout diverged"],
)  # fmt: skip
def test_everything_is_drawn_and_built(given):
    made = frames(**given)
    for name in DRAW:
        drawn(name, made).draw_without_rendering()
    for name, table in BUILD.items():
        assert render_table(built(name, made), table.caption, name)["md"]


@pytest.mark.parametrize("left_out", ["none", "dropout", "dropout_max_norm", "bernoulli"])
def test_a_condition_that_was_not_run_is_left_out(left_out):
    made = frames()
    for name, rows in made.items():
        for column in ("way", "noise"):
            if column in rows:
                made[name] = rows[rows[column] != left_out]
    for name in DRAW:
        drawn(name, made)
    for name, table in BUILD.items():
        assert render_table(built(name, made), table.caption, name)["md"]


def test_axes_have_names_and_units():
    made = frames()
    names = {name: labels(drawn(name, made)) for name in DRAW}
    assert names == {
        "architectures": [("updates", "test error, %"), ("updates", "")],
        "regularizers": [("test error, %", "")] * 2,
        "gaussian": [("", "test error, %"), ("", "")],
        "rate": [
            ("", "error, %"), ("", ""), ("probability p of keeping a hidden unit", "error, %"),
            ("probability p of keeping a hidden unit", ""),
        ],
        "dataset_size": [
            ("training digits", "test error, %"),
            ("training digits", "test error that dropout saves, points"),
        ],
        "monte_carlo": [
            ("thinned nets averaged, k", "test error, %"), ("thinned nets averaged, k", ""),
            ("thinned nets averaged, k", "over weight scaling's, %"),
        ],
        "feature_weights": [("", "weight, of the unit's largest")],
        "feature_activations": [
            ("activation of a hidden unit", "units and test digits, % a bin"),
            ("", "mean activation"),
        ],
        "rbm_weights": [("", "weight, of the unit's largest")],
        "rbm_activations": [
            ("P(h = 1) of a hidden unit", "units and test digits, % a bin"),
            ("", "P(h = 1) below .1, % of units and digits"),
        ],
        "marginal": [("updates", "distance to the ridge solution, relative"), ("updates", "")],
    }  # fmt: skip


def labels(figure):
    return [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes if axes.axison]


@pytest.mark.parametrize("name", DRAW)
def test_titles_are_whole_and_apart_from_each_other(name):
    figure = drawn(name, frames(lost=(0,)))
    figure.draw_without_rendering()
    width, _ = figure.get_size_inches() * figure.dpi
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    for number, box in enumerate(titles):
        assert box.x0 >= 0 and box.x1 <= width
        assert not any(box.overlaps(other) for other in titles[number + 1 :])


# --- the paper's values ------------------------------------------------------------------


def test_printed_tables_are_the_claims_values():
    folder = paths.replications() / "srivastava2014_dropout"
    claims = {claim.id: claim.paper_value for claim in load_claims(folder)}

    def ours(name):
        return claims[f"dropout.{name}"]

    names = {"dropout_max_norm": "maxnorm", "none": "standard"}
    for (hidden, way, layers, width), error in printed.TABLE2.items():
        inner = f"_{hidden}" if way == "dropout" else ""
        size = str(width) if way == "none" else f"{layers}x{width}"
        assert ours(f"table2.{names.get(way, way)}{inner}_{size}") == error
    assert ours("table2.dbn") == printed.TABLE2_PRETRAINED["none"]
    assert ours("table2.dbn_dropout") == printed.TABLE2_PRETRAINED["dropout"]
    for way, error in printed.TABLE9.items():
        assert ours(f"table9.{way.replace('max_norm', 'maxnorm')}") == error
    for noise, (error, _) in printed.TABLE10.items():
        assert ours(f"table10.mnist.{noise}") == error
    ways = {"none": "convnet", "fully_connected": "dropout_fc", "everywhere": "dropout_all"}
    for (data, way), error in printed.TABLES34.items():
        table = "table3" if data == "svhn" else f"table4.{data}"
        name = "table10.cifar10.gaussian" if way == "gaussian" else f"{table}.{ways[way]}"
        assert ours(name) == error
    assert {way: ours(f"fig8.mean_{way}") for way in ("none", "dropout")} == printed.FIG8_MEANS


def test_the_papers_curves_are_in_the_figures():
    made = frames()
    _, a, _, b = drawn("rate", made).axes
    for axes, values in ((a, published.FIG9A), (b, published.FIG9B)):
        assert stars(axes) == {"paper, test": values["test"], "paper, training": values["train"]}
    error, gain = drawn("dataset_size", made).axes
    assert stars(error) == {
        "paper, without dropout": published.FIG10["none"],
        "paper, dropout": published.FIG10["dropout"],
    }
    assert stars(gain)["paper"][100] == pytest.approx(22.84 - 26.62)
    _, paper, both = drawn("monte_carlo", made).axes
    assert stars(paper)["paper: thinned nets"].items() <= published.FIG11.items()
    whole = [line for line in paper.lines if len(line.get_xdata()) == len(published.FIG11)]
    assert dict(zip(*whole[0].get_data(), strict=True)) == published.FIG11
    assert any(set(line.get_ydata()) == {published.FIG11_SCALING} for line in paper.lines)
    assert stars(both)["paper"][5] == pytest.approx(100 * (1.1786 / 1.05 - 1))
    _, nine = drawn("regularizers", made).axes
    (shown,) = stars(nine).values()
    assert list(shown) == list(printed.TABLE9.values())
    _, ten = drawn("gaussian", made).axes
    assert stars(ten)["paper"] == {0: 1.08, 1: 0.95}
    _, eight = drawn("feature_activations", made).axes
    assert list(stars(eight)["paper, by eye"].values()) == [2.0, 0.7]
    _, four = drawn("architectures", made).axes
    curves = [tuple(line.get_ydata()) for line in four.lines if len(line.get_xdata()) > 90]
    assert curves == [*published.FIG4_NONE, *published.FIG4_DROPOUT]
    levels = [line.get_ydata()[0] for line in four.lines if line.get_linestyle() == "-."]
    assert levels == pytest.approx([1.743, 1.07], abs=0.005)


# --- ours --------------------------------------------------------------------------------


def net_rows(**columns):
    return pd.DataFrame({"diverged": False, **columns})


def test_intervals_are_students_and_of_one_net_nought():
    assert means.interval(pd.Series([2.0])) == (2, 2, 2)
    arm = 2.919986 * np.sqrt(7 / 3)  # the 95th percentile of t with two degrees of freedom
    three = means.interval(pd.Series([1.0, 2.0, 6.0]))
    assert three == pytest.approx((3, 3 - arm, 3 + arm), abs=1e-5)
    five = means.interval(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0]))
    arm = 2.131847 * np.sqrt(2.5 / 5)  # the 95th percentile of t with four degrees of freedom
    assert five == pytest.approx((3, 3 - arm, 3 + arm), abs=1e-5)
    assert means.wilson(1.05, 10_000) == pytest.approx((1.05, 0.895, 1.231), abs=2e-3)


def test_nets_that_diverged_are_left_out_and_counted():
    rows = net_rows(
        way=["a", "a", "b", "b", "b"], replicate=[0, 1, 0, 1, 1], test_error=[1, 90, 2, 3, 4.0]
    )
    rows["diverged"] = [False, True, False, False, True]
    assert means.kept(rows, "way").test_error.tolist() == [1, 2]  # all moments of b's net 1 go
    assert means.count(rows, "way") == "1 net each (2 diverged)"
    assert means.count(rows[rows.replicate == 1], "way") == "0 nets each (2 diverged)"
    assert means.count(rows[1:], "way") == "0 to 1 net each (2 diverged)"
    assert means.count(rows[:0], "way") == "0 nets each"
    assert means.count(rows[~rows.diverged], "way") == "1 to 2 nets each"


def test_means_in_figures_are_those_of_the_nets_that_count():
    made = frames(nets=2, lost=(1,))
    rows = made["rate"]
    ours = drawn("rate", made).axes[0]
    good = rows[(rows.series == "n_fixed") & ~rows.diverged].set_index("p").test_error
    assert means_drawn(ours, "#0072B2") == pytest.approx(good.to_dict())
    assert "(6 diverged)" in ours.get_title()
    assert ours.get_ylim()[1] < 20


def test_what_dropout_saves_is_taken_pair_by_pair():
    rows = net_rows(
        digits=[100] * 4, way=["none", "none", "dropout_max_norm", "dropout_max_norm"],
        replicate=[0, 1, 1, 2], test_error=[9.0, 8, 5, 1],
    )  # fmt: skip
    assert sweeps.gains(rows)[["replicate", "saved"]].to_numpy().tolist() == [[1, 3]]


def test_relative_error_is_of_the_same_net():
    axes = drawn("monte_carlo", frames(nets=3)).axes[2]
    assert means_drawn(axes, "#0072B2")[5] == pytest.approx(100 * (0.25 / 5 - 0.005))


def test_features_are_drawn_each_over_its_largest_weight():
    weights = np.array([[4.0, -8.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, -1.0, 0.5]])
    canvas = units._mosaic(weights)
    assert canvas.shape == (6, 6)
    assert canvas[:2, :2].tolist() == [[0.5, -1], [0, 0.25]]
    assert canvas[:2, 4:].tolist() == [[0, 0], [0, 0]]
    assert np.isnan(canvas[:, 2:4]).all() and np.isnan(canvas[4:, 4:]).all()


def test_table2_names_the_net_that_stands_for_each_of_the_papers():
    table = built("table2", frames())
    assert list(zip(table["paper's net"], table["our net"], strict=True)) == [
        ("2 x 800 logistic", "3 x 256 logistic"),
        ("3 x 1024 logistic", "3 x 256 logistic"),
        ("3 x 1024 ReLU", "3 x 256 ReLU"),
        ("3 x 1024 ReLU", "3 x 128 ReLU"),
        ("3 x 2048 ReLU", "3 x 256 ReLU"),
        ("2 x 4096 ReLU", "2 x 256 ReLU"),
        ("2 x 8192 ReLU", "2 x 512 ReLU"),
    ]
    assert table["paper, %"].tolist() == ["1.60", "1.35", "1.25", "1.06", "1.04", "1.01", "0.95"]


def test_the_papers_own_net_stands_for_itself():
    size = {"hidden": "relu", "way": "dropout_max_norm"}
    final = pd.DataFrame(
        [{"layers": 2, "width": width, **size} for width in (1024, 4096, 8192, 16384)]
    )
    for width in (4096, 8192):
        assert table2.alike(final, "relu", "dropout_max_norm", 2, width).width.tolist() == [width]
    few = final[final.width == 1024]
    assert table2.alike(few, "relu", "dropout_max_norm", 2, 8192).width.tolist() == [1024]
    assert table2.alike(few, "relu", "dropout_max_norm", 2, 4096).empty


def test_tables_show_the_last_moment_and_leave_diverged_nets_out():
    rows = frames(nets=1, moments=3)["architectures"]
    at = (rows.layers == 3) & (rows.width == 256) & (rows.way == "dropout_max_norm")
    rows.loc[at & (rows.updates == 1500), "test_error"] = 1.23
    table = table2.table2({"architectures": rows}).set_index(["paper's net", "way"])
    row = table.loc[("3 x 2048 ReLU", "dropout, max-norm")]
    assert (row["ours, test, %"], row["nets"], row["diverged"]) == ("1.23", 1, 0)
    rows.loc[at & (rows.updates == 500), "diverged"] = True
    table = table2.table2({"architectures": rows}).set_index(["paper's net", "way"])
    row = table.loc[("3 x 2048 ReLU", "dropout, max-norm")]
    assert (row["ours, test, %"], row["nets"], row["diverged"]) == ("-", 0, 1)


def test_tables_have_both_numbers():
    made = frames(nets=3)
    four = built("fig4", made).set_index("net")
    assert four.loc["2 x 512", "without dropout, %"] == "-"
    assert four.loc["4 x 256", "nets"] == "3 and 3"
    nine = built("regularizers", made)
    assert nine["paper, test, %"].tolist() == ["1.62", "1.60", "1.55", "1.35", "1.25", "1.05"]
    assert nine["nets"].tolist() == [3] * 6
    ten = built("gaussian", made)
    assert ten["paper, test, %"].tolist() == ["1.08 ± 0.04", "0.95 ± 0.04"]
    sizes = built("dataset_size", made).set_index(["digits", "way"])
    assert sizes.loc[(5000, "dropout, max-norm"), "paper, test, %"] == 2.94
    assert sizes.loc[(100, "none"), "nets"] == 6
    carlo = built("monte_carlo", made)
    assert carlo["thinned nets, k"].tolist()[:3] == ["weight scaling", "1", "3"]
    assert carlo["paper, test, %"].tolist()[2] == 1.2811
    rate = built("rate", made)
    assert rate[rate.fixed == "p n"]["our first layer"].tolist() == [640, 128, 64]
    identities = built("marginal", made)
    assert identities["largest relative difference"].tolist()[0] == "4.0e-12"  # rising by name
    convnets = built("convnets", made)
    assert convnets["paper, test, %"].tolist() == ["3.95", "2.55", "12.5"]
    assert built("features", made)["paper, dropout"].tolist()[2] == "0.7"
    assert "paper, dropout" not in built("rbm", made)
