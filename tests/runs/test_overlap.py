"""No worker waits for the last units of an experiment that the next one does not need."""

from __future__ import annotations

import time
from typing import Any

import pytest

from oldschool.cli import main
from oldschool.errors import StorageError
from oldschool.runs import results
from tests.conftest import Toy

DRAW, FIT, FREE = "draw[name=a] 0-0", "fit[name=a] 0-0", "free[] 0-0"
# The one unit of draw, the first experiment, goes on only after free, the last one, has begun.
WORDS = ("report=false", "draw.replicates=1", "draw.conditions=[a]")
HELD = {"TOY_AWAIT": FREE}
MODULE = "replications/toy2000_demo/__init__.py"


@pytest.fixture
def toy(toy: Toy) -> Toy:
    toy.add_free()
    return toy


def change(toy: Toy, old: str, new: str) -> None:
    code = toy.root / MODULE
    text = code.read_text()
    assert old in text
    code.write_text(text.replace(old, new))


def wait_for_a_unit(toy: Toy) -> None:
    deadline = time.monotonic() + 30
    while not toy.runs_of_units():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_experiment_is_begun_while_the_last_unit_of_another_is_run(toy: Toy) -> None:
    done = toy.call("run", "toy", *WORDS, "jobs=2", **HELD)
    assert done.returncode == 0, done.stdout + done.stderr
    *first, last = toy.runs_of_units()
    assert (sorted(first), last) == ([DRAW, FREE], FIT)  # fit needs all of draw
    said = done.stdout.splitlines()
    folder = said[0].rpartition(" ")[2] + "/results/toy"
    for summary, frames in [
        ("toy/draw: 1 units: 1 run (new)", ("draws", "blocks")),
        ("toy/fit: 1 units: 1 run (new)", ("fits",)),
        ("toy/free: 1 units: 1 run (new)", ("frees",)),
    ]:
        at = said.index(summary) + 1
        files = [f"  {folder}/{frame}.csv: new" for frame in frames]
        assert said[at : at + len(files)] == files


def test_one_job_runs_the_experiments_in_the_order_they_are_declared(toy: Toy) -> None:
    assert toy.call("run", "toy", *WORDS, "jobs=1").returncode == 0
    assert toy.runs_of_units() == [DRAW, FIT, FREE]


def test_an_experiment_waits_for_all_that_leads_to_it(toy: Toy) -> None:
    """free needs fit, which needs draw."""
    change(toy, "run_free\n", 'run_free, needs=["fit"]\n')
    done = toy.call("run", "toy", *WORDS, "jobs=2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert toy.runs_of_units() == [DRAW, FIT, FREE]


def test_units_of_the_experiment_declared_first_come_first(toy: Toy) -> None:
    """draw's last unit makes fit ready, while free has a second unit to give."""
    change(toy, 'blocks("free", {}, 1, 1)', 'blocks("free", {}, 3, 1)')
    change(toy, "def run_free(config, unit, seeds):\n    _log(unit)\n", AFTER_DRAW)
    done = toy.call("run", "toy", *WORDS, "jobs=2", **HELD)
    assert done.returncode == 0, done.stdout + done.stderr
    order = toy.runs_of_units()
    assert order.index(FIT) < order.index("free[] 2-2")


# free's first unit, number 1, is done only when draw is collected and fit is begun.
AFTER_DRAW = """def run_free(config, unit, seeds):
    _log(unit)
    end = time.monotonic() + 30
    while unit.start == 1 and "fit[name=a] 0-0" not in Path(os.environ["TOY_LOG"]).read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
"""


def test_the_failure_that_is_told_is_of_the_experiment_declared_first(toy: Toy) -> None:
    change(toy, 'return {"frees"', 'raise ValueError("free")\n    return {"frees"')
    done = toy.call("run", "toy", *WORDS, "jobs=2", "draw.fail=0", **HELD)
    assert done.returncode == 1
    assert "toy/free: 1 units: 1 failed (ValueError: free)" in done.stdout
    assert "toy/fit: not run, because draw has failed" in done.stdout
    assert done.stderr.startswith("error: 1 of 1 units of toy/draw failed")
    assert done.stderr.count("\n") == 1


def test_what_is_needed_dies_while_others_go_on(toy: Toy) -> None:
    done = toy.call("run", "toy", *WORDS, "jobs=2", "draw.die=0", **HELD)
    assert done.returncode == 1
    assert "toy/free: 1 units: 1 run (new)" in done.stdout
    assert "toy/fit: not run, because draw has failed" in done.stdout
    assert "draw[name=a] 0-0: the worker process was killed by signal 9" in done.stderr


def test_rows_that_do_not_fit_together_keep_no_other_experiment_from_being_collected(
    toy: Toy,
) -> None:
    change(toy, 'blocks("free", {}, 1, 1)', 'blocks("free", {}, 2, 1)')
    change(toy, '{"value": [1]}', '{f"value{unit.start}": [1]}')
    done = toy.call("run", "toy", *WORDS, "jobs=2", **HELD)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "code_version" in done.stderr
    assert "toy/fit: 1 units: 1 run (new)" in done.stdout


def test_rows_that_do_not_fit_together_serve_no_other_experiment(toy: Toy) -> None:
    change(toy, '"above": value > 0', 'f"above{unit.start}": value > 0')
    words = ("report=false", "draw.replicates=2", "draw.block=1", "draw.conditions=[a]")
    done = toy.call("run", "toy", *words, "jobs=2")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "code_version" in done.stderr
    assert "toy/fit: not run, because draw has failed" in done.stdout
    assert "toy/free: 1 units: 1 run (new)" in done.stdout


def test_a_plan_that_cannot_be_made_is_told_and_keeps_no_other_from_being_run(toy: Toy) -> None:
    change(
        toy, 'counts = frames["draws"]', 'raise DataError("no plan")\n    counts = frames["draws"]'
    )
    done = toy.call("run", "toy", *WORDS, "jobs=2")
    assert (done.returncode, done.stderr) == (1, "error: no plan\n")
    assert "toy/fit: not run: no plan" in done.stdout
    assert "toy/free: 1 units: 1 run (new)" in done.stdout


def test_a_report_that_cannot_be_written_is_told_before_all_else(
    toy_here: Toy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = results.collect

    def full(report_dir: Any, settings: Any, experiment: Any, *rest: Any) -> list[str]:
        if experiment.name == "free":
            raise StorageError("the disk is full")
        return collect(report_dir, settings, experiment, *rest)

    monkeypatch.setattr(results, "collect", full)
    assert main(["run", "toy", *WORDS, "jobs=1", "draw.fail=0"]) == 1
    said = capsys.readouterr()
    assert "toy/draw: 1 units: 1 failed" in said.out
    assert said.err == "error: the disk is full\n"


def test_another_experiment_is_run_before_a_unit_of_another_process_is_waited_for(
    toy: Toy,
) -> None:
    first = toy.start("run", "toy", *WORDS, "jobs=1", **HELD)
    wait_for_a_unit(toy)
    second = toy.call("run", "toy", *WORDS, "jobs=1")
    out, err = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), out + err + second.stderr
    said = second.stdout.splitlines()
    assert said.index("toy/free: 1 units: 1 run (new)") < said.index(
        "toy/draw: 1 units: 1 kept (done by another process)"
    )
    assert sorted(toy.runs_of_units()) == [DRAW, FIT, FREE]
