"""Typed settings of the experiments; the values that are run stand in ``conf/obd``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Protocol

import torch

from oldschool.data.usps import TRAIN_COUNTS
from oldschool.errors import require
from oldschool.nets.units import UNITS
from oldschool.runs.config import DataConfig
from oldschool.runs.experiment import plan_only
from oldschool.training.diagonal_lm import DiagonalSchedule

from .nets import LARGE, SMALL

PRECISIONS = {"float32": torch.float32, "float64": torch.float64}
METHODS = ("magnitude", "obd", "obd_lm", "obd_exact", "obs", "random")
RETRAINED_METHODS = ("magnitude", "obd", "obs", "random")
N = SMALL["parameters"]


@dataclass
class ScheduleConfig:
    """Training, see :class:`oldschool.training.diagonal_lm.DiagonalSchedule`."""

    rate: float = 1e-3
    mu: float = 0.1
    passes: float = 30.0
    batch: int = 4
    looked_at: int = 500

    def check(self, node: str) -> None:
        """Raises a ConfigError for a value out of range."""
        for name in ("rate", "mu", "passes"):
            value = getattr(self, name)
            require(value > 0, f"{node}.{name}", value, "must be above 0")
        for name in ("batch", "looked_at"):
            value = getattr(self, name)
            require(value >= 1, f"{node}.{name}", value, "must be 1 or more")

    def schedule(self) -> DiagonalSchedule:
        """The same as the training takes it."""
        return DiagonalSchedule(**asdict(self))


def _again() -> ScheduleConfig:
    """Retraining after a round: half the rate, as twice the digits are summed for a step."""
    return ScheduleConfig(rate=5e-4, passes=1.0, batch=8)


@dataclass
class DigitsSettings:
    """The nets of 2578 parameters that every experiment on them shares.

    Attributes:
        nets: nets.
        block: nets a work unit.
        unit: transfer function of all units.
        init: starting weights are U(-init/F, init/F), F the fan-in.
        precision: of training and of all experiments on the nets but H^-1, float32 or float64.
        schedule: the training.
    """

    nets: int = plan_only(10)
    block: int = plan_only(5)
    unit: str = "lecun_tanh"
    init: float = 2.4
    precision: str = "float32"
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    def __post_init__(self) -> None:
        _require_sizes("digits", self.nets, self.block)
        _require_net("digits", self.unit, self.init)
        names = " or ".join(PRECISIONS)
        ok = self.precision in PRECISIONS
        require(ok, "digits.precision", self.precision, f"must be {names}")
        self.schedule.check("digits.schedule")


@dataclass
class DiagonalsSettings:
    """How far the approximate diagonals are from the exact one.

    Attributes:
        nets: nets, from the first of ``digits``, and no more than are trained there.
        samples: digits, the first of the training set, that all diagonals are means over.
        drawn: nets, from the first, whose every weight is kept in the results.
    """

    nets: int = plan_only(10)
    samples: int = 300
    drawn: int = 1

    def __post_init__(self) -> None:
        for name in ("nets", "drawn"):
            value = getattr(self, name)
            require(value >= 1, f"diagonals.{name}", value, "must be 1 or more")
        _require_samples("diagonals.samples", self.samples)


@dataclass
class DeletionSettings:
    """Weights deleted on one look at the net, without retraining.

    Attributes:
        nets: nets, from the first of ``digits``, and no more than are trained there.
        block: nets a work unit.
        deleted: counts at which a net is measured.
        methods: what deletes.
        alpha: the constant of OBS.
        obs_samples: digits, the first of the training set, that its H is a mean over.
        exact_samples: the same for the exact diagonal.
        quadratic_samples: the same for the error that the whole Gauss-Newton matrix foresees.
        other_alphas: constants of OBS compared with ``alpha``.
        other_nets: nets, from the first, on which they are compared.
    """

    nets: int = plan_only(10)
    block: int = plan_only(1)
    deleted: list[int] = field(
        default_factory=lambda: [100, 200, 400, 600, 800, 1000, 1200, 1500, 1800, 2100, 2400]
    )
    methods: list[str] = plan_only(list(METHODS))
    alpha: float = plan_only(1e-4)
    obs_samples: int = 1000
    exact_samples: int = 100
    quadratic_samples: int = 1000
    other_alphas: list[float] = plan_only([1e-6, 1e-2])
    other_nets: int = plan_only(3)

    def __post_init__(self) -> None:
        _require_sizes("deletion", self.nets, self.block)
        _require_methods("deletion", self.methods, METHODS)
        _require_counts("deletion", self.deleted)
        for name in ("obs_samples", "exact_samples", "quadratic_samples"):
            _require_samples(f"deletion.{name}", getattr(self, name))
        require(self.other_nets >= 0, "deletion.other_nets", self.other_nets, "must be 0 or more")
        for alpha in (self.alpha, *self.other_alphas):
            require(alpha > 0, "deletion.alpha", alpha, "must be above 0")


@dataclass
class RetrainingSettings:
    """Weights deleted in rounds, with retraining after each.

    Attributes:
        nets: nets, from the first of ``digits``, and no more than are trained there.
        block: nets a work unit.
        few: nets, from the first, that the methods beside magnitude and OBD prune.
        methods: what deletes.
        share: of all 2578 weights, deleted a round.
        to: deleted at the end.
        alpha: the constant of OBS.
        obs_samples: digits, the first of the training set, that its H is a mean over.
        schedule: the training after each round.
    """

    nets: int = plan_only(10)
    block: int = plan_only(5)
    few: int = plan_only(2)
    methods: list[str] = plan_only(["magnitude", "obd", "obs", "random"])
    share: float = 0.1
    to: int = 2320
    alpha: float = 1e-4
    obs_samples: int = 1000
    schedule: ScheduleConfig = field(default_factory=_again)

    def __post_init__(self) -> None:
        _require_sizes("retraining", self.nets, self.block)
        _require_methods("retraining", self.methods, RETRAINED_METHODS)
        require(self.few >= 0, "retraining.few", self.few, "must be 0 or more")
        _require_share("retraining", self.share)
        require(1 <= self.to < N, "retraining.to", self.to, f"must be 1 to {N - 1}")
        require(self.alpha > 0, "retraining.alpha", self.alpha, "must be above 0")
        _require_samples("retraining.obs_samples", self.obs_samples)
        self.schedule.check("retraining.schedule")


@dataclass
class SharesSettings:
    """What the paper leaves open: the share a round, and its variants of deletion.

    All have the same retraining in sum and the same digits to look at.

    Attributes:
        nets: nets, from the first of ``digits``, and no more than are trained there.
        deleted: where they are compared.
        passes: passes through the training set, spread over the rounds.
        samples: digits, the first of the training set, that saliencies are means over, and as
            many, drawn anew, that the retraining looks at.
        singly: nets, from the first, from which weights are deleted one at a time.
    """

    nets: int = plan_only(2)
    deleted: int = 1500
    passes: int = 6
    samples: int = 100
    singly: int = plan_only(1)

    def __post_init__(self) -> None:
        for name in ("nets", "passes"):
            value = getattr(self, name)
            require(value >= 1, f"shares.{name}", value, "must be 1 or more")
        _require_samples("shares.samples", self.samples)
        require(self.singly >= 0, "shares.singly", self.singly, "must be 0 or more")
        require(1 <= self.deleted < N, "shares.deleted", self.deleted, f"must be 1 to {N - 1}")


@dataclass
class TrainingsSettings:
    """Other ways to train the small net, see ``trainings.py``.

    Attributes:
        nets: nets a way, of starts of their own.
        passes: of the training.
        deleted: counts at which a net is measured.
    """

    nets: int = plan_only(5)
    passes: float = 10.0
    deleted: list[int] = field(default_factory=lambda: [400, 800, 1200, 1500])

    def __post_init__(self) -> None:
        require(self.nets >= 1, "trainings.nets", self.nets, "must be 1 or more")
        require(self.passes > 0, "trainings.passes", self.passes, "must be above 0")
        _require_counts("trainings", self.deleted)


@dataclass
class InteractiveSettings:
    """The net of 9760 parameters: a layer removed, then weights.

    Attributes:
        nets: nets.
        block: nets a work unit.
        unit: transfer function of all units.
        init: starting weights are U(-init/F, init/F), F the fan-in.
        schedule: the training of the whole net.
        removed_passes: passes of the training after the layer is gone.
        share: of the weights that are then left, deleted a round.
        to: weights left at the end.
        retraining: the training after each round.
    """

    nets: int = plan_only(10)
    block: int = plan_only(5)
    unit: str = "lecun_tanh"
    init: float = 2.4
    schedule: ScheduleConfig = field(default_factory=lambda: ScheduleConfig(passes=23.0))
    removed_passes: float = 10.0
    share: float = 0.1
    to: int = LARGE["parameters"] // 4
    retraining: ScheduleConfig = field(default_factory=_again)

    def __post_init__(self) -> None:
        _require_sizes("interactive", self.nets, self.block)
        _require_net("interactive", self.unit, self.init)
        passes = self.removed_passes
        require(passes > 0, "interactive.removed_passes", passes, "must be above 0")
        _require_share("interactive", self.share)
        require(1 <= self.to < 5590, "interactive.to", self.to, "must be 1 to 5589")
        self.schedule.check("interactive.schedule")
        self.retraining.check("interactive.retraining")


class ObdConfig(Protocol):
    """The part of the configuration that the experiments read."""

    data: DataConfig
    digits: DigitsSettings
    diagonals: DiagonalsSettings
    deletion: DeletionSettings
    retraining: RetrainingSettings
    shares: SharesSettings
    trainings: TrainingsSettings
    interactive: InteractiveSettings


def _require_sizes(node: str, nets: int, block: int) -> None:
    require(nets >= 1, f"{node}.nets", nets, "must be 1 or more")
    require(block >= 1, f"{node}.block", block, "must be 1 or more")


def _require_counts(node: str, deleted: list[int]) -> None:
    rising = sorted(set(deleted))
    require(
        len(rising) > 0 and deleted == rising and rising[0] >= 1 and rising[-1] < N,
        f"{node}.deleted",
        deleted,
        f"must be one or more rising counts from 1 to {N - 1}",
    )


def _require_net(node: str, unit: str, init: float) -> None:
    require(unit in UNITS, f"{node}.unit", unit, f"must be one of {', '.join(UNITS)}")
    require(init > 0, f"{node}.init", init, "must be above 0")


def _require_share(node: str, share: float) -> None:
    require(0 < share <= 1, f"{node}.share", share, "must be in (0, 1]")


def _require_samples(name: str, samples: int) -> None:
    most = sum(TRAIN_COUNTS)
    require(1 <= samples <= most, name, samples, f"must be 1 to {most}")


def _require_methods(node: str, methods: list[str], known: tuple[str, ...]) -> None:
    require(len(methods) > 0, f"{node}.methods", methods, "must be one or more")
    for method in methods:
        require(method in known, f"{node}.methods", method, f"must be one of {', '.join(known)}")
