"""Tables: pure functions from tidy frames to frames ready to print."""

from __future__ import annotations

import pandas as pd

from oldschool.claims.estimate import NotRun, mean
from oldschool.report.tables import fmt
from oldschool.runs.experiment import Frames

from .paths import counts, decibel, rise, whole
from .shares import WAYS
from .trainings import WAYS as WAYS_TO_TRAIN

STUCK = 50  # per cent of the training digits wrong: a net that has not learned
_PAPER = {
    "small": {"train_wrong": 1.1, "train_mse": 0.017, "test_wrong": 3.4, "test_mse": 0.024},
    "larger": {"train_wrong": 0.14, "train_mse": 0.0025, "test_wrong": 5.0, "test_mse": 0.018},
}
_NAMES = {
    "train_wrong": "training digits wrong, %",
    "train_mse": "training MSE",
    "test_wrong": "test digits wrong, %",
    "test_mse": "test MSE",
}


def _text(values: pd.Series) -> str:
    found = mean(values.to_numpy(float))
    if isinstance(found, NotRun):
        return f"{float(values.iloc[0]):.4g}" if len(values) else "-"
    return fmt(found.value, found.low, found.high)


def nets(frames: Frames) -> pd.DataFrame:
    """Both nets as trained: the paper's and ours."""
    large = whole(frames["interactive"])
    ours = {"small": whole(frames["digit_nets"]), "larger": large[large.moment == "trained"]}
    return pd.DataFrame(
        [
            {
                "net": name,
                "measure": label,
                "paper": _PAPER[name][column],
                "ours": _text(rows[column]),
                "nets": len(rows),
            }
            for name, rows in ours.items()
            for column, label in _NAMES.items()
        ]
    )


def shares(frames: Frames) -> pd.DataFrame:
    """Share a round and variants of deletion at the same retraining in sum."""
    rows = whole(frames["shares"])
    found = []
    for way in WAYS:
        of = rows[rows.way == way]
        if of.empty:
            continue
        dB = {
            part: pd.Series(decibel(of[f"{part}_mse"] / of[f"base_{part}_mse"]))
            for part in ("train", "test")
        }
        found.append(
            {
                "way": way,
                "rounds": int(of.rounds.iloc[0]),
                "deleted": int(of.deleted.iloc[0]),
                "training MSE, dB": _text(dB["train"]),
                "test MSE, dB": _text(dB["test"]),
                "change of test error, points": _text(of.test_wrong - of.base_test_wrong),
                "nets": len(of),
            }
        )
    return pd.DataFrame(found)


def layers(frames: Frames) -> pd.DataFrame:
    """What retrained nets have left of each layer when 1548 weights are deleted, or nearest."""
    rows = whole(frames["retraining"])
    deleted = min(rows.deleted.unique(), key=lambda count: abs(count - 1548))
    at = rows[rows.deleted == deleted]
    columns = [name for name in rows.columns if name.startswith("left_")]
    return pd.DataFrame(
        [
            {
                "method": method,
                "deleted": int(deleted),
                **{
                    f"{column.removeprefix('left_')}, left": _text(part[column])
                    for column in columns
                },
                "connections left": _text(part.connections),
                "nets": len(part),
            }
            for method, part in at.groupby("method")
        ]
    )


def trainings(frames: Frames) -> pd.DataFrame:
    """Magnitude and OBD without retraining after other trainings."""
    rows = whole(frames["trainings"])
    found = []
    for way in WAYS_TO_TRAIN:
        of = rows[rows.training == way]
        start = of[(of.deleted == 0) & (of.method == "obd")]
        stuck = start[start.train_wrong > STUCK].replicate
        of = of[~of.replicate.isin(stuck)]
        if of.empty:
            continue
        tables = {
            method: part.pivot(index="replicate", columns="deleted", values="train_mse")
            for method, part in of.groupby("method")
        }
        dB = {method: rise(table) for method, table in tables.items()}
        base = of[(of.deleted == 0) & (of.method == "obd")]
        gap = of[of.method == "obd"].pivot(index="replicate", columns="deleted", values="foreseen")
        found.append(
            {
                "training": way,
                "training MSE": _text(base.train_mse),
                "training digits wrong, %": _text(base.train_wrong),
                **{
                    f"{count} deleted, dB: magnitude / OBD / foreseen": " / ".join(
                        f"{value:.1f}"
                        for value in (
                            dB["magnitude"][count].mean(),
                            dB["obd"][count].mean(),
                            decibel(1 + gap[count] / tables["obd"][0]).mean(),
                        )
                    )
                    for count in counts(dB["obd"])
                    if count > 0
                },
                **{
                    f"{count} deleted, magnitude over OBD, dB": _text(
                        dB["magnitude"][count] - dB["obd"][count]
                    )
                    for count in counts(dB["obd"])[-3:]
                    if count > 0
                },
                "nets": f"{len(base)} of {len(start)}",
            }
        )
    return pd.DataFrame(found)


def terms(frames: Frames) -> pd.DataFrame:
    """What each approximation foresees of OBD's deletions, beside the rise that comes."""
    rows = whole(frames["deletion"])
    rows = rows[rows.method == "obd"]
    base = rows[rows.deleted == 0].set_index("replicate").train_mse
    named = {
        "foreseen": "OBD's saliencies",
        "first_order": "gradient",
        "quadratic": "whole Gauss-Newton matrix",
        "output_layer": "of that, output layer alone",
        "as_bias": "of that, mean change of net inputs",
    }
    found = []
    for deleted, at in rows[rows.deleted > 0].groupby("deleted"):
        at = at.set_index("replicate")
        rise_here = at.train_mse - base.loc[at.index]
        found.append(
            {
                "deleted": int(str(deleted)),
                "rise of the training MSE": _text(rise_here),
                **{label: _text(at[column]) for column, label in named.items()},
                "share foreseen, median, %": f"{100 * (at.foreseen / rise_here).median():.0f}",
                "nets": len(at),
            }
        )
    return pd.DataFrame(found)
