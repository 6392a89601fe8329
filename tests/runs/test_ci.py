"""What CI runs, on GitHub and elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    return dict(yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text()))


def test_github_runs_the_same_as_everywhere_on_all_systems_and_pythons(
    workflow: dict[Any, Any],
) -> None:
    (job,) = workflow["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert matrix == {
        "os": ["ubuntu-latest", "macos-latest"],
        "python": ["3.11", "3.12", "3.13"],
    }
    assert job["runs-on"] == "${{ matrix.os }}"
    last = job["steps"][-1]["run"].splitlines()[-1]
    assert last == ".ci/run"
    assert os.access(ROOT / last, os.X_OK)
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert oldest == f">={matrix['python'][0]}"


def test_github_may_only_read_and_its_actions_are_pinned(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    (job,) = workflow["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert len(used) == 2
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used)


def test_everything_is_run_in_turn() -> None:
    words = (ROOT / ".ci/run").read_text().splitlines()
    assert words[-4:] == [".ci/browser", "make lint", "make test", "make verify"]


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("", ["installing chromium and chromium-driver"]),
        ("install", ["installing chromium and chromium-driver", "chromium cannot be installed"]),
        ("update", ["installing chromium and chromium-driver", "chromium cannot be installed"]),
    ],
)
def test_a_browser_is_got_where_it_can_be_and_never_fails_the_run(
    fails: str, said: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    tools = {
        "id": "echo 0",
        "timeout": 'shift; exec "$@"',
        "apt-get": f'echo "$1" >> {log}; [ "$1" != "{fails}" ]',
    }
    done = _browser(tmp_path, tools, CI="true")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))
    assert log.read_text().split() == (["update"] if fails == "update" else ["update", "install"])


def test_a_browser_is_not_installed_on_anyones_own_machine(tmp_path: Path) -> None:
    done = _browser(tmp_path, {"id": "echo 0", "apt-get": "exit 1"}, CI="")
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("no chromium with chromedriver here")


def test_a_browser_that_is_there_is_left_alone(tmp_path: Path) -> None:
    done = _browser(tmp_path, {"chromium": "", "chromedriver": "", "apt-get": "exit 1"}, CI="true")
    assert (done.returncode, done.stdout) == (0, "")


def _browser(
    folder: Path, tools: dict[str, str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the script where there are these commands and no others."""
    for name, body in tools.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", str(ROOT / ".ci/browser")],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
    )
