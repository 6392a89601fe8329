"""The crate: sound JSON-LD, every file with its hash, every action with what went in and out."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from oldschool.report import crate
from oldschool.report.build import build
from tests.report.conftest import Project

ROOT = Path(__file__).parents[2]
ABSOLUTE = ("https://", "http://")


def entities(reports: Path) -> dict[str, dict]:
    graph = json.loads((reports / crate.FILE).read_text())["@graph"]
    found = {entity["@id"]: entity for entity in graph}
    assert len(found) == len(graph), "two entities of one id"
    return found


def references(value) -> list[str]:
    """All ids that a value points to."""
    if isinstance(value, dict):
        inner = [one for part in value.values() for one in references(part)]
        return [value["@id"]] if value.keys() == {"@id"} else inner
    return [one for part in value for one in references(part)] if isinstance(value, list) else []


def ids(links: list[dict]) -> list[str]:
    return [link["@id"] for link in links]


@pytest.fixture
def found(finished: Project) -> dict[str, dict]:
    return entities(finished.reports)


def test_it_is_a_process_run_crate(found) -> None:
    descriptor, root = found[crate.FILE], found["./"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    assert found[root["conformsTo"]["@id"]]["@type"] == "CreativeWork"
    actions = [key for key, entity in found.items() if entity["@type"] == "CreateAction"]
    assert ids(root["mentions"]) == actions
    for key in actions:
        action = found[key]
        assert action["result"], key
        assert found[action["agent"]["@id"]]["@type"] == "Organization"
        assert {found[one]["@type"] for one in ids(action["instrument"])} == {"SoftwareApplication"}
        used = {found[one]["@type"] for one in ids(action["object"])}
        assert used <= {"File", "CreativeWork", "PropertyValue"}


def test_whatever_is_referred_to_is_defined(found) -> None:
    for entity in found.values():
        for one in references({key: value for key, value in entity.items() if key != "@id"}):
            assert one in found or one.startswith(ABSOLUTE), f"{entity['@id']}: {one}"


def test_every_file_of_the_report_is_there_with_its_size_and_hash(finished, found) -> None:
    files = {key: entity for key, entity in found.items() if entity["@type"] == "File"}
    assert files.keys() == finished.tree().keys() - {crate.FILE}
    assert set(ids(found["./"]["hasPart"])) == files.keys()
    for name, content in finished.tree().items():
        if name != crate.FILE:
            assert files[name]["contentSize"] == str(len(content))
            assert files[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert files[name]["encodingFormat"] != "application/octet-stream"


def test_every_file_is_the_result_of_one_action(found) -> None:
    made = [one for entity in found.values() for one in ids(entity.get("result", []))]
    assert sorted(made) == sorted(ids(found["./"]["hasPart"]))


def test_an_experiment_goes_from_settings_to_rows(found) -> None:
    run = found["#run/tiny/prune"]
    assert ids(run["result"]) == [
        "results/tiny/pruned.csv",
        "results/tiny/prune.manifest.json",
    ]
    settings = found["#settings/tiny/prune"]
    assert json.loads(settings["value"]) == {
        "profile": "default",
        "seed": 0,
        "settings": {"nets": {"spread": 1.0, "count": 60}},
    }
    assert ids(run["object"]) == [
        "#conf/profile/default.yaml",
        "#conf/tiny/nets.yaml",
        "#conf/tiny.yaml",
        "#settings/tiny/prune",
    ]
    assert run["startTime"] <= run["endTime"] <= found["./"]["datePublished"]
    assert ids(found["#report/tiny"]["object"]) == [
        "results/tiny/cost.csv",
        "results/tiny/pruned.csv",
    ]


def _recollected(project: Project, experiment: str, change) -> dict[str, dict]:
    file = project.reports / f"results/tiny/{experiment}.manifest.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))
    build(project.reports, project.load(), say=lambda line: None)
    return entities(project.reports)


def test_commit_and_data_are_said_as_the_manifest_has_them(finished) -> None:
    def change(manifest) -> None:
        manifest["environments"][0] |= {"commit": "ab" * 20, "dirty": True}
        manifest["data"] = {"two spirals": "cd" * 32}

    found = _recollected(finished, "prune", change)
    run = found["#run/tiny/prune"]
    (code,) = (found[one] for one in ids(run["instrument"]))
    assert code["identifier"] == "ab" * 20
    assert "not committed" in code["description"]
    (data,) = (found[one] for one in ids(run["object"]) if one.startswith("#data/"))
    assert (data["name"], data["sha256"]) == ("two spirals", "cd" * 32)


def test_without_recorded_times_none_are_told(finished) -> None:
    def forget(manifest) -> None:
        for unit in manifest["units"]:
            del unit["started"]

    _recollected(finished, "prune", forget)
    found = _recollected(finished, "cost", lambda manifest: forget(manifest))
    assert "datePublished" not in found["./"]
    assert not any("endTime" in entity for entity in found.values())


def test_a_failed_unit_makes_a_failed_action(finished) -> None:
    def fail(manifest) -> None:
        unit = manifest["units"][0]
        failed = {key: unit[key] for key in ("condition", "start", "stop", "digest")}
        manifest["failed"] = [failed | {"error": "ValueError: no"}]

    run = _recollected(finished, "prune", fail)["#run/tiny/prune"]
    assert run["actionStatus"] == {"@id": "http://schema.org/FailedActionStatus"}
    assert run["error"] == "1 units failed, the first: prune[problem=easy] 0-29: ValueError: no"


def test_timings_are_results_of_their_own(finished) -> None:
    header = "what,seconds,against,against_seconds,ratio,bar,machine\n"
    (finished.reports / "speed.csv").write_text(f"{header}a,1,b,2,2,,here\n")
    build(finished.reports, finished.load(), say=lambda line: None)
    found = entities(finished.reports)
    assert ids(found["#bench"]["result"]) == ["speed.csv"]
    assert "speed.csv" in ids(found["./"]["hasPart"])


def test_licence_and_authors_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["license"] == citation["license"] == crate.LICENCE
    assert [author["name"] for author in project["authors"]] == [crate.AUTHORS]
