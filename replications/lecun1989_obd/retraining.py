"""Figs 2a and 2b: weights deleted in rounds, the nets trained again after each.

One method's way with one net is a road; the roads of a unit are trained as one batch. Every
road of a net sees the digits in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from oldschool.curvature.recursion import recursive_diagonal
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


def rounds(whole: int, share: float, to: int) -> list[int]:
    """Deleted after each round: multiples of ``share`` of ``whole``, and ``to`` at the end."""
    step = max(1, round(share * whole))
    return [*range(step, to, step), to]


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    settings = config.retraining
    nets = min(settings.nets, config.digits.nets)
    surgeons = blocks("retraining", {"methods": "obs"}, min(settings.obs_nets, nets), 1)
    return blocks("retraining", {"methods": "ranked"}, nets, settings.block) + surgeons


def pruners(config: ObdConfig, unit: Unit, seeds: Seeds) -> list[RoundMethod]:
    """The methods of a unit, in the order of its roads."""
    settings = config.retraining
    if unit.condition["methods"] == "obs":
        return [Surgery(LargeOptimalBrainSurgeon(settings.alpha), settings.obs_samples)]
    draws = random_score(seeds.generators("retraining", unit.replicates, "random order"))
    known = {
        "magnitude": LeastFirst("magnitude", magnitude, foresees=False),
        "obd": LeastFirst("obd", obd_saliency),
        "random": LeastFirst("random", draws, foresees=False),
    }
    return [known[name] for name in settings.methods]


def run(config: ObdConfig, unit: Unit, seeds: Seeds, inputs: Frames) -> Frames:
    settings, dtype = config.retraining, PRECISIONS[config.digits.precision]
    net, data = small_net(config.digits.unit), digits(28, dtype)
    start = weights_of(inputs["digit_weights"], dtype)
    methods, nets = pruners(config, unit, seeds), len(start)
    theta = start.repeat(len(methods), 1)
    kept = torch.ones_like(theta, dtype=torch.bool)
    replicates = list(unit.replicates) * len(methods)
    names = [method.name for method in methods for _ in unit.replicates]
    rows = [_rows(net, theta, kept, names, replicates, "trained", measures(net, theta, data))]
    for number, deleted in enumerate(rounds(net.weights, settings.share, settings.to), start=1):
        foreseen: list[float] = []
        for place, method in enumerate(methods):
            part = slice(place * nets, (place + 1) * nets)
            left = [net.weights - deleted]
            at = method.prune(net, theta[part], kept[part], data.train, left)[0]
            theta[part], kept[part] = at.theta, at.kept
            foreseen += (at.predicted * 2 / net.outputs_count).tolist()
        generators = [
            one
            for _ in methods
            for one in seeds.generators("retraining", unit.replicates, f"order of round {number}")
        ]
        theta = stochastic_diagonal_lm(
            net, theta, data.train, settings.schedule.schedule(), generators, kept
        )
        found = {**measures(net, theta, data), "foreseen": foreseen}
        rows.append(_rows(net, theta, kept, names, replicates, "retrained", found))
    gradient = recursive_diagonal(net, theta, data.train).gradient * kept
    rows[-1]["gradient_norm"] = gradient.norm(dim=1).tolist()
    return {"retraining": pd.concat(rows, ignore_index=True)}


def _rows(
    net: Stack,
    theta: Tensor,
    kept: Tensor,
    names: Sequence[str],
    replicates: Sequence[int],
    moment: str,
    found: dict[str, list[float]],
) -> pd.DataFrame:
    """A row a road: how it does, what is left of each layer, and what a classification costs."""
    left = {
        f"left_{layer.name}": kept[:, net.layer_of == depth].sum(1).tolist()
        for depth, layer in enumerate(net.layers)
    }
    return pd.DataFrame(
        {
            "method": names,
            "replicate": replicates,
            "moment": moment,
            "deleted": (~kept).sum(1).tolist(),
            **found,
            **left,
            "connections": (kept * net.uses).sum(1).tolist(),
        }
    )


RETRAINING = Experiment(
    name="retraining",
    code_version=1,
    settings=("digits", "retraining"),
    frames=("retraining",),
    plan=plan,
    run=run,
    data=sources,
    needs=("digits",),
    reads=("digit_weights",),
    resampled=True,  # rounding parts two runs of thousands of steps
)
