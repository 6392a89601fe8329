"""The logical rule that a net computes, read off its answers to all 432 MONK's cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor

from oldschool.data.monks import ATTRIBUTE_VALUES, cases

Box = tuple[frozenset[int], ...]  # a set of allowed values for each attribute

# The clause of MONK-3 that scores 114/122 and 420/432, as the paper's net does.
CLAUSE = "a2!=3 and a5!=4"


def clause_cases() -> Tensor:
    """(432,) bool: the cases for which the clause a5 != 4 and a2 != 3 holds."""
    attributes = cases()
    return (attributes[:, 4] != 4) & (attributes[:, 1] != 3)


def relevant_attributes(positive: Tensor) -> tuple[int, ...]:
    """The attributes (1 to 6) on which the answers (432,) bool depend at all."""
    grid = positive.view(ATTRIBUTE_VALUES)
    return tuple(
        axis + 1
        for axis in range(len(ATTRIBUTE_VALUES))
        if bool((grid != grid.narrow(axis, 0, 1)).any())
    )


def rule(positive: Tensor, longest: int = 4) -> str:
    """A readable rule that holds for exactly the positive cases.

    A disjunction of boxes (conditions on single attributes joined by ``and``), found greedily
    from the largest box down; the same answers always give the same text.

    Args:
        positive: the answers to the 432 cases in lexicographic order, (432,) bool.
        longest: rules of more boxes are not spelt out.

    Returns:
        Such as ``a2!=3 and a5!=4``; ``true``, ``false``; or, where the rule is too long, the
        attributes that it reads.
    """
    if bool(positive.all()):
        return "true"
    if not bool(positive.any()):
        return "false"
    grid = positive.view(ATTRIBUTE_VALUES)
    relevant = relevant_attributes(positive)
    options = [
        list(_subsets(count)) if axis + 1 in relevant else [frozenset(range(1, count + 1))]
        for axis, count in enumerate(ATTRIBUTE_VALUES)
    ]
    if sum(map(len, options)) > 40:
        return "reads " + ", ".join(f"a{attribute}" for attribute in relevant)
    inside = [box for box in itertools.product(*options) if bool(_cut(grid, box).all())]
    inside.sort(key=lambda box: (-_size(box), [sorted(values) for values in box]))
    left = grid.clone()
    terms: list[str] = []
    while bool(left.any()):
        if len(terms) == longest:
            return "reads " + ", ".join(f"a{attribute}" for attribute in relevant)
        gain = [int(_cut(left, box).sum()) for box in inside]
        box = inside[gain.index(max(gain))]
        left[torch.meshgrid(*_places(box), indexing="ij")] = False
        terms.append(_spell(box))
    return " or ".join(f"({term})" if len(terms) > 1 else term for term in terms)


def _subsets(count: int) -> Iterable[frozenset[int]]:
    values = range(1, count + 1)
    for size in range(count, 0, -1):
        yield from (frozenset(chosen) for chosen in itertools.combinations(values, size))


def _places(box: Box) -> list[Tensor]:
    return [torch.tensor([value - 1 for value in sorted(values)]) for values in box]


def _cut(grid: Tensor, box: Box) -> Tensor:
    for axis, index in enumerate(_places(box)):
        if len(index) < grid.shape[axis]:
            grid = grid.index_select(axis, index)
    return grid


def _size(box: Box) -> int:
    size = 1
    for values in box:
        size *= len(values)
    return size


def _spell(box: Box) -> str:
    parts = []
    for attribute, (values, count) in enumerate(zip(box, ATTRIBUTE_VALUES, strict=True), start=1):
        missing = sorted(set(range(1, count + 1)) - values)
        if not missing:
            continue
        if len(values) == 1:
            parts.append(f"a{attribute}={next(iter(values))}")
        elif len(missing) == 1:
            parts.append(f"a{attribute}!={missing[0]}")
        else:
            parts.append(f"a{attribute} in {{{','.join(map(str, sorted(values)))}}}")
    return " and ".join(parts)
