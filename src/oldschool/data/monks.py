"""The MONK's problems (Thrun et al. 1991), rebuilt from their three rules.

The 432 cases are all combinations of six attributes with 3, 3, 2, 3, 4 and 2 values. A rule
labels them; the training sets are the cases listed in ``monks_cases.json``, with the labels
of six MONK-3 cases flipped. The test set of each problem is all 432 cases, unflipped.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import torch
from torch import Tensor

from oldschool.data.task import Task

ATTRIBUTE_VALUES = (3, 3, 2, 3, 4, 2)
PROBLEMS = ("monk1", "monk2", "monk3")
INPUT_NAMES = tuple(
    f"a{attribute}={value}"
    for attribute, count in enumerate(ATTRIBUTE_VALUES, start=1)
    for value in range(1, count + 1)
)

_RULES: dict[str, Callable[[tuple[int, ...]], bool]] = {
    "monk1": lambda a: a[0] == a[1] or a[4] == 1,
    "monk2": lambda a: sum(value == 1 for value in a) == 2,
    "monk3": lambda a: (a[4] == 3 and a[3] == 1) or (a[4] != 4 and a[1] != 3),
}


@dataclass(frozen=True)
class Monk:
    """One of the three problems.

    Attributes:
        name: ``monk1``, ``monk2`` or ``monk3``.
        train: training task; x one-of-n coded (P, 17), t (P, 1) in {0, 1}, float64.
        test: the task of all 432 cases in lexicographic order.
        cases: attribute values 1.. of the 432 cases, (432, 6) int64.
    """

    name: str
    train: Task
    test: Task
    cases: Tensor


def cases() -> Tensor:
    """Attribute values of the 432 cases in lexicographic order, (432, 6) int64, from 1 up."""
    ranges = [range(1, count + 1) for count in ATTRIBUTE_VALUES]
    return torch.tensor(list(itertools.product(*ranges)))


def one_of_n(attributes: Tensor) -> Tensor:
    """Attribute values (P, 6) as 17 inputs of 0 and 1, ordered as ``INPUT_NAMES``, float64."""
    columns = [
        torch.nn.functional.one_hot(attributes[:, k] - 1, count)
        for k, count in enumerate(ATTRIBUTE_VALUES)
    ]
    return torch.cat(columns, dim=1).to(torch.float64)


@cache
def monk(name: str) -> Monk:
    """The problem called ``name``.

    Raises:
        ValueError: the name is none of ``PROBLEMS``.
    """
    if name not in PROBLEMS:
        raise ValueError(f"no MONK's problem {name!r}; there are {', '.join(PROBLEMS)}")
    table = json.loads(resources.files(__package__).joinpath("monks_cases.json").read_text())
    attributes = cases()
    labels = torch.tensor([_RULES[name](tuple(case)) for case in attributes.tolist()])
    x = one_of_n(attributes)
    train = torch.tensor(table[name]["train"]) - 1
    noisy = labels.clone()
    flipped = torch.tensor(table[name]["flipped"], dtype=torch.int64) - 1
    noisy[flipped] = ~noisy[flipped]
    return Monk(
        name,
        Task(x[train], noisy[train, None].to(torch.float64)),
        Task(x, labels[:, None].to(torch.float64)),
        attributes,
    )
