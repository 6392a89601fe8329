"""A replication of nothing: two experiments, two figures, a table, a claim of every verdict."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from oldschool.claims.estimate import NotRun, exact, mean, median, paired_difference, share
from oldschool.runs.experiment import (
    Experiment,
    Figure,
    Replication,
    Table,
    blocks,
    plan_only,
)
from replications.demo2001_tiny import figures


@dataclass
class Nets:
    """Settings of both experiments."""

    spread: float = 1.0
    count: int = plan_only(60)


def plan_prune(config, frames):
    """Two problems, two blocks each."""
    return [
        unit
        for problem in ("easy", "hard")
        for unit in blocks("prune", {"problem": problem}, config.nets.count, 30)
    ]


def run_prune(config, unit, seeds):
    """A row a net and method: weights left, test accuracy."""
    rows = []
    for replicate in unit.replicates:
        axes = {"problem": unit.condition["problem"]}
        draw = np.random.default_rng(seeds.seed("prune", replicate, "weights", **axes))
        base = draw.normal(14.0, config.nets.spread)
        for method, extra in (("obs", 0.0), ("obd", 3.0), ("magnitude", 5.0)):
            left = round(base + extra + draw.normal(0.0, config.nets.spread))
            accuracy = 95.0 + draw.normal(0.0, 1.0)
            rows.append([*axes.values(), replicate, method, left, accuracy, left < 15])
    columns = ["problem", "replicate", "method", "left", "accuracy", "small"]
    return {"pruned": pd.DataFrame(rows, columns=columns)}


def run_cost(config, unit, seeds):
    """A row a size: the operations counted."""
    sizes = np.arange(1, 6)
    return {"cost": pd.DataFrame({"n": sizes, "operations": sizes**2})}


def _left(frames, method):
    pruned = frames["pruned"]
    return pruned[pruned["method"] == method]["left"].to_numpy()


REPLICATION = Replication(
    name="tiny",
    title="A tiny surgeon for tiny brains",
    citation="N. Obody and A. Lso, Proc. Nowhere 1 (2001) 1-2",
    folder=Path(__file__).parent,
    schema={"nets": Nets},
    experiments=[
        Experiment("prune", 1, ["nets"], ["pruned"], plan_prune, run_prune),
        Experiment(
            "cost", 1, ["nets"], ["cost"], lambda config, frames: blocks("cost", {}, 1, 1), run_cost
        ),
    ],
    figures=[
        Figure(
            "weights_left",
            ["pruned"],
            figures.weights_left,
            "Weights left after pruning",
            "Weights left of 58 in 60 nets a problem, pruned by each method to the training "
            "accuracy before pruning. Compare the mode with the line of the paper.",
            "Two histograms of weights left for three methods; OBS is furthest to the left.",
            "Table 1 gives one net: 14 weights left by the surgeon.",
        ),
        Figure(
            "operations",
            ["cost"],
            figures.operations,
            "Cost of the recursion",
            "Operations counted against the number of weights n.",
            "A rising curve through five points.",
        ),
    ],
    tables=[
        Table(
            "weights_left",
            ["pruned"],
            figures.weights_table,
            "Weights left by problem and method",
            "Median over 60 nets with its 90 % interval, and accuracy in %.",
        )
    ],
    estimates={
        "tiny.weights": lambda frames: median(_left(frames, "obs")),
        "tiny.accuracy": lambda frames: mean(frames["pruned"]["accuracy"], "all methods"),
        "tiny.order": lambda frames: paired_difference(_left(frames, "obd"), _left(frames, "obs")),
        "tiny.small": lambda frames: share(
            int((_left(frames, "obs") < 15).sum()), _left(frames, "obs").size
        ),
        "tiny.gain": lambda frames: paired_difference(
            _left(frames, "magnitude"), _left(frames, "obs")
        ),
        "tiny.exponent": lambda frames: exact(2, n=5),
        "tiny.start": lambda frames: exact(58),
        "tiny.rule": lambda frames: NotRun("no net was left with a rule"),
    },
)
