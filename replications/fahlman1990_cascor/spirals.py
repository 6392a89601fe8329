"""The two spirals: trials with the parameters that the authors' Lisp program advises."""

from __future__ import annotations

from oldschool.data.spirals import two_spirals
from oldschool.growing.batched import grow
from oldschool.growing.outcome import Grown
from oldschool.growing.settings import CascadeSettings
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from . import trials
from .settings import PRECISIONS, CascorConfig

TASK = two_spirals()


def plan(config: CascorConfig, earlier: Frames) -> list[Unit]:
    return blocks("spirals", {}, config.spirals.trials, config.spirals.block)


def grown(settings: CascadeSettings, precision: str, replicates: range, seeds: Seeds) -> Grown:
    """Trials of the experiments on the spirals, which have their starts in common."""
    task = trials.cast(TASK, PRECISIONS[precision])
    return grow(task, settings, seeds.generators("spirals", replicates, "weights"))


def run(config: CascorConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.spirals
    found = grown(settings.cascade.settings(), settings.precision, unit.replicates, seeds)
    phases = trials.phases(found, unit.replicates)
    return {
        "spirals": trials.rows(found, unit.replicates),
        "spirals_phases": phases[phases.replicate < settings.paths],
    }


SPIRALS = Experiment(
    name="spirals",
    code_version=1,
    settings=("spirals",),
    frames=("spirals", "spirals_phases"),
    plan=plan,
    run=run,
    data=lambda config: {"two_spirals": TASK.sha256()},
    resampled=True,  # rounding parts two runs of a trial sooner or later
)
