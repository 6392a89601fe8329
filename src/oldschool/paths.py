"""Every path the package reads or writes, in one place."""

from __future__ import annotations

import os
from pathlib import Path

from oldschool.errors import UserError

MARKERS = ("conf", "replications")


def root() -> Path:
    """The project's root: the folder that holds ``conf/`` and ``replications/``.

    ``OLDSCHOOL_ROOT`` if set, else the nearest ancestor of the working directory, else of this
    source file.

    Raises:
        UserError: there is none.
    """
    named = os.environ.get("OLDSCHOOL_ROOT")
    if named:
        folder = Path(named).resolve()
        if not _is_root(folder):
            raise UserError(f"OLDSCHOOL_ROOT={named} has no conf/ and replications/ folders")
        return folder
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if _is_root(folder):
                return folder
    raise UserError(
        "no conf/ and replications/ here or above: change to a checkout or set OLDSCHOOL_ROOT"
    )


def _is_root(folder: Path) -> bool:
    return all((folder / marker).is_dir() for marker in MARKERS)


def conf() -> Path:
    """What to run: the Hydra configuration."""
    return root() / "conf"


def citation() -> Path:
    """How to cite this project, and the papers it replicates."""
    return root() / "CITATION.cff"


def replications() -> Path:
    """What the papers did and claimed, a folder each."""
    return root() / "replications"


def reports() -> Path:
    """Generated and committed: the results, figures, tables and pages of the declared settings."""
    return root() / "reports"


def runs() -> Path:
    """Generated and not committed: the store and everything of runs with other settings."""
    return root() / "runs"


def store() -> Path:
    """The store of finished work units."""
    return runs() / "store"


def what_if_reports(name: str) -> Path:
    """The report folder of a run that is not the declared one."""
    return runs() / "reports" / name


def kept_estimates() -> Path:
    """Estimates that need not be worked out again, a folder for each report folder."""
    return runs() / "estimates"


def saved_configs() -> Path:
    """Resolved configurations of all runs, named by what is in them."""
    return runs() / "configs"


def multirun() -> Path:
    """Where Hydra's sweeper keeps its own record."""
    return runs() / "multirun"


def results(report_dir: Path, replication: str) -> Path:
    """Collected results of one replication."""
    return report_dir / "results" / replication


def shown(path: Path) -> str:
    """The path for messages: relative to the root where it lies within."""
    try:
        return path.resolve().relative_to(root()).as_posix()
    except ValueError:
        return str(path)


def data(configured: str | None) -> Path | None:
    """The local data folder: the ``data.dir`` setting, else ``OLDSCHOOL_DATA``, else None."""
    named = configured or os.environ.get("OLDSCHOOL_DATA")
    return Path(named) if named else None
