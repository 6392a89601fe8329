"""No worker waits for the last units of an experiment that the next one does not need."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Toy

FREE = "free[] 0-0"
# The one unit of draw, the first experiment, is done only after free, the last one, has begun.
WORDS = ("report=false", "draw.replicates=1", "draw.conditions=[a]")
HELD = {"TOY_AWAIT": FREE}


@pytest.fixture
def toy(toy: Toy) -> Toy:
    toy.add_free()
    return toy


def fail_free(toy: Toy) -> None:
    code = toy.root / "replications" / "toy2000_demo" / "__init__.py"
    raising = 'raise ValueError("free")\n    return {"frees"'
    code.write_text(code.read_text().replace('return {"frees"', raising))


def test_an_experiment_is_begun_while_the_last_unit_of_another_is_run(toy: Toy) -> None:
    done = toy.call("run", "toy", *WORDS, "jobs=2", **HELD)
    assert done.returncode == 0, done.stdout + done.stderr
    # Not fit, which needs all of draw.
    assert toy.runs_of_units() == ["draw[name=a] 0-0", FREE, "fit[name=a] 0-0"]
    folder = done.stdout.splitlines()[0].rpartition(" ")[2] + "/results/toy"
    assert done.stdout.splitlines()[1:] == [
        "toy/free: 1 units: 1 run (new)",
        f"  {folder}/frees.csv: new",
        "toy/draw: 1 units: 1 run (new)",
        f"  {folder}/draws.csv: new",
        f"  {folder}/blocks.csv: new",
        "toy/fit: 1 units: 1 run (new)",
        f"  {folder}/fits.csv: new",
    ]


def test_one_job_runs_the_experiments_in_the_order_they_are_declared(toy: Toy) -> None:
    assert toy.call("run", "toy", *WORDS, "jobs=1").returncode == 0
    assert toy.runs_of_units() == ["draw[name=a] 0-0", "fit[name=a] 0-0", FREE]


def test_the_failure_that_is_told_is_of_the_experiment_declared_first(toy: Toy) -> None:
    fail_free(toy)
    done = toy.call("run", "toy", *WORDS, "jobs=2", "draw.fail=0", **HELD)
    assert done.returncode == 1
    said = done.stdout.splitlines()
    assert said.index("toy/free: 1 units: 1 failed (ValueError: free)") < said.index(
        "toy/fit: not run, because draw has failed"
    )
    assert done.stderr.startswith("error: 1 of 1 units of toy/draw failed")
    assert done.stderr.count("\n") == 1


def test_what_is_needed_fails_while_others_go_on(toy: Toy) -> None:
    done = toy.call("run", "toy", *WORDS, "jobs=2", "draw.die=0", **HELD)
    assert done.returncode == 1
    assert "toy/free: 1 units: 1 run (new)" in done.stdout
    assert "toy/fit: not run, because draw has failed" in done.stdout
    assert "draw[name=a] 0-0: the worker process was killed by signal 9" in done.stderr


def test_another_experiment_is_run_before_a_unit_of_another_process_is_waited_for(
    toy: Toy,
) -> None:
    first = toy.start("run", "toy", *WORDS, "jobs=1", **HELD)
    deadline = time.monotonic() + 30
    while not toy.runs_of_units():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = toy.call("run", "toy", *WORDS, "jobs=1")
    out, err = first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), out + err + second.stderr
    said = second.stdout.splitlines()
    assert said.index("toy/free: 1 units: 1 run (new)") < said.index(
        "toy/draw: 1 units: 1 kept (done by another process)"
    )
    assert sorted(toy.runs_of_units()) == ["draw[name=a] 0-0", "fit[name=a] 0-0", FREE]
