"""A report folder: made from results, kept where nothing changed, cleaned of what is gone."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from oldschool.claims import assess
from oldschool.claims.assess import COLUMNS, Origin
from oldschool.errors import ConfigError, DataError, StorageError
from oldschool.report.artefacts import Artefact, Ledger
from oldschool.report.build import build

FIGURES = "replications/demo2001_tiny/figures.py"
MODULE = "replications/demo2001_tiny/__init__.py"
CLAIMS = "replications/demo2001_tiny/claims.yaml"


def made(project) -> list[str]:
    """Build the report and return what it says."""
    lines: list[str] = []
    build(project.reports, project.load(), say=lines.append)
    return lines


def scoreboard(project) -> dict[str, dict[str, str]]:
    text = (project.reports / "claims.csv").read_text()
    return {row["id"]: row for row in csv.DictReader(io.StringIO(text))}


def test_every_figure_and_table_comes_in_all_its_formats(project) -> None:
    project.run()
    assert made(project) == ["tiny figures: 2 made (new)", "tiny tables: 1 made (new)"]
    names = {name for name in project.tree() if not name.startswith("results/")}
    assert names == {
        "CHECKLIST.md",
        "artefacts.json",
        "claims.csv",
        "cite/citations.json",
        "cite/references.bib",
        "cite/results.tex",
        "cite/tables/tiny.tex",
        "index.html",
        "ro-crate-metadata.json",
        "gallery.html",
        "papers/tiny.html",
        "site.css",
        "site.js",
        *(f"claims/{name}.html" for name in scoreboard(project)),
        *(f"figures/tiny/operations.{kind}" for kind in ("svg", "png", "pdf")),
        *(f"figures/tiny/weights_left.{kind}" for kind in ("svg", "png", "pdf")),
        *(f"tables/tiny/weights_left.{kind}" for kind in ("csv", "md", "tex")),
    }


def test_claims_csv_has_the_agreed_columns_and_a_row_for_every_claim_in_order(finished) -> None:
    assert (finished.reports / "claims.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    rows = scoreboard(finished)
    in_file = re.findall(r"^- id: (.*)$", (finished.root / CLAIMS).read_text(), re.MULTILINE)
    assert list(rows) == in_file
    assert {row_id: row["verdict"] for row_id, row in rows.items()} == {
        "tiny.start": "reproduced",
        "tiny.weights": "reproduced",
        "tiny.accuracy": "partly",
        "tiny.order": "reproduced",
        "tiny.small": "undecided",
        "tiny.gain": "not reproduced",
        "tiny.exponent": "not run",
        "tiny.rule": "not run",
        "tiny.tape": "not run",
    }
    weights = rows["tiny.weights"]
    assert (weights["paper"], weights["estimate"], weights["n"]) == ("tiny", "14", "120")
    assert (weights["profile"], weights["command"]) == ("default", "make replicate-tiny")
    # There is a number, if no verdict: this is what gives it again.
    assert rows["tiny.exponent"]["command"] == "make replicate-tiny"
    assert rows["tiny.exponent"]["reason"] == (
        "not judged: this claim needs profile paper, these rows are of profile default"
    )
    assert rows["tiny.rule"]["reason"] == "no net was left with a rule"
    assert rows["tiny.tape"] | {"reason": "", "command": ""} == rows["tiny.tape"] | {
        "reason": "", "command": "", "estimate": "", "ci_low": "", "ci_high": "", "n": "",
        "profile": "",
    }  # fmt: skip


def test_without_results_every_claim_is_there_and_says_what_is_missing(project) -> None:
    assert made(project) == ["tiny: all figures and tables skipped (no rows yet)"]
    rows = scoreboard(project)
    assert len(rows) == 9
    assert rows["tiny.weights"]["verdict"] == "not run"
    assert rows["tiny.weights"]["reason"] == "no rows yet: pruned"
    assert rows["tiny.exponent"]["command"] == "make replicate-tiny PROFILE=paper"
    # Arithmetic that reads no rows holds without a run.
    assert rows["tiny.start"]["verdict"] == "reproduced"


def test_what_was_not_run_for_want_of_data_says_so_in_claims_and_pages(project) -> None:
    project.run("cost")
    project.leave_out("prune", "numbers cannot be had")
    made(project)
    rows = scoreboard(project)
    of_data = {name for name, row in rows.items() if row["reason"] == "numbers cannot be had"}
    named = ("weights", "accuracy", "order", "small", "gain", "rule")
    assert of_data == {f"tiny.{name}" for name in named}
    assert {rows[name]["verdict"] for name in of_data} == {"not run"}
    paper = (project.reports / "papers/tiny.html").read_text()
    assert paper.count("numbers cannot be had") == 1  # among the runs
    for name in of_data:
        assert "numbers cannot be had" in (project.reports / f"claims/{name}.html").read_text()
    project.run("prune")
    made(project)
    assert scoreboard(project)["tiny.weights"]["verdict"] == "reproduced"
    assert not any(b"cannot be had" in content for content in project.tree().values())


def test_rows_that_are_there_judge_though_their_data_cannot_be_had_now(finished) -> None:
    before = finished.tree()
    finished.leave_out("prune", "numbers cannot be had")
    made(finished)
    assert finished.tree() == before


def test_rows_of_a_lower_profile_do_not_judge(project) -> None:
    project.run(profile="smoke")
    made(project)
    weights = scoreboard(project)["tiny.weights"]
    assert (weights["verdict"], weights["profile"]) == ("not run", "smoke")
    assert weights["command"] == "make replicate-tiny PROFILE=smoke"


def test_a_second_build_keeps_everything_and_writes_nothing(finished) -> None:
    stamps = {file: file.stat().st_mtime_ns for file in finished.reports.rglob("*")}
    assert made(finished) == [
        "tiny figures: 2 kept (up to date)",
        "tiny tables: 1 kept (up to date)",
    ]
    assert {file: file.stat().st_mtime_ns for file in finished.reports.rglob("*")} == stamps


def test_a_build_elsewhere_gives_the_same_bytes(finished, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    build(finished.reports, finished.load(), out=elsewhere, say=lambda line: None)
    for name, content in finished.tree().items():
        if not name.startswith("results/"):
            assert (elsewhere / name).read_bytes() == content, name


def test_only_what_rests_on_changed_results_is_made_again(project) -> None:
    project.run()
    made(project)
    project.edit(MODULE, "sizes**2", "sizes**2 + 1")
    project.edit(MODULE, '"cost", 1', '"cost", 2')
    project.run("cost")
    assert made(project)[0] == (
        "tiny figures: 1 kept (up to date), 1 rebuilt (results changed: cost)"
    )


def test_changed_drawing_code_is_noticed_also_in_a_module_it_imports(project) -> None:
    (project.folder / "sizes.py").write_text("HEIGHT = 2.6\n")
    project.edit(FIGURES, "height=2.6", "height=sizes.HEIGHT")
    project.edit(FIGURES, "METHODS =", "from replications.demo2001_tiny import sizes\n\nMETHODS =")
    project.run()
    made(project)
    before = project.tree()
    project.edit("replications/demo2001_tiny/sizes.py", "2.6", "3.0")
    assert made(project)[0] == "tiny figures: 2 rebuilt (code changed)"
    changed = {name for name, content in project.tree().items() if content != before[name]}
    assert "figures/tiny/weights_left.svg" in changed
    assert "figures/tiny/operations.svg" not in changed


def test_a_lost_or_edited_file_is_made_again(finished) -> None:
    before = finished.tree()
    (finished.reports / "figures/tiny/operations.pdf").unlink()
    with (finished.reports / "tables/tiny/weights_left.md").open("a") as stream:
        stream.write("and more\n")
    assert made(finished) == [
        "tiny figures: 1 kept (up to date), 1 rebuilt (missing)",
        "tiny tables: 1 rebuilt (file differs from the record)",
    ]
    assert finished.tree() == before


def test_the_files_of_a_figure_that_is_no_more_are_removed_and_no_others(finished) -> None:
    foreign = finished.reports / "figures/tiny/mine.png"
    foreign.write_bytes(b"mine")
    finished.edit(MODULE, '"operations",\n            ["cost"]', '"expense",\n            ["cost"]')
    lines = made(finished)
    assert lines[0] == "tiny figures: 1 kept (up to date), 1 made (new)"
    assert lines[-1] == "figures/tiny/operations: removed (no longer made)"
    left = {file.name for file in (finished.reports / "figures/tiny").iterdir()}
    assert "expense.svg" in left and "mine.png" in left
    assert not any(name.startswith("operations") for name in left)


def test_a_drawing_cannot_spoil_the_rows_for_the_next(finished) -> None:
    before = finished.tree()
    finished.edit(FIGURES, "sharey=True)\n", 'sharey=True)\n    frames["pruned"]["left"] += 1\n')
    made(finished)
    after = finished.tree()
    assert after["tables/tiny/weights_left.csv"] == before["tables/tiny/weights_left.csv"]
    assert after["claims.csv"] == before["claims.csv"]


def test_a_folder_that_cannot_be_written_is_one_line_and_loses_nothing(finished) -> None:
    before = (finished.reports / "claims.csv").read_bytes()
    shutil.rmtree(finished.reports / "figures")
    (finished.reports / "figures").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write reports/figures/tiny/weights_left") as hit:
        made(finished)
    assert "\n" not in str(hit.value)
    assert (finished.reports / "claims.csv").read_bytes() == before
    (finished.reports / "figures").unlink()
    assert "2 rebuilt (missing)" in made(finished)[0]


def test_a_damaged_record_is_named(project) -> None:
    project.reports.mkdir()
    for text in ("{", "[1]", '{"figures/tiny/operations": {}}'):
        (project.reports / "artefacts.json").write_text(text)
        with pytest.raises(DataError, match=r"reports/artefacts\.json is damaged"):
            made(project)


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (CLAIMS, "id: tiny.gain", "id: tiny.loss", "tiny.loss: the replication has no estimate"),
        (CLAIMS, "frames: [cost]", "frames: [costs]", "no experiment writes the frame costs"),
        (MODULE, '"tiny.start":', '"tiny.tape": exact, "tiny.start":', "tiny.tape: there is an"),
    ],
)
def test_claims_and_estimates_must_fit(project, path, old, new, message) -> None:
    project.edit(path, old, new)
    with pytest.raises(ConfigError, match=message):
        made(project)


def test_an_estimate_sees_only_the_frames_its_claim_declares(project) -> None:
    project.run()
    project.edit(MODULE, "lambda frames: exact(2, n=5)", "lambda frames: exact(frames['pruned'])")
    with pytest.raises(KeyError, match="pruned") as caught:
        made(project)
    assert caught.value.__notes__ == ["while estimating tiny.exponent"]


def test_rows_of_different_profiles_are_never_mixed(project) -> None:
    project.run("prune", profile="default")
    project.run("cost", profile="paper")
    text = (project.root / CLAIMS).read_text().replace("frames: [cost]", "frames: [cost, pruned]")
    (project.root / CLAIMS).write_text(text)
    made(project)
    row = scoreboard(project)["tiny.exponent"]
    assert row["verdict"] == "not run"
    assert "never mixed (cost: paper, pruned: default)" in row["reason"]


def test_rows_of_different_settings_are_never_mixed(project) -> None:
    project.run("prune")
    project.run("cost", seed=3)
    text = (project.root / CLAIMS).read_text().replace("frames: [cost]", "frames: [cost, pruned]")
    (project.root / CLAIMS).write_text(text)
    made(project)
    assert (
        "settings are never mixed (cost: default seed=3, pruned: default)"
        in (scoreboard(project)["tiny.exponent"]["reason"])
    )


def test_a_run_with_changed_settings_says_so_wherever_its_numbers_are(project) -> None:
    project.run(profile="smoke", seed=3)
    made(project)
    assert scoreboard(project)["tiny.weights"]["command"] == (
        'make replicate-tiny PROFILE=smoke ARGS="seed=3"'
    )
    for name in ("index.html", "papers/tiny.html", "claims/tiny.weights.html"):
        text = (project.reports / name).read_text()
        notice = text[text.index('class="notice"') : text.index("<h2")]
        assert "tiny: not the declared run" in notice
        assert "Profile smoke, changed settings:\n<code>seed=3</code>." in notice
    assert "<dd>smoke; changed settings: <code>seed=3</code></dd>" in text
    assert "base seed 3;" in text


def test_the_declared_run_has_no_notice(finished) -> None:
    for content in finished.tree().values():
        assert b'class="notice"' not in content
        assert b"changed settings" not in content


@pytest.mark.parametrize("overrides", [("a.b=['x y',null]", "a.c={k:1}"), ("a.b='it\\'s $HOME'",)])
def test_the_command_gives_the_settings_to_make_as_they_are(
    overrides: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text("replicate-x:\n\t@printf '%s\\n' $(ARGS)\n")
    command = assess.command("x", Origin("smoke", overrides))
    # `make test` hands its own flags down, which would make this make print folders
    own = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=own, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == list(overrides)


SPEED = "what,seconds,against,against_seconds,ratio,bar,machine\n"


@pytest.mark.parametrize(
    ("ratio", "bar", "shown"),
    [("50", "50", "50 (met)"), ("49.9", "50", "50 (missed)"), ("2", "", "")],
)
def test_whether_a_bar_was_met_is_shown(project, ratio: str, bar: str, shown: str) -> None:
    project.reports.mkdir()
    (project.reports / "speed.csv").write_text(f"{SPEED}a,1,b,2,{ratio},{bar},c\n")
    made(project)
    text = (project.reports / "index.html").read_text()
    assert f'<td class="number">{ratio}</td><td class="number">{shown}</td>' in text


@pytest.mark.parametrize("text", ["what\n", f"{SPEED}a,1,b,2,fast,50,c\n", f"{SPEED}a,1\n"])
def test_damaged_ratios_are_named(project, text: str) -> None:
    project.reports.mkdir()
    (project.reports / "speed.csv").write_text(text)
    with pytest.raises(DataError, match="is damaged"):
        made(project)


@pytest.mark.parametrize(("rows", "tall"), [(30, False), (31, True)])
def test_only_a_long_table_scrolls_in_a_box(project, rows: int, tall: bool) -> None:
    project.edit(FIGURES, "return pd.DataFrame(rows)", f"return pd.DataFrame(rows[:1] * {rows})")
    project.run()
    made(project)
    text = (project.reports / "papers/tiny.html").read_text()
    assert ('<div class="scroll tall"' in text) == tall


def test_what_was_not_run_is_said_on_the_page(project) -> None:
    project.run("cost")
    assert "tiny figures: weights_left skipped (no rows yet: pruned)" in made(project)
    text = (project.reports / "papers/tiny.html").read_text()
    assert "Not drawn: no rows yet of pruned." in text
    assert "Not built: no rows yet of pruned." in text


def test_text_from_the_files_is_escaped(project) -> None:
    project.edit(
        CLAIMS, "what: test accuracy", "what: 'accuracy <script>alert(1)</script> & so on'"
    )
    made(project)
    for name in ("index.html", "papers/tiny.html", "claims/tiny.accuracy.html"):
        text = (project.reports / name).read_text()
        assert "<script>alert" not in text
    assert "accuracy &lt;script&gt;alert(1)&lt;/script&gt; &amp; so on" in text


def test_failed_units_are_shown(project) -> None:
    project.run()
    file = project.reports / "results/tiny/cost.manifest.json"
    manifest = json.loads(file.read_text())
    manifest["failed"] = [
        {"condition": {"n": 7}, "start": 0, "stop": 5, "digest": "d", "error": "it <diverged>"}
    ]
    file.write_text(json.dumps(manifest))
    made(project)
    text = (project.reports / "papers/tiny.html").read_text()
    assert "cost[n=7] 0-4: it &lt;diverged&gt;" in text


def test_what_is_measured_changes_figures_as_results_do(tmp_path) -> None:
    def state(measured: str) -> str:
        ledger = Ledger(tmp_path)
        hashes = {"cost": measured, "pruned": "same"}
        artefact = Artefact("figures/cost", "figures", hashes, "code", lambda: {"svg": b"<svg/>"})
        said = ledger.bring_up_to_date([artefact], {"pruned": "prune"})
        ledger.close()
        return said

    assert state("first") == "1 made (new)"
    assert state("first") == "1 kept (up to date)"
    assert state("second") == "1 rebuilt (results changed: make bench)"
