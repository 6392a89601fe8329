"""Typed settings: Hydra composes them, dataclasses check them, mistakes are one line.

``conf/<replication>.yaml`` is the primary configuration. Its schema is a dataclass made of
:class:`RunConfig` and the replication's own nodes, and lies in Hydra's ConfigStore under
``<replication>_schema``.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, make_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from oldschool import paths
from oldschool.errors import ConfigError, require
from oldschool.runs.experiment import Replication

PROFILES = ("smoke", "default", "paper")
VERSION_BASE = "1.3"
_WORD = re.compile(r"(?!(null|true|false|nan|inf)$)[a-z_]\w*", re.IGNORECASE | re.ASCII)


@dataclass
class DataConfig:
    """Where local data lie."""

    dir: str | None = None


@dataclass
class RunConfig:
    """Settings that every replication has.

    Attributes:
        profile: how much is run; ordered from small to large in ``PROFILES``.
        seed: base seed, at least 0; all other seeds are hashes of it and of names.
        threads: torch threads in each worker process, at least 1.
        jobs: worker processes, at least 1; None is as many as there are cores.
        report: whether figures, tables and pages are built after the run.
        report_dir: where results and report go; None is decided by ``results.report_dir``.
        data: where local data lie.
    """

    profile: str = "default"
    seed: int = 0
    threads: int = 1
    jobs: int | None = None
    report: bool = True
    report_dir: str | None = None
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self) -> None:
        require(self.profile in PROFILES, "profile", self.profile, f"one of {', '.join(PROFILES)}")
        require(self.seed >= 0, "seed", self.seed, "must be at least 0")
        require(self.threads >= 1, "threads", self.threads, "must be at least 1")
        require(self.jobs is None or self.jobs >= 1, "jobs", self.jobs, "must be at least 1")
        require(self.report_dir != "", "report_dir", "", "must be a folder")


@dataclass(frozen=True)
class Settings:
    """The settings of one run of one replication.

    Attributes:
        replication: whose.
        config: instance of the schema, checked.
        values: the same as plain, resolved, nested dictionaries.
        what_if: the settings, seed included, that differ from the declared ones of the profile.
    """

    replication: Replication
    config: Any
    values: dict[str, Any]
    what_if: dict[str, Any]


def schema(replication: Replication) -> type:
    """The dataclass of all settings of a replication: :class:`RunConfig` and its own nodes."""
    return _schema(replication.name, tuple(replication.schema.items()))


@lru_cache
def _schema(name: str, nodes: tuple[tuple[str, type], ...]) -> type:
    fields: list[tuple[str, type, Any]] = [
        (node, cls, field(default_factory=cls)) for node, cls in nodes
    ]
    return make_dataclass(f"{name.capitalize()}Config", fields, bases=(RunConfig,))


@lru_cache
def _defaults(cls: type) -> DictConfig:
    """A schema with its defaults; read-only, as it is shared."""
    config = cast("DictConfig", OmegaConf.structured(cls))
    OmegaConf.set_readonly(config, True)
    return config


def register(replication: Replication) -> None:
    """Let Hydra find the replication's schema as ``<replication>_schema``."""
    ConfigStore.instance().store(
        name=f"{replication.name}_schema", node=schema(replication), provider="oldschool"
    )


def settings(replication: Replication, overrides: Sequence[str] = ()) -> Settings:
    """Compose and check the settings of one run.

    Args:
        replication: whose.
        overrides: Hydra overrides without sweeps, such as ``["profile=smoke", "xor.alpha=1e-6"]``.

    Raises:
        ConfigError: an override is malformed, unknown, of the wrong type or out of range.
    """
    parsed = _parse(overrides)
    for override in parsed:
        if override.is_sweep_override():
            raise ConfigError(
                f"{override.input_line}: several values need -m; a list is written key=[a,b]"
            )
    _check_keys(parsed, _defaults(schema(replication)))
    values = plain(_compose(replication, overrides))
    profile = [f"profile={values['profile']}"]
    declared = values if list(overrides) == profile else plain(_compose(replication, profile))
    return Settings(
        replication,
        instance(replication, values),
        values,
        _differences(values, declared, [*replication.schema, "seed"]),
    )


