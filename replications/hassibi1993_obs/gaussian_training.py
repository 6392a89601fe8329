"""How training bears on the numbers of the Gaussian task: the sensitivity table.

The first replicates of ``gaussian``, with the same data and starting weights: trained with other
weight decays; by back-propagation alone, which stops short of a minimum; retrained, by OBD, at
other learning rates.
"""

from __future__ import annotations

from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .gaussian import both, draw, ends, start_weights, train
from .gaussian_paths import summary
from .settings import ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.gaussian
    decay, rate = settings.decay, settings.training.rate
    ways = [(other, True, rate) for other in settings.other_decays]
    ways += [(decay, False, rate)]
    ways += [(decay, True, other) for other in settings.other_rates]
    return [
        unit
        for decay, minimum, retrain_rate in ways
        for unit in blocks(
            "gaussian_training",
            {"decay": decay, "minimum": minimum, "retrain_rate": retrain_rate},
            settings.other_nets,
            settings.block,
        )
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, way = config.gaussian, unit.condition
    decay, rate = float(way["decay"]), float(way["retrain_rate"])
    samples = draw(unit.replicates, settings.samples, seeds)
    start = start_weights(settings, unit.replicates, seeds)
    nets = train(settings, samples, start, decay, minimum=bool(way["minimum"]))
    rows = both(settings, samples, nets, unit.replicates, decay=decay, rate=rate)
    found = summary(rows, ends(nets, unit.replicates))
    return {"gaussian_training": found.assign(**way)[[*way, *found.columns]]}


GAUSSIAN_TRAINING = Experiment(
    name="gaussian_training",
    code_version=1,
    settings=("gaussian",),
    frames=("gaussian_training",),
    plan=plan,
    run=run,
    # Without decay weights run off to infinity: rounding decides how far they get.
    rows_apart=0.5,
)
