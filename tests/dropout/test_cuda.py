"""Training on a GPU: the course of the CPU where nothing is drawn, else its own streams."""

from dataclasses import replace

import pytest
import torch

from oldschool.dropout.predict import wrong
from oldschool.dropout.settings import Settings
from oldschool.dropout.train import Trainer
from tests.dropout.cases import start
from tests.dropout.test_train import KEEP, NET, SETTINGS, clouds

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


def trainer(settings: Settings, device: str = "cuda", nets=(0, 1, 2)) -> Trainer:
    x, labels = (tensor.to(device) for tensor in clouds())
    parameters = start(NET, 3).nets(nets).to(device)
    return Trainer(NET, parameters, x, labels, settings, [100 + net for net in nets])


def test_without_dropout_the_course_is_that_of_the_cpu():
    settings = replace(SETTINGS, keep=None)
    here, there = trainer(settings, "cpu"), trainer(settings)
    here.run(30)
    there.run(30)
    for ours, theirs in zip(here.parameters.tensors, there.parameters.tensors, strict=True):
        torch.testing.assert_close(ours, theirs.cpu(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_companions_do_not_matter(noise):
    together = trainer(replace(SETTINGS, noise=noise, keep=KEEP))
    together.run(30)
    for net in range(3):
        alone = trainer(replace(SETTINGS, noise=noise, keep=KEEP[net]), nets=(net,))
        alone.run(30)
        for ours, mine in zip(together.parameters.tensors, alone.parameters.tensors, strict=True):
            torch.testing.assert_close(ours[net], mine[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("noise", ["bernoulli", "gaussian"])
def test_a_killed_run_goes_on_and_learns(noise):
    settings = replace(SETTINGS, noise=noise, keep=(0.9, 0.8, 0.8))
    whole, killed, resumed = (trainer(settings) for _ in range(3))
    whole.run(300)
    killed.run(7)
    resumed.load_state_dict(killed.state_dict())
    resumed.run(300)
    assert all(map(torch.equal, whole.parameters.tensors, resumed.parameters.tensors))
    x, labels = (tensor.cuda() for tensor in clouds(3000))
    assert int(wrong(NET, whole.at_test(), x, labels).max()) < 60
