"""Batched nets against ordinary torch modules, one net at a time."""

import pytest
import torch

from oldschool.nets.error import squared_error
from oldschool.nets.mlp import Mlp
from oldschool.nets.units import UNITS, unit
from tests.problems import ARCHITECTURES, as_module, task_for, weights_for


@pytest.mark.parametrize("name", UNITS)
def test_slope_and_bend_are_the_derivatives(name):
    a = torch.linspace(-3, 3, 41, dtype=torch.float64, requires_grad=True)
    x = unit(name).f(a)
    slope = unit(name).slope(x)
    (first,) = torch.autograd.grad(x.sum(), a, create_graph=True)
    torch.testing.assert_close(slope, first)
    if name != "linear":  # autograd has no graph for the second derivative of the identity
        (second,) = torch.autograd.grad(first.sum(), a)
        torch.testing.assert_close(unit(name).bend(x.detach()), second)
    else:
        assert not unit(name).bend(x.detach()).any()


@pytest.mark.parametrize("net", ARCHITECTURES[:4], ids=str)
def test_outputs_are_those_of_a_torch_module(net):
    theta, task = weights_for(net), task_for(net)
    batch = net.outputs(theta, task.x)
    for row, weights in enumerate(theta):
        torch.testing.assert_close(batch[row].T, as_module(net, weights)(task.x))


def test_one_net_comes_out_the_same_in_any_batch():
    net = ARCHITECTURES[1]
    theta, task = weights_for(net, 20), task_for(net)
    torch.testing.assert_close(net.outputs(theta, task.x)[7], net.outputs(theta[7:8], task.x)[0])


def test_weight_count_and_biases():
    net = Mlp((17, 3, 1))
    assert net.weights == 58
    assert int(net.is_bias.sum()) == 4
    assert Mlp((17, 2, 1)).weights == 39


def test_squared_error_is_half_the_mean_over_samples():
    outputs = torch.tensor([[[1.0, 3.0]], [[0.0, 0.0]]])
    targets = torch.tensor([[0.0], [1.0]])
    assert squared_error(outputs, targets).tolist() == [(1 + 4) / 4, 1 / 4]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no unit function 'relu6'"):
        Mlp((2, 2), hidden="relu6")
    with pytest.raises(ValueError, match="two or more layers"):
        Mlp((3,))
    net = Mlp((2, 2, 1))
    with pytest.raises(ValueError, match="2-2-1 net takes weights"):
        net.outputs(torch.zeros(1, 8), torch.zeros(4, 2))
