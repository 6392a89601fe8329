"""Large nets: lazily downdated OBS against the paper's own loop, and the other methods."""

import pytest
import torch

from oldschool.curvature.blocks import gradient_blocks
from oldschool.curvature.downdate import downdate
from oldschool.curvature.gauss_newton import output_gradients
from oldschool.curvature.inverse import gram, recursive_inverse
from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp
from oldschool.pruning.large import (
    DriftError,
    LargeMagnitude,
    LargeOptimalBrainDamage,
    LargeOptimalBrainSurgeon,
    Surgeon,
    prune_large,
)
from oldschool.pruning.loop import prune
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import KeepError
from tests.problems import task_for, weights_for

NET = Mlp((6, 5, 2), "logistic", "logistic")
TASK, THETA = task_for(NET, 100), weights_for(NET, 1)[0]
ALL = torch.ones(NET.weights, dtype=torch.bool)
PAIRS = [
    (LargeOptimalBrainSurgeon(1e-4, buffer=4), OptimalBrainSurgeon(1e-4)),
    (LargeMagnitude(), Magnitude()),
    (LargeOptimalBrainDamage(), OptimalBrainDamage()),
    (LargeOptimalBrainDamage(True), OptimalBrainDamage(True)),
]


def order_of(steps) -> list[int]:
    return [weight for step in steps for weight in step.deleted]


@pytest.mark.parametrize(("large", "small"), PAIRS, ids=lambda method: method.name)
def test_a_look_at_each_deletion_is_the_papers_loop(large, small):
    pruned = prune(NET, THETA[None], TASK, small, KeepError(1e9), to_the_end=True)
    counts = range(NET.weights - 1, -1, -1)
    steps = list(prune_large(NET, THETA, ALL, TASK, large, counts, every=1))
    assert order_of(steps) == [int(deletion.weight) for deletion in pruned.path]
    assert steps[-1].looks == NET.weights
    for step, deletion in zip(steps[:20], pruned.path, strict=False):
        torch.testing.assert_close(
            torch.tensor([step.predicted], dtype=torch.float64), deletion.predicted, equal_nan=True
        )


def rank_1_reference(alpha: float, count: int) -> tuple[list[int], torch.Tensor]:
    """OBS with H fixed: the recursion for H^-1, then rank-1 downdates, one by one."""
    inverse = recursive_inverse(output_gradients(NET, THETA[None], TASK.x)[0], alpha)
    w, left, order = THETA.clone(), list(range(NET.weights)), []
    for _ in range(count):
        rise = w[left] ** 2 / (2 * inverse.diagonal()[left])
        q = left[int(rise.argmin())]
        w = w - w[q] / inverse[q, q] * inverse[:, q]
        w[q] = 0.0
        inverse = downdate(inverse, q)
        left.remove(q)
        order.append(q)
    return order, w


@pytest.mark.parametrize("buffer", [1, 7, 1000])
@pytest.mark.parametrize("alpha", [1e-6, 1e-4])
def test_one_look_is_the_rank_1_reference(buffer, alpha):
    count = NET.weights - 5
    order, w = rank_1_reference(alpha, count)
    method = LargeOptimalBrainSurgeon(alpha, buffer=buffer)
    steps = list(prune_large(NET, THETA, ALL, TASK, method, [30, 20, 5]))
    assert order_of(steps) == order
    assert steps[-1].looks == 1
    torch.testing.assert_close(steps[-1].theta, w, rtol=1e-6, atol=1e-8)
    assert steps[-1].kept.nonzero()[:, 0].tolist() == sorted(set(range(NET.weights)) - set(order))


