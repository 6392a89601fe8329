"""The nets of the MONK's problems: architecture, targets, training, and the grid's choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from torch import Tensor

from oldschool.data.monks import monk
from oldschool.data.task import Task
from oldschool.errors import ConfigError
from oldschool.nets.mlp import Mlp
from oldschool.pruning.loop import Retrain
from oldschool.pruning.stop import KeepAccuracy, accuracy
from oldschool.runs.seeds import Seeds
from oldschool.training.momentum import backpropagation
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained
from oldschool.training.second_order import damped_newton, to_minimum

from .settings import PAPER_ALPHAS, MonkNetSettings, MonksGridSettings, ObsConfig

# Back-propagation's rate for tanh units, as a share of that for logistic ones: with slopes up to
# four times as steep and targets twice as far apart the full rate overshoots and does not settle.
TANH_RATE = 0.1
# Retraining of a net ends when a step lowers its objective by no more than this share.
LEAST_PROGRESS = 1e-5
# Table 1: the weights of the unpruned nets, asserted below against the architectures.
HIDDEN_UNITS = {"monk1": 3, "monk2": 2, "monk3": 2}
START_WEIGHTS = {"monk1": 58, "monk2": 39, "monk3": 39}
# The training accuracy that pruning has to keep: Table 1, as cases right of 124, 169, 122.
CASES_RIGHT = {"monk1": 124, "monk2": 169, "monk3": 114}


@dataclass(frozen=True)
class MonkNets:
    """One problem with the nets that learn it.

    Attributes:
        problem: ``monk1``, ``monk2`` or ``monk3``.
        unit: unit function of hidden and output units.
    """

    problem: str
    unit: str

    def __post_init__(self) -> None:
        if self.net.weights != START_WEIGHTS[self.problem]:
            raise AssertionError(
                f"{self.problem}: {self.net.weights} weights, "
                f"Table 1 has {START_WEIGHTS[self.problem]}"
            )

    @cached_property
    def net(self) -> Mlp:
        return Mlp((17, HIDDEN_UNITS[self.problem], 1), self.unit, self.unit)

    @property
    def middle(self) -> float:
        """The output above which a case counts as positive."""
        return 0.0 if self.unit == "tanh" else 0.5

    def _task(self, task: Task) -> Task:
        return Task(task.x, 2 * task.t - 1) if self.unit == "tanh" else task

    @cached_property
    def train(self) -> Task:
        return self._task(monk(self.problem).train)

    @cached_property
    def test(self) -> Task:
        return self._task(monk(self.problem).test)

    @property
    def stop(self) -> KeepAccuracy:
        """Prune while the training accuracy is the paper's or better."""
        return KeepAccuracy(CASES_RIGHT[self.problem] / len(self.train), self.middle)

    def train_accuracy(self, theta: Tensor) -> Tensor:
        """(R,), 0 to 1."""
        return accuracy(self.net.outputs(theta, self.train.x), self.train.t, self.middle)

    def test_accuracy(self, theta: Tensor) -> Tensor:
        """(R,), 0 to 1, over all 432 cases."""
        return accuracy(self.net.outputs(theta, self.test.x), self.test.t, self.middle)

    def trained(
        self,
        settings: MonkNetSettings,
        decay: float,
        replicates: range,
        seeds: Seeds,
        namespace: str,
    ) -> Trained:
        """Nets trained with weight decay; ``namespace`` keeps the grid's nets apart."""
        how = settings.training
        generators = seeds.generators(namespace, replicates, "weights", problem=self.problem)
        objective = Objective(self.net, self.train, decay)
        start = backpropagation(
            objective,
            self.net.uniform(generators, how.init),
            rate=how.rate * (TANH_RATE if self.unit == "tanh" else 1.0),
            momentum=how.momentum,
            epochs=how.epochs,
        )
        return to_minimum(
            objective,
            start.theta,
            iterations=how.iterations,
            newton_iterations=how.newton_iterations,
            gradient_tolerance=how.gradient_tolerance,
        )

    def retraining(self, settings: MonkNetSettings, decay: float, iterations: int) -> Retrain:
        """Levenberg-Marquardt steps on the weights left, with the decay of the training."""

        def retrain(theta: Tensor, kept: Tensor, _: Tensor) -> Tensor:
            return damped_newton(
                Objective(self.net, self.train, decay, kept),
                theta,
                iterations=iterations,
                gradient_tolerance=settings.training.gradient_tolerance,
                least_progress=LEAST_PROGRESS,
            ).theta

        return retrain


