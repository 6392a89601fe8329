"""Tables: pure functions from tidy frames to frames ready to print."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from oldschool.runs.experiment import Frames

from .cells import WAYS, groups, named, ours
from .means import kept, text
from .printed import FIG8_MEANS, TABLE2_PRETRAINED, TABLE9, TABLE10, TABLES34
from .published import FIG9A, FIG9B, FIG10, FIG11, FIG11_SCALING, Curve


def regularizers(frames: Frames) -> pd.DataFrame:
    """Table 9."""
    rows = frames["regularizers"]
    return pd.DataFrame(
        [
            {
                "regularizer": WAYS[way],
                "paper, test, %": f"{error:.2f}",
                **named(ours(rows[rows.way == way], "test_error", "train_error")),
            }
            for way, error in TABLE9.items()
        ]
    )


def gaussian(frames: Frames) -> pd.DataFrame:
    """Table 10, MNIST."""
    rows = frames["gaussian"]
    return pd.DataFrame(
        [
            {
                "noise": {"bernoulli": "Bernoulli", "gaussian": "Gaussian"}[noise],
                "paper, test, %": f"{error:.2f} ± {spread:.2f}",
                **named(ours(rows[rows.noise == noise], "test_error", "train_error")),
            }
            for noise, (error, spread) in TABLE10.items()
        ]
    )


def rate(frames: Frames) -> pd.DataFrame:
    """Figs 9a and 9b in numbers."""
    rows = frames["rate"]
    papers: Mapping[str, tuple[str, dict[str, Curve]]] = {
        "n_fixed": ("n", FIG9A), "pn_fixed": ("p n", FIG9B)
    }  # fmt: skip
    return pd.DataFrame(
        [
            {
                "fixed": name,
                "p": p,
                "our first layer": int(of.units.iloc[0]),
                "paper, test, %": paper["test"].get(p, float("nan")),
                "paper, training, %": paper["train"].get(p, float("nan")),
                **named(ours(of, "test_error", "train_error")),
            }
            for series, (name, paper) in papers.items()
            for p, of in groups(rows[rows.series == series], "p")
        ]
    )


def dataset_size(frames: Frames) -> pd.DataFrame:
    """Fig. 10 in numbers."""
    rows = frames["dataset_size"]
    names = {"none": "none", "dropout_max_norm": "dropout"}
    return pd.DataFrame(
        [
            {
                "digits": digits,
                "way": WAYS[way],
                "paper, test, %": FIG10[name].get(digits, float("nan")),
                **named(ours(of[of.way == way], "test_error", "train_error")),
            }
            for digits, of in groups(rows, "digits")
            for way, name in names.items()
        ]
    )


def monte_carlo(frames: Frames) -> pd.DataFrame:
    """Fig. 11 in numbers."""
    rows = frames["monte_carlo"]
    paper = {0: FIG11_SCALING, **FIG11}
    return pd.DataFrame(
        [
            {
                "thinned nets, k": "weight scaling" if k == 0 else str(k),
                "paper, test, %": paper.get(k, float("nan")),
                **named(ours(of, "test_error")),
                "sd over draws, points": text(kept(of).test_error_sd) if k else "-",
            }
            for k, of in groups(rows, "k")
        ]
    )


def features(frames: Frames) -> pd.DataFrame:
    """What autoencoders' hidden units are like."""
    names = {
        "effective_pixels": "pixels a unit is spread over",
        "neighbour_correlation": "correlation of neighbouring weights",
        "mean_activation": "mean activation",
        "near_zero": "activations near zero, %",
        "dead": "units never active, %",
        "train_mse": "training MSE",
        "test_mse": "test MSE",
    }
    return _measures(frames["features"], names, {"mean_activation": FIG8_MEANS})


def rbm(frames: Frames) -> pd.DataFrame:
    """What hidden units of restricted Boltzmann machines are like."""
    names = {
        "dead": "dead units, %",
        "neighbour_correlation": "correlation of neighbouring weights",
        "near_zero": "P(h = 1) below .1, %",
        "mean_activation": "mean P(h = 1)",
        "reconstruction_mse": "MSE of reconstruction",
    }
    return _measures(frames["rbm"], names, {})


def _measures(
    rows: pd.DataFrame, names: Mapping[str, str], paper: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    sets = {way: ours(rows[rows.way == way], *names) for way in ("none", "dropout")}
    found = [
        {
            "measure": name,
            "paper, without": _number(paper.get(column, {}).get("none")),
            "paper, dropout": _number(paper.get(column, {}).get("dropout")),
            "ours, without": sets["none"][column],
            "ours, dropout": sets["dropout"][column],
            "nets": f"{sets['none']['nets']} and {sets['dropout']['nets']}",
        }
        for column, name in names.items()
    ]
    table = pd.DataFrame(found)
    return table if paper else table.drop(columns=["paper, without", "paper, dropout"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def marginal(frames: Frames) -> pd.DataFrame:
    """Identities of section 9, each with the largest difference found."""
    names = {
        "identity": "expected loss, over all masks, against the closed form",
        "ridge": "p times its minimiser against ridge regression",
        "gaussian": "minimiser with Gaussian noise against Bernoulli's",
    }
    rows = frames["marginal"]
    return pd.DataFrame(
        [
            {
                "check": names.get(check, check),
                "data": data,
                "problems": of.problem.nunique(),
                "values of p": ", ".join(f"{p:g}" for p in sorted(of.p.unique())),
                "largest relative difference": f"{of.difference.max():.1e}",
            }
            for (check, data), of in groups(rows, "check", "data")
        ]
    )


def convnets(frames: Frames) -> pd.DataFrame:
    """Tables 3 and 4, and Table 10's row of CIFAR-10."""
    rows = frames["convnet"]
    data = {"svhn": "SVHN", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
    found = []
    for (name, way), error in TABLES34.items():
        of = rows[(rows.data == name) & (rows.way == way)]
        if len(of):
            found.append(
                {
                    "data": data[name],
                    "way": WAYS[way],
                    "paper, test, %": f"{error:g}" if way == "gaussian" else f"{error:.2f}",
                    **named(ours(of, "test_error", "train_error")),
                }
            )
    return pd.DataFrame(found)


def pretraining(frames: Frames) -> pd.DataFrame:
    """Table 2's deep belief nets."""
    rows = frames["pretraining"]
    return pd.DataFrame(
        [
            {
                "fine-tuned with": WAYS[way],
                "paper, test, %": f"{error:.2f}",
                **named(ours(rows[rows.way == way], "test_error", "train_error")),
            }
            for way, error in TABLE2_PRETRAINED.items()
        ]
    )
