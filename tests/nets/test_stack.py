"""Nets of planes: derivatives against automatic differentiation, counts, what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from oldschool.nets.planes import Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack
from tests.problems import generator

NETS = {
    "dense": Stack((Dense(Planes(4), 3), Dense(Planes(3), 3), Dense(Planes(3), 2)), "tanh"),
    "bordered": Stack(
        (
            Convolution(Planes(1, 5, 5), 2, 3, 2, 1, border=-1.0, shared_bias=False),
            Convolution(Planes(2, 3, 3), 3, 2, 1, 1, -1.0, ((0,), (0, 1), (1,))),
            Dense(Planes(3, 4, 4), 2),
        ),
        ("lecun_tanh", "tanh", "logistic"),
    ),
    "grouped": Stack(
        (
            Convolution(Planes(2, 6, 5), 2, 3, padding=1, border=-1.0, table=((0,), (1,))),
            Convolution(Planes(2, 6, 5), 4, 2, table=((0,), (0,), (1,), (1,)), shared_bias=False),
            Dense(Planes(4, 5, 4), 2),
        ),
        ("logistic", "lecun_tanh", "linear"),
    ),
    "averaged": Stack(
        (
            Subsampling(Planes(2, 6, 6), 2),
            Convolution(Planes(2, 3, 3), 2, 2),
            Subsampling(Planes(2, 2, 2), 2),
            Dense(Planes(2), 3),
        ),
        "lecun_tanh",
        ("S1", "C2", "S3", "output"),
    ),
}
each = pytest.mark.parametrize("net", NETS.values(), ids=NETS)
both = pytest.mark.parametrize("own", [False, True], ids=["shared inputs", "own inputs"])
COUNT, SAMPLES = 3, 5


def problem(net: Stack, own: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights, inputs, a change of the weights, a pull at the outputs."""
    theta = net.uniform([generator(seed) for seed in range(COUNT)], 4.0)
    draw = generator(99)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    x = normal(*((COUNT,) if own else ()), SAMPLES, net.inputs.units)
    return theta, x, normal(COUNT, net.weights), normal(COUNT, net.outputs_count, SAMPLES)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-10)


@each
@both
def test_pull_back_is_the_gradient_of_autograd(net, own):
    theta, x, _, pull = problem(net, own)
    found = net.pull_back(theta, net.forward(theta, x), pull)
    at = theta.clone().requires_grad_()
    for r in range(COUNT):
        outputs = net.outputs(at[r : r + 1], x[r] if own else x)[0]
        (slope,) = torch.autograd.grad((outputs * pull[r]).sum(), at)
        close(found[r], slope[r])


@each
@both
def test_push_forward_is_the_derivative_of_torch_func(net, own):
    theta, x, change, _ = problem(net, own)
    found = net.push_forward(theta, net.forward(theta, x), change)
    for r in range(COUNT):
        inputs = x[r] if own else x
        _, moved = torch.func.jvp(
            lambda w, inputs=inputs: net.outputs(w[None], inputs)[0], (theta[r],), (change[r],)
        )
        close(found[r], moved)


@each
@both
def test_push_and_pull_are_adjoint_and_leave_the_trace_alone(net, own):
    theta, x, change, pull = problem(net, own)
    trace = net.forward(theta, x)
    kept = [part.clone() for part in (*trace.activities, *trace.columns, theta, change, pull)]
    pushed, pulled = net.push_forward(theta, trace, change), net.pull_back(theta, trace, pull)
    close((pull * pushed).sum((1, 2)), (pulled * change).sum(1))
    for part, before in zip(
        (*trace.activities, *trace.columns, theta, change, pull), kept, strict=True
    ):
        assert part.equal(before)


@each
def test_nets_with_inputs_of_their_own_are_each_as_alone(net):
    theta, x, _, _ = problem(net, own=True)
    together = net.outputs(theta, x)
    for r in range(COUNT):
        close(together[r], net.outputs(theta[r : r + 1], x[r])[0])