def combinations(overrides: Sequence[str]) -> list[list[str]]:
    """Every combination of the values that a multirun sweeps over.

    Raises:
        ConfigError: an override is malformed or sweeps over a continuous interval.
    """
    choices: list[list[str]] = []
    for override in _parse(overrides):
        if not override.is_sweep_override():
            choices.append([cast(str, override.input_line)])
        elif override.is_discrete_sweep():
            key = override.get_key_element()
            choices.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            raise ConfigError(f"{override.input_line!s}: a sweep needs a list of values")
    return [list(combination) for combination in itertools.product(*choices)]


def sources(replication: Replication, profile: str) -> list[tuple[str, Path]]:
    """The files of ``conf/`` that declare a profile's settings, what counts most last.

    Args:
        replication: whose.
        profile: its profile.

    Returns:
        (settings node that the file is about, file); the node is "" where a file says them in
        full, such as ``("monks", conf/obs/monks.yaml)`` and ``("", conf/obs.yaml)``.

    Raises:
        ConfigError: a file cannot be read.
    """
    primary = paths.conf() / f"{replication.name}.yaml"
    found = []
    for entry in _yaml(primary).get("defaults", ["_self_"]):
        name, choice = next(iter(entry.items())) if isinstance(entry, Mapping) else (entry, None)
        path, _, node = str(name).partition("@")
        if choice is not None:
            path += f"/{profile if path.rpartition('/')[2] == 'profile' else choice}"
        file = primary if path == "_self_" else paths.conf() / f"{path}.yaml"
        if file.is_file():  # a schema is none
            found.append((node, file))
    return found


def declared_in(files: Sequence[tuple[str, Path]], key: str) -> Path | None:
    """The one of those :func:`sources` that decides a setting; None if none says it.

    Args:
        files: where to look.
        key: dotted name, such as ``monks.alpha``.

    Raises:
        ConfigError: a file cannot be read.
    """
    for node, file in reversed(files):
        name = key.removeprefix(f"{node}.") if node else key
        value: Any = _yaml(file) if not node or name != key else {}
        for part in name.split("."):
            value = value.get(part, MISSING) if isinstance(value, Mapping) else MISSING
        if value is not MISSING:
            return file
    return None


def _yaml(file: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(file.read_bytes()) or {})
    except OSError as error:
        raise ConfigError(f"cannot read {paths.shown(file)}: {error.strerror}") from error
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ConfigError(f"{paths.shown(file)} is no mapping in YAML") from error


def is_launching(override: str) -> bool:
    """Whether an override concerns Hydra itself (launcher, sweeper) and no setting of ours."""
    return override.lstrip("+~").startswith(("hydra.", "hydra/"))


def instance(replication: Replication, values: Mapping[str, Any]) -> Any:
    """The schema's dataclass filled with plain values; keys left out have their defaults.

    Raises:
        ConfigError: a value is of the wrong type or out of range, or a key is unknown.
    """
    try:
        return OmegaConf.to_object(OmegaConf.merge(_defaults(schema(replication)), values))
    except (OmegaConfBaseException, ValueError) as error:
        raise _condensed(error) from error


