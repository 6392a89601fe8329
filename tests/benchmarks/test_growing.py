"""Cascade-Correlation: a trial in a batch against a trial alone. CPU time, one thread."""

import time

import torch

from oldschool.data.spirals import two_spirals
from oldschool.data.task import Task
from oldschool.growing.batched import grow
from oldschool.growing.reference import grow_reference
from oldschool.growing.settings import SPIRALS
from tests.benchmarks import plain_cascade
from tests.problems import generator

SPIRAL = two_spirals()
SINGLE = Task(SPIRAL.x.float(), SPIRAL.t.float())
WHAT = "a trial on the two spirals, {} as one batch, {}, CPU time"


def cpu_seconds(function) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def batch_of(count: int, task: Task) -> float:
    """CPU seconds a trial."""
    streams = [generator(seed) for seed in range(count)]
    return cpu_seconds(lambda: grow(task, SPIRALS, streams)) / count


def alone(count: int, trial) -> float:
    """CPU seconds a trial, one after the other."""
    return cpu_seconds(lambda: [trial(generator(seed)) for seed in range(count)]) / count


def test_thousand_trials(benchmark, keep_ratio):
    batch_of(100, SINGLE)
    taken = benchmark.pedantic(batch_of, args=(1000, SINGLE), rounds=1)
    taken = min(taken, batch_of(1000, SINGLE))
    what = WHAT.format(1000, "float32")
    keep_ratio(what, "the 6 ms aimed at", taken, 6e-3, "1")
    one = alone(20, lambda stream: grow(SINGLE, SPIRALS, [stream]))
    keep_ratio(what, "the same code, one trial at a time", taken, one, "15")
    loop = alone(20, lambda stream: plain_cascade.grow(SINGLE.x, SINGLE.t, SPIRALS, stream))
    keep_ratio(what, "the straightforward loop: one trial, ordinary tensors", taken, loop, "15")


def test_double_precision(benchmark, keep_ratio):
    taken = benchmark.pedantic(batch_of, args=(1000, SPIRAL), rounds=1)
    reference = alone(3, lambda stream: grow_reference(SPIRAL, SPIRALS, stream))
    keep_ratio(WHAT.format(1000, "float64"), "the reference to read, numpy", taken, reference)


def test_the_straightforward_loop_learns_the_spirals():
    torch.set_num_threads(1)
    hidden = [plain_cascade.grow(SPIRAL.x, SPIRAL.t, SPIRALS, generator(seed)) for seed in range(3)]
    assert all(10 <= units <= 22 for units in hidden)
