"""Typed settings of the experiments; the values that are run stand in ``conf/cascor``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Protocol

import torch

from oldschool.errors import ConfigError, require
from oldschool.growing.settings import SPIRALS, CascadeSettings, PhaseSettings
from oldschool.runs.experiment import plan_only

PRECISIONS = {"float32": torch.float32, "float64": torch.float64}


def _require_precision(node: str, precision: str) -> None:
    names = " or ".join(PRECISIONS)
    require(precision in PRECISIONS, f"{node}.precision", precision, f"must be {names}")


@dataclass
class PhaseConfig:
    """One kind of training phase, see :class:`oldschool.growing.settings.PhaseSettings`."""

    epsilon: float
    mu: float
    decay: float
    patience: int
    change: float
    epochs: int


def _phase(settings: PhaseSettings) -> PhaseConfig:
    return PhaseConfig(**asdict(settings))


@dataclass
class CascadeConfig:
    """All parameters of a trial, see :class:`oldschool.growing.settings.CascadeSettings`.

    The defaults are what the authors' Lisp program advises for the two spirals.
    """

    output: PhaseConfig = field(default_factory=lambda: _phase(SPIRALS.output))
    candidate: PhaseConfig = field(default_factory=lambda: _phase(SPIRALS.candidate))
    max_hidden: int = SPIRALS.max_hidden
    pool: int = SPIRALS.pool
    weight_range: float = SPIRALS.weight_range
    weight_multiplier: float = SPIRALS.weight_multiplier
    slope_offset: float = SPIRALS.slope_offset
    threshold: float = SPIRALS.threshold
    hidden_unit: str = SPIRALS.hidden_unit
    output_unit: str = SPIRALS.output_unit
    score: str = SPIRALS.score

    def settings(self) -> CascadeSettings:
        """The same as the method takes it.

        Raises:
            ValueError: a value is out of range.
        """
        rest = {name: value for name, value in asdict(self).items() if not isinstance(value, dict)}
        output, candidate = (PhaseSettings(**asdict(one)) for one in (self.output, self.candidate))
        return CascadeSettings(output=output, candidate=candidate, **rest)


@dataclass
class SpiralsSettings:
    """Trials on the two spirals.

    Attributes:
        trials: trials.
        block: trials a work unit.
        paths: trials whose phases are kept, for the figures.
        precision: float32 or float64.
        cascade: parameters of the trials.
    """

    trials: int = plan_only(1000)
    block: int = plan_only(100)
    paths: int = 100
    precision: str = "float32"
    cascade: CascadeConfig = field(default_factory=CascadeConfig)

    def __post_init__(self) -> None:
        for name in ("trials", "block", "paths"):
            value = getattr(self, name)
            require(value >= 1, f"spirals.{name}", value, "must be 1 or more")
        _require_precision("spirals", self.precision)
        try:
            self.cascade.settings()
        except ValueError as error:
            raise ConfigError(f"spirals.cascade: {error}") from error


@dataclass
class SensitivitySettings:
    """One parameter of ``spirals`` changed at a time.

    Attributes:
        trials: trials a variation, with the starting weights of ``spirals`` where they can be.
        block: trials a work unit.
    """

    trials: int = plan_only(1000)
    block: int = plan_only(250)

    def __post_init__(self) -> None:
        for name in ("trials", "block"):
            value = getattr(self, name)
            require(value >= 1, f"sensitivity.{name}", value, "must be 1 or more")


@dataclass
class EvolutionSettings:
    """The paper's Figs 3 and 4: one trial unit by unit.

    Attributes:
        hidden: units at its end; the first trial of ``spirals`` that ends with so many is taken,
            else the first that learned with the fewest.
        points: points of the plane on a side.
        extent: the plane is drawn to plus and minus this.
    """

    hidden: int = plan_only(12)
    points: int = 101
    extent: float = 6.9

    def __post_init__(self) -> None:
        require(self.hidden >= 1, "evolution.hidden", self.hidden, "must be 1 or more")
        require(self.points >= 2, "evolution.points", self.points, "must be 2 or more")
        require(self.extent > 0, "evolution.extent", self.extent, "must be above 0")


@dataclass
class RivalSettings:
    """Back-propagation and Quickprop on Lang and Witbrock's net.

    Attributes:
        starts: starts a rule.
        block: starts a work unit.
        layers: units of its hidden layers.
        init: starting weights are U(-init, init).
        threshold: an output this far from its target is wrong, as in ``spirals``.
        epochs: limit; a start that has not learned by then never does.
        rate: learning rate of back-propagation, on the summed gradient.
        momentum: of back-propagation.
        epsilon: Quickprop's rate, on the summed gradient.
        mu: Quickprop's largest growth of a step.
        decay: Quickprop's, times the weight, is added to its slope.
        slope_offset: added to the derivative of all units under Quickprop.
        precision: float32 or float64.
    """

    starts: int = plan_only(100)
    block: int = plan_only(50)
    layers: list[int] = field(default_factory=lambda: [5, 5, 5])
    init: float = 0.5
    threshold: float = 0.4
    epochs: int = 40000
    rate: float = 0.003
    momentum: float = 0.95
    epsilon: float = 0.001
    mu: float = 1.5
    decay: float = 3e-5
    slope_offset: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("starts", "block", "epochs"):
            value = getattr(self, name)
            require(value >= 1, f"rivals.{name}", value, "must be 1 or more")
        for name in ("init", "threshold", "rate", "epsilon", "mu"):
            value = getattr(self, name)
            require(value > 0, f"rivals.{name}", value, "must be above 0")
        for name in ("decay", "slope_offset"):
            value = getattr(self, name)
            require(value >= 0, f"rivals.{name}", value, "must be 0 or more")
        require(0 <= self.momentum < 1, "rivals.momentum", self.momentum, "must be in [0, 1)")
        _require_precision("rivals", self.precision)
        require(
            len(self.layers) > 0 and min(self.layers) >= 1,
            "rivals.layers",
            self.layers,
            "must be one or more counts of 1 or more",
        )


@dataclass
class RivalRatesSettings:
    """How the rates of ``rivals`` were chosen: on other starts, by how many learn.

    Attributes:
        starts: starts a setting.
        rates: learning rates of back-propagation.
        decays: weight decays of Quickprop.
    """

    starts: int = plan_only(24)
    rates: list[float] = plan_only([0.001, 0.003, 0.01])
    decays: list[float] = plan_only([1e-5, 3e-5, 1e-4])

    def __post_init__(self) -> None:
        require(self.starts >= 1, "rival_rates.starts", self.starts, "must be 1 or more")
        for name, least in (("rates", 1e-12), ("decays", 0.0)):
            for value in getattr(self, name):
                require(value >= least, f"rival_rates.{name}", value, "must not be below 0")


@dataclass
class ParitySettings:
    """N-bit parity with Gaussian hidden units.

    Attributes:
        bits: the N that are run.
        trials: trials for each N and set-up.
        block: trials a work unit.
    """

    bits: list[int] = plan_only([2, 3, 4, 5, 6, 7, 8])
    trials: int = plan_only(200)
    block: int = plan_only(100)

    def __post_init__(self) -> None:
        for name in ("trials", "block"):
            value = getattr(self, name)
            require(value >= 1, f"parity.{name}", value, "must be 1 or more")
        for bits in self.bits:
            require(1 <= bits <= 12, "parity.bits", bits, "must be 1 to 12")


@dataclass
class Parity10Settings:
    """10-bit parity: generalisation from a part of the cases to the others.

    Attributes:
        bits: N.
        splits: training cases.
        trials: trials for each split and set-up, each with a split of its own.
        block: trials a work unit.
    """

    bits: int = 10
    splits: list[int] = plan_only([512, 256])
    trials: int = plan_only(100)
    block: int = plan_only(50)

    def __post_init__(self) -> None:
        for name in ("trials", "block"):
            value = getattr(self, name)
            require(value >= 1, f"parity10.{name}", value, "must be 1 or more")
        require(1 <= self.bits <= 12, "parity10.bits", self.bits, "must be 1 to 12")
        for split in self.splits:
            most = 2**self.bits - 1
            require(1 <= split <= most, "parity10.splits", split, f"must be 1 to {most}")


class CascorConfig(Protocol):
    """The part of the configuration that the experiments read."""

    spirals: SpiralsSettings
    sensitivity: SensitivitySettings
    evolution: EvolutionSettings
    rivals: RivalSettings
    rival_rates: RivalRatesSettings
    parity: ParitySettings
    parity10: Parity10Settings
