"""What training costs: multiply-adds of every condition, and hours on a GPU.

Updates alone are counted: measuring adds a few per cent. The hours rest on two assumptions, not on
measurements: that a GPU sustains ``RATE``, and that no update takes less than ``LEAST``, as it is
some sixty kernels that start one after another, however little each of them has to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from oldschool.runs.experiment import Unit

from . import (
    architectures,
    convnet,
    dataset_size,
    gaussian,
    monte_carlo,
    pretraining,
    rate,
    regularizers,
)
from .convolutions import KERNEL, pooled
from .pictures import CHANNELS, CLASSES, SIDE
from .settings import DropoutConfig
from .training import INPUTS, classifier

PEAK = 67e12  # floating-point operations a second: H100, single precision, no tensor cores
SHARE = 0.4  # of it that is assumed to be sustained
RATE = SHARE * PEAK / 2  # multiply-adds a second
LEAST = 3e-4  # seconds an update, assumed
_HOUR = 3600
_BOTH = 2  # ways, with dropout and without


def costs(config: DropoutConfig) -> pd.DataFrame:
    """The cost of all training under a configuration, a row a kind of net.

    Columns: ``experiment``; ``net``, its layers; ``nets``, how many of them, all conditions
    together; ``updates`` of each; ``multiply_adds`` of all; ``hours`` of one GPU.
    An experiment without nets has no rows, and section 9's linear regressions cost nothing much.
    """
    batch = config.recipe.batch
    rows = [
        _row(unit.experiment, sizes, len(unit.replicates), updates, per_update(sizes, batch))
        for unit, sizes, updates in _classifiers(config)
    ]
    table = pd.DataFrame([*rows, *_convnets(config), *_machines(config)])
    return table.groupby(["experiment", "net", "updates"], sort=False, as_index=False).sum()[
        ["experiment", "net", "nets", "updates", "multiply_adds", "hours"]
    ]


def per_update(sizes: Sequence[int], batch: int) -> int:
    """Multiply-adds of an update of a net of fully connected layers.

    A layer's net inputs, its gradient and, but for the lowest, the pull on the layer below are a
    product of the same size each.
    """
    products = [below * above for below, above in pairwise(sizes)]
    return batch * (3 * sum(products) - products[0])


def per_image(maps: Sequence[int], units: int, classes: int) -> int:
    """Multiply-adds of an update of the convolutional net, an image; as :func:`per_update`."""
    products, below, side = [], CHANNELS, SIDE
    for count in maps:
        products.append(side**2 * count * below * KERNEL**2)
        below, side = count, pooled(side)
    products += [side**2 * below * units, units**2, units * classes]
    return 3 * sum(products) - products[0]


def _row(
    experiment: str, layers: Sequence[int], nets: int, updates: int, each: int
) -> dict[str, object]:
    """Nets trained as one batch, with ``each`` multiply-adds an update of a net."""
    return {
        "experiment": experiment,
        "net": "-".join(map(str, layers)),
        "nets": nets,
        "updates": updates,
        "multiply_adds": nets * updates * each,
        "hours": updates * max(LEAST, nets * each / RATE) / _HOUR,
    }


def _classifiers(config: DropoutConfig) -> list[tuple[Unit, tuple[int, ...], int]]:
    """Units of all feed-forward classifiers, their nets' sizes and updates."""
    found: list[tuple[Unit, Sequence[int], int]] = []
    for unit in architectures.plan(config, {}):
        hidden = [int(unit.condition["width"])] * int(unit.condition["layers"])
        found.append((unit, hidden, config.architectures.updates))
    for unit in rate.plan(config, {}):
        series, p = str(unit.condition["series"]), float(unit.condition["p"])
        hidden = rate.hidden_layers(config.rate, series, p)
        found.append((unit, hidden, config.rate.updates))
    size = config.dataset_size
    for unit in dataset_size.plan(config, {}):
        updates = size.updates[size.digits.index(int(unit.condition["digits"]))]
        found.append((unit, size.sizes, updates))
    for module, node in (
        (regularizers, config.regularizers),
        (gaussian, config.gaussian),
        (monte_carlo, config.monte_carlo),
        (pretraining, config.pretraining),
    ):
        found += [(unit, node.sizes, node.updates) for unit in module.plan(config, {})]
    return [(unit, classifier(hidden).sizes, updates) for unit, hidden, updates in found]


def _convnets(config: DropoutConfig) -> list[dict[str, object]]:
    settings = config.convnet
    rows = []
    for unit in convnet.plan(config, {}):
        classes = CLASSES[str(unit.condition["data"])]
        layers = [*settings.maps, settings.units, settings.units, classes]
        each = settings.batch * per_image(settings.maps, settings.units, classes)
        rows.append(_row(unit.experiment, layers, len(unit.replicates), settings.updates, each))
    return rows


def _machines(config: DropoutConfig) -> list[dict[str, object]]:
    """Autoencoders and Boltzmann machines, and the machines below the pretrained nets."""
    features, rbm, deep, recipe = config.features, config.rbm, config.pretraining, config.recipe
    sizes = (INPUTS, features.units, INPUTS)
    each = per_update(sizes, recipe.batch)
    rows = [_row("features", sizes, _BOTH * features.nets, features.updates, each)]
    shown = deep.epochs * recipe.digits
    machines = [("rbm", _BOTH * rbm.nets, (INPUTS, rbm.units), rbm.epochs * rbm.digits, rbm.batch)]
    machines += [
        ("pretraining", 1, pair, shown, recipe.batch)
        for pair in pairwise([INPUTS, *deep.sizes])
        for _ in range(_BOTH * deep.nets)
    ]
    for name, nets, (visible, hidden), cases, batch in machines:
        # Up, down, up again, and a product for each half of the gradient.
        each = batch * 5 * visible * hidden
        rows.append(_row(name, (visible, hidden), nets, cases // batch, each))
    return rows
