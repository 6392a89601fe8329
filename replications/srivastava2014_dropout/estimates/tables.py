"""Tables 3, 4, 9 and 10: convolutional nets, regularizers, and two kinds of noise."""

from __future__ import annotations

from itertools import combinations, pairwise

import pandas as pd

from oldschool.claims.estimate import Result
from oldschool.runs.experiment import Frames

from .nets import Conditions, Estimator, averaged, gap, least_of, level, nets

# In the order of Table 9, from the largest printed error down.
_REGULARIZERS = ("l2", "l2_l1", "l2_kl", "max_norm", "dropout_l2", "dropout_max_norm")
_ORDER: Conditions = {name: {"way": name} for name in _REGULARIZERS}
_WITHOUT, _WITH = list(_REGULARIZERS[:4]), list(_REGULARIZERS[4:])
_CLAIMED = {"max_norm": "maxnorm", "dropout_max_norm": "dropout_maxnorm"}  # in ids of claims

_NOISE: Conditions = {"Gaussian": {"noise": "gaussian"}, "Bernoulli": {"noise": "bernoulli"}}
_CIFAR_NOISE: Conditions = {
    "Gaussian": {"data": "cifar10", "way": "gaussian"},
    "Bernoulli": {"data": "cifar10", "way": "everywhere"},
}
_CONVNETS = {"convnet": "none", "dropout_fc": "fully_connected", "dropout_all": "everywhere"}
_TABLES = {"table3": "svhn", "table4.cifar10": "cifar10", "table4.cifar100": "cifar100"}


def _id(regularizer: str) -> str:
    return _CLAIMED.get(regularizer, regularizer)


def _in_order(frames: Frames) -> Result:
    found = nets(frames["regularizers"], _ORDER)
    pairs = list(combinations(_REGULARIZERS, 2))
    right = [(found[a] > found[b]) + (found[a] == found[b]) / 2 for a, b in pairs]
    return averaged(100 * pd.concat(right, axis=1).mean(axis=1), found.note())


def _separation(frames: Frames) -> Result:
    found = nets(frames["regularizers"], _ORDER)
    least, largest = found.table[_WITHOUT].min(axis=1), found.table[_WITH].max(axis=1)
    return averaged(least - largest, found.note("paper 0.1 points"))


def _noise_ratio(frame: str, conditions: Conditions, paper: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        found = nets(frames[frame], conditions)
        return averaged(found["Gaussian"] / found["Bernoulli"], found.note(f"paper {paper}"))

    return estimate


def _convnet(data: str, way: str) -> Estimator:
    return level("convnet", f"{data} {way}", {"data": data, "way": way})


def _convnet_order(data: str) -> Estimator:
    """What dropout in the connected layers saves, and that in the others further."""
    conditions: Conditions = {way: {"data": data, "way": way} for way in _CONVNETS.values()}
    none, connected, every = conditions

    def estimate(frames: Frames) -> Result:
        found = nets(frames["convnet"], conditions)
        return least_of(
            {
                "connected layers": averaged(found[none] - found[connected], ""),
                "the others": averaged(found[connected] - found[every], ""),
            },
            found.note(),
        )

    return estimate


TABLES_ESTIMATES: dict[str, Estimator] = {
    **{
        f"dropout.{table}.{name}": _convnet(data, way)
        for table, data in _TABLES.items()
        for name, way in _CONVNETS.items()
    },
    **{f"dropout.{table}.order": _convnet_order(data) for table, data in _TABLES.items()},
    **{
        f"dropout.table9.{_id(name)}": level("regularizers", name, {"way": name})
        for name in _REGULARIZERS
    },
    **{
        f"dropout.table9.step.{_id(name)}": gap(
            "regularizers", {name: {"way": name}, before: {"way": before}}
        )
        for before, name in pairwise(_REGULARIZERS)
    },
    "dropout.table9.order": _in_order,
    "dropout.table9.separation": _separation,
    "dropout.table10.mnist.bernoulli": level("gaussian", "Bernoulli", _NOISE["Bernoulli"]),
    "dropout.table10.mnist.gaussian": level("gaussian", "Gaussian", _NOISE["Gaussian"]),
    "dropout.table10.mnist.order": _noise_ratio("gaussian", _NOISE, "0.88"),
    "dropout.table10.mnist.better": gap("gaussian", _NOISE),
    "dropout.table10.cifar10.bernoulli": level("convnet", "Bernoulli", _CIFAR_NOISE["Bernoulli"]),
    "dropout.table10.cifar10.gaussian": level("convnet", "Gaussian", _CIFAR_NOISE["Gaussian"]),
    "dropout.table10.cifar10.order": _noise_ratio("convnet", _CIFAR_NOISE, "0.992"),
}
