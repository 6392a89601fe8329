"""Saliencies and updates against the definitions, and the loop against a plain one."""

import math

import pytest
import torch

from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.curvature.inverse import recursive_inverse
from oldschool.data.task import Task
from oldschool.nets.error import squared_error
from oldschool.nets.mlp import Mlp
from oldschool.pruning import obs
from oldschool.pruning.loop import prune
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import KeepAccuracy, KeepError, accuracy
from oldschool.training.objective import Objective
from oldschool.training.second_order import damped_newton
from tests.problems import task_for, weights_for

METHODS = [
    Magnitude(),
    OptimalBrainDamage(),
    OptimalBrainDamage(levenberg_marquardt=True, name="obd_lm"),
    OptimalBrainSurgeon(1e-6),
]
NET = Mlp((4, 3, 1), "logistic", "logistic")
EVERYTHING = KeepError(math.inf)


def plain_surgeon(net: Mlp, w: torch.Tensor, task: Task, alpha: float, deletions: int):
    """The paper's loop for one net, with its own recursion and no batch."""
    kept = list(range(net.weights))
    order, predicted = [], []
    for _ in range(deletions):
        x = output_gradients(net, w[None], task.x)[0][kept]
        inverse = recursive_inverse(x, alpha)
        rise = [float(w[q] ** 2 / (2 * inverse[k, k])) for k, q in enumerate(kept)]
        k = rise.index(min(rise))
        w = w.clone()
        w[kept] = w[kept] - w[kept[k]] / inverse[k, k] * inverse[:, k]
        w[kept[k]] = 0
        order.append(kept.pop(k))
        predicted.append(rise[k])
    return w, order, predicted


def test_the_loop_prunes_as_the_papers_own_loop():
    theta, task = weights_for(NET, 5), task_for(NET, samples=60)
    deletions = 12
    found = prune(NET, theta, task, OptimalBrainSurgeon(1e-6), EVERYTHING, to_the_end=True)
    for row in range(len(theta)):
        w, order, predicted = plain_surgeon(NET, theta[row], task, 1e-6, deletions)
        assert [int(step.weight[row]) for step in found.path[:deletions]] == order
        torch.testing.assert_close(
            torch.tensor([float(step.predicted[row]) for step in found.path[:deletions]]),
            torch.tensor(predicted),
            rtol=1e-6,
            atol=1e-12,
        )
        after = squared_error(NET.outputs(w[None], task.x), task.t)
        torch.testing.assert_close(
            found.path[deletions - 1].after[row], after[0], rtol=1e-6, atol=0
        )


def test_obs_is_the_best_change_that_deletes_a_weight():
    """On a quadratic the update is the constrained minimum and L_q its rise (eq. 5)."""
    random = torch.Generator().manual_seed(2)
    root = torch.randn(6, 6, generator=random, dtype=torch.float64)
    h = root @ root.T + 0.1 * torch.eye(6)
    w = torch.randn(6, generator=random, dtype=torch.float64)
    inverse = torch.linalg.inv(h)
    for q in range(6):
        change = obs.surgery(w[None], inverse[None], torch.tensor([q]))[0]
        assert abs(float(w[q] + change[q])) < 1e-12
        rise = 0.5 * change @ h @ change
        torch.testing.assert_close(rise, obs.saliency(w[None], inverse[None])[0, q])
        # the stationarity conditions of the paper's Lagrangian: H dw = -lambda e_q
        gradient = h @ change
        others = torch.arange(6) != q
        torch.testing.assert_close(gradient[others], torch.zeros(5).double(), atol=1e-12, rtol=0)


def test_obs_update_is_exact_for_a_linear_net():
    """For a linear net the error is quadratic: predicted and actual rise are the same."""
    net = Mlp((5, 1), "linear", "linear")
    task = task_for(net, samples=40)
    start = damped_newton(Objective(net, task), weights_for(net, 4), iterations=50)
    found = prune(net, start.theta, task, OptimalBrainSurgeon(1e-10), EVERYTHING, to_the_end=True)
    for step in found.path:
        torch.testing.assert_close(step.after - step.before, step.predicted, atol=1e-9, rtol=1e-5)


def test_obs_on_a_linear_net_is_least_squares_without_the_weight():
    net = Mlp((5, 1), "linear", "linear")
    task = task_for(net, samples=40)
    start = damped_newton(Objective(net, task), weights_for(net, 1), iterations=50)
    kept = torch.ones_like(start.theta, dtype=torch.bool)
    choice = OptimalBrainSurgeon(1e-12).choose(net, start.theta, task, kept, kept)
    design = torch.cat([task.x, torch.ones(40, 1).double()], 1)
    left = [k for k in range(6) if k != int(choice.weight[0])]
    solution = torch.linalg.lstsq(design[:, left], task.t).solution[:, 0]
    torch.testing.assert_close((start.theta + choice.change)[0, left], solution, atol=1e-8, rtol=0)


