"""Dropout RBMs against the enumeration of every state, and against the equations, case by case."""

import itertools
import math

import pytest
import torch

from oldschool.dropout.contrastive_divergence import cd1_update, train_rbm
from oldschool.dropout.rbm import Rbm, gaussian_rbm
from oldschool.dropout.rbm_stack import feed_forward, stack_of_rbms
from tests.problems import generator

MACHINES, HIDDEN, VISIBLE = 2, 3, 4


def machines(seed=0, visible=VISIBLE, hidden=HIDDEN, count=MACHINES, scale=1.0):
    random = generator(seed)
    shapes = [(count, hidden, visible), (count, visible), (count, hidden)]
    return Rbm(*(scale * torch.randn(s, generator=random, dtype=torch.float64) for s in shapes))


def nought(rbm):
    return Rbm(*map(torch.zeros_like, parts(rbm)))


def copy(rbm):
    return Rbm(*(part.clone() for part in parts(rbm)))


def parts(rbm):
    return rbm.weights, rbm.visible_bias, rbm.hidden_bias


def states(units):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def unnormalised(rbm, machine, mask):
    """exp(-energy) over all (v, h), (2^visible, 2^hidden), nought where h is not allowed by r."""
    w, a, b = (part[machine] for part in parts(rbm))
    v, h = states(w.shape[1]), states(w.shape[0])
    table = torch.exp((v @ a)[:, None] + (h @ b)[None] + v @ w.T @ h.T)
    return table * (h <= mask).all(1)


MASKS = [None, *itertools.product([0.0, 1.0], repeat=HIDDEN)]


@pytest.mark.parametrize("mask", MASKS, ids=str)
def test_conditionals_and_free_energy_are_those_of_the_enumerated_joint(mask):
    rbm = machines()
    v, h = states(VISIBLE), states(HIDDEN)
    row = torch.ones(HIDDEN, dtype=torch.float64) if mask is None else torch.tensor(mask).double()
    r = None if mask is None else row.expand(MACHINES, len(v), HIDDEN)
    few = None if mask is None else row.expand(MACHINES, HIDDEN)
    hidden, visible = rbm.hidden_means(v, r), rbm.visible_means(h.expand(MACHINES, -1, -1))
    for one in range(MACHINES):
        joint = unnormalised(rbm, one, row)
        of_v = joint.sum(1)
        torch.testing.assert_close(hidden[one], joint @ h / of_v[:, None])
        allowed = (h <= row).all(1)
        of_h = joint.sum(0)[allowed]
        torch.testing.assert_close(visible[one, allowed], (joint.T @ v)[allowed] / of_h[:, None])
        torch.testing.assert_close(rbm.free_energy(v, r)[one], -of_v.log())
        torch.testing.assert_close(rbm.log_partition(few)[one], joint.sum().log())
        torch.testing.assert_close(rbm.log_likelihood(v, few)[one], (of_v / of_v.sum()).log())


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_means_at_test_are_the_average_over_every_mask(p):
    rbm, v = machines(), states(VISIBLE)
    average = torch.zeros(MACHINES, len(v), HIDDEN, dtype=torch.float64)
    for row in states(HIDDEN):
        kept = int(row.sum())
        weight = p**kept * (1 - p) ** (HIDDEN - kept)
        average += weight * rbm.hidden_means(v, row.expand_as(average))
    torch.testing.assert_close(rbm.test_means(v, p), average)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def reference_update(w, a, b, steps, v, r, u, rate, momentum):
    """CD-1 of one machine, in lists, an equation at a time; returns its parts and steps."""
    hidden, visible, cases = len(b), len(a), len(v)
    dw = [[0.0] * visible for _ in range(hidden)]
    da, db = [0.0] * visible, [0.0] * hidden

    def hidden_mean(j, case, units):
        if not r[case][j]:
            return 0.0
        return sigmoid(b[j] + sum(w[j][i] * units[i] for i in range(visible)))

    for c in range(cases):
        m = [hidden_mean(j, c, v[c]) for j in range(hidden)]
        h = [1.0 if u[c][j] < m[j] else 0.0 for j in range(hidden)]
        v1 = [sigmoid(a[i] + sum(w[j][i] * h[j] for j in range(hidden))) for i in range(visible)]
        m1 = [hidden_mean(j, c, v1) for j in range(hidden)]
        for j in range(hidden):
            for i in range(visible):
                dw[j][i] += (m[j] * v[c][i] - m1[j] * v1[i]) / cases
            db[j] += (m[j] - m1[j]) / cases
        for i in range(visible):
            da[i] += (v[c][i] - v1[i]) / cases
    sw, sa, sb = steps
    sw = [
        [momentum * s + rate * g for s, g in zip(*p, strict=True)] for p in zip(sw, dw, strict=True)
    ]
    sa = [momentum * s + rate * g for s, g in zip(sa, da, strict=True)]
    sb = [momentum * s + rate * g for s, g in zip(sb, db, strict=True)]
    w = [[x + s for x, s in zip(*p, strict=True)] for p in zip(w, sw, strict=True)]
    a = [x + s for x, s in zip(a, sa, strict=True)]
    b = [x + s for x, s in zip(b, sb, strict=True)]
    return (w, a, b), (sw, sa, sb)


