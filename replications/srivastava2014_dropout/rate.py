"""Figs 9a and 9b: the probability p of keeping a hidden unit; inputs are not dropped.

With n fixed the nets are the same for all p; with p n fixed a layer has p n units at work, and
the fewer are kept the more there are.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig, RateSettings
from .training import classifier, device_of, errors, train, way


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.rate
    return [
        unit
        for series, values in (("n_fixed", settings.fixed_n), ("pn_fixed", settings.fixed_pn))
        for p in values
        for unit in blocks("rate", {"series": series, "p": p}, settings.nets, settings.block)
    ]


def hidden_layers(settings: RateSettings, series: str, p: float) -> list[int]:
    """n of each hidden layer."""
    if series == "n_fixed":
        return list(settings.sizes)
    return [round(kept / p) for kept in settings.kept]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe = config.rate, config.recipe
    series, p = str(unit.condition["series"]), float(unit.condition["p"])
    hidden = hidden_layers(settings, series, p)
    net, data = classifier(hidden), digits(config, device_of(recipe))
    done = way(recipe, "dropout_max_norm", net.layers)
    done = replace(done, keep=(1.0, *[p] * len(hidden)))
    trainer, _ = train(net, recipe, done, data, settings.updates, unit, seeds)
    rows = pd.DataFrame(
        {
            "series": series,
            "p": p,
            "units": hidden[0],
            "replicate": list(unit.replicates),
            **errors(net, trainer.at_test(), data, recipe.digits),
        }
    )
    return {"rate": rows}


RATE = Experiment(
    name="rate",
    code_version=2,
    settings=("recipe", "rate"),
    frames=("rate",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
