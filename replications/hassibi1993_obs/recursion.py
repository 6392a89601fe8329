"""The recursion for H^-1 costs O(P n^2) (section 3): its operations counted, not timed.

A count is the same on every machine; the time is measured by ``make bench``.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from oldschool.curvature.inverse import recursive_inverse
from oldschool.runs.experiment import Experiment, Frames, Unit
from oldschool.runs.seeds import Seeds

from .settings import ObsConfig


def _one_an_element(*args: Any, out_shape: Any, **kwargs: Any) -> int:
    return int(math.prod(out_shape))


def _two_a_product(shape: Any, *args: Any, **kwargs: Any) -> int:
    return int(2 * math.prod(shape))


def operations(weights: int, samples: int, seed: int) -> int:
    """Floating-point operations of the reference recursion for n weights and P samples."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(weights, 1, samples, generator=generator, dtype=torch.float64)
    aten = torch.ops.aten
    counted: dict[Any, Any] = {aten.mv: _two_a_product, aten.dot: _two_a_product}
    counted |= {op: _one_an_element for op in (aten.mul, aten.div, aten.sub, aten.add)}
    with FlopCounterMode(display=False, custom_mapping=counted) as counter:
        recursive_inverse(x, alpha=1e-6)
    return int(counter.get_total_flops())


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.recursion
    return [
        Unit("recursion", {"weights": weights, "samples": samples}, 0, 1)
        for weights in settings.weights
        for samples in settings.samples
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    weights, samples = int(unit.condition["weights"]), int(unit.condition["samples"])
    seed = seeds.seed("recursion", 0, "gradients", weights=weights, samples=samples)
    count = operations(weights, samples, seed)
    return {
        "recursion": pd.DataFrame([{"weights": weights, "samples": samples, "operations": count}])
    }


RECURSION = Experiment(
    name="recursion",
    code_version=1,
    settings=("recursion",),
    frames=("recursion",),
    plan=plan,
    run=run,
)
