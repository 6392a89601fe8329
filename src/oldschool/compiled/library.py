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


class NotCompiledWarning(UserWarning):
    """The tensor form runs in the place of the compiled one, more slowly."""


@cache
def library(name: str, *definitions: str) -> ctypes.CDLL | None:
    """The shared library of ``name``.c, or None, with a warning, where it cannot be made.

    Args:
        name: of the source in this package.
        definitions: macros, as in ``REAL=double``.
    """
    source = files(__package__).joinpath(f"{name}.c").read_bytes()
    compiler = _compiler()
    if compiler is None:
        _warn("no C compiler was found (CC, cc, gcc, clang)")
        return None
    flags = [*FLAGS, *(f"-D{definition}" for definition in definitions)]
    key = hashlib.sha256(source + repr((version(), flags, _machine())).encode()).hexdigest()
    target = _folder() / f"{name}-{key[:16]}.so"
    try:
        if not target.exists():
            _compile(compiler, flags, source, target)
        return ctypes.CDLL(str(target))
    except subprocess.CalledProcessError as error:
        _warn(f"{shlex.join(compiler)} failed: {error.stderr.strip().splitlines()[-1:]}")
    except OSError as error:
        _warn(str(error))
    return None


@cache
def version() -> str | None:
    """The first line that the compiler says of itself; None without one."""
    compiler = _compiler()
    if compiler is None:
        return None
    done = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False)
    return next(iter(done.stdout.splitlines()), None)


def _warn(reason: str) -> None:
    warnings.warn(
        f"nets of planes run uncompiled, about seven times as slowly: {reason}",
        NotCompiledWarning,
        stacklevel=3,
    )


def _compiler() -> list[str] | None:
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or ""
    for command in (shlex.split(named), ["cc"], ["gcc"], ["clang"]):
        if command and shutil.which(command[0]):
            return command
    return None


def _machine() -> str:
    """What -march=native looks at; a home folder may be shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() + platform.machine()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "oldschool" / "compiled"


def _compile(compiler: list[str], flags: list[str], source: bytes, target: Path) -> None:
    """Whole or not at all, as several processes may do it at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made, text = Path(folder) / target.name, Path(folder) / "source.c"
        text.write_bytes(source)
        command = [*compiler, *flags, "-shared", "-o", str(made), str(text), "-lm"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        os.replace(made, target)
