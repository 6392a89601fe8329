"""Nets and cases of each experiment, for the report's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from oldschool.dropout.network import Architecture
from oldschool.runs.experiment import Scalar, SetUp

from .printed import TEST_DIGITS
from .rate import hidden_layers
from .settings import HELD_OUT
from .training import INPUTS, classifier

Condition = Mapping[str, Scalar]


def _fixed(node: str) -> Callable[[Any, Condition], SetUp]:
    def set_up(config: Any, condition: Condition) -> SetUp:
        return _digits(classifier(getattr(config, node).sizes), config.recipe.digits)

    return set_up


def _architectures(config: Any, condition: Condition) -> SetUp:
    hidden = [int(condition["width"])] * int(condition["layers"])
    return _digits(classifier(hidden), config.recipe.digits)


def _rate(config: Any, condition: Condition) -> SetUp:
    hidden = hidden_layers(config.rate, str(condition["series"]), float(condition["p"]))
    return _digits(classifier(hidden), config.recipe.digits)


def _dataset_size(config: Any, condition: Condition) -> SetUp:
    return _digits(classifier(config.dataset_size.sizes), int(condition["digits"]))


def _features(config: Any, condition: Condition) -> SetUp:
    settings = config.features
    return _digits(Architecture((INPUTS, settings.units, INPUTS)), settings.digits)


def _digits(net: Architecture, training: int) -> SetUp:
    return SetUp(
        {"-".join(map(str, net.sizes)): _parameters(net.sizes)},
        {"training": training, "held out to choose settings": HELD_OUT, "test": TEST_DIGITS},
    )


def _parameters(sizes: Sequence[int]) -> int:
    return sum((below + 1) * above for below, above in pairwise(sizes))


SET_UPS: dict[str, Callable[[Any, Condition], SetUp]] = {
    "architectures": _architectures,
    "rate": _rate,
    "dataset_size": _dataset_size,
    "features": _features,
    **{name: _fixed(name) for name in ("regularizers", "gaussian", "monte_carlo", "pretraining")},
}
