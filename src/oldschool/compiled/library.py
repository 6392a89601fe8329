"""C sources of this package, compiled on first use on the machine that runs them."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path

# No -ffast-math: sums keep the order they are written in, and NaN and infinity their meaning.
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fPIC")


_UNCOMPILED = {
    "stack": "nets of planes run uncompiled, about seven times as slowly",
    "descent": "large layers with max-norm are trained uncompiled, a little more slowly",
}


class NotCompiledWarning(UserWarning):
    """The tensor form runs in the place of the compiled one, more slowly."""


@cache
def library(name: str, *definitions: str, openmp: bool = False) -> ctypes.CDLL | None:
    """The shared library of ``name``.c, or None, with a warning, where it cannot be made.

    Args:
        name: of the source in this package.
        definitions: macros, as in ``REAL=double``.
        openmp: its loops are to run on the threads of torch, where that can be; else on one.
    """
    source = files(__package__).joinpath(f"{name}.c").read_bytes()
    compiler = _compiler()
    if compiler is None:
        _warn(name, "no C compiler was found (CC, cc, gcc, clang)")
        return None
    flags, failure = [*FLAGS, *(f"-D{definition}" for definition in definitions)], ""
    ways = [[*flags, "-fopenmp"], flags] if openmp and gnu_threads() else [flags]
    for way in ways:
        made_by = repr((compiler, version(), way, _machine()))
        stem = f"{name}-{_digest(source + made_by.encode())}"
        try:
            file = _kept(_folder(), stem) or _compile(compiler, way, source, _folder(), stem)
            return ctypes.CDLL(str(file))
        except subprocess.CalledProcessError as error:
            failure = f"{shlex.join(compiler)} failed: {_complaint(error)}"
        except (OSError, RuntimeError) as error:  # RuntimeError: no home folder is known
            failure = str(error)
    _warn(name, failure)
    return None


def version() -> str | None:
    """The first line that the compiler says of itself; None without one."""
    return next(iter(_said().splitlines()), None)


@cache
def _said() -> str:
    """What the compiler says of itself."""
    compiler = _compiler()
    if compiler is None:
        return ""
    try:
        done = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout


def gnu_threads() -> bool:
    """Whether loops would run on torch's threads: GNU's, of which GCC's code is.

    Threads of another runtime would have to take turns with torch's, which spin while they wait.
    """
    try:
        ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD)  # found if it is loaded, as by torch
    except OSError:
        return False
    return "Free Software Foundation" in _said()


@cache
def _warn(name: str, reason: str) -> None:
    """Once a source."""
    warnings.warn(
        f"{_UNCOMPILED[name]}: {reason}",
        NotCompiledWarning,
        stacklevel=3,
    )


def _compiler() -> list[str] | None:
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or ""
    try:
        wanted = shlex.split(named)
    except ValueError:  # a quotation without an end
        wanted = []
    for command in (wanted, ["cc"], ["gcc"], ["clang"]):
        if command and shutil.which(command[0]):
            return command
    return None


def _machine() -> str:
    """What -march=native looks at; a home folder may be shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.machine()
    told = ("model name", "flags", "Features", "CPU ")  # of x86 and of ARM
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(told)}))


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "oldschool" / "compiled"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _kept(folder: Path, stem: str) -> Path | None:
    """The library made before, named by its content: to load a damaged one ends the process."""
    for file in folder.glob(f"{stem}-*.so"):
        if file.stem == f"{stem}-{_digest(file.read_bytes())}":
            return file
    return None


def _compile(compiler: list[str], flags: list[str], source: bytes, folder: Path, stem: str) -> Path:
    """Whole or not at all, as several processes may do it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as workplace:
        made, text = Path(workplace) / "made.so", Path(workplace) / "source.c"
        text.write_bytes(source)
        command = [*compiler, *flags, "-shared", "-o", str(made), str(text), "-lm"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        target = folder / f"{stem}-{_digest(made.read_bytes())}.so"
        os.replace(made, target)
    return target


def _complaint(error: subprocess.CalledProcessError) -> str:
    lines: list[str] = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
    return next((line for line in lines if "error" in line), lines[-1])
