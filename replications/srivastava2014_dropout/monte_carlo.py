"""Fig. 11: the mean of k thinned nets against weight scaling.

As in the authors' code the outputs of many thinned nets are stored, and k of them drawn, here
without replacement, again and again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters
from oldschool.dropout.noise import Noise, keep_probabilities
from oldschool.dropout.predict import thinned, wrong_outputs
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import Digits, digits, sources
from .settings import DropoutConfig, MonteCarloSettings
from .training import classifier, device_of, test_errors, train, way

_CASES = 1000  # whose masks are drawn at a time


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.monte_carlo
    return blocks("monte_carlo", {}, settings.nets, settings.block)


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, recipe = config.monte_carlo, config.recipe
    net, data = classifier(settings.sizes), digits(config, device_of(recipe))
    done = way(recipe, "dropout_max_norm", net.layers)
    trainer, _ = train(net, recipe, done, data, settings.updates, unit, seeds)
    scaled = test_errors(net, trainer.at_test(), data)
    rows: list[dict[str, Any]] = []
    for k, replicate in enumerate(unit.replicates):
        lead = {"replicate": replicate, "diverged": scaled["diverged"][k]}
        rows.append(
            {**lead, "k": 0, "repeats": 1, "test_error": scaled["test_error"][k]}
            | {"test_error_sd": float("nan")}
        )
        one = trainer.parameters.nets([k])
        seed = seeds.seed("dropout", replicate, "masks")
        outputs = stored(net, one, done.keep or (), data.test_x, settings.masks, seed)
        draws = np.random.default_rng(seeds.seed("dropout", replicate, "draws"))
        rows += [lead | row for row in averaged(outputs, data, settings, draws)]
    columns = ["replicate", "k", "repeats", "test_error", "test_error_sd", "diverged"]
    return {"monte_carlo": pd.DataFrame(rows)[columns]}


def stored(
    net: Architecture,
    parameters: Parameters,
    keep: tuple[float, ...],
    x: Tensor,
    masks: int,
    seed: int,
) -> Tensor:
    """Outputs of thinned nets, a mask a case, (masks, N, 10).

    Args:
        net: the architecture.
        parameters: one net as it was trained.
        keep: p that it was trained with.
        x: inputs (N, 784).
        masks: thinned nets.
        seed: of their masks.
    """
    cases = int(np.gcd(len(x), _CASES))
    noise = Noise(
        "bernoulli",
        keep_probabilities(keep, net.layers, 1),
        net.sizes[:-1],
        cases,
        [seed],
        device=x.device,
    )
    return torch.cat([thinned(net, parameters, x, noise) for _ in range(masks)])


def averaged(
    outputs: Tensor, data: Digits, settings: MonteCarloSettings, draws: np.random.Generator
) -> list[dict[str, Any]]:
    """Test errors of means of k of the outputs (masks, N, 10), over repeated draws."""
    rows: list[dict[str, Any]] = []
    for k in settings.k:
        found = []
        for _ in range(settings.repeats):
            chosen = torch.from_numpy(draws.permutation(len(outputs))[:k]).to(outputs.device)
            mean = outputs.index_select(0, chosen).mean(0)
            found.append(100 * int(wrong_outputs(mean, data.test_y)) / len(data.test_y))
        spread = float(np.std(found, ddof=1)) if len(found) > 1 else float("nan")
        rows.append(
            {
                "k": k,
                "repeats": settings.repeats,
                "test_error": float(np.mean(found)),
                "test_error_sd": spread,
            }
        )
    return rows


MONTE_CARLO = Experiment(
    name="monte_carlo",
    code_version=2,
    settings=("recipe", "monte_carlo"),
    frames=("monte_carlo",),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
