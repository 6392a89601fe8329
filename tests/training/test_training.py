"""Gradients against autograd; every trainer reaches a minimum and leaves masks alone."""

import pytest
import torch

from oldschool.data.task import Task
from oldschool.data.xor import xor
from oldschool.nets.error import CROSS_ENTROPY
from oldschool.nets.mlp import Mlp
from oldschool.training.momentum import backpropagation, early_stopping
from oldschool.training.objective import Objective
from oldschool.training.second_order import damped_newton, to_minimum
from oldschool.training.stochastic import stochastic_backpropagation
from tests.problems import ARCHITECTURES, as_module, generator, own_tasks, task_for, weights_for

DECAYS = [0.0, 1e-3, torch.tensor([0.0, 1e-3, 1e-2], dtype=torch.float64)]


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("decay", DECAYS, ids=["none", "one", "each"])
@pytest.mark.parametrize("masked", [False, True])
def test_gradient_is_that_of_autograd(net, decay, masked):
    theta, task = weights_for(net), task_for(net)
    mask = None
    if masked:
        mask = torch.rand(theta.shape, generator=torch.Generator().manual_seed(1)) < 0.7
        theta = theta * mask
    objective = Objective(net, task, decay, mask)
    value, gradient = objective.value_and_gradient(theta)
    w = theta.clone().requires_grad_()
    total = objective.value(w)
    (expected,) = torch.autograd.grad(total.sum(), w)
    torch.testing.assert_close(value, total.detach())
    torch.testing.assert_close(gradient, expected if mask is None else expected * mask)


def test_gradient_of_the_cross_entropy_is_that_of_autograd():
    net = ARCHITECTURES[1]
    theta = weights_for(net).requires_grad_()
    objective = Objective(net, task_for(net), 1e-3, error=CROSS_ENTROPY)
    (expected,) = torch.autograd.grad(objective.value(theta).sum(), theta)
    torch.testing.assert_close(objective.gradient(theta.detach()), expected)


@pytest.mark.parametrize("net", ARCHITECTURES, ids=str)
def test_nets_with_data_of_their_own_train_as_if_alone(net):
    theta, tasks = weights_for(net), own_tasks(net, 3)
    objective = Objective(net, tasks, 1e-3)
    together = damped_newton(objective, theta, iterations=5, exact=True)
    for row in range(3):
        one = Task(tasks.x[row], tasks.t[row])
        alone = Objective(net, one, 1e-3)
        torch.testing.assert_close(
            objective.gradient(theta)[row], alone.gradient(theta[row : row + 1])[0]
        )
        found = damped_newton(alone, theta[row : row + 1], iterations=5, exact=True)
        torch.testing.assert_close(together.theta[row], found.theta[0], rtol=1e-6, atol=1e-8)


def test_early_stopping_keeps_each_net_as_it_was_at_its_least_validation_error():
    net, epochs = ARCHITECTURES[1], 40
    theta, task, watch = weights_for(net, 6), task_for(net), task_for(net, 9, seed=5)
    objective = Objective(net, task)
    how = {"rate": 0.2, "momentum": 0.9}
    last, early = early_stopping(objective, theta, watch, epochs=epochs, **how)
    path = [theta] + [
        backpropagation(objective, theta, epochs=count, **how).theta
        for count in range(1, epochs + 1)
    ]
    watched = torch.stack([Objective(net, watch).data_term(one) for one in path])
    best = watched.argmin(dim=0)
    assert early.iterations.tolist() == best.tolist()
    assert len(set(best.tolist())) > 1
    for row, epoch in enumerate(best.tolist()):
        torch.testing.assert_close(early.theta[row], path[epoch][row])
    torch.testing.assert_close(last.theta, path[-1])


def test_mini_batches_are_those_of_torch_sgd_with_a_falling_rate():
    net, epochs, batch, rate = ARCHITECTURES[1], 3, 3, 0.5
    theta, task = weights_for(net, 1), task_for(net)
    ours = stochastic_backpropagation(
        Objective(net, task),
        theta,
        rate=rate,
        momentum=0.9,
        epochs=epochs,
        batch=batch,
        generators=[generator(3)],
    )
    module = as_module(net, theta[0])
    random, steps, velocity = generator(3), 3 * epochs, None
    for step in range(steps):
        if step % 3 == 0:
            order = torch.randperm(7, generator=random)
        part = order[3 * (step % 3) :][:3]  # the last of three has one pattern
        module.zero_grad()
        error = module(task.x[part]) - task.t[part]
        (0.5 * error.square().sum() / len(part)).backward()
        gradient = torch.cat([p.grad.flatten() for p in module.parameters()])
        moved = -rate * (1 - step / steps) * gradient
        velocity = moved if velocity is None else 0.9 * velocity + moved
        flat = torch.nn.utils.parameters_to_vector(module.parameters()).detach() + velocity
        torch.nn.utils.vector_to_parameters(flat, module.parameters())
    torch.testing.assert_close(ours.theta[0], flat)
    both = stochastic_backpropagation(
        Objective(net, task),
        weights_for(net, 2).flip(0),
        rate=rate,
        momentum=0.9,
        epochs=epochs,
        batch=batch,
        generators=[generator(1), generator(3)],
    )
    torch.testing.assert_close(both.theta[1], flat)  # whatever is trained beside it


