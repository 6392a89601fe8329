"""``ro-crate-metadata.json``: what made each file of a report, as a Process Run Crate.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the profile
https://w3id.org/ro/wfrun/process/0.5: every experiment and the report itself are actions, from
what to what, with which version of the code. It says what the manifests say: an action has times
where all its units recorded when they started. Files outside the report are named, as of now.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import oldschool
from oldschool import paths
from oldschool.claims.claim import CLAIMS
from oldschool.report import committed, speed
from oldschool.report.inputs import Inputs
from oldschool.runs import config, digest, launch
from oldschool.runs.experiment import Figure, Replication, Table

FILE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE = "MIT"
AUTHORS = "The oldschool authors"
CODE = "#oldschool"
_ROOT, _AUTHORS = "./", "#authors"
_LICENCE = f"https://spdx.org/licenses/{LICENCE}"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
_FORMATS = {
    ".bib": "application/x-bibtex",
    ".cff": "application/yaml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".txt": "text/plain",
    ".xml": "application/xml",
}
Entity = dict[str, Any]


def render(read_in: Sequence[Inputs], report_dir: Path, out: Path, made: Iterable[str]) -> bytes:
    """The crate's metadata.

    Args:
        read_in: all replications, in order.
        report_dir: holds the results, and what ``make bench`` keeps.
        out: holds what was made from them.
        made: names of all that was made, relative to ``out``.
    """
    made = sorted(made)
    measured = _measured(report_dir)
    results = {
        inputs.replication.name: {
            name: [*_rows(inputs, name, report_dir), _manifest(inputs, name)]
            for name in inputs.manifests
        }
        for inputs in read_in
    }
    collected = [name for each in results.values() for names in each.values() for name in names]
    files = [_file(report_dir, name) for name in [*collected, *measured]]
    files += [_file(out, name) for name in made]
    about: list[Entity] = [_code(oldschool.__version__)]
    actions: list[Entity] = []
    for inputs in read_in:
        for name, names in results[inputs.replication.name].items():
            if inputs.manifests[name]["units"] or inputs.manifests[name]["failed"]:
                action, with_it = _run(inputs, name, names, report_dir)
                actions.append(action)
                about += with_it
    left = set(made)
    pictures: list[str] = []
    for inputs in read_in:
        drawn = [name for name in made if name.split("/")[1:2] == [inputs.replication.name]]
        if drawn:
            actions.append(_drawing(inputs, drawn, report_dir))
            left -= set(drawn)
            pictures += drawn
    if left:
        words = "Verdicts and pages from the rows: `make report`"
        said = list(map(_source, _sources(read_in)))
        about += said
        used = [*collected, *measured, *pictures, *(entity["@id"] for entity in said)]
        actions.append(_action("#report", words, [CODE], used, sorted(left)))
    if measured:
        words = "Timings taken on one machine: `make bench`"
        actions.append(_action("#bench", words, [CODE], [], measured))
    about = list({entity["@id"]: entity for entity in about}.values())
    root = _root(read_in, [*collected, *measured, *made], actions)
    graph = [*_frame(), root, *map(_paper, read_in), *about, *actions, *files]
    text = json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def as_committed(made: bytes, kept: bytes, report_dir: Path, named: Collection[str]) -> bytes:
    """A crate made anew, with sizes and hashes as those of the files in ``report_dir``.

    So it differs from the one kept there by what is wrong with that one alone: a drawing of another
    matplotlib and a file that is out of date by itself are told about elsewhere.

    Args:
        made: the crate made anew.
        kept: the one of ``report_dir``, which has the last word on the files in ``named``.
        report_dir: the report.
        named: names of files that are known to be wrong.
    """
    crate = json.loads(made)
    try:
        said = {entity["@id"]: entity for entity in json.loads(kept)["@graph"]}
    except (ValueError, KeyError, TypeError):
        return made
    for entity in crate["@graph"]:
        name = entity["@id"]
        if entity["@type"] != "File":
            continue
        if name in named:
            entity |= {key: said.get(name, entity).get(key) for key in ("contentSize", "sha256")}
        else:
            entity |= _measures(report_dir / name)
    return (json.dumps(crate, indent=1, ensure_ascii=False) + "\n").encode()


def _frame() -> list[Entity]:
    """What every such crate has."""
    return [
        {
            "@id": FILE,
            "@type": "CreativeWork",
            "about": {"@id": _ROOT},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": _LICENCE, "@type": "CreativeWork", "name": f"{LICENCE} licence"},
        {"@id": _AUTHORS, "@type": "Organization", "name": AUTHORS},
    ]


def _root(read_in: Sequence[Inputs], names: Sequence[str], actions: Sequence[Entity]) -> Entity:
    return {
        "@id": _ROOT,
        "@type": "Dataset",
        "name": "oldschool: results, figures, tables and verdicts",
        "description": "Replications of the founding papers of network pruning and growing: "
        "tidy rows with their manifests, and all that is made from them.",
        **_published(read_in),
        "license": {"@id": _LICENCE},
        "author": {"@id": _AUTHORS},
        "conformsTo": {"@id": PROFILE},
        "citation": [{"@id": _paper(inputs)["@id"]} for inputs in read_in],
        "mentions": _links(action["@id"] for action in actions),
        "hasPart": _links(names),
    }


def _paper(inputs: Inputs) -> Entity:
    replication = inputs.replication
    return {
        "@id": f"#papers/{replication.name}",
        "@type": "ScholarlyArticle",
        "name": replication.title,
        "description": replication.citation,
    }


def _code(version: str, commit: str = "", changed: bool = False) -> Entity:
    """One version of the code; what makes the report is the version that the crate is of."""
    entity = {
        "@id": CODE + (f"/{commit}" if commit else "") + ("/changed" if changed else ""),
        "@type": "SoftwareApplication",
        "name": "oldschool",
        "version": version,
        "license": {"@id": _LICENCE},
    }
    if commit:
        entity |= {"identifier": commit}
    if changed:
        entity |= {"description": "with changes that were not committed"}
    return entity


def _run(
    inputs: Inputs, name: str, results: Sequence[str], report_dir: Path
) -> tuple[Entity, list[Entity]]:
    """The action of an experiment, and what it refers to beside files."""
    replication, manifest = inputs.replication, inputs.manifests[name]
    codes = [
        _code(each["packages"]["oldschool"], each["commit"] or "", bool(each["dirty"]))
        for each in manifest["environments"]
    ] or [_code(oldschool.__version__)]
    experiment = replication.experiment(name)
    needed = [frame for each in experiment.needs for frame in replication.experiment(each).frames]
    used_rows = dict.fromkeys([*needed, *experiment.reads])
    read = [frame for frame in used_rows if frame in inputs.hashes]
    used = [
        *_configuration(replication, manifest),
        _settings(manifest),
        *(_data(key, sha256) for key, sha256 in sorted(manifest["data"].items())),
    ]
    units, failed = manifest["units"], manifest["failed"]
    words = (
        f"Experiment {name} on {replication.name}, profile {manifest['profile']}: "
        f"{len(units)} units of work, {len(failed)} failed, "
        f"{math.fsum(unit['seconds'] for unit in units):.0f} seconds of computing"
    )
    objects = [entity["@id"] for entity in used] + [
        committed.file_of(paths.results(report_dir, replication.name), frame)
        .relative_to(report_dir)
        .as_posix()
        for frame in read
    ]
    instruments = list(dict.fromkeys(entity["@id"] for entity in codes))
    action = _action(f"#run/{replication.name}/{name}", words, instruments, objects, results)
    action |= _times(units)
    if failed:
        label = launch.unit_of(replication.experiment(name), failed[0]).label()
        action |= {
            "actionStatus": {"@id": "http://schema.org/FailedActionStatus"},
            "error": f"{len(failed)} units failed, the first: {label}: {failed[0]['error']}",
        }
    return action, [*codes, *used]


def _drawing(inputs: Inputs, drawn: Sequence[str], report_dir: Path) -> Entity:
    """The action that made a replication's figures and tables."""
    replication = inputs.replication
    items: list[Figure | Table] = [*replication.figures, *replication.tables]
    needed = {frame for item in items for frame in item.needs if frame in inputs.hashes}
    folder = paths.results(report_dir, replication.name)
    files = [committed.file_of(folder, frame) for frame in sorted(needed)]
    kept = speed.measured_folder(report_dir)
    files = [file if file.is_file() else kept / file.name for file in files]
    return _action(
        f"#report/{replication.name}",
        f"Figures and tables of {replication.name} from its rows: `make report`",
        [CODE],
        [file.relative_to(report_dir).as_posix() for file in files],
        drawn,
    )


