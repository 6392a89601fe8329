"""Which replications there are: the packages of ``replications/`` that export ``REPLICATION``."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from types import ModuleType

from oldschool import paths
from oldschool.errors import ConfigError
from oldschool.runs.experiment import Replication

PACKAGE = "replications"


def replications() -> dict[str, Replication]:
    """All replications by name, ordered by folder name.

    A folder that cannot be imported raises what its import raised: nothing is skipped.

    Raises:
        ValueError: two replications share a name, or two experiments of one share a frame, or
            an experiment names a node, an experiment or a frame that it cannot have.
    """
    found: dict[str, Replication] = {}
    for init in sorted(paths.replications().glob("*/__init__.py")):
        replication = getattr(_module(init.parent), "REPLICATION", None)
        if replication is None:
            continue
        if replication.name in found:
            raise ValueError(f"two replications are called {replication.name!r}")
        _check(replication)
        found[replication.name] = replication
    return found


def find(name: str) -> Replication:
    """The replication called ``name``.

    Raises:
        ConfigError: there is none; the message has the nearest name and all names.
    """
    known = replications()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(f"unknown replication {name!r}: {hint}there are: {', '.join(known)}")


def _module(folder: Path) -> ModuleType:
    name = f"{PACKAGE}.{folder.name}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ is not None:
        if Path(loaded.__file__).resolve().parent == folder.resolve():
            return loaded
        # The same folder name under another root: forget it, with its submodules.
        for stale in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[stale]
    root = str(paths.root())
    if root in sys.path:
        sys.path.remove(root)
    sys.path.insert(0, root)
    return importlib.import_module(name)


def _check(replication: Replication) -> None:
    owner: dict[str, str] = {}
    for experiment in replication.experiments:
        for frame in experiment.frames:
            if frame in owner:
                raise ValueError(
                    f"{replication.name}: {owner[frame]} and {experiment.name} both have a frame "
                    f"{frame!r}"
                )
            owner[frame] = experiment.name
        for node in experiment.settings:
            if node not in replication.schema:
                raise ValueError(f"{replication.name}/{experiment.name}: no settings node {node!r}")
        for need in experiment.needs:
            if need == experiment.name or need not in owner.values():
                raise ValueError(
                    f"{replication.name}/{experiment.name} needs {need!r}, not run by then"
                )
        for frame in experiment.reads:
            if owner.get(frame) not in experiment.needs:
                raise ValueError(
                    f"{replication.name}/{experiment.name} reads {frame!r}, a frame of no "
                    "experiment that it needs"
                )
