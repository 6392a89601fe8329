"""What the report leaves open: one parameter of ``spirals`` changed at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from oldschool.data.task import Task
from oldschool.growing.batched import grow
from oldschool.growing.settings import GENERAL, CascadeSettings
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from . import trials
from .settings import PRECISIONS, CascorConfig
from .spirals import TASK


@dataclass(frozen=True)
class Variation:
    """A way to run the trials.

    Attributes:
        change: the settings from those of ``spirals``.
        scale: targets, and with them the threshold, are those of ``spirals`` times this.
        precision: of the trials; None for that of ``spirals``.
    """

    change: Callable[[CascadeSettings], CascadeSettings]
    scale: float = 1.0
    precision: str | None = None


_TANH = {"hidden_unit": "tanh", "output_unit": "tanh"}


def _with(**values: object) -> Callable[[CascadeSettings], CascadeSettings]:
    return lambda settings: replace(settings, **values)  # type: ignore[arg-type]


def _limits(epochs: int) -> Callable[[CascadeSettings], CascadeSettings]:
    return lambda settings: replace(
        settings,
        output=replace(settings.output, epochs=epochs),
        candidate=replace(settings.candidate, epochs=epochs),
    )


def _candidate_rate(epsilon: float) -> Callable[[CascadeSettings], CascadeSettings]:
    return lambda settings: replace(
        settings, candidate=replace(settings.candidate, epsilon=epsilon)
    )


def _general(settings: CascadeSettings) -> CascadeSettings:
    return replace(settings, output=GENERAL.output, candidate=GENERAL.candidate)


def _correlation(epsilon: float) -> Callable[[CascadeSettings], CascadeSettings]:
    return lambda settings: replace(_candidate_rate(epsilon)(settings), score="correlation")


def _in_units_of_tanh(settings: CascadeSettings) -> CascadeSettings:
    """tanh(a) = 2 sigmoid(2a): weights half as large, slopes four times, errors twice.

    Weights from hidden units, whose values double too, would need other rates than those from
    inputs; there is one rate for both, which is made to suit the inputs.
    """
    return replace(
        settings,
        hidden_unit="tanh",
        output_unit="tanh",
        output=replace(settings.output, epsilon=settings.output.epsilon / 16),
        candidate=replace(settings.candidate, epsilon=settings.candidate.epsilon / 4),
        threshold=2 * settings.threshold,
        slope_offset=4 * settings.slope_offset,
        weight_range=settings.weight_range / 2,
        weight_multiplier=settings.weight_multiplier / 4,
    )


# The primary setting comes first; the pools and the correlation are claims of the paper.
VARIATIONS: dict[str, Variation] = {
    "primary": Variation(_with()),
    "threshold .35 (C program)": Variation(_with(threshold=0.35)),
    "threshold .3": Variation(_with(threshold=0.3)),
    "threshold .2": Variation(_with(threshold=0.2)),
    "weights from +-.5": Variation(_with(weight_range=0.5)),
    "weights from +-2": Variation(_with(weight_range=2.0)),
    "new output weight 0": Variation(_with(weight_multiplier=0.0)),
    "general defaults": Variation(_general),
    "candidate rate 10": Variation(_candidate_rate(10.0)),
    "no slope offset": Variation(_with(slope_offset=0.0)),
    "limits of 50 epochs": Variation(_limits(50)),
    "limits of 200 epochs": Variation(_limits(200)),
    "pool of 1": Variation(_with(pool=1)),
    "pool of 2": Variation(_with(pool=2)),
    "pool of 4": Variation(_with(pool=4)),
    "pool of 16": Variation(_with(pool=16)),
    "pool of 32": Variation(_with(pool=32)),
    "correlation": Variation(_with(score="correlation")),
    "correlation, candidate rate 10": Variation(_correlation(10.0)),
    "correlation, candidate rate 1000": Variation(_correlation(1000.0)),
    "tanh, +-1, threshold .8": Variation(_with(**_TANH, threshold=0.8), scale=2.0),
    "tanh, +-1, threshold .4": Variation(_with(**_TANH, threshold=0.4), scale=2.0),
    "tanh, +-1, rescaled": Variation(_in_units_of_tanh, scale=2.0),
    "double precision": Variation(_with(), precision="float64"),
    "single precision": Variation(_with(), precision="float32"),
}


def plan(config: CascorConfig, earlier: Frames) -> list[Unit]:
    settings, primary = config.sensitivity, config.spirals.precision
    return [
        unit
        for name, variation in VARIATIONS.items()
        if name != "primary" and variation.precision != primary
        for unit in blocks("sensitivity", {"variation": name}, settings.trials, settings.block)
    ]


def run(config: CascorConfig, unit: Unit, seeds: Seeds) -> Frames:
    name = str(unit.condition["variation"])
    variation, spirals = VARIATIONS[name], config.spirals
    settings = variation.change(spirals.cascade.settings())
    task = trials.cast(
        Task(TASK.x, variation.scale * TASK.t), PRECISIONS[variation.precision or spirals.precision]
    )
    found = grow(task, settings, seeds.generators("spirals", unit.replicates, "weights"))
    rows = trials.rows(found, unit.replicates)
    return {"sensitivity": rows.assign(variation=name, pool=settings.pool)}


SENSITIVITY = Experiment(
    name="sensitivity",
    code_version=1,
    settings=("spirals", "sensitivity"),
    frames=("sensitivity",),
    plan=plan,
    run=run,
    data=lambda config: {"two_spirals": TASK.sha256()},
    resampled=True,  # rounding parts two runs of a trial sooner or later
)
