"""Training as a whole: companions, checkpoints, the order of cases, schedules, and learning."""

import io
from dataclasses import replace

import pytest
import torch

from oldschool.dropout.network import Architecture
from oldschool.dropout.noise import Noise
from oldschool.dropout.order import Order
from oldschool.dropout.penalties import Penalties, Sparsity
from oldschool.dropout.predict import wrong
from oldschool.dropout.schedules import Constant, Halving, InverseDecay, LinearRamp, Saturating
from oldschool.dropout.settings import Settings
from oldschool.dropout.sgd import Sgd
from oldschool.dropout.silent import input_parts
from oldschool.dropout.train import Trainer
from tests.dropout.cases import F64, start
from tests.problems import generator

NET = Architecture((6, 8, 7, 3))
SETTINGS = Settings(
    InverseDecay(0.3, 50.0), Saturating(0.5, 0.95, 20.0), (0.8, 0.5, 0.5), max_norm=2.0, batch=10
)
KEEP = torch.tensor([[0.8, 0.5, 0.5], [1.0, 0.7, 0.5], [0.9, 1.0, 1.0]], dtype=F64)


def clouds(samples: int = 45, dtype: torch.dtype = F64) -> tuple[torch.Tensor, torch.Tensor]:
    """Three clouds of points in 6 dimensions, and which of them each is from."""
    random = generator(5)
    labels = torch.arange(samples) % 3
    centres = 2 * torch.eye(3, 6, dtype=dtype)
    return centres[labels] + 0.3 * torch.randn(samples, 6, generator=random, dtype=dtype), labels


def trainer(settings: Settings = SETTINGS, dtype: torch.dtype = F64, nets=(0, 1, 2)) -> Trainer:
    x, labels = clouds(dtype=dtype)
    parameters = start(NET, 3, dtype).nets(nets)
    return Trainer(NET, parameters, x, labels, settings, [100 + net for net in nets])


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_companions_do_not_matter(noise):
    settings = replace(SETTINGS, noise=noise, keep=KEEP, max_norm=torch.tensor([2.0, 1.0, 0.8]))
    together = trainer(settings)
    together.run(40)
    for net in range(3):
        own = replace(settings, keep=KEEP[net], max_norm=float(settings.max_norm[net]))
        alone = trainer(own, nets=(net,))
        alone.run(40)
        for ours, mine in zip(together.parameters.tensors, alone.parameters.tensors, strict=True):
            torch.testing.assert_close(ours[net], mine[0], rtol=1e-9, atol=1e-11)


