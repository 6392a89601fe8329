"""An update against automatic differentiation, the form to read, and what must not change."""

import itertools

import numpy as np
import pytest
import torch

from oldschool.dropout.max_norm import max_norm_
from oldschool.dropout.network import Architecture
from oldschool.dropout.penalties import Penalties, Sparsity
from oldschool.dropout.reference import ReferenceNet
from oldschool.dropout.schedules import Constant, InverseDecay, Saturating
from oldschool.dropout.settings import Settings
from oldschool.dropout.sgd import Sgd
from tests.dropout.cases import BATCH, F64, NETS, data, gradient, noise_for, start
from tests.problems import generator

PENALTIES = {
    "none": Penalties(),
    "l2": Penalties(l2=0.03),
    "l1": Penalties(l1=0.02),
    "l1 later": Penalties(l1=0.02, l1_after=1),
    "sparsity": Penalties(sparsity=Sparsity(0.1, 0.5, damping=0.0)),
    "all": Penalties(l2=0.03, l1=0.02, sparsity=Sparsity(0.2, 0.1, damping=0.0)),
}
# Means of Gaussian noise times activities are negative at times and have no divergence.
CASES = [
    *itertools.product(("none", "bernoulli"), PENALTIES),
    *itertools.product(("gaussian",), ("none", "l2", "l1")),
]
NAMES = [f"{net.hidden}-{net.output}-{net.layers}" for net in NETS]


def settings(**changes) -> Settings:
    plain = {"rate": Constant(1.0), "momentum": Constant(0.0), "batch": BATCH}
    return Settings(**(plain | changes))


def factors_for(net: Architecture, kind: str) -> list[torch.Tensor | None]:
    if kind == "none":
        return [None] * net.layers
    keep = [[0.8, 0.5, 0.6][: net.layers], [0.5, 0.7, 1.0][: net.layers]] * 2
    return noise_for(net, kind, keep[:3]).draw()


def show(sgd: Sgd, x: torch.Tensor, t: torch.Tensor) -> None:
    sgd.inputs.copy_(x)
    sgd.targets.copy_(t)


@pytest.mark.parametrize(("kind", "penalty"), CASES)
@pytest.mark.parametrize("net", NETS, ids=NAMES)
def test_gradient_is_that_of_automatic_differentiation(net, kind, penalty):
    parameters, (x, t), factors = start(net), data(net), factors_for(net, kind)
    penalties = PENALTIES[penalty]
    noise = "gaussian" if kind == "gaussian" else "bernoulli"
    sgd = Sgd(net, parameters.clone(), settings(noise=noise, penalties=penalties))
    show(sgd, x, t)
    sgd.update(factors, 0)
    if penalty == "l1 later":
        penalties = PENALTIES["none"]
    expected = gradient(net, parameters, x, t, factors, penalties)
    for before, after, one in zip(
        parameters.tensors, sgd.parameters.tensors, expected, strict=True
    ):
        torch.testing.assert_close(before - after, one, rtol=1e-10, atol=1e-12)
    if penalty == "l1 later":
        now = sgd.parameters.clone()
        show(sgd, x, t)
        sgd.update(factors, 1)
        (later, *_) = gradient(net, now, x, t, factors, PENALTIES[penalty])
        torch.testing.assert_close(now.weights[0] - sgd.parameters.weights[0], later)


