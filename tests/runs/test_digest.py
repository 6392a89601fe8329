"""What enters a unit's digest, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from oldschool.runs.digest import changed, resolved_settings, unit_digest, unit_settings
from oldschool.runs.experiment import Experiment, Unit, plan_only


@dataclass
class Inner:
    rate: float = 0.1
    grid: list[float] = plan_only([1.0])


@dataclass
class Node:
    alpha: float = 1e-6
    count: int = plan_only(10)
    inner: Inner = field(default_factory=Inner)


@dataclass
class LaterNode:
    """``Node`` after a setting was added."""

    alpha: float = 1e-6
    count: int = plan_only(10)
    inner: Inner = field(default_factory=Inner)
    added: bool = False


@dataclass
class Config:
    node: Any = field(default_factory=Node)
    other: Any = field(default_factory=Node)
    seed: int = 0
    jobs: int = 1


EXPERIMENT = Experiment("one", 1, ["node"], ["rows"], lambda c, f: [], lambda c, u, s: {})
UNIT = Unit("one", {"problem": "xor", "hidden": 2}, 0, 50)
DATA = {"numbers": "ab"}


def of(config: Config, unit: Unit = UNIT, experiment: Experiment = EXPERIMENT, **data: str) -> str:
    return unit_digest(experiment, config, unit, data or DATA)


def test_what_must_not_matter_does_not() -> None:
    same = [
        Config(jobs=8),
        Config(other=Node(alpha=1.0)),
        Config(node=Node(count=99)),
        Config(node=Node(inner=Inner(grid=[1.0, 2.0]))),
        Config(node=LaterNode()),
    ]
    assert {of(config) for config in same} == {of(Config())}
    assert of(Config(), replace(UNIT, condition={"hidden": 2, "problem": "xor"})) == of(Config())


def test_what_matters_does() -> None:
    digests = [
        of(Config()),
        of(Config(seed=1)),
        of(Config(node=Node(alpha=1e-5))),
        of(Config(node=Node(inner=Inner(rate=0.2)))),
        of(Config(node=LaterNode(added=True))),
        of(Config(), replace(UNIT, start=1)),
        of(Config(), replace(UNIT, stop=51)),
        of(Config(), replace(UNIT, condition={"problem": "xor", "hidden": 3})),
        of(Config(), experiment=replace(EXPERIMENT, code_version=2)),
        of(Config(), experiment=replace(EXPERIMENT, name="two")),
        of(Config(), numbers="cd"),
    ]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 16 for digest in digests)


def test_a_digest_stays_what_it_is() -> None:
    """Another one would run every stored unit again."""
    assert of(Config()) == "bf04e10c42098baa"
    assert of(Config(seed=1)) == "ab2e640bfef74623"
    assert unit_digest(EXPERIMENT, Config(), UNIT, DATA, {}) == of(Config())


def test_rows_that_are_read_matter() -> None:
    rows = [{}, {"nets": "ab"}, {"nets": "cd"}, {"weights": "ab"}, {"nets": "ab", "weights": "ab"}]
    digests = [unit_digest(EXPERIMENT, Config(), UNIT, DATA, inputs) for inputs in rows]
    assert len(set(digests)) == len(digests)


def test_settings_with_and_without_what_only_plans() -> None:
    assert unit_settings(EXPERIMENT, Config()) == {"node": {"alpha": 1e-6, "inner": {"rate": 0.1}}}
    assert resolved_settings(EXPERIMENT, Config())["node"]["inner"]["grid"] == [1.0]


def test_changed_names_what_differs_in_both() -> None:
    before = {"node": {"alpha": 1, "inner": {"rate": 0.1, "gone": 1}}}
    now = {"node": {"alpha": 2, "inner": {"rate": 0.2, "new": 1}}}
    assert changed(before, now) == ["alpha", "rate"]
    assert changed(before, before) == []
