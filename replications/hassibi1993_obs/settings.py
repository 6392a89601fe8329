"""Typed settings of the experiments; the values that are run stand in ``conf/obs``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from oldschool.errors import require
from oldschool.runs.config import DataConfig
from oldschool.runs.experiment import plan_only

PAPER_ALPHAS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
MONK_UNITS = ("logistic", "tanh")
PRECISIONS = ("float64", "float32")
NETTALK_METHODS = ("magnitude", "obd", "obs")


@dataclass
class TrainingSettings:
    """Back-propagation with momentum, then second-order steps down to a minimum.

    Attributes:
        init: starting weights are U(-init, init).
        rate: learning rate on the gradient summed over patterns; MONK nets of tanh units take
            a tenth of it (``monk_nets.TANH_RATE``).
        momentum: of back-propagation.
        epochs: passes of back-propagation.
        iterations: most Levenberg-Marquardt steps after it.
        newton_iterations: most Newton steps after those.
        gradient_tolerance: gradient norm at which a net counts as at a minimum.
    """

    init: float = 1.0
    rate: float = 0.1
    momentum: float = 0.9
    epochs: int = 400
    iterations: int = 20
    newton_iterations: int = 100
    gradient_tolerance: float = 1e-8

    def check(self, node: str) -> None:
        """Raises a ConfigError for a value out of range."""
        require(self.init > 0, f"{node}.init", self.init, "must be above 0")
        require(self.rate > 0, f"{node}.rate", self.rate, "must be above 0")
        require(0 <= self.momentum < 1, f"{node}.momentum", self.momentum, "must be in [0, 1)")
        for name in ("epochs", "iterations", "newton_iterations"):
            value = getattr(self, name)
            require(value >= 0, f"{node}.{name}", value, "must be 0 or more")
        require(
            self.gradient_tolerance > 0,
            f"{node}.gradient_tolerance",
            self.gradient_tolerance,
            "must be above 0",
        )


@dataclass
class XorSettings:
    """The XOR experiment.

    Attributes:
        starts: random starts a set-up.
        block: starts a work unit.
        decays: weight decays of the training; 0 is the paper's form.
        training: how nets are trained; ``epochs`` more than for MONK's, four patterns only.
        stop_error: training without decay ends at or below this error where targets are out
            of reach, in units of the squared distance of the two targets.
        stop_errors: the values of ``stop_error`` that ``xor_stop`` compares.
        zero_error: an error at or below this, in the same units, counts as zero.
        alphas: the constants of OBS that are compared.
        relearn_attempts: retrainings of each of the nine pruned nets of a minimum; the first
            from the weights left, the others from the weights left plus noise.
        relearn_noise: standard deviation of that noise.
        relearn_iterations: Levenberg-Marquardt steps of one retraining.
        restarts: fresh random starts of each pruned architecture.
    """

    starts: int = plan_only(2000)
    block: int = plan_only(500)
    decays: list[float] = plan_only([0.0, 1e-4])
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(epochs=1000, iterations=300)
    )
    stop_error: float = 1e-4
    stop_errors: list[float] = plan_only([1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
    zero_error: float = 1e-3
    alphas: list[float] = field(default_factory=lambda: list(PAPER_ALPHAS))
    relearn_attempts: int = 4
    relearn_noise: float = 0.5
    relearn_iterations: int = 200
    restarts: int = plan_only(3000)

    def __post_init__(self) -> None:
        self.training.check("xor.training")
        for name in ("starts", "block", "relearn_attempts", "relearn_iterations", "restarts"):
            value = getattr(self, name)
            require(value >= 1, f"xor.{name}", value, "must be 1 or more")
        for decay in self.decays:
            require(decay >= 0, "xor.decays", decay, "must be 0 or more")
        for error in self.stop_errors:
            require(error > 0, "xor.stop_errors", error, "must be above 0")
        for alpha in self.alphas:
            require(alpha > 0, "xor.alphas", alpha, "must be above 0")
        for name in ("stop_error", "zero_error", "relearn_noise"):
            value = getattr(self, name)
            require(value > 0, f"xor.{name}", value, "must be above 0")


@dataclass
class MonkNetSettings:
    """The nets of the MONK's problems, the same for every experiment on them.

    Attributes:
        unit: unit function of hidden and output units; targets are 0/1 for the logistic and
            -1/1 for tanh.
        training: how they are trained.
    """

    unit: str = "logistic"
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        require(
            self.unit in MONK_UNITS,
            "monk_nets.unit",
            self.unit,
            f"must be {' or '.join(MONK_UNITS)}",
        )
        self.training.check("monk_nets.training")


@dataclass
class MonksGridSettings:
    """Weight decay times alpha, on nets of its own, from which ``monks`` takes its settings.

    Attributes:
        nets: nets a problem and decay.
        block: nets a work unit.
        decays: weight decays compared.
        alphas: constants of OBS compared; the choice is made within the paper's range.
        units: unit functions compared; the choice is made for ``monk_nets.unit``.
        retrained_nets: nets, from the first, on which magnitude and OBD are also run with
            retraining.
        retrain_iterations: most Levenberg-Marquardt steps after a deletion in these.
        eligible: least share of nets that must reach the paper's training accuracy for a
            decay to be chosen.
    """

    nets: int = plan_only(100)
    block: int = plan_only(50)
    decays: list[float] = plan_only([0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3])
    alphas: list[float] = field(default_factory=lambda: [*PAPER_ALPHAS, 1e-3])
    units: list[str] = plan_only(["logistic", "tanh"])
    retrained_nets: int = 25
    retrain_iterations: int = 40
    eligible: float = plan_only(0.9)

    def __post_init__(self) -> None:
        for name in ("nets", "block", "retrain_iterations"):
            value = getattr(self, name)
            require(value >= 1, f"monks_grid.{name}", value, "must be 1 or more")
        least = self.retrained_nets
        require(least >= 0, "monks_grid.retrained_nets", least, "must be 0 or more")
        for decay in self.decays:
            require(decay >= 0, "monks_grid.decays", decay, "must be 0 or more")
        for alpha in self.alphas:
            require(alpha > 0, "monks_grid.alphas", alpha, "must be above 0")
        for unit in self.units:
            allowed = f"must be {' or '.join(MONK_UNITS)}"
            require(unit in MONK_UNITS, "monks_grid.units", unit, allowed)
        require(0 < self.eligible <= 1, "monks_grid.eligible", self.eligible, "must be in (0, 1]")


@dataclass
class MonksSettings:
    """Table 1: the MONK nets pruned by all methods.

    Attributes:
        nets: nets a problem.
        block: nets a work unit.
        decay: weight decay; null takes the grid's choice, made on training data alone.
        alpha: constant of OBS; null likewise.
        stop: ``accuracy`` prunes while the training accuracy is the paper's or better,
            ``error`` while the training error is at or below ``error_level``.
        error_level: for ``stop=error``.
        prune_biases: whether biases may go.
        retrain_iterations: most Levenberg-Marquardt steps after a deletion, where retraining
            is on; it ends earlier where a step hardly lowers the objective.
        paths: nets whose every deletion is kept in the results, followed to the last weight.
        drawn: nets whose weights are kept in the results.
    """

    nets: int = plan_only(500)
    block: int = plan_only(50)
    decay: float | None = plan_only(None)
    alpha: float | None = plan_only(None)
    stop: str = "accuracy"
    error_level: float = 0.05
    prune_biases: bool = True
    retrain_iterations: int = 40
    paths: int = 100
    drawn: int = 50

    def __post_init__(self) -> None:
        for name in ("nets", "block", "retrain_iterations"):
            value = getattr(self, name)
            require(value >= 1, f"monks.{name}", value, "must be 1 or more")
        for name in ("paths", "drawn"):
            value = getattr(self, name)
            require(value >= 0, f"monks.{name}", value, "must be 0 or more")
        require(
            self.stop in ("accuracy", "error"), "monks.stop", self.stop, "must be accuracy or error"
        )
        require(self.error_level > 0, "monks.error_level", self.error_level, "must be above 0")
        if self.decay is not None:
            require(self.decay >= 0, "monks.decay", self.decay, "must be 0 or more, or null")
        if self.alpha is not None:
            require(self.alpha > 0, "monks.alpha", self.alpha, "must be above 0, or null")


@dataclass
class InequalitySettings:
    """E(mag) >= E(OBD) >= E(OBS) at the first deletion.

    Attributes:
        alpha: constant of OBS, the middle of the paper's range.
        block: nets a work unit.
    """

    alpha: float = 1e-6
    block: int = plan_only(250)

    def __post_init__(self) -> None:
        require(self.alpha > 0, "inequality.alpha", self.alpha, "must be above 0")
        require(self.block >= 1, "inequality.block", self.block, "must be 1 or more")


@dataclass
class RecursionSettings:
    """The cost of the rank-1 recursion, as floating-point operations counted.

    Attributes:
        weights: sizes n.
        samples: sizes P.
    """

    weights: list[int] = plan_only([32, 64, 128, 256, 512])
    samples: list[int] = plan_only([16, 32, 64])

    def __post_init__(self) -> None:
        for name in ("weights", "samples"):
            values = getattr(self, name)
            require(
                len(values) >= 2 and min(values) >= 1,
                f"recursion.{name}",
                values,
                "must be two or more sizes of 1 or more",
            )


@dataclass
class GaussianSettings:
    """The Gaussian task of NIPS 6.

    Attributes:
        nets: replicates, each with data and starting weights of its own.
        block: replicates a work unit.
        samples: cases of the training, the validation and the test set each.
        decay: weight decay of the training.
        alpha: the constant of OBS.
        training: how nets are trained.
        cross_entropy_rate: learning rate of back-propagation on the cross-entropy, whose
            gradient is several times as long.
        retrain_epochs: epochs of back-propagation after each deletion by OBD.
        retrain_rate: their learning rate, on the summed gradient.
        other_nets: replicates, from the first, of the settings that are compared.
        other_decays: weight decays compared with ``decay``.
        other_rates: rates compared with ``retrain_rate``.
        other_alphas: constants of OBS compared with ``alpha``.
    """

    nets: int = plan_only(100)
    block: int = plan_only(10)
    samples: int = 1000
    decay: float = plan_only(1e-6)
    alpha: float = 1e-6
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(
            rate=0.003, epochs=1000, iterations=50, newton_iterations=200
        )
    )
    cross_entropy_rate: float = 0.001
    retrain_epochs: int = 60
    retrain_rate: float = 0.001
    other_nets: int = plan_only(10)
    other_decays: list[float] = plan_only([0.0, 1e-5, 1e-4])
    other_rates: list[float] = plan_only([3e-3, 3e-4, 1e-4])
    other_alphas: list[float] = plan_only([1e-8, 1e-4])

    def __post_init__(self) -> None:
        self.training.check("gaussian.training")
        for name in ("nets", "block", "other_nets"):
            value = getattr(self, name)
            require(value >= 1, f"gaussian.{name}", value, "must be 1 or more")
        require(
            self.samples >= 4 and self.samples % 4 == 0,
            "gaussian.samples",
            self.samples,
            "must be a positive multiple of 4",
        )
        for decay in (self.decay, *self.other_decays):
            require(decay >= 0, "gaussian.decay", decay, "must be 0 or more")
        for name in ("alpha", "cross_entropy_rate", "retrain_rate"):
            value = getattr(self, name)
            require(value > 0, f"gaussian.{name}", value, "must be above 0")
        for name in ("other_rates", "other_alphas"):
            for value in getattr(self, name):
                require(value > 0, f"gaussian.{name}", value, "must be above 0")
        epochs = self.retrain_epochs
        require(epochs >= 0, "gaussian.retrain_epochs", epochs, "must be 0 or more")


@dataclass
class NettalkSettings:
    """NETtalk: training, and pruning in stages with retraining between them.

    Attributes:
        nets: nets.
        block: nets a work unit.
        hidden: hidden units between 203 inputs and 26 outputs.
        init: starting weights are U(-init, init).
        rate: learning rate on the mean gradient of a mini-batch, falling in a line to nought.
        momentum: of back-propagation.
        batch: letters of a mini-batch.
        epochs: passes through the training words.
        retrain_epochs: passes of the retraining at each target.
        targets: weights left at the end of each stage, where the net is retrained.
        floor: weights to which the first and the last stage go on without retraining, to see
            how far they could have gone; null ends them at their targets.
        step: a net is measured at every so many weights.
        every: deletions after which OBS computes its saliencies anew; null for once a stage.
        obd_every: the same for OBD, whose saliencies cost next to nothing.
        alpha: the constant of OBS.
        precision: of H^-1, float64 or float32.
        methods: those that prune.
    """

    nets: int = plan_only(8)
    block: int = plan_only(2)
    hidden: int = 24
    init: float = 0.3
    rate: float = 0.3
    momentum: float = 0.9
    batch: int = 8
    epochs: int = 60
    retrain_epochs: int = 30
    targets: list[int] = field(default_factory=lambda: [2438, 1560])
    floor: int | None = 600
    step: int = 200
    every: int | None = 1000
    obd_every: int = 25
    alpha: float = 1e-4
    precision: str = "float64"
    methods: list[str] = field(default_factory=lambda: ["magnitude", "obd", "obs"])

    def check(self, node: str) -> None:
        """Raises a ConfigError for a value out of range."""
        for name in ("nets", "block", "hidden", "batch", "epochs", "step", "obd_every"):
            value = getattr(self, name)
            require(value >= 1, f"{node}.{name}", value, "must be 1 or more")
        for name in ("init", "rate", "alpha"):
            value = getattr(self, name)
            require(value > 0, f"{node}.{name}", value, "must be above 0")
        require(0 <= self.momentum < 1, f"{node}.momentum", self.momentum, "must be in [0, 1)")
        passes = self.retrain_epochs
        require(passes >= 0, f"{node}.retrain_epochs", passes, "must be 0 or more")
        falling = sorted(set(self.targets), reverse=True)
        require(
            len(self.targets) > 0 and self.targets == falling and self.targets[-1] >= 1,
            f"{node}.targets",
            self.targets,
            "must be one or more falling counts of 1 or more",
        )
        weights = 203 * self.hidden + self.hidden + 26 * self.hidden + 26
        require(
            self.targets[0] < weights, f"{node}.targets", self.targets, f"must be below {weights}"
        )
        require(
            self.floor is None or 0 <= self.floor <= self.targets[-1],
            f"{node}.floor",
            self.floor,
            "must be at or below the last target, or null",
        )
        require(
            self.every is None or self.every >= 1,
            f"{node}.every",
            self.every,
            "must be 1 or more, or null",
        )
        require(
            self.precision in PRECISIONS,
            f"{node}.precision",
            self.precision,
            f"must be {' or '.join(PRECISIONS)}",
        )
        require(
            len(self.methods) > 0 and set(self.methods) <= set(NETTALK_METHODS),
            f"{node}.methods",
            self.methods,
            f"must be some of {', '.join(NETTALK_METHODS)}",
        )


@dataclass
class NettalkNetSettings(NettalkSettings):
    """The net of 24 hidden units and 5546 weights."""

    def __post_init__(self) -> None:
        self.check("nettalk")


@dataclass
class NettalkLargeSettings(NettalkSettings):
    """Sejnowski and Rosenberg's net of 80 hidden units, 18,426 weights."""

    nets: int = plan_only(2)
    block: int = plan_only(1)
    hidden: int = 80
    targets: list[int] = field(default_factory=lambda: [9000, 4500, 2438, 1560])
    floor: int | None = None
    every: int | None = None
    precision: str = "float32"
    methods: list[str] = field(default_factory=lambda: ["obs"])

    def __post_init__(self) -> None:
        self.check("nettalk_large")