@pytest.mark.parametrize("max_norm", [None, 0.9])
@pytest.mark.parametrize("kind", ["none", "bernoulli", "gaussian"])
def test_updates_are_those_of_the_form_to_read(kind, max_norm):
    net, rate, momentum = NETS[0], InverseDecay(0.5, 2.0), Saturating(0.5, 0.9, 3.0)
    parameters = start(net, 2)
    noise = noise_for(net, "bernoulli" if kind == "none" else kind, [[0.8, 0.5, 0.6]] * 2)
    used = settings(
        rate=rate,
        momentum=momentum,
        noise=noise.kind,
        max_norm=max_norm,
        penalties=Penalties(l2=0.01),
    )
    sgd = Sgd(net, parameters.clone(), used)
    references = [
        ReferenceNet(
            [w[one].numpy().copy() for w in parameters.weights],
            [b[one].numpy().copy() for b in parameters.biases],
            [np.zeros(w.shape[1:]) for w in parameters.weights],
            [np.zeros(b.shape[1:]) for b in parameters.biases],
        )
        for one in range(2)
    ]
    random = generator(3)
    for step in range(6):
        x = torch.randn(2, BATCH, 5, generator=random, dtype=F64)
        labels = torch.randint(4, (2, BATCH), generator=random)
        factors = [None] * 3 if kind == "none" else noise.draw()
        show(sgd, x, torch.nn.functional.one_hot(labels, 4).to(F64))
        sgd.update(factors, step)
        for one, reference in enumerate(references):
            ones = [torch.ones(2, BATCH, units, dtype=F64) for units in net.sizes[:-1]]
            given = ones if kind == "none" else factors
            reference.update(
                x[one].numpy(),
                labels[one].tolist(),
                [r[one].numpy() for r in given],
                rate=rate.at(step),
                momentum=momentum.at(step),
                max_norm=max_norm,
                l2=0.01,
            )
            for tensors, arrays in (
                (sgd.parameters.weights, reference.weights),
                (sgd.parameters.biases, reference.biases),
                (sgd.velocities.weights, reference.weight_velocities),
                (sgd.velocities.biases, reference.bias_velocities),
            ):
                for tensor, array in zip(tensors, arrays, strict=True):
                    np.testing.assert_allclose(tensor[one].numpy(), array, rtol=1e-9, atol=1e-11)


def test_running_means_of_the_sparsity_penalty():
    net, sparsity = NETS[1], Sparsity(0.1, 0.5, damping=0.9)
    parameters, (x, t) = start(net), data(net)
    still = settings(rate=Constant(0.0), penalties=Penalties(sparsity=sparsity))
    sgd = Sgd(net, parameters, still)
    hidden = net.activities(parameters, x)[0].mean(1)
    expected = torch.full_like(hidden, 0.1)
    for step in range(4):
        show(sgd, x, t)
        sgd.update([None] * 3, step)
        expected = 0.9 * expected + 0.1 * hidden
        torch.testing.assert_close(sgd.means[0], expected)


@pytest.mark.parametrize(("net", "bias"), [(NETS[0], -1e3), (NETS[1], -1e3), (NETS[1], 1e3)])
def test_dead_and_saturated_units_take_no_part_in_the_sparsity_penalty(net, bias):
    parameters, (x, t) = start(net), data(net)
    parameters.biases[0][:, 2] = bias
    before = parameters.clone()
    penalties = Penalties(sparsity=Sparsity(0.1, 0.5, damping=0.0))
    sgd = Sgd(net, parameters, settings(penalties=penalties))
    show(sgd, x, t)
    sgd.update([None] * 3, 0)
    assert torch.equal(parameters.weights[0][:, 2], before.weights[0][:, 2])
    assert all(bool(tensor.isfinite().all()) for tensor in parameters.tensors)


@pytest.mark.parametrize("net", NETS[:4], ids=NAMES[:4])
def test_dropped_units_have_no_gradient(net):
    parameters, (x, t) = start(net), data(net)
    factors = [torch.ones(3, BATCH, units, dtype=F64) for units in net.sizes[:-1]]
    factors[1][:, :, 4] = 0.0
    factors[0][:, :, 1] = 0.0
    sgd = Sgd(net, parameters.clone(), settings())
    show(sgd, x, t)
    sgd.update(factors, 0)
    changed = [a != b for a, b in zip(parameters.tensors, sgd.parameters.tensors, strict=True)]
    assert not changed[0][:, 4].any() and not changed[net.layers][:, 4].any()  # into the unit
    assert not changed[1][:, :, 4].any()  # out of it
    assert not changed[0][:, :, 1].any()  # out of the input
    assert changed[1][:, :, :4].any() and changed[0][:, 5].any()