@pytest.mark.parametrize("every", [1, 4, 10, None])
def test_looks_are_taken_where_they_should_be(every):
    steps = list(prune_large(NET, THETA, ALL, TASK, LargeMagnitude(), [40, 33, 20], every))
    deleted = NET.weights - 20
    assert steps[-1].looks == (1 if every is None else -(-deleted // every))
    assert [int(step.kept.sum()) for step in steps] == [40, 33, 20]
    assert all(bool((step.theta[~step.kept] == 0).all()) for step in steps)


def test_stages_can_be_joined():
    """From a pruned net on, deleted weights stay out of H."""
    method = LargeOptimalBrainSurgeon(1e-4)
    first, second = prune_large(NET, THETA, ALL, TASK, method, [24, 10], every=NET.weights - 24)
    (joined,) = prune_large(NET, first.theta, first.kept, TASK, method, [10])
    assert joined.deleted == second.deleted
    torch.testing.assert_close(joined.theta, second.theta)


def test_predicted_rise_is_that_of_the_quadratic_form():
    method = LargeOptimalBrainSurgeon(1e-4, buffer=3)
    (step,) = prune_large(NET, THETA, ALL, TASK, method, [20])
    change = step.theta - THETA
    hessian = gram(gradient_blocks(NET, THETA, TASK.x), NET.weights, len(TASK))
    rise = 0.5 * change @ (hessian @ change) + 0.5e-4 * change @ change
    assert step.predicted == pytest.approx(float(rise), rel=1e-9)


def test_drift_is_measured_and_h_computed_anew_when_it_passes_the_bound():
    looks = 0

    def spoiled(net, theta, x, kept):
        nonlocal looks
        looks += 1
        return gram(gradient_blocks(net, theta, x, kept=kept), len(kept), len(x))

    method = LargeOptimalBrainSurgeon(1e-4, spoiled, buffer=5)
    surgeon = Surgeon(NET, THETA, TASK, ALL, method)
    assert surgeon.residual() < 1e-9
    surgeon._inverse._matrix[3, 3:] *= 1.001  # as if rounding had crept in
    assert surgeon.residual() > 1e-6
    assert surgeon.delete(4) == 4  # looked at once a buffer
    assert surgeon.delete(10) == 1
    looks = 0
    inner = method.look

    def look(*arguments):
        found = inner(*arguments)
        if looks == 1:
            found._inverse._matrix[3, 3:] *= 1.001
        return found

    object.__setattr__(method, "look", look)
    (step,) = prune_large(NET, THETA, ALL, TASK, method, [20])
    assert step.looks == looks == 2
    assert int(step.kept.sum()) == 20


def test_an_alpha_too_small_for_single_precision_is_one_clear_line():
    def single(net, theta, x, kept):
        return gram(gradient_blocks(net, theta, x, kept=kept), len(kept), len(x)).float()

    few = task_for(NET, 10)  # 20 gradients for 47 weights: alpha alone makes H invertible
    with pytest.raises(DriftError, match=r"in float32 at alpha 1e-12 is no inverse.*larger alpha"):
        list(prune_large(NET, THETA, ALL, few, LargeOptimalBrainSurgeon(1e-12, single), [20]))


@pytest.mark.parametrize("counts", [[20, 30], [50, 50], [NET.weights + 1], [-1]])
def test_counts_must_fall(counts):
    with pytest.raises(ValueError, match="counts must fall"):
        list(prune_large(NET, THETA, ALL, TASK, LargeMagnitude(), counts))


def test_every_must_be_positive():
    with pytest.raises(ValueError, match="every must be 1 or more"):
        list(prune_large(NET, THETA, ALL, TASK, LargeMagnitude(), [20], every=0))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_deletes_the_same_weights():
    method = LargeOptimalBrainSurgeon(1e-4, buffer=7)
    on_gpu = Task(TASK.x.cuda(), TASK.t.cuda())
    (here,) = prune_large(NET, THETA, ALL, TASK, method, [10])
    (there,) = prune_large(NET, THETA.cuda(), ALL.cuda(), on_gpu, method, [10])
    assert there.deleted == here.deleted
    torch.testing.assert_close(there.theta.cpu(), here.theta)
