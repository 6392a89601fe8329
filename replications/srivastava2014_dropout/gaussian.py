"""Table 10: masks of nought and one against Gaussian factors of the same variance."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from oldschool.dropout.noise import KINDS
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig
from .training import classifier, device_of, errors, train, way


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.gaussian
    return [
        unit
        for noise in KINDS
        for unit in blocks("gaussian", {"noise": noise}, settings.nets, settings.block)
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe = config.gaussian, config.recipe
    net, data = classifier(settings.sizes), digits(config, device_of(recipe))
    noise = next(kind for kind in KINDS if kind == unit.condition["noise"])
    done = replace(way(recipe, "dropout_max_norm", net.layers), noise=noise)
    if noise == "gaussian":
        rate = settings.rate_factor * recipe.dropout.rate
        recipe = replace(recipe, dropout=replace(recipe.dropout, rate=rate))
    trainer, _ = train(net, recipe, done, data, settings.updates, unit, seeds)
    rows = pd.DataFrame(
        {
            "noise": noise,
            "replicate": list(unit.replicates),
            **errors(net, trainer.at_test(), data, recipe.digits),
        }
    )
    return {"gaussian": rows}


GAUSSIAN = Experiment(
    name="gaussian",
    code_version=2,
    settings=("recipe", "gaussian"),
    frames=("gaussian",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
