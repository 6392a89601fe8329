"""Compiled passes against the tensor forms; derivatives and training have tests of their own."""

from __future__ import annotations

import pytest
import torch

from oldschool.compiled.stack import compiled
from oldschool.nets.planes import Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack
from tests.problems import generator

# Odd widths need batches filled up; kernels of 1 to 4, subsampling by 3, all unit functions.
ODD = Stack(
    (
        Convolution(Planes(2, 8, 10), 3, 3, 2, 2, border=0.5, table=((1,), (0, 1), (0,))),
        Convolution(Planes(3, 5, 6), 2, 4, padding=2, shared_bias=False),
        Subsampling(Planes(2, 6, 7), 1),
        Convolution(Planes(2, 6, 7), 2, 1, padding=1),
        Convolution(Planes(2, 8, 9), 1, 2, stride=3),
        Dense(Planes(1, 3, 3), 5),
        Dense(Planes(5), 3),
    ),
    ("lecun_tanh", "tanh", "logistic", "relu", "linear", "lecun_tanh", "tanh"),
)
THIRDS = Stack((Subsampling(Planes(2, 9, 6), 3), Dense(Planes(2, 3, 2), 4)), "lecun_tanh")


def problem(net: Stack, dtype: torch.dtype, nets: int = 3, samples: int = 37):
    theta = net.uniform([generator(seed) for seed in range(nets)], 2.4, dtype)
    return theta, torch.rand(samples, net.inputs.units, generator=generator(9), dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float64, 1e-13), (torch.float32, 3e-6)], ids=str
)
@pytest.mark.parametrize("net", [ODD, THIRDS], ids=["odd", "thirds"])
@pytest.mark.parametrize("samples", [1, 16, 37])
def test_outputs(net, dtype, close, samples):
    theta, x = problem(net, dtype, samples=samples)
    code = compiled(net, theta, x)
    assert code is not None
    expected = net.outputs(theta, x)
    assert float(expected.std()) > 0.01
    torch.testing.assert_close(code.outputs(theta, x), expected, rtol=close, atol=close)


@pytest.mark.parametrize("net", [ODD, THIRDS], ids=["odd", "thirds"])
def test_the_gradient(net):
    theta, x = problem(net, torch.float64)
    t = torch.rand(len(x), net.outputs_count, generator=generator(4), dtype=torch.float64)
    order = torch.stack([torch.randperm(len(x), generator=generator(r)) for r in range(3)])
    order = order[:, :21]
    code = compiled(net, theta, x)
    error, gradient, _ = code.derivatives(theta, x, t, order, full=True)
    for r in range(3):
        w = theta[r : r + 1].clone().requires_grad_()
        residual = net.outputs(w, x[order[r]])[0].T - t[order[r]]
        value = 0.5 * residual.square().sum()
        value.backward()
        torch.testing.assert_close(error[r], value.detach())
        torch.testing.assert_close(gradient[r], w.grad[0], rtol=1e-10, atol=1e-12)


def test_unit_functions_at_their_ends():
    net = Stack((Dense(Planes(1), 1),), "lecun_tanh")
    x = torch.tensor([[0.0], [1e-4], [3.0], [-3.0], [60.0], [-60.0], [1e30], [-1e30]])
    theta = torch.tensor([[1.0, 0.0]])
    found = compiled(net, theta).outputs(theta, x)
    expected = net.outputs(theta.double(), x.double()).float()
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("unit", ["linear", "tanh", "logistic", "lecun_tanh"])
def test_what_is_no_number_stays_so(unit):
    net = Stack((Dense(Planes(3), 2), Dense(Planes(2), 2)), unit)
    theta = net.uniform([generator(1), generator(2)], 1.0, torch.float32)
    theta[0, 1] = torch.nan
    found = compiled(net, theta).outputs(theta, torch.rand(5, 3, generator=generator(3)))
    assert found.isnan().all((1, 2)).tolist() == [True, False]


def test_threads_change_nothing():
    theta, x = problem(ODD, torch.float32, nets=5)
    code, threads = compiled(ODD, theta), torch.get_num_threads()
    found = []
    for count in (1, 3):
        torch.set_num_threads(count)
        found.append(code.outputs(theta, x))
    torch.set_num_threads(threads)
    assert found[0].equal(found[1])


def test_what_has_no_compiled_form():
    theta = torch.zeros(1, ODD.weights)

    class Other(Stack):
        pass

    assert compiled(ODD, theta) is not None
    assert compiled(Other(ODD.schemes, ODD.units), theta) is None
    assert compiled(ODD, theta.half()) is None
    assert compiled(ODD, theta, theta.double()) is None
    assert compiled(ODD, theta.clone().requires_grad_()) is None
    assert compiled(ODD, theta.to("meta")) is None
