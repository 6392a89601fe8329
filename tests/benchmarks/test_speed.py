"""Speed as ratios measured in one run; ``make bench`` runs these and keeps them in the report."""

import os

import torch

from oldschool.curvature.diagonal import backpropagated_diagonal
from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.curvature.hessian import autodiff_hessian, hessian
from oldschool.curvature.inverse import damped_inverse, recursive_inverse
from oldschool.data.monks import monk
from oldschool.nets.mlp import Mlp
from oldschool.pruning.loop import prune
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import KeepAccuracy
from oldschool.training.momentum import backpropagation
from oldschool.training.objective import Objective
from oldschool.training.second_order import to_minimum
from tests.benchmarks import plain
from tests.benchmarks.conftest import seconds_of
from tests.problems import generator

NET = Mlp((17, 3, 1), "logistic", "logistic")
DECAY, ALPHA, EPOCHS, TOLERANCE = 3e-4, 1e-4, 400, 1e-8
NETS, BLOCK = 1000, 250
CORES = os.cpu_count() or 1


def starts(count: int) -> torch.Tensor:
    return NET.uniform([generator(seed) for seed in range(count)], 1.0)


def train_and_prune(theta: torch.Tensor) -> torch.Tensor:
    task = monk("monk1").train
    objective = Objective(NET, task, DECAY)
    start = backpropagation(objective, theta, rate=0.1, momentum=0.9, epochs=EPOCHS)
    trained = to_minimum(
        objective,
        start.theta,
        iterations=20,
        newton_iterations=100,
        gradient_tolerance=TOLERANCE,
    )
    method = OptimalBrainSurgeon(ALPHA)
    return prune(NET, trained.theta, task, method, KeepAccuracy(1.0)).weights_left


def train_and_prune_all(theta: torch.Tensor) -> None:
    for block in theta.split(BLOCK):  # blocks stay in the cache
        train_and_prune(block)


def test_a_thousand_nets_as_one_batch(benchmark, keep_ratio):
    """The batch on all cores, each loop on one thread: more only slow a single small net."""
    theta = starts(NETS)
    torch.set_num_threads(CORES)
    train_and_prune(theta[:BLOCK])
    benchmark.pedantic(train_and_prune_all, args=(theta,), rounds=3)
    batch = benchmark.stats.stats.min
    torch.set_num_threads(1)
    what = f"{NETS} MONK-1 nets trained and pruned by OBS as one batch, {CORES} threads"
    few = theta[:20]
    alone = seconds_of(lambda: [train_and_prune(one[None]) for one in few], 1) / len(few)
    keep_ratio(
        what,
        "the same code, one net at a time",
        batch,
        alone * NETS,
        "50",
    )
    task = monk("monk1").train
    few = theta[:5]

    def straightforward():
        for one in few:
            w = plain.train(NET, one, task, DECAY, EPOCHS, TOLERANCE)
            plain.prune(NET, w, task, ALPHA)

    loop = seconds_of(straightforward, 1) / len(few)
    keep_ratio(
        what,
        "the straightforward loop: torch modules, autograd, the paper's recursion",
        batch,
        loop * NETS,
        "50",
    )


def test_inverse_against_the_recursion(benchmark, keep_ratio):
    x = output_gradients(NET, starts(100), monk("monk1").train.x)
    benchmark(lambda: damped_inverse(gauss_newton(x), 1e-6))
    one = seconds_of(lambda: recursive_inverse(x[0], 1e-6))
    keep_ratio(
        "H and its inverse for 100 MONK-1 nets (n = 58, P = 124)",
        "the paper's rank-1 recursion, net by net",
        benchmark.stats.stats.min,
        100 * one,
    )


def test_gauss_newton_against_the_machines_peak(benchmark, keep_ratio):
    x = output_gradients(NET, starts(100), monk("monk1").train.x)
    benchmark(lambda: gauss_newton(x))
    nets, weights, _, samples = x.shape
    operations = 2.0 * nets * weights**2 * samples
    square = torch.randn(1000, 1000, dtype=torch.float64)
    peak = 2e9 / seconds_of(lambda: square @ square)
    keep_ratio(
        "H for 100 MONK-1 nets",
        "as many operations at the machine's peak (1000 x 1000 matrix product); "
        "ratio 1 is the peak",
        benchmark.stats.stats.min,
        operations / peak,
    )


def test_hessian_against_torch_func(benchmark, keep_ratio):
    theta, task = starts(100), monk("monk1").train
    benchmark(lambda: hessian(NET, theta, task))
    keep_ratio(
        "exact Hessian of 100 MONK-1 nets in closed form",
        "torch.func: vmap of hessian",
        benchmark.stats.stats.min,
        seconds_of(lambda: autodiff_hessian(NET, theta, task)),
    )


def test_diagonal_against_the_hessian(benchmark, keep_ratio):
    theta, task = starts(100), monk("monk1").train
    benchmark(lambda: backpropagated_diagonal(NET, theta, task))
    keep_ratio(
        "OBD diagonal of 100 MONK-1 nets by back-propagation",
        "the diagonal of the closed-form Hessian",
        benchmark.stats.stats.min,
        seconds_of(lambda: hessian(NET, theta, task).diagonal(dim1=1, dim2=2)),
    )