def _action(
    name: str, words: str, instruments: Iterable[str], used: Iterable[str], results: Iterable[str]
) -> Entity:
    return {
        "@id": name,
        "@type": "CreateAction",
        "name": name.removeprefix("#"),
        "description": words,
        "instrument": _links(instruments),
        "agent": {"@id": _AUTHORS},
        "object": _links(used),
        "result": _links(results),
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def _times(units: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """When the first unit started and the last one ended, if all have recorded it."""
    if not units or not all("started" in unit for unit in units):
        return {}
    start = min(datetime.fromisoformat(unit["started"]) for unit in units)
    return {"startTime": _time(start), "endTime": _time(max(map(_end, units)))}


def _published(read_in: Iterable[Inputs]) -> dict[str, str]:
    """When the newest rows were there, as far as it was recorded."""
    manifests = [manifest for inputs in read_in for manifest in inputs.manifests.values()]
    ends = [_end(unit) for each in manifests for unit in each["units"] if "started" in unit]
    return {"datePublished": _time(max(ends))} if ends else {}


def _end(unit: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(unit["started"]) + timedelta(seconds=unit["seconds"])


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _configuration(replication: Replication, manifest: Mapping[str, Any]) -> list[Entity]:
    """The files of ``conf/`` that an experiment's settings come from."""
    return [
        _source(file)
        for node, file in config.sources(replication, manifest["profile"])
        if not node or node in manifest["settings"]
    ]


def _sources(read_in: Sequence[Inputs]) -> list[Path]:
    """What verdicts and pages are made from beside the results."""
    folders = [inputs.replication.folder for inputs in read_in]
    return [paths.citation(), *(each / name for each in folders for name in (CLAIMS, "README.md"))]


def _source(file: Path) -> Entity:
    """A file of the project outside the report, whose version is that of the code."""
    return {"@id": f"#{paths.shown(file)}", "@type": "CreativeWork", "name": paths.shown(file)}


def _settings(manifest: Mapping[str, Any]) -> Entity:
    """The settings that the rows are of, in full."""
    values = {key: manifest[key] for key in ("profile", "seed", "settings")}
    text = digest.canonical(values)
    name = f"settings of {manifest['replication']}/{manifest['experiment']}"
    return {
        "@id": f"#settings/{manifest['replication']}/{manifest['experiment']}",
        "@type": "PropertyValue",
        "name": name,
        "value": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _data(name: str, sha256: str) -> Entity:
    """A data set as a run has read it; another version of it is another entity."""
    key = f"#data/{quote(name)}/{sha256[:16]}"
    return {"@id": key, "@type": "CreativeWork", "name": name, "sha256": sha256}


def _rows(inputs: Inputs, name: str, report_dir: Path) -> list[str]:
    folder = paths.results(report_dir, inputs.replication.name)
    files = [committed.file_of(folder, frame) for frame in inputs.manifests[name]["frames"]]
    return [file.relative_to(report_dir).as_posix() for file in files]


def _manifest(inputs: Inputs, name: str) -> str:
    return f"results/{inputs.replication.name}/{name}.manifest.json"


def _measured(report_dir: Path) -> list[str]:
    """What ``make bench`` keeps."""
    files = [speed.speed_file(report_dir), *sorted(speed.measured_folder(report_dir).glob("*.csv"))]
    return [file.relative_to(report_dir).as_posix() for file in files if file.is_file()]


def _file(folder: Path, name: str) -> Entity:
    entity = {
        "@id": name,
        "@type": "File",
        "name": os.path.basename(name),
        "encodingFormat": _FORMATS.get(Path(name).suffix, "application/octet-stream"),
    }
    return entity | _measures(folder / name)


def _measures(file: Path) -> dict[str, str]:
    content = file.read_bytes()
    return {"contentSize": str(len(content)), "sha256": hashlib.sha256(content).hexdigest()}


def _links(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]
