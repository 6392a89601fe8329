"""verify is silent about a true report and names every way in which one can be false."""

import gzip
import hashlib
import json

import numpy as np

from oldschool.report import artefacts, rerun
from oldschool.report.build import build
from oldschool.report.verify import verify
from oldschool.runs import provenance, results

FIGURES = "replications/demo2001_tiny/figures.py"
MODULE = "replications/demo2001_tiny/__init__.py"
CLAIMS = "replications/demo2001_tiny/claims.yaml"
ROWS = "reports/results/tiny/pruned.csv"


def problems(project, say=lambda line: None) -> list[str]:
    found = verify(project.reports, {each.name: each for each in project.load()}, 1, say)
    assert all("\n" not in line for line in found)
    return found


def files(found: list[str]) -> list[str]:
    return [line.partition(": ")[0] for line in found]


def only_claims(found: list[str], *claims: str) -> bool:
    """Whether claims.csv and the pages of these claims are named, and no rows, figure or table."""
    named = files(found)
    pages = [name for name in named if name.startswith("reports/claims/")]
    others = ("reports/results/", "reports/figures/", "reports/tables/")
    return (
        "reports/claims.csv" in named
        and pages == [f"reports/claims/tiny.{claim}.html" for claim in claims]
        and not any(name.startswith(others) for name in named)
    )


def manifest(project, experiment: str):
    return json.loads((project.reports / f"results/tiny/{experiment}.manifest.json").read_text())


def test_a_true_report_has_no_problem_and_nothing_is_written(finished) -> None:
    before = finished.tree()
    lines: list[str] = []
    assert problems(finished, lines.append) == []
    assert finished.tree() == before
    assert [line.partition(":")[2] for line in lines] == [" run again, compared exactly"] * 2


def test_an_edited_row_is_named_with_its_unit(finished) -> None:
    finished.edit(ROWS, "easy,3,obs,", "easy,3,obs,1")
    (found,) = problems(finished)
    assert found == (
        f"{ROWS}: edited: the rows of prune[problem=easy] 0-29 are not those that were run"
    )


def test_an_added_row_is_named(finished) -> None:
    with (finished.root / ROWS).open("a") as stream:
        stream.write("hard,60,obs,14,95,true\n")
    assert problems(finished) == [f"{ROWS}: edited: it is not what its manifest says"]


def test_a_row_forged_together_with_its_hashes_is_found_by_running_the_unit_again(finished) -> None:
    record = manifest(finished, "prune")
    index = rerun.chosen(record, 1)[0]
    unit = record["units"][index]
    old = (finished.root / ROWS).read_bytes()
    lines = old.splitlines(keepends=True)
    first = 1 + sum(each["frames"]["pruned"]["rows"] for each in record["units"][:index])
    accuracy = lines[first].split(b",")[4]
    lines[first] = lines[first].replace(accuracy, b"100")
    new = b"".join(lines)
    rows = b"".join([lines[0], *lines[first : first + unit["frames"]["pruned"]["rows"]]])
    (finished.root / ROWS).write_bytes(new)
    unit["frames"]["pruned"]["sha256"] = hashlib.sha256(rows).hexdigest()
    record["frames"]["pruned"]["sha256"] = hashlib.sha256(new).hexdigest()
    (finished.reports / "results/tiny/prune.manifest.json").write_text(json.dumps(record))
    build(finished.reports, finished.load(), say=lambda line: None)
    (found,) = problems(finished)
    assert found.startswith(f"{ROWS}: prune[problem=") and "1 of 90 rows differ" in found


def test_a_changed_figure_function_is_named_in_every_format(finished) -> None:
    finished.edit(FIGURES, 'xlabel="weights left"', 'xlabel="weights kept"')
    found = problems(finished)
    stem = "reports/figures/tiny/weights_left"
    assert files(found) == [f"{stem}.pdf", f"{stem}.png", f"{stem}.svg"]
    assert all("make report" in line for line in found)


def test_drawings_of_another_matplotlib_are_compared_by_their_pixels_only(
    finished, monkeypatch
) -> None:
    finished.edit(FIGURES, 'xlabel="weights left"', 'xlabel="weights kept"')
    monkeypatch.setattr(artefacts, "drawn_with", lambda: "matplotlib 9.9")
    lines: list[str] = []
    assert files(problems(finished, lines.append)) == ["reports/figures/tiny/weights_left.png"]
    assert lines[0].startswith("4 SVG and PDF files: not compared")


