"""Nets and cases of each experiment, for the report's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oldschool.data.monks import PROBLEMS, monk
from oldschool.nets.mlp import Mlp
from oldschool.runs.experiment import Scalar, SetUp

from . import gaussian, xor
from .monk_nets import MonkNets
from .nettalk import architecture

Condition = Mapping[str, Scalar]


def _xor(config: Any, condition: Condition) -> SetUp:
    set_up = xor.SET_UPS[str(condition["set_up"])]
    return SetUp(_named(set_up.net), {"training": len(set_up.task)})


def _monks(config: Any, condition: Condition) -> SetUp:
    return _monk(str(condition["problem"]))


def _inequality(config: Any, condition: Condition) -> SetUp:
    task = str(condition["task"])
    return _monk(task) if task in PROBLEMS else _xor(config, {"set_up": task.removeprefix("xor ")})


def _gaussian(config: Any, condition: Condition) -> SetUp:
    samples = config.gaussian.samples
    sets = ("training", "validation", "test")
    return SetUp(_named(gaussian.NET), dict.fromkeys(sets, samples))


def _nettalk(node: str) -> Callable[[Any, Condition], SetUp]:
    def set_up(config: Any, condition: Condition) -> SetUp:
        hidden = int(condition.get("hidden", getattr(config, node).hidden))
        return SetUp(_named(architecture(hidden)))

    return set_up


def _monk(problem: str) -> SetUp:
    task = monk(problem)
    cases = {f"{problem} training": len(task.train), f"{problem} test": len(task.test)}
    return SetUp(_named(MonkNets(problem, "logistic").net), cases)


def _named(net: Mlp) -> dict[str, int]:
    return {"-".join(map(str, net.sizes)): net.weights}


SET_UPS: dict[str, Callable[[Any, Condition], SetUp]] = {
    **dict.fromkeys(("xor", "xor_stop", "xor_structure"), _xor),
    **dict.fromkeys(("monks_grid", "monks"), _monks),
    "inequality": _inequality,
    **dict.fromkeys(("gaussian", "gaussian_sensitivity"), _gaussian),
    "nettalk": _nettalk("nettalk"),
    "nettalk_large": _nettalk("nettalk_large"),
    "nettalk_looks": _nettalk("nettalk"),
}
