"""Nets unrolled into their connections against the dense form."""

import pytest
import torch

from oldschool.nets.planes import Convolution, Dense, Planes, Subsampling
from oldschool.nets.sparse import TRANSFERS, unrolled
from oldschool.nets.stack import Stack
from oldschool.nets.units import UNITS
from tests.problems import generator

NETS = {
    "dense": Stack((Dense(Planes(70), 3), Dense(Planes(3), 2)), ("tanh", "linear")),
    "shared": Stack(
        (
            Convolution(Planes(1, 10, 10), 4, 3),
            Subsampling(Planes(4, 8, 8)),
            Convolution(Planes(4, 4, 4), 4, 2, table=((0,), (0, 1), (2,), (2, 3))),
            Dense(Planes(4, 3, 3), 3),
        ),
        "lecun_tanh",
    ),
    "bordered": Stack(
        (
            Convolution(Planes(1, 6, 6), 2, 5, 2, 2, border=-1.0, shared_bias=False),
            Convolution(Planes(2, 3, 3), 3, 2, 1, 1, border=0.5, table=((0,), (0, 1), (1,))),
            Dense(Planes(3, 4, 4), 4),
        ),
        ("lecun_tanh", "logistic", "linear"),
    ),
}
each_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


@each_net
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0], ids=["whole", "pruned", "nothing left"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_outputs_are_those_of_the_dense_form(net, share, dtype):
    theta = net.uniform([generator(1)], 3.0, dtype)[0]
    kept = torch.rand(net.weights, generator=generator(2)) >= share
    x = torch.randn(5, net.inputs.units, generator=generator(3), dtype=dtype)
    found, dense = unrolled(net, theta * kept), net.outputs((theta * kept)[None], x)[0]
    assert found.outputs(x).dtype == dtype
    torch.testing.assert_close(found.outputs(x), dense)
    assert torch.equal(found.classify(x), dense.argmax(0))


@pytest.mark.parametrize("name", UNITS)
def test_unit_functions_are_those_of_the_dense_form(name):
    a = torch.linspace(-3, 3, 41, dtype=torch.float64)
    expected = UNITS[name].f(a)
    torch.testing.assert_close(torch.from_numpy(TRANSFERS[name](a.clone().numpy())), expected)


def test_a_connection_is_left_for_each_use_of_a_weight_that_is_left():
    net = NETS["shared"]
    theta = net.uniform([generator(1)], 3.0)[0]
    kept = torch.rand(net.weights, generator=generator(2)) >= 0.6
    biases = torch.cat([torch.arange(net.weights)[layer.biases] for layer in net.layers])
    uses = (net.uses * kept).index_fill(0, biases, 0)
    assert unrolled(net, theta * kept).connections == int(uses.sum())


def test_what_lies_around_a_plane_is_no_connection():
    net = Stack((Convolution(Planes(1, 2, 2), 1, 3, padding=1, border=-1.0),), "linear")
    assert net.connections == 4 * 9 + 4
    found = unrolled(net, torch.ones(net.weights, dtype=torch.float64))
    assert found.connections == 16  # each of four units sees all four inputs
    outputs = found.outputs(torch.zeros(1, 4, dtype=torch.float64))
    assert outputs[:, 0].tolist() == [-4.0] * 4  # 1 - 5
