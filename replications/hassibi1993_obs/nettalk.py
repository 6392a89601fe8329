"""NETtalk: a net of thousands of weights pruned in stages, retrained between them.

Trained on the 1000 most common words, tested on all other words of the dictionary, as Sejnowski
and Rosenberg tested theirs. Magnitude pruning and OBD prune the same nets at the same counts,
with the same retraining.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import pandas as pd
import torch
from torch import Tensor

from oldschool import paths
from oldschool.curvature.sparse_inputs import ActivePairs, active_pairs, sparse_gauss_newton
from oldschool.data import nettalk as corpus
from oldschool.data.nettalk import Windows
from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp
from oldschool.pruning.large import (
    LargeMagnitude,
    LargeMethod,
    LargeOptimalBrainDamage,
    LargeOptimalBrainSurgeon,
    prune_large,
)
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained
from oldschool.training.stochastic import stochastic_backpropagation

from .settings import NettalkSettings, ObsConfig

INPUTS, OUTPUTS = corpus.WINDOW * corpus.LETTER_CODES, len(corpus.FEATURES) + len(corpus.STRESSES)


@dataclass(frozen=True)
class Speech:
    """The two lists of words as the net sees them.

    Attributes:
        train: the common words as a task, (P, 203) and (P, 26), float64.
        train_words: the same as letters, phonemes and stresses.
        test_words: all other words.
        pairs: which inputs are on together in the training set.
    """

    train: Task
    train_words: Windows
    test_words: Windows
    pairs: ActivePairs


@lru_cache
def speech(folder: str | None) -> Speech:
    """The data, read once a process."""
    words = corpus.nettalk(paths.data(folder))
    train = words.common.task()
    return Speech(train, words.common, words.rest, active_pairs(train.x))


def architecture(hidden: int) -> Mlp:
    return Mlp((INPUTS, hidden, OUTPUTS), "logistic", "logistic")


def train(
    net: Mlp, task: Task, settings: NettalkSettings, replicate: int, seeds: Seeds, name: str
) -> Trained:
    """One net from its start."""
    theta = net.uniform(seeds.generators(name, [replicate], "weights"), settings.init)
    return _backpropagation(
        Objective(net, task), theta, settings, settings.epochs, replicate, seeds, name, "order"
    )


def _backpropagation(
    objective: Objective,
    theta: Tensor,
    settings: NettalkSettings,
    epochs: int,
    replicate: int,
    seeds: Seeds,
    name: str,
    component: str,
) -> Trained:
    (generator,) = seeds.generators(name, [replicate], component)
    return stochastic_backpropagation(
        objective,
        theta,
        rate=settings.rate,
        momentum=settings.momentum,
        epochs=epochs,
        batch=settings.batch,
        generator=generator,
    )


def surgeon(data: Speech, alpha: float, precision: str) -> LargeOptimalBrainSurgeon:
    """OBS with the Hessian of one-hot inputs, H^-1 in ``precision``."""
    dtype = {"float64": torch.float64, "float32": torch.float32}[precision]

    def hessian(net: Mlp, theta: Tensor, x: Tensor, kept: Tensor) -> Tensor:
        return sparse_gauss_newton(net, theta, x, data.pairs, kept, dtype)

    return LargeOptimalBrainSurgeon(alpha, hessian)


def measures(net: Mlp, theta: Tensor, data: Speech) -> dict[str, float]:
    """Errors and best guesses on both lists of words; see :func:`evaluate`."""
    return {
        f"{part}_{name}": value
        for part, words in (("train", data.train_words), ("test", data.test_words))
        for name, value in evaluate(net, theta, words).items()
    }


def evaluate(net: Mlp, theta: Tensor, words: Windows) -> dict[str, float]:
    """Summed squared error, and the share of best guesses that are right, in per cent.

    The net's outputs are computed in float32, a tenth of the time, and summed in float64: for
    the 139,000 letters of the test words.
    """
    small = theta.to(torch.float32)[None]
    (first, bias), (second, top) = ((w[0], b[0]) for w, b in net.matrices(small))
    columns = words.letters + corpus.LETTER_CODES * torch.arange(corpus.WINDOW)
    hidden = torch.nn.functional.embedding_bag(columns, first.T.contiguous(), mode="sum")
    outputs = torch.sigmoid(torch.addmm(top, torch.sigmoid(hidden + bias), second.T)).T
    phoneme, stress = corpus.best_guess(outputs[None], words)
    sse = (outputs - words.targets(torch.float32).T).square().sum(dtype=torch.float64)
    return {"sse": float(sse), "phoneme": 100 * float(phoneme), "stress": 100 * float(stress)}


def counts(start: int, targets: list[int], step: int, floor: int) -> list[int]:
    """Weights left at which a net is measured: the targets and every ``step`` below ``start``."""
    grid = {count for count in range(floor, start, step)} | {floor}
    return sorted(grid | {target for target in targets if floor <= target < start}, reverse=True)


def plan(node: str, config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings: NettalkSettings = getattr(config, node)
    return blocks(node, {}, settings.nets, 1)


def run(node: str, config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings: NettalkSettings = getattr(config, node)
    data = speech(config.data.dir)
    net = architecture(settings.hidden)
    rows, weights = [], []
    for replicate in unit.replicates:
        start = train(net, data.train, settings, replicate, seeds, node)
        theta = start.theta[0]
        norm = float(start.gradient_norm[0])
        rows.append({"replicate": replicate, "method": "", "stage": 0, "moment": "trained",
                     "weights_left": net.weights, "looks": 0, "predicted": torch.nan,
                     "gradient_norm": norm, **measures(net, theta, data)})  # fmt: skip
        everything: dict[str, LargeMethod] = {
            "magnitude": LargeMagnitude(),
            "obd": LargeOptimalBrainDamage(levenberg_marquardt=True),
            "obs": surgeon(data, settings.alpha, settings.precision),
        }
        for name in settings.methods:
            road = Road(net, data, settings, everything[name], replicate, seeds, node)
            for row, kept in road.follow(theta):
                rows.append(row)
                if row["moment"] == "pruned" and row["weights_left"] in settings.targets:
                    weights += connections(net, kept, row)
    return {node: pd.DataFrame(rows), f"{node}_weights": pd.DataFrame(weights)}


@dataclass(frozen=True)
class Road:
    """One method's way from a trained net to its last target.

    Attributes:
        net: the architecture.
        data: the words.
        settings: stages, retraining, how often the method looks at the net again.
        method: prunes.
        replicate: id, for the order of patterns in retraining.
        seeds: of the run.
        name: the seeds' namespace.
    """

    net: Mlp
    data: Speech
    settings: NettalkSettings
    method: LargeMethod
    replicate: int
    seeds: Seeds
    name: str

    def follow(self, theta: Tensor) -> Iterator[tuple[dict[str, object], Tensor]]:
        """Prune from ``theta`` (N,) stage by stage; yields rows with the weights kept (N,).

        The first and the last stage go on beyond their targets to ``settings.floor``, without
        retraining.
        """
        settings = self.settings
        kept = torch.ones(self.net.weights, dtype=torch.bool)
        last = len(settings.targets)
        for stage, target in enumerate(settings.targets, start=1):
            beyond = settings.floor if stage in (1, last) else None
            floor = target if beyond is None else beyond
            wanted = counts(int(kept.sum()), settings.targets, settings.step, floor)
            predicted = 0.0
            at_target = (theta, kept)
            for step in prune_large(
                self.net, theta, kept, self.data.train, self.method, wanted, settings.every
            ):
                predicted += step.predicted
                if int(step.kept.sum()) == target:
                    at_target = (step.theta, step.kept)
                row = self._row(stage, "pruned", step.theta, step.kept)
                yield {**row, "looks": step.looks, "predicted": predicted}, step.kept
            theta, kept = at_target
            objective = Objective(self.net, self.data.train, mask=kept[None])
            theta = _backpropagation(
                objective,
                theta[None],
                settings,
                settings.retrain_epochs,
                self.replicate,
                self.seeds,
                self.name,
                f"order of stage {stage}",
            ).theta[0]
            yield self._row(stage, "retrained", theta, kept), kept

    def _row(self, stage: int, moment: str, theta: Tensor, kept: Tensor) -> dict[str, object]:
        return {
            "replicate": self.replicate,
            "method": self.method.name,
            "stage": stage,
            "moment": moment,
            "weights_left": int(kept.sum()),
            **measures(self.net, theta, self.data),
        }


def connections(net: Mlp, kept: Tensor, row: dict[str, object]) -> list[dict[str, object]]:
    """How many weights are left from each input code and to each output unit."""
    (below, hidden_bias), (above, bias) = ((w[0], b[0]) for w, b in net.matrices(kept[None]))
    head = {name: row[name] for name in ("replicate", "method", "stage", "weights_left")}
    letters = below.sum(0).view(corpus.WINDOW, corpus.LETTER_CODES)
    outputs = above.sum(1) + bias
    found = [
        {**head, "kind": "input", "position": position - corpus.WINDOW // 2, "code": code,
         "kept": int(letters[position, code]), "weights": len(below)}
        for position in range(corpus.WINDOW)
        for code in range(corpus.LETTER_CODES)
    ]  # fmt: skip
    found.append({**head, "kind": "hidden bias", "kept": int(hidden_bias.sum()),
                  "weights": len(below)})  # fmt: skip
    return found + [
        {**head, "kind": "output", "code": unit, "kept": int(outputs[unit]),
         "weights": above.shape[1] + 1}
        for unit in range(len(above))
    ]  # fmt: skip


def _experiment(node: str) -> Experiment:
    return Experiment(
        name=node,
        code_version=1,
        settings=(node,),
        frames=(node, f"{node}_weights"),
        plan=partial(plan, node),
        run=partial(run, node),
        data=lambda config: corpus.hashes(paths.data(config.data.dir)),
    )


NETTALK, NETTALK_LARGE = _experiment("nettalk"), _experiment("nettalk_large")
