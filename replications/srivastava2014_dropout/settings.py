"""Typed settings of the experiments; the values that are run stand in ``conf/dropout``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from oldschool.errors import require
from oldschool.runs.config import DataConfig
from oldschool.runs.experiment import plan_only

TRAINING_DIGITS, HELD_OUT = 60_000, 10_000
STARTS = ("fan_in", "authors")


@dataclass
class ScheduleConfig:
    """Learning rate and momentum; times are shares of all updates.

    rate / (1 + t / (rate_tau T)), and end - (end - start) exp(-t / (momentum_tau T)), for t of T
    updates.

    Attributes:
        rate: at the start.
        rate_tau: share of the updates after which it has halved.
        momentum_start: at the start.
        momentum_end: that it goes to.
        momentum_tau: share of the updates after which most of the way is gone.
    """

    rate: float = 0.5
    rate_tau: float = 0.1
    momentum_start: float = 0.5
    momentum_end: float = 0.95
    momentum_tau: float = 0.1

    def check(self, node: str) -> None:
        """Raises a ConfigError for a value out of range."""
        for name in ("rate", "rate_tau", "momentum_tau"):
            value = getattr(self, name)
            require(value > 0, f"{node}.{name}", value, "must be above 0")
        for name in ("momentum_start", "momentum_end"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{node}.{name}", value, "must be at least 0 and below 1")


def _plain() -> ScheduleConfig:
    return ScheduleConfig(rate=0.3, rate_tau=1.0, momentum_end=0.9)


def _slower() -> ScheduleConfig:
    return ScheduleConfig(rate=0.3, rate_tau=0.3)


def _fast() -> ScheduleConfig:
    return ScheduleConfig(rate=1.0)


def _gentle() -> ScheduleConfig:
    return ScheduleConfig(rate=0.02, rate_tau=1.0)


@dataclass
class RecipeSettings:
    """How feed-forward nets are trained, unless an experiment says otherwise.

    Attributes:
        digits: training digits, the first of MNIST's 60,000.
        batch: digits an update.
        keep_input: p of the inputs.
        keep: p of the hidden units.
        max_norm: c of nets that have it.
        start: of the weights: ``fan_in``, sd sqrt(2 / inputs), or ``authors``, sd 1 / sqrt(outputs)
            and .001 / sqrt(outputs) for the first layer.
        dropout: schedule of nets with dropout or max-norm.
        plain: schedule of nets with neither.
        l2: weight decay of nets without dropout.
        l2_dropout: weight decay of nets with dropout and without max-norm.
        device: ``cpu``, ``cuda``, or ``auto``, the GPU if there is one.
    """

    digits: int = 2000
    batch: int = 100
    keep_input: float = 0.8
    keep: float = 0.5
    max_norm: float = 2.0
    start: str = "fan_in"
    dropout: ScheduleConfig = field(default_factory=ScheduleConfig)
    plain: ScheduleConfig = field(default_factory=_plain)
    l2: float = 0.0
    l2_dropout: float = 0.0
    device: str = "auto"

    def __post_init__(self) -> None:
        _require_count("recipe.digits", self.digits, TRAINING_DIGITS)
        _require_count("recipe.batch", self.batch, TRAINING_DIGITS)
        for name in ("keep_input", "keep"):
            value = getattr(self, name)
            require(0 < value <= 1, f"recipe.{name}", value, "must be above 0 and at most 1")
        require(self.max_norm > 0, "recipe.max_norm", self.max_norm, "must be above 0")
        require(self.start in STARTS, "recipe.start", self.start, f"one of {', '.join(STARTS)}")
        for name in ("l2", "l2_dropout"):
            value = getattr(self, name)
            require(value >= 0, f"recipe.{name}", value, "must be 0 or more")
        known = ("auto", "cpu", "cuda")
        require(self.device in known, "recipe.device", self.device, f"one of {', '.join(known)}")
        self.dropout.check("recipe.dropout")
        self.plain.check("recipe.plain")


@dataclass
class ArchitecturesSettings:
    """Table 2's feed-forward nets, and Fig. 4.

    Attributes:
        nets: nets a condition.
        block: nets a work unit.
        layers: counts of hidden layers of Fig. 4's nets.
        widths: units of each, the smaller first.
        table_width: units of the three layers that Table 2's ways are compared on.
        wide: further widths of nets of two hidden layers, with dropout and max-norm.
        standard: units of a net of two logistic layers without dropout; 0 for none.
        updates: of the training.
        moments: at which nets are measured, evenly spaced, the last at the end.
    """

    nets: int = plan_only(4)
    block: int = plan_only(2)
    layers: list[int] = plan_only([2, 3, 4])
    widths: list[int] = plan_only([128, 256])
    table_width: int = plan_only(256)
    wide: list[int] = plan_only([])
    standard: int = plan_only(0)
    updates: int = 1500
    moments: int = 20

    def __post_init__(self) -> None:
        _require_sizes("architectures", self.nets, self.block)
        require(len(self.layers) > 0, "architectures.layers", self.layers, "must be one or more")
        for name in ("layers", "widths", "wide"):
            value = getattr(self, name)
            ok = all(one >= 1 for one in value) and value == sorted(set(value))
            require(ok, f"architectures.{name}", value, "must be rising counts of 1 or more")
        require(len(self.widths) == 2, "architectures.widths", self.widths, "must be two")
        _require_count("architectures.table_width", self.table_width)
        require(self.standard >= 0, "architectures.standard", self.standard, "must be 0 or more")
        _require_count("architectures.updates", self.updates)
        _require_count("architectures.moments", self.moments, self.updates)


@dataclass
class RegularizersSettings:
    """Table 9.

    Attributes:
        nets: nets a condition.
        block: nets a work unit.
        sizes: hidden layers.
        updates: of the training.
        l2: strength of weight decay, with L2 alone.
        l1: strength of L1, added to L2.
        l1_after: share of the updates after which L1 sets in.
        sparsity_target: mean activity that KL sparsity, added to L2, draws to.
        sparsity_cost: its factor.
        max_norm: c of max-norm alone.
        max_norm_schedule: its schedule.
        l2_dropout: strength of weight decay beside dropout.
    """

    nets: int = plan_only(6)
    block: int = plan_only(3)
    sizes: list[int] = field(default_factory=lambda: [256, 256])
    updates: int = 1500
    l2: float = 1e-3
    l1: float = 1e-6
    l1_after: float = 0.75
    sparsity_target: float = 0.2
    sparsity_cost: float = 1e-3
    max_norm: float = 1.0
    max_norm_schedule: ScheduleConfig = field(default_factory=_fast)
    l2_dropout: float = 3e-4

    def __post_init__(self) -> None:
        _require_sizes("regularizers", self.nets, self.block)
        _require_net("regularizers", self.sizes, self.updates)
        for name in ("l2", "l1", "sparsity_cost", "l2_dropout"):
            value = getattr(self, name)
            require(value >= 0, f"regularizers.{name}", value, "must be 0 or more")
        for name in ("sparsity_target", "max_norm"):
            value = getattr(self, name)
            require(value > 0, f"regularizers.{name}", value, "must be above 0")
        ok = 0 <= self.l1_after <= 1
        require(ok, "regularizers.l1_after", self.l1_after, "must be 0 to 1")
        self.max_norm_schedule.check("regularizers.max_norm_schedule")


@dataclass
class GaussianSettings:
    """Table 10: Bernoulli against Gaussian noise.

    Attributes:
        nets: nets a kind of noise.
        block: nets a work unit.
        sizes: hidden layers.
        updates: of the training.
        rate_factor: of the recipe's rate, for Gaussian noise: with factors of mean 1 in place of
            p activities are 1/p times as large, and so are gradients.
    """

    nets: int = plan_only(10)
    block: int = plan_only(5)
    sizes: list[int] = field(default_factory=lambda: [256, 256])
    updates: int = 1500
    rate_factor: float = 0.5

    def __post_init__(self) -> None:
        _require_sizes("gaussian", self.nets, self.block)
        _require_net("gaussian", self.sizes, self.updates)
        value = self.rate_factor
        require(value > 0, "gaussian.rate_factor", value, "must be above 0")


@dataclass
class RateSettings:
    """Figs 9a and 9b: the probability of keeping a unit.

    Attributes:
        nets: nets a probability.
        block: nets a work unit.
        sizes: hidden layers where n is fixed.
        kept: p n of the hidden layers where p n is fixed.
        fixed_n: probabilities with n fixed.
        fixed_pn: probabilities with p n fixed.
        updates: of the training.
    """

    nets: int = plan_only(4)
    block: int = plan_only(2)
    sizes: list[int] = field(default_factory=lambda: [256, 256])
    kept: list[int] = field(default_factory=lambda: [64, 64])
    fixed_n: list[float] = plan_only([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0])
    fixed_pn: list[float] = plan_only([0.1, 0.5, 0.6, 1.0])
    updates: int = 1500

    def __post_init__(self) -> None:
        _require_sizes("rate", self.nets, self.block)
        _require_net("rate", self.sizes, self.updates)
        _require_net("rate", self.kept, self.updates, "kept")
        for name in ("fixed_n", "fixed_pn"):
            value = getattr(self, name)
            ok = all(0 < p <= 1 for p in value) and value == sorted(set(value))
            require(ok, f"rate.{name}", value, "must be rising probabilities above 0, at most 1")


@dataclass
class DatasetSizeSettings:
    """Fig. 10: training sets of so many digits, drawn from the training digits.

    Attributes:
        small: sets of up to 1000 digits a size, a net each with dropout and without.
        large: sets of more digits a size.
        block: sets a work unit.
        sizes: hidden layers.
        digits: sizes of the sets.
        updates: of the training, a size each.
        dropout: schedule of nets with dropout; the others have the recipe's.
    """

    small: int = plan_only(10)
    large: int = plan_only(3)
    block: int = plan_only(2)
    sizes: list[int] = field(default_factory=lambda: [512, 512])
    digits: list[int] = field(default_factory=lambda: [100, 500, 1000, 5000, 10000])
    updates: list[int] = field(default_factory=lambda: [150, 250, 400, 2000, 3000])
    dropout: ScheduleConfig = field(default_factory=_slower)

    def __post_init__(self) -> None:
        _require_sizes("dataset_size", self.small, self.block)
        _require_count("dataset_size.large", self.large)
        ok = self.digits == sorted(set(self.digits)) and len(self.digits) > 0
        require(ok, "dataset_size.digits", self.digits, "must be rising counts, one or more")
        for count in self.digits:
            _require_count("dataset_size.digits", count, TRAINING_DIGITS)
        ok = len(self.updates) == len(self.digits)
        require(ok, "dataset_size.updates", self.updates, "must be as many as there are digits")
        for count in self.updates:
            _require_net("dataset_size", self.sizes, count)
        self.dropout.check("dataset_size.dropout")


@dataclass
class MonteCarloSettings:
    """Fig. 11: averages of k thinned nets against weight scaling.

    Attributes:
        nets: nets.
        block: nets a work unit.
        sizes: hidden layers.
        updates: of the training.
        masks: thinned nets whose outputs are stored, of each net.
        k: how many of them are averaged.
        repeats: draws of k of them.
    """

    nets: int = plan_only(3)
    block: int = plan_only(1)
    sizes: list[int] = field(default_factory=lambda: [256, 256])
    updates: int = 1500
    masks: int = 125
    k: list[int] = field(default_factory=lambda: [1, 3, 5, 9, 21, 31, 51, 81, 119])
    repeats: int = 20

    def __post_init__(self) -> None:
        _require_sizes("monte_carlo", self.nets, self.block)
        _require_net("monte_carlo", self.sizes, self.updates)
        ok = self.k == sorted(set(self.k)) and len(self.k) > 0 and self.k[0] >= 1
        ok = ok and self.k[-1] <= self.masks
        require(ok, "monte_carlo.k", self.k, f"must be rising counts from 1 to {self.masks}")
        _require_count("monte_carlo.repeats", self.repeats)


@dataclass
class FeaturesSettings:
    """Figs 7 and 8: autoencoders of one hidden layer of ReLU.

    Attributes:
        nets: nets a condition.
        block: nets a work unit.
        units: hidden units.
        digits: training digits.
        updates: of the training.
        keep: p of the hidden units, with dropout.
        schedule: of learning, on the gradient of the cross-entropy a digit, summed over pixels.
        drawn: units of the first net whose weights are kept in the results.
    """

    nets: int = plan_only(4)
    block: int = plan_only(2)
    units: int = 256
    digits: int = 50_000
    updates: int = 1250
    keep: float = 0.5
    schedule: ScheduleConfig = field(default_factory=_gentle)
    drawn: int = 36

    def __post_init__(self) -> None:
        _require_sizes("features", self.nets, self.block)
        _require_features("features", self.units, self.digits, self.updates, self.keep, self.drawn)
        self.schedule.check("features.schedule")


@dataclass
class RbmSettings:
    """Figs 12 and 13: restricted Boltzmann machines trained by CD-1.

    Attributes:
        nets: machines a condition.
        block: machines a work unit.
        units: hidden units.
        digits: training digits.
        epochs: passes through them.
        batch: digits an update.
        keep: p of the hidden units, with dropout.
        rate: of learning.
        momentum: m.
        drawn: units of the first machine whose weights are kept in the results.
    """

    nets: int = plan_only(4)
    block: int = plan_only(2)
    units: int = 256
    digits: int = 20_000
    epochs: int = 5
    batch: int = 100
    keep: float = 0.5
    rate: float = 0.05
    momentum: float = 0.9
    drawn: int = 36

    def __post_init__(self) -> None:
        _require_sizes("rbm", self.nets, self.block)
        _require_features("rbm", self.units, self.digits, self.epochs, self.keep, self.drawn)
        _require_count("rbm.batch", self.batch, self.digits)
        _require_rate("rbm", self.rate, self.momentum)


@dataclass
class MarginalSettings:
    """Section 9: dropout marginalised in linear regression.

    Attributes:
        problems: random problems whose identity and ridge solution are enumerated or solved.
        keep: p of the digits' regression and of the noise's path.
        digits: training digits of these.
        updates: of the path.
        rate: of learning along the path.
        batch: digits an update.
        nets: paths a probability.
    """

    problems: int = 20
    keep: list[float] = plan_only([0.5, 0.8])
    digits: int = 5000
    updates: int = 15_000
    rate: float = 0.02
    batch: int = 10
    nets: int = 2

    def __post_init__(self) -> None:
        _require_count("marginal.problems", self.problems)
        ok = len(self.keep) > 0 and all(0 < p <= 1 for p in self.keep)
        require(ok, "marginal.keep", self.keep, "must be probabilities above 0, at most 1")
        _require_count("marginal.digits", self.digits, TRAINING_DIGITS)
        _require_count("marginal.updates", self.updates)
        _require_count("marginal.batch", self.batch, self.digits)
        _require_count("marginal.nets", self.nets)
        require(self.rate > 0, "marginal.rate", self.rate, "must be above 0")


@dataclass
class ConvnetSettings:
    """Tables 3 and 4: convolutional nets on SVHN and CIFAR.

    Attributes:
        nets: nets a condition; 0 for none.
        sets: ``svhn``, ``cifar10``, ``cifar100``.
        maps: of the three convolutions.
        units: of the two layers above.
        updates: of the training.
        batch: images an update.
        rate: of learning at the start.
        rate_tau: share of the updates after which it has halved.
        input_rate: rate of the lowest convolution on CIFAR, as a share of the others'.
        momentum: m.
        max_norm: c.
        zca_floor: added to the variance of CIFAR's principal components, as a share of its mean.
    """

    nets: int = plan_only(0)
    sets: list[str] = plan_only(["svhn", "cifar10", "cifar100"])
    maps: list[int] = field(default_factory=lambda: [96, 128, 256])
    units: int = 2048
    updates: int = 200_000
    batch: int = 100
    rate: float = 0.01
    rate_tau: float = 0.1
    input_rate: float = 0.1
    momentum: float = 0.95
    max_norm: float = 4.0
    zca_floor: float = 0.1

    def __post_init__(self) -> None:
        require(self.nets >= 0, "convnet.nets", self.nets, "must be 0 or more")
        known = ("svhn", "cifar10", "cifar100")
        for name in self.sets:
            require(name in known, "convnet.sets", name, f"one of {', '.join(known)}")
        ok = len(self.maps) == 3 and min(self.maps) >= 1
        require(ok, "convnet.maps", self.maps, "must be three counts of 1 or more")
        for name in ("units", "updates", "batch"):
            _require_count(f"convnet.{name}", getattr(self, name))
        for name in ("rate_tau", "input_rate", "max_norm", "zca_floor"):
            value = getattr(self, name)
            require(value > 0, f"convnet.{name}", value, "must be above 0")
        _require_rate("convnet", self.rate, self.momentum)


@dataclass
class PretrainingSettings:
    """Table 2's deep belief nets: Boltzmann machines layer by layer, then finetuning.

    Attributes:
        nets: nets a condition; 0 for none.
        sizes: hidden layers.
        epochs: of each Boltzmann machine.
        rate: of these.
        momentum: of these.
        updates: of the finetuning.
        finetuning: its schedule, with dropout and without.
    """

    nets: int = plan_only(0)
    sizes: list[int] = field(default_factory=lambda: [500, 500, 2000])
    epochs: int = 50
    rate: float = 0.05
    momentum: float = 0.9
    updates: int = 100_000
    finetuning: ScheduleConfig = field(
        default_factory=lambda: ScheduleConfig(rate=0.1, momentum_end=0.9)
    )

    def __post_init__(self) -> None:
        require(self.nets >= 0, "pretraining.nets", self.nets, "must be 0 or more")
        _require_net("pretraining", self.sizes, self.updates)
        _require_count("pretraining.epochs", self.epochs)
        _require_rate("pretraining", self.rate, self.momentum)
        self.finetuning.check("pretraining.finetuning")


class DropoutConfig(Protocol):
    """The part of the configuration that the experiments read."""

    data: DataConfig
    recipe: RecipeSettings
    architectures: ArchitecturesSettings
    regularizers: RegularizersSettings
    gaussian: GaussianSettings
    rate: RateSettings
    dataset_size: DatasetSizeSettings
    monte_carlo: MonteCarloSettings
    features: FeaturesSettings
    rbm: RbmSettings
    marginal: MarginalSettings
    convnet: ConvnetSettings
    pretraining: PretrainingSettings


def _require_sizes(node: str, nets: int, block: int) -> None:
    _require_count(f"{node}.nets", nets)
    _require_count(f"{node}.block", block)


def _require_net(node: str, sizes: list[int], updates: int, name: str = "sizes") -> None:
    ok = len(sizes) > 0 and min(sizes) >= 1
    require(ok, f"{node}.{name}", sizes, "must be one or more layers of one or more units")
    _require_count(f"{node}.updates", updates)


def _require_features(
    node: str, units: int, digits: int, rounds: int, keep: float, drawn: int
) -> None:
    _require_count(f"{node}.units", units)
    _require_count(f"{node}.digits", digits, TRAINING_DIGITS)
    require(rounds >= 1, node, rounds, "updates or epochs must be 1 or more")
    require(0 < keep <= 1, f"{node}.keep", keep, "must be above 0 and at most 1")
    _require_count(f"{node}.drawn", drawn, units)


def _require_rate(node: str, rate: float, momentum: float) -> None:
    require(rate > 0, f"{node}.rate", rate, "must be above 0")
    require(0 <= momentum < 1, f"{node}.momentum", momentum, "must be at least 0 and below 1")


def _require_count(name: str, value: int, most: int | None = None) -> None:
    if most is None:
        require(value >= 1, name, value, "must be 1 or more")
    else:
        require(1 <= value <= most, name, value, f"must be 1 to {most}")
