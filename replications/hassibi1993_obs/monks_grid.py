"""Weight decay times alpha on the MONK's problems: the sensitivity table, and the choice.

Nets of its own (another seed namespace) are trained at every decay and pruned by OBS without
retraining at every alpha; ``monks`` then takes the pair chosen by ``monk_nets.choose``. That
choice is made for OBS, so magnitude and OBD are run at every decay, too: what each reaches at
the decay that suits it best stands in the notes of the comparing claims.
"""

from __future__ import annotations

import math

import pandas as pd

from oldschool.pruning.choice import Method
from oldschool.pruning.loop import Retrain, prune
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .monk_nets import HIDDEN_UNITS, MonkNets, data_hashes
from .settings import ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.monks_grid
    return [
        unit
        for transfer in settings.units
        for problem in HIDDEN_UNITS
        for decay in settings.decays
        for unit in blocks(
            "monks_grid",
            {"unit": transfer, "problem": problem, "decay": decay},
            settings.nets,
            settings.block,
        )
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.monks_grid
    how = config.monk_nets
    problem, decay = str(unit.condition["problem"]), float(unit.condition["decay"])
    nets = MonkNets(problem, str(unit.condition["unit"]))
    start = nets.trained(how, decay, unit.replicates, seeds, "monks_grid")
    good = nets.stop.accepts(nets.net.outputs(start.theta, nets.train.x), nets.train)
    trained = good & ~start.diverged

    def row_for(method: Method, alpha: float, retrain: Retrain | None, count: int) -> pd.DataFrame:
        theta = start.theta[:count]
        pruned = prune(nets.net, theta, nets.train, method, nets.stop, retrain=retrain)
        return pd.DataFrame(
            {
                "unit": nets.unit,
                "problem": problem,
                "decay": decay,
                "method": method.name,
                "retrained": retrain is not None,
                "alpha": alpha,
                "replicate": list(unit.replicates)[:count],
                "trained": trained[:count],
                "at_minimum": start.gradient_norm[:count] <= how.training.gradient_tolerance,
                "start_train_accuracy": nets.train_accuracy(theta),
                "start_test_accuracy": nets.test_accuracy(theta),
                "weights_left": pruned.weights_left,
                "train_accuracy": nets.train_accuracy(pruned.theta),
                "test_accuracy": nets.test_accuracy(pruned.theta),
                "reason": pruned.reason,
            }
        )

    everyone = len(unit.replicates)
    frames = [
        row_for(OptimalBrainSurgeon(alpha), alpha, None, everyone) for alpha in settings.alphas
    ]
    if nets.unit == how.unit:
        rivals: list[Method] = [Magnitude(), OptimalBrainDamage()]
        few = max(0, min(settings.retrained_nets - unit.start, everyone))
        for rival in rivals:
            frames.append(row_for(rival, math.nan, None, everyone))
            if few:
                retrain = nets.retraining(how, decay, settings.retrain_iterations)
                frames.append(row_for(rival, math.nan, retrain, few))
    return {"monks_grid": pd.concat(frames, ignore_index=True)}


MONKS_GRID = Experiment(
    name="monks_grid",
    code_version=1,
    settings=("monk_nets", "monks_grid"),
    frames=("monks_grid",),
    plan=plan,
    run=run,
    data=lambda config: data_hashes(),
    # Without decay, or with tanh units, some nets run off into saturation: rounding decides where.
    rows_apart=0.25,
)
