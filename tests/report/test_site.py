"""The pages of a report: whole, linked, and with everything that gives a number again."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from oldschool.claims.claim import Claim
from oldschool.claims.estimate import Estimate
from oldschool.errors import ConfigError
from oldschool.report.build import build
from oldschool.report.site import notes
from oldschool.report.site.claim import _line

MODULE = "replications/demo2001_tiny/__init__.py"
README = "replications/demo2001_tiny/README.md"


def made(project) -> None:
    build(project.reports, project.load(), say=lambda line: None)


class Page(HTMLParser):
    """Ids, links, images and headings of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str]] = []
        self.levels: list[int] = []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs) -> None:
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        self.links += [values[key] for key in ("href", "src") if key in values]
        if tag == "img":
            self.images.append(values)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))


def pages(reports: Path) -> dict[str, Page]:
    return {
        file.relative_to(reports).as_posix(): Page(file) for file in sorted(reports.rglob("*.html"))
    }


def text_of(project, name: str) -> str:
    """A page's text without tags, blanks made one."""
    text = re.sub(r"<[^>]*>", "", (project.reports / name).read_text())
    return " ".join(text.split())


def test_every_link_of_every_page_leads_somewhere(finished) -> None:
    found = pages(finished.reports)
    assert {"index.html", "gallery.html", "papers/tiny.html", "claims/tiny.tape.html"} <= set(found)
    for name, page in found.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            assert not re.match("https?:|//", link), (name, link)
            path, _, fragment = link.partition("#")
            if link.startswith("data:"):
                continue
            target = (page.file.parent / path).resolve() if path else page.file
            assert target.is_file(), (name, link)
            if fragment and "=" not in fragment and target.suffix == ".html":
                assert unquote(fragment) in Page(target).ids, (name, link)


def test_images_have_sizes_and_words_and_headings_follow_each_other(finished) -> None:
    for name, page in pages(finished.reports).items():
        assert page.levels[0] == 1 and page.levels.count(1) == 1, name
        steps = zip(page.levels, page.levels[1:], strict=False)
        assert all(later <= earlier + 1 for earlier, later in steps), name
        for image in page.images:
            png = Image.open(page.file.parent / image["src"].replace(".svg", ".png"))
            assert float(image["width"]) == pytest.approx(png.width * 96 / 200, abs=1)
            assert float(image["height"]) == pytest.approx(png.height * 96 / 200, abs=1)
            assert image["alt"]


def test_the_gallery_has_every_figure_and_the_scoreboard_none(finished) -> None:
    found = pages(finished.reports)
    assert [image["src"] for image in found["gallery.html"].images] == [
        "figures/tiny/weights_left.png",
        "figures/tiny/operations.png",
    ]
    assert found["index.html"].images == []


def test_a_figure_stands_beside_what_is_known_of_the_original(finished) -> None:
    text = text_of(finished, "papers/tiny.html")
    assert "In the paperTable 1 gives one net: 14 weights left by the surgeon." in text
    assert "In the paperNo counterpart in the paper." in text


def test_what_varies_open_settings_stands_under_sensitivity(project) -> None:
    project.run()
    made(project)
    assert 'id="sensitivity"' not in (project.reports / "papers/tiny.html").read_text()
    project.edit(
        MODULE, '"A rising curve through five points.",', '"A rising curve.", sensitivity=True,'
    )
    made(project)
    text = (project.reports / "papers/tiny.html").read_text()
    parts = [text.index(f'id="{name}"') for name in (
        "figures", "figure-weights_left", "tables", "sensitivity", "figure-operations",
    )]  # fmt: skip
    assert parts == sorted(parts)


def test_a_claim_has_both_numbers_the_rule_and_its_reason(finished) -> None:
    text = text_of(finished, "claims/tiny.weights.html")
    assert "In the paper 14 weights Table 1, row 1. N. Obody and A. Lso" in text
    assert "Note: the text says 15." in text
    assert "14 weights [14, 14] In brackets the 90&nbsp;% interval. n = 120" in text
    assert "accepted is between 12.5 and 15.5 weights, judged from profile default on" in text
    assert "margin1 weights, and 0.5 for the rounding of the printed number" in text
    assert "becauseone weight, the finest step there is" in text
    assert "no effect at50:" in text_of(finished, "claims/tiny.accuracy.html")


def test_a_claim_has_all_that_gives_its_number_again(finished) -> None:
    file = finished.reports / "results/tiny/prune.manifest.json"
    manifest = json.loads(file.read_text())
    manifest["data"] = {"brains": "ab" * 32}
    manifest["settings"]["nets"]["spread"] = 2.5
    manifest["environments"][0] |= {"commit": "cd" * 20, "dirty": True, "gpu": "a great one"}
    file.write_text(json.dumps(manifest))
    made(finished)
    text = text_of(finished, "claims/tiny.weights.html")
    for said in (
        "make replicate-tiny",
        "make cite CLAIM=tiny.weights",
        "replications/demo2001_tiny/__init__.py",
        "The estimate reads pruned.",
        f"pruned (360 rows, sha256 {manifest['frames']['pruned']['sha256']})",
        "4 blocks with 120 replicates in all, 0 failed",
        "base seed 0; each random stream",
        "beside the defaults of the code: nets.spread=2.5 all 2 settings",
        f"brains: sha256 {'ab' * 32}",
        f"{'cd' * 5} + changes",
        "a great one, ",
        "results/tiny/prune.manifest.json",
    ):
        assert said in text, said
    page = pages(finished.reports)["claims/tiny.weights.html"]
    assert {"../results/tiny/pruned.csv", "../papers/tiny.html#table-weights_left"} <= set(
        page.links
    )
    assert [image["src"] for image in page.images] == ["../figures/tiny/weights_left.png"]
    text = page.file.read_text()
    assert text.count('rel="prev" href="../claims/tiny.start.html"') == 2
    assert text.count('rel="next" href="../claims/tiny.accuracy.html"') == 2


