"""What one form of H^-1 costs for n weights: run as a program, so that its memory is its own.

    python -m tests.benchmarks.cost FORM N ROWS THREADS

Gradients are random numbers. Times are for ROWS of them; what does not grow with the rows, the
Cholesky factor and its inverse, is told apart so that other numbers of rows follow.
"""

import json
import resource
import sys
import time
from itertools import islice

import torch

from oldschool.curvature import symmetric
from oldschool.curvature.downdate import ShrinkingInverse
from oldschool.curvature.inverse import blocked_inverse, direct_inverse, gram

BLOCK, ALPHA = 256, 1e-4
SMALL = 6000  # weights of which a time is taken more than once


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def least(n: int, function) -> float:
    """The least of a few times where they are short, as for the peak that they are held against."""
    return min(seconds(function) for _ in range(3 if n < SMALL else 1))


def blocks(n: int, rows: int) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(n)
    sizes = [BLOCK] * (rows // BLOCK) or [rows]
    return [torch.randn(size, n, generator=random, dtype=torch.float64) for size in sizes]


def peak(size: int = 3000) -> float:
    """Operations a second of a square matrix product: the better of torch's and scipy's BLAS."""
    from scipy.linalg.blas import dgemm

    a = torch.randn(size, size, dtype=torch.float64)
    columns = a.numpy().T
    ways = (lambda: a @ a, lambda: dgemm(1.0, columns, columns))
    return 2.0 * size**3 / min(seconds(way) for way in ways for _ in range(4))


def rank_1(n: int, rows: int) -> dict[str, float]:
    """The paper's recursion in one matrix's memory; each of its steps costs the same."""
    inverse = torch.eye(n, dtype=torch.float64) / ALPHA
    x = blocks(n, rows)[0]

    def steps(some: torch.Tensor) -> None:
        for one in some:
            hx = inverse.mv(one)
            inverse.addr_(hx, hx, alpha=-1.0 / float(rows + one.dot(hx)))

    steps(x[:1])  # starts the threads
    return {"seconds_a_row": least(n, lambda: steps(x[1:])) / (len(x) - 1), "seconds_once": 0.0}


def blocked(n: int, rows: int) -> dict[str, float]:
    data = blocks(n, rows)
    taken = least(n, lambda: blocked_inverse(data, n, rows, ALPHA, torch.float64))
    # H^-1 X by symm and the update by syrk: 2 n^2 and n^2 operations a gradient; X^T H^-1 X and
    # the triangular solution: 2 n b and n b.
    operations = 3.0 * n * (n + BLOCK) * rows
    return {"seconds_a_row": taken / rows, "seconds_once": 0.0, "operations": operations}


def direct(n: int, rows: int) -> dict[str, float]:
    data = blocks(n, rows)
    hessian = torch.zeros(n, n, dtype=torch.float64)
    for block in data[:1]:
        symmetric.add_outer(hessian, block, 1.0 / rows)  # touches the memory
    whole = hessian.clone() if n < SMALL else hessian
    summed = least(n, lambda: gram(data, n, rows))
    once = least(n, lambda: direct_inverse(hessian.copy_(whole), ALPHA))
    # n^2 operations a gradient by syrk, n^3 for the Cholesky factor and its inverse
    return {
        "seconds_a_row": summed / rows,
        "seconds_once": once,
        "operations": 1.0 * n * n * rows + 1.0 * n**3,
    }


def deletions(n: int, count: int) -> dict[str, float]:
    """Lazily blocked downdates against rank-1 ones, a deletion each; only these at their best."""
    inverse = direct_inverse(gram(blocks(n, BLOCK), n, BLOCK), ALPHA)
    some = inverse.clone()
    few, weights = 20, iter(range(n))

    def rank_1() -> None:
        for index in islice(weights, few):
            column = some[:, index].clone()
            some.addr_(column, column, alpha=-1.0 / float(column[index]))

    one = least(n, rank_1) / few
    lazy = ShrinkingInverse(inverse)

    def delete() -> None:
        for weight in range(count):
            lazy.delete(weight, lazy.column(weight))
        lazy.apply()

    return {"seconds_a_row": seconds(delete) / count, "rank_1": one}


def pruning(hidden: int, _: int) -> dict[str, float]:
    """All deletions of NETtalk's two nets down to 1560 weights, as the replication makes them."""
    from oldschool.pruning.large import prune_large
    from oldschool.runs.seeds import Seeds
    from replications.hassibi1993_obs import nettalk
    from replications.hassibi1993_obs.settings import NettalkLargeSettings, NettalkNetSettings

    settings = NettalkNetSettings() if hidden == 24 else NettalkLargeSettings()
    data, net = nettalk.speech(None), nettalk.architecture(hidden)
    settings.epochs = 2  # how well it was trained does not change what a deletion costs
    theta = nettalk.train(net, data.train, settings, [0], Seeds(0), "benchmark").theta[0]
    method = nettalk.surgeon(data, settings.alpha, settings.precision)

    def stages() -> None:
        weights, kept = theta, torch.ones(net.weights, dtype=torch.bool)
        for target in settings.targets:
            (step,) = prune_large(net, weights, kept, data.train, method, [target], settings.every)
            weights, kept = step.theta, step.kept

    return {"seconds": seconds(stages)}


FORMS = {
    "rank-1": rank_1, "blocked": blocked, "direct": direct, "deletions": deletions,
    "pruning": pruning,
}  # fmt: skip


def main(form: str, n: int, rows: int, threads: int) -> None:
    torch.set_num_threads(threads)
    before = peak()
    found = FORMS[form](n, rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory *= 1 if sys.platform == "darwin" else 1024  # kilobytes but on macOS
    print(json.dumps(found | {"peak": max(before, peak()), "bytes": memory}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
