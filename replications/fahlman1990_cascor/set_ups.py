"""Nets and cases of each experiment, for the report's record; of cascade nets before they grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oldschool.runs.experiment import Scalar, SetUp

from .rivals import architecture
from .spirals import TASK

_SPIRALS = {"training": len(TASK)}


def _grown(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    return SetUp(_start(TASK.x.shape[1], TASK.t.shape[1]), _SPIRALS)


def _rivals(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    net = architecture(config.rivals)
    return SetUp({"-".join(map(str, net.sizes)): net.weights}, _SPIRALS)


def _parity(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    bits = int(condition["bits"])
    return SetUp(_start(bits, 1), {f"{bits} bits training": 2**bits})


def _parity10(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    bits, training = config.parity10.bits, int(condition["train"])
    rest = 2**bits - training
    return SetUp(_start(bits, 1), {"training": training, f"test beside {training}": rest})


def _start(inputs: int, outputs: int) -> dict[str, int]:
    return {f"{inputs}-{outputs}, to which hidden units are added": (inputs + 1) * outputs}


SET_UPS: dict[str, Callable[[Any, Mapping[str, Scalar]], SetUp]] = {
    **dict.fromkeys(("spirals", "sensitivity", "evolution"), _grown),
    **dict.fromkeys(("rivals", "rival_rates"), _rivals),
    "parity": _parity,
    "parity10": _parity10,
}
