"""The comparison that the paper rests on: back-propagation and Quickprop on the spirals.

Lang and Witbrock's net, 2-5-5-5-1 with all shortcuts, 138 weights. The paper quotes others'
runs; here both rules train it from many starts, until every output is right or for good.
"""

from __future__ import annotations

from dataclasses import replace

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
    rows = train(config.rivals, str(unit.condition["rule"]), unit.replicates, "rivals", seeds)
    return {"rivals": rows}


def plan_rates(config: CascorConfig, earlier: Frames) -> list[Unit]:
    settings = config.rival_rates
    ways: list[tuple[str, str, float]] = [(RULES[0], "rate", rate) for rate in settings.rates]
    ways += [(RULES[1], "decay", decay) for decay in settings.decays]
    return [
        Unit("rival_rates", {"rule": rule, "setting": name, "value": value}, 0, settings.starts)
        for rule, name, value in ways
    ]


def run_rates(config: CascorConfig, unit: Unit, seeds: Seeds) -> Frames:
    way = unit.condition
    value = float(way["value"])
    is_rate = way["setting"] == "rate"
    changed = replace(config.rivals, rate=value) if is_rate else replace(config.rivals, decay=value)
    rows = train(changed, str(way["rule"]), unit.replicates, "rival_rates", seeds)
    return {"rival_rates": rows.assign(setting=way["setting"], value=way["value"])}


@torch.inference_mode()  # spares every small operation its bookkeeping
def train(
    settings: RivalSettings, rule: str, replicates: range, name: str, seeds: Seeds
) -> pd.DataFrame:
    """A row a start, ``name`` the namespace of the starting weights."""
    net, dtype = architecture(settings), PRECISIONS[settings.precision]
    start = net.uniform(seeds.generators(name, replicates, "weights"), settings.init, dtype)
    moving: Moving
    if rule == "quickprop":
        moving = QuickpropRule(
            Quickprop.start(start), settings.epsilon, settings.mu, settings.decay
        )
        offset = settings.slope_offset
    else:
        moving = Momentum(start, torch.zeros_like(start), settings.rate, settings.momentum)
        offset = 0.0
    found = train_until_right(
        net,
        trials.cast(TASK, dtype),
        moving,
        threshold=settings.threshold,
        epochs=settings.epochs,
        slope_offset=offset,
    )
    # Forward and back through every weight for every case, as the paper counts its rivals.
    crossings = found.epochs * 2 * net.weights * len(TASK)
    return pd.DataFrame(
        {
            "rule": rule,
            "replicate": list(replicates),
            "learned": found.learned.tolist(),
            "diverged": found.diverged.tolist(),
            "epochs": found.epochs.tolist(),
            "crossings": crossings.tolist(),
            "error_bits": found.error_bits.tolist(),
            "weights": net.weights,
        }
    )


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
RIVAL_RATES = Experiment(
    name="rival_rates",
    code_version=1,
    settings=("rivals", "rival_rates"),
    frames=("rival_rates",),
    plan=plan_rates,
    run=run_rates,
    data=lambda config: {"two_spirals": TASK.sha256()},
    resampled=True,
)