def test_a_changed_margin_changes_the_verdict_and_is_named(finished) -> None:
    finished.edit(CLAIMS, "margin: 2\n", "margin: 16\n")
    found = problems(finished)
    assert only_claims(found, "gain")
    assert any(line.startswith("reports/claims.csv") and "not reproduced" in line for line in found)


def test_a_changed_estimate_is_named(finished) -> None:
    finished.edit(
        MODULE, '"tiny.weights": lambda frames: median', '"tiny.weights": lambda frames: mean'
    )
    assert only_claims(problems(finished), "weights")


def test_a_report_of_changed_settings_is_sound_too(project) -> None:
    project.run(profile="smoke", seed=3)
    build(project.reports, project.load(), say=lambda line: None)
    assert problems(project) == []


def test_every_edited_report_file_is_named(finished) -> None:
    names = sorted(set(finished.tree()) - {"artefacts.json"})
    names = [name for name in names if not name.startswith("results/")]
    for name in names:
        file = finished.reports / name
        file.write_bytes(file.read_bytes() + b"\n")
    assert sorted(files(problems(finished))) == [f"reports/{name}" for name in names]
    assert len(names) == 30


def test_a_manifest_that_says_another_time_is_found_by_the_crates_hash(finished) -> None:
    record = manifest(finished, "cost")
    record["environments"][0]["note"] = "computed on the moon"
    (finished.reports / "results/tiny/cost.manifest.json").write_text(json.dumps(record))
    (found,) = problems(finished)
    assert found.startswith("reports/ro-crate-metadata.json: line ")


def test_a_missing_and_a_foreign_file_are_named(finished) -> None:
    (finished.reports / "tables/tiny/weights_left.tex").unlink()
    (finished.reports / "artefacts.json").unlink()
    (finished.reports / "figures/tiny/mine.png").write_bytes(b"mine")
    (finished.reports / "results/tiny/draft.csv").write_text("a\n1\n")
    (finished.reports / ".DS_Store").write_bytes(b"")
    found = problems(finished)
    assert files(found) == [
        "reports/artefacts.json",
        "reports/tables/tiny/weights_left.tex",
        "reports/figures/tiny/mine.png",
        "reports/results/tiny/draft.csv",
    ]
    for line, part in zip(
        found, ("missing", "missing", "nothing makes", "no experiment"), strict=True
    ):
        assert part in line


def test_a_changed_code_version_is_named_and_its_units_are_not_run(finished) -> None:
    finished.edit(MODULE, '"prune", 1', '"prune", 2')
    lines: list[str] = []
    assert problems(finished, lines.append) == [
        "reports/results/tiny/prune.manifest.json: rows of code_version 1, the code is at 2: "
        "run `make replicate-tiny`"
    ]
    assert [line for line in lines if "run again" in line] == [
        "tiny/cost[] 0-0: run again, compared exactly"
    ]


PRUNE, COST = (f"reports/results/tiny/{name}.manifest.json" for name in ("prune", "cost"))
NETS = "conf/tiny/nets.yaml"


def test_a_changed_setting_is_named_with_its_file_and_its_units_are_not_run(finished) -> None:
    finished.edit(NETS, "spread: 1.0", "spread: 2.5")
    lines: list[str] = []
    what = "rows of nets.spread 1.0, conf/tiny/nets.yaml says 2.5: run `make replicate-tiny`"
    assert problems(finished, lines.append) == [f"{PRUNE}: {what}", f"{COST}: {what}"]
    assert lines == []


def test_of_two_files_the_one_that_decides_is_named(finished) -> None:
    (finished.root / "conf/profile/default.yaml").write_text(
        "# @package _global_\nprofile: default\nnets: {count: 90}\nseed: 3\n"
    )
    finished.edit("conf/tiny.yaml", "  - _self_\n", "  - _self_\nnets: {count: 30}\n")
    assert [line.partition(": run")[0] for line in problems(finished)] == [
        f"{file}: rows of {what}"
        for file in (PRUNE, COST)
        for what in (
            "nets.count 60, conf/tiny.yaml says 30",
            "seed 0, conf/profile/default.yaml says 3",
        )
    ]


def test_a_changed_default_of_a_setting_is_named(finished) -> None:
    finished.edit(MODULE, "plan_only(60)", "plan_only(30)")
    what = "rows of nets.count 60, the code's default is 30: run `make replicate-tiny`"
    found = problems(finished)
    assert found[:2] == [f"{PRUNE}: {what}", f"{COST}: {what}"]
    assert not any(line.startswith("reports/results/") for line in found[2:])


