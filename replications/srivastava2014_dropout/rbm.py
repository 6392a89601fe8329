"""Figs 12 and 13: restricted Boltzmann machines trained by CD-1, with dropout and without.

Activations are P(h = 1) of the test digits with all units kept.
"""

from __future__ import annotations

import pandas as pd
from torch import Tensor

from oldschool.dropout.contrastive_divergence import train_rbm
from oldschool.dropout.rbm import Rbm, gaussian_rbm
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .measures import drawn_weights, histogram, neighbour_correlation
from .settings import DropoutConfig
from .training import INPUTS, device_of

WAYS = ("none", "dropout")
_DEAD = 0.01  # standard deviation of P(h = 1) over digits below which a unit does nothing
_NEAR = 0.1


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    settings = config.rbm
    return [
        unit
        for name in WAYS
        for unit in blocks("rbm", {"way": name}, settings.nets, settings.block)
    ]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, name = config.rbm, str(unit.condition["way"])
    data = digits(config, device_of(config.recipe))
    start = gaussian_rbm(
        seeds.generators("dropout", unit.replicates, "weights", rbm=settings.units),
        INPUTS,
        settings.units,
        device=data.train_x.device,
    )
    keep = settings.keep if name == "dropout" else 1.0
    machines = train_rbm(
        start,
        data.train_x[: settings.digits],
        p=keep,
        rate=settings.rate,
        momentum=settings.momentum,
        epochs=settings.epochs,
        batch=settings.batch,
        generators=seeds.generators("dropout", unit.replicates, "contrastive divergence"),
    )
    rows, drawn, bins = [], [], []
    for k, replicate in enumerate(unit.replicates):
        one = Rbm(*(part[k : k + 1] for part in _parts(machines)))
        means = one.hidden_means(data.test_x)[0]
        live = means.std(0) >= _DEAD
        w = one.weights[0]
        seen = one.visible_means(one.test_means(data.test_x, keep))[0]
        rows.append(
            {
                "way": name,
                "replicate": replicate,
                "dead": 100 * float((~live).double().mean()),
                "neighbour_correlation": float(neighbour_correlation(w[live], data.varying).mean()),
                "near_zero": 100 * float((means < _NEAR).double().mean()),
                "mean_activation": float(means.mean()),
                "reconstruction_mse": float((seen - data.test_x).square().mean()),
                "diverged": not all(bool(part.isfinite().all()) for part in _parts(one)),
            }
        )
        drawn.append(
            drawn_weights(w, live.nonzero()[:, 0], settings.drawn, {"way": name})
            if replicate == 0
            else drawn_weights(w, live.nonzero()[:0, 0], 0, {"way": name})
        )
        shares = histogram(means, 1.0)
        shares.insert(0, "way", name)
        bins.append(shares if replicate == 0 else shares[:0])
    return {
        "rbm": pd.DataFrame(rows),
        "rbm_weights": pd.concat(drawn, ignore_index=True),
        "rbm_activations": pd.concat(bins, ignore_index=True),
    }


def _parts(machines: Rbm) -> tuple[Tensor, Tensor, Tensor]:
    return machines.weights, machines.visible_bias, machines.hidden_bias


RBM = Experiment(
    name="rbm",
    code_version=1,
    settings=("recipe", "rbm"),
    frames=("rbm", "rbm_weights", "rbm_activations"),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two trainings in single precision
)
