"""Tables: pure functions from tidy frames to frames ready to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch

from oldschool.claims.estimate import Estimate, NotRun, mean, median, share
from oldschool.report.style import METHOD_STYLE
from oldschool.report.tables import fmt
from oldschool.runs.experiment import Frames

from .figures.common import METHODS, PAPER_LEFT, PAPER_TEST, PROBLEM
from .gaussian_paths import summary
from .gaussian_sensitivity import WAY
from .monk_nets import START_WEIGHTS
from .rules import CLAUSE
from .selection import at_least, monks, nettalk_at, nettalk_start, ordered
from .xor import SET_UPS, WEIGHTS, canonical


def _text(found: Estimate | NotRun) -> str:
    return "-" if isinstance(found, NotRun) else fmt(found.value, found.low, found.high)


def table1(frames: Frames) -> pd.DataFrame:
    """The paper's Table 1 beside ours, with magnitude and OBD on the same nets."""
    rows = []
    for problem, paper in PAPER_LEFT.items():
        for method in METHODS:
            for retrained in (False, True):
                nets = monks(frames, problem, method, retrained)
                few = nets[nets.weights_left <= paper]
                is_paper = method == "obs" and not retrained
                rows.append(
                    {
                        "problem": PROBLEM[problem],
                        "method": METHOD_STYLE[method]["label"],
                        "retrained": "yes" if retrained else "no",
                        "nets": len(nets),
                        "weights left (paper)": str(paper) if is_paper else "",
                        "median": _text(median(nets.weights_left.to_numpy())),
                        "mean": _text(mean(nets.weights_left.to_numpy())),
                        "range": f"{nets.weights_left.min()}-{nets.weights_left.max()}",
                        "at or below paper, %": _text(share(len(few), len(nets))),
                        "test accuracy (paper), %": f"{PAPER_TEST[problem]:g}" if is_paper else "",
                        "test accuracy, %": _text(mean(100 * nets.test_accuracy.to_numpy())),
                    }
                )
    return pd.DataFrame(rows)


def grid(frames: Frames) -> pd.DataFrame:
    """Mean weights left over weight decay: OBS at every alpha, magnitude and OBD beside it."""
    rows = []
    for (unit, problem, decay), nets in frames["monks_grid"].groupby(["unit", "problem", "decay"]):
        trained = nets[nets.trained]
        obs = trained[trained.method == "obs"].groupby("alpha").weights_left.mean()
        one = nets[(nets.method == "obs") & (nets.alpha == nets.alpha.iloc[0])]
        row: dict[str, object] = {
            "units": unit,
            "problem": PROBLEM[str(problem)],
            "decay": f"{decay:g}",
            "nets": len(one),
            "trained, %": f"{100 * one.trained.mean():.0f}",
            "at a minimum, %": f"{100 * one.at_minimum.mean():.0f}",
            "test accuracy at start, %": f"{100 * one.start_test_accuracy.mean():.1f}",
        }
        for alpha in sorted(nets.alpha.dropna().unique()):
            row[f"OBS {alpha:g}"] = f"{obs[alpha]:.1f}" if alpha in obs else "-"
        for method in ("magnitude", "obd"):
            for retrained in (False, True):
                left = trained[
                    (trained.method == method) & (trained.retrained == retrained)
                ].weights_left
                label = METHOD_STYLE[method]["label"] + (", retrained" if retrained else "")
                few = f" (n = {len(left)})" if retrained else ""
                row[label] = f"{left.mean():.1f}{few}" if len(left) else "-"
        rows.append(row)
    return pd.DataFrame(rows)


def xor_methods(frames: Frames) -> pd.DataFrame:
    """Every set-up, method and alpha: right weight, solved, zero error, the weights chosen."""
    rows = []
    labels = {name: style["label"] for name, style in METHOD_STYLE.items()}
    labels["obd_lm"] = "OBD, no f'' terms"
    for _, nets in frames["xor"].groupby(
        ["set_up", "decay", "method", "alpha"], dropna=False, sort=False
    ):
        one = nets.iloc[0]
        common = nets.weight.value_counts(normalize=True).head(3)
        rows.append(
            {
                "set-up": one.set_up,
                "decay": f"{one.decay:g}",
                "method": labels[one.method],
                "alpha": "" if pd.isna(one.alpha) else f"{one.alpha:g}",
                "minima": len(nets),
                "can be done without, %": _text(share(int(nets.relearns.sum()), len(nets))),
                "solved, no retraining, %": _text(share(int(nets.solved.sum()), len(nets))),
                "error zero, %": _text(share(int(nets.zero.sum()), len(nets))),
                "weights chosen": ", ".join(
                    f"{name} {100 * s:.0f} %" for name, s in common.items()
                ),
            }
        )
    return pd.DataFrame(rows)


