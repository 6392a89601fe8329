"""Runs: what is kept, what is run and why, failures, workers, rerunning."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from oldschool.cli import main
from oldschool.runs import config, launch, pool, provenance, registry, results
from oldschool.runs.progress import Bar, Display
from tests.conftest import Toy

FAST = ("report=false", "jobs=1")
Capture = pytest.CaptureFixture[str]


def run(*words: str) -> int:
    return main(["run", "toy", *FAST, *words])


def lines(capsys: Capture) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_the_second_run_keeps_everything_and_touches_nothing(
    toy_here: Toy, capsys: Capture
) -> None:
    assert run() == 0
    first = lines(capsys)
    assert "toy/draw: 8 units: 8 run (new)" in first
    assert "toy/fit: 2 units: 2 run (new)" in first
    files = [path for path in toy_here.root.rglob("*") if path.is_file()]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
    assert run() == 0
    second = lines(capsys)
    assert "toy/draw: 8 units: 8 kept (up to date)" in second
    assert "toy/fit: 2 units: 2 kept (up to date)" in second
    assert "  reports/results/toy/draws.csv: up to date" in second
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
    assert len(toy_here.runs_of_units()) == 10


def test_why_units_are_run(toy_here: Toy, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason(*words: str) -> str:
        assert run("fit.shift=0.5", *words) == 0
        return next(line for line in lines(capsys) if line.startswith("toy/draw: "))

    assert reason() == "toy/draw: 8 units: 8 run (new)"
    assert reason("draw.scale=2") == "toy/draw: 8 units: 8 run (settings changed: scale)"
    assert reason("draw.scale=2", "seed=3") == "toy/draw: 8 units: 8 run (seed 0 -> 3)"
    assert reason() == "toy/draw: 8 units: 8 kept (up to date)"
    more = "toy/draw: 10 units: 8 kept (up to date), 2 run (new)"
    assert reason("draw.replicates=15") == more
    monkeypatch.setenv("TOY_DATA", "1" * 64)
    assert reason("draw.scale=2", "seed=3") == "toy/draw: 8 units: 8 run (data changed)"


def test_a_raised_code_version_is_why(toy: Toy) -> None:
    assert "8 run (new)" in toy.call("run", "toy", *FAST).stdout
    again = toy.call("run", "toy", *FAST, TOY_VERSION="3")
    assert "toy/draw: 8 units: 8 run (code_version 1 -> 3)" in again.stdout
    assert "toy/fit: 2 units: 2 kept (up to date)" in again.stdout


def test_a_default_changed_in_the_code_is_noticed(toy: Toy) -> None:
    assert toy.call("run", "toy", *FAST).returncode == 0
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    (toy.root / "conf" / "toy" / "draw.yaml").write_text("{}\n")
    code.write_text(code.read_text().replace("scale: float = 1.0", "scale: float = 5.0"))
    again = toy.call("run", "toy", *FAST)
    assert "toy/draw: 8 units: 8 run (settings changed: scale)" in again.stdout


@pytest.mark.parametrize("file", ["draws.csv", "manifest.json"])
def test_a_damaged_unit_is_named_and_run_again(toy_here: Toy, capsys: Capture, file: str) -> None:
    assert run() == 0
    before = toy_here.collected()
    victim = sorted((toy_here.store / "draw").glob(f"*/{file}"))[3]
    victim.write_bytes(victim.read_bytes()[:20])
    capsys.readouterr()
    assert run() == 0
    said = "\n".join(lines(capsys))
    assert f": damaged: runs/store/toy/draw/{victim.parent.name}/{file}" in said
    assert "toy/draw: 8 units: 7 kept (up to date), 1 run (damaged)" in said
    assert toy_here.collected() == before
    assert len(toy_here.runs_of_units()) == 11


def test_a_failed_unit_is_recorded_never_cached_and_stops_no_other(
    toy_here: Toy, capsys: Capture
) -> None:
    assert run("draw.fail=3", "draw.conditions=[a]", "report_dir=out") == 1
    said = capsys.readouterr()
    assert "failed: toy/draw draw[name=a] 3-5: FloatingPointError: asked to fail, at length" in (
        said.out
    )
    assert "toy/draw: 4 units: 3 run (new), 1 failed" in said.out
    assert "toy/fit: not run, because draw has failed" in said.out
    assert said.err.startswith("error: 1 of 4 units of toy/draw failed")
    assert said.err.count("\n") == 1
    (record,) = (toy_here.store / "draw").glob("*.error.json")
    assert record.name in said.err
    error = json.loads(record.read_text())
    assert error["condition"] == {"name": "a"}
    assert (error["start"], error["stop"]) == (3, 6)
    assert "Traceback" in error["traceback"]
    manifest = results.load_manifest(Path("out"), "toy", "draw")
    assert manifest is not None
    assert [unit["start"] for unit in manifest["units"]] == [0, 6, 9]
    assert [(unit["start"], unit["error"]) for unit in manifest["failed"]] == [
        (3, "FloatingPointError: asked to fail, at length")
    ]
    assert list(results.load_frames(Path("out"), "toy")["draws"]["replicate"]) == [
        *range(3),
        *range(6, 12),
    ]
    assert run("draw.fail=3", "draw.conditions=[a]", "report_dir=out") == 1
    assert toy_here.runs_of_units().count("draw[name=a] 3-5") == 2
    assert toy_here.runs_of_units().count("draw[name=a] 0-2") == 1


class Watched(Display):
    """A display that tells whether its bars may still be shown."""

    open = False

    def __enter__(self) -> Display:
        self.open = True
        return super().__enter__()

    def __exit__(self, *how: object) -> None:
        self.open = False
        super().__exit__(*how)

    def bar(self, title: str, total: int) -> Bar:
        assert self.open
        return super().bar(title, total)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_the_display_is_closed_however_a_run_ends(
    toy_here: Toy, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    if error is not None:
        monkeypatch.setattr(pool, "execute", Mock(side_effect=error))
    settings = config.settings(registry.find("toy"), ["jobs=1"])
    display = Watched()
    with pytest.raises(KeyboardInterrupt) if error else nullcontext():
        launch.run(settings, Path("out"), display)
    assert vars(display)["open"] is False


def test_if_all_units_fail_no_rows_are_left(toy_here: Toy, capsys: Capture) -> None:
    words = ("draw.conditions=[a]", "draw.replicates=3", "report_dir=out")
    assert run(*words) == 0
    assert run(*words, "draw.fail=0") == 1
    assert "out/results/toy/draws.csv: removed" in capsys.readouterr().out
    assert "draws" not in results.load_frames(Path("out"), "toy")


def test_a_missing_number_is_a_row(toy_here: Toy) -> None:
    assert run("draw.nan=3", "report_dir=out") == 0
    draws = results.load_frames(Path("out"), "toy")["draws"]
    assert list(draws.loc[draws["value"].isna(), "replicate"]) == [3, 4, 5] * 2


def test_workers_change_nothing_in_the_rows(toy: Toy) -> None:
    outcomes = []
    for jobs in (1, 2):
        done = toy.call(
            "run", "toy", "report=false", "fit.torch=true", f"jobs={jobs}", f"report_dir=out{jobs}"
        )
        assert done.returncode == 0, done.stderr
        outcomes.append(toy.collected(f"out{jobs}"))
        (toy.root / "runs" / "store").rename(toy.root / f"store{jobs}")
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {"draws.csv", "blocks.csv", "fits.csv"}
    assert len(toy.runs_of_units()) == 20


def test_units_that_took_longest_are_run_first(toy_here: Toy) -> None:
    words = ("draw.conditions=[a]", "report_dir=out")
    assert run(*words) == 0
    file = toy_here.root / "out/results/toy/draw.manifest.json"
    manifest = json.loads(file.read_text())
    took = {0: 1.0, 3: 3.0, 6: 2.0, 9: 5.0}
    for unit in manifest["units"]:
        unit["seconds"] = took[unit["start"]]
    file.write_text(json.dumps(manifest))
    rows = toy_here.collected("out")
    shutil.rmtree(toy_here.store / "draw")
    before = len(toy_here.runs_of_units())
    assert run(*words) == 0
    again = [line for line in toy_here.runs_of_units()[before:] if line.startswith("draw")]
    assert again == [f"draw[name=a] {start}-{start + 2}" for start in (9, 3, 6, 0)]
    assert toy_here.collected("out") == rows


def test_a_killed_worker_is_one_failed_unit(toy: Toy) -> None:
    words = ("report=false", "jobs=2", "draw.die=3", "draw.conditions=[a]")
    done = toy.call("run", "toy", *words)
    assert done.returncode == 1
    assert "toy/draw: 4 units: 3 run (new), 1 failed" in done.stdout
    assert "draw[name=a] 3-5: the worker process was killed by signal 9" in done.stderr
    assert "Traceback" not in done.stderr
    (record,) = (toy.store / "draw").glob("*.error.json")
    error = json.loads(record.read_text())
    assert "killed by signal 9 (often lack of memory" in error["error"]
    assert "traceback" not in error


def test_a_worker_that_exits_says_with_what_code(toy: Toy) -> None:
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    code.write_text(code.read_text().replace("os.kill(os.getpid(), signal.SIGKILL)", "os._exit(7)"))
    done = toy.call("run", "toy", "report=false", "jobs=2", "draw.die=3", "draw.conditions=[a]")
    assert "draw[name=a] 3-5: the worker process ended with exit code 7 (what" in done.stderr


def test_the_last_line_says_where_the_report_is(toy: Toy, toy_here: Toy, capsys: Capture) -> None:
    (toy.root / "replications" / "toy2000_demo" / "claims.yaml").write_text("[]\n")
    (toy.root / "replications" / "toy2000_demo" / "README.md").write_text("# Toy\n")
    assert main(["run", "toy", "jobs=1", "report_dir=out"]) == 0
    assert lines(capsys)[-1] == "report: out/index.html"
    assert main(["report"]) == 0
    assert lines(capsys)[-1] == "report: reports/index.html"
    assert main(["run", "toy", "jobs=1", "draw.fail=3", "report_dir=out"]) == 1
    assert lines(capsys)[-1] == "report: out/index.html"


def test_one_report_at_the_end_where_nothing_was_run(
    toy_here: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that a run has changed are reported at once, so that a later kill leaves no gap."""
    first = toy_here.root / "replications" / "toy2000_demo"
    second = shutil.copytree(first, first.with_name("toy2001_other"))
    code = second / "__init__.py"
    code.write_text(code.read_text().replace('name="toy"', 'name="other"'))
    conf = toy_here.root / "conf"
    text = (conf / "toy.yaml").read_text()
    (conf / "other.yaml").write_text(text.replace("toy_schema", "other_schema"))
    built: list[Path] = []
    monkeypatch.setattr("oldschool.cli._build", built.append)
    assert main(["run", "jobs=1"]) == 0
    assert len(built) == 2
    built.clear()
    assert main(["run", "jobs=1"]) == 0
    assert built == [toy_here.root / "reports"]
    next(toy_here.root.glob("reports/results/toy/draws.csv")).unlink()
    built.clear()
    assert main(["run", "jobs=1"]) == 0
    assert len(built) == 2
    built.clear()
    assert main(["run", "jobs=1", "draw.fail=3", "report_dir=out"]) == 1
    assert built == [Path("out"), Path("out")]


