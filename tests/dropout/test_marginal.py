"""The marginalised linear model against every mask, against sampling, and as SGD finds it."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from oldschool.dropout.marginal import (
    bernoulli,
    enumerated_loss,
    expected_loss,
    gaussian,
    ridge,
    sampled_losses,
)
from oldschool.dropout.stochastic_path import stochastic_path
from tests.problems import generator

P = torch.tensor([0.1, 0.5, 0.8, 1.0], dtype=torch.float64)
NOISES = [bernoulli, gaussian]


def problem(cases=7, inputs=4, outputs=2, seed=0):
    random = generator(seed)
    shapes = [(cases, inputs), (cases, outputs), (inputs, outputs)]
    return [torch.randn(s, generator=random, dtype=torch.float64) for s in shapes]


def with_nought_and_twin(cases=9, inputs=5):
    """Inputs of which one is always nought and two are the same."""
    x, y, _ = problem(cases, inputs)
    x[:, 1] = 0
    x[:, 4] = x[:, 2]
    return x, y


def generators(count, seed=0):
    return [generator(1000 * seed + one) for one in range(count)]


@pytest.mark.parametrize("own", [False, True])
def test_the_closed_form_is_the_mean_over_every_mask(own):
    x, y, w = problem()
    if own:
        w = torch.stack([w, -w, 2 * w, w + 1])
    expected = expected_loss(x, y, w, P)
    torch.testing.assert_close(enumerated_loss(x, y, w, P), expected, rtol=1e-13, atol=0)


def test_the_closed_form_is_the_mean_over_every_mask_of_the_whole_matrix():
    x, y, w = problem(cases=3, inputs=3, outputs=1)
    total = torch.zeros_like(P)
    for bits in itertools.product([0.0, 1.0], repeat=x.numel()):
        r = torch.tensor(bits, dtype=torch.float64).view_as(x)
        kept = int(r.sum())
        total += P**kept * (1 - P) ** (x.numel() - kept) * (y - (r * x) @ w).square().sum()
    torch.testing.assert_close(total, expected_loss(x, y, w, P), rtol=1e-13, atol=0)


def test_in_scaled_weights_it_is_ridge_regression_with_the_factor_of_the_paper():
    x, y, w = problem()
    scaled = P[:, None, None] * w
    gamma = torch.diag((x.T @ x).diagonal().sqrt())
    paper = (y - x @ scaled).square().sum((1, 2)) + (1 - P) / P * (gamma @ scaled).square().sum(
        (1, 2)
    )
    torch.testing.assert_close(expected_loss(x, y, w, P), paper)


@pytest.mark.parametrize("noise", NOISES)
def test_sampled_losses_have_the_expected_loss_as_their_mean(noise):
    x, y, w = problem()
    losses = sampled_losses(x, y, w, P, samples=4000, generators=generators(len(P)), noise=noise)
    off = losses.mean(0) - expected_loss(x, y, w, P)
    standard_error = losses.std(0) / len(losses) ** 0.5
    # A fixed seed; 4 standard errors of four numbers fail by chance once in 4000.
    assert (off.abs() <= 4 * standard_error + 1e-9).all()
    assert (standard_error[:-1] < 0.02 * losses.mean(0)[:-1]).all()


@pytest.mark.parametrize("noise", NOISES)
def test_noise_has_mean_p_and_variance_p_times_one_less_p(noise):
    draws = 40000
    r = noise((draws,), P, generators(len(P)))
    off = r.mean(1) - P
    assert (off.abs() <= 4 * (P * (1 - P) / draws).sqrt() + 1e-12).all()
    squares = (r - P[:, None]).square()
    off = squares.mean(1) - P * (1 - P)
    assert (off.abs() <= 4 * squares.std(1) / draws**0.5 + 1e-12).all()
    assert set(bernoulli((50,), P, generators(len(P))).unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("cases", [40, 4], ids=["many cases", "fewer than inputs"])
def test_ridge_is_where_the_gradient_vanishes_and_nothing_is_lower(cases):
    x, y, _ = problem(cases, 6)
    w = ridge(x, y, P).requires_grad_()
    (slope,) = torch.autograd.grad(expected_loss(x, y, w, P).sum(), w)
    assert slope.abs().max() < 1e-11 * (x.T @ y).abs().max()
    for one, p in enumerate(P[:3]):  # p = 1 has no single minimum with few cases

        def value(flat, p=p):
            at = torch.tensor(flat).view(6, 2).requires_grad_()
            loss = expected_loss(x, y, at, p[None]).sum()
            (slope,) = torch.autograd.grad(loss, at)
            return loss.item(), slope.numpy().ravel()

        found = minimize(value, np.zeros(12), jac=True, method="BFGS", options={"gtol": 1e-9})
        torch.testing.assert_close(
            w[one].detach(), torch.tensor(found.x).view(6, 2), rtol=1e-6, atol=1e-8
        )


def test_ridge_is_least_squares_with_the_penalty_as_more_cases():
    x, y = with_nought_and_twin()
    w = ridge(x, y, P)
    for one, p in enumerate(P.tolist()):
        gamma = np.diag(np.linalg.norm(x.numpy(), axis=0))
        more = np.vstack([x.numpy(), ((1 - p) / p) ** 0.5 * gamma])
        targets = np.vstack([y.numpy(), np.zeros((x.shape[1], y.shape[1]))])
        scaled = np.linalg.lstsq(more, targets)[0]  # the least of many: nought where free
        torch.testing.assert_close(w[one], torch.tensor(scaled / p))


def test_inputs_that_are_always_nought_get_no_weight_and_dependent_ones_the_limit():
    x, y = with_nought_and_twin()
    near = torch.tensor([1 - 1e-9, 1.0], dtype=torch.float64)
    w = ridge(x, y, near)
    assert (w[:, 1] == 0).all()
    torch.testing.assert_close(w[0], w[1], rtol=1e-6, atol=1e-8)
    assert (ridge(torch.zeros_like(x), y, P) == 0).all()


def test_ridge_keeps_its_digits_where_the_normal_equations_lose_them():
    x, _, w = problem(30, 3)
    x[:, 2] = x[:, 1] + 1e-9 * x[:, 2]
    found = ridge(x, x @ w, torch.ones(1, dtype=torch.float64))[0]
    torch.testing.assert_close(found, w, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("noise", NOISES)
def test_averaged_descent_comes_to_ridge_as_one_over_the_root_of_updates(noise):
    x, y, _ = problem(50, 5)
    x[:, 3] = 0
    p = torch.tensor([0.5, 0.8], dtype=torch.float64).repeat_interleave(20)
    updates = [2**k for k in range(4, 12)]
    path = stochastic_path(
        x,
        y,
        p,
        rate=0.25 / x.square().sum(1).max().item(),
        batch=4,
        updates=updates,
        generators=generators(len(p)),
        noise=noise,
    )
    assert path.updates.tolist() == updates
    # Root mean square over 20 runs for each p: known to a sixth or so, the slope to 0.1.
    rms = path.averaged.square().view(-1, 2, 20).mean(2).sqrt()
    run = torch.tensor(updates, dtype=torch.float64).log()
    for mean in rms[3:].T:
        slope = np.polyfit(run[3:], mean.log(), 1)[0]
        assert -1.1 < slope < -0.35
    assert (rms[-1] < rms[0] / 4).all()
    # The weights themselves keep moving about.
    last = path.last.square().view(-1, 2, 20).mean(2).sqrt()
    assert (rms[-1] < last[-1] / 2).all()


def test_the_path_is_stochastic_gradient_descent_with_the_same_random_numbers():
    x, y, _ = problem(10, 4)
    p, rate, batch = torch.tensor([0.5, 0.8], dtype=torch.float64), 0.05, 3
    path = stochastic_path(
        x, y, p, rate=rate, batch=batch, updates=[1, 5], generators=generators(2)
    )
    for run, keep in enumerate(p):
        random, w, seen = generator(run), torch.zeros(4, 2, dtype=torch.float64), []
        aim = ridge(x, y, keep[None])[0]

        least = expected_loss(x, y, aim, keep[None])

        def above(at, keep=keep, least=least):
            return (expected_loss(x, y, at, keep[None]) - least).item()

        for _ in range(5):
            cases = torch.randint(10, (batch,), generator=random)
            r = torch.rand(batch, 4, generator=random, dtype=torch.float64) < keep
            at = w.clone().requires_grad_()
            loss = 0.5 * (y[cases] - (r * x[cases]) @ at).square().sum() / batch
            w = w - rate * torch.autograd.grad(loss, at)[0]
            seen.append(w)
        start = above(torch.zeros_like(w))
        averages = [seen[0], torch.stack(seen).mean(0)]
        for row, (at, average) in enumerate(zip([seen[0], seen[4]], averages, strict=True)):
            assert path.last[row, run].item() == pytest.approx((above(at) / start) ** 0.5)
            assert path.averaged[row, run].item() == pytest.approx((above(average) / start) ** 0.5)


def test_what_does_not_fit_is_refused():
    x, y, w = problem()
    with pytest.raises(ValueError, match="above 0 to 1"):
        ridge(x, y, torch.zeros(1, dtype=torch.float64))
    with pytest.raises(ValueError, match="targets"):
        expected_loss(x, y[1:], w, P)
    with pytest.raises(ValueError, match="too many masks"):
        enumerated_loss(torch.zeros(7, 17), y, w, P)
    with pytest.raises(ValueError, match="must rise"):
        stochastic_path(x, y, P, rate=0.1, batch=2, updates=[4, 2], generators=generators(4))