def plain(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as nested dictionaries, interpolations resolved."""
    return cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True, enum_to_str=True))


def _parse(overrides: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create()
    parsed = []
    for text in overrides:
        try:
            parsed += parser.parse_overrides([text])
        except (HydraException, AttributeError) as error:  # the latter for an empty key
            raise ConfigError(_unreadable(text)) from error
    return parsed


def _unreadable(text: str) -> str:
    key, sign, value = text.partition("=")
    if not key or not sign:
        return f"cannot read {text!r}: write a setting as key=value"
    return (
        f"{key}: the value {value!r} cannot be read: is a bracket or a quote left open, or does a "
        "text with blanks or signs lack its quotes?"
    )


def override(key: str, value: Any) -> str:
    """The override that gives a setting a plain value, as the command line takes it."""
    return f"{key}={_written(value)}"


def _written(value: Any) -> str:
    """A plain value in the grammar of Hydra's overrides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str) and not _WORD.fullmatch(value):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    return str(value).replace("e-0", "e-") if isinstance(value, float) else str(value)


def _compose(replication: Replication, overrides: Sequence[str]) -> DictConfig:
    register(replication)
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(paths.conf()), version_base=VERSION_BASE):
            return compose(replication.name, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise _condensed(error) from error
    finally:
        GlobalHydra.instance().hydra = outer  # a multirun's own, if we run inside one


def _check_keys(overrides: Sequence[Override], typed: DictConfig) -> None:
    """Refuse unknown keys, also with ``+``, and removals; groups are left to Hydra."""
    leaves, nodes = _keys(typed)
    for override in overrides:
        key = override.key_or_group
        if is_launching(override.input_line or ""):
            continue
        if override.is_delete():
            raise ConfigError(f"{override.input_line}: a setting cannot be removed")
        if override.is_add() and key in leaves:
            raise ConfigError(f"{override.input_line}: the setting is there, leave out the +")
        if (paths.conf() / key).is_dir() and not isinstance(override.value(), str):
            raise ConfigError(f"{override.input_line}: must be a name")
        if (paths.conf() / key).is_dir() or key in leaves or key in nodes:
            continue
        parents = {key[: dot.start()] for dot in re.finditer(r"\.", key)}
        if parents & leaves:  # an element of a list or dictionary; OmegaConf checks it
            continue
        near = difflib.get_close_matches(key, leaves, n=1, cutoff=0.5)
        last = key.rpartition(".")[2]
        near = near or sorted(leaf for leaf in leaves if leaf.rpartition(".")[2] == last)[:1]
        tops = ", ".join(sorted({leaf.partition(".")[0] for leaf in leaves}))
        hint = f"did you mean {near[0]}?" if near else f"the settings are those of {tops}"
        raise ConfigError(f"unknown setting {key}: {hint}")


def _keys(config: DictConfig, prefix: str = "") -> tuple[set[str], set[str]]:
    """Dotted names of all values and of all typed nodes."""
    leaves: set[str] = set()
    nodes: set[str] = set()
    for name in config:
        key = prefix + str(name)
        value = config._get_node(name)
        if isinstance(value, DictConfig) and OmegaConf.get_type(value) is not dict:
            nodes.add(key)
            inner_leaves, inner_nodes = _keys(value, f"{key}.")
            leaves |= inner_leaves
            nodes |= inner_nodes
        else:
            leaves.add(key)
    return leaves, nodes


def _differences(
    values: Mapping[str, Any], declared: Mapping[str, Any], keys: Sequence[str]
) -> dict[str, Any]:
    different: dict[str, Any] = {}
    for key in keys:
        if isinstance(values[key], dict) and isinstance(declared.get(key), dict):
            inner = _differences(values[key], declared[key], list(values[key]))
            different |= {f"{key}.{name}": value for name, value in inner.items()}
        elif key not in declared or values[key] != declared[key]:
            different[key] = values[key]
    return different


_KINDS = {"Float": "a number", "Integer": "a whole number", "bool": "true or false"}


def _condensed(error: BaseException) -> ConfigError:
    """One line out of the messages of Hydra and OmegaConf, which take several."""
    if isinstance(error, ConfigError):
        return error
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, option = (error.missing_cfg_file or "").rpartition("/")
        order = {name: rank for rank, name in enumerate(PROFILES)}
        options = sorted(error.options, key=lambda name: (order.get(name, len(order)), name))
        return ConfigError(f"{group}={option}: must be one of {', '.join(options)}")
    cause: BaseException = error
    while cause.__cause__ is not None and not isinstance(cause, OmegaConfBaseException):
        cause = cause.__cause__
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    if not isinstance(cause, OmegaConfBaseException):  # a mistake in a file of conf/
        return ConfigError(" ".join(line for line in lines if "_type=" not in line))
    text = lines[0]
    key = getattr(cause, "full_key", None)
    pattern = r"Value '(.*)' (?:of type '\w+' could not be converted to|is not a valid) (\w+)"
    converted = re.match(pattern, text)
    if key and converted:
        value, kind = (str(group) for group in converted.groups())
        return ConfigError(f"{key}={value}: must be {_KINDS.get(kind, kind.lower())}")
    if key and text.startswith("Invalid type assigned"):
        return ConfigError(f"{key} is a group of settings: set {key}.NAME=VALUE")
    if key and "is not a ListConfig" in text:
        return ConfigError(f"{key}: must be a list, as in {key}=[a,b]")
    if key and "is not Optional" in text:
        return ConfigError(f"{key}=null: must have a value")
    return ConfigError(f"{key}: {text}" if key else text)