def test_plan_sees_the_frames_it_needs(toy_here: Toy) -> None:
    assert run("draw.replicates=4", "draw.conditions=[b]", "report_dir=out") == 0
    assert list(results.load_frames(Path("out"), "toy")["fits"]["replicate"]) == [0, 1, 2, 3]


def test_rerun_gives_the_collected_rows(toy_here: Toy) -> None:
    assert run("draw.scale=3", "seed=5", "report_dir=out") == 0
    toy = registry.find("toy")
    rows = results.load_frames(Path("out"), "toy")
    for name, frame in [("draw", "draws"), ("fit", "fits")]:
        manifest = results.load_manifest(Path("out"), "toy", name)
        assert manifest is not None
        experiment = toy.experiment(name)
        again = pd.concat(
            [launch.rerun(toy, experiment, unit, manifest)[frame] for unit in manifest["units"]],
            ignore_index=True,
        )
        assert_frame_equal(again, rows[frame], rtol=1e-8)


def test_a_unit_cannot_read_settings_it_has_not_declared(toy: Toy) -> None:
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    code.write_text(code.read_text().replace("+= config.fit.shift", "+= config.draw.scale"))
    done = toy.call("run", "toy", *FAST)
    assert done.returncode == 1
    assert "fit[name=a] 0-11: AttributeError" in done.stderr


