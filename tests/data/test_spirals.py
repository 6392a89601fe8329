"""The two spirals and parity, against their formulas and a file of another generator."""

import csv
import os
from pathlib import Path

import pytest
import torch

from oldschool.data.parity import parity
from oldschool.data.spirals import two_spirals
from oldschool.data.task import Task, random_split
from tests.problems import generator


def test_two_spirals_are_two_mirrored_spirals():
    task = two_spirals()
    assert (task.x.shape, task.t.shape) == ((194, 2), (194, 1))
    assert task.t[:, 0].tolist() == [0.5, -0.5] * 97
    assert torch.equal(task.x[1::2], -task.x[::2])
    assert task.x[0].tolist() == [0.0, 6.5]
    torch.testing.assert_close(task.x[16], torch.tensor([6.0, 0.0]).double())  # i = 8, a = pi/2
    radius = task.x[::2].norm(dim=1)
    torch.testing.assert_close(radius.diff(), torch.full((96,), -6.5 / 104).double())


def test_two_spirals_are_the_cmu_file_in_a_mirror():
    folder = os.environ.get("OLDSCHOOL_DATA")
    path = Path(folder or "", "two_spirals", "cmu_two-spirals.csv")
    if not folder or not path.exists():
        pytest.skip("no local copy of the CMU file (OLDSCHOOL_DATA)")
    rows = [row for row in csv.reader(path.open()) if row[0].strip() in "+-"]
    x = torch.tensor([[float(row[2].strip(" ;")), float(row[1])] for row in rows]).double()
    t = torch.tensor([[0.5 if row[0].strip() == "+" else -0.5] for row in rows]).double()
    task = two_spirals()
    torch.testing.assert_close(task.x, x, rtol=0, atol=1e-4)  # their pi is 3.1416
    assert torch.equal(task.t, t)


def test_parity_has_every_case_once():
    task = parity(3)
    assert task.x.tolist()[:3] == [[-0.5, -0.5, -0.5], [-0.5, -0.5, 0.5], [-0.5, 0.5, -0.5]]
    assert len({tuple(x) for x in task.x.tolist()}) == 8
    assert task.t[:, 0].tolist() == [-0.5, 0.5, 0.5, -0.5, 0.5, -0.5, -0.5, 0.5]
    assert torch.equal(parity(3, 1.0).x, 2 * task.x)
    assert torch.equal(parity(3, 1.0).t, task.t)


def test_parity_of_ten_bits_is_the_sign_of_a_product():
    task = parity(10, 1.0)
    assert torch.equal(task.t[:, 0], -task.x.prod(1) / 2)


@pytest.mark.parametrize(("bits", "value"), [(0, 0.5), (3, 0.0), (3, -1.0)])
def test_parity_of_nothing_is_refused(bits, value):
    with pytest.raises(ValueError, match="parity needs"):
        parity(bits, value)


def test_a_random_split_takes_every_sample_once():
    task = parity(4)
    train, rest = random_split(task, 10, [generator(0), generator(1)])
    assert (train.x.shape, rest.x.shape) == ((2, 10, 4), (2, 6, 4))
    for net in range(2):
        both = torch.cat([train.x[net], rest.x[net]])
        assert sorted(both.tolist()) == sorted(task.x.tolist())
        assert torch.equal(torch.cat([train.t[net], rest.t[net]])[:, 0] > 0, both.prod(1) < 0)
    assert not torch.equal(train.x[0], train.x[1])
    again, _ = random_split(task, 10, [generator(1)])
    assert torch.equal(again.x[0], train.x[1])


@pytest.mark.parametrize("samples", [0, 16])
def test_a_split_with_an_empty_part_is_refused(samples):
    with pytest.raises(ValueError, match="a split needs"):
        random_split(parity(4), samples, [generator(0)])


def test_a_split_of_a_split_is_refused():
    train, _ = random_split(parity(4), 10, [generator(0)])
    assert isinstance(train, Task)
    with pytest.raises(ValueError, match="a split needs shared inputs"):
        random_split(train, 5, [generator(0)])
