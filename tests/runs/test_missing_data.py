"""Data that cannot be had: what needs them is not run, everything else is, and nothing is lost."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from oldschool.claims.assess import Origin, assess
from oldschool.claims.claim import Claim
from oldschool.claims.estimate import exact
from oldschool.cli import main
from oldschool.runs import files, registry
from tests.conftest import Toy

FAST = ("report=false", "jobs=1")
SAID = "numbers cannot be had (not in /here): get them"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def toy(toy: Toy) -> Toy:
    """The toy project with one more experiment."""
    toy.add_free()
    return toy


def run(capsys: Capture, *words: str) -> tuple[int, list[str], str]:
    code = main(["run", "toy", *FAST, *words])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def manifest(toy: Toy, name: str) -> dict:
    return json.loads((toy.root / f"reports/results/toy/{name}.manifest.json").read_text())


def results(toy: Toy) -> dict[str, bytes]:
    folder = toy.root / "reports/results/toy"
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_what_needs_missing_data_is_not_run_and_that_is_no_failure(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, err = run(capsys)
    assert (code, err) == (0, "")
    assert lines[1:] == [
        f"toy/draw: not run: {SAID}",
        f"toy/fit: not run: {SAID}",  # it needs draw
        "toy/free: 1 units: 1 run (new)",
        "  reports/results/toy/frees.csv: new",
    ]
    for name in ("draw", "fit"):
        # What is recorded is the same on every machine.
        assert manifest(toy_here, name)["unavailable"] == "numbers cannot be had"
    assert toy_here.runs_of_units() == ["free[] 0-0"]
    before = results(toy_here)
    assert run(capsys)[1][1:3] == lines[1:3]
    assert results(toy_here) == before
    monkeypatch.delenv("TOY_DATA")
    code, lines, _ = run(capsys)
    assert code == 0
    assert "toy/draw: 8 units: 8 run (new)" in lines
    assert "unavailable" not in manifest(toy_here, "draw")
    assert manifest(toy_here, "draw")["frames"].keys() == {"draws", "blocks"}


def test_data_missing_in_a_run_of_a_higher_profile_keep_no_later_run_from_collecting(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "missing")
    assert run(capsys, "profile=paper")[0] == 0
    assert manifest(toy_here, "draw")["profile"] == "paper"
    monkeypatch.delenv("TOY_DATA")
    assert run(capsys)[0] == 0
    assert manifest(toy_here, "draw")["profile"] == "default"
    assert manifest(toy_here, "draw")["frames"].keys() == {"draws", "blocks"}


STAY = "  reports/results/toy: the rows collected earlier stay"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), STAY),
        (("draw.scale=2",), f"{STAY}; they are of another scale"),
        (("seed=3",), f"{STAY}; they are of another seed"),
        (("profile=paper",), f"{STAY}; they are of another profile, replicates"),
        (("draw.scale=2", "draw.replicates=5"), f"{STAY}; they are of another replicates, scale"),
    ],
)
def test_rows_collected_earlier_stay_and_are_called_stale_where_they_are(
    toy_here: Toy,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    line: str,
) -> None:
    assert run(capsys)[0] == 0
    before = results(toy_here)
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, _ = run(capsys, "report_dir=reports", *words)
    assert code == 0
    assert lines[1:3] == [f"toy/draw: not run: {SAID}", line]
    after = results(toy_here)
    of_others = {name for name in before if name.startswith("free")}
    assert {name: after[name] for name in before.keys() - of_others} == {
        name: before[name] for name in before.keys() - of_others
    }


def test_rows_of_older_code_stay_and_are_called_stale(toy: Toy) -> None:
    assert toy.call("run", "toy", *FAST).returncode == 0
    before = results(toy)
    done = toy.call("run", "toy", *FAST, TOY_DATA="missing", TOY_VERSION="2")
    assert done.returncode == 0
    assert f"{STAY}; they are of another code_version" in done.stdout.splitlines()
    assert results(toy) == before


def test_where_all_units_failed_nothing_is_said_to_stay(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("draw.replicates=1", "draw.fail=0", "report_dir=reports")
    assert run(capsys, *words)[0] == 1
    assert manifest(toy_here, "draw")["frames"] == {}
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, _ = run(capsys, *words)
    assert code == 0
    assert STAY not in lines
    assert manifest(toy_here, "draw")["unavailable"] == "numbers cannot be had"


def test_a_damaged_manifest_is_not_written_over(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys)[0] == 0
    (toy_here.root / "reports/results/toy/draw.manifest.json").write_text("{")
    before = results(toy_here)
    monkeypatch.setenv("TOY_DATA", "missing")
    code, lines, err = run(capsys)
    assert code == 1
    assert err.startswith("error: reports/results/toy/draw.manifest.json is damaged")
    assert "toy/free: 1 units: 1 kept (up to date)" in lines
    assert results(toy_here) == before


def test_a_reason_that_cannot_be_written_is_one_line(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = files.write_bytes

    def full(path: Path, content: bytes) -> None:
        if "/reports/" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setenv("TOY_DATA", "missing")
    monkeypatch.setattr(files, "write_bytes", full)
    code, lines, err = run(capsys)
    assert code == 1
    assert err.startswith("error: cannot write reports/results/toy: No space left on device")
    assert err.count("\n") == 1
    assert "toy/free: 1 units: 1 run (new)" in lines  # the rest is run


def test_damaged_data_are_an_error_and_everything_else_is_run_and_reported(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (toy_here.root / "replications/toy2000_demo/claims.yaml").write_text("[]\n")
    monkeypatch.setenv("TOY_DATA", "damaged")
    code = main(["run", "toy", "jobs=1"])
    said = capsys.readouterr()
    assert code == 1
    assert said.err == "error: numbers is damaged\n"
    assert "toy/draw: not run: numbers is damaged" in said.out.splitlines()
    assert "toy/free: 1 units: 1 run (new)" in said.out.splitlines()
    assert said.out.splitlines()[-1] == "report: reports/index.html"


def test_missing_data_are_listed(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["data"]) == 0
    monkeypatch.setenv("TOY_DATA", "missing")
    assert main(["data"]) == 1
    said = capsys.readouterr().err
    assert f"toy/draw: not to be had: {SAID}\n" in said
    assert said.splitlines()[-1].startswith("an experiment lacks data, see above: ")


def test_data_of_a_profile_are_listed(toy_here: Toy, capsys: Capture) -> None:
    assert main(["data", "profile=paper"]) == 0
    listed = capsys.readouterr().out
    assert main(["data", "profile=smoke"]) == 0
    assert capsys.readouterr().out == listed != ""
    assert main(["data", "profile=papre"]) == main(["data", "seed=1"]) == 2
    assert "papre" in capsys.readouterr().err


def test_a_claim_on_missing_data_is_not_run_with_the_reason(toy_here: Toy) -> None:
    claim = Claim("toy.x", "p. 1", "x", "exact", 1.0, "default", frames=("draws",))
    replication = replace(registry.find("toy"), estimates={"toy.x": lambda frames: exact(1)})
    reasons = {"draws": "numbers cannot be had"}
    (judged,) = assess(replication, [claim], {}, {}, reasons)
    assert judged.verdict.word == "not run"
    assert judged.verdict.reason == "numbers cannot be had"
    assert judged.command == "make replicate-toy"
    rows = {"draws": pd.DataFrame({"x": [1]})}
    (judged,) = assess(replication, [claim], rows, {"draws": Origin("default")}, reasons)
    assert judged.verdict.word == "reproduced"
