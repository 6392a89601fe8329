"""Tables 3 and 4, and Table 10's row of CIFAR-10: dropout in convolutional nets.

Only the profile ``paper`` has nets here; a plan without nets has no units, and asks for no data.
"""

from __future__ import annotations

import pandas as pd
import torch

from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .convolutions import Training, convnet, wrong
from .pictures import CLASSES, pictures, sources
from .settings import DropoutConfig
from .training import device_of

_COMMON = ("none", "fully_connected", "everywhere")


def ways(name: str) -> tuple[str, ...]:
    """What is done with a set; Gaussian noise, of Table 10, with CIFAR-10 alone."""
    return (*_COMMON, "gaussian") if name == "cifar10" else _COMMON


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.convnet
    return [
        unit
        for name in settings.sets
        for way in ways(name)
        for unit in blocks("convnet", {"data": name, "way": way}, settings.nets, 1)
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, device = config.convnet, device_of(config.recipe)
    name, way = str(unit.condition["data"]), str(unit.condition["way"])
    (replicate,) = unit.replicates
    data = pictures(config, name, device)
    # A replicate's nets share start and order, whatever is dropped.
    (weights,) = seeds.generators("convnet", [replicate], "weights", data=name)
    order, masks = (
        seeds.seed("convnet", replicate, what, data=name) for what in ("order", "noise")
    )
    noise = torch.Generator(device).manual_seed(masks)
    net = convnet(settings, CLASSES[name], way, weights, noise)
    input_rate = 1.0 if name == "svhn" else settings.input_rate
    training = Training(net, data, settings, order, noise, input_rate)
    training.run()
    test_wrong = wrong(net, data, data.test_x, data.test_y)
    train_wrong = wrong(net, data, data.train_x, data.train_y)
    row = {
        "data": name,
        "way": way,
        "replicate": replicate,
        "test_error": 100 * test_wrong / len(data.test_y),
        "test_wrong": test_wrong,
        "train_error": 100 * train_wrong / len(data.train_y),
        "diverged": training.diverged,
    }
    return {"convnet": pd.DataFrame([row])}


CONVNET = Experiment(
    name="convnet",
    code_version=1,
    settings=("recipe", "convnet"),
    frames=("convnet",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