def data_hashes() -> dict[str, str]:
    """Hash of every problem's training and test set."""
    return {
        f"{problem}.{part}": getattr(monk(problem), part).sha256()
        for problem in HIDDEN_UNITS
        for part in ("train", "test")
    }


def eligible_decays(rows: pd.DataFrame, least: float) -> list[float]:
    """The decays with which at least that share of the nets were trained; else the best one's."""
    share = rows.groupby("decay").trained.mean()
    return [float(decay) for decay in share[share >= min(least, share.max())].index]


def choose(
    grid: pd.DataFrame, problem: str, unit: str, settings: MonksGridSettings
) -> tuple[float, float]:
    """Weight decay and alpha for a problem, from training data alone.

    The rule: among the decays with which at least ``eligible`` of the grid's
    nets reach the paper's training accuracy, and the alphas of the paper's range, the pair
    with which OBS without retraining leaves the fewest weights on average at that accuracy.
    Ties go to the larger decay, then to the larger alpha. Where no decay is eligible, that with
    most nets trained is.

    Args:
        grid: frame ``monks_grid``.
        problem: ``monk1``, ``monk2`` or ``monk3``.
        unit: unit function of the nets.
        settings: of the grid.

    Returns:
        (decay, alpha).
    """
    of_problem = (grid.problem == problem) & (grid.unit == unit) & (grid.method == "obs")
    rows = grid[of_problem & grid.alpha.isin(PAPER_ALPHAS)]
    if rows.empty:
        raise ConfigError(
            f"monks_grid: no row of {problem} with {unit} units and an alpha of the paper's range; "
            f"monks_grid.units must name {unit}, monks_grid.alphas one of {PAPER_ALPHAS}"
        )
    eligible = eligible_decays(rows, settings.eligible)
    means = (
        rows[rows.decay.isin(eligible) & rows.trained]
        .groupby(["decay", "alpha"])
        .weights_left.mean()
    )
    best = means[means == means.min()].index.max()
    return float(best[0]), float(best[1])


def decay_and_alpha(config: ObsConfig, grid: pd.DataFrame, problem: str) -> tuple[float, float]:
    """Weight decay and alpha that ``monks`` runs: those set, else those chosen on the grid."""
    decay, alpha = config.monks.decay, config.monks.alpha
    if decay is None or alpha is None:
        chosen = choose(grid, problem, config.monk_nets.unit, config.monks_grid)
        decay = chosen[0] if decay is None else decay
        alpha = chosen[1] if alpha is None else alpha
    return decay, alpha


def inputs_left(net: Mlp, kept: Tensor) -> Tensor:
    """Inputs with a connection left to a hidden unit that itself still reaches the output.

    Args:
        net: a net with one hidden layer.
        kept: (R, N) bool.

    Returns:
        (R,) int64.
    """
    first, second = net.layers
    into = kept[:, first.weights].view(-1, first.outputs, first.inputs)
    out = kept[:, second.weights].view(-1, second.outputs, second.inputs).any(dim=1)
    return (into & out[:, :, None]).any(dim=1).sum(dim=1)


def positives(nets: MonkNets, theta: Tensor) -> Tensor:
    """(R, 432) bool: the cases that each net calls positive."""
    return (nets.net.outputs(theta, nets.test.x) > nets.middle)[:, 0]
