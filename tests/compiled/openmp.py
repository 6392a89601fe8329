"""What OpenMP there is, found out in other ways than by the code under test."""

import shutil
import subprocess
from pathlib import Path

import torch  # noqa: F401  (it loads its runtime)


def torch_has_gnu_threads() -> bool:
    maps = Path("/proc/self/maps")
    return maps.exists() and "libgomp.so.1" in maps.read_text()


def is_gcc(compiler: str) -> bool:
    if shutil.which(compiler) is None:
        return False
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    return "Free Software Foundation" in done.stdout
