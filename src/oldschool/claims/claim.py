"""A published claim as typed data, and the strict reader of ``claims.yaml``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML without libyaml, ten times as slow
    from yaml import SafeLoader  # type: ignore[assignment]

from oldschool.errors import ConfigError
from oldschool.runs.config import PROFILES

CLAIMS = "claims.yaml"
KINDS = ("equivalence", "at_least", "at_most", "ordering", "exact", "shape")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_NEEDS_NUMBER = ("equivalence", "at_least", "at_most")


@dataclass(frozen=True)
class Region:
    """The values of an estimate that agree with the paper: an interval of the real line.

    Attributes:
        low: lower edge; ``-inf`` when there is none.
        high: upper edge; ``inf`` when there is none.
        open: whether the edges themselves lie outside.
    """

    low: float
    high: float
    open: bool = False

    def holds(self, low: float, high: float) -> bool:
        """Whether the whole interval from ``low`` to ``high`` lies inside."""
        if self.open:
            return self.low < low and high < self.high
        return self.low <= low and high <= self.high

    def misses(self, low: float, high: float) -> bool:
        """Whether the whole interval from ``low`` to ``high`` lies outside."""
        if self.open:
            return high <= self.low or low >= self.high
        return high < self.low or low > self.high

    def edges(self) -> list[float]:
        """The finite edges, lower first."""
        return [edge for edge in (self.low, self.high) if math.isfinite(edge)]

    def __str__(self) -> str:
        if self.low == self.high:
            return f"exactly {self.low:.6g}"
        if math.isinf(self.high) and math.isinf(self.low):
            return "any value"
        if math.isinf(self.high):
            return f"{'>' if self.open else '>='} {self.low:.6g}"
        if math.isinf(self.low):
            return f"{'<' if self.open else '<='} {self.high:.6g}"
        return f"{'strictly ' if self.open else ''}between {self.low:.6g} and {self.high:.6g}"


@dataclass(frozen=True)
class Claim:
    """One published number or statement, with the rule by which it will be judged.

    Attributes:
        id: unique over all papers, such as ``paper.task.quantity``; names the claim's page.
        where: page, table, figure or section.
        what: the claim in our words.
        kind: one of ``KINDS``.
        paper_value: the paper's number, or its statement as text.
        profile: the lowest profile whose rows may judge it.
        unit: unit of ``paper_value`` and of the estimate.
        rounding: the paper's own uncertainty, half a unit of its last digit.
        margin: how far off still counts as agreement, fixed before the run.
        margin_reason: why this margin, or this region.
        region: acceptance region of the estimate, for kinds whose paper value is no number;
            an edge of ``None`` is infinite.
        open: whether the region's edges lie outside it.
        null_value: the value of no effect; beyond it towards the region, but outside the
            region, the verdict is ``partly``.
        not_run: why there is no number, for what cannot be had or is not built.
        inconsistencies: what the paper itself says differently elsewhere.
        frames: names of the tidy frames its estimate reads.
    """

    id: str
    where: str
    what: str
    kind: str
    paper_value: float | str
    profile: str
    unit: str = ""
    rounding: float = 0.0
    margin: float | None = None
    margin_reason: str = ""
    region: tuple[float | None, float | None] | None = None
    open: bool = False
    null_value: float | None = None
    not_run: str = ""
    inconsistencies: str = ""
    frames: tuple[str, ...] = ()

    def acceptance(self) -> Region:
        """The acceptance region of the claim's kind.

        Raises:
            ValueError: the claim is declared ``not_run`` and fixes no region.
        """
        if self.region is not None:
            low, high = self.region
            return Region(
                -math.inf if low is None else low, math.inf if high is None else high, self.open
            )
        if not isinstance(self.paper_value, float) or (
            self.kind == "equivalence" and self.margin is None
        ):
            raise ValueError(f"claim {self.id} fixes no acceptance region")
        slack = (self.margin or 0.0) + self.rounding
        if self.kind == "at_least":
            return Region(self.paper_value - slack, math.inf)
        if self.kind == "at_most":
            return Region(-math.inf, self.paper_value + slack)
        return Region(self.paper_value - slack, self.paper_value + slack)


def load_claims(folder: Path) -> list[Claim]:
    """The claims of a replication's ``claims.yaml``, in the order of the file.

    Raises:
        ConfigError: the file cannot be read, or a claim is malformed; names file and claim.
    """
    path = folder / CLAIMS
    shown = f"{folder.name}/{path.name}"
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_NoRepeats)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown}: {' '.join(str(error).split())}") from error
    if not isinstance(entries, list):
        raise ConfigError(f"{shown}: must be a list of claims, one '- id: ...' each")
    claims: list[Claim] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        claim = _claim(entry, shown, number)
        if claim.id in seen:
            raise ConfigError(f"{shown}: {claim.id}: the id is used twice")
        seen.add(claim.id)
        claims.append(claim)
    return claims


class _NoRepeats(SafeLoader):
    """YAML's safe loader, refusing a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