@pytest.mark.parametrize("p", [0.5, 1.0])
def test_training_is_the_equations_with_the_same_random_numbers(p):
    epochs, batch, cases, rate, momentum = 3, 4, 10, 0.3, 0.8
    start = machines()
    x = torch.rand(cases, VISIBLE, generator=generator(5), dtype=torch.float64)
    generators = [generator(10 + one) for one in range(MACHINES)]
    how = {"rate": rate, "momentum": momentum, "epochs": epochs, "batch": batch}
    trained = train_rbm(start, x, p=p, generators=generators, **how)
    for one in range(MACHINES):
        random = generator(10 + one)
        now = tuple(part[one].tolist() for part in parts(start))
        steps = tuple(part[one].tolist() for part in parts(nought(start)))
        for _ in range(epochs):
            for few in torch.randperm(cases, generator=random).split(batch):
                shape = (len(few), HIDDEN)
                if p < 1:
                    r = torch.rand(shape, generator=random, dtype=torch.float64) < p
                else:
                    r = torch.ones(shape)
                u = torch.rand(shape, generator=random, dtype=torch.float64)
                drawn = x[few].tolist(), r.tolist(), u.tolist()
                now, steps = reference_update(*now, steps, *drawn, rate, momentum)
        for got, expected in zip(parts(trained), now, strict=True):
            torch.testing.assert_close(got[one], torch.tensor(expected, dtype=torch.float64))


def exact_mean_update(rbm, v, mask):
    """The mean of CD-1's update for one case, machine 0, over all hidden states, weighted."""
    w, a, b = (part[0] for part in parts(rbm))
    m = torch.sigmoid(b + w @ v) * mask
    h = states(len(b))
    weight = torch.where(h == 1, m, 1 - m).prod(1)
    v1 = torch.sigmoid(a + h @ w)
    m1 = torch.sigmoid(b + v1 @ w.T) * mask
    back = torch.einsum("s,sj,si->ji", weight, m1, v1)
    return torch.outer(m, v) - back, v - weight @ v1, m - weight @ m1


@pytest.mark.parametrize("mask", [(1.0, 1.0, 1.0), (1.0, 0.0, 1.0)])
def test_mean_of_the_sampled_update_is_that_over_all_hidden_states(mask):
    cases, blocks = 2000, 50
    rbm, mask = machines(count=1), torch.tensor(mask, dtype=torch.float64)
    v = torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    exact = exact_mean_update(rbm, v, mask)
    random, means = generator(3), []
    shape = (1, cases, HIDDEN)
    for _ in range(blocks):
        step, u = nought(rbm), torch.rand(shape, generator=random, dtype=torch.float64)
        batch = v.expand(1, cases, -1)
        cd1_update(copy(rbm), step, batch, mask.expand(shape), u, rate=1.0, momentum=0.0)
        means.append(torch.cat([part[0].flatten() for part in parts(step)]))
    means = torch.stack(means)
    off = means.mean(0) - torch.cat([part.flatten() for part in exact])
    standard_error = means.std(0) / blocks**0.5
    # A fixed seed; 4.5 standard errors of 19 numbers fail by chance once in several thousand.
    assert (off.abs() <= 4.5 * standard_error + 1e-12).all()
    assert off.abs().max() < 0.01 * means.abs().max()


def test_a_dropped_unit_is_off_and_learns_nothing():
    rbm, cases = machines(), 6
    v = torch.rand(MACHINES, cases, VISIBLE, generator=generator(1), dtype=torch.float64)
    u = torch.rand(MACHINES, cases, HIDDEN, generator=generator(2), dtype=torch.float64)
    r = torch.ones_like(u)
    r[:, :, 1] = 0
    assert (rbm.hidden_means(v, r)[:, :, 1] == 0).all()
    step, changed = nought(rbm), copy(rbm)
    cd1_update(changed, step, v, r, u, rate=0.5, momentum=0.9)
    assert (step.weights[:, 1] == 0).all() and (step.hidden_bias[:, 1] == 0).all()
    # What the others learn is what they learn in a machine without it.
    left = [0, 2]
    smaller = Rbm(rbm.weights[:, left], rbm.visible_bias.clone(), rbm.hidden_bias[:, left])
    alone = nought(smaller)
    cd1_update(smaller, alone, v, None, u[:, :, left], rate=0.5, momentum=0.9)
    torch.testing.assert_close(step.weights[:, left], alone.weights)
    torch.testing.assert_close(step.visible_bias, alone.visible_bias)
    torch.testing.assert_close(step.hidden_bias[:, left], alone.hidden_bias)