def test_what_a_run_set_itself_is_kept_and_the_rest_must_be_as_declared(project) -> None:
    project.run(profile="smoke", seed=3)
    build(project.reports, project.load(), say=lambda line: None)
    project.edit(NETS, "spread: 1.0", "spread: 2.5")
    found = problems(project)
    assert files(found) == [PRUNE, COST]
    assert found[0].endswith('2.5: run `make replicate-tiny PROFILE=smoke ARGS="seed=3"`')


def test_settings_that_cannot_be_read_are_named(finished) -> None:
    finished.edit(NETS, "spread: 1.0", "spread: wide")
    (found,) = problems(finished)
    assert "'tiny/nets'" in found and "'wide'" in found


def test_units_that_are_not_those_of_the_plan_are_named(finished) -> None:
    finished.edit(MODULE, 'for problem in ("easy", "hard")', 'for problem in ("odd", "hard")')
    assert problems(finished) == [
        f"{PRUNE}: prune[problem=odd] 0-29 and 1 more unit: the plan has it, the rows have not: "
        "run `make replicate-tiny`",
        f"{PRUNE}: prune[problem=easy] 0-29 and 1 more unit: the plan has it not: "
        "run `make replicate-tiny`",
    ]


def test_settings_forged_in_conf_and_manifest_alike_do_not_give_the_digests(finished) -> None:
    finished.edit(NETS, "spread: 1.0", "spread: 2.5")
    for name in ("prune", "cost"):
        finished.edit(
            f"reports/results/tiny/{name}.manifest.json", '"spread": 1.0', '"spread": 2.5'
        )
    build(finished.reports, finished.load(), say=lambda line: None)
    assert problems(finished) == [
        f"{PRUNE}: prune[problem=easy] 0-29 and 3 more units: its digest is not that of its "
        "settings: run `make replicate-tiny`",
        f"{COST}: cost[] 0-0: its digest is not that of its settings: run `make replicate-tiny`",
    ]


def test_changed_code_under_an_unchanged_version_is_found_by_the_sample(finished) -> None:
    finished.edit(MODULE, "95.0 + draw", "96.0 + draw")
    (found,) = problems(finished)
    assert found.startswith(f"{ROWS}: prune[problem=") and "90 of 90 rows differ" in found


def test_a_damaged_manifest_and_a_missing_frame_are_named(finished) -> None:
    (finished.reports / "results/tiny/prune.manifest.json").write_text("{")
    (finished.reports / "results/tiny/cost.csv").unlink()
    found = problems(finished)
    assert "results/tiny/prune.manifest.json is damaged" in found[0]
    assert found[1].startswith("reports/results/tiny/cost.csv: missing or unreadable")


# The tiny project with an experiment whose data, when it is run, are had no more.
DATA = "    rows = []\n    for replicate in unit.replicates:\n"
LOST = "    from oldschool.errors import DataError, UnavailableError\n    raise {}\n"


def test_what_cannot_be_run_again_for_want_of_data_is_said_and_no_problem(finished) -> None:
    error = 'UnavailableError("numbers cannot be had", " here")'
    finished.edit(MODULE, DATA, LOST.format(error) + DATA)
    lines: list[str] = []
    assert problems(finished, lines.append) == []
    assert lines[0].startswith("tiny/prune[problem=")
    assert lines[0].endswith(": not run again: numbers cannot be had here")
    assert lines[1] == "tiny/cost[] 0-0: run again, compared exactly"
    # All else is checked as ever.
    finished.edit(ROWS, "easy,3,obs,", "easy,3,obs,1")
    assert files(problems(finished)) == [ROWS]


def test_damaged_data_are_a_problem_and_the_rest_is_checked(finished) -> None:
    finished.edit(MODULE, DATA, LOST.format('DataError("numbers is damaged")') + DATA)
    lines: list[str] = []
    (found,) = problems(finished, lines.append)
    assert found.startswith("tiny/prune[problem=")
    assert found.endswith(": not run again: numbers is damaged")
    assert lines == ["tiny/cost[] 0-0: run again, compared exactly"]


def test_a_report_without_the_rows_of_missing_data_is_sound(project) -> None:
    project.run("cost")
    project.leave_out("prune", "numbers cannot be had")
    build(project.reports, project.load(), say=lambda line: None)
    assert problems(project) == []
    project.edit("reports/results/tiny/prune.manifest.json", "cannot be had", "are secret")
    named = ("accuracy", "gain", "order", "rule", "small", "weights")
    assert only_claims(problems(project), *named)


