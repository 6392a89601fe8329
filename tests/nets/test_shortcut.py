"""Nets with shortcuts against a net written out unit by unit, and against autograd."""

import pytest
import torch

from oldschool.data.task import Task
from oldschool.nets.shortcut import ShortcutNet
from tests.problems import generator

NET = ShortcutNet((2, 3, 2, 2))


def problem() -> tuple[torch.Tensor, Task]:
    theta = NET.uniform([generator(seed) for seed in range(3)], 1.5)
    random = generator(9)
    x = torch.randn(7, 2, generator=random, dtype=torch.float64)
    return theta, Task(x, torch.rand(7, 2, generator=random, dtype=torch.float64) - 0.5)


def by_hand(w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Outputs (P, 2) of one net, each unit seeing everything before its layer."""
    seen, place = [torch.ones(len(x), dtype=torch.float64), *x.T], 0
    for units in NET.sizes[1:]:
        new = []
        for _ in range(units):
            total = sum(w[place + k] * value for k, value in enumerate(seen))
            place += len(seen)
            new.append(1 / (1 + torch.exp(-total)) - 0.5)
        seen += new
    return torch.stack(seen[-2:], 1)


def test_outputs_are_those_of_a_net_written_out():
    theta, task = problem()
    outputs = NET.outputs(theta, task.x)
    for net, w in enumerate(theta):
        torch.testing.assert_close(outputs[net].T, by_hand(w, task.x))


def test_gradient_is_that_of_autograd():
    theta, task = problem()
    errors, gradient = NET.errors_and_gradient(theta, task)
    torch.testing.assert_close(errors, NET.outputs(theta, task.x) - task.t.T)
    for net, w in enumerate(theta):
        w = w.clone().requires_grad_()
        error = 0.5 * (by_hand(w, task.x) - task.t).square().sum()
        (expected,) = torch.autograd.grad(error, w)
        torch.testing.assert_close(gradient[net], expected)


def test_an_offset_goes_to_every_slope():
    """With an offset c a unit passes back (v' + c) instead of v'."""
    net = ShortcutNet((1, 1, 1))
    theta = net.uniform([generator(0)], 1.0)
    task = Task(torch.tensor([[0.7]]).double(), torch.tensor([[0.2]]).double())
    b2 = float(theta[0, -1])
    values = net.values(theta, task.x)[0, :, 0].tolist()
    h, o = values[2:]
    delta = (o - 0.2) * (0.25 - o * o + 0.1)
    below = delta * b2 * (0.25 - h * h + 0.1)
    expected = [below, below * 0.7, delta, delta * 0.7, delta * h]
    assert net.errors_and_gradient(theta, task, 0.1)[1][0].tolist() == pytest.approx(expected)


def test_lang_and_witbrocks_net_has_138_weights():
    assert ShortcutNet((2, 5, 5, 5, 1)).weights == 138
    with pytest.raises(ValueError, match="two or more layers"):
        ShortcutNet((2,))
