"""Dropout for torch modules against its definition and torch's own."""

import math

import pytest
import torch
from torch import nn

from oldschool.dropout.modules import BernoulliDropout, GaussianDropout, max_norm_, monte_carlo

COUNT = 200_000


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_bernoulli_dropout_keeps_with_p_and_scales_at_test(p):
    torch.manual_seed(1)
    layer, y = BernoulliDropout(p), torch.full((COUNT,), 3.0)
    noisy = layer(y)
    assert set(noisy.unique().tolist()) == {0.0, 3.0}  # what is kept is not scaled
    share = float((noisy > 0).float().mean())
    assert share == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / COUNT))
    torch.testing.assert_close(layer.eval()(y), p * y)


def test_torchs_dropout_is_ours_over_p():
    p, y = 0.25, torch.full((COUNT,), 3.0)
    theirs = nn.Dropout(1 - p)
    assert set(theirs(y).unique().tolist()) == {0.0, 3.0 / p}
    ours = BernoulliDropout(p).eval()(y)
    torch.testing.assert_close(theirs.eval()(y), ours / p)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_gaussian_dropout_has_mean_y_and_does_nothing_at_test(p):
    torch.manual_seed(2)
    layer, y = GaussianDropout(p), torch.full((COUNT,), 3.0)
    off, variance = layer(y) / 3 - 1, (1 - p) / p
    assert abs(float(off.mean())) < 5 * math.sqrt(variance / COUNT)
    assert float(off.pow(2).mean()) == pytest.approx(variance, rel=5 * math.sqrt(2 / COUNT))
    assert torch.equal(layer.eval()(y), y)


@pytest.mark.parametrize("kind", [BernoulliDropout, GaussianDropout])
def test_the_gradient_is_the_factor(kind):
    y = torch.rand(50, requires_grad=True)
    noisy = kind(0.5)(y)
    noisy.sum().backward()
    torch.testing.assert_close(y.grad * y.detach(), noisy.detach())


@pytest.mark.parametrize("kind", [BernoulliDropout, GaussianDropout])
@pytest.mark.parametrize("keep", [0.0, 1.5])
def test_probabilities_that_are_none(kind, keep):
    with pytest.raises(ValueError, match="above 0"):
        kind(keep)


def test_max_norm_of_a_module():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(3, 8, 5), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 6))
    before = {name: value.clone() for name, value in model.named_parameters()}
    limit = 0.58  # some units are longer, some are not
    max_norm_(model, limit)
    for name, value in model.named_parameters():
        if name in {"0.weight", "3.weight"}:
            old = before[name].flatten(1)
            norm = old.norm(dim=1, keepdim=True)
            assert 0 < int((norm > limit).sum()) < len(norm)
            expected = torch.where(norm > limit, old * limit / norm, old)
            torch.testing.assert_close(value.detach().flatten(1), expected)
        else:
            assert torch.equal(value, before[name])


def test_monte_carlo_averages_thinned_nets_and_leaves_the_modes():
    torch.manual_seed(4)
    model = nn.Sequential(
        nn.Linear(4, 30),
        nn.BatchNorm1d(30),
        BernoulliDropout(0.5),
        nn.Linear(30, 2),
        nn.Dropout(0.3),
    ).eval()
    model[4].train()
    x, statistics = torch.rand(6, 4), model[1].running_mean.clone()
    torch.manual_seed(5)
    found = monte_carlo(model, x, 3)
    assert [part.training for part in model] == [False, False, False, False, True]
    assert torch.equal(model[1].running_mean, statistics)
    torch.manual_seed(5)
    model[2].train()
    with torch.no_grad():
        expected = torch.stack([model(x) for _ in range(3)])
    torch.testing.assert_close(found, expected.mean(0))
    assert not torch.equal(expected[0], expected[1])
