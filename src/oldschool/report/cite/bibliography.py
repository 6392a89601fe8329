"""``references.bib``: the papers and this project from ``CITATION.cff``, and every claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from oldschool import paths
from oldschool.errors import DataError
from oldschool.report.cite.citation import Citation
from oldschool.report.tables import escape
from oldschool.runs.experiment import Replication

PROJECT = "oldschool"
_TYPES = {"article": "article", "conference-paper": "inproceedings"}
_FIELDS = {
    "journal": "journal",
    "collection-title": "booktitle",
    "volume": "volume",
    "year": "year",
    "notes": "note",
    "doi": "doi",
    "url": "url",
}
_VERBATIM = ("doi", "url")


def load(path: Path) -> Mapping[str, Any]:
    """What a CITATION.cff says.

    Raises:
        DataError: it cannot be read, or lacks what is cited here.
    """
    shown = paths.shown(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{shown}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{shown}: {' '.join(str(error).split())}") from error
    _require(f"{shown}: the file", content, ("title", "authors", "version", "references"))
    for number, reference in enumerate(content["references"], start=1):
        _require(f"{shown}: reference {number}", reference, ("title", "authors", "type"))
    return dict(content)


def _require(what: str, work: Any, keys: Iterable[str]) -> None:
    for key in keys:
        if not isinstance(work, Mapping) or not work.get(key):
            raise DataError(f"{what} has no {key}")


def render(
    project: Mapping[str, Any], papers: Iterable[Replication], citations: Iterable[Citation]
) -> str:
    """The BibTeX entries, a blank line between two.

    A paper's key is the name of its replication's folder. Its facts are those of the reference
    of the same title, capitals aside; without one, it is cited by the replication's own line.

    Args:
        project: the CITATION.cff.
        papers: all replications.
        citations: all claims.
    """
    references = {_title(reference["title"]): reference for reference in project["references"]}
    entries = [_project(project)]
    for replication in papers:
        reference = references.get(_title(replication.title))
        entries.append(_paper(replication, reference) if reference else _uncatalogued(replication))
    entries += [_claim(project, citation) for citation in citations]
    return "\n\n".join(entries) + "\n"


def _project(project: Mapping[str, Any]) -> str:
    fields = {
        "author": _names(project["authors"]),
        "title": _kept(project["title"]),
        "howpublished": f"Software, version {escape(str(project['version']))}",
        **_year(project),
    }
    return _entry("misc", PROJECT, fields)


def _paper(replication: Replication, reference: Mapping[str, Any]) -> str:
    fields = {"author": _names(reference["authors"]), "title": _kept(reference["title"])}
    for name, field in _FIELDS.items():
        if name in reference:
            text = str(reference[name])
            fields[field] = text if name in _VERBATIM else escape(text)
    if "start" in reference:
        fields["pages"] = f"{reference['start']}--{reference.get('end', '')}".removesuffix("--")
    return _entry(_TYPES.get(reference["type"], "misc"), replication.folder.name, fields)


def _uncatalogued(replication: Replication) -> str:
    fields = {"title": _kept(replication.title), "howpublished": escape(replication.citation)}
    return _entry("misc", replication.folder.name, fields)


def _claim(project: Mapping[str, Any], citation: Citation) -> str:
    rows = f"commit {', '.join(citation.commits)}" if citation.commits else "no rows"
    scale = f" with {escape(citation.scale)}" if citation.scale and citation.n else ""
    fields = {
        "author": _names(project["authors"]),
        "title": _kept(f"{citation.judged.claim.what} (claim {citation.id})"),
        "howpublished": f"{PROJECT}, version {escape(str(project['version']))}",
        **_year(project),
        "note": f"{citation.judged.verdict.word}{scale}; {rows}; digest {citation.digest}",
    }
    return _entry("misc", citation.key, fields)


def _year(project: Mapping[str, Any]) -> dict[str, str]:
    """Of the release; styles that sort by it warn where there is none."""
    released = str(project.get("date-released", ""))
    return {"year": released[:4]} if released else {}


def _names(authors: Iterable[Mapping[str, Any]]) -> str:
    return " and ".join(
        f"{escape(one['family-names'])}, {escape(one.get('given-names', ''))}".removesuffix(", ")
        if "family-names" in one
        else _kept(one.get("name", ""))
        for one in authors
    )


def _kept(text: str) -> str:
    """``text`` in braces of its own, which keep its capitals."""
    return "{" + escape(" ".join(text.split())) + "}"


def _title(text: str) -> str:
    return " ".join(text.split()).casefold()


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items()]
    return f"@{kind}{{{key},\n{''.join(lines)}}}"