def test_a_claim_without_rows_says_whether_there_is_a_number(finished) -> None:
    computed, lost = (text_of(finished, f"claims/tiny.{name}.html") for name in ("start", "tape"))
    assert "No rows: the number is computed, not measured." in computed
    assert "No rows: there is no number." in lost
    assert "No command gives this number: the tape is lost." in lost


def test_a_number_that_is_not_judged_says_so_wherever_it_stands(finished) -> None:
    said = {"index.html": 1, "papers/tiny.html": 1, "claims/tiny.weights.html": 0}
    for page, times in said.items():
        text = (finished.reports / page).read_text()
        assert text.count("not judged: profile default") == times, page
        assert "Not judged and not to be cited" not in text
    assert (
        "Not judged and not to be cited"
        in (finished.reports / "claims/tiny.exponent.html").read_text()
    )


def test_a_claim_never_run_names_the_experiment(project) -> None:
    project.run("cost")
    made(project)
    assert "Never run: prune." in text_of(project, "claims/tiny.weights.html")


@pytest.mark.parametrize(
    ("name", "paper", "said"),
    [
        (
            "weights",
            True,
            "ours 14 [14, 14], accepted between 12.5 and 15.5, the paper's value 14.",
        ),
        ("order", False, "accepted &gt; 0."),
    ],
)
def test_the_line_of_numbers_has_a_star_where_the_paper_has_a_number(
    finished, name: str, paper: bool, said: str
) -> None:
    text = (finished.reports / f"claims/tiny.{name}.html").read_text()
    line = text[text.index("<svg") : text.index("</svg>")]
    assert ('class="star"' in line) == paper
    assert said in line.replace("&#39;", "'")
    places = [float(place) for place in re.findall(r' (?:x|x1|x2|cx)="([\d.]+)"', line)]
    assert all(20 <= place <= 380 for place in places)


def test_the_texts_of_two_near_edges_run_apart() -> None:
    judged = Estimate(10.0, 0.0, 20.0, 5)
    claim = Claim("a.b", "Table 1", "weights", "equivalence", 10.0, "default", margin=1.0)
    anchors = [edge["anchor"] for edge in _line(claim, judged)["edges"]]
    assert anchors == ["end", "start"]
    wide = replace(claim, margin=9.0)
    assert [edge["anchor"] for edge in _line(wide, judged)["edges"]] == ["middle", "middle"]
    exactly = replace(claim, margin=None, region=(10.0, 10.0))
    assert [edge["text"] for edge in _line(exactly, judged)["edges"]] == ["10"]


def test_sections_of_the_readme_stand_on_the_paper_s_page(finished) -> None:
    text = (finished.reports / "papers/tiny.html").read_text()
    assert '<h2 id="notes-open-questions">Open questions</h2>' in text
    assert '<h2 id="notes-deviations-all-two">Deviations, all two</h2>' in text
    assert "how tiny &lt;they&gt; are" in text
    folder = "../../replications/demo2001_tiny"
    assert f'<a href="{folder}/figures.py#L1">the figures</a>' in text
    assert f'<a href="{folder}/claims.yaml">' in text
    assert '<a href="#notes-deviations-all-two">the deviations</a>' in text


def test_a_readme_without_sections_is_one(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Just a word.\n")
    (section,) = notes.sections(tmp_path, tmp_path)
    assert (section.title, section.html) == (
        "About this replication",
        "<p>Just a word.</p>\n",
    )
    (tmp_path / "README.md").write_text("# Title\n\n## First\n\nOne.\n\n## Second\n\nTwo.\n")
    assert [one.title for one in notes.sections(tmp_path, tmp_path)] == ["First", "Second"]


def test_a_replication_without_a_readme_is_named(project) -> None:
    (project.root / README).unlink()
    with pytest.raises(ConfigError, match=r"replications/demo2001_tiny/README\.md: cannot be read"):
        made(project)


def test_the_page_of_a_claim_that_is_no_more_is_removed(finished) -> None:
    stray = finished.reports / "claims/tiny.gone.html"
    stray.write_text("gone")
    lines: list[str] = []
    build(finished.reports, finished.load(), say=lines.append)
    assert not stray.exists()
    assert lines[-1] == "claims/tiny.gone.html: removed (no longer made)"


STYLE = Path(notes.__file__).parent / "templates/site.css"


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_ground_as_wcag_asks_in_light_and_dark() -> None:
    schemes = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.DOTALL)[:2]
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", scheme))
        for ink in ("text", "quiet", "link", "good", "part", "bad", "open", "none"):
            for ground in ("ground", "raised"):
                dark, light = sorted(_luminance(colours[name]) for name in (ink, ground))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)
