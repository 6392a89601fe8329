"""Nets and cases of each experiment, for the report's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oldschool.data.usps import TEST_COUNTS, TRAIN_COUNTS
from oldschool.runs.experiment import Scalar, SetUp

from .nets import LARGE, SMALL

_CASES = {"training": sum(TRAIN_COUNTS), "test": sum(TEST_COUNTS)}
_ON_SMALL = (
    "digits", "diagonals", "deletion", "retraining", "shares", "trainings", "passes",
)  # fmt: skip


def _small(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    return SetUp({"small net": SMALL["parameters"]}, _CASES)


def _large(config: Any, condition: Mapping[str, Scalar]) -> SetUp:
    return SetUp({"large net": LARGE["parameters"]}, _CASES)


SET_UPS: dict[str, Callable[[Any, Mapping[str, Scalar]], SetUp]] = {
    **dict.fromkeys(_ON_SMALL, _small),
    "interactive": _large,
}
