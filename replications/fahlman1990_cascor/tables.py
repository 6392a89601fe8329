"""Tables: pure functions from tidy frames to frames ready to print."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from oldschool.claims.estimate import Estimate, NotRun, mean, median, share
from oldschool.report.tables import fmt
from oldschool.runs.experiment import Frames

from . import authors, paper
from .estimates import cost
from .parity import SET_UPS
from .selection import variation
from .sensitivity import VARIATIONS


def _text(found: Estimate | NotRun) -> str:
    return "-" if isinstance(found, NotRun) else fmt(found.value, found.low, found.high)


def spirals(frames: Frames) -> pd.DataFrame:
    """The paper, the authors' own programs, and ours."""
    rows = frames["spirals"]
    learned = rows[rows.learned]
    hidden, epochs, crossings = (
        learned[name].to_numpy(float) for name in ("hidden", "epochs", "crossings")
    )
    ours = {
        "trials": str(len(rows)),
        "learned, %": _text(share(len(learned), len(rows))),
        "hidden_mean": _text(mean(hidden)),
        "hidden_median": _text(median(hidden)),
        "hidden_min": f"{hidden.min():.0f}",
        "hidden_max": f"{hidden.max():.0f}",
        "epochs": _text(mean(epochs)),
        "crossings": _text(mean(crossings / paper.MILLION)),
    }
    names = {
        "hidden_mean": "hidden units, mean", "hidden_median": "hidden units, median",
        "hidden_min": "hidden units, least", "hidden_max": "hidden units, most",
        "epochs": "epochs, mean", "crossings": "million crossings, mean",
    }  # fmt: skip
    return pd.DataFrame(
        [
            {
                "two spirals": names.get(quantity, quantity),
                "paper": paper.SPIRALS[quantity],
                **{
                    f"authors' {name}": f"{value / (paper.MILLION if value > 1e6 else 1):.6g}"
                    for name, value in programs.items()
                },
                "ours": ours[quantity],
            }
            for quantity, programs in authors.SPIRALS.items()
        ]
    )


def sensitivity(frames: Frames) -> pd.DataFrame:
    """One parameter changed at a time."""
    present = set(frames["sensitivity"].variation) | {"primary"}
    found = []
    for name in VARIATIONS:
        if name not in present:
            continue
        rows = variation(frames, name)
        learned = rows[rows.learned]
        found.append(
            {
                "variation": name,
                "trials": len(rows),
                "learned, %": _text(share(len(learned), len(rows))),
                "hidden units": _text(mean(learned.hidden.to_numpy(float))),
                "median": int(learned.hidden.median()) if len(learned) else "-",
                "epochs": _text(mean(learned.epochs.to_numpy(float))),
                "million crossings": _text(mean(learned.crossings.to_numpy(float) / paper.MILLION)),
            }
        )
    return pd.DataFrame(found)


def rivals(frames: Frames) -> pd.DataFrame:
    """Back-propagation and Quickprop on Lang and Witbrock's net."""
    found = []
    for rule, rows in frames["rivals"].groupby("rule", sort=False):
        learned = rows[rows.learned]
        found.append(
            {
                "rule": rule,
                "starts": len(rows),
                "learned, %": _text(share(len(learned), len(rows))),
                "diverged": int(rows.diverged.sum()),
                "given up after": int(rows.epochs.max()),
                "epochs, median": _text(median(learned.epochs.to_numpy(float))),
                "paper's epochs": paper.RIVAL_EPOCHS[str(rule)],
                "all starts, median": _all_starts(rows),
                "epochs spent for each that learns": f"{cost(rows, 'epochs'):.0f}",
                "million crossings, median": _text(
                    median(learned.crossings.to_numpy(float) / paper.MILLION)
                ),
                "paper's million": f"{paper.RIVAL_CROSSINGS[str(rule)] / paper.MILLION:g}",
            }
        )
    return pd.DataFrame(found)


def _all_starts(rows: pd.DataFrame) -> str:
    """Median epochs, those that never learn counted as more than the limit."""
    middle = float(rows.epochs.where(rows.learned, np.inf).median())
    return f"{middle:.0f}" if np.isfinite(middle) else f"above {int(rows.epochs.max())}"


def rival_rates(frames: Frames) -> pd.DataFrame:
    """Settings tried on other starts than those that are reported."""
    found = []
    for key, rows in frames["rival_rates"].groupby(["rule", "setting", "value"], sort=False):
        rule, setting, value = cast(tuple[str, str, float], key)
        learned = rows[rows.learned]
        found.append(
            {
                "rule": rule,
                "setting": f"{setting} {value:g}",
                "starts": len(rows),
                "learned": len(learned),
                "epochs of those, median": _text(median(learned.epochs.to_numpy(float))),
                "all starts, median": _all_starts(rows),
            }
        )
    return pd.DataFrame(found)


def parity(frames: Frames) -> pd.DataFrame:
    """Hidden units and epochs for N bits."""
    found = []
    for name in SET_UPS:
        of = frames["parity"][frames["parity"].set_up == name]
        for bits in sorted(of.bits.unique()):
            rows = of[of.bits == bits]
            learned = rows[rows.learned]
            fewest, most, epochs = paper.PARITY.get(int(bits), (0, 0, 0))
            units = str(fewest) if fewest == most else f"{fewest}-{most}"
            found.append(
                {
                    "set-up": name,
                    "N": bits,
                    "trials": len(rows),
                    "learned": len(learned),
                    "hidden units": _text(mean(learned.hidden.to_numpy(float))),
                    "paper's": units,
                    "epochs": _text(mean(learned.epochs.to_numpy(float))),
                    "paper's epochs": epochs,
                    "authors' Lisp": authors.PARITY_EPOCHS[name].get(int(bits), "-"),
                }
            )
    return pd.DataFrame(found)


def parity10(frames: Frames) -> pd.DataFrame:
    """Generalisation on 10-bit parity."""
    found = []
    for key, rows in frames["parity10"].groupby(["set_up", "train"], sort=False):
        name, train = cast(tuple[str, int], key)
        learned = rows[rows.learned]
        trials = paper.PARITY10.get(train)
        found.append(
            {
                "set-up": name,
                "cases trained": train,
                "trials": len(rows),
                "learned": len(learned),
                "hidden units": _text(mean(learned.hidden.to_numpy(float))),
                "epochs": _text(mean(learned.epochs.to_numpy(float))),
                "wrong of the others, %": _text(mean(learned.test_wrong.to_numpy(float))),
                "paper's trials, %": ", ".join(f"{wrong:g}" for wrong in trials or ()),
                "authors' Lisp, %": authors.PARITY10_WRONG[name].get(train, "-"),
            }
        )
    return pd.DataFrame(found)
