"""What ``make cite`` prints, read from the files of ``cite/``; nothing is judged again."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.errors import ConfigError, DataError

FOLDER = "cite"
REFERENCES = "references.bib"
CITATIONS = "citations.json"
_USAGE = "make cite CLAIM=<id>, ids are in the first column of {claims}"
_NEAREST = 3


def text(report_dir: Path, wanted: str | None) -> str:
    """Sentence, macros, BibTeX and command of a claim.

    Args:
        report_dir: a report folder.
        wanted: a claim's id, or some of its dotted parts in their order, which stands for all
            claims that have them.

    Raises:
        ConfigError: no claim is named, or one that does not exist; the message has the nearest.
        DataError: the report is not there or damaged.
    """
    usage = _USAGE.format(claims=paths.shown(report_dir / "claims.csv"))
    if not wanted:
        raise ConfigError(f"which claim? {usage}")
    folder = report_dir / FOLDER
    try:
        claims = json.loads((folder / CITATIONS).read_text(encoding="utf-8"))
        entries = _entries((folder / REFERENCES).read_text(encoding="utf-8"))
        ids = _named(wanted, claims)
        shown = [_text(one, claims[one], entries, folder) for one in ids]
    except FileNotFoundError as error:
        raise DataError(f"{paths.shown(folder)} is not complete: run `make report`") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{paths.shown(folder)} is damaged: run `make report`") from error
    if not shown:
        near = difflib.get_close_matches(wanted, claims, n=_NEAREST, cutoff=0.0)
        raise ConfigError(f"no claim {wanted!r}; the nearest are {', '.join(near)} ({usage})")
    return "\n".join(shown)


def _named(wanted: str, ids: Iterable[str]) -> list[str]:
    """The id ``wanted``, else all that have its parts in its order."""
    parts = wanted.split(".")
    return [wanted] if wanted in ids else [one for one in ids if _has(one.split("."), parts)]


def _has(id_parts: Iterable[str], parts: Iterable[str]) -> bool:
    left = iter(id_parts)
    return all(part in left for part in parts)


def _entries(bibliography: str) -> dict[str, str]:
    """{key: BibTeX entry}."""
    return {
        entry.partition("{")[2].partition(",")[0]: entry.strip()
        for entry in bibliography.split("\n\n")
    }


def _text(name: str, claim: Mapping[str, Any], entries: Mapping[str, str], folder: Path) -> str:
    macros = "\n".join(
        f"\\oldschool{{{name}}}{{{key}}}  or  \\{claim['macro']}{suffix}  % {claim[key]}"
        for key, suffix in (("value", "Value"), ("interval", "Interval"), ("n", "N"))
        if claim[key]
    )
    macros = macros or f"\\oldschool{{{name}}}{{verdict}}  % {claim['verdict']}: no number"
    return "\n".join(
        [
            claim["sentence"],
            "",
            f"% LaTeX, after \\input{{{paths.shown(folder / 'results')}}}",
            macros,
            "",
            f"% BibTeX, in {paths.shown(folder / REFERENCES)}",
            entries[claim["key"]],
            entries[claim["paper"]],
            "",
            f"% The command that gives {'the number again' if claim['n'] else 'one to judge'}",
            claim["command"] or "none: the claim is declared as one that is not run",
            "",
        ]
    )