def test_momentum_is_that_of_torch_sgd():
    net, steps, rate = ARCHITECTURES[1], 25, 0.05
    theta, task = weights_for(net, 1), task_for(net)
    ours = backpropagation(Objective(net, task), theta, rate=rate, momentum=0.9, epochs=steps)
    module = as_module(net, theta[0])
    sgd = torch.optim.SGD(module.parameters(), lr=rate, momentum=0.9)
    for _ in range(steps):
        sgd.zero_grad()
        (0.5 * (module(task.x) - task.t).square().sum()).backward()
        sgd.step()
    flat = torch.cat([p.detach().flatten() for p in module.parameters()])
    torch.testing.assert_close(ours.theta[0], flat)


@pytest.mark.parametrize("decay", [0.0, 1e-3])
def test_newton_reaches_a_minimum_and_says_so(decay):
    net = Mlp((2, 2, 1), "tanh", "tanh")
    objective = Objective(net, xor(-0.8, 0.8), decay)
    trained = to_minimum(
        objective,
        weights_for(net, 40, 1.0),
        iterations=200,
        newton_iterations=100,
        gradient_tolerance=1e-9,
    )
    assert float(trained.gradient_norm.median()) <= 1e-9
    w = trained.theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective.value(w).sum(), w)
    torch.testing.assert_close(trained.gradient_norm, gradient.norm(dim=1), atol=1e-12, rtol=1e-6)
    curvature = torch.func.vmap(torch.func.hessian(lambda one: objective.value(one[None])[0]))
    least = torch.linalg.eigvalsh(curvature(trained.theta)).amin(dim=1)
    reached = trained.gradient_norm <= 1e-10
    assert float(least[reached].min()) > -1e-7  # a minimum, no saddle


def test_a_step_never_raises_the_objective():
    net = ARCHITECTURES[3]
    objective = Objective(net, task_for(net), 1e-4)
    theta = weights_for(net, 10)
    last = objective.value(theta)
    for exact in (False, True):
        for steps in (1, 3, 10):
            found = damped_newton(objective, theta, iterations=steps, exact=exact).value
            assert bool((found <= last + 1e-15).all())


@pytest.mark.parametrize("exact", [False, True])
def test_deleted_weights_stay_deleted_whatever_their_number(exact):
    net = ARCHITECTURES[1]
    theta, task = weights_for(net, 12), task_for(net)
    mask = torch.rand(theta.shape, generator=torch.Generator().manual_seed(5)) < 0.6
    assert len(set(mask.sum(1).tolist())) > 1
    theta = theta * mask
    objective = Objective(net, task, 1e-3, mask)
    found = damped_newton(objective, theta, iterations=60, exact=exact)
    assert not found.theta[~mask].any()
    assert bool((found.gradient_norm < 1e-3).all())
    alone = damped_newton(
        objective.subset(torch.tensor([4])), theta[4:5], iterations=60, exact=exact
    )
    torch.testing.assert_close(found.theta[4], alone.theta[0], atol=1e-6, rtol=1e-6)


def test_divergence_is_reported_not_hidden():
    net = Mlp((4, 3, 1), "linear", "linear")
    trained = backpropagation(
        Objective(net, task_for(net)), weights_for(net), rate=50.0, momentum=0.9, epochs=300
    )
    assert bool(trained.diverged.all())


def test_stop_error_ends_training_early():
    net = Mlp((2, 2, 1), "logistic", "logistic")
    objective = Objective(net, xor(0, 1))
    theta = weights_for(net, 30, 1.0)
    short = damped_newton(objective, theta, iterations=400, stop_error=1e-2)
    long = damped_newton(objective, theta, iterations=400, stop_error=1e-4)
    done = long.error <= 1e-4
    assert bool(done.any())
    assert bool((short.error[done] <= 1e-2).all())
    assert bool((short.iterations[done] < long.iterations[done]).all())


def test_least_progress_ends_training_at_a_standstill():
    net = ARCHITECTURES[1]
    objective = Objective(net, task_for(net), 1e-3)
    theta = weights_for(net, 20)
    full = damped_newton(objective, theta, iterations=200)
    early = damped_newton(objective, theta, iterations=200, least_progress=1e-5)
    assert bool((early.iterations < full.iterations).all())
    assert bool((early.value >= full.value - 1e-15).all())
    assert float(((early.value - full.value) / full.value).median()) < 1e-3
