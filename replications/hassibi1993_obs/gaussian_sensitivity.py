"""How training, retraining and alpha bear on the numbers of the Gaussian task.

The first replicates of ``gaussian``, with the same data and starting weights, one thing changed
at a time: other weight decays; nets trained by back-propagation alone, which stops short of a
minimum; OBD retrained at other learning rates; OBS with other alphas.
"""

from __future__ import annotations

from dataclasses import replace

from oldschool.runs.experiment import Experiment, Frames, Scalar, Unit, blocks
from oldschool.runs.seeds import Seeds

from .gaussian import both, draw, ends, start_weights, train
from .gaussian_paths import summary
from .settings import ObsConfig

# The columns that say which way it was; a manifest does not keep the order of a condition.
WAY = ("decay", "minimum", "retrain_rate", "alpha")


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.gaussian
    main: dict[str, Scalar] = {
        "decay": settings.decay,
        "minimum": True,
        "retrain_rate": settings.retrain_rate,
        "alpha": settings.alpha,
    }
    ways = [main]
    ways += [{**main, "decay": decay} for decay in settings.other_decays]
    ways += [{**main, "minimum": False}]
    ways += [{**main, "retrain_rate": rate} for rate in settings.other_rates]
    ways += [{**main, "alpha": alpha} for alpha in settings.other_alphas]
    return [
        unit
        for way in ways
        for unit in blocks("gaussian_sensitivity", way, settings.other_nets, settings.block)
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    way = unit.condition
    settings = replace(
        config.gaussian, retrain_rate=float(way["retrain_rate"]), alpha=float(way["alpha"])
    )
    decay = float(way["decay"])
    samples = draw(unit.replicates, settings.samples, seeds)
    start = start_weights(settings, unit.replicates, seeds)
    nets = train(settings, samples, start, decay, minimum=bool(way["minimum"]))
    rows = both(settings, samples, nets, unit.replicates, decay)
    found = summary(rows, ends(nets, unit.replicates))
    return {"gaussian_sensitivity": found.assign(**way)[[*WAY, *found.columns]]}


GAUSSIAN_SENSITIVITY = Experiment(
    name="gaussian_sensitivity",
    code_version=1,
    settings=("gaussian",),
    frames=("gaussian_sensitivity",),
    plan=plan,
    run=run,
    # Without decay weights run off to infinity: rounding decides how far they get.
    rows_apart=0.5,
)
