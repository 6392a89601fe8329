"""What the replications say about their nets and cases agrees with the nets themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from oldschool import paths
from oldschool.report.checklist import set_ups as collected
from oldschool.report.inputs import Inputs
from oldschool.runs import config, registry, results
from oldschool.runs.config import PROFILES
from oldschool.runs.experiment import Replication, SetUp

REAL = registry.replications()


def set_ups(name: str, experiment: str) -> list[SetUp]:
    """Of the units that are committed."""
    manifest = results.load_manifest(paths.reports(), name, experiment)
    assert manifest is not None and manifest["units"]
    return collected(Inputs(REAL[name], {}, {}, {experiment: manifest}, ()), experiment)


@pytest.mark.parametrize("replication", REAL.values(), ids=list(REAL))
def test_whatever_is_planned_has_its_counts(replication: Replication) -> None:
    names = [experiment.name for experiment in replication.experiments]
    assert set(replication.set_ups) <= set(names)
    assert set(replication.scales) <= set(names)
    assert {profile for scale in replication.scales.values() for profile in scale} <= {*PROFILES}
    settings = config.settings(replication, ["profile=paper"]).config
    for name, set_up in replication.set_ups.items():
        experiment = replication.experiment(name)
        units = [] if experiment.needs else experiment.plan(settings, {})
        for found in (set_up(settings, unit.condition) for unit in units):
            assert found.nets or found.cases
            assert all(count > 0 for count in (*found.nets.values(), *found.cases.values()))


def test_the_nets_of_obs_have_the_weights_of_table_1_and_of_the_text() -> None:
    table = {count for found in set_ups("obs", "monks") for count in found.nets.values()}
    assert table == {58, 39}
    assert {tuple(found.nets.values()) for found in set_ups("obs", "nettalk")} == {(5546,)}
    cases = {name: n for found in set_ups("obs", "monks") for name, n in found.cases.items()}
    assert (cases["monk2 training"], cases["monk2 test"]) == (169, 432)


@pytest.mark.parametrize(
    ("name", "experiment", "frame", "column"),
    [
        ("obd", "digits", "digit_nets", "parameters"),
        ("obd", "interactive", "interactive", "parameters"),
        ("cascor", "rivals", "rivals", "weights"),
    ],
)
def test_counts_are_those_of_the_rows(name: str, experiment: str, frame: str, column: str) -> None:
    rows = results.load_frames(paths.reports(), name)[frame]
    told = {count for found in set_ups(name, experiment) for count in found.nets.values()}
    assert told == {int(rows[column].max())}


def test_the_nets_of_dropout_are_counted_as_torch_counts_them() -> None:
    for found in set_ups("dropout", "architectures"):
        ((layers, count),) = found.nets.items()
        linear = [torch.nn.Linear(*pair) for pair in pairwise(map(int, layers.split("-")))]
        assert count == sum(part.numel() for layer in linear for part in layer.parameters())
