"""Prediction against enumeration of all thinned nets."""

import math
from itertools import islice

import pytest
import torch

from oldschool.dropout.network import Architecture, Parameters, fan_in_sds, fan_out_sds
from oldschool.dropout.predict import (
    geometric_mean,
    monte_carlo,
    thinned,
    weight_scaled,
    wrong,
    wrong_outputs,
)
from tests.dropout.cases import F64, all_masks, noise_for, start
from tests.problems import generator


def inputs(samples: int, units: int) -> torch.Tensor:
    return torch.randn(samples, units, generator=generator(1), dtype=F64)


def of_all_masks(
    net: Architecture, parameters: Parameters, x: torch.Tensor, p: list[float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs (masks, R, N, K) of every thinned net, and its probability (masks,)."""
    masks = all_masks(sum(net.sizes[:-1]))
    of_unit = torch.cat(
        [torch.full((units,), one, dtype=F64) for units, one in zip(net.sizes, p, strict=False)]
    )
    weights = torch.where(masks == 1, of_unit, 1 - of_unit).prod(1)
    parts = [mask.split(list(net.sizes[:-1])) for mask in masks]
    outputs = [net.activities(parameters, x, [r[None, None] for r in part])[-1] for part in parts]
    return torch.stack(outputs), weights


@pytest.mark.parametrize("p", [0.5, 0.8])
def test_scaled_weights_give_the_mean_of_all_thinned_linear_nets(p):
    net = Architecture((6, 3), output="linear")
    parameters, x = start(net), inputs(4, 6)
    outputs, weights = of_all_masks(net, parameters, x, [p])
    scaled = weight_scaled(parameters, torch.full((3, 1), p, dtype=F64))
    mean = torch.einsum("m,mrpk->rpk", weights, outputs)
    torch.testing.assert_close(net.outputs(scaled, x), mean)


def test_scaled_weights_give_the_geometric_mean_of_all_thinned_softmax_nets():
    net = Architecture((8, 4), output="softmax")
    parameters, x = start(net), inputs(5, 8)
    outputs, _ = of_all_masks(net, parameters, x, [0.5])
    scaled = net.outputs(weight_scaled(parameters, torch.full((3, 1), 0.5)), x)
    torch.testing.assert_close(scaled, geometric_mean(outputs), rtol=1e-12, atol=1e-14)
    assert not torch.allclose(scaled, outputs.mean(0), atol=1e-3)  # of which theirs is not


def test_scaled_weights_are_not_the_mean_of_thinned_nets_with_hidden_units():
    net = Architecture((3, 4, 2), output="softmax")
    parameters, x = start(net), inputs(5, 3)
    outputs, _ = of_all_masks(net, parameters, x, [0.5, 0.5])
    scaled = net.outputs(weight_scaled(parameters, torch.full((3, 2), 0.5)), x)
    assert float((scaled - geometric_mean(outputs)).abs().max()) > 1e-3


def test_thinned_nets_average_to_the_enumeration():
    net, p, samples = Architecture((3, 4, 2)), [0.8, 0.5], 20_000
    parameters, x = start(net, 2), inputs(1, 3)
    outputs, weights = of_all_masks(net, parameters, x, p)
    mean = torch.einsum("m,mrpk->rpk", weights, outputs)
    variance = torch.einsum("m,mrpk->rpk", weights, (outputs - mean) ** 2)
    noise = noise_for(net, "bernoulli", [p, p], samples)
    found = thinned(net, parameters, x.expand(samples, -1), noise).mean(1, keepdim=True)
    assert bool(((found - mean).abs() < 5 * (variance / samples).sqrt()).all())


def test_monte_carlo_is_the_running_mean_of_thinned_nets():
    net = Architecture((3, 4, 2))
    parameters, x = start(net, 2), inputs(6, 3)
    noise, same = (noise_for(net, "gaussian", [[0.8, 0.5]] * 2, 3) for _ in range(2))
    outputs = torch.stack([thinned(net, parameters, x, same) for _ in range(4)])
    for count, mean in enumerate(islice(monte_carlo(net, parameters, x, noise), 4), start=1):
        torch.testing.assert_close(mean, outputs[:count].mean(0))
    assert not torch.equal(outputs[0], outputs[1])


def test_cases_that_noise_does_not_fit():
    net = Architecture((3, 2))
    with pytest.raises(ValueError, match="3 cases"):
        thinned(net, start(net, 1), inputs(4, 3), noise_for(net, "bernoulli", [[0.5]], 3))


def test_wrong_cases_are_counted():
    net = Architecture((3, 4, 2))
    parameters, x = start(net), inputs(25, 3)
    parameters.biases[-1][2, 0] = torch.nan
    labels = torch.randint(2, (25,), generator=generator(2))
    expected = [
        sum(int(o.argmax()) != int(label) for o, label in zip(outputs, labels, strict=True))
        for outputs in net.outputs(parameters, x)
    ]
    assert wrong(net, parameters, x, labels, chunk=7).tolist() == [*expected[:2], 25]
    assert wrong_outputs(net.outputs(parameters, x)[0], labels) == expected[0]


def test_starting_weights_have_the_spread_asked_for_and_a_stream_a_net():
    net = Architecture((100, 400, 10))
    sds = (fan_in_sds(net.sizes), fan_out_sds(net.sizes, (0.5, 1.0)))
    assert sds[0] == pytest.approx((0.1, 0.05))
    assert sds[1] == pytest.approx((0.5 / 20, 1 / math.sqrt(10)))
    both = net.gaussian([generator(1), generator(2)], sds[1])
    alone = net.gaussian([generator(2)], sds[1])
    for ours, mine, sd in zip(both.weights, alone.weights, sds[1], strict=True):
        assert ours.dtype == torch.float32 and torch.equal(ours[1], mine[0])
        error = 5 * sd / math.sqrt(2 * ours[0].numel())
        assert float(ours[0].std()) == pytest.approx(sd, abs=error)
        assert abs(float(ours[0].mean())) < 5 * sd / math.sqrt(ours[0].numel())
    assert not any(bool(bias.any()) for bias in both.biases)
