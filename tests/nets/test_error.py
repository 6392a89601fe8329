"""Error functions against automatic differentiation and against torch's own."""

import pytest
import torch

from oldschool.nets.error import CROSS_ENTROPY, SQUARED
from tests.problems import generator

F64 = torch.float64


def problem(own_targets: bool) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(0)
    outputs = 0.02 + 0.96 * torch.rand(3, 2, 5, generator=random, dtype=F64)
    shape = (3, 5, 2) if own_targets else (5, 2)
    return outputs, torch.rand(shape, generator=random, dtype=F64)


@pytest.mark.parametrize("error", [SQUARED, CROSS_ENTROPY], ids=lambda error: error.name)
@pytest.mark.parametrize("own_targets", [False, True])
def test_slope_and_bend_are_the_derivatives(error, own_targets):
    outputs, targets = problem(own_targets)
    o = outputs.requires_grad_()
    total = 5 * error.value(o, targets).sum()  # sums over the samples
    (slope,) = torch.autograd.grad(total, o, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), o)
    torch.testing.assert_close(error.slope(o, targets), slope)
    torch.testing.assert_close(error.bend(o, targets).detach(), bend)


@pytest.mark.parametrize("error", [SQUARED, CROSS_ENTROPY], ids=lambda error: error.name)
def test_weight_is_the_bend_where_targets_are_the_outputs(error):
    outputs, _ = problem(False)
    torch.testing.assert_close(error.weight(outputs), error.bend(outputs, outputs.mT))


def test_weight_of_the_cross_entropy_is_that_of_the_paper():
    outputs, _ = problem(False)
    torch.testing.assert_close(CROSS_ENTROPY.weight(outputs), 1 / (outputs * (1 - outputs)))


def test_cross_entropy_is_torchs():
    outputs, targets = problem(False)
    for net, value in enumerate(CROSS_ENTROPY.value(outputs, targets)):
        torchs = torch.nn.functional.binary_cross_entropy(outputs[net].T, targets, reduction="sum")
        torch.testing.assert_close(value, torchs / 5)


def test_saturated_outputs_cost_what_the_unit_roundoff_costs_and_nothing_is_nan():
    outputs = torch.tensor([[[0.0, 1.0, 0.0, 1.0]]], dtype=F64)
    targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=F64)
    value = float(CROSS_ENTROPY.value(outputs, targets))
    assert value == pytest.approx(2 * 53 * 0.6931471805599453 / 4)
    for found in (
        CROSS_ENTROPY.slope(outputs, targets),
        CROSS_ENTROPY.bend(outputs, targets),
        CROSS_ENTROPY.weight(outputs),
    ):
        assert bool(found.isfinite().all())
