"""Table 2's deep belief nets: Boltzmann machines layer by layer, then finetuning (section 5.2).

Only the profile ``paper`` has nets here. The softmax above the machines begins at nought: it alone
is not pretrained. There is no max-norm, which Table 2 names for nets of ReLU alone: most pretrained
weight vectors, times 1 / p, are longer than any c in use, and would be cut at the first update.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from oldschool.dropout.network import Architecture, Parameters
from oldschool.dropout.rbm_stack import feed_forward, stack_of_rbms
from oldschool.runs import checkpoint
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import Digits, digits, sources
from .settings import DropoutConfig
from .training import Way, classifier, device_of, errors, train

WAYS = ("none", "dropout")


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    nets = config.pretraining.nets
    return [unit for name in WAYS for unit in blocks("pretraining", {"way": name}, nets, 1)]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe = config.pretraining, config.recipe
    net, data = classifier(settings.sizes, "logistic"), digits(config, device_of(recipe))
    done = Way()
    if unit.condition["way"] == "dropout":
        done = Way((recipe.keep_input, *[recipe.keep] * (net.layers - 1)))
    # A checkpoint has the weights already: they are not pretrained once more.
    begun = checkpoint.load(data.train_x.device)
    begin = None if begun else pretrained(config, net, done, data, unit, seeds)
    scheduled = replace(recipe, dropout=settings.finetuning, plain=settings.finetuning)
    trainer, _ = train(net, scheduled, done, data, settings.updates, unit, seeds, parameters=begin)
    rows = pd.DataFrame(
        {
            "way": unit.condition["way"],
            "replicate": list(unit.replicates),
            **errors(net, trainer.at_test(), data, recipe.digits),
        }
    )
    return {"pretraining": rows}


def pretrained(
    config: DropoutConfig,
    net: Architecture,
    done: Way,
    data: Digits,
    unit: Unit,
    seeds: Seeds,
) -> Parameters:
    """Weights to start the finetuning from; of one replicate the same for all ways, but for 1 / p.

    Args:
        config: of the machines.
        net: what is finetuned; its hidden layers are those of the machines.
        done: p of its layers.
        data: the digits; no labels are used.
        unit: its replicates are the nets.
        seeds: of the run.
    """
    settings, recipe = config.pretraining, config.recipe
    machines = stack_of_rbms(
        data.train_x[: recipe.digits],
        settings.sizes,
        rate=settings.rate,
        momentum=settings.momentum,
        epochs=settings.epochs,
        batch=recipe.batch,
        generators=seeds.generators("pretraining", unit.replicates, "machines"),
    )
    keep = (done.keep or (1.0,) * net.layers)[:-1]
    weights, biases = zip(*feed_forward(machines, keep), strict=True)
    classes, below = net.sizes[-1], net.sizes[-2]
    nets, like = len(unit.replicates), data.train_x
    return Parameters(
        (*weights, like.new_zeros(nets, classes, below)),
        (*biases, like.new_zeros(nets, classes)),
    )


PRETRAINING = Experiment(
    name="pretraining",
    code_version=2,
    settings=("recipe", "pretraining"),
    frames=("pretraining",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