@pytest.mark.parametrize("p", [0.5, 1.0])
@pytest.mark.parametrize("own", [False, True])
def test_machines_train_together_as_one_after_the_other(p, own):
    start = machines()
    shape = (MACHINES, 9, VISIBLE) if own else (9, VISIBLE)
    x = torch.rand(shape, generator=generator(5), dtype=torch.float64)
    how = {"p": p, "rate": 0.3, "momentum": 0.8, "epochs": 4, "batch": 4}
    together = train_rbm(start, x, generators=[generator(7), generator(8)], **how)
    for one in range(MACHINES):
        first = Rbm(*(part[one : one + 1] for part in parts(start)))
        data = x[one : one + 1] if own else x
        alone = train_rbm(first, data, generators=[generator(7 + one)], **how)
        for got, expected in zip(parts(together), parts(alone), strict=True):
            torch.testing.assert_close(got[one], expected[0])
    for part, before in zip(parts(start), parts(machines()), strict=True):
        assert torch.equal(part, before)  # the start is left alone


@pytest.mark.parametrize("p", [0.6, 1.0])
def test_the_likelihood_of_a_tiny_set_rises_in_early_training(p):
    """E_r ln P(v | r), over all masks: what dropout's gradient climbs; ln P(v) for p = 1."""
    x = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=torch.float64).repeat(5, 1)
    hidden, random = 4, [generator(one) for one in range(3)]

    def likelihood(rbm):
        total = torch.zeros(len(random), dtype=torch.float64)
        for row in states(hidden):
            kept = int(row.sum())
            weight = p**kept * (1 - p) ** (hidden - kept)
            total += weight * rbm.log_likelihood(x, row.expand(len(random), -1)).mean(1)
        return total

    rbm = gaussian_rbm(random, x.shape[1], hidden, dtype=torch.float64)
    found = [likelihood(rbm)]
    for epochs in (100, 100):  # CD-1 is biased: with dropout the likelihood falls much later on
        how = {"rate": 0.1, "momentum": 0.5, "epochs": epochs, "batch": 10}
        rbm = train_rbm(rbm, x, p=p, generators=random, **how)
        found.append(likelihood(rbm))
    torch.testing.assert_close(
        found[0], torch.full_like(found[0], -6 * math.log(2)), rtol=0.01, atol=0
    )
    assert (found[1] > found[0] + 0.1).all()
    assert (found[2] > found[1] + 0.1).all()
    assert (found[2] < -math.log(2)).all()  # two cases, even odds: the best there is


def test_a_stack_learns_each_layer_on_the_means_of_the_one_below():
    x = torch.rand(12, 5, generator=generator(5), dtype=torch.float64)
    how = {"rate": 0.3, "momentum": 0.5, "epochs": 2, "batch": 5}
    first, second = stack_of_rbms(x, (4, 3), generators=[generator(1), generator(2)], **how)
    for one in range(2):
        random = [generator(1 + one)]
        below = train_rbm(
            gaussian_rbm(random, 5, 4, dtype=x.dtype), x, p=1.0, generators=random, **how
        )
        means = torch.sigmoid(x @ below.weights[0].T + below.hidden_bias[0])
        above = train_rbm(
            gaussian_rbm(random, 4, 3, dtype=x.dtype), means, p=1.0, generators=random, **how
        )
        torch.testing.assert_close(first.weights[one], below.weights[0])
        torch.testing.assert_close(second.weights[one], above.weights[0])
        torch.testing.assert_close(second.hidden_bias[one], above.hidden_bias[0])


def test_scaled_weights_keep_the_mean_net_input_under_dropout():
    layers, p = [machines(1), machines(2, visible=HIDDEN, hidden=2)], (0.8, 0.5)
    for layer, keep, (w, b) in zip(layers, p, feed_forward(layers, p), strict=True):
        units = layer.weights.shape[2]
        x = torch.rand(units, generator=generator(4), dtype=torch.float64)
        mean = torch.zeros_like(b)
        for mask in states(units):
            kept = int(mask.sum())
            mean += keep**kept * (1 - keep) ** (units - kept) * (w @ (mask * x) + b)
        torch.testing.assert_close(mean, layer.weights @ x + layer.hidden_bias)


def test_what_does_not_fit_is_refused():
    rbm, x = machines(), torch.zeros(3, VISIBLE, dtype=torch.float64)
    how = {"rate": 0.1, "momentum": 0.0, "epochs": 1, "batch": 2}
    both = [generator(0), generator(1)]
    with pytest.raises(ValueError, match="above 0 to 1, not 0"):
        train_rbm(rbm, x, p=0, generators=both, **how)
    with pytest.raises(ValueError, match="not 1 and"):
        train_rbm(rbm, x, p=0.5, generators=both[:1], **how)
    with pytest.raises(ValueError, match="not 2 and"):
        train_rbm(rbm, x[:, 1:], p=0.5, generators=both, **how)
    with pytest.raises(ValueError, match="as many p"):
        feed_forward([rbm], (0.5, 0.5))
    with pytest.raises(ValueError, match="too many states"):
        machines(visible=21).log_partition()
