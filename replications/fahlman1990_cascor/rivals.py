"""The comparison that the paper rests on: back-propagation and Quickprop on the spirals.

Lang and Witbrock's net, 2-5-5-5-1 with all shortcuts, 138 weights. The paper quotes others'
runs; here both rules train it from many starts, until every output is right or for good.
"""

from __future__ import annotations

import pandas as pd
import torch

from oldschool.nets.shortcut import ShortcutNet
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.quickprop import Quickprop
from oldschool.training.until_right import Momentum, Moving, QuickpropRule, train_until_right

from . import trials
from .settings import PRECISIONS, CascorConfig, RivalSettings
from .spirals import TASK

RULES = ("back-propagation", "quickprop")


def architecture(settings: RivalSettings) -> ShortcutNet:
    return ShortcutNet((TASK.x.shape[1], *settings.layers, TASK.t.shape[1]))


def plan(config: CascorConfig, earlier: Frames) -> list[Unit]:
    settings = config.rivals
    return [
        unit
        for rule in RULES
        for unit in blocks("rivals", {"rule": rule}, settings.starts, settings.block)
    ]


def run(config: CascorConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, rule = config.rivals, str(unit.condition["rule"])
    net, dtype = architecture(settings), PRECISIONS[settings.precision]
    generators = seeds.generators("rivals", unit.replicates, "weights")
    start = net.uniform(generators, settings.init, dtype)
    quick = rule == "quickprop"
    moving: Moving
    if quick:
        moving = QuickpropRule(
            Quickprop.start(start), settings.epsilon, settings.mu, settings.decay
        )
    else:
        moving = Momentum(start, torch.zeros_like(start), settings.rate, settings.momentum)
    found = train_until_right(
        net,
        trials.cast(TASK, dtype),
        moving,
        threshold=settings.threshold,
        epochs=settings.epochs,
        slope_offset=settings.slope_offset if quick else 0.0,
    )
    # Forward and back through every weight for every case, as the paper counts its rivals.
    crossings = found.epochs * 2 * net.weights * len(TASK)
    return {
        "rivals": pd.DataFrame(
            {
                "rule": rule,
                "replicate": list(unit.replicates),
                "learned": found.learned.tolist(),
                "diverged": found.diverged.tolist(),
                "epochs": found.epochs.tolist(),
                "crossings": crossings.tolist(),
                "error_bits": found.error_bits.tolist(),
                "weights": net.weights,
            }
        )
    }


RIVALS = Experiment(
    name="rivals",
    code_version=1,
    settings=("rivals",),
    frames=("rivals",),
    plan=plan,
    run=run,
    data=lambda config: {"two_spirals": TASK.sha256()},
    resampled=True,  # rounding parts two runs of thousands of epochs
)
