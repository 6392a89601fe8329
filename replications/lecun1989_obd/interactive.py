"""The larger net, pruned with a designer's eye: first a layer, then weights.

The net of 9760 parameters loses its second-to-last layer, as the paper's did, and is trained
again; then Optimal Brain Damage takes it in rounds to a quarter of its parameters.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor

from oldschool.nets.stack import Stack
from oldschool.pruning.rounds import LeastFirst, obd_saliency
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.diagonal_lm import stochastic_diagonal_lm

from .digits import Digits, digits, measures, sources
from .nets import large_net, without_h3
from .retraining import rounds
from .settings import ObdConfig


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    return blocks("interactive", {}, config.interactive.nets, config.interactive.block)


def run(config: ObdConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, dtype, data = config.interactive, torch.float32, digits(16, torch.float32)
    net, schedule = large_net(settings.unit), settings.schedule.schedule()

    def generators(component: str) -> list[torch.Generator]:
        return seeds.generators("interactive", unit.replicates, component)

    theta = net.uniform(generators("weights"), settings.init, dtype)
    theta = stochastic_diagonal_lm(net, theta, data.train, schedule, generators("order"))
    everything = torch.ones_like(theta, dtype=torch.bool)
    rows = [_rows(unit, "trained", net, theta, everything, data)]

    small = without_h3(settings.unit)
    fresh = small.uniform(generators("weights without H3"), settings.init, dtype)
    theta = torch.where(small.layer_of < 2, theta[:, : small.weights], fresh)
    again = replace(schedule, passes=settings.removed_passes)
    theta = stochastic_diagonal_lm(small, theta, data.train, again, generators("order without H3"))
    kept = torch.ones_like(theta, dtype=torch.bool)
    rows.append(_rows(unit, "layer removed", small, theta, kept, data))

    method = LeastFirst("obd", obd_saliency)
    most = small.weights - settings.to
    for number, deleted in enumerate(rounds(small.weights, settings.share, most), start=1):
        at = method.prune(small, theta, kept, data.train, [small.weights - deleted])[0]
        kept = at.kept
        theta = stochastic_diagonal_lm(
            small,
            at.theta,
            data.train,
            settings.retraining.schedule(),
            generators(f"order of round {number}"),
            kept,
        )
        rows.append(_rows(unit, "weights deleted", small, theta, kept, data))
    return {"interactive": pd.concat(rows, ignore_index=True)}


def _rows(
    unit: Unit, moment: str, net: Stack, theta: Tensor, kept: Tensor, data: Digits
) -> pd.DataFrame:
    """A row a net."""
    return pd.DataFrame(
        {
            "replicate": list(unit.replicates),
            "moment": moment,
            "parameters": kept.sum(1).tolist(),
            "connections": (kept * net.uses).sum(1).tolist(),
            **measures(net, theta, data),
        }
    )


INTERACTIVE = Experiment(
    name="interactive",
    code_version=2,
    settings=("interactive",),
    frames=("interactive",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two runs of 42,000 steps
)