_FIELDS = {item.name: item for item in fields(Claim)}
_NUMBERS = ("rounding", "margin", "null_value")
_TEXTS = ("where", "what", "kind", "profile", "unit", "margin_reason", "not_run", "inconsistencies")


def _claim(entry: Any, shown: str, number: int) -> Claim:
    """One entry of the file as a checked ``Claim``."""
    named = isinstance(entry, Mapping) and isinstance(entry.get("id"), str) and entry["id"]
    where = f"{shown}: {entry['id'] if named else f'claim {number}'}"
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where}: must be a mapping of keys, not {entry!r}")
    unknown = [str(key) for key in entry if key not in _FIELDS]
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {', '.join(unknown)}; known keys are {', '.join(_FIELDS)}"
        )
    missing = [
        name
        for name, item in _FIELDS.items()
        if item.default is MISSING and entry.get(name) in (None, "")
    ]
    if missing:
        raise ConfigError(f"{where}: missing {', '.join(missing)}")
    values: dict[str, Any] = {
        key: value
        for key, value in entry.items()
        if value is not None or _FIELDS[key].default is None
    }
    try:
        claim = Claim(**{key: _typed(key, value) for key, value in values.items()})
        _check(claim)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    return claim


def _typed(key: str, value: Any) -> Any:
    """``value`` in the type of the field ``key``; ValueError says what was expected."""
    if key in _NUMBERS:
        return None if value is None else _number(key, value)
    if key == "paper_value":
        return value if isinstance(value, str) else _number(key, value)
    if key == "region":
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"region must be [low, high], not {value!r}")
        return tuple(None if edge is None else _number("region", edge) for edge in value)
    if key == "frames":
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError(f"frames must be a list of names, not {value!r}")
        return tuple(value)
    if key == "open":
        if not isinstance(value, bool):
            raise ValueError(f"open must be true or false, not {value!r}")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text, not {value!r}")
    return value.strip()


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} must be a number, not {value!r}")
    return float(value)


def _check(claim: Claim) -> None:
    """Whether the parts fit together; ValueError says what does not."""
    if not _ID.fullmatch(claim.id):
        raise ValueError("id must be small letters, digits and . _ - alone: it names a file")
    if claim.kind not in KINDS:
        raise ValueError(f"kind {claim.kind!r} is none of {', '.join(KINDS)}")
    if claim.profile not in PROFILES:
        raise ValueError(f"profile {claim.profile!r} is none of {', '.join(PROFILES)}")
    if claim.rounding < 0 or (claim.margin is not None and claim.margin < 0):
        raise ValueError("rounding and margin must not be negative")
    if (claim.margin is not None or claim.region is not None) and not claim.margin_reason:
        raise ValueError("margin_reason is missing: say why this margin or region")
    number = isinstance(claim.paper_value, float)
    if claim.kind in _NEEDS_NUMBER and not number:
        raise ValueError(
            f"paper_value of kind {claim.kind} must be a number, not {claim.paper_value!r}"
        )
    if claim.region is not None:
        _check_region(claim)
    elif claim.open:
        raise ValueError("open belongs to a region, and there is none")
    if claim.kind == "exact" and claim.margin is not None:
        raise ValueError("kind exact takes no margin, only the paper's rounding or a region")
    if claim.not_run:
        return
    if claim.kind == "equivalence" and claim.margin is None:
        raise ValueError("kind equivalence needs a margin")
    if claim.region is None and (claim.kind in ("ordering", "shape") or not number):
        raise ValueError(f"kind {claim.kind} needs a region where the paper gives no number")
    if claim.null_value is not None:
        region = claim.acceptance()
        if region.low < claim.null_value < region.high:
            raise ValueError("null_value lies inside the acceptance region")


def _check_region(claim: Claim) -> None:
    if claim.kind in _NEEDS_NUMBER:
        raise ValueError(f"kind {claim.kind} takes a margin, not a region")
    if claim.margin is not None:
        raise ValueError("give a margin or a region, not both")
    assert claim.region is not None
    low, high = claim.region
    if low is None and high is None:
        raise ValueError("a region without edges accepts anything")
    if low is not None and high is not None and (low > high or (claim.open and low == high)):
        raise ValueError(f"region [{low:g}, {high:g}] is empty")
