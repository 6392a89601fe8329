"""Pruning in rounds: every method against plain sorts and loops, and what it is made from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from oldschool.curvature.blocks import gradient_blocks
from oldschool.curvature.product import gauss_newton_product
from oldschool.curvature.recursion import field_saliency, recursive_diagonal
from oldschool.curvature.stack_gradients import output_gradient_rows
from oldschool.data.task import Task
from oldschool.nets.planes import Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack
from oldschool.pruning.large import (
    LargeOptimalBrainDamage,
    LargeOptimalBrainSurgeon,
    prune_large,
)
from oldschool.pruning.rounds import (
    LeastFirst,
    Surgery,
    magnitude,
    obd_lm_saliency,
    obd_saliency,
    random_score,
)
from tests.problems import generator

NET = Stack(
    (
        Convolution(Planes(1, 4, 4), 2, 3),
        Convolution(Planes(2, 2, 2), 2, 2, 1, 1, -1.0, ((0,), (0, 1))),
        Dense(Planes(2, 3, 3), 2),
    ),
    names=("H1", "H2", "output"),
)
AVERAGED = Stack(
    (
        Convolution(Planes(2, 5, 4), 2, 3, padding=1, border=-1.0, table=((0,), (1,))),
        Convolution(Planes(2, 5, 4), 2, 2, shared_bias=False),
        Subsampling(Planes(2, 4, 3), 1),
        Dense(Planes(2, 4, 3), 3),
    ),
    ("tanh", "lecun_tanh", "linear", "logistic"),
)
NETS = {"table": NET, "groups and averages": AVERAGED}
each_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)
N = NET.weights


def weights_for(net: Stack, nets: int = 3) -> Tensor:
    return net.uniform([generator(seed) for seed in range(nets)], 3.0)


def task_for(net: Stack, samples: int = 12) -> Task:
    draw = generator(9)
    x = torch.randn(samples, net.inputs.units, generator=draw, dtype=torch.float64)
    return Task(x, torch.rand(samples, net.outputs_count, generator=draw, dtype=torch.float64))


THETA, TASK = weights_for(NET), task_for(NET)
ALL = torch.ones(3, N, dtype=torch.bool)


def some_deleted(each: int = 9) -> tuple[Tensor, Tensor]:
    """Nets that have lost as many weights each, other ones."""
    draw = torch.stack([torch.randperm(N, generator=generator(seed)) for seed in range(3)])
    kept = draw >= each
    return THETA * kept, kept


def given(score: Tensor) -> LeastFirst:
    return LeastFirst("given", lambda net, theta, task: score)


SCORES = {"magnitude": magnitude, "obd": obd_saliency, "obd_lm": obd_lm_saliency}


@pytest.mark.parametrize("name", SCORES)
def test_the_least_go_first_as_in_a_plain_sort(name):
    score, counts = SCORES[name](NET, THETA, TASK), [40, 20, 7, 0]
    steps = LeastFirst(name, SCORES[name]).prune(NET, THETA, ALL, TASK, counts)
    for net in range(3):
        values = score[net].tolist()
        order = sorted(range(N), key=lambda k: values[k])
        for count, at in zip(counts, steps, strict=True):
            gone = order[: N - count]
            assert (~at.kept[net]).nonzero()[:, 0].tolist() == sorted(gone)
            assert at.theta[net].tolist() == [
                0.0 if k in gone else w for k, w in enumerate(THETA[net].tolist())
            ]
            assert at.predicted[net] == pytest.approx(sum(values[k] for k in gone), rel=1e-12)


def test_what_is_deleted_already_stays_and_counts_go_on_from_there():
    theta, kept = some_deleted()
    before = theta.clone(), kept.clone()
    score = torch.rand(3, N, generator=generator(1), dtype=torch.float64)
    score[~kept] = -1.0  # were they in the order, they would come first
    steps = given(score).prune(NET, theta, kept, TASK, [N - 9, 30, 5])
    assert theta.equal(before[0])
    assert kept.equal(before[1])
    assert steps[0].kept.equal(kept)
    assert steps[0].predicted.tolist() == [0.0] * 3
    for count, at in zip((30, 5), steps[1:], strict=True):
        assert at.kept.sum(1).tolist() == [count] * 3
        assert not bool((at.kept & ~kept).any())
        gone = kept & ~at.kept
        torch.testing.assert_close(at.predicted, (score * gone).sum(1))
        assert float((score * gone).max()) <= float(score[at.kept].max())
        for net in range(3):
            assert score[net][gone[net]].max() <= score[net][at.kept[net]].min()
    assert not bool((steps[2].kept & ~steps[1].kept).any())


def test_a_round_of_a_round_is_one_round():
    score = torch.rand(3, N, generator=generator(1), dtype=torch.float64)
    _, whole = given(score).prune(NET, THETA, ALL, TASK, [30, 12])
    (first,) = given(score).prune(NET, THETA, ALL, TASK, [30])
    (second,) = given(score).prune(NET, first.theta, first.kept, TASK, [12])
    assert second.kept.equal(whole.kept)
    torch.testing.assert_close(first.predicted + second.predicted, whole.predicted)


def test_of_equal_scores_the_first_goes():
    (at,) = given(torch.zeros(3, N)).prune(NET, THETA, ALL, TASK, [N - 4])
    assert (~at.kept).nonzero().tolist() == [[net, k] for net in range(3) for k in range(4)]


def test_a_method_that_foresees_nothing_says_so():
    method = LeastFirst("magnitude", magnitude, foresees=False)
    for at in method.prune(NET, THETA, ALL, TASK, [N, 20]):
        assert bool(at.predicted.isnan().all())


def test_a_random_order_is_that_of_each_nets_generator():
    def kept(seeds: list[int], rows: slice = slice(0, 3)) -> Tensor:
        method = LeastFirst("random", random_score([generator(seed) for seed in seeds]))
        return method.prune(NET, THETA[rows], ALL[rows], TASK, [20])[0].kept

    together = kept([1, 2, 3])
    assert together.equal(kept([1, 2, 3]))
    assert together[1:2].equal(kept([2], slice(0, 1)))
    assert (together[0] != kept([4, 2, 3])[0]).any()
    assert together[1:].equal(kept([4, 2, 3])[1:])
    score = random_score([generator(1)])
    assert not score(NET, THETA[:1], TASK).equal(score(NET, THETA[:1], TASK))  # drawn anew


@pytest.mark.parametrize("counts", [[20, 30], [30, 30], [N + 1], [-1]])
@pytest.mark.parametrize(
    "method", [given(torch.zeros(3, N)), Surgery(LargeOptimalBrainSurgeon(1e-4), 5)]
)
def test_counts_must_fall(method, counts):
    with pytest.raises(ValueError, match=f"counts must fall from at most {N}"):
        method.prune(NET, THETA, ALL, TASK, counts)


METHODS = [
    LeastFirst("obd", obd_saliency),
    LeastFirst("magnitude", magnitude, foresees=False),
    Surgery(LargeOptimalBrainSurgeon(1e-4), 8),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_net_that_diverged_loses_as_many_and_leaves_the_others_alone(method, value):
    theta, kept = THETA.clone(), ALL
    theta[0] = value
    alone, others = THETA[1:], ALL[1:]
    for count in (40, 25, 10):
        (at,) = method.prune(NET, theta, kept, TASK, [count])
        (well,) = method.prune(NET, alone, others, TASK, [count])
        assert at.kept.sum(1).tolist() == [count] * 3
        assert not bool((at.kept & ~kept).any())
        assert not math.isfinite(float(at.predicted[0]))
        assert not bool(at.theta[0].isfinite().all())
        assert at.kept[1:].equal(well.kept)
        torch.testing.assert_close(at.theta[1:], well.theta)
        torch.testing.assert_close(at.predicted[1:], well.predicted, equal_nan=True)
        theta, kept, alone, others = at.theta, at.kept, well.theta, well.kept


# ---- scores ----


def test_scores_are_the_papers():
    assert magnitude(NET, THETA, TASK).equal(THETA.abs())
    for score, short in ((obd_saliency, False), (obd_lm_saliency, True)):
        form = recursive_diagonal(NET, THETA, TASK, levenberg_marquardt=short)
        torch.testing.assert_close(score(NET, THETA, TASK), form.diagonal * THETA**2 / 2)
    assert bool((obd_lm_saliency(NET, THETA, TASK) >= 0).all())
    assert bool((obd_saliency(NET, THETA, TASK) < 0).any())


# ---- Optimal Brain Surgeon ----


@pytest.mark.parametrize(("short", "score"), [(False, obd_saliency), (True, obd_lm_saliency)])
def test_one_large_net_goes_the_way_of_a_batch(short, score):
    net, theta, task = NET, weights_for(NET), task_for(NET)
    kept = torch.ones_like(theta, dtype=torch.bool)
    counts = [net.weights - 5, net.weights - 20]
    method = LargeOptimalBrainDamage(levenberg_marquardt=short)
    steps = list(prune_large(net, theta[0], kept[0], task, method, counts))
    batch = LeastFirst("obd", score).prune(net, theta, kept, task, counts)
    for step, at in zip(steps, batch, strict=True):
        assert torch.equal(step.kept, at.kept[0])
        assert torch.equal(step.theta, at.theta[0])
    total = sum(step.predicted for step in steps)
    assert total == pytest.approx(float(batch[-1].predicted[0]), rel=1e-12)


def jacobian(net: Stack, theta: Tensor, x: Tensor) -> Tensor:
    """(P, K, N) by torch.func."""
    outputs = torch.func.jacrev(lambda w: net.outputs(w[None], x)[0], chunk_size=1)
    found: Tensor = outputs(theta)
    return found.transpose(0, 1)


def surgery(
    theta: Tensor, kept: Tensor, x: Tensor, alpha: float, count: int
) -> tuple[NDArray[np.float64], list[bool], float]:
    """Hassibi & Stork's eq. 5 with H fixed, its inverse over what is left anew for each weight."""
    rows = jacobian(NET, theta, x).numpy().reshape(-1, N)
    hessian = rows.T @ rows / len(x) + alpha * np.eye(N)
    w, left, rise = theta.numpy().copy(), kept.nonzero()[:, 0].tolist(), 0.0
    while len(left) > count:
        inverse = np.linalg.inv(hessian[np.ix_(left, left)])
        costs = [w[k] ** 2 / (2 * inverse[i, i]) for i, k in enumerate(left)]
        q = int(np.argmin(costs))
        rise += costs[q]
        w[left] -= w[left[q]] / inverse[q, q] * inverse[:, q]
        w[left[q]] = 0.0
        del left[q]
    return w, [k in left for k in range(N)], rise


