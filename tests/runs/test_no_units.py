"""An experiment that has no units under a profile: nothing is run, and nothing breaks."""

from __future__ import annotations

import json

import pytest

from oldschool.cli import main
from oldschool.report.inputs import read
from oldschool.report.verify import verify
from oldschool.runs import registry
from tests.conftest import Toy

CLAIM = """\
- id: "toy.x"
  where: "p. 1"
  what: "a number"
  kind: "exact"
  paper_value: 1.0
  profile: "paper"
  frames: [draws]
"""


@pytest.fixture
def toy(toy: Toy) -> Toy:
    """The toy project with one experiment, whose units the profile ``paper`` alone has."""
    code = toy.root / "replications/toy2000_demo/__init__.py"
    text = code.read_text()
    fit = '        Experiment("fit", 1, ["fit"], ["fits"], plan_fit, run_fit, needs=["draw"]),\n'
    assert fit in text
    text = text.replace(fit, "").replace(
        "    ],\n)\n", '    ],\n    estimates={"toy.x": lambda frames: 1 / 0},\n)\n'
    )
    code.write_text(text)
    (code.parent / "claims.yaml").write_text(CLAIM)
    profiles = toy.root / "conf/toy/profile"
    (profiles / "default.yaml").write_text("# @package _global_\ndraw: {replicates: 0}\n")
    (profiles / "paper.yaml").write_text("# @package _global_\ndraw: {replicates: 2}\n")
    return toy


def manifest(toy: Toy) -> dict:
    return json.loads((toy.root / "reports/results/toy/draw.manifest.json").read_text())


def test_the_run_the_report_and_its_check_pass(
    toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "toy", "jobs=1"]) == 0
    said = capsys.readouterr()
    assert "toy/draw: 0 units: nothing to do" in said.out.splitlines()
    assert said.err == ""
    found = manifest(toy_here)
    assert found["frames"] == {}
    assert found["units"] == found["failed"] == []
    assert "unavailable" not in found
    assert toy_here.collected() == {}
    assert (toy_here.root / "reports/index.html").exists()
    assert verify(toy_here.root / "reports", registry.replications(), say=lambda _: None) == []


def test_claims_on_its_frames_are_not_run(toy_here: Toy) -> None:
    assert main(["run", "toy", "jobs=1", "report=false"]) == 0
    inputs = read(toy_here.root / "reports", registry.find("toy"))
    (judged,) = inputs.judged
    assert judged.verdict.word == "not run"
    assert judged.verdict.reason == "no rows yet: draws"
    assert judged.command == "make replicate-toy PROFILE=paper"


def test_rows_of_the_profile_that_has_units_stay(
    toy_here: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "toy", "jobs=1", "report=false", "profile=paper"]) == 0
    before = toy_here.collected()
    assert before
    capsys.readouterr()
    assert main(["run", "toy", "jobs=1", "report=false"]) == 0
    assert "draw keeps its results of the higher profile paper" in capsys.readouterr().out
    assert toy_here.collected() == before
    assert manifest(toy_here)["profile"] == "paper"


def test_rows_that_the_same_profile_no_longer_has_are_removed(toy_here: Toy) -> None:
    words = ["run", "toy", "jobs=1", "report=false", "report_dir=reports"]
    assert main([*words, "draw.replicates=2"]) == 0
    assert toy_here.collected()
    assert main(words) == 0
    assert toy_here.collected() == {}
    assert manifest(toy_here)["frames"] == {}
