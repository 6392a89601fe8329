"""A replication of nothing, to test the machinery with: fast, seeded, and failing on request."""

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from oldschool.compiled.library import library
from oldschool.errors import DataError, UnavailableError, require
from oldschool.runs.experiment import Experiment, Replication, blocks, plan_only

FOLDER = Path(__file__).parent


@dataclass
class Draw:
    """Settings of ``draw``.

    ``sleep`` is seconds a unit takes; ``fail``, ``nan`` and ``die`` are first replicates of the
    units that raise, give a missing value, or kill their process; ``compiled`` asks for compiled
    code.
    """

    scale: float = 1.0
    kind: str = "normal"
    levels: list[float] = field(default_factory=lambda: [0.0])
    replicates: int = plan_only(3)
    block: int = plan_only(3)
    conditions: list[str] = plan_only(["a", "b"])
    sleep: float = plan_only(0.0)
    fail: int | None = None
    nan: int | None = None
    die: int | None = None
    compiled: bool = plan_only(False)

    def __post_init__(self) -> None:
        require(self.scale > 0, "draw.scale", self.scale, "must be above 0")
        require(self.kind in ("normal", "uniform"), "draw.kind", self.kind, "normal or uniform")


@dataclass
class Fit:
    """Settings of ``fit``; ``torch`` draws with torch's generators."""

    shift: float = 0.0
    torch: bool = False


def plan_draw(config, frames):
    """Every condition in blocks."""
    return [
        unit
        for name in config.draw.conditions
        for unit in blocks("draw", {"name": name}, config.draw.replicates, config.draw.block)
    ]


def run_draw(config, unit, seeds):
    """A row a replicate, and a row a unit."""
    _log(unit)
    _await(os.environ.get("TOY_AWAIT"))
    time.sleep(config.draw.sleep)
    if config.draw.compiled:
        library("stack")
        library("stack", "REAL=double")
    if config.draw.fail == unit.start:
        raise FloatingPointError("asked to fail,\nat length")
    if config.draw.die == unit.start:
        os.kill(os.getpid(), signal.SIGKILL)
    name = unit.condition["name"]
    rows = []
    for replicate in unit.replicates:
        source = random.Random(seeds.seed("draw", replicate, "value"))
        value = config.draw.scale * source.gauss(0, 1) + sum(config.draw.levels)
        if config.draw.nan == unit.start:
            value = float("nan")
        rows.append({"name": name, "replicate": replicate, "value": value, "above": value > 0})
    draws = pd.DataFrame(rows)
    return {"draws": draws, "blocks": pd.DataFrame([{"name": name, "start": unit.start}])}


def plan_fit(config, frames):
    """A unit a condition drawn before, over the replicates that were drawn."""
    counts = frames["draws"].groupby("name", sort=False)["replicate"].count()
    return [
        unit
        for name, count in counts.items()
        for unit in blocks("fit", {"name": name}, int(count), int(count))
    ]


def run_fit(config, unit, seeds):
    """A seeded draw from torch a replicate."""
    _log(unit)
    if config.fit.torch:
        import torch

        generators = seeds.generators("fit", unit.replicates, "weight")
        values = [float(torch.randn((), generator=one)) for one in generators]
    else:
        values = [float(replicate) for replicate in unit.replicates]
    fits = pd.DataFrame({"replicate": list(unit.replicates), "value": values})
    fits.insert(0, "name", unit.condition["name"])
    fits["value"] += config.fit.shift
    return {"fits": fits}


def _log(unit) -> None:
    """Tell the tests that a unit is being run."""
    if log := os.environ.get("TOY_LOG"):
        with Path(log).open("a") as stream:
            stream.write(unit.label() + "\n")


def _await(label) -> None:
    """Wait until another unit is begun, by whatever process."""
    end = time.monotonic() + 30
    while label is not None and label not in Path(os.environ["TOY_LOG"]).read_text().splitlines():
        if time.monotonic() > end:
            raise TimeoutError(f"{label} was not begun")
        time.sleep(0.02)


def data_draw(config):
    """Stands for a data set whose hash the tests change, or that they take away or damage."""
    found = os.environ.get("TOY_DATA", "0" * 64)
    if found == "missing":
        raise UnavailableError("numbers cannot be had", " (not in /here): get them")
    if found == "damaged":
        raise DataError("numbers is damaged")
    return {"numbers": found}


REPLICATION = Replication(
    name="toy",
    title="A toy",
    citation="Nobody, 2000",
    folder=FOLDER,
    schema={"draw": Draw, "fit": Fit},
    experiments=[
        Experiment(
            "draw",
            int(os.environ.get("TOY_VERSION", "1")),
            ["draw"],
            ["draws", "blocks"],
            plan_draw,
            run_draw,
            data=data_draw,
        ),
        Experiment("fit", 1, ["fit"], ["fits"], plan_fit, run_fit, needs=["draw"]),
    ],
)
