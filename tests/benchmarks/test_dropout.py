"""Training with dropout: an update against its matrix products, without dropout, and a module."""

import os
from collections.abc import Callable

import pytest
import torch

from oldschool.dropout.network import Architecture, fan_in_sds
from oldschool.dropout.schedules import Constant
from oldschool.dropout.settings import Settings
from oldschool.dropout.train import Trainer
from tests.benchmarks import plain_dropout
from tests.benchmarks.conftest import least_seconds
from tests.problems import generator

LARGE, SMALL = (784, 1024, 1024, 2048, 10), (784, 256, 256, 10)
CASES, BATCH, NETS, ROUNDS = 6000, 100, 8, 60
FREE, BOUND = 1e3, 0.5  # max-norms above and below the norm of every unit
PRODUCTS_BAR, DROPOUT_BAR = f"{1 / 1.35:.4f}", f"{1 / 1.15:.4f}"
CORES = os.cpu_count() or 1
PLACES = [  # devices, and threads of the CPU
    *(("cpu", threads) for threads in sorted({1, CORES})),
    pytest.param(
        "cuda", 1, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
    ),
]


def name(sizes: tuple[int, ...]) -> str:
    return "-".join(map(str, sizes))


def data(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(0)
    x = torch.rand(CASES, LARGE[0], generator=random)
    return x.to(device), torch.randint(10, (CASES,), generator=random).to(device)


def updates(
    sizes: tuple[int, ...],
    device: str,
    nets: int = 1,
    noise: str = "",
    max_norm: float | None = None,
) -> Callable[[], None]:
    """An update of all nets a call."""
    net = Architecture(sizes)
    start = net.gaussian([generator(seed) for seed in range(nets)], fan_in_sds(sizes)).to(device)
    keep = [0.8, *[0.5] * (net.layers - 1)] if noise else None
    kind = noise or "bernoulli"
    settings = Settings(Constant(1e-4), Constant(0.9), keep, kind, max_norm, batch=BATCH)
    return Trainer(net, start, *data(device), settings, range(nets)).update


def finished(way: Callable[[], None], device: str) -> Callable[[], None]:
    """The call with all that it leaves the GPU to do."""
    if device == "cpu":
        return way

    def call() -> None:
        way()
        torch.cuda.synchronize()

    return call


def where(device: str, threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}" if device == "cpu" else device


@pytest.mark.parametrize(("device", "threads"), PLACES)
@pytest.mark.parametrize("sizes", [LARGE, SMALL], ids=name)
def test_an_update(benchmark, keep_ratio, sizes, device, threads):
    torch.set_num_threads(threads)
    dropped = (0.2, *[0.5] * (len(sizes) - 2))
    module = plain_dropout.module(sizes, dropped).to(device)
    ways = {
        "products": plain_dropout.bare_products(sizes, BATCH, device),
        "plain": updates(sizes, device),
        "dropout": updates(sizes, device, noise="bernoulli", max_norm=FREE),
        "bound": updates(sizes, device, noise="bernoulli", max_norm=BOUND),
        "gaussian": updates(sizes, device, noise="gaussian", max_norm=BOUND),
        "module": plain_dropout.updates(module, *data(device), BATCH, BOUND),
    }
    ways = {key: finished(way, device) for key, way in ways.items()}
    benchmark.pedantic(ways["bound"], rounds=1)
    seconds = least_seconds(ways, ROUNDS)
    what = f"an update of a {name(sizes)} net, {BATCH} cases, {where(device, threads)}, {{}}"
    bars = (PRODUCTS_BAR, DROPOUT_BAR) if sizes == LARGE and device == "cpu" else ("", "")
    for key, said in (
        ("plain", "no dropout, no max-norm"),
        ("dropout", "dropout, max-norm that no unit reaches"),
        ("bound", "dropout, max-norm that every unit reaches"),
        ("gaussian", "Gaussian dropout, max-norm that every unit reaches"),
    ):
        against = "its matrix products alone"
        keep_ratio(what.format(said), against, seconds[key], seconds["products"], bars[0])
        if key != "plain":
            against = "the same without dropout and max-norm"
            keep_ratio(what.format(said), against, seconds[key], seconds["plain"], bars[1])
    against = "a torch module, autograd, SGD, renorm"
    keep_ratio(what.format("dropout, max-norm"), against, seconds["bound"], seconds["module"])


@pytest.mark.parametrize(("device", "threads"), PLACES)
def test_small_nets_as_one_batch(benchmark, keep_ratio, device, threads):
    torch.set_num_threads(threads)
    kinds = {"noise": "bernoulli", "max_norm": BOUND}
    singles = [updates(SMALL, device, **kinds) for _ in range(NETS)]
    ways = {
        "batch": finished(updates(SMALL, device, NETS, **kinds), device),
        "singles": finished(lambda: [one() for one in singles], device),
    }
    benchmark.pedantic(ways["batch"], rounds=1)
    seconds = least_seconds(ways, ROUNDS)
    what = f"an update of {NETS} nets {name(SMALL)} as one batch, {where(device, threads)}"
    keep_ratio(what, "one net after the other", seconds["batch"], seconds["singles"])
