"""The data sets against the published counts, and against the UCI files where they are."""

import os
from pathlib import Path

import pytest
import torch

from oldschool.data.monks import INPUT_NAMES, PROBLEMS, cases, monk, one_of_n
from oldschool.data.task import Task
from oldschool.data.xor import xor


@pytest.mark.parametrize(
    ("name", "samples", "positives", "test_positives"),
    [("monk1", 124, 62, 216), ("monk2", 169, 64, 142), ("monk3", 122, 60, 228)],
)
def test_monk_counts(name, samples, positives, test_positives):
    problem = monk(name)
    assert (len(problem.train), int(problem.train.t.sum())) == (samples, positives)
    assert (len(problem.test), int(problem.test.t.sum())) == (432, test_positives)


@pytest.mark.parametrize("name", PROBLEMS)
def test_one_of_n_has_one_input_on_for_each_attribute(name):
    problem = monk(name)
    assert problem.train.x.shape[1] == len(INPUT_NAMES) == 17
    assert torch.equal(problem.train.x.sum(1), torch.full((len(problem.train),), 6.0).double())
    start = 0
    for count in (3, 3, 2, 3, 4, 2):
        assert bool((problem.test.x[:, start : start + count].sum(1) == 1).all())
        start += count


def test_only_six_labels_of_monk3_are_flipped():
    for name, flips in (("monk1", 0), ("monk2", 0), ("monk3", 6)):
        problem = monk(name)
        same_case = (problem.train.x[:, None] == problem.test.x[None]).all(dim=2)
        truth = problem.test.t[same_case.int().argmax(dim=1)]
        assert int((problem.train.t != truth).sum()) == flips


def test_the_clause_of_monk3_scores_what_the_paper_prints():
    attributes = cases()
    clause = (attributes[:, 4] != 4) & (attributes[:, 1] != 3)
    problem = monk("monk3")
    assert int((clause == problem.test.t[:, 0].bool()).sum()) == 420
    rows = {tuple(x): k for k, x in enumerate(problem.test.x.tolist())}
    index = [rows[tuple(x)] for x in problem.train.x.tolist()]
    assert int((clause[index] == problem.train.t[:, 0].bool()).sum()) == 114


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("part", ["train", "test"])
def test_equal_to_the_uci_files(name, part):
    folder = os.environ.get("OLDSCHOOL_DATA")
    path = Path(folder or "", "monks", f"{name.replace('monk', 'monks-')}.{part}")
    if not folder or not path.exists():
        pytest.skip("no local copy of the UCI files (OLDSCHOOL_DATA)")
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    labels = torch.tensor([[float(row[0])] for row in rows], dtype=torch.float64)
    attributes = torch.tensor([[int(value) for value in row[1:7]] for row in rows])
    ours = getattr(monk(name), part)
    theirs = Task(one_of_n(attributes), labels)
    if part == "train":
        assert ours.sha256() == theirs.sha256()
    else:
        order = sorted(range(432), key=lambda k: attributes[k].tolist())
        assert torch.equal(ours.x, theirs.x[order])
        assert torch.equal(ours.t, theirs.t[order])


def test_unknown_problem_is_one_line():
    with pytest.raises(ValueError, match="no MONK's problem 'monk4'"):
        monk("monk4")


def test_xor_is_xor():
    task = xor(-0.8, 0.8)
    assert task.t[:, 0].tolist() == [-0.8, 0.8, 0.8, -0.8]
    assert task.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_task_hashes_its_values():
    assert xor(0, 1).sha256() == xor(0, 1).sha256()
    assert xor(0, 1).sha256() != xor(0, 0.9).sha256()


def test_a_task_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="a task needs"):
        Task(torch.zeros(3, 2), torch.zeros(4, 1))
