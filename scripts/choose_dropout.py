"""How the open settings of the dropout nets were chosen: on held-out training digits alone.

Nets see the first 2000 training digits and are judged on the last 10,000, which no experiment of
the default profile trains its 2000 on; the test digits are not read. Every line is a setting, the
held-out error of each net, and their mean; the least mean of a part is taken.

    python scripts/choose_dropout.py dropout|plain|regularizers [units of a hidden layer ...]
    python scripts/choose_dropout.py gaussian|dataset_size|max_norm|features

The parts of the second line were chosen last: see README.md of the replication. ``features``
trains autoencoders on the first 50,000 digits; its lines have the mean squared error of held-out
digits, of nets without dropout and with, and the geometric mean of the two, the least of which is
taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # replications/ is no installed package

from oldschool import paths
from oldschool.data import mnist
from oldschool.runs.experiment import Unit
from oldschool.runs.seeds import Seeds
from replications.srivastava2014_dropout.digits import Digits, float_digits
from replications.srivastava2014_dropout.features import WAYS, autoencoder, mse, trained
from replications.srivastava2014_dropout.regularizers import regularizer
from replications.srivastava2014_dropout.settings import (
    FeaturesSettings,
    RecipeSettings,
    RegularizersSettings,
    ScheduleConfig,
)
from replications.srivastava2014_dropout.training import Way, classifier, test_errors, train, way

UPDATES, NETS = 1500, 3
LARGER = 5000, 2000, [512, 512]  # digits, updates and layers of `dataset_size`
FIRST = 1000  # replicates that no experiment has
RATES, TAUS = (0.1, 0.3, 0.5, 1.0), (0.1, 0.3, 1.0)
VARIANTS = {"b1": (2.0, 0.95), "authors": (3.0, 0.99)}  # c and the final momentum


def main() -> None:
    """Print the table of the part that is asked for."""
    torch.set_num_threads(1)
    parts = [*PARTS, "features"]
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return
    if len(sys.argv) < 2 or sys.argv[1] not in parts:
        sys.exit(f"say what to choose: {', '.join(parts)}")
    part, hidden = sys.argv[1], [int(units) for units in sys.argv[2:]] or [256, 256]
    updates = UPDATES
    if part == "dataset_size":
        _, updates, hidden = LARGER
    data = float_digits(mnist.mnist(paths.data(None)), "cpu").held_out
    if part == "features":
        features(data)
        return
    for name, recipe, done in PARTS[part](len(hidden) + 1):
        print(name, *held_out(hidden, recipe, done, data, updates), sep="\t", flush=True)


def dropout(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Schedules of nets with dropout and max-norm, in both variants."""
    for variant, (c, momentum) in VARIANTS.items():
        for rate, tau in product(RATES, TAUS):
            schedule = ScheduleConfig(rate=rate, rate_tau=tau, momentum_end=momentum)
            recipe = RecipeSettings(max_norm=c, dropout=schedule)
            name = f"{variant}: rate {rate}, tau {tau}"
            yield name, recipe, way(recipe, "dropout_max_norm", layers)