def test_frames_must_be_those_declared(toy: Toy) -> None:
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    code.write_text(code.read_text().replace('{"fits": fits}', '{"fitz": fits}'))
    done = toy.call("run", "toy", *FAST)
    assert done.returncode == 1
    assert "returned frames ['fitz'], declared ['fits']" in done.stderr


def test_a_broken_replication_is_not_skipped(toy: Toy) -> None:
    broken = toy.root / "replications" / "bad1999"
    broken.mkdir()
    (broken / "__init__.py").write_text("import no_such_module\n")
    done = toy.call("list")
    assert done.returncode != 0
    assert "no_such_module" in done.stderr


def test_a_folder_without_a_replication_is_none(toy: Toy) -> None:
    (toy.root / "replications" / "shared1999").mkdir()
    (toy.root / "replications" / "shared1999" / "__init__.py").write_text("X = 1\n")
    done = toy.call("list")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "toy: A toy (Nobody, 2000)",
        "  draw: rows draws, blocks",
        "  fit: rows fits",
    ]


def test_data_are_listed_with_their_hashes(toy_here: Toy, capsys: Capture) -> None:
    assert main(["data"]) == 0
    assert lines(capsys) == [f"toy/draw: numbers sha256 {'0' * 64}"]


def test_manifests_say_where_rows_come_from(toy: Toy) -> None:
    words = ("report=false", "fit.torch=true", "jobs=2", "threads=2")
    assert toy.call("run", "toy", *words).returncode == 0
    (unit, *_) = (toy.store / "fit").glob("*/manifest.json")
    manifest = json.loads(unit.read_text())
    assert manifest["status"] == "done"
    assert manifest["settings"] == {"fit": {"shift": 0.5, "torch": True}}
    environment = manifest["environment"]
    assert environment["threads"] == 2
    assert environment["default_dtype"] == "torch.float32"
    assert set(environment) >= {"commit", "dirty", "python", "packages", "gpu", "platform"}
    assert environment["cores"] == provenance.cores()
    assert environment["packages"]["torch"].startswith("2.")
