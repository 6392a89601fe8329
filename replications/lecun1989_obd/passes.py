"""The second derivatives cost about as much as the gradient (section 2.2): operations counted.

A count is the same on every machine; the times are measured by ``make bench``.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from oldschool.curvature.recursion import by_tensors
from oldschool.data.task import Task
from oldschool.nets.error import SQUARED
from oldschool.runs.experiment import Experiment, Frames, Unit
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .nets import small_net
from .settings import ObdConfig

_SAMPLES = 32


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    return [Unit("passes", {}, 0, 1)]


def run(config: ObdConfig, unit: Unit, seeds: Seeds) -> Frames:
    net = small_net(config.digits.unit)
    whole = digits(28, torch.float32).train
    task = Task(whole.x[:_SAMPLES], whole.t[:_SAMPLES])
    generators = seeds.generators("passes", unit.replicates, "weights")
    theta = net.uniform(generators, config.digits.init, torch.float32)

    def gradient() -> None:
        trace = net.forward(theta, task.x)
        net.pull_back(theta, trace, SQUARED.slope(trace.outputs, task.t))

    ways: dict[str, Callable[[], object]] = {
        "gradient": gradient,
        "full": lambda: by_tensors(net, theta, task),
        "lm": lambda: by_tensors(net, theta, task, levenberg_marquardt=True),
    }
    rows = []
    for name, way in ways.items():
        with FlopCounterMode(display=False) as counter:  # matrix products, which is nearly all
            way()
        rows.append({"pass": name, "operations": counter.get_total_flops() // _SAMPLES})
    return {"passes": pd.DataFrame(rows)}


PASSES = Experiment(
    name="passes",
    code_version=1,
    settings=("digits",),
    frames=("passes",),
    plan=plan,
    run=run,
    data=sources,
)