def test_max_norm_shortens_the_long_and_leaves_the_short():
    w = torch.randn(4, 50, 30, generator=generator(0))
    before, limit = w.clone(), torch.tensor([[5.0], [5.5], [6.0], [torch.inf]])
    found = max_norm_(w, limit)
    norm = before.norm(dim=2)
    long = norm > limit
    assert found is w and 0 < int(long[0].sum()) < 50
    assert torch.equal(w[~long], before[~long])
    ulps = 1 + 4 * torch.finfo(torch.float32).eps
    assert bool((w.norm(dim=2) <= limit * ulps).all())
    exact = before.double() * (limit.double() / norm.double()).unsqueeze(2)
    torch.testing.assert_close(w[long].double(), exact[long], rtol=1e-6, atol=1e-6)


def test_max_norm_holds_after_every_update_and_biases_are_free():
    net, c = NETS[0], 0.7
    parameters, (x, t) = start(net), data(net)
    sgd = Sgd(net, parameters, settings(momentum=Constant(0.9), max_norm=c))
    for step in range(5):
        show(sgd, x, t)
        sgd.update([None] * 3, step)
        assert all(float(w.norm(dim=2).max()) <= c * (1 + 1e-14) for w in parameters.weights)
    assert float(parameters.biases[2].abs().max()) > c


def test_max_norm_hides_no_diverged_unit():
    w = torch.ones(2, 3, 4)
    w[0, 1, 2], w[1, 0, 0] = torch.nan, torch.inf
    max_norm_(w, torch.tensor([[0.5]]))
    assert bool(w[0, 1].isnan().any()) and bool(w[1, 0].isnan().any())
    sound = torch.cat([w[0, [0, 2]], w[1, 1:]])
    torch.testing.assert_close(sound, torch.full_like(sound, 0.25))


def test_rates_and_limits_of_each_net():
    net, (x, t) = NETS[0], data(NETS[0])
    factors, rates, limits = factors_for(net, "bernoulli"), [0.5, 1.0, 2.0], [0.5, torch.inf, 0.8]
    own = settings(
        momentum=Constant(0.9), rate_factors=torch.tensor(rates), max_norm=torch.tensor(limits)
    )
    together = Sgd(net, start(net), own)
    singles = [
        Sgd(
            net,
            start(net).nets([one]),
            settings(
                momentum=Constant(0.9), rate=Constant(rates[one]), max_norm=float(limits[one])
            ),
        )
        for one in range(3)
    ]
    for step in range(3):
        show(together, x, t)
        together.update(factors, step)
        for one, alone in enumerate(singles):
            show(alone, x[one : one + 1], t[one : one + 1])
            alone.update([r[one : one + 1] for r in factors if r is not None], step)
            for ours, mine in zip(
                together.parameters.tensors, alone.parameters.tensors, strict=True
            ):
                torch.testing.assert_close(ours[one], mine[0], rtol=1e-6, atol=1e-7)


def test_a_diverged_net_is_nan_and_harms_no_other():
    net, (x, t) = NETS[0], data(NETS[0])
    used = settings(momentum=Constant(0.9), rate=Constant(0.1), max_norm=1.0)
    sound, ill = start(net), start(net)
    ill.weights[1][1, 0, 0] = torch.nan
    for parameters in (sound, ill):
        sgd = Sgd(net, parameters, used)
        for step in range(3):
            show(sgd, x, t)
            sgd.update([None] * 3, step)
    for ours, theirs in zip(sound.tensors, ill.tensors, strict=True):
        assert torch.equal(ours[[0, 2]], theirs[[0, 2]])
        assert bool(theirs[1].isnan().any())