@pytest.mark.parametrize("samples", [12, 7])
@pytest.mark.parametrize("start", [0, 9])
def test_surgery_is_that_of_plain_loops_over_exact_inverses(start, samples):
    theta, kept = some_deleted(start)
    method = Surgery(LargeOptimalBrainSurgeon(1e-3, buffer=4), samples)
    counts = [N - 15, 30, 6]
    steps = method.prune(NET, theta, kept, TASK, counts)
    assert method.name == "obs"
    for count, at in zip(counts, steps, strict=True):
        for net in range(3):
            w, left, rise = surgery(theta[net], kept[net], TASK.x[:samples], 1e-3, count)
            assert at.kept[net].tolist() == left
            np.testing.assert_allclose(at.theta[net].numpy(), w, rtol=1e-7, atol=1e-10)
            assert float(at.predicted[net]) == pytest.approx(rise, rel=1e-8)


def test_surgery_hands_back_the_precision_it_was_given():
    single = Task(TASK.x.float(), TASK.t.float())
    method = Surgery(LargeOptimalBrainSurgeon(1e-3), 12)
    (at,) = method.prune(NET, THETA.float(), ALL, single, [30])
    (double,) = method.prune(NET, THETA, ALL, TASK, [30])
    assert (at.theta.dtype, at.predicted.dtype) == (torch.float32, torch.float64)
    assert at.kept.equal(double.kept)
    torch.testing.assert_close(at.theta, double.theta.float(), rtol=1e-3, atol=1e-4)
    assert bool((at.theta[~at.kept] == 0).all())


