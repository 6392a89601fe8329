"""Table 9: six ways against overfitting, on one net."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from oldschool.dropout.penalties import Penalties, Sparsity
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig, RecipeSettings, RegularizersSettings
from .training import Way, classifier, device_of, errors, train, way

WAYS = ("l2", "l2_l1", "l2_kl", "max_norm", "dropout_l2", "dropout_max_norm")


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.regularizers
    return [
        unit
        for name in WAYS
        for unit in blocks("regularizers", {"way": name}, settings.nets, settings.block)
    ]


def regularizer(
    recipe: RecipeSettings, settings: RegularizersSettings, name: str, layers: int
) -> Way:
    """The way called ``name``, one of ``WAYS``, for a net of so many layers of weights."""
    l2 = Penalties(l2=settings.l2)
    after = round(settings.l1_after * settings.updates)
    sparsity = Sparsity(settings.sparsity_target, settings.sparsity_cost)
    dropout = way(recipe, "dropout_max_norm", layers)
    return {
        "l2": Way(penalties=l2),
        "l2_l1": Way(penalties=replace(l2, l1=settings.l1, l1_after=after)),
        "l2_kl": Way(penalties=replace(l2, sparsity=sparsity)),
        "max_norm": Way(max_norm=settings.max_norm),
        "dropout_l2": replace(dropout, max_norm=None, penalties=Penalties(l2=settings.l2_dropout)),
        "dropout_max_norm": dropout,
    }[name]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe = config.regularizers, config.recipe
    net, data = classifier(settings.sizes), digits(config, device_of(recipe))
    name = str(unit.condition["way"])
    done = regularizer(recipe, settings, name, net.layers)
    if name == "max_norm":
        recipe = replace(recipe, dropout=settings.max_norm_schedule)
    trainer, _ = train(net, recipe, done, data, settings.updates, unit, seeds)
    rows = pd.DataFrame(
        {
            "way": name,
            "replicate": list(unit.replicates),
            **errors(net, trainer.at_test(), data, recipe.digits),
        }
    )
    return {"regularizers": rows}


REGULARIZERS = Experiment(
    name="regularizers",
    code_version=3,
    settings=("recipe", "regularizers"),
    frames=("regularizers",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
