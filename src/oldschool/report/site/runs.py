"""What was run and where, from the manifest of an experiment's collected rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.report import committed
from oldschool.report.inputs import Inputs, commit, origin
from oldschool.runs import config, digest, launch


def summary(inputs: Inputs, name: str, report_dir: Path) -> dict[str, Any]:
    """One experiment's run; addresses are relative to the report folder."""
    manifest = inputs.manifests[name]
    units, environments = manifest["units"], manifest["environments"]
    experiment = inputs.replication.experiment(name)
    seconds = math.fsum(unit["seconds"] for unit in units)  # the same in every Python
    folder = paths.results(report_dir, inputs.replication.name)
    settings, defaults = _settings(manifest["settings"]), _defaults(inputs, manifest["settings"])
    return {
        "name": name,
        "profile": manifest["profile"],
        "seed": manifest["seed"],
        "overrides": origin(manifest).overrides,
        "unavailable": manifest.get("unavailable", ""),
        "units": len(units),
        "replicates": sum(unit["stop"] - unit["start"] for unit in units),
        "failed": [
            f"{launch.unit_of(experiment, unit).label()}: {unit['error']}"
            for unit in manifest["failed"]
        ],
        "seconds": f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}",
        "code_versions": _distinct(unit["code_version"] for unit in units),
        "reads": experiment.reads,
        "settings": [config.override(key, value) for key, value in settings.items()],
        "changed": [
            config.override(key, value)
            for key, value in settings.items()
            if key not in defaults or digest.canonical(defaults[key]) != digest.canonical(value)
        ],
        "data": manifest["data"],
        "commits": _distinct(map(commit, environments)),
        "machines": _distinct(map(_machine, environments)),
        "threads": _distinct(one["threads"] for one in environments),
        "dtypes": _distinct(_dtype(one) for one in environments),
        "software": _distinct(map(_software, environments)),
        "manifest": (folder / f"{name}.manifest.json").relative_to(report_dir).as_posix(),
        "frames": [
            {
                "name": frame,
                "rows": entry["rows"],
                "sha256": entry["sha256"],
                "file": committed.file_of(folder, frame).relative_to(report_dir).as_posix(),
            }
            for frame, entry in manifest["frames"].items()
        ],
    }


def _settings(nodes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as {dotted name: value}."""
    flat: dict[str, Any] = {}
    for name, value in nodes.items():
        inner = isinstance(value, Mapping) and value
        flat |= _settings(value, f"{prefix}{name}.") if inner else {prefix + name: value}
    return flat


def _defaults(inputs: Inputs, nodes: Iterable[str]) -> dict[str, Any]:
    """What the code alone would set, as ``_settings`` has it."""
    schema = inputs.replication.schema
    return _settings({node: asdict(schema[node]()) for node in nodes if node in schema})


def _distinct(values: Iterable[Any]) -> list[str]:
    return sorted({str(value) for value in values if value is not None})


def _machine(environment: Mapping[str, Any]) -> str:
    return f"{environment['gpu'] or environment['cpu']}, {environment['platform']}"


def _dtype(environment: Mapping[str, Any]) -> str | None:
    dtype = environment["default_dtype"]
    return None if dtype is None else str(dtype).removeprefix("torch.")


def _software(environment: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    return f"Python {environment['python']}, {packages}"
