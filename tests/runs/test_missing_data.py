"""Data that cannot be had: what needs them is not run, everything else is, and nothing is lost."""

from __future__ import annotations

import json

import pytest

from oldschool.claims.assess import Origin, assess
from oldschool.claims.claim import Claim
from oldschool.claims.estimate import exact
from oldschool.cli import main
from oldschool.errors import UnavailableError
from oldschool.report import rerun
from oldschool.runs import registry
from tests.conftest import Toy

FAST = ("report=false", "jobs=1")
Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *words: str) -> tuple[int, list[str], str]:
    code = main(["run", "toy", *FAST, *words])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def manifest(toy: Toy, name: str) -> dict:
    return json.loads((toy.root / f"reports/results/toy/{name}.manifest.json").read_text())


def test_what_needs_missing_data_is_not_run_and_that_is_no_failure(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, err = run(capsys)
    assert (code, err) == (0, "")
    assert "toy/draw: not run: numbers cannot be had" in lines
    assert "toy/fit: not run: numbers cannot be had" in lines  # it needs draw
    assert manifest(toy_here, "draw")["unavailable"] == "numbers cannot be had"
    assert toy_here.runs_of_units() == []
    monkeypatch.delenv("TOY_DATA")
    code, lines, _ = run(capsys)
    assert code == 0
    assert "toy/draw: 8 units: 8 run (new)" in lines
    assert "unavailable" not in manifest(toy_here, "draw")


def test_rows_collected_earlier_stay_and_are_called_stale_where_they_are(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys)[0] == 0
    results = toy_here.root / "reports/results/toy"
    before = {file.name: file.read_bytes() for file in results.iterdir()}
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, _ = run(capsys)
    assert code == 0
    assert "  reports/results/toy: the rows collected earlier stay" in lines
    assert {file.name: file.read_bytes() for file in results.iterdir()} == before
    _, lines, _ = run(capsys, "draw.scale=2", "report_dir=reports")
    stay = "  reports/results/toy: the rows collected earlier stay; they are of another scale"
    assert stay in lines
    assert {file.name: file.read_bytes() for file in results.iterdir()} == before


def test_damaged_data_are_an_error_and_everything_else_is_run(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "damaged")
    code, lines, err = run(capsys)
    assert code == 1
    assert err == "error: numbers is damaged\n"
    assert "toy/draw: not run: numbers is damaged" in lines


def test_missing_data_are_listed(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "missing")
    assert main(["data"]) == 1
    assert "toy/draw: not to be had: numbers cannot be had\n" in capsys.readouterr().err


def test_a_claim_on_missing_data_is_not_run_with_the_reason(toy_here: Toy) -> None:
    from dataclasses import replace

    claim = Claim("toy.x", "p. 1", "x", "exact", 1.0, "default", frames=("draws",))
    replication = replace(registry.find("toy"), estimates={"toy.x": lambda frames: exact(1)})
    reasons = {"draws": "numbers cannot be had"}
    (judged,) = assess(replication, [claim], {}, {}, reasons)
    assert judged.verdict.word == "not run"
    assert judged.verdict.reason == "numbers cannot be had"
    rows = {"draws": __import__("pandas").DataFrame({"x": [1]})}
    (judged,) = assess(replication, [claim], rows, {"draws": Origin("default")}, reasons)
    assert judged.verdict.word == "reproduced"


def test_verify_says_that_it_could_not_run_a_unit_again(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys)[0] == 0

    def gone(*_: object) -> None:
        raise UnavailableError("numbers cannot be had")

    monkeypatch.setattr(rerun.launch, "rerun", gone)
    replication, said = registry.find("toy"), []
    found = rerun.problems(
        toy_here.root / "reports",
        replication,
        replication.experiment("draw"),
        manifest(toy_here, "draw"),
        1,
        said.append,
    )
    assert found == []
    assert len(said) == 1
    assert said[0].endswith("not run again: numbers cannot be had")