def xor_starts(frames: Frames) -> pd.DataFrame:
    """What became of the random starts, and how many kinds of solution there are."""
    rows = []
    for (set_up, decay), starts in frames["xor_starts"].groupby(["set_up", "decay"], sort=False):
        minima = starts[starts.status == "minimum"]
        kinds = minima.hidden.value_counts()
        rows.append(
            {
                "set-up": set_up,
                "decay": f"{decay:g}",
                "starts": len(starts),
                "minima": len(minima),
                "not solved": int((starts.status == "not solved").sum()),
                "not at a minimum": int((starts.status == "not at a minimum").sum()),
                "diverged": int((starts.status == "diverged").sum()),
                "gradient norm, largest": f"{minima.gradient_norm.max():.1e}",
                "E, median": f"{minima.error.median():.1e}",
                "distinct minima": _distinct(str(set_up), minima) if decay else "not isolated",
                "kinds of solution": len(kinds),
                "most frequent": ", ".join(f"{k} {v}" for k, v in kinds.head(3).items()),
            }
        )
    return pd.DataFrame(rows)


def _distinct(set_up: str, minima: pd.DataFrame) -> str:
    """Minima that differ by more than the net's symmetries, weights rounded to 0.01."""
    theta = torch.tensor(minima[list(WEIGHTS)].to_numpy(), dtype=torch.float64)
    rounded = canonical(SET_UPS[set_up], theta).mul(100).round().to(torch.int64)
    return str(len(set(map(tuple, rounded.tolist()))))


def xor_deletions(frames: Frames) -> pd.DataFrame:
    """Which of the nine weights XOR can do without, from minima and from fresh starts."""
    rows = []
    for set_up in SET_UPS:
        minima = frames["xor_deletions"]
        minima = minima[(minima.set_up == set_up) & (minima.decay == 0)]
        fresh = frames["xor_structure"]
        fresh = fresh[fresh.set_up == set_up].groupby("deleted")[["restarts", "solved"]].sum()
        for weight in WEIGHTS:
            of = minima[minima.weight == weight]
            rows.append(
                {
                    "set-up": set_up,
                    "deleted": weight,
                    "minima": len(of),
                    "relearned at once, %": _text(share(int((of.attempt == 1).sum()), len(of))),
                    "relearned in any attempt, %": _text(
                        share(int((of.attempt > 0).sum()), len(of))
                    ),
                    "fresh starts": int(fresh.restarts[weight]),
                    "of them solved, %": _text(
                        share(int(fresh.solved[weight]), int(fresh.restarts[weight]))
                    ),
                }
            )
    return pd.DataFrame(rows)


def monk3_rules(frames: Frames) -> pd.DataFrame:
    """The rules that the pruned MONK-3 nets compute, most frequent first."""
    start = monks(frames, "monk3", "obs", False)
    rows: list[dict[str, object]] = [
        {
            "method": "not pruned",
            "retrained": "",
            "rule": CLAUSE,
            "share of nets, %": _text(share(int(start.start_is_clause.sum()), len(start))),
            "weights left, median": f"{START_WEIGHTS['monk3']}",
            "test accuracy, %": f"{100 * start.start_test_accuracy.mean():.1f}",
        }
    ]
    for method in METHODS:
        for retrained in (False, True):
            nets = monks(frames, "monk3", method, retrained)
            for text, count in nets.rule.value_counts().head(5).items():
                of = nets[nets.rule == text]
                rows.append(
                    {
                        "method": METHOD_STYLE[method]["label"],
                        "retrained": "yes" if retrained else "no",
                        "rule": text,
                        "share of nets, %": _text(share(int(count), len(nets))),
                        "weights left, median": f"{of.weights_left.median():g}",
                        "test accuracy, %": f"{100 * of.test_accuracy.mean():.1f}",
                    }
                )
    return pd.DataFrame(rows)


def inequality(frames: Frames) -> pd.DataFrame:
    """The order of the three errors, task by task."""
    rows = []
    for task, nets in frames["inequality"].groupby("task", sort=False):
        mag, obd, obs = (nets[f"{method}_actual"] for method in METHODS)
        held = {
            "to second order": ordered(nets, "predicted"),
            "actual": ordered(nets, "actual"),
            "mag >= OBD": at_least(mag, obd),
            "OBD >= OBS": at_least(obd, obs),
            "OBS least of the three": at_least(mag, obs) & at_least(obd, obs),
        }
        row: dict[str, object] = {"task": PROBLEM.get(str(task), task), "nets": len(nets)}
        for label, holds in held.items():
            row[f"{label}, %"] = _text(share(int(holds.sum()), len(nets)))
        for method in METHODS:
            rise = nets[f"{method}_actual"].median()
            row[f"median rise, {METHOD_STYLE[method]['label']}"] = f"{rise:.2g}"
        rows.append(row)
    return pd.DataFrame(rows)