@dataclass
class NettalkLooksSettings:
    """What alpha, precision and the number of looks at the net do to OBS on NETtalk.

    Attributes:
        nets: of the nets of ``nettalk``, from the first.
        alphas: constants compared, one look each, in float64 and float32.
        everies: deletions between two looks compared; 0 for a single look.
        until: weights left at the end, a quarter on the small net; nothing is retrained.
        small_nets: nets of ``small_hidden`` hidden units.
        small_hidden: hidden units of the net small enough for a look at each deletion.
        small_everies: deletions between two looks on it.
    """

    nets: int = plan_only(2)
    alphas: list[float] = plan_only([1e-8, 1e-6, 1e-4])
    everies: list[int] = plan_only([0, 1000, 500, 250])
    until: int = 1560
    small_nets: int = plan_only(2)
    small_hidden: int = 4
    small_everies: list[int] = plan_only([0, 100, 10, 1])

    def __post_init__(self) -> None:
        for name in ("nets", "until", "small_nets", "small_hidden"):
            value = getattr(self, name)
            require(value >= 1, f"nettalk_looks.{name}", value, "must be 1 or more")
        for alpha in self.alphas:
            require(alpha > 0, "nettalk_looks.alphas", alpha, "must be above 0")
        for name in ("everies", "small_everies"):
            for every in getattr(self, name):
                require(every >= 0, f"nettalk_looks.{name}", every, "must be 0 or more")


class ObsConfig(Protocol):
    """The part of the configuration that the experiments read."""

    data: DataConfig
    nettalk: NettalkNetSettings
    nettalk_large: NettalkLargeSettings
    nettalk_looks: NettalkLooksSettings

    xor: XorSettings
    monk_nets: MonkNetSettings
    monks_grid: MonksGridSettings
    monks: MonksSettings
    inequality: InequalitySettings
    recursion: RecursionSettings
    gaussian: GaussianSettings
