"""Collected results: one text form, rewritten only where they differ, never downgraded."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from oldschool.cli import main
from oldschool.errors import DataError
from oldschool.runs import files, frames, results
from tests.conftest import Toy

FAST = ("report=false", "jobs=1")
Capture = pytest.CaptureFixture[str]


def run(*words: str) -> int:
    return main(["run", "toy", *FAST, *words])


def test_the_text_form_of_a_frame() -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "x": [1 / 3, np.nan],
            "single": np.array([0.1, np.inf], dtype=np.float32),
            "ok": [True, False],
            "maybe": [True, None],
            "text": ["a,b", ""],
            "none": ["NA", "nan"],
        }
    )
    assert frames.to_csv(frame).decode().splitlines() == [
        "id,x,single,ok,maybe,text,none",
        '1,0.333333333,0.100000001,true,true,"a,b",NA',
        '2,,inf,false,,"",nan' if '""' in frames.to_csv(frame).decode() else "2,,inf,false,,,nan",
    ]
    back = frames.from_csv(frames.to_csv(frame))
    assert back["ok"].dtype == bool
    assert list(back["none"]) == ["NA", "nan"]
    assert back["x"].isna().tolist() == [False, True]


floats = st.floats(width=32, allow_nan=True)


@given(st.lists(st.tuples(st.integers(-(2**53), 2**53), floats, st.booleans()), min_size=1))
def test_what_is_read_is_what_was_written(rows: list[tuple[int, float, bool]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    back = frames.from_csv(frames.to_csv(frame))
    assert_frame_equal(back[["a", "c"]], frame[["a", "c"]])
    np.testing.assert_array_equal(back["b"].astype(np.float32), frame["b"].astype(np.float32))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_parts_concatenate_to_the_whole(sizes: list[int]) -> None:
    whole = pd.DataFrame({"a": np.arange(sum(sizes)), "b": np.arange(sum(sizes)) / 7})
    edges = np.cumsum([0, *sizes])
    parts = [whole.iloc[a:b] for a, b in itertools.pairwise(edges)]
    assert frames.concatenate([frames.to_csv(part) for part in parts]) == frames.to_csv(whole)


def test_rows_are_in_plan_order(toy_here: Toy) -> None:
    assert run("draw.conditions=[b,a]", "report_dir=out") == 0
    draws = results.load_frames(Path("out"), "toy")["draws"]
    assert list(draws["name"]) == ["b"] * 12 + ["a"] * 12
    assert list(draws["replicate"]) == list(range(12)) * 2


def test_big_frames_are_packed_and_small_ones_unpacked_never_both(
    toy_here: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run() == 0
    plain = toy_here.collected()
    rows = results.load_frames(Path("reports"), "toy")
    monkeypatch.setattr(results, "GZIP_ABOVE", 100)
    assert run() == 0
    packed = toy_here.collected()
    assert set(packed) == {"draws.csv.gz", "blocks.csv", "fits.csv.gz"}
    assert gzip.decompress(packed["draws.csv.gz"]) == plain["draws.csv"]
    assert packed["draws.csv.gz"][4:8] == bytes(4)  # no time within
    assert_frame_equal(results.load_frames(Path("reports"), "toy")["draws"], rows["draws"])
    monkeypatch.undo()
    monkeypatch.setenv("OLDSCHOOL_ROOT", str(toy_here.root))
    monkeypatch.chdir(toy_here.root)
    assert run() == 0
    assert toy_here.collected() == plain


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", ["cut", "edited", "removed", "emptied"])
def test_damaged_results_are_named_and_written_again(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch, damage: str, packed: bool
) -> None:
    if packed:
        monkeypatch.setattr(results, "GZIP_ABOVE", 100)
    assert run() == 0
    before = toy_here.collected()
    (file,) = Path("reports/results/toy").glob("draws.csv*")
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    elif damage == "emptied":
        file.write_bytes(b"")
    elif damage == "cut":
        file.write_bytes(content[:-5])
    else:
        file.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
    with pytest.raises(DataError, match=r"draws\.csv") as caught:
        results.load_frames(Path("reports"), "toy")
    assert "`make replicate-toy`" in str(caught.value)
    capsys.readouterr()
    assert run() == 0
    said = capsys.readouterr().out
    reason = "new" if damage == "removed" else "written again (damaged"
    assert f"  reports/results/toy/{file.name}: {reason}" in said
    assert toy_here.collected() == before
    assert len(toy_here.runs_of_units()) == 10


@pytest.mark.parametrize("text", ["", "{", "[]", '{"profile": "default"}', '{"profile": []}'])
def test_a_damaged_manifest_is_named_and_written_again(toy_here: Toy, text: str) -> None:
    assert run() == 0
    file = Path("reports/results/toy/draw.manifest.json")
    before = file.read_bytes()
    file.write_text(text)
    with pytest.raises(DataError, match=r"draw\.manifest\.json is damaged"):
        results.load_manifest(Path("reports"), "toy", "draw")
    assert run() == 0
    assert file.read_bytes() == before


def test_what_was_never_run_is_absent(toy_here: Toy) -> None:
    assert results.load_frames(Path("reports"), "toy") == {}
    assert results.load_manifest(Path("reports"), "toy", "draw") is None


def test_the_collected_manifest(toy_here: Toy) -> None:
    assert run("profile=smoke", "seed=7") == 0
    (folder,) = Path("runs/reports").iterdir()
    manifest = results.load_manifest(folder, "toy", "draw")
    assert manifest is not None
    assert manifest["profile"] == "smoke"
    assert manifest["seed"] == 7
    assert manifest["what_if"] == {"seed": 7}
    assert manifest["settings"]["draw"]["replicates"] == 6
    assert manifest["data"] == {"numbers": "0" * 64}
    content = (folder / "results/toy/draws.csv").read_bytes()
    assert manifest["frames"]["draws"] == {"rows": 12, "sha256": frames.sha256(content)}
    assert [(u["condition"]["name"], u["start"], u["stop"]) for u in manifest["units"]] == [
        ("a", 0, 3),
        ("a", 3, 6),
        ("b", 0, 3),
        ("b", 3, 6),
    ]
    assert [unit["frames"]["draws"]["rows"] for unit in manifest["units"]] == [3] * 4
    assert manifest["failed"] == []
    assert {unit["environment"] for unit in manifest["units"]} == {0}
    assert "python" in manifest["environments"][0]
    starts = [datetime.fromisoformat(unit["started"]) for unit in manifest["units"]]
    assert starts == sorted(starts)  # one process, in the plan's order
    assert all(start.tzinfo is not None for start in starts)


def test_a_record_from_before_starts_were_recorded_is_replaced(toy_here: Toy) -> None:
    assert run() == 0
    file = Path("reports/results/toy/draw.manifest.json")
    whole = file.read_bytes()
    old = json.loads(whole)
    for unit in old["units"]:
        del unit["started"]
    old["units"][0]["seconds"] += 1000
    file.write_text(json.dumps(old))
    assert run() == 0
    assert file.read_bytes() == whole


def test_the_same_rows_computed_anew_are_an_empty_diff(toy_here: Toy) -> None:
    assert run() == 0
    folder = Path("reports/results/toy")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (toy_here.root / "runs").rename(toy_here.root / "gone")
    assert run() == 0
    assert len(toy_here.runs_of_units()) == 20
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_lower_profile_never_replaces_a_higher_one(toy_here: Toy, capsys: Capture) -> None:
    assert run("profile=paper") == 0
    paper = toy_here.collected()
    assert run() == 0
    assert "draw keeps its results of the higher profile paper" in capsys.readouterr().out
    assert toy_here.collected() == paper
    assert run("profile=default", "report_dir=out") == 0
    assert run("profile=paper", "report_dir=out") == 0
    assert toy_here.collected("out") == paper


def test_units_with_other_columns_do_not_mix(toy: Toy) -> None:
    assert toy.call("run", "toy", *FAST).returncode == 0
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    code.write_text(code.read_text().replace('"above": value > 0', '"below": value < 0'))
    done = toy.call("run", "toy", *FAST, "draw.replicates=15")
    assert done.returncode == 1
    assert "different columns: raise the code_version of draw" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_report_folder_that_cannot_be_written_loses_nothing(
    toy_here: Toy, capsys: Capture
) -> None:
    Path("file").write_text("in the way")
    assert run("report_dir=file/reports") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: cannot write file/reports")
    assert said.count("\n") == 1
    assert "kept in runs/store" in said
    assert len(toy_here.runs_of_units()) == 10
    assert run() == 0
    assert len(toy_here.runs_of_units()) == 10


def full(monkeypatch: pytest.MonkeyPatch, below: str, after: int) -> None:
    """Let every write below a folder fail as on a full disk, after the first few."""
    original, calls = files.write_bytes, []

    def write(path: Path, content: bytes) -> None:
        if below in str(path):
            calls.append(path)
            if len(calls) > after:
                path.write_bytes(content[:3])
                raise OSError(errno.ENOSPC, "No space left on device")
        original(path, content)

    monkeypatch.setattr(files, "write_bytes", write)


@pytest.mark.parametrize("after", range(4))
def test_a_full_report_folder_loses_nothing(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    assert run("draw.replicates=3", "report_dir=reports") == 0
    assert run("report_dir=whole") == 0
    before, whole = toy_here.collected(), toy_here.collected("whole")
    with monkeypatch.context() as patch:
        full(patch, "/reports/", after)
        assert run() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No space left on device" in said
    for name, content in toy_here.collected().items():
        assert content in (before[name], whole[name])
    assert not list(toy_here.root.glob("reports/**/.*"))
    units = len(toy_here.runs_of_units())
    assert run() == 0
    assert len(toy_here.runs_of_units()) == units
    assert toy_here.collected() == whole


@pytest.mark.parametrize("after", [0, 4])
def test_a_full_store_is_one_line_and_keeps_finished_units(
    toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with monkeypatch.context() as patch:
        full(patch, "/store/", after)
        assert run() == 1
    said = capsys.readouterr().err
    assert said.startswith("error: cannot write the store")
    assert said.count("\n") == 1
    finished = len(list(toy_here.store.glob("*/*/manifest.json")))
    assert finished == after // 3
    assert run() == 0
    assert len(toy_here.runs_of_units()) == finished + 1 + (10 - finished)


def test_runs_that_cannot_be_written_are_one_line(toy_here: Toy, capsys: Capture) -> None:
    Path("runs").write_text("in the way")
    assert run() == 1
    said = capsys.readouterr().err
    assert said.startswith("error: cannot write runs")
    assert said.count("\n") == 1


def test_json_of_manifests_is_sorted(toy_here: Toy) -> None:
    assert run() == 0
    text = Path("reports/results/toy/draw.manifest.json").read_text()
    assert "what_if" not in json.loads(text)
    assert json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n" == text
