"""Real processes killed, interrupted, and run side by side."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import SOURCE, Toy

FAST = ("report=false",)
MANY = ("draw.replicates=20", "draw.block=1", "draw.sleep=0.05", "report_dir=out")
KILLS = 20
PROC = Path("/proc/self/stat")


def group_members(group: int) -> list[int]:
    """Living processes of a process group."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(pgrp) == group and state not in "ZX":
            members.append(int(stat.parent.name))
    return members


def finished(toy: Toy) -> set[str]:
    """Labels of the units whose manifest is in the store."""
    labels = set()
    for file in toy.store.glob("*/*/manifest.json"):
        if not file.parent.name.startswith("."):
            unit = json.loads(file.read_text())
            name = unit["condition"]["name"]
            last = unit["stop"] - 1
            labels.add(f"{unit['experiment']}[name={name}] {unit['start']}-{last}")
    return labels


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The rows of a run that nothing has disturbed."""
    import shutil

    from tests.conftest import TESTS

    root = tmp_path_factory.mktemp("undisturbed") / "toy"
    shutil.copytree(TESTS / "toy", root)
    toy = Toy(root)
    assert toy.call("run", "toy", *FAST, *MANY, "jobs=1", "draw.sleep=0").returncode == 0
    return toy.collected("out")


@pytest.mark.skipif(not PROC.exists(), reason="looks for surviving workers in /proc")
def test_killed_at_twenty_random_moments(toy: Toy, undisturbed: dict[str, bytes]) -> None:
    moments = random.Random(1993)
    for kill in range(KILLS):
        before, counts = finished(toy), Counter(toy.runs_of_units())
        process = toy.start("run", "toy", *FAST, *MANY, f"jobs={1 + kill % 2}")
        time.sleep(moments.uniform(0.3, 1.3))
        if kill % 4 < 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:  # the workers have to notice by themselves
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        deadline = time.monotonic() + 10
        while group_members(process.pid):
            assert time.monotonic() < deadline, "a worker has outlived its parent"
            time.sleep(0.02)
        after = Counter(toy.runs_of_units())
        for label in before:
            assert after[label] == counts[label], f"{label} was finished and ran again"
    before, counts = finished(toy), Counter(toy.runs_of_units())
    done = toy.call("run", "toy", *FAST, *MANY, "jobs=2")
    assert done.returncode == 0, done.stderr
    assert toy.collected("out") == undisturbed
    after = Counter(toy.runs_of_units())
    assert len(after) == 42
    for label in before:
        assert after[label] == counts[label]
    assert not list(toy.store.glob("*/.*"))


def test_two_processes_share_a_store(toy: Toy, undisturbed: dict[str, bytes]) -> None:
    both = [toy.start("run", "toy", *FAST, *MANY, "jobs=1") for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    counts = Counter(toy.runs_of_units())
    assert len(counts) == 42
    assert set(counts.values()) == {1}
    assert toy.collected("out") == undisturbed
    assert any("done by another process" in out for out, _ in outputs)


def test_the_one_unit_that_another_process_is_at_is_waited_for(toy: Toy) -> None:
    words = ("draw.replicates=1", "draw.conditions=[a]", "draw.sleep=2", "jobs=1")
    first = toy.start("run", "toy", *FAST, *words)
    deadline = time.monotonic() + 30
    while not toy.runs_of_units():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = toy.call("run", "toy", *FAST, *words)
    assert first.wait(timeout=30) == second.returncode == 0
    assert "toy/draw: 1 units: 1 kept (done by another process)" in second.stdout
    assert Counter(toy.runs_of_units())["draw[name=a] 0-0"] == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_is_one_line_and_the_next_run_goes_on(toy: Toy, jobs: int) -> None:
    words = ("run", "toy", *FAST, *MANY, "draw.replicates=6", f"jobs={jobs}")
    process = toy.start(*words)
    deadline = time.monotonic() + 30
    while len(toy.runs_of_units()) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "interrupted: finished units are kept, the same command goes on from there\n"
    kept = finished(toy)
    assert kept
    done = toy.call(*words)
    assert done.returncode == 0
    counts = Counter(toy.runs_of_units())
    assert all(counts[label] == 1 for label in kept)


def test_an_interrupt_while_importing_is_no_traceback(toy: Toy) -> None:
    (toy.root / "argparse.py").write_text("raise KeyboardInterrupt\n")
    done = toy.call("list", PYTHONPATH=os.pathsep.join([str(toy.root), str(SOURCE)]))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(not PROC.exists(), reason="looks for workers in /proc")
def test_an_interrupt_while_workers_start_is_one_line(toy: Toy) -> None:
    for workers in (1, 1, 2, 2):
        process = toy.start("run", "toy", *FAST, *MANY, "jobs=2", "draw.sleep=1")
        deadline = time.monotonic() + 60
        while len(group_members(process.pid)) < 1 + workers:
            assert time.monotonic() < deadline
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err == "interrupted: finished units are kept, the same command goes on from there\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_worker_says_that_nothing_is_compiled(toy: Toy, jobs: int) -> None:
    words = (*FAST, *MANY, "draw.compiled=true", f"jobs={jobs}")
    done = toy.call("run", "toy", *words, CC="false", XDG_CACHE_HOME=str(toy.root / "cache"))
    assert done.returncode == 0
    assert len(toy.runs_of_units()) == 42
    assert done.stderr.count("NotCompiledWarning") == 1