@each
def test_layers_take_all_weights_in_turn(net):
    edges = [(layer.weights.start, layer.weights.stop, layer.biases.stop) for layer in net.layers]
    assert [start for start, _, _ in edges] == [0, *(stop for _, _, stop in edges[:-1])]
    assert edges[-1][-1] == net.weights == len(net.uses)
    for depth, (layer, (start, middle, stop)) in enumerate(zip(net.layers, edges, strict=True)):
        assert (middle - start, stop - middle) == (layer.scheme.weights, layer.scheme.biases)
        assert layer.biases.start == middle
        assert set(net.layer_of[start:stop].tolist()) == {depth}
    assert net.connections == sum(int(scheme.uses.sum()) for scheme in net.schemes)
    assert len(net.layer_of) == net.weights


def test_counts_of_a_net_by_hand():
    net = NETS["averaged"]
    assert net.weights == (2 + 2) + (2 * 2 * 4 + 2) + (2 + 2) + (6 + 3)
    assert net.connections == 18 * 5 + 8 * 9 + 2 * 5 + 3 * 3
    assert net.units_count == 72 + 18 + 8 + 2 + 3
    assert [layer.name for layer in net.layers] == ["S1", "C2", "S3", "output"]
    assert [layer.name for layer in NETS["dense"].layers] == ["1", "2", "3"]
    assert [layer.transfer.name for layer in NETS["grouped"].layers] == [
        "logistic", "lecun_tanh", "linear"
    ]  # fmt: skip


@each
def test_starting_weights_reach_as_far_as_the_fan_in_lets_them(net):
    many = net.uniform([generator(seed) for seed in range(200)], 2.4)
    bound = 2.4 / torch.cat([scheme.fan_in for scheme in net.schemes]).double()
    reached = (many.abs() / bound).amax(0)
    assert bool((reached <= 1).all())
    assert bool((reached > 0.9).all())  # .9^200 that one of a weight's draws is not
    assert float((many / bound).mean().abs()) < 0.05
    # A net is that of its own generator.
    assert net.uniform([generator(7)], 2.4)[0].equal(many[7])
    assert net.uniform([generator(7)], 2.4, torch.float32).dtype == torch.float32


# ---- what is refused ----


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stack(()), "a net needs a layer"),
        (lambda: Stack((Dense(Planes(4), 3), Dense(Planes(2), 1))), "cannot stand on"),
        (
            lambda: Stack((Convolution(Planes(1, 4, 4), 2, 3), Dense(Planes(1, 4, 4), 1))),
            "cannot stand on",
        ),
        (lambda: Stack((Dense(Planes(4), 3),), ("tanh", "tanh")), "1 layers need as many units"),
        (
            lambda: Stack((Dense(Planes(4), 3),), "tanh", ("a", "b")),
            "1 layers need as many names",
        ),
        (lambda: Stack((Dense(Planes(4), 3),), "tank").layers, "no unit function 'tank'"),
    ],
)
def test_an_architecture_that_does_not_fit_is_told(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("theta", "x"),
    [
        ((COUNT, 26), (SAMPLES, 4)),
        ((27,), (SAMPLES, 4)),
        ((COUNT, 27), (SAMPLES, 5)),
        ((COUNT, 27), (4,)),
        ((COUNT, 27), (2, SAMPLES, 4)),
        ((COUNT, 27), (COUNT, SAMPLES, 5)),
    ],
)
def test_weights_and_inputs_that_do_not_fit_are_told(theta, x):
    wanted = r"weights \(R, 27\) and inputs \(P, 4\) or \(R, P, 4\), not \("
    net = Stack((Dense(Planes(4), 3), Dense(Planes(3), 3)), "tanh")
    assert net.weights == 27
    with pytest.raises(ValueError, match=wanted):
        net.forward(torch.zeros(theta).double(), torch.zeros(x).double())
