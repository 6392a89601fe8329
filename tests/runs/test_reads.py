"""Units that read rows of an earlier experiment: what they get, and when they run again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from oldschool.cli import main
from oldschool.report.verify import verify
from oldschool.runs import frames, registry, results
from oldschool.runs.experiment import Experiment, Unit
from oldschool.runs.reads import Earlier, hashes
from tests.conftest import Toy

FAST = ("report=false", "jobs=1", "report_dir=out")
Capture = pytest.CaptureFixture[str]

# An experiment that works on what was drawn, last in the toy's list, in blocks other than those
# of the drawing. Every row it reads it gives back to the bit, with where it found it.
USE = """needs=["draw"]),
        Experiment(
            "use", 1, [], ["uses"], plan_use, run_use, needs=["draw"], reads=["draws"]
        ),
"""
RUN_USE = """
def plan_use(config, frames):
    return blocks("use", {"power": 1}, frames["draws"]["replicate"].nunique(), 4)


def run_use(config, unit, seeds, inputs):
    _log(unit)
    if os.environ.get("TOY_DIE") == str(unit.start):
        os.kill(os.getpid(), signal.SIGKILL)
    ((frame, rows),) = inputs.items()
    rows = rows.assign(frame=frame, row=rows.index, bits=rows["value"].map(float.hex))
    return {"uses": rows}


