"""What the paper leaves open: how many weights go a round, and its variants of deletion.

All ways have the same number of passes of retraining in sum, spread evenly over the weights
that go, and end with as many weights deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.stack import Stack
from oldschool.pruning.rounds import obd_lm_saliency
from oldschool.runs.experiment import Experiment, Frames, Unit
from oldschool.runs.seeds import Seeds
from oldschool.training.diagonal_lm import stochastic_diagonal_lm

from .digits import digits, measures, sources, weights_of
from .nets import small_net
from .retraining import rounds
from .settings import PRECISIONS, N, ObdConfig


@dataclass(frozen=True)
class Way:
    """A way to delete.

    Attributes:
        share: of all weights, that go a round; None for one weight.
        soft: None deletes for good. ``decrease`` halves weights of low saliency in one round and
            deletes those that still have it in the next; ``return`` lets deleted weights learn
            again until the last round.
    """

    share: float | None
    soft: str | None = None


WAYS = {
    "one weight a round": Way(None),  # first, as it takes longest
    "1 % a round": Way(0.01),
    "5 % a round": Way(0.05),
    "10 % a round": Way(0.1),
    "one shot": Way(1.0),
    "10 % a round, decreased first": Way(0.1, "decrease"),
    "10 % a round, may come back": Way(0.1, "return"),
}


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    settings = config.shares
    nets = min(settings.nets, config.digits.nets)
    return [
        Unit("shares", {"way": name}, 0, nets if way.share else min(settings.singly, nets))
        for name, way in WAYS.items()
        if way.share or settings.singly > 0
    ]


def run(config: ObdConfig, unit: Unit, seeds: Seeds, inputs: Frames) -> Frames:
    settings, dtype = config.shares, PRECISIONS[config.digits.precision]
    net, data = small_net(config.digits.unit), digits(28, dtype)
    seen = Task(data.train.x[: settings.samples], data.train.t[: settings.samples])
    name = str(unit.condition["way"])
    way = WAYS[name]
    theta = weights_of(inputs["digit_weights"], dtype)
    kept = torch.ones_like(theta, dtype=torch.bool)
    marked = torch.zeros_like(kept)
    base = measures(net, theta, data)
    whole = config.retraining.schedule.schedule()
    generators = seeds.generators("shares", unit.replicates, "order")
    share = 1 / N if way.share is None else way.share
    before, steps = 0, rounds(N, share, settings.deleted)
    for deleted in steps:
        low = lowest(net, theta, kept, seen, deleted)
        last = deleted == settings.deleted
        gone, halved = low, torch.zeros_like(low)
        if way.soft == "decrease" and not last:
            gone, halved = low & (marked | ~kept), low & ~marked & kept
        theta = torch.where(gone, 0.0, torch.where(halved, theta / 2, theta))
        if way.soft != "return" or last:
            kept = kept & ~gone
        marked = low
        passes = settings.passes * (deleted - before) / settings.deleted
        schedule = replace(whole, passes=passes, looked_at=settings.samples)
        theta = stochastic_diagonal_lm(net, theta, data.train, schedule, generators, kept)
        before = deleted
    rows = {
        "way": name,
        "replicate": list(unit.replicates),
        "rounds": len(steps),
        "deleted": (~kept).sum(1).tolist(),
        **{f"base_{measure}": values for measure, values in base.items()},
        **measures(net, theta, data),
    }
    return {"shares": pd.DataFrame(rows)}


def lowest(net: Stack, theta: Tensor, kept: Tensor, seen: Task, count: int) -> Tensor:
    """(R, N) bool: the ``count`` weights of lowest saliency, those deleted for good among them."""
    saliency = obd_lm_saliency(net, theta, seen).masked_fill(~kept, -1.0)
    order = saliency.argsort(dim=1, stable=True)[:, :count]
    return torch.zeros_like(kept).scatter_(1, order, True)


SHARES = Experiment(
    name="shares",
    code_version=2,
    settings=("digits", "retraining", "shares"),
    frames=("shares",),
    plan=plan,
    run=run,
    data=sources,
    needs=("digits",),
    reads=("digit_weights",),
    resampled=True,  # rounding parts two runs of thousands of steps
)