def plain(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Schedules of nets without dropout."""
    for momentum, rate, tau in product((0.9, 0.95), RATES, TAUS):
        schedule = ScheduleConfig(rate=rate, rate_tau=tau, momentum_end=momentum)
        recipe = RecipeSettings(plain=schedule)
        name = f"momentum {momentum}, rate {rate}, tau {tau}"
        yield name, recipe, way(recipe, "none", layers)


def regularizers(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Strengths of Table 9's rivals, with the schedules that were chosen before."""
    recipe, primary = RecipeSettings(), RegularizersSettings(updates=UPDATES)
    rivals: list[tuple[str, list[dict[str, Any]]]] = [
        ("l2", [{"l2": l2} for l2 in (1e-4, 3e-4, 1e-3, 3e-3)]),
        ("l2_l1", [{"l1": l1} for l1 in (1e-6, 1e-5, 1e-4)]),
        (
            "l2_kl",
            [
                {"sparsity_target": target, "sparsity_cost": cost}
                for target, cost in product((0.05, 0.2), (1e-4, 1e-3, 1e-2))
            ],
        ),
        ("dropout_l2", [{"l2_dropout": l2} for l2 in (1e-5, 1e-4, 3e-4, 1e-3)]),
    ]
    for name, changes in rivals:
        for change in changes:
            settings = replace(primary, **change)
            words = ", ".join(f"{key} {value:g}" for key, value in change.items())
            yield f"{name}: {words}", recipe, regularizer(recipe, settings, name, layers)


def gaussian(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Rate and c of nets with Gaussian noise, the rest as with Bernoulli's."""
    for c, rate in product((2.0, 1.0), (0.5, 0.25, 0.125, 0.0625)):
        recipe = RecipeSettings(max_norm=c)
        recipe = replace(recipe, dropout=replace(recipe.dropout, rate=rate))
        done = replace(way(recipe, "dropout_max_norm", layers), noise="gaussian")
        yield f"gaussian: c {c}, rate {rate}", recipe, done


def dataset_size(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Schedules of the larger nets on more digits."""
    recipe = RecipeSettings(digits=LARGER[0])
    for rate, tau in product((0.3, 0.5), (0.1, 0.3)):
        schedule = replace(recipe.dropout, rate=rate, rate_tau=tau)
        changed = replace(recipe, dropout=schedule)
        name = f"dropout: rate {rate}, tau {tau}"
        yield name, changed, way(changed, "dropout_max_norm", layers)
    for rate, tau in product((0.1, 0.3), (0.3, 1.0)):
        changed = replace(recipe, plain=replace(recipe.plain, rate=rate, rate_tau=tau))
        yield f"none: rate {rate}, tau {tau}", changed, way(changed, "none", layers)


def max_norm(layers: int) -> Iterator[tuple[str, RecipeSettings, Way]]:
    """Schedule and c of nets with max-norm alone."""
    for c, momentum, rate, tau in product((0.5, 1.0, 2.0, 3.0), (0.9, 0.95), RATES[1:], TAUS):
        schedule = ScheduleConfig(rate=rate, rate_tau=tau, momentum_end=momentum)
        name = f"max-norm: c {c}, momentum {momentum}, rate {rate}, tau {tau}"
        yield name, RecipeSettings(dropout=schedule), Way(max_norm=c)


def features(data: Digits) -> None:
    """Schedules of the autoencoders, which both ways share."""
    momenta = (0.9, 0.9), (0.5, 0.95)
    unit = Unit("choice", {}, FIRST, FIRST + 2)
    for (start, end), rate, tau in product(momenta, (0.01, 0.015, 0.02, 0.03), (0.1, 1.0)):
        schedule = ScheduleConfig(
            rate=rate, rate_tau=tau, momentum_start=start, momentum_end=end, momentum_tau=0.1
        )
        settings = FeaturesSettings(schedule=schedule)
        net = autoencoder(settings.units)
        errors = []
        for name in WAYS:
            found = trained(net, settings, name, data, unit, Seeds(0)).at_test()
            nets = range(len(unit.replicates))
            errors.append(sum(mse(net, found.nets([k]), data.test_x) for k in nets) / len(nets))
        words = f"features: momentum {start} to {end}, rate {rate}, tau {tau}"
        product_of = (errors[0] * errors[1]) ** 0.5
        print(words, *(f"{one:.5f}" for one in (*errors, product_of)), sep="\t", flush=True)


PARTS = {
    "dropout": dropout,
    "plain": plain,
    "regularizers": regularizers,
    "gaussian": gaussian,
    "dataset_size": dataset_size,
    "max_norm": max_norm,
}


def held_out(
    hidden: list[int], recipe: RecipeSettings, done: Way, data: Digits, updates: int
) -> list[str]:
    """The errors of the nets in %, and their mean."""
    net = classifier(hidden)
    unit = Unit("choice", {}, FIRST, FIRST + NETS)
    trainer, _ = train(net, recipe, done, data, updates, unit, Seeds(0))
    found = test_errors(net, trainer.at_test(), data)["test_error"]
    return [f"{error:.2f}" for error in [*found, sum(found) / len(found)]]


if __name__ == "__main__":
    main()
