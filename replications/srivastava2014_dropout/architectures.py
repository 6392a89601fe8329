"""Fig. 4, six nets with and without dropout along their training; Table 2's feed-forward nets."""

from __future__ import annotations

from typing import Any

import pandas as pd

from oldschool.dropout.train import Trainer
from oldschool.runs.experiment import Experiment, Frames, Scalar, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig
from .training import classifier, device_of, test_errors, train, way


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.architectures
    curves = [
        (layers, width, "relu", name, True)
        for layers in settings.layers
        for width in settings.widths
        for name in ("none", "dropout_max_norm")
    ]
    table = settings.table_width
    ends = [
        (3, table, "logistic", "none", False),
        (3, table, "logistic", "dropout", False),
        (3, table, "relu", "dropout", False),
        (3, table, "relu", "dropout_max_norm", False),
        *((2, width, "relu", "dropout_max_norm", False) for width in settings.wide),
        *((2, width, "logistic", "none", False) for width in [settings.standard] if width),
    ]
    drawn = {one[:4] for one in curves}
    return [
        unit
        for layers, width, hidden, name, curve in [
            *curves,
            *(one for one in ends if one[:4] not in drawn),
        ]
        for unit in blocks(
            "architectures",
            {"layers": layers, "width": width, "hidden": hidden, "way": name, "curve": curve},
            settings.nets,
            settings.block,
        )
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe, condition = config.architectures, config.recipe, unit.condition
    layers = int(condition["layers"])
    net = classifier([int(condition["width"])] * layers, str(condition["hidden"]))
    data = digits(config, device_of(recipe))
    lead: dict[str, Scalar] = {key: condition[key] for key in ("layers", "width", "hidden", "way")}

    def measure(at: Trainer) -> list[dict[str, Any]]:
        found = test_errors(net, at.at_test(), data)
        return [
            {**lead, "replicate": replicate, "updates": at.step}
            | {name: values[k] for name, values in found.items()}
            for k, replicate in enumerate(unit.replicates)
        ]

    _, rows = train(
        net,
        recipe,
        way(recipe, str(condition["way"]), net.layers),
        data,
        settings.updates,
        unit,
        seeds,
        every=max(1, settings.updates // settings.moments) if condition["curve"] else 0,
        measure=measure,
    )
    return {"architectures": pd.DataFrame(rows)}


ARCHITECTURES = Experiment(
    name="architectures",
    code_version=2,
    settings=("recipe", "architectures"),
    frames=("architectures",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