# ---- the gradients that it is made from ----


@each_net
def test_rows_of_output_gradients_are_those_of_jacrev(net):
    theta, x = weights_for(net)[0], task_for(net).x
    rows = output_gradient_rows(net, theta, x)
    expected = jacobian(net, theta, x).reshape(-1, net.weights)
    assert rows.shape == (len(x) * net.outputs_count, net.weights)
    torch.testing.assert_close(rows, expected, rtol=1e-10, atol=1e-12)


@each_net
@pytest.mark.parametrize("rows", [1, 7, 24, 2048])
def test_blocks_of_any_size_are_the_same_rows(net, rows):
    theta, x = weights_for(net)[0], task_for(net, 40).x
    whole = output_gradient_rows(net, theta, x)
    blocks = list(gradient_blocks(net, theta, x, rows))
    assert max(len(block) for block in blocks) <= max(rows, net.outputs_count)
    torch.testing.assert_close(torch.cat(blocks), whole, rtol=1e-10, atol=1e-12)
    kept = torch.tensor([0, 3, net.weights - 1])
    some = torch.cat(list(gradient_blocks(net, theta, x, rows, kept)))
    torch.testing.assert_close(some, whole[:, kept], rtol=1e-10, atol=1e-12)


@each_net
def test_the_product_is_that_of_the_matrix(net):
    theta, x = weights_for(net)[0], task_for(net, 70).x  # more than are taken at once
    rows = jacobian(net, theta, x).reshape(-1, net.weights)
    vector = torch.randn(net.weights, generator=generator(2), dtype=torch.float64)
    torch.testing.assert_close(
        gauss_newton_product(net, theta, x, vector), rows.T @ (rows @ vector) / len(x)
    )


