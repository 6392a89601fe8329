"""A project of one tiny replication, copied to a folder of its own and run there."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oldschool.report.build import build
from oldschool.runs import digest, registry, results, store, worker
from oldschool.runs.config import Settings, instance
from oldschool.runs.experiment import Replication
from oldschool.runs.results import Stored
from oldschool.runs.worker import Task

PROJECT = Path(__file__).parent / "project"


class Project:
    """The tiny project under ``root``, whose files a test may change."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "replications" / "demo2001_tiny"
        self.reports = root / "reports"

    def load(self) -> list[Replication]:
        """The replications as their files are now."""
        forget()
        importlib.invalidate_caches()
        return list(registry.replications().values())

    def run(self, *experiments: str, profile: str = "default", seed: int = 0) -> None:
        """Run experiments in this process and collect their results."""
        (replication,) = self.load()
        values = {"profile": profile, "seed": seed}
        what_if = {"seed": seed} if seed else {}
        settings = Settings(replication, instance(replication, values), values, what_if)
        for name in experiments or ("prune", "cost"):
            experiment = replication.experiment(name)
            stored = []
            for unit in experiment.plan(settings.config, {}):
                key = digest.unit_digest(experiment, settings.config, unit, {})
                task = Task("tiny", unit, key, values, {}, {"commit": None, "dirty": None})
                assert worker.execute(task, wait=True).status in ("run", "kept")
                stored.append(Stored(unit, task.folder, store.load(task.folder)))
            results.collect(self.reports, settings, experiment, stored, [], {})

    def leave_out(self, experiment: str, reason: str) -> None:
        """Note that the data of an experiment cannot be had, as a run does."""
        (replication,) = self.load()
        values = {"profile": "default", "seed": 0}
        settings = Settings(replication, instance(replication, values), values, {})
        results.leave_out(self.reports, settings, replication.experiment(experiment), reason)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    def tree(self) -> dict[str, bytes]:
        """{path: content} of the report folder."""
        return {
            file.relative_to(self.reports).as_posix(): file.read_bytes()
            for file in sorted(self.reports.rglob("*"))
            if file.is_file()
        }


def forget() -> None:
    """Make the next import of a replication read its files again."""
    for name in [key for key in sys.modules if key.partition(".")[0] == "replications"]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The tiny project, not yet run."""
    with _made_current(PROJECT, tmp_path / "project", monkeypatch) as current:
        yield current


@pytest.fixture
def finished(
    finished_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """The tiny project, run and reported."""
    with _made_current(finished_once, tmp_path / "project", monkeypatch) as current:
        yield current


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``finished`` is a copy of."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("finished") / "project"
        with _made_current(PROJECT, root, patch) as current:
            current.run()
            build(current.reports, current.load(), say=lambda line: None)
        return root


@contextmanager
def _made_current(source: Path, root: Path, patch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A copy of ``source`` at ``root`` as the project that the package finds."""
    shutil.copytree(source, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "conf").mkdir(exist_ok=True)
    patch.setenv("OLDSCHOOL_ROOT", str(root))
    patch.setattr(sys, "dont_write_bytecode", True)
    patch.setattr(sys, "path", list(sys.path))
    before = {key: sys.modules[key] for key in sys.modules if key.startswith("replications")}
    yield Project(root)
    forget()
    sys.modules.update(before)
