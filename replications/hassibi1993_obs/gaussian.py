"""The Gaussian task of NIPS 6: OBS against OBD with retraining, and the cross-entropy.

Every replicate draws its own data and starting weights. From these come three nets: one at a
minimum of the squared error, one stopped at its least validation error on the way there, and one
at a minimum of the cross-entropy. All are pruned to the last weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from oldschool.data.gaussian import INPUTS, gaussian
from oldschool.data.task import Task
from oldschool.nets.error import CROSS_ENTROPY, SQUARED, Error
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Method
from oldschool.pruning.loop import Pruned, Retrain, prune
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import KeepError, accuracy
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.momentum import backpropagation, early_stopping
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained
from oldschool.training.second_order import to_minimum

from .settings import GaussianSettings, ObsConfig

NET = Mlp((INPUTS, 9, 1), "logistic", "logistic")
TO_THE_END = KeepError(torch.inf)
COLUMNS = (
    "replicate", "net", "method", "deletions", "predicted", "train_error", "test_error",
    "test_wrong", "fresh_error",
)  # fmt: skip


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.gaussian
    return blocks("gaussian", {"decay": settings.decay}, settings.nets, settings.block)


@dataclass(frozen=True)
class Samples:
    """The data of a block of replicates, a sample each.

    Attributes:
        train: the nets are trained and pruned on it, x (R, P, 5), t (R, P, 1).
        validation: tells the early-stopped nets when.
        test: for measuring only.
        fresh: for measuring the nets that the test set singles out.
    """

    train: Task
    validation: Task
    test: Task
    fresh: Task

    def subset(self, index: Tensor) -> Samples:
        sets = (self.train, self.validation, self.test, self.fresh)
        return Samples(*(task.subset(index) for task in sets))


def draw(replicates: range, count: int, seeds: Seeds) -> Samples:
    """The data of each replicate, ``count`` cases a set."""

    def part(name: str) -> Task:
        generators = seeds.generators("gaussian", replicates, name)
        tasks = [gaussian(generator, count) for generator in generators]
        # In memory with the cases last, as products with the nets' activities want them.
        x = torch.stack([task.x.T for task in tasks]).mT
        return Task(x, torch.stack([task.t for task in tasks]))

    return Samples(*(part(name) for name in ("train", "validation", "test", "fresh")))


def to_the_minimum(settings: GaussianSettings, objective: Objective, trained: Trained) -> Trained:
    """Second-order steps from where back-propagation ended."""
    how = settings.training
    return to_minimum(
        objective,
        trained.theta,
        iterations=how.iterations,
        newton_iterations=how.newton_iterations,
        gradient_tolerance=how.gradient_tolerance,
    )


def train(
    settings: GaussianSettings,
    samples: Samples,
    start: Tensor,
    decay: float,
    minimum: bool = True,
) -> dict[str, Trained]:
    """Nets of the squared error: ``trained``, at a minimum, and ``early``.

    Args:
        settings: of the experiment.
        samples: of R replicates.
        start: starting weights (R, 64).
        decay: weight decay.
        minimum: go on to a minimum; else ``trained`` is where back-propagation ends.
    """
    how = settings.training
    objective = Objective(NET, samples.train, decay)
    last, early = early_stopping(
        objective,
        start,
        samples.validation,
        rate=how.rate,
        momentum=how.momentum,
        epochs=how.epochs,
    )
    trained = to_the_minimum(settings, objective, last) if minimum else last
    return {"trained": trained, "early": early}


def train_on_cross_entropy(
    settings: GaussianSettings, samples: Samples, start: Tensor, decay: float
) -> Trained:
    """Nets at a minimum of the cross-entropy; arguments as for :func:`train`."""
    how = settings.training
    objective = Objective(NET, samples.train, decay, error=CROSS_ENTROPY)
    last = backpropagation(
        objective,
        start,
        rate=settings.cross_entropy_rate,
        momentum=how.momentum,
        epochs=how.epochs,
    )
    return to_the_minimum(settings, objective, last)


def start_weights(settings: GaussianSettings, replicates: range, seeds: Seeds) -> Tensor:
    generators = seeds.generators("gaussian", replicates, "weights")
    return NET.uniform(generators, settings.training.init)


def retraining(settings: GaussianSettings, train: Task, decay: float) -> Retrain:
    """Back-propagation on the weights left, for the epochs of the paper."""

    def retrain(theta: Tensor, kept: Tensor, nets: Tensor) -> Tensor:
        return backpropagation(
            Objective(NET, train.subset(nets), decay, kept),
            theta,
            rate=settings.retrain_rate,
            momentum=settings.training.momentum,
            epochs=settings.retrain_epochs,
        ).theta

    return retrain


def follow(
    theta: Tensor,
    samples: Samples,
    method: Method,
    error: Error = SQUARED,
    retrain: Retrain | None = None,
) -> pd.DataFrame:
    """Prunes nets to the last weight: a row a net, by its place in the batch, and deletion.

    Args:
        theta: weights (R, 64).
        samples: of these R nets.
        method: what prunes.
        error: what is measured.
        retrain: called after each deletion.
    """

    def measure(theta: Tensor, nets: Tensor) -> dict[str, Tensor]:
        test, fresh = samples.test.subset(nets), samples.fresh.subset(nets)
        outputs = NET.outputs(theta, test.x)
        return {
            "test_error": error.value(outputs, test.t),
            "test_wrong": 1 - accuracy(outputs, test.t, 0.5),
            "fresh_error": error.value(NET.outputs(theta, fresh.x), fresh.t),
        }

    pruned = prune(
        NET,
        theta,
        samples.train,
        method,
        TO_THE_END,
        retrain=retrain,
        measure=measure,
        to_the_end=True,
        error=error,
    )
    everyone = torch.arange(len(theta))
    before = {
        "place": everyone,
        "deletions": torch.zeros_like(everyone),
        "predicted": torch.full((len(theta),), torch.nan, dtype=theta.dtype),
        "train_error": Objective(NET, samples.train, error=error).data_term(theta),
        **measure(theta, everyone),
    }
    return pd.DataFrame(_joined(before, pruned))


def _joined(before: dict[str, Tensor], pruned: Pruned) -> dict[str, Tensor]:
    steps = [before]
    for count, deletion in enumerate(pruned.path, start=1):
        steps.append(
            {
                "place": deletion.net,
                "deletions": torch.full_like(deletion.net, count),
                "predicted": deletion.predicted,
                "train_error": deletion.after,
                **deletion.measures,
            }
        )
    return {name: torch.cat([step[name] for step in steps]) for name in before}


def both(
    settings: GaussianSettings,
    samples: Samples,
    nets: dict[str, Trained],
    replicates: range,
    decay: float,
) -> pd.DataFrame:
    """Nets of the squared error pruned by OBS, and by OBD with retraining: rows of ``COLUMNS``.

    Args:
        settings: of the experiment.
        samples: of R replicates.
        nets: name -> R nets; all of one replicate share its data, and prune in one batch.
        replicates: their ids.
        decay: weight decay of the retraining.
    """
    theta = torch.cat([trained.theta for trained in nets.values()])
    places = torch.arange(len(replicates)).repeat(len(nets))
    shared = samples.subset(places)
    labels = pd.DataFrame(
        {
            "replicate": list(replicates) * len(nets),
            "net": [name for name in nets for _ in replicates],
        }
    )
    surgeon, damage = OptimalBrainSurgeon(settings.alpha), OptimalBrainDamage()
    retrain = retraining(settings, shared.train, decay)
    paths = [
        follow(theta, shared, surgeon).assign(method="obs"),
        follow(theta, shared, damage, retrain=retrain).assign(method="obd"),
    ]
    return named(pd.concat(paths, ignore_index=True), labels)


def named(paths: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Rows of :func:`follow` with the labels of each place in the batch, in report order."""
    rows = paths.join(labels, on="place")
    order = ["net", "method", "replicate", "deletions"]
    return rows.sort_values(order, ascending=[False, False, True, True], kind="stable")[
        list(COLUMNS)
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.gaussian
    decay = float(unit.condition["decay"])
    replicates = unit.replicates
    samples = draw(replicates, settings.samples, seeds)
    start = start_weights(settings, replicates, seeds)
    nets = train(settings, samples, start, decay)
    entropic = train_on_cross_entropy(settings, samples, start, decay)
    labels = pd.DataFrame({"replicate": list(replicates), "net": "cross-entropy"})
    surgeons = {
        "obs": OptimalBrainSurgeon(settings.alpha, error=CROSS_ENTROPY),
        "obs_plain": OptimalBrainSurgeon(settings.alpha),
    }
    entropic_paths = [
        follow(entropic.theta, samples, surgeon, CROSS_ENTROPY).assign(method=method)
        for method, surgeon in surgeons.items()
    ]
    paths = [
        both(settings, samples, nets, replicates, decay),
        named(pd.concat(entropic_paths, ignore_index=True), labels),
    ]
    return {
        "gaussian": pd.concat(paths, ignore_index=True).assign(decay=decay),
        "gaussian_nets": ends({**nets, "cross-entropy": entropic}, replicates),
    }


def ends(nets: dict[str, Trained], replicates: range) -> pd.DataFrame:
    """A row a net: how its training ended."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "replicate": list(replicates),
                    "net": name,
                    "iterations": trained.iterations,
                    "gradient_norm": trained.gradient_norm,
                    "largest_weight": trained.theta.abs().amax(dim=1),
                }
            )
            for name, trained in nets.items()
        ],
        ignore_index=True,
    )


GAUSSIAN = Experiment(
    name="gaussian",
    code_version=1,
    settings=("gaussian",),
    frames=("gaussian", "gaussian_nets"),
    plan=plan,
    run=run,
    # Rounding decides in which iteration the training of some nets stops.
    rows_apart=0.2,
)