def silenced(x: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
    """The same inputs among others that are always 0, 40 in all."""
    wide = x.new_zeros(len(x), 40)
    wide[:, active] = x
    return wide


@pytest.mark.parametrize("own_cases", [False, True])
@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_silent_inputs_are_left_out_and_their_weights_stay_but_for_max_norm(noise, own_cases):
    net, seeds = replace(NET, sizes=(40, *NET.sizes[1:])), [7, 8, 9]
    settings = replace(SETTINGS, noise=noise, keep=KEEP, max_norm=torch.tensor([1.2, 2.5, 9.0]))
    x, labels = clouds()
    x = silenced(x, torch.arange(6) * 7)
    members = torch.stack([torch.randperm(45, generator=generator(k))[:20] for k in range(3)])
    members = members if own_cases else None
    one = Trainer(net, start(net, 3, F64), x, labels, settings, seeds, members)
    one.run(30)
    parts = input_parts(x, Penalties())
    assert len(parts.active) == 16 and len(parts.silent) == 24

    whole = Sgd(net, start(net, 3, F64), settings)
    order = Order(seeds, 45, 10, members=members)
    units = (16, *NET.sizes[1:-1])
    drawn = Noise(noise, KEEP, units, 10, seeds, dtype=F64)
    targets = torch.nn.functional.one_hot(labels, 3).to(F64)
    for step in range(30):
        index = order.next()
        whole.inputs.copy_(x[index])
        whole.targets.copy_(targets[index])
        first, *above = drawn.draw()
        factors = torch.full((3, 10, 40), 9.0, dtype=F64)  # whatever is dropped of nothing
        factors[:, :, parts.active] = first
        whole.update([factors, *above], step)
    shortened = one.parameters.weights[0] != start(net, 3, F64).weights[0]
    assert shortened[:, :, parts.silent].any() and not shortened[:, :, parts.silent].all()
    for ours, theirs in zip(one.parameters.tensors, whole.parameters.tensors, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


def test_a_killed_run_with_silent_inputs_goes_on_bit_for_bit():
    net = replace(NET, sizes=(40, *NET.sizes[1:]))
    x, labels = clouds(dtype=torch.float32)
    x = silenced(x, torch.arange(6) * 7)
    settings = replace(SETTINGS, max_norm=1.2)
    whole, killed, resumed = (
        Trainer(net, start(net, 3, torch.float32), x, labels, settings, [7, 8, 9]) for _ in range(3)
    )
    whole.run(20)
    killed.run(7)
    resumed.load_state_dict(killed.state_dict())
    resumed.run(20)
    assert all(map(torch.equal, whole.parameters.tensors, resumed.parameters.tensors))


@pytest.mark.parametrize(
    ("penalties", "zeros"),
    [(Penalties(l2=1e-3), 30), (Penalties(l1=1e-3), 30), (Penalties(), 0), (Penalties(), 6)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_no_input_is_left_out_that_has_to_be_trained_on(penalties, zeros, sign):
    x = sign * torch.rand(9, 48, generator=generator(1))
    x[:, :zeros] = 0.0
    assert input_parts(x, penalties) is None


def test_without_any_input_biases_are_trained():
    _, labels = clouds()
    x = torch.zeros(len(labels), 40, dtype=F64)
    net = replace(NET, sizes=(40, *NET.sizes[1:]))
    trainer = Trainer(net, start(net, 1, F64), x, labels, SETTINGS, [7])
    trainer.run(3)
    assert trainer.parameters.biases[-1].any()


def test_without_noise_silent_inputs_change_nothing_but_rounding():
    net, settings = (
        replace(NET, sizes=(40, *NET.sizes[1:])),
        replace(SETTINGS, keep=None, max_norm=1.2),
    )
    x, labels = clouds()
    x = silenced(x, torch.arange(6) * 7)
    whole = Trainer(net, start(net, 3, F64), x, labels, settings, [7, 8, 9])
    decaying = replace(settings, penalties=Penalties(l2=1e-300))  # trains on all inputs
    parted = Trainer(net, start(net, 3, F64), x, labels, decaying, [7, 8, 9])
    for one in (whole, parted):
        one.run(30)
    for ours, theirs in zip(whole.parameters.tensors, parted.parameters.tensors, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("stop", [3, 4, 7, 8, 11])  # a pass is 4 updates
@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_a_killed_run_goes_on_bit_for_bit(noise, stop):
    penalties = Penalties(l2=1e-3, l1=1e-4, l1_after=9, sparsity=Sparsity(0.2, 1e-2))
    settings = replace(SETTINGS, noise=noise, penalties=penalties)
    whole, killed, resumed = (trainer(settings, torch.float32) for _ in range(3))
    whole.run(20)
    killed.run(stop)
    file = io.BytesIO()
    torch.save(killed.state_dict(), file)
    killed.run(stop + 2)  # must not reach into the checkpoint
    file.seek(0)
    resumed.load_state_dict(torch.load(file))
    assert resumed.step == stop
    resumed.run(20)
    assert all(map(torch.equal, whole.parameters.tensors, resumed.parameters.tensors))
    again, expected = resumed.state_dict(), whole.state_dict()
    assert again["order"] == expected["order"]
    assert all(map(torch.equal, again["parameters"], expected["parameters"]))


def test_a_state_dict_is_a_copy():
    one, two = trainer(), trainer()
    one.run(3)
    state = one.state_dict()
    one.run(9)
    two.load_state_dict(state)
    two.run(9)
    assert all(map(torch.equal, one.parameters.tensors, two.parameters.tensors))


def test_a_checkpoint_of_other_nets_is_refused():
    state = trainer(nets=(0, 1)).state_dict()
    with pytest.raises(ValueError, match="other nets"):
        trainer().load_state_dict(state)


def test_starting_weights_are_not_changed():
    x, labels = clouds()
    parameters = start(NET)
    Trainer(NET, parameters, x, labels, SETTINGS, range(3)).run(2)
    assert all(map(torch.equal, parameters.tensors, start(NET).tensors))


def test_a_pass_shows_every_case_once_in_an_order_of_each_nets_own():
    order = Order([1, 2], 12, 4)
    passes = [torch.cat([order.next() for _ in range(3)], 1) for _ in range(2)]
    for shown in passes:
        assert torch.equal(shown.sort(1).values, torch.arange(12).expand(2, 12))
        assert not torch.equal(shown[0], shown[1])
    assert not torch.equal(passes[0], passes[1])


def test_an_incomplete_mini_batch_is_left_out_and_another_one_next_time():
    order = Order([1], 7, 3)
    passes = [torch.cat([order.next() for _ in range(2)], 1)[0] for _ in range(20)]
    assert all(len(set(shown.tolist())) == 6 for shown in passes)
    assert set(torch.cat(passes).tolist()) == set(range(7))


def test_each_net_may_have_cases_of_its_own():
    members = torch.tensor([[0, 5, 9, 30], [1, 2, 3, 44]])
    order = Order([1, 2], 45, 2, members=members)
    shown = torch.cat([order.next() for _ in range(2)], 1)
    assert torch.equal(shown.sort(1).values, members)


def test_a_mini_batch_larger_than_the_data():
    with pytest.raises(ValueError, match="1 to 7"):
        Order([1], 7, 8)


def test_watch_is_called_when_asked_for():
    seen: list[int] = []
    trainer().run(10, every=4, watch=lambda one: seen.append(one.step))
    assert seen == [4, 8, 10]
    one = trainer()
    one.run(3, watch=lambda one: seen.append(one.step))
    one.run(3, watch=lambda one: seen.append(one.step))
    assert seen == [4, 8, 10, 3]


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_nets_learn_with_dropout(noise):
    one = trainer(replace(SETTINGS, noise=noise, keep=(0.9, 0.8, 0.8)), torch.float32)
    x, labels = clouds(3000, torch.float32)
    assert int(wrong(NET, one.at_test(), x, labels).min()) > 500
    one.run(300)
    assert int(wrong(NET, one.at_test(), x, labels).max()) < 60


def test_data_that_do_not_fit():
    x, labels = clouds()
    for wrong_x, wrong_t in ((x[:, :5], labels), (x, labels[:-1]), (x, x)):
        with pytest.raises(ValueError, match="6-8-7-3 take"):
            Trainer(NET, start(NET), wrong_x, wrong_t, SETTINGS, range(3))
    with pytest.raises(ValueError, match="2 seeds"):
        Trainer(NET, start(NET), x, labels, SETTINGS, range(2))


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (Constant(0.3), {0: 0.3, 99: 0.3}),
        (InverseDecay(2.0, 10.0), {0: 2.0, 10: 1.0, 30: 0.5}),
        (Halving(8.0, 10), {0: 8.0, 5: 8.0 / 2**0.5, 10: 4.0, 30: 1.0}),
        (Halving(8.0, 10, in_steps=True), {0: 8.0, 9: 8.0, 10: 4.0, 29: 2.0}),
        (Saturating(0.5, 0.99, 10.0), {0: 0.5, 10: 0.99 - 0.49 / 2.718281828459045, 10**6: 0.99}),
        (LinearRamp(0.5, 0.9, 4), {0: 0.5, 1: 0.6, 4: 0.9, 50: 0.9}),
    ],
)
def test_schedules(schedule, values):
    assert {step: schedule.at(step) for step in values} == pytest.approx(values)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sizes": (3,)}, "two or more layers"),
        ({"hidden": "tanh"}, "no units 'tanh'"),
        ({"output": "relu"}, "no units 'relu'"),
    ],
)
def test_architectures_that_are_none(changed, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**({"sizes": (3, 2)} | changed))
