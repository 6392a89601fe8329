"""What a work unit's rows depend on, as a hash.

A digest covers the experiment, the condition and block, the settings that differ from the
dataclass defaults, the base seed where it is not 0, the hashes of the data and of the earlier
rows that the unit reads, and the experiment's ``code_version``. It does not cover profile,
number of workers or commit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from oldschool.runs.experiment import Experiment, Unit

SHOWN = 16


def unit_digest(
    experiment: Experiment,
    config: Any,
    unit: Unit,
    data: Mapping[str, str],
    inputs: Mapping[str, str] | None = None,
) -> str:
    """The digest of a unit, 16 hexadecimal characters.

    Args:
        experiment: the unit's experiment.
        config: instance of the replication's schema.
        unit: condition and block.
        data: {data set: sha256}, from ``experiment.data(config)``.
        inputs: {frame: sha256 of the rows that the unit reads}, where the experiment reads.
    """
    key: dict[str, Any] = {
        "experiment": experiment.name,
        "condition": dict(unit.condition),
        "start": unit.start,
        "stop": unit.stop,
        "settings": {
            node: different
            for node in sorted(experiment.settings)
            if (different := _different(getattr(config, node)))
        },
        "data": dict(data),
        "code_version": experiment.code_version,
    }
    if config.seed != 0:
        key["seed"] = config.seed
    if inputs:
        key["inputs"] = dict(inputs)
    return text_digest(canonical(key))


def unit_settings(experiment: Experiment, config: Any) -> dict[str, Any]:
    """All settings that a unit may depend on: those of its nodes that are not plan-only."""
    return {node: _relevant(getattr(config, node)) for node in experiment.settings}


def resolved_settings(experiment: Experiment, config: Any) -> dict[str, Any]:
    """All settings of the experiment's nodes, the plan-only ones included."""
    return {node: asdict(getattr(config, node)) for node in experiment.settings}


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the settings present in both that differ, without the node's name."""
    return [key.rpartition(".")[2] for key in differences(before, now)]


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{dotted name: (before, now)} of the settings present in both that differ."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted(before.keys() & now.keys()):
        if isinstance(before[key], Mapping) and isinstance(now[key], Mapping):
            inner = differences(before[key], now[key])
            found |= {f"{key}.{name}": pair for name, pair in inner.items()}
        elif canonical(before[key]) != canonical(now[key]):
            found[key] = (before[key], now[key])
    return found


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spare blanks: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def text_digest(text: str) -> str:
    """First 16 hexadecimal characters of the text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]


def _relevant(node: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in fields(node):
        if not entry.metadata.get("plan_only"):
            value = getattr(node, entry.name)
            values[entry.name] = _relevant(value) if is_dataclass(value) else value
    return values


def _different(node: Any) -> dict[str, Any]:
    """Nested {field: value} of what differs from a default instance of the node's class."""
    return _subtract(_relevant(node), _relevant(type(node)()))


def _subtract(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    different: dict[str, Any] = {}
    for name, value in values.items():
        default = defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            if inner := _subtract(value, default):
                different[name] = inner
        elif canonical(value) != canonical(default):
            different[name] = value
    return different