def test_gzipped_rows_are_checked_like_plain_ones(finished, monkeypatch) -> None:
    monkeypatch.setattr(results, "GZIP_ABOVE", 100)
    finished.run()
    packed = finished.root / f"{ROWS}.gz"
    assert packed.is_file()
    build(finished.reports, finished.load(), say=lambda line: None)
    assert problems(finished) == []
    rows = gzip.decompress(packed.read_bytes())
    packed.write_bytes(gzip.compress(rows.replace(b",obs,14,", b",obs,13,", 1), mtime=0))
    assert files(problems(finished)) == [f"{ROWS}.gz"]


def test_elsewhere_the_last_digits_may_differ_but_not_more(finished, monkeypatch) -> None:
    elsewhere = provenance.environment() | {"cpu": "another"}
    monkeypatch.setattr(provenance, "environment", lambda: elsewhere)
    finished.edit(MODULE, "accuracy = 95.0 +", "accuracy = 95.0 + 3e-6 +")
    lines: list[str] = []
    assert problems(finished, lines.append) == []
    assert "within the tolerance" in lines[0]
    finished.edit(MODULE, "3e-6", "3e-3")
    (found,) = problems(finished)
    assert "90 of 90 rows differ beyond the tolerance" in found


def _csv(count: int, apart: int) -> bytes:
    rows = [f"{k},{'b' if k < apart else 'a'},,true" for k in range(count)]
    return ("\n".join(["k,method,gap,kept", *rows]) + "\n").encode()


def test_one_row_in_twenty_may_choose_otherwise_elsewhere() -> None:
    assert rerun.tolerant_difference(_csv(40, 0), _csv(40, 2), 0.05) == ""
    assert "3 of 40 rows" in rerun.tolerant_difference(_csv(40, 0), _csv(40, 3), 0.05)
    assert "41 rows instead of 40" in rerun.tolerant_difference(_csv(40, 0), _csv(41, 0), 0.05)
    assert "columns" in rerun.tolerant_difference(b"a\n1\n", b"b\n1\n", 0.05)
    assert rerun.tolerant_difference(_csv(40, 0), _csv(30, 30), 1.0) == ""
    assert "columns" in rerun.tolerant_difference(b"a\n1\n", b"b\n1\n", 1.0)
    assert "no rows" in rerun.tolerant_difference(b"a\n1\n", b"a\n", 1.0)
    assert rerun.tolerant_difference(b"a\n", b"a\n", 1.0) == ""
    assert "2 rows instead of 1" in rerun.exact_difference(b"a\n1\n", b"a\n1\n2\n")


def _sample(seed: int, shift: float = 0.0, often: float = 0.5) -> bytes:
    random = np.random.default_rng(seed)
    rows = [
        f"{k},{random.normal() + shift:.6g},{'a' if random.random() < often else 'b'},,true"
        for k in range(100)
    ]
    return ("\n".join(["k,value,method,gap,kept", *rows]) + "\n").encode()


def test_another_sample_of_the_same_distribution_agrees_and_one_of_another_does_not() -> None:
    for seed in range(1, 20):
        assert rerun.distribution_difference(_sample(0), _sample(seed)) == ""
    assert "value is distributed" in rerun.distribution_difference(_sample(0), _sample(1, 1.0))
    assert "method is distributed" in rerun.distribution_difference(
        _sample(0), _sample(1, often=0.95)
    )
    assert "columns" in rerun.distribution_difference(_sample(0), b"a\n1\n")


def test_rows_of_one_replicate_count_once() -> None:
    """Thirty times the same row is no sample of thirty."""

    def rows(value: float) -> bytes:
        lines = [f"{k},{value + k}" for k in range(4) for _ in range(30)]
        return ("\n".join(["replicate,value", *lines]) + "\n").encode()

    assert rerun.distribution_difference(rows(0.0), rows(1.5)) == ""


def test_elsewhere_a_resampled_experiment_is_compared_as_a_sample(finished, monkeypatch) -> None:
    elsewhere = provenance.environment() | {"cpu": "another"}
    monkeypatch.setattr(provenance, "environment", lambda: elsewhere)
    finished.edit(MODULE, "accuracy = 95.0 +", "accuracy = 95.0 + 3e-3 +")
    finished.edit(MODULE, "plan_prune, run_prune)", "plan_prune, run_prune, resampled=True)")
    lines: list[str] = []
    assert problems(finished, lines.append) == []
    assert "by distribution" in lines[0]


def test_the_sample_is_of_the_cheaper_half_and_always_the_same() -> None:
    units = [{"seconds": s, "digest": d} for s, d in [(9, "a"), (1, "d"), (2, "c"), (8, "b")]]
    assert rerun.chosen({"units": units}, 1) == [2]
    assert rerun.chosen({"units": units}, 2) == [2, 1]
    assert rerun.chosen({"units": units}, 9) == [0, 3, 2, 1]
