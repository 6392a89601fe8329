"""Does it hang on the training which of magnitude and OBD deletes better? Fig. 1a's sensitivity.

The papers leave the transfer function, mu and whether subsampling has a transfer function open.
Nets of other starts are trained for a third of the passes, one choice changed at a time, and
pruned on one look without retraining.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
import torch

from oldschool.nets.stack import Stack
from oldschool.pruning.rounds import LeastFirst, magnitude, obd_saliency
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.diagonal_lm import stochastic_diagonal_lm

from .digits import digits, measures, sources
from .nets import small_net
from .settings import PRECISIONS, ObdConfig


@dataclass(frozen=True)
class Training:
    """A way to train.

    Attributes:
        unit: transfer function; None for that of ``digits``.
        averages: transfer function of the subsampling layers; None for the same.
        rate: None for that of ``digits``.
        mu: likewise.
    """

    unit: str | None = None
    averages: str | None = None
    rate: float | None = None
    mu: float | None = None


WAYS: Mapping[str, Training] = {
    "as the others": Training(),
    "mu .02, rate .0002": Training(rate=2e-4, mu=0.02),
    "mu 1, rate .002": Training(rate=2e-3, mu=1.0),
    "standard tanh": Training(unit="tanh"),
    "linear subsampling": Training(averages="linear"),
}
_SUBSAMPLING = ("H2", "H4")


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    settings = config.trainings
    return [
        unit
        for name in WAYS
        for unit in blocks("trainings", {"training": name}, settings.nets, settings.nets)
    ]


def run(config: ObdConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, common = config.trainings, config.digits
    name = str(unit.condition["training"])
    way = WAYS[name]
    dtype = PRECISIONS[common.precision]
    transfer = way.unit or common.unit
    plain = small_net(transfer)
    units = tuple(
        way.averages if way.averages and place.name in _SUBSAMPLING else transfer
        for place in plain.layers
    )
    net = Stack(plain.schemes, units, tuple(place.name for place in plain.layers))
    data = digits(28, dtype)
    schedule = replace(
        common.schedule.schedule(),
        passes=settings.passes,
        rate=way.rate or common.schedule.rate,
        mu=way.mu or common.schedule.mu,
    )
    theta = stochastic_diagonal_lm(
        net,
        net.uniform(seeds.generators("trainings", unit.replicates, "weights"), common.init, dtype),
        data.train,
        schedule,
        seeds.generators("trainings", unit.replicates, "order"),
    )
    kept = torch.ones_like(theta, dtype=torch.bool)
    lead = {"training": name, "replicate": list(unit.replicates)}
    rows = []
    for method in (
        LeastFirst("magnitude", magnitude, foresees=False),
        LeastFirst("obd", obd_saliency),
    ):
        counts = [net.weights - count for count in settings.deleted]
        path = method.prune(net, theta, kept, data.train, [net.weights, *counts])
        for deleted, at in zip([0, *settings.deleted], path, strict=True):
            found = measures(net, at.theta, data)
            foreseen = (at.predicted * 2 / net.outputs_count).tolist()
            rows.append(
                pd.DataFrame(
                    {
                        **lead, "method": method.name, "deleted": deleted, **found,
                        "foreseen": foreseen,
                    }
                )
            )  # fmt: skip
    return {"trainings": pd.concat(rows, ignore_index=True)}


TRAININGS = Experiment(
    name="trainings",
    code_version=2,
    settings=("digits", "trainings"),
    frames=("trainings",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two runs of thousands of steps
)
