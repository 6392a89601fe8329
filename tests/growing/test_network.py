"""Grown nets as data, as modules, and the class around them."""

import doctest
from dataclasses import replace

import pytest
import torch

from oldschool.data.parity import parity
from oldschool.data.task import Task
from oldschool.growing import cascade as cascade_module
from oldschool.growing.batched import grow
from oldschool.growing.cascade import CascadeCorrelation
from oldschool.growing.outcome import OutputPhase
from oldschool.growing.settings import GENERAL
from oldschool.growing.units import unit_named
from tests.growing.cases import UNITS, seeds, settings, task
from tests.problems import generator

XOR = parity(2)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("unit", UNITS)
def test_nets_give_the_error_that_training_saw(unit, outputs):
    """Of the last forward pass: of trials that learned, whose weights did not change after it."""
    chosen = settings(epochs=20, threshold=0.46, hidden_unit=unit, max_hidden=4)
    grown = grow(task(outputs), chosen, seeds(12))
    assert int(grown.learned.sum()) >= 3
    assert len(set(grown.hidden[grown.learned].tolist())) > 1 or outputs == 1
    differences = grown.nets().outputs(task(outputs).x) - task(outputs).t.mT
    error = (differences**2).sum((1, 2))
    torch.testing.assert_close(error[grown.learned], grown.squared_error[grown.learned])


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("output_unit", ["sigmoid", "tanh", "linear"])
def test_a_module_predicts_what_the_net_predicts(unit, output_unit):
    chosen = settings(hidden_unit=unit, output_unit=output_unit, threshold=0.42)
    grown = grow(task(2), chosen, seeds(5))
    x = 3 * torch.randn(6, 3, generator=generator(9), dtype=torch.float64)
    outputs = grown.nets().outputs(x)
    for net in range(5):
        module = grown.nets().to_module(net)
        assert len(module.hidden) == int(grown.hidden[net])
        torch.testing.assert_close(module(x), outputs[net].mT)
        torch.testing.assert_close(module(x[0]), outputs[net, :, 0])


def test_a_module_is_an_ordinary_one():
    net = grow(task(2), settings(), seeds(1)).nets()
    module = net.to_module()
    x = task(2).x
    parameters = sum(parameter.numel() for parameter in module.parameters())
    assert parameters == 4 + 5 + 2 * 6
    module(x).sum().backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in module.parameters())
    before = net.output_weights.clone()
    torch.optim.SGD(module.parameters(), 0.1).step()
    assert torch.equal(net.output_weights, before)  # its weights are its own
    other = grow(task(2), settings(), seeds(1, 1)).nets().to_module()
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(x), module(x))


@pytest.mark.parametrize("unit", UNITS)
def test_values_are_the_units_in_order(unit):
    grown = grow(task(), settings(threshold=0.45, hidden_unit=unit), seeds(6))
    assert len(set(grown.hidden.tolist())) > 1
    nets, x = grown.nets(), task().x
    values = nets.values(x)
    most = int(grown.hidden.max())
    assert values.shape == (6, 1 + 3 + most, 13)
    assert bool((values[:, 0] == 1).all())
    torch.testing.assert_close(values[:, 1:4], x.mT.expand(6, -1, -1))
    for net in range(6):
        assert bool((values[net, 4 + int(grown.hidden[net]) :] == 0).all())
        w = nets.hidden_weights[net, 0]
        if int(grown.hidden[net]) > 0:
            first = unit_named(unit).value(w[0] + x @ w[1:4])
            torch.testing.assert_close(values[net, 4], first)
    own = x.repeat(6, 1, 1)
    torch.testing.assert_close(nets.values(own), values)
    with pytest.raises(ValueError, match=r"take inputs \(P, 3\)"):
        nets.outputs(x[:, :2])
    with pytest.raises(ValueError, match="not"):
        nets.outputs(own[:2])


def test_nets_can_be_had_as_they_were_at_every_stage():
    grown = grow(task(), settings(), seeds(3))
    phases = [phase for phase in grown.phases if isinstance(phase, OutputPhase)]
    for hidden, phase in enumerate(phases):
        nets = grown.nets(hidden)
        assert nets.hidden.tolist() == [hidden] * 3
        assert torch.equal(nets.output_weights, phase.weights)
        final = grown.nets().hidden_weights[:, :hidden, : 4 + hidden]
        assert torch.equal(nets.hidden_weights, final)
    assert torch.equal(grown.nets(99).output_weights, grown.nets().output_weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_class_learns_predicts_and_exports(dtype):
    x, y = XOR.x.to(dtype), XOR.t[:, 0].to(dtype)
    cascade = CascadeCorrelation(replace(GENERAL, hidden_unit="gaussian"))
    assert cascade.fit(x, y, generator(0)) is cascade
    assert cascade.learned
    assert cascade.reason == "learned"
    assert cascade.hidden == 1
    predicted = cascade.predict(x)
    assert predicted.dtype == dtype
    assert bool(((predicted - y).abs() < GENERAL.threshold).all())
    torch.testing.assert_close(cascade.to_module()(x)[:, 0], predicted)
    first, second, third = cascade.history
    assert (first.kind, second.kind, third.kind) == ("output", "candidate", "output")
    assert first.error_bits > 0
    assert third.error_bits == 0
    assert second.score > 0
    both = CascadeCorrelation().fit(x, torch.stack([y, -y], 1), generator(0))
    assert both.predict(x).shape == (4, 2)


def test_the_example_of_the_class_runs():
    failed, tried = doctest.testmod(cascade_module)
    assert (failed, tried > 0) == (0, True)


def test_the_class_says_what_is_wrong_in_a_line():
    cascade = CascadeCorrelation()
    with pytest.raises(ValueError, match="call fit first"):
        cascade.predict(XOR.x)
    with pytest.raises(ValueError, match=r"x must be \(P, inputs\)"):
        cascade.fit(XOR.x[0], XOR.t, generator(0))
    with pytest.raises(ValueError, match="a task needs"):
        cascade.fit(XOR.x, XOR.t[:3], generator(0))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_as_on_the_cpu():
    there = Task(task().x.cuda(), task().t.cuda())
    grown, other = (grow(where, settings(), seeds(5)) for where in (there, task()))
    assert grown.nets().output_weights.is_cuda
    torch.testing.assert_close(grown.squared_error.cpu(), other.squared_error)
