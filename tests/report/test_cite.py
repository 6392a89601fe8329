"""Citing a claim: macros, bibliography, sentences, and a paper that uses them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import oldschool
from oldschool.claims.assess import assess
from oldschool.claims.claim import load_claims
from oldschool.claims.estimate import exact
from oldschool.cli import main
from oldschool.errors import ConfigError, DataError
from oldschool.report.build import build
from oldschool.report.cite import bibliography, latex
from oldschool.report.cite.citation import Citation, cited
from oldschool.report.inputs import Inputs, read
from oldschool.runs import registry

ROOT = Path(__file__).parents[2]
PAPER = Path(__file__).parent / "paper.tex"
CLAIMS = "replications/demo2001_tiny/claims.yaml"
MODULE = "replications/demo2001_tiny/__init__.py"

needs_latex = pytest.mark.skipif(
    not shutil.which("pdflatex") or not shutil.which("bibtex"), reason="TeX Live is not installed"
)


def citations(project) -> dict[str, Citation]:
    (replication,) = project.load()
    inputs = read(project.reports, replication)
    return {judged.claim.id: cited(inputs, judged) for judged in inputs.judged}


def built(project) -> Path:
    build(project.reports, project.load(), say=lambda line: None)
    return project.reports / "cite"


def said(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["cite", *words])
    out, err = capsys.readouterr()
    return code, out, err


# --- what is written -------------------------------------------------------------------------


def test_every_claim_has_its_macros_and_entries_in_order(finished) -> None:
    ids = re.findall(r"^- id: (.*)$", (finished.root / CLAIMS).read_text(), re.MULTILINE)
    folder = finished.reports / "cite"
    macros = (folder / "results.tex").read_text()
    assert re.findall(r"^\\oldschoolclaim\{(.*?)\}", macros, re.MULTILINE) == ids
    entries = re.findall(r"^@\w+\{(.*),$", (folder / "references.bib").read_text(), re.MULTILINE)
    assert entries == ["oldschool", "demo2001_tiny", *(f"oldschool:{one}" for one in ids)]
    assert list(json.loads((folder / "citations.json").read_text())) == ids
    assert (folder / "tables/tiny.tex").read_text().count(" \\\\\n") == len(ids) + 3


def test_the_numbers_are_those_of_the_page(finished) -> None:
    macros = (finished.reports / "cite/results.tex").read_text()
    assert (
        r"\oldschoolclaim{tiny.weights}{oldschoolTinyWeights}{14}{[14, 14]}{120}{14}{weights}"
        "{reproduced}\n" in macros
    )
    for name in ("tape", "exponent"):  # without a number, and with one that is not judged
        assert rf"{{\oldschoolnotrun{{tiny.{name}}}{{value}}}}" in macros
    page = (finished.reports / "index.html").read_text()
    record = json.loads((finished.reports / "cite/citations.json").read_text())
    accuracy = record["tiny.accuracy"]
    assert f"{accuracy['value']} %" in page and accuracy["interval"] in page


def test_sentences(finished) -> None:
    found = citations(finished)
    assert found["tiny.weights"].sentence() == (
        "median of the weights left by OBS: 14 weights (90 % interval [14, 14], n = 120), where "
        "the paper reports 14 weights (Table 1, row 1): reproduced."
    )
    assert found["tiny.start"].sentence() == (
        "weights at the start: 58 weights, where the paper reports 58 weights (Table 1): "
        "reproduced."
    )
    assert found["tiny.tape"].sentence() == (
        "error on the tape of 1987: not run (the tape is lost), where the paper reports 0.012 RMS "
        "(Table 2)."
    )
    assert found["tiny.exponent"].sentence() == (
        "exponent of the cost in n: not run (not judged: this claim needs profile paper, these "
        "rows are of profile default), where the paper reports 2 (eq. 9)."
    )
    assert ', where the paper reports "OBS < OBD" (abstract): ' in found["tiny.order"].sentence()


def test_a_number_of_smaller_nets_is_told_with_their_size(finished) -> None:
    size = "nets of 3 units"
    scales = (
        f'scales={{"prune": {{"default": "{size}", "paper": "no"}}, "cost": {{"paper": "no"}}}},'
    )
    finished.edit(MODULE, "    estimates={", f"    {scales}\n    estimates={{")
    folder = built(finished)
    found = citations(finished)
    assert (
        f"(90 % interval [14, 14], n = 120; with {size}), where" in found["tiny.weights"].sentence()
    )
    assert size not in found["tiny.start"].sentence()  # which reads no rows
    assert found["tiny.exponent"].scale == ""
    page = (folder.parent / "claims/tiny.weights.html").read_text()
    assert f"rows of profile default: {size}." in page
    page = (folder.parent / "papers/tiny.html").read_text()
    assert f'<li><a href="#run-prune">prune</a>: {size}</li>' in page
    assert 'run-cost">cost</a>:' not in page
    assert f"note = {{reproduced with {size}; commit" in (folder / "references.bib").read_text()
    record = json.loads((folder / "citations.json").read_text())
    assert (record["tiny.weights"]["scale"], record["tiny.start"]["scale"]) == (size, "")


def test_the_size_of_nets_is_not_told_of_other_settings_than_the_declared(finished) -> None:
    scales = 'scales={"prune": {"default": "nets of 3 units"}},'
    finished.edit(MODULE, "    estimates={", f"    {scales}\n    estimates={{")
    assert citations(finished)["tiny.weights"].scale == "nets of 3 units"
    file = finished.reports / "results/tiny/prune.manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"what_if": {"prune.nets": 3}}))
    assert citations(finished)["tiny.weights"].scale == ""
    built(finished)
    assert "nets of 3 units" not in (finished.reports / "papers/tiny.html").read_text()


def test_a_number_that_is_not_judged_has_the_command_of_one_that_is(finished, capsys) -> None:
    built(finished)
    found = citations(finished)
    assert found["tiny.exponent"].command == "make replicate-tiny PROFILE=paper"
    assert found["tiny.weights"].command == "make replicate-tiny"
    assert found["tiny.tape"].command == ""
    assert "% The command that gives one to judge\n" in said(capsys, "tiny.exponent")[1]
    assert "% The command that gives the number again\n" in said(capsys, "tiny.weights")[1]


def test_the_sentence_of_a_test_has_its_p(finished) -> None:
    one = citations(finished)["tiny.weights"]
    claim = replace(one.judged.claim, unit="p")
    judged = replace(one.judged, claim=claim, result=exact(0.25, 120))
    found = replace(one, judged=judged)
    assert ": p = 0.250 (n = 120), where the paper " in found.sentence()
    assert found.record()["interval"] == ""


def test_what_we_added_is_not_put_into_the_papers_mouth(finished) -> None:
    finished.edit(CLAIMS, "where: abstract\n  what: OBD", "where: not in the paper\n  what: OBD")
    sentence = citations(finished)["tiny.order"].sentence()
    assert ', where we expected "OBS < OBD" (not in the paper): reproduced.' in sentence


def test_a_digest_changes_with_the_rows_or_the_definition_behind_it_and_no_other(finished) -> None:
    def digests() -> dict[str, str]:
        return {name: one.digest for name, one in citations(finished).items()}

    def changed() -> set[str]:
        return {name for name, digest in digests().items() if digest != before[name]}

    before = digests()
    assert len(set(before.values())) == len(before)
    finished.edit(CLAIMS, "margin: 2\n", "margin: 3\n")
    assert changed() == {"tiny.gain"}
    finished.edit(CLAIMS, "margin: 3\n", "margin: 2\n")
    finished.edit(MODULE, "sizes**2", "sizes**2 + 1")
    finished.edit(MODULE, '"cost", 1', '"cost", 2')
    finished.run("cost")
    assert changed() == {"tiny.exponent"}


def test_a_citation_names_the_commits_of_the_experiments_behind_it_only(finished) -> None:
    for experiment, commit, dirty in (("prune", "a" * 40, True), ("cost", "b" * 40, False)):
        file = finished.reports / f"results/tiny/{experiment}.manifest.json"
        manifest = json.loads(file.read_text())
        for environment in manifest["environments"]:
            environment |= {"commit": commit, "dirty": dirty}
        file.write_text(json.dumps(manifest))
    found = citations(finished)
    assert found["tiny.weights"].commits == (f"{'a' * 10} + changes",)
    assert found["tiny.exponent"].commits == ("b" * 10,)
    assert found["tiny.start"].commits == ()
    references = (built(finished) / "references.bib").read_text()
    assert f"{{not run; commit {'b' * 10}; digest {found['tiny.exponent'].digest}}}" in references
    assert f"{{reproduced; no rows; digest {found['tiny.start'].digest}}}" in references


def test_a_paper_is_cited_from_the_citation_file_else_by_its_own_line(finished) -> None:
    assert (
        "@inproceedings{demo2001_tiny,\n"
        "  author = {Obody, N. and Lso, A.},\n"
        "  title = {{A tiny surgeon for tiny brains}},\n"
        "  booktitle = {Proc. Nowhere},\n"
        "  volume = {1},\n"
        "  year = {2001},\n"
        "  doi = {10.1000/tiny_brains},\n"
        "  pages = {1--2},\n"
        "}\n\n"
    ) in (finished.reports / "cite/references.bib").read_text()
    assert r"author = {{Nobody \& Sons}}" in (finished.reports / "cite/references.bib").read_text()
    finished.edit("CITATION.cff", "A tiny surgeon for", "A large surgeon for")
    assert (
        "@misc{demo2001_tiny,\n"
        "  title = {{A tiny surgeon for tiny brains}},\n"
        "  howpublished = {N. Obody and A. Lso, Proc. Nowhere 1 (2001) 1-2},\n"
        "}\n\n"
    ) in (built(finished) / "references.bib").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: \"A project of one tiny paper\"", "", r"CITATION\.cff: the file has no title"),
        ("    title: A tiny surgeon for tiny brains\n", "", "reference 1 has no title"),
        ("version: 0.1", "version: [", r"CITATION\.cff: while parsing"),
    ],
)  # fmt: skip
def test_what_the_citation_file_lacks_is_named(finished, old, new, message) -> None:
    finished.edit("CITATION.cff", old, new)
    with pytest.raises(DataError, match=message) as hit:
        built(finished)
    assert "\n" not in str(hit.value)


def test_a_missing_citation_file_is_named(finished) -> None:
    (finished.root / "CITATION.cff").unlink()
    with pytest.raises(DataError, match=r"CITATION\.cff: cannot be read"):
        built(finished)


def test_ids_that_would_share_a_macro_are_named(finished) -> None:
    finished.edit(CLAIMS, "id: tiny.tape", "id: tiny_start")
    with pytest.raises(ConfigError, match=r"tiny\.start and tiny_start both have .*TinyStartValue"):
        built(finished)


# --- make cite -------------------------------------------------------------------------------


def test_cite_prints_sentence_macros_bibtex_and_command(finished, capsys) -> None:
    code, out, err = said(capsys, "tiny.weights")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == citations(finished)["tiny.weights"].sentence()
    assert r"\oldschool{tiny.weights}{value}  or  \oldschoolTinyWeightsValue  % 14" in lines
    assert r"\oldschool{tiny.weights}{n}  or  \oldschoolTinyWeightsN  % 120" in lines
    assert "@misc{oldschool:tiny.weights," in lines and "@inproceedings{demo2001_tiny," in lines
    assert lines[-1] == "make replicate-tiny"


def test_cite_of_what_was_not_run_says_so(finished, capsys) -> None:
    code, out, _ = said(capsys, "tiny.tape")
    assert code == 0
    assert r"\oldschool{tiny.tape}{verdict}  % not run: no number" in out
    assert out.splitlines()[-1].startswith("none: ")


def test_some_parts_of_an_id_stand_for_all_that_have_them(finished, capsys) -> None:
    finished.edit(CLAIMS, "id: tiny.tape", "id: tiny.tape.first.error")
    built(finished)
    code, out, _ = said(capsys, "tiny.error")
    assert code == 0 and out.count("@misc{oldschool:") == 1
    code, out, _ = said(capsys, "tiny")
    assert code == 0 and out.count("@misc{oldschool:") == 9


@pytest.mark.parametrize("name", ["tiny.weight", "error.tiny", "x"])
def test_an_unknown_claim_is_one_line_with_the_nearest(finished, capsys, name: str) -> None:
    code, out, err = said(capsys, name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"no claim '{name}'; the nearest are tiny." in err


def test_the_nearest_claim_comes_first(finished, capsys) -> None:
    assert "the nearest are tiny.weights, " in said(capsys, "tiny.wieghts")[2]


@pytest.mark.parametrize("words", [[], [""]])
def test_without_a_claim_it_says_how(finished, capsys, words: list[str]) -> None:
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert "make cite CLAIM=<id>, ids are in the first column of reports/claims.csv" in err


def test_a_report_that_lacks_the_files_or_has_them_damaged_is_one_line(finished, capsys) -> None:
    file = finished.reports / "cite/citations.json"
    for text in ("{", "[1]", '{"tiny.weights": {}}'):
        file.write_text(text)
        code, _, err = said(capsys, "tiny.weights")
        assert (code, err) == (1, "error: reports/cite is damaged: run `make report`\n")
    file.unlink()
    code, _, err = said(capsys, "tiny.weights")
    assert (code, err) == (1, "error: reports/cite is not complete: run `make report`\n")


def test_cite_loads_nothing_slow(finished) -> None:
    code = (
        "import sys; from oldschool.cli import main; assert main(['cite', 'tiny.weights']) == 0; "
        "sys.exit(', '.join({'torch', 'pandas', 'scipy', 'numpy'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# --- LaTeX -----------------------------------------------------------------------------------


def compiled(folder: Path, passes: int = 3) -> tuple[int, str]:
    """Exit code and log of the paper in ``folder``."""
    latex_command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    commands = [latex_command, ["bibtex", "paper"], *[latex_command] * (passes - 1)]
    for command in commands[: passes + 1 if passes > 1 else 1]:
        done = subprocess.run(command, cwd=folder, capture_output=True)
        if done.returncode:
            break
    return done.returncode, (folder / "paper.log").read_text(errors="replace").replace("\n", "")


@pytest.fixture
def desk(finished, tmp_path: Path) -> Path:
    """A folder with the paper and what it cites."""
    folder = tmp_path / "desk"
    shutil.copytree(finished.reports / "cite", folder / "cite")
    shutil.copy(PAPER, folder)
    return folder


@needs_latex
def test_a_paper_compiles_with_the_numbers_in_it(desk: Path) -> None:
    code, log = compiled(desk)
    assert code == 0, log
    assert "weights: 14" in log
    assert "undefined" not in log
    bibtex = (desk / "paper.blg").read_text()
    assert "Warning" not in bibtex and "error message" not in bibtex
    if shutil.which("pdftotext"):
        command = ["pdftotext", "-layout", "paper.pdf", "-"]
        pdf = subprocess.run(command, cwd=desk, capture_output=True, text=True, check=True).stdout
        words = " ".join(pdf.split())
        assert "OBS leaves 14 weights (90 % interval [14, 14], n = 120)" in words
        assert "The tape was not run; it had 0.012 RMS" in words
        assert "Nobody & Sons" in words and "tiny.gain" in words


@needs_latex
@pytest.mark.parametrize(
    ("line", "error"),
    [
        (r"\oldschool{tiny.weight}{value}", "No claim `tiny.weight'"),
        (r"\oldschool{tiny.weights}{mean}", "No key `mean' of a claim"),
        (r"\oldschool{tiny.tape}{value}", "Claim `tiny.tape' was not run: it has no value"),
        (r"\oldschoolTinyTapeInterval", "Claim `tiny.tape' was not run: it has no interval"),
        (r"\oldschoolTinyWeightValue", "Undefined control sequence"),
    ],
)
def test_what_does_not_exist_stops_the_compiler(desk: Path, line: str, error: str) -> None:
    text = (desk / "paper.tex").read_text()
    (desk / "paper.tex").write_text(text.replace("% one more line, if the test has one", line))
    code, log = compiled(desk, passes=1)
    assert code != 0
    assert error in log


@needs_latex
def test_ids_with_underscores_work_where_these_are_active(desk: Path) -> None:
    text = (desk / "paper.tex").read_text()
    text = text.replace(
        r"\input{cite/results}", "\\input{cite/results}\n\\catcode`\\_=13 \\def_{x}"
    )
    macros = (desk / "cite/results.tex").read_text().replace("{tiny.weights}", "{tiny_weights}")
    (desk / "cite/results.tex").write_text(macros)
    (desk / "paper.tex").write_text(text.replace("{tiny.weights}", "{tiny_weights}"))
    code, log = compiled(desk, passes=1)
    assert code == 0, log
    assert "weights: 14" in log


@needs_latex
def test_the_words_of_all_papers_compile(tmp_path: Path) -> None:
    read_in = []
    for replication in registry.replications().values():
        judged = assess(replication, load_claims(replication.folder), {}, {})
        read_in.append(Inputs(replication, {}, {}, {}, tuple(judged)))
    everything = [cited(inputs, judged) for inputs in read_in for judged in inputs.judged]
    assert len(everything) > 250
    folder = tmp_path / "cite"
    folder.mkdir()
    (folder / "results.tex").write_text(latex.macros(everything))
    project = bibliography.load(ROOT / "CITATION.cff")
    papers = [inputs.replication for inputs in read_in]
    (folder / "references.bib").write_text(bibliography.render(project, papers, everything))
    lines = [r"\documentclass{article}", r"\usepackage{array,booktabs,longtable}"]
    lines += [r"\input{cite/results}", r"\begin{document}", r"\nocite{*}"]
    for inputs in read_in:
        name = inputs.replication.name
        (folder / f"{name}.tex").write_text(latex.scoreboard(inputs.judged))
        lines.append(rf"\input{{cite/{name}}}")
    for one in everything:
        keys = ("paper", "unit", "verdict")
        lines.append(" ".join(rf"\oldschool{{{one.id}}}{{{key}}}" for key in keys) + r"\par")
    lines += [r"\bibliographystyle{plain}", r"\bibliography{cite/references}", r"\end{document}"]
    (tmp_path / "paper.tex").write_text("\n".join(lines))
    code, log = compiled(tmp_path, passes=2)
    assert code == 0, log[-2000:]
    assert "Warning" not in (tmp_path / "paper.blg").read_text()


# --- CITATION.cff ----------------------------------------------------------------------------

# Of https://citation-file-format.github.io/1.2.0/schema: what is required, and the types of the
# keys that this file has.
REQUIRED = {"authors", "cff-version", "message", "title"}
REQUIRED_OF_REFERENCE = {"authors", "title", "type"}
TEXT, NUMBER = (str,), (str, int)
KEYS = {
    "cff-version": TEXT,
    "message": TEXT,
    "title": TEXT,
    "type": TEXT,
    "authors": (list,),
    "version": (str, int, float),
    "date-released": TEXT,
    "license": TEXT,
    "keywords": (list,),
    "references": (list,),
}
KEYS_OF_REFERENCE = {
    "type": TEXT,
    "title": TEXT,
    "authors": (list,),
    "collection-title": TEXT,
    "conference": (dict,),
    "journal": TEXT,
    "volume": NUMBER,
    "year": NUMBER,
    "start": NUMBER,
    "end": NUMBER,
    "notes": TEXT,
}
PERSON = {"family-names", "given-names"}


def check(work: dict, required: set[str], types: dict[str, tuple[type, ...]]) -> None:
    assert required <= set(work) <= set(types), set(work) ^ required
    for key, value in work.items():
        assert isinstance(value, types[key]) and value, key
    assert all(set(author) in (PERSON, {"name"}) for author in work["authors"])
    assert all(isinstance(text, str) and text for one in work["authors"] for text in one.values())


def test_the_citation_file_is_valid_and_has_the_papers() -> None:
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    check(content, REQUIRED, KEYS)
    assert content["cff-version"] == "1.2.0"
    assert content["type"] in ("software", "dataset")
    assert content["license"] == "MIT"
    assert content["version"] == oldschool.__version__
    year = content["date-released"][:4]
    assert f"  year = {{{year}}},\n" in bibliography.render(content, [], [])
    assert len(set(content["keywords"])) == len(content["keywords"])
    for reference in content["references"]:
        check(reference, REQUIRED_OF_REFERENCE, KEYS_OF_REFERENCE)
        assert reference["type"] in ("article", "conference-paper")
        assert set(reference.get("conference", {"name": ""})) == {"name"}
        assert reference["start"] < reference["end"]
    titles = {reference["title"].casefold() for reference in content["references"]}
    papers = registry.replications().values()
    assert titles == {replication.title.casefold() for replication in papers}
    for replication in papers:
        pages = {f"{one['start']}-{one['end']}" for one in content["references"]}
        assert any(page in replication.citation for page in pages), replication.citation
