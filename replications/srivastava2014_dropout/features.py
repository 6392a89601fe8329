"""Figs 7 and 8: autoencoders of one hidden layer of ReLU, with dropout and without.

The outputs are logistic and the error is the cross-entropy, summed over pixels: the paper does
not say. Inputs are not dropped. Activations are those of the test digits with all units kept and
before the weights are scaled by p.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters, fan_in_sds
from oldschool.dropout.settings import Settings
from oldschool.dropout.train import Trainer
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import Digits, digits, sources
from .measures import drawn_weights, effective_pixels, histogram, neighbour_correlation
from .settings import DropoutConfig, FeaturesSettings
from .training import INPUTS, course, device_of

WAYS = ("none", "dropout")
_NEAR = 0.1  # of the net's mean activation
_HIGHEST = 10.0  # of the histogram
_AT_ONCE = 2000


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.features
    return [
        unit
        for name in WAYS
        for unit in blocks("features", {"way": name}, settings.nets, settings.block)
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, name = config.features, str(unit.condition["way"])
    data = digits(config, device_of(config.recipe))
    net = autoencoder(settings.units)
    trainer = trained(net, settings, name, data, unit, seeds)
    hidden = trainer.parameters
    rows = []
    for k, replicate in enumerate(unit.replicates):
        activations = _hidden(net, hidden.nets([k]), data.test_x)
        w = hidden.weights[0][k]
        used = (activations > 0).any(0)
        mean = float(activations.mean())
        correlation = neighbour_correlation(w[used], data.varying)
        at_test = trainer.at_test().nets([k])
        rows.append(
            {
                "way": name,
                "replicate": replicate,
                "effective_pixels": float(effective_pixels(w[used][:, data.varying]).mean()),
                "mean_activation": mean,
                "near_zero": 100 * float((activations < _NEAR * mean).double().mean()),
                "dead": 100 * float((~used).double().mean()),
                "neighbour_correlation": float(correlation.mean()),
                "train_mse": mse(net, at_test, data.train_x[: len(data.test_x)]),
                "test_mse": mse(net, at_test, data.test_x),
                "diverged": not all(bool(one[k].isfinite().all()) for one in hidden.tensors),
            }
        )
    found = {"features": pd.DataFrame(rows)}
    first = 0 in unit.replicates  # the net that is drawn
    activations = _hidden(net, hidden.nets([0]), data.test_x)
    used = (activations > 0).any(0).nonzero()[:, 0]
    drawn = drawn_weights(hidden.weights[0][0], used, settings.drawn, {"way": name})
    bins = histogram(activations, _HIGHEST)
    bins.insert(0, "way", name)
    return found | {
        "feature_weights": drawn if first else drawn[:0],
        "feature_activations": bins if first else bins[:0],
    }


def autoencoder(units: int) -> Architecture:
    """Pixels to so many hidden units and back."""
    return Architecture((INPUTS, units, INPUTS), output="logistic")


def trained(
    net: Architecture,
    settings: FeaturesSettings,
    name: str,
    data: Digits,
    unit: Unit,
    seeds: Seeds,
) -> Trainer:
    """Autoencoders at the end of their training; both ways share start and order."""
    generators = seeds.generators("dropout", unit.replicates, "weights", features=settings.units)
    start = net.gaussian(generators, fan_in_sds(net.sizes, 2**0.5)).to(data.train_x.device)
    x = data.train_x[: settings.digits]
    rate, momentum = course(settings.schedule, settings.updates)
    keep = (1.0, settings.keep) if name == "dropout" else None
    training = Settings(rate=rate, momentum=momentum, keep=keep)
    streams = [seeds.seed("dropout", replicate, "course") for replicate in unit.replicates]
    trainer = Trainer(net, start, x, x, training, streams)
    trainer.run(settings.updates)
    return trainer


def _hidden(net: Architecture, one: Parameters, x: Tensor) -> Tensor:
    """(P, H) of one net, all units kept."""
    parts = [net.activities(one, some)[0][0] for some in torch.split(x, _AT_ONCE)]
    return torch.cat(parts)


def mse(net: Architecture, one: Parameters, x: Tensor) -> float:
    """Mean squared error over digits and pixels, of one net with weights as they are to be used."""
    wrong = [(net.outputs(one, some)[0] - some) for some in torch.split(x, _AT_ONCE)]
    return float(torch.cat(wrong).square().mean())


FEATURES = Experiment(
    name="features",
    code_version=3,
    settings=("recipe", "features"),
    frames=("features", "feature_weights", "feature_activations"),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
