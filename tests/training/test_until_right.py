"""Whole-set training: each rule against a loop of its own, and when it ends."""

import torch

from oldschool.data.parity import parity
from oldschool.nets.shortcut import ShortcutNet
from oldschool.training.quickprop import Quickprop, quickprop_step
from oldschool.training.until_right import Momentum, QuickpropRule, train_until_right
from tests.problems import generator

NET, XOR = ShortcutNet((2, 2, 1)), parity(2)


def starts(count: int) -> torch.Tensor:
    return NET.uniform([generator(seed) for seed in range(count)], 1.0)


def momentum(theta: torch.Tensor, rate: float = 0.5) -> Momentum:
    return Momentum(theta, torch.zeros_like(theta), rate, 0.9)


def test_nets_end_one_by_one_as_they_would_alone():
    found = train_until_right(NET, XOR, momentum(starts(12)), threshold=0.4, epochs=400)
    assert len(set(found.epochs.tolist())) > 2
    assert bool(found.learned.any())
    outputs = NET.outputs(found.weights, XOR.x)
    wrong = ((outputs - XOR.t.T).abs() >= 0.4).sum((1, 2))
    assert found.error_bits.tolist() == wrong.tolist()
    assert found.learned.tolist() == (wrong == 0).tolist()
    for net in range(12):
        theta, step, epochs = starts(12)[net : net + 1], 0.0, 0
        while epochs < 400:
            errors, slopes = NET.errors_and_gradient(theta, XOR)
            if float(errors.abs().max()) < 0.4:
                break
            step = 0.9 * step - 0.5 * slopes
            theta, epochs = theta + step, epochs + 1
        assert epochs == int(found.epochs[net])
        torch.testing.assert_close(theta[0], found.weights[net], rtol=1e-6, atol=1e-9)


def test_quickprop_is_that_of_the_branches():
    theta, how = starts(1), {"epsilon": 0.3, "mu": 1.75}
    rule = QuickpropRule(Quickprop.start(theta.clone()), **how, decay=1e-3)
    found = train_until_right(NET, XOR, rule, threshold=1e-9, epochs=30, slope_offset=0.1)
    w, step, before = theta[0].tolist(), [0.0] * NET.weights, [0.0] * NET.weights
    for _ in range(30):
        now = torch.tensor([w], dtype=torch.float64)
        slopes = NET.errors_and_gradient(now, XOR, 0.1)[1][0].tolist()
        slopes = [s + 1e-3 * weight for s, weight in zip(slopes, w, strict=True)]
        step = [
            quickprop_step(s, p, d, **how) for s, p, d in zip(slopes, before, step, strict=True)
        ]
        w = [weight + d for weight, d in zip(w, step, strict=True)]
        before = slopes
    torch.testing.assert_close(found.weights[0], torch.tensor(w, dtype=torch.float64))
    assert found.epochs.tolist() == [30]
    assert not found.learned.any()


def test_a_net_that_is_no_number_any_more_has_diverged_and_does_not_spoil_the_others():
    theta = starts(3)
    alone = train_until_right(NET, XOR, momentum(theta[2:].clone()), threshold=0.4, epochs=200)
    theta[1, 4] = torch.nan
    found = train_until_right(NET, XOR, momentum(theta), threshold=0.4, epochs=200)
    assert found.diverged.tolist() == [False, True, False]
    assert not found.learned[1]
    assert found.epochs.tolist()[1:] == [0, *alone.epochs.tolist()]


def test_watch_sees_every_epoch_of_every_net():
    seen: list[tuple[int, list[int]]] = []
    found = train_until_right(
        NET, XOR, momentum(starts(5)), threshold=0.4, epochs=300,
        watch=lambda epoch, ids, bits: seen.append((epoch, ids.tolist())),
    )  # fmt: skip
    for net, epochs in enumerate(found.epochs.tolist()):
        assert sum(net in ids for _, ids in seen) == epochs + 1
