"""Fig. 10: training sets of 100 to 50,000 digits, with dropout and without."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import torch

from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig
from .training import classifier, device_of, errors, train, way

_SMALL = 1000  # sets of up to so many digits differ much, and nets are soon trained


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.dataset_size
    return [
        unit
        for count in settings.digits
        for name in ("none", "dropout_max_norm")
        for unit in blocks(
            "dataset_size",
            {"digits": count, "way": name},
            settings.small if count <= _SMALL else settings.large,
            settings.block,
        )
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.dataset_size
    recipe = replace(config.recipe, dropout=settings.dropout)
    count, name = int(unit.condition["digits"]), str(unit.condition["way"])
    net, data = classifier(settings.sizes), digits(config, device_of(recipe))
    draws = seeds.generators("dropout", unit.replicates, "digits", count=count)
    every = len(data.train_y)
    members = torch.stack([torch.randperm(every, generator=one)[:count] for one in draws])
    trainer, _ = train(
        net,
        recipe,
        way(recipe, name, net.layers),
        data,
        settings.updates[settings.digits.index(count)],
        unit,
        seeds,
        members=members,
    )
    rows = pd.DataFrame(
        {
            "digits": count,
            "way": name,
            "replicate": list(unit.replicates),
            **errors(net, trainer.at_test(), data, members.to(data.train_x.device)),
        }
    )
    return {"dataset_size": rows}


DATASET_SIZE = Experiment(
    name="dataset_size",
    code_version=2,
    settings=("recipe", "dataset_size"),
    frames=("dataset_size",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
