"""What `make` would do; nothing is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def version() -> tuple[int, ...]:
    """Of make; (0,) without it."""
    if shutil.which("make") is None:
        return (0,)
    said = subprocess.run(["make", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else (0,)


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "CONDA_PREFIX", "PROFILE", "JOBS", "ARGS")
        and not key.startswith("MAKE")
    }
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-cuda.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_help_names_every_target_a_user_needs(checkout: Path) -> None:
    said = make(checkout, "help").stdout
    targets = {line.split()[0] for line in said.splitlines()}
    assert targets >= {"all", "setup", "replicate-%", "report", "test", "bench", "verify", "lint"}
    assert targets >= {"data", "clean", "help", "cite"}
    assert all(len(line.split()) > 2 for line in said.splitlines())


def test_without_an_environment_one_is_made_and_everything_is_run(checkout: Path) -> None:
    lines = make(checkout, "-n").stdout.splitlines()
    assert any("-m venv .venv" in line for line in lines)
    assert ".venv/bin/python scripts/install.py" in lines
    assert lines[-1].split() == [".venv/bin/python", "-m", "oldschool", "run", "profile=default"]


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_an_active_environment_is_used_instead(checkout: Path, variable: str) -> None:
    (checkout / "env" / "bin").mkdir(parents=True)
    (checkout / "env" / "bin" / "python").symlink_to(sys.executable)
    said = make(checkout, "-n", "test", **{variable: str(checkout / "env")}).stdout
    assert "venv .venv" not in said
    assert f"{checkout}/env/bin/python scripts/install.py" in said


def test_profile_jobs_and_settings_reach_the_run(checkout: Path) -> None:
    words = ("PROFILE=smoke", "JOBS=3", "ARGS=monks.alpha=1e-6 seed=1")
    line = make(checkout, "-n", "replicate-obs", *words).stdout.splitlines()[-1]
    wanted = "-m oldschool run obs profile=smoke jobs=3 monks.alpha=1e-6 seed=1"
    assert line.split() == [".venv/bin/python", *wanted.split()]


@pytest.mark.skipif(version() < (4, 2), reason="older makes do not say how many jobs they have")
@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["-j2"], "jobs=2"),
        (["-j", "3", "JOBS=5"], "jobs=5"),
        (["-j"], ""),
        (["ARGS=monks.alpha=1e-6", "-j2"], "jobs=2"),
    ],
)
def test_the_jobs_of_make_are_worker_processes(checkout: Path, words: list[str], jobs: str) -> None:
    line = make(checkout, "-n", *words).stdout.splitlines()[-1]
    given = [word for word in line.split() if word.startswith("jobs=")]
    assert given == ([jobs] if jobs else [])


def test_nothing_is_installed_twice(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (checkout / ".venv" / ".oldschool-installed").touch()
    assert "install.py" not in make(checkout, "-n", "test").stdout
    os.utime(checkout / "requirements.lock", (4e9, 4e9))
    assert "install.py" in make(checkout, "-n", "test").stdout


def test_no_python_is_one_line_that_says_so(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "make"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    done = make(checkout, "setup", PATH=str(tools))
    assert done.returncode != 0
    assert "error: neither python3.11 nor a python3 of at least 3.11 was found" in done.stderr


def test_no_command_is_echoed(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    python = checkout / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    assert make(checkout, "list").stdout == ""
