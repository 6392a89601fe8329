"""What tests share: the toy project, and its command line in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src"

FREE = """needs=["draw"]),
        Experiment(
            "free", 1, [], ["frees"], lambda config, frames: blocks("free", {}, 1, 1), run_free
        ),
"""
RUN_FREE = """
def run_free(config, unit, seeds):
    _log(unit)
    return {"frees": pd.DataFrame({"value": [1]})}


REPLICATION = """


@dataclass(frozen=True)
class Toy:
    """A copy of the toy project in a folder of its own.

    Attributes:
        root: the copy.
    """

    root: Path

    @property
    def log(self) -> Path:
        """A line for every time a unit was run."""
        return self.root / "log"

    @property
    def store(self) -> Path:
        return self.root / "runs" / "store" / "toy"

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "OLDSCHOOL_ROOT": str(self.root),
            "TOY_LOG": str(self.log),
            "PYTHONPATH": str(SOURCE),
        }

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start ``python -m oldschool``, in a process group of its own, which Ctrl-C reaches."""
        return subprocess.Popen(
            [sys.executable, "-m", "oldschool", *words],
            cwd=self.root,
            env={**self.environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A shell that started the tests with `&` has told them to ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def call(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m oldschool`` to its end."""
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def runs_of_units(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def add_free(self) -> None:
        """Put one more experiment, which needs no other, at the end of the toy's list."""
        code = self.root / "replications" / "toy2000_demo" / "__init__.py"
        text = code.read_text().replace('needs=["draw"]),\n', FREE)
        code.write_text(text.replace("\nREPLICATION = ", RUN_FREE))

    def collected(self, report_dir: str = "reports") -> dict[str, bytes]:
        """Collected rows by file name."""
        folder = self.root / report_dir / "results" / "toy"
        return {file.name: file.read_bytes() for file in sorted(folder.glob("*.csv*"))}


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A fresh toy project; the tests start processes in it."""
    shutil.copytree(TESTS / "toy", tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    return Toy(tmp_path / "toy")


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """Sets the threads of torch, up to the end of the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def toy_here(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """A fresh toy project that this very process is in."""
    monkeypatch.setenv("OLDSCHOOL_ROOT", str(toy.root))
    monkeypatch.setenv("TOY_LOG", str(toy.log))
    monkeypatch.chdir(toy.root)
    return toy
