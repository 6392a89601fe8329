"""Which source files a drawing rests on, so that it is redrawn when one of them changes."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
_DATA = (".json", ".csv", ".npz", ".c")


def code_digest(function: Callable[..., Any], *modules: str, files: Iterable[Path] = ()) -> str:
    """Hash of the source of ``function``'s module, of ``modules``, and of what they import.

    ``files`` are what these read when they draw, beside the results.

    Imports are followed within this package and within the function's own top-level package;
    the rest is pinned by the lock file. Arguments bound by ``functools.partial`` count too.
    """
    bound = []
    while isinstance(function, functools.partial):
        bound.append(repr((function.args, sorted(function.keywords.items()))))
        function = function.func
    seed = "\n".join([*bound, getattr(function, "__qualname__", "")])
    return _digest(seed, (function.__module__, *modules), files)


def source_digest(module: str) -> str:
    """Hash of the source of ``module`` and of what it imports, as :func:`code_digest` follows it.

    Data files of the package, which its modules may read, count too.
    """
    data = [path for path in Path(__file__).parents[1].rglob("*") if path.suffix in _DATA]
    return _digest("", (module,), sorted(data))


def _digest(seed: str, modules: Sequence[str], files: Iterable[Path]) -> str:
    """Hash of ``seed``, of the source of ``modules`` and all they import, and of ``files``."""
    digest = hashlib.sha256(seed.encode())
    closure: set[str] = set()
    for module in modules:
        _follow(module, {PACKAGE, modules[0].partition(".")[0]}, closure)
    for module in sorted(closure):
        origin = _origin(module)
        if origin is not None:
            digest.update(f"\n{module}\n".encode() + origin.read_bytes())
    for file in files:
        digest.update(f"\n{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _follow(module: str, packages: set[str], closure: set[str]) -> None:
    """Add ``module`` and all it imports, directly or not, from ``packages``."""
    if module in closure or module.partition(".")[0] not in packages:
        return
    origin = _origin(module)
    if origin is None:
        return
    closure.add(module)
    for imported in _imports(module, origin, origin.read_bytes()):
        _follow(imported, packages, closure)


@functools.cache
def _imports(module: str, origin: Path, source: bytes) -> set[str]:
    """Absolute names of the modules that a source file imports anywhere in it."""
    parent = module if origin.name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), parent)
            for alias in node.names:
                # ``from package import module`` takes the module, not all of the package
                inner = f"{base}.{alias.name}"
                names.add(inner if _origin(inner) else base)
    return names


def _origin(module: str) -> Path | None:
    """Source file of a module; None if there is no such module or it has no source."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):
        return None
    path = Path(spec.origin) if spec and spec.origin else None
    return path if path and path.suffix == ".py" else None
