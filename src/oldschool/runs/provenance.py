"""Where and with what a unit was computed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.compiled import library

PACKAGES = ("oldschool", "torch", "numpy", "scipy", "pandas", "hydra-core")
CODE = ("src", "replications", "conf")
_CPU_KIND = {"family": "cpu family", "model": "model"}  # in /proc/cpuinfo
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@lru_cache
def commit() -> dict[str, Any]:
    """The checkout's commit, and whether code or configuration differ from it; None outside git."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return {"commit": None, "dirty": None}
    return {"commit": head, "dirty": bool(_git("status", "--porcelain", "--", *CODE))}


def environment() -> dict[str, Any]:
    """This process: interpreter, packages, C compiler, machine, torch's settings.

    Several kinds of processor may bear one name, and rounding differs between them: they are told
    apart by family and model. ``cores`` are those this process may use, ``memory`` is all that
    the machine has, in GiB.

    What concerns torch is None where nothing has imported it.
    """
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages(),
        "compiler": library.version(),
        "cpu": _cpu(),
        "cores": cores(),
        "memory": _memory(),
        "gpu": torch.cuda.get_device_name() if torch is not None and gpu else None,
        "threads": torch.get_num_threads() if torch is not None else None,
        "default_dtype": str(torch.get_default_dtype()) if torch is not None else None,
    }


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(threads: int) -> None:
    """Let torch use this many threads, whether it has been imported or will be.

    numpy's and scipy's own pools are held at one by :func:`one_blas_thread`.
    """
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def one_blas_thread() -> None:
    """Keep linear algebra in one thread; to be called before numpy is imported."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


@lru_cache
def packages() -> dict[str, str]:
    """Versions of the packages that the rows and estimates depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


@lru_cache
def _cpu() -> str:
    try:
        first = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    pairs = (line.partition(":")[::2] for line in first.splitlines())
    fields = {key.strip(): value.strip() for key, value in pairs}
    if "model name" not in fields:
        return platform.machine()
    kind = [f"{key} {fields[field]}" for key, field in _CPU_KIND.items() if field in fields]
    return f"{fields['model name']} ({', '.join(kind)})" if kind else fields["model name"]


def _memory() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError, OSError):  # an operating system that does not say
        return None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
