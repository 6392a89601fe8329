"""The checklist says what was recorded, and where nothing was, that."""

import json

from oldschool.report import checklist
from oldschool.report.build import build

MODULE = "replications/demo2001_tiny/__init__.py"


def made(project) -> str:
    build(project.reports, project.load(), say=lambda line: None)
    return (project.reports / checklist.FILE).read_text()


def answer(text: str, question: str) -> str:
    """What stands under the question that starts so."""
    (found,) = (part for part in text.split("\n### ") if part.startswith(question))
    return found.partition("\n\n## ")[0]


def table(text: str) -> list[dict[str, str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_runs_are_counted_from_the_manifests(finished) -> None:
    prune, cost = table(answer(made(finished), "How many runs"))
    assert (prune["experiment"], prune["profile"]) == ("prune", "default")
    assert (prune["conditions"], prune["replicates of each"], prune["units"]) == ("2", "60", "4")
    assert (cost["conditions"], cost["replicates of each"], cost["units"]) == ("1", "1", "1")


def test_computing_time_and_machines_are_those_recorded(finished) -> None:
    file = finished.reports / "results/tiny/cost.manifest.json"
    record = json.loads(file.read_text())
    record["units"][0] |= {"seconds": 5400.0, "environment": 1}
    first = record["environments"][0]
    other = {"cpu": "A big fast one", "cores": 48, "memory": 96}
    record["environments"].append(first | other)
    file.write_text(json.dumps(record))
    text = made(finished)
    assert table(answer(text, "How many runs"))[1]["computing time"] == "1.5 h"
    _, machine = table(answer(text, "On which machines"))
    assert machine["CPU"] == "A big fast one"
    assert (machine["cores"], machine["memory"]) == ("48", "96 GiB")


def test_a_bar_in_a_name_does_not_part_a_cell(finished) -> None:
    file = finished.reports / "results/tiny/cost.manifest.json"
    record = json.loads(file.read_text())
    record["environments"][0]["cpu"] = "A big | fast one"
    file.write_text(json.dumps(record))
    assert "A big \\| fast one" in answer(made(finished), "On which machines")


def test_cores_and_memory_that_were_not_recorded_are_said_to_be(finished) -> None:
    for file in finished.reports.glob("results/tiny/*.manifest.json"):
        record = json.loads(file.read_text())
        for environment in record["environments"]:
            del environment["cores"], environment["memory"]
            environment["cpu"] = "An old one"
        file.write_text(json.dumps(record))
    text = made(finished)
    (machine,) = table(answer(text, "On which machines"))
    unknown = checklist.NOT_RECORDED
    assert [machine[name] for name in ("CPU", "cores", "memory")] == ["An old one", *[unknown] * 2]


def test_times_that_were_not_recorded_are_counted(finished) -> None:
    assert "When: from 20" in made(finished)
    file = finished.reports / "results/tiny/cost.manifest.json"
    record = json.loads(file.read_text())
    del record["units"][0]["started"]
    file.write_text(json.dumps(record))
    assert "When: not recorded of 1 of 5 units; the others from 20" in made(finished)


def test_nets_and_cases_come_from_the_replication_or_are_not_recorded(finished) -> None:
    text = made(finished)
    assert [row["cases"] for row in table(answer(text, "Which data"))] == ["not recorded"] * 2
    finished.edit(
        MODULE,
        "    estimates={\n",
        '    set_ups={"prune": lambda config, condition: SetUp(\n'
        '        {"2-2-1": 9}, {"training": 3 if condition["problem"] == "easy" else 4})},\n'
        "    estimates={\n",
    )
    finished.edit(MODULE, "    Replication,\n", "    Replication,\n    SetUp,\n")
    text = made(finished)
    prune, cost = table(answer(text, "How many parameters"))
    assert list(prune.values()) == ["prune", "2-2-1: 9"]
    assert list(cost.values()) == ["cost", "not recorded"]
    assert table(answer(text, "Which data"))[0]["cases"] == "training: 3 or 4"


def test_intervals_are_told_with_their_method_and_the_numbers_behind_them(finished) -> None:
    rows = {row["interval"]: row for row in table(answer(made(finished), "What are the error"))}
    assert rows["median: between order statistics"]["replicates"] == "120"
    assert rows["share: Wilson's score"]["claims"] == "1"
    assert rows["none: counted or computed, not sampled"]["claims"] == "2"
    assert sum(int(row["claims"]) for row in rows.values()) == 7
    assert "Two-sided 90 % intervals" in made(finished)


def test_failed_units_and_nets_that_diverged_are_counted(finished) -> None:
    assert "Units of work that failed: none." in made(finished)
    finished.edit(MODULE, '"accuracy", "small"]', '"accuracy", "diverged"]')
    finished.edit(MODULE, '"prune", 1', '"prune", 2')
    finished.run("prune")
    file = finished.reports / "results/tiny/prune.manifest.json"
    record = json.loads(file.read_text())
    failed = {key: record["units"][0][key] for key in ("condition", "start", "stop", "digest")}
    record["failed"] = [failed | {"error": "ValueError: no"}]
    file.write_text(json.dumps(record))
    told = answer(made(finished), "What was left out")
    assert "Units of work that failed: 1." in told
    assert "- prune: prune[problem=easy] 0-29: ValueError: no" in told
    (row,) = table(told)
    assert (row["rows"], row["what"], row["of"]) == ("pruned", "diverged", "360")
    assert int(row["count"]) > 0


def test_what_cannot_be_run_says_why(project) -> None:
    project.run("cost")
    project.leave_out("prune", "numbers cannot be had")
    rows = table(answer(made(project), "How many runs"))
    assert [row["not run, as"] for row in rows] == ["numbers cannot be had", ""]


def test_without_results_there_is_a_checklist_too(project) -> None:
    text = made(project)
    assert "None." in answer(text, "How many runs")
    assert "All of it again: `make replicate-tiny`" in text