# ---- saliencies by input ----

FIELD = Stack(
    (Convolution(Planes(2, 4, 5), 3, 2, table=((0,), (0, 1), (1,))), Dense(Planes(3, 3, 4), 2)),
    ("tanh", "lecun_tanh"),
)
BORDERED = Stack(
    (Convolution(Planes(1, 4, 5), 2, 3, 2, 1, -1.0), Dense(Planes(2, 2, 3), 2)), "tanh"
)


def slope(name: str, x: float) -> float:
    return 1 - x * x if name == "tanh" else 2 / 3 * (1.7159 - x * x / 1.7159)


@pytest.mark.parametrize("net", [FIELD, BORDERED], ids=["table", "border"])
@pytest.mark.parametrize("chunk", [32, 2])
def test_saliency_by_input_is_that_of_a_plain_loop(net, chunk):
    theta, x = weights_for(net, 2), task_for(net, 5).x
    found = field_saliency(net, theta, x, chunk=chunk)
    first, last = net.layers
    scheme, (_, height, width) = first.scheme, first.scheme.below
    _, rows, columns = scheme.above
    area = scheme.kernel**2
    for r, w in enumerate(theta.tolist()):
        out = theta[r, last.weights].view(2, -1).tolist()
        expected = [0.0] * net.inputs.units
        trace = net.forward(theta[r : r + 1], x)
        for p in range(len(x)):
            hidden, outputs = (part[0, :, p].tolist() for part in trace.activities[1:])
            second = [slope(last.transfer.name, o) ** 2 for o in outputs]
            kernel = first.weights.start
            for number in range(scheme.maps):
                for plane in scheme.table[number] if scheme.table else range(scheme.below.maps):
                    for i in range(rows * columns):
                        unit = number * rows * columns + i
                        bow = slope(first.transfer.name, hidden[unit]) ** 2 * sum(
                            out[k][unit] ** 2 * second[k] for k in range(2)
                        )
                        for k in range(area):
                            row = i // columns * scheme.stride - scheme.padding + k // scheme.kernel
                            column = (
                                i % columns * scheme.stride - scheme.padding + k % scheme.kernel
                            )
                            if not (0 <= row < height and 0 <= column < width):
                                continue
                            j = (plane * height + row) * width + column
                            value = float(x[p, j])
                            expected[j] += 0.5 * value**2 * w[kernel + k] ** 2 * bow / len(x)
                    kernel += area
        assert found[r].tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("net", [FIELD, NET], ids=["two layers", "three layers"])
def test_summed_over_the_field_it_is_that_of_the_first_kernels(net):
    theta, task = weights_for(net), task_for(net)
    kernels = obd_lm_saliency(net, theta, task)[:, net.layers[0].weights]
    torch.testing.assert_close(field_saliency(net, theta, task.x).sum(1), kernels.sum(1))
