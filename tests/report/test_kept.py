"""Estimates kept from one report to the next: when they are used, and when they are not."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import wraps
from pathlib import Path

import pytest

from oldschool import paths
from oldschool.claims.estimate import Result
from oldschool.report.build import CLAIMS, build
from oldschool.report.inputs import read
from oldschool.report.verify import verify
from oldschool.runs.digest import text_digest
from oldschool.runs.experiment import Frames, Replication
from tests.report.conftest import Project


def kept_file(project: Project) -> Path:
    folder = text_digest(str(project.reports.resolve()))
    return paths.kept_estimates() / folder / "tiny.json"


def worked_out(project: Project, afresh: bool = False) -> list[str]:
    """Build the report; ids of the claims whose estimates were worked out."""
    asked: list[str] = []

    def watched(replication: Replication, name: str) -> Replication:
        estimate = replication.estimates[name]

        @wraps(estimate)
        def ask(frames: Frames) -> Result:
            asked.append(name)
            return estimate(frames)

        return replace(replication, estimates={**replication.estimates, name: ask})

    (replication,) = project.load()
    for name in replication.estimates:
        replication = watched(replication, name)
    build(project.reports, [replication], say=lambda line: None, afresh=afresh)
    return asked


def test_nothing_changed_nothing_is_worked_out(finished: Project) -> None:
    assert len(worked_out(finished)) == 8  # the copy lies elsewhere
    before = finished.tree()
    assert worked_out(finished) == []
    assert len(worked_out(finished, afresh=True)) == 8
    assert finished.tree() == before


def test_what_is_kept_is_what_is_worked_out(finished: Project) -> None:
    worked_out(finished)
    (replication,) = finished.load()
    first, second = (read(finished.reports, replication, afresh) for afresh in (True, False))
    assert first.judged == second.judged


def test_only_claims_of_changed_rows_are_worked_out_again(finished: Project) -> None:
    worked_out(finished)
    finished.run("prune", seed=1)
    of_pruned = {"tiny.weights", "tiny.accuracy", "tiny.order", "tiny.small", "tiny.gain"}
    assert set(worked_out(finished)) & of_pruned == of_pruned
    assert "tiny.start" not in of_pruned | set(worked_out(finished))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("__init__.py", "exact(58)", "exact(57)"),
        (
            "figures.py",
            '"""',
            '"""Changed. ',
        ),
        ("claims.yaml", "the text says 15", "the text says 16"),
    ],
)
def test_changed_code_or_claims_are_noticed(
    finished: Project, file: str, old: str, new: str
) -> None:
    worked_out(finished)
    source = finished.folder / file
    source.write_text(source.read_text().replace(old, new, 1))
    assert len(worked_out(finished)) == 8


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"tiny.start": 3}', "\x00\xff"])
def test_a_damaged_file_is_written_anew(finished: Project, damage: str) -> None:
    worked_out(finished)
    before, claims = kept_file(finished).read_bytes(), (finished.reports / CLAIMS).read_bytes()
    kept_file(finished).write_text(damage, encoding="latin-1")
    assert len(worked_out(finished)) == 8
    assert kept_file(finished).read_bytes() == before
    assert (finished.reports / CLAIMS).read_bytes() == claims


def test_an_edited_number_is_not_believed(finished: Project) -> None:
    worked_out(finished)
    entries = json.loads(kept_file(finished).read_text())
    entries["tiny.start"]["result"]["value"] = 59.0
    kept_file(finished).write_text(json.dumps(entries))
    assert worked_out(finished) == ["tiny.start"]


def test_verify_believes_nothing_that_is_kept(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out(finished)
    lie = finished.reports / CLAIMS
    (replication,) = finished.load()
    monkeypatch.setattr("oldschool.report.inputs.Kept", None)  # asking for it would raise
    assert verify(finished.reports, {"tiny": replication}, sample=0, say=lambda line: None) == []
    lie.write_text(lie.read_text().replace("reproduced", "undecided", 1))
    assert verify(finished.reports, {"tiny": replication}, sample=0, say=lambda line: None)
