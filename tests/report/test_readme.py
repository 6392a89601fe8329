"""The README: its scoreboard, counts of claims.csv for reports/ alone, and the paths it names."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from oldschool import paths
from oldschool.report.build import build
from oldschool.report.readme import END, START
from oldschool.report.verify import verify

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"(?<![\w/])(?:reports|src|conf|replications|scripts|tests)/[\w./-]*[\w/]")
AROUND = ("# demo\n\n", "\nMore text.\n")


@pytest.fixture
def readme(finished) -> Path:
    file = finished.root / "README.md"
    file.write_text(f"{AROUND[0]}{START}\n{END}{AROUND[1]}")
    return file


def remade(project, out: Path | None = None) -> None:
    build(project.reports, project.load(), out, say=lambda line: None)


def test_the_scoreboard_counts_the_verdicts_of_claims_csv(finished, readme) -> None:
    remade(finished)
    text = readme.read_text()
    assert text.startswith(AROUND[0] + START) and text.endswith(END + AROUND[1])
    head, _, tiny, every = text[len(AROUND[0] + START) : -len(END + AROUND[1])].split("\n")[1:-1]
    with (finished.reports / "claims.csv").open(newline="") as stream:
        counts = Counter(row["verdict"] for row in csv.DictReader(stream))
    words = head.strip("| ").split(" | ")[1:]
    numbers = [int(cell) for cell in tiny.strip("| ").split(" | ")[1:]]
    assert dict(zip(words, numbers, strict=True)) == {**counts, "all": counts.total()}
    assert tiny.startswith("| A tiny surgeon") and every.split(" | ")[1:] == tiny.split(" | ")[1:]
    before = readme.stat().st_mtime_ns
    remade(finished)
    assert readme.stat().st_mtime_ns == before


def test_another_report_folder_leaves_the_readme_alone(finished, readme, tmp_path) -> None:
    before = readme.read_bytes()
    remade(finished, tmp_path / "elsewhere")
    assert readme.read_bytes() == before


def test_a_readme_without_the_marks_stays_as_it_is(finished, readme) -> None:
    readme.write_text("# demo\n")
    remade(finished)
    assert readme.read_text() == "# demo\n"


def test_verify_names_a_scoreboard_of_other_claims(finished, readme) -> None:
    def problems() -> list[str]:
        replications = {each.name: each for each in finished.load()}
        return verify(finished.reports, replications, 0, say=lambda line: None)

    remade(finished)
    assert problems() == []
    readme.write_text(readme.read_text().replace("**all papers**", "**all**"))
    (found,) = problems()
    assert found == ("README.md: its scoreboard is not that of claims.csv: run `make report`")


@pytest.mark.parametrize(
    "file", [ROOT / "README.md", *sorted(ROOT.glob("replications/*/README.md"))], ids=paths.shown
)
def test_paths_that_a_readme_names_are_there(file: Path) -> None:
    named = set(NAMED.findall(file.read_text()))
    assert named
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]
