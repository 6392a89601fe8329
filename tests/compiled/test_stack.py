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


def steps(code, theta, x, **other):
    """A step of training on targets of nought, with arguments exchanged."""
    given = {
        "scale": torch.ones_like(theta),
        "t": torch.zeros(len(x), 4),
        "order": torch.arange(len(x)).expand(len(theta), -1),
        "batch": 5,
    }
    given |= other
    code.descend(theta, given["scale"], x, given["t"], given["order"], given["batch"], 0, 10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"t": torch.zeros(8, 3)},
        {"t": torch.zeros(7, 4)},
        {"t": torch.zeros(8, 4, dtype=torch.float64)},
        {"scale": torch.ones(3, THIRDS.weights - 1)},
        {"order": torch.tensor([[0], [1], [8]])},
        {"order": torch.tensor([[0], [1], [-1]])},
        {"order": torch.tensor([[0], [1]])},
        {"order": torch.zeros(3, 1, dtype=torch.int32)},
        {"batch": 0},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(wrong):
    """The library would read or write beside the tensors."""
    theta, x = problem(THIRDS, torch.float32, samples=8)
    code = compiled(THIRDS, theta, x)
    before = theta.clone()
    steps(code, theta, x)
    assert not theta.equal(before)
    with pytest.raises(ValueError, match="takes"):
        steps(code, theta, x, **wrong)


def test_other_inputs_and_weights_are_refused():
    theta, x = problem(THIRDS, torch.float32)
    code = compiled(THIRDS, theta, x)
    for weights, inputs in [
        (theta[:, 1:], x),
        (theta[0], x),
        (theta, x[:, 1:]),
        (theta, x[None]),
        (theta.double(), x.double()),
    ]:
        with pytest.raises(ValueError, match="takes"):
            code.outputs(weights, inputs)
    with pytest.raises(ValueError, match="contiguous"):
        steps(code, theta.T.contiguous().T, x)


def test_a_step_of_all_samples():
    """However large a batch is asked for; room is made for those there are."""
    theta, x = problem(THIRDS, torch.float32)
    found = theta.clone(), theta.clone()
    for which, batch in zip(found, (len(x), 2**40), strict=True):
        steps(compiled(THIRDS, theta), which, x, batch=batch)
    assert found[0].equal(found[1])


def test_no_nets_and_no_samples():
    theta, x = problem(THIRDS, torch.float32)
    code = compiled(THIRDS, theta, x)
    assert code.outputs(theta[:0], x).shape == (0, 4, 37)
    assert code.outputs(theta, x[:0]).shape == (3, 4, 0)
    none = torch.empty(3, 0, dtype=torch.int64)
    sums = code.derivatives(theta, x, torch.zeros(37, 4), none, full=True)
    assert all(one.count_nonzero() == 0 for one in sums)