def xor_stop(frames: Frames) -> pd.DataFrame:
    """OBS and magnitude against the error at which training ends."""
    rows = []
    keys = ["set_up", "stop_error", "method", "alpha"]
    for _, parts in frames["xor_stop"].groupby(keys, dropna=False, sort=False):
        one, minima = parts.iloc[0], int(parts.minima.sum())
        rows.append(
            {
                "set-up": one.set_up,
                "training ends at E of": f"{one.stop_error:g}",
                "method": METHOD_STYLE[one.method]["label"],
                "alpha": "" if pd.isna(one.alpha) else f"{one.alpha:g}",
                "minima": minima,
                "hidden bias deleted, %": _text(share(int(parts.hidden_bias.sum()), minima)),
                "solved, no retraining, %": _text(share(int(parts.solved.sum()), minima)),
            }
        )
    return pd.DataFrame(rows)


def nettalk(frames: Frames) -> pd.DataFrame:
    """The nets at the end of each stage, as pruned and as retrained."""
    start = nettalk_start(frames)

    def line(nets: pd.DataFrame, method: str, moment: str) -> dict[str, object]:
        of = start.reindex(nets.index)
        row: dict[str, object] = {
            "weights": int(nets.weights_left.iloc[0]), "method": method, "moment": moment,
            "nets": len(nets),
        }  # fmt: skip
        for part, words in (("train", "training"), ("test", "test")):
            relative = 100 * nets[f"{part}_sse"] / of[f"{part}_sse"]
            row[f"{words} error, % of start"] = _text(mean(relative.to_numpy()))
        for what in ("phoneme", "stress"):
            row[f"right {what}, %"] = _text(mean(nets[f"test_{what}"].to_numpy()))
        row["dead outputs"] = fmt(nets.train_dead.mean())
        return row

    rows = [line(start, "", "trained")]
    for stage in sorted(set(frames["nettalk"].stage) - {0}):
        for moment in ("pruned", "retrained"):
            for method in METHODS:
                nets = nettalk_at(frames, method, stage, moment)
                if len(nets):
                    rows.append(line(nets, str(METHOD_STYLE[method]["label"]), moment))
    return pd.DataFrame(rows)


def nettalk_looks(frames: Frames) -> pd.DataFrame:
    """What each setting of OBS leaves at the last count measured."""
    rows = []
    keys = ["hidden", "alpha", "every", "precision"]
    for (hidden, alpha, every, precision), nets in frames["nettalk_looks"].groupby(keys):
        last = nets[nets.weights_left == nets.weights_left.min()]
        refused = bool(last.train_sse.isna().all())
        apart = last.first_apart[last.first_apart > 0]
        first = f"{apart.median():.0f}" if len(apart) else "never"
        rows.append(
            {
                "hidden units": hidden,
                "alpha": f"{alpha:g}",
                "every": every or "once",
                "precision": precision,
                "nets": last.replicate.nunique(),
                "weights left": int(last.weights_left.iloc[0]),
                "looks": "-" if refused else f"{last.looks.mean():.0f}",
                "training error": fmt(last.train_sse.mean()),
                "test error": fmt(last.test_sse.mean()),
                "right phonemes, %": fmt(last.test_phoneme.mean()),
                "drift": "-" if refused else f"{last.drift.max():.0e}",
                "first apart": "-" if refused or precision == "float64" else first,
                "nets apart": "-" if refused or precision == "float64" else f"{len(apart)}",
                "survivors shared, %": fmt(last.survivors_shared.mean()),
            }
        )
    return pd.DataFrame(rows)


def gaussian(frames: Frames) -> pd.DataFrame:
    """What is read off the paths of the Gaussian task, for each setting that was changed."""

    def line(nets: pd.DataFrame, way: Mapping[str, Any]) -> dict[str, object]:
        row: dict[str, object] = {
            "decay": f"{way['decay']:g}",
            "trained": "to a minimum" if way["minimum"] else "by back-propagation",
            "OBD's rate": f"{way['retrain_rate']:g}",
            "alpha": f"{way['alpha']:g}",
            "nets": len(nets),
        }
        for name, column in (
            ("OBS crosses OBD", "crossing"),
            ("the same, by 1 %", "crossing_1_percent"),
            ("least OBS test error", "test_min"),
            ("the same, early-stopped", "test_min_early"),
        ):
            row[f"{name}, deletions"] = _text(median(nets[column].to_numpy()))
        row["OBD test error rises, %"] = _text(mean(nets.obd_rise.to_numpy()))
        return row

    others = frames["gaussian_sensitivity"]
    keys = list(WAY)
    main = summary(frames["gaussian"], frames["gaussian_nets"])
    rows = [line(main, dict(zip(keys, others[keys].iloc[0], strict=True)))]
    for way, nets in others.groupby(keys, sort=False):
        rows.append(line(nets, dict(zip(keys, way, strict=True))))
    return pd.DataFrame(rows)