REPLICATION = """


@pytest.fixture
def toy(toy: Toy) -> Toy:
    """The toy project with one more experiment, which reads."""
    code = toy.root / "replications/toy2000_demo/__init__.py"
    text = code.read_text().replace('needs=["draw"]),\n', USE)
    code.write_text(text.replace("\nREPLICATION = ", RUN_USE))
    return toy


def run(capsys: Capture, *words: str) -> str:
    """Run the toy; the line that says what became of the units that read."""
    code = main(["run", "toy", *FAST, *words])
    said = capsys.readouterr()
    assert code == 0, said.err
    return next(line for line in said.out.splitlines() if line.startswith("toy/use: "))


def uses(toy: Toy) -> list[str]:
    """Labels of the runs of units that read, in the order they were run."""
    return [label for label in toy.runs_of_units() if label.startswith("use")]


def manifest(folder: str, experiment: str) -> dict:
    return json.loads(Path(f"{folder}/results/toy/{experiment}.manifest.json").read_text())


def test_a_unit_gets_the_collected_rows_of_its_replicates(toy_here: Toy, capsys: Capture) -> None:
    assert run(capsys) == "toy/use: 3 units: 3 run (new)"
    rows = results.load_frames(Path("out"), "toy")
    drawn, used = rows["draws"], rows["uses"]
    assert list(used["frame"].unique()) == ["draws"]
    for start in (0, 4, 8):  # blocks of four, where the drawing has blocks of three
        block = [start, start + 1, start + 2, start + 3]
        part = used[used["replicate"].isin(block)]
        assert list(part["row"]) == list(range(8))
        assert list(part["name"]) == ["a"] * 4 + ["b"] * 4
        assert list(part["replicate"]) == block * 2
        expected = drawn[drawn["replicate"].isin(block)]
        # The bits of what has been written with nine digits, not of what was computed.
        assert list(part["bits"]) == [float.hex(value) for value in expected["value"]]


def test_rows_are_read_alike_however_many_others_there_are() -> None:
    """A unit depends on the text of its rows alone, and so do the types of its columns."""
    experiment = Experiment("b", 1, [], [], lambda c, f: [], lambda c, u, s, i: {}, reads=["nets"])
    unit = Unit("b", {}, 1, 3)
    few = b'replicate,x,name\n1,2,"a,b"\n2,3,\n'
    more = b'replicate,x,name\n0,0.5,c\n1,2,"a,b"\n2,3,\n3,,d\n'
    assert Earlier(experiment, {"nets": few, "other": b"x\n"}).rows(unit) == {"nets": few}
    assert Earlier(experiment, {"nets": more}).rows(unit) == {"nets": few}
    assert Earlier(experiment, {"nets": more}).rows(replace(unit, stop=2)) == {
        "nets": b'replicate,x,name\n1,2,"a,b"\n'
    }
    none = Earlier(experiment, {"nets": more}).rows(Unit("b", {}, 7, 9))
    assert list(frames.from_csv(none["nets"]).columns) == ["replicate", "x", "name"]
    assert hashes({"nets": few}) == {"nets": frames.sha256(few)}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"net,x\n0,1\n", "has no column replicate"),
        (b'replicate,x\n0,"a\nb"\n', "line breaks within a field"),
        (b"replicate,x\nzero,1\n", "Unable to parse"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_an_error(text: bytes, what: str) -> None:
    experiment = Experiment("b", 1, [], [], lambda c, f: [], lambda c, u, s, i: {}, reads=["nets"])
    with pytest.raises(ValueError, match=what):
        Earlier(experiment, {"nets": text})


@pytest.mark.parametrize("frame", ["drawn", "fits", "uses"])
def test_only_frames_of_needed_experiments_can_be_read(toy_here: Toy, frame: str) -> None:
    code = toy_here.root / "replications/toy2000_demo/__init__.py"
    code.write_text(code.read_text().replace('reads=["draws"]', f'reads=["blocks", "{frame}"]'))
    with pytest.raises(ValueError, match=f"toy/use reads '{frame}', a frame of no experiment that"):
        registry.replications()


def test_a_unit_runs_again_if_and_only_if_its_rows_have_changed(
    toy_here: Toy, capsys: Capture
) -> None:
    run(capsys)
    assert run(capsys) == "toy/use: 3 units: 3 kept (up to date)"
    # All of the drawing is run again, but only replicates 3 to 5 come out otherwise.
    assert run(capsys, "draw.nan=3") == (
        "toy/use: 3 units: 1 kept (up to date), 2 run (rows of draws changed)"
    )
    assert toy_here.runs_of_units().count("draw[name=a] 9-11") == 2
    first, again = uses(toy_here)[:3], uses(toy_here)[3:]
    assert first == ["use[power=1] 0-3", "use[power=1] 4-7", "use[power=1] 8-11"]
    assert sorted(again) == ["use[power=1] 0-3", "use[power=1] 4-7"]  # what took longest is first
    used = results.load_frames(Path("out"), "toy")["uses"]
    assert list(used.loc[used["value"].isna(), "replicate"]) == [3, 3, 4, 5, 4, 5]
    # The rows of before: what was made from them is there still.
    assert run(capsys) == "toy/use: 3 units: 3 kept (up to date)"
    # A third condition is more rows of every replicate.
    assert run(capsys, "draw.conditions=[a,b,c]") == (
        "toy/use: 3 units: 3 run (rows of draws changed)"
    )


def test_more_replicates_run_no_old_unit_again(toy_here: Toy, capsys: Capture) -> None:
    run(capsys)
    assert run(capsys, "draw.replicates=16") == (
        "toy/use: 4 units: 3 kept (up to date), 1 run (new)"
    )
    assert uses(toy_here)[3:] == ["use[power=1] 12-15"]


def test_other_frames_read_are_why(toy: Toy) -> None:
    assert toy.call("run", "toy", *FAST).returncode == 0
    code = toy.root / "replications/toy2000_demo/__init__.py"
    text = code.read_text().replace(
        'needs=["draw"], reads=["draws"]', 'needs=["fit"], reads=["fits"]'
    )
    code.write_text(text.replace('frames["draws"]["replicate"].nunique(), 4', "12, 4"))
    again = toy.call("run", "toy", *FAST)
    assert "toy/use: 3 units: 3 run (other frames read)" in again.stdout, again.stderr


def test_workers_get_the_rows_and_a_killed_one_leaves_the_others(toy: Toy) -> None:
    words = ("run", "toy", "report=false", "jobs=2", "report_dir=out")
    killed = toy.call(*words, TOY_DIE="4")
    assert killed.returncode == 1
    assert "use[power=1] 4-7: the worker process was killed by signal 9" in killed.stderr
    (record,) = (toy.store / "use").glob("*.error.json")
    text = (toy.root / "out/results/toy/draws.csv").read_bytes().splitlines(keepends=True)
    rows = b"".join([text[0], *text[5:9], *text[17:21]])
    assert json.loads(record.read_text())["inputs"] == {"draws": frames.sha256(rows)}
    done = toy.call(*words)
    assert "toy/use: 3 units: 2 kept (up to date), 1 run (new)" in done.stdout, done.stderr
    assert sorted(uses(toy)) == [
        *("use[power=1] 0-3", "use[power=1] 4-7", "use[power=1] 4-7", "use[power=1] 8-11"),
    ]
    (toy.root / "runs").rename(toy.root / "gone")
    assert toy.call("run", "toy", *FAST, "report_dir=one_go").returncode == 0
    assert toy.collected("one_go") == toy.collected("out")


def test_manifests_say_what_was_read_where_something_was(toy_here: Toy, capsys: Capture) -> None:
    run(capsys)
    for name in ("draw", "fit"):
        assert all("inputs" not in unit for unit in manifest("out", name)["units"])
        for file in (toy_here.store / name).glob("*/manifest.json"):
            assert "inputs" not in json.loads(file.read_text())
    drawn = results.load_frames(Path("out"), "toy")["draws"]
    for unit in manifest("out", "use")["units"]:
        rows = drawn[drawn["replicate"].isin(range(unit["start"], unit["stop"]))]
        assert unit["inputs"] == {"draws": frames.sha256(frames.to_csv(rows))}
        stored = toy_here.store / "use" / unit["digest"] / "manifest.json"
        assert json.loads(stored.read_text())["inputs"] == unit["inputs"]


def test_where_the_earlier_experiment_is_not_run_neither_is_the_one_that_reads(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_DATA", "missing")
    assert run(capsys).startswith("toy/use: not run: numbers cannot be had")
    assert manifest("out", "use")["unavailable"] == "numbers cannot be had"
    monkeypatch.delenv("TOY_DATA")
    assert main(["run", "toy", *FAST, "draw.fail=3"]) == 1
    assert "toy/use: not run, because draw has failed" in capsys.readouterr().out
    assert uses(toy_here) == []


@pytest.fixture
def reported(toy: Toy, toy_here: Toy, capsys: Capture) -> Toy:
    """The toy project, run and reported."""
    folder = toy.root / "replications/toy2000_demo"
    (folder / "claims.yaml").write_text("[]\n")
    (folder / "README.md").write_text("# Toy\n")
    assert main(["run", "toy", "jobs=1"]) == 0
    capsys.readouterr()
    return toy_here


def problems(lines: list[str]) -> list[str]:
    return verify(Path("reports"), registry.replications(), 3, lines.append)


def test_verify_runs_a_unit_again_on_the_committed_rows(reported: Toy) -> None:
    shutil.rmtree("runs")
    lines: list[str] = []
    assert problems(lines) == []
    assert sorted(line for line in lines if line.startswith("toy/use")) == [
        f"toy/use[power=1] {block}: run again, compared exactly" for block in ("0-3", "4-7", "8-11")
    ]


OTHERS = (
    "reports/results/toy/use.manifest.json: use[power=1] {}: made from other rows of draws than "
    "those committed: run `make replicate-toy`"
)


def test_verify_names_units_made_from_other_rows(reported: Toy, capsys: Capture) -> None:
    """The drawing is that of another run, sound in itself."""
    assert main(["run", "toy", "jobs=1", "report=false", "draw.nan=3", "report_dir=other"]) == 0
    for file in Path("other/results/toy").glob("*"):
        if file.name.startswith(("draw", "blocks")):
            shutil.copy(file, Path("reports/results/toy"))
    assert main(["report"]) == 0
    lines: list[str] = []
    assert problems(lines) == [OTHERS.format("0-3 and 1 more unit")]
    assert not [line for line in lines if line.startswith("toy/use")]  # it would be in vain


def test_verify_names_who_has_read_an_edited_row(reported: Toy) -> None:
    file = Path("reports/results/toy/draws.csv")
    rows = pd.read_csv(file, dtype=str)
    rows.loc[11, "value"] = "0.5"
    file.write_text(rows.to_csv(index=False))
    edited, others = problems([])
    assert edited.startswith("reports/results/toy/draws.csv: edited: the rows of draw[name=a] 9-11")
    assert others == OTHERS.format("8-11")
    for text in ("", "name\n", "name,replicate,value,above\na,zero,1,true\n"):
        file.write_text(text)
        assert OTHERS.format("0-3 and 2 more units") in problems([])
    file.unlink()
    assert OTHERS.format("0-3 and 2 more units") in problems([])