def test_each_method_picks_its_least_saliency():
    theta, task = weights_for(NET, 6), task_for(NET)
    kept = torch.ones_like(theta, dtype=torch.bool)
    h = gauss_newton(output_gradients(NET, theta, task.x))
    picks = {
        "magnitude": theta.abs(),
        "obd_lm": 0.5 * h.diagonal(dim1=1, dim2=2) * theta**2,
        "obd": 0.5
        * torch.func.vmap(
            torch.func.hessian(lambda w: squared_error(NET.outputs(w[None], task.x), task.t)[0])
        )(theta).diagonal(dim1=1, dim2=2)
        * theta**2,
        "obs": theta**2
        / (2 * torch.linalg.inv(h + 1e-6 * torch.eye(NET.weights)).diagonal(dim1=1, dim2=2)),
    }
    for method in METHODS:
        choice = method.choose(NET, theta, task, kept, kept)
        assert torch.equal(choice.weight, picks[method.name].argmin(dim=1))
        if method.name != "magnitude":
            torch.testing.assert_close(
                choice.predicted, picks[method.name].amin(dim=1), rtol=1e-6, atol=1e-12
            )


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_deleted_weights_are_gone_and_never_chosen_again(method):
    theta, task = weights_for(NET, 4), task_for(NET)
    found = prune(NET, theta, task, method, EVERYTHING, to_the_end=True)
    assert len(found.path) == NET.weights
    chosen = torch.stack([step.weight for step in found.path])
    for row in range(len(theta)):
        assert sorted(chosen[:, row].tolist()) == list(range(NET.weights))
    assert not found.theta.any()
    assert found.reason == ["no weight left to delete"] * 4
    assert bool(torch.stack([step.after for step in found.path]).isfinite().all())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_exempt_biases_stay(method):
    theta, task = weights_for(NET, 3), task_for(NET)
    found = prune(NET, theta, task, method, EVERYTHING, prunable=~NET.is_bias)
    assert bool(found.kept[:, NET.is_bias].all())
    assert not found.kept[:, ~NET.is_bias].any()
    assert bool((found.theta[:, NET.is_bias] != 0).all())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_net_is_what_it_was_before_its_first_refused_deletion(method):
    theta, task = weights_for(NET, 8), task_for(NET, samples=30)
    level = float(squared_error(NET.outputs(theta, task.x), task.t).median()) * 1.02
    stop = KeepError(level)
    found = prune(NET, theta, task, method, stop)
    again = prune(NET, theta, task, method, stop, to_the_end=True)
    assert torch.equal(found.kept, again.kept)
    torch.testing.assert_close(found.theta, again.theta)
    error = squared_error(NET.outputs(found.theta, task.x), task.t)
    for row, reason in enumerate(found.reason):
        if reason == "refused before pruning":
            assert float(error[row]) > level
            assert bool(found.kept[row].all())
        else:
            assert float(error[row]) <= level
            steps = [step for step in found.path if row in step.net.tolist()]
            accepted = [bool(step.accepted[step.net.tolist().index(row)]) for step in steps]
            refused = int(reason == "refused by the stop rule")
            assert accepted == [True] * (len(steps) - refused) + [False] * refused
            assert int(found.weights_left[row]) == NET.weights - len(steps) + refused
    assert "refused before pruning" in found.reason
    assert "refused by the stop rule" in found.reason


def test_retraining_is_recorded_beside_the_deletion():
    theta, task = weights_for(NET, 6), task_for(NET, samples=30)
    handed, returned = [], []

    def error(w):
        return squared_error(NET.outputs(w, task.x), task.t)

    def retrain(w, kept, nets):
        assert nets.tolist() == list(range(6))
        assert not w[~kept].any()
        handed.append(error(w))
        better = damped_newton(Objective(NET, task, mask=kept), w, iterations=5).theta
        assert not better[~kept].any()
        returned.append(error(better))
        return better

    plain = prune(NET, theta, task, Magnitude(), EVERYTHING, to_the_end=True)
    helped = prune(NET, theta, task, Magnitude(), EVERYTHING, retrain=retrain, to_the_end=True)
    before = error(theta)
    for step, given, given_back in zip(helped.path, handed, returned, strict=True):
        torch.testing.assert_close(step.before, before)
        torch.testing.assert_close(step.deleted, given)
        torch.testing.assert_close(step.after, given_back)
        before = step.after
    assert any(bool((step.after < step.deleted).all()) for step in helped.path)
    half = NET.weights // 2
    assert float(helped.path[half].after.mean()) < float(plain.path[half].after.mean())


def test_a_path_that_leaves_the_finite_is_refused():
    theta, task = weights_for(NET, 3), task_for(NET)
    calls = []

    def explode(w, kept, nets):
        calls.append(len(w))
        return w * torch.nan if len(calls) == 3 else w

    found = prune(NET, theta, task, Magnitude(), EVERYTHING, retrain=explode)
    assert found.reason == ["error is not finite"] * 3
    assert found.weights_left.tolist() == [NET.weights - 2] * 3
    assert bool(found.theta.isfinite().all())
    assert found.path[2].accepted.tolist() == [False] * 3


def test_a_net_that_is_not_finite_is_named():
    theta, task = weights_for(NET, 3), task_for(NET)
    theta[1, 0] = torch.nan
    found = prune(NET, theta, task, Magnitude(), EVERYTHING)
    assert found.reason[1] == "error is not finite"
    assert bool(found.kept[1].all())
    assert found.reason[0] == found.reason[2] == "no weight left to delete"


def test_accuracy_needs_every_output_right():
    outputs = torch.tensor([[[0.9, 0.2, 0.8], [0.1, 0.1, 0.9]]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert float(accuracy(outputs, targets, 0.5)) == pytest.approx(2 / 3)
    task = Task(torch.zeros(3, 1), targets)
    assert KeepAccuracy(2 / 3).accepts(outputs, task).tolist() == [True]
    assert KeepAccuracy(0.7).accepts(outputs, task).tolist() == [False]
