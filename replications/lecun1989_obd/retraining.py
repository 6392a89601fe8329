"""Figs 2a and 2b: weights deleted in rounds, the nets trained again after each.

Under every method a net sees the digits in the same order.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from oldschool.nets.stack import Stack
from oldschool.pruning.large import LargeOptimalBrainSurgeon
from oldschool.pruning.rounds import (
    LeastFirst,
    RoundMethod,
    Surgery,
    magnitude,
    obd_saliency,
    random_score,
)
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.diagonal_lm import stochastic_diagonal_lm

from .digits import digits, measures, sources, weights_of
from .nets import small_net
from .settings import PRECISIONS, ObdConfig

# Methods that prune every net; the others prune the first few.
ALL_NETS = ("magnitude", "obd")


def rounds(whole: int, share: float, to: int) -> list[int]:
    """Deleted after each round: multiples of ``share`` of ``whole``, and ``to`` at the end."""
    step = max(1, round(share * whole))
    return [*range(step, to, step), to]


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    settings = config.retraining
    nets = min(settings.nets, config.digits.nets)
    return [
        unit
        for method in settings.methods
        for unit in blocks(
            "retraining",
            {"method": method},
            nets if method in ALL_NETS else min(settings.few, nets),
            settings.block,
        )
    ]


def pruner(name: str, config: ObdConfig, unit: Unit, seeds: Seeds) -> RoundMethod:
    """The method of a unit."""
    settings = config.retraining
    if name == "obs":
        return Surgery(LargeOptimalBrainSurgeon(settings.alpha), settings.obs_samples)
    draws = random_score(seeds.generators("retraining", unit.replicates, "random order"))
    return {
        "magnitude": LeastFirst("magnitude", magnitude, foresees=False),
        "obd": LeastFirst("obd", obd_saliency),
        "random": LeastFirst("random", draws, foresees=False),
    }[name]


def run(config: ObdConfig, unit: Unit, seeds: Seeds, inputs: Frames) -> Frames:
    settings, dtype = config.retraining, PRECISIONS[config.digits.precision]
    net, data = small_net(config.digits.unit), digits(28, dtype)
    theta = weights_of(inputs["digit_weights"], dtype)
    kept = torch.ones_like(theta, dtype=torch.bool)
    method = pruner(str(unit.condition["method"]), config, unit, seeds)
    rows = [_rows(unit, net, kept, measures(net, theta, data))]
    for number, deleted in enumerate(rounds(net.weights, settings.share, settings.to), start=1):
        at = method.prune(net, theta, kept, data.train, [net.weights - deleted])[0]
        kept = at.kept
        theta = stochastic_diagonal_lm(
            net,
            at.theta,
            data.train,
            settings.schedule.schedule(),
            seeds.generators("retraining", unit.replicates, f"order of round {number}"),
            kept,
        )
        foreseen = (at.predicted * 2 / net.outputs_count).tolist()
        rows.append(_rows(unit, net, kept, {**measures(net, theta, data), "foreseen": foreseen}))
    return {"retraining": pd.concat(rows, ignore_index=True)}


def _rows(unit: Unit, net: Stack, kept: Tensor, found: dict[str, list[float]]) -> pd.DataFrame:
    """A row a net: how it does, what is left of each layer, and what a classification costs."""
    left = {
        f"left_{layer.name}": kept[:, net.layer_of == depth].sum(1).tolist()
        for depth, layer in enumerate(net.layers)
    }
    return pd.DataFrame(
        {
            "method": unit.condition["method"],
            "replicate": list(unit.replicates),
            "deleted": (~kept).sum(1).tolist(),
            **found,
            **left,
            "connections": (kept * net.uses).sum(1).tolist(),
        }
    )


RETRAINING = Experiment(
    name="retraining",
    code_version=2,
    settings=("digits", "retraining"),
    frames=("retraining",),
    plan=plan,
    run=run,
    data=sources,
    needs=("digits",),
    reads=("digit_weights",),
    resampled=True,  # rounding parts two runs of thousands of steps
)
