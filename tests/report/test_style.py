"""One look: fixed styles that read in grey, and the same bytes every time."""

import io
import itertools
import os
import subprocess
import sys

import matplotlib
import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from oldschool.report import DPI
from oldschool.report.sources import code_digest
from oldschool.report.style import (
    DROPOUT_STYLE,
    LEARNER_STYLE,
    METHOD_STYLE,
    bar_style,
    paper_line,
    paper_points,
    render,
    report_style,
    subplots,
)


def draw():
    figure, (left, right) = subplots(1, 2, height=2.5)
    for shift, method in enumerate(METHOD_STYLE):
        left.plot([0, 1, 2], [shift, shift + 1, shift], **METHOD_STYLE[method])
        right.bar(shift, shift + 1, **bar_style(method))
    paper_line(left, 1.5)
    paper_line(right, 2.0, "paper", axis="x")
    paper_points(right, 1, 3)
    left.legend()
    return figure


@pytest.mark.parametrize(
    "styles",
    [METHOD_STYLE, LEARNER_STYLE, DROPOUT_STYLE],
    ids=["methods", "learners", "dropout"],
)
def test_what_is_drawn_together_differs_in_marker_line_and_hatch(styles) -> None:
    for key in ("color", "marker", "linestyle", "label"):
        assert len({str(style[key]) for style in styles.values()}) == len(styles)
    # Hatches are drawn white on colour, so bars need no difference in grey beyond theirs.
    assert len({bar_style(name)["hatch"] for name in styles}) == len(styles)
    assert all(style["linestyle"] != "-." for style in styles.values())  # which is the paper's


# Linear RGB as seen without one kind of cone (Machado, Oliveira & Fernandes 2009, severity 1).
SEEN = {
    "by most": np.eye(3),
    "by protanopes": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "by deuteranopes": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def cielab(color: str, seen: str = "by most") -> np.ndarray:
    """L*, a*, b* of an sRGB colour under D65."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SEEN[seen] @ linear, 0, 1) / TO_XYZ.sum(1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_colour_distances_are_those_of_the_textbook() -> None:
    assert np.allclose(cielab("white"), [100, 0, 0], atol=1e-3)
    assert np.allclose(cielab("#FF0000"), [53.24, 80.09, 67.20], atol=0.02)
    green, red = cielab("#00A000", "by deuteranopes"), cielab("#B05000", "by deuteranopes")
    assert np.linalg.norm(green - red) < np.linalg.norm(cielab("#00A000") - cielab("#B05000")) / 2


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize(
    "styles",
    [METHOD_STYLE, LEARNER_STYLE, DROPOUT_STYLE],
    ids=["methods", "learners", "dropout"],
)
def test_colours_drawn_together_are_told_apart(styles, seen: str) -> None:
    for one, other in itertools.combinations(styles.values(), 2):
        apart = np.linalg.norm(cielab(one["color"], seen) - cielab(other["color"], seen))
        assert apart > 4 * 2.3  # 2.3 is just noticeable


def test_the_three_methods_differ_in_grey() -> None:
    grey = [cielab(METHOD_STYLE[method]["color"])[0] for method in ("magnitude", "obd", "obs")]
    assert grey[0] > grey[1] + 10 and grey[1] > grey[2] + 10


def test_the_colours_are_fixed() -> None:
    """Whoever has seen one figure can read the next: a change breaks that with every print."""
    assert {name: style["color"] for name, style in METHOD_STYLE.items()} == {
        "magnitude": "#E69F00",
        "obd": "#009E73",
        "obs": "#0072B2",
        "random": "#7F7F7F",
    }
    assert LEARNER_STYLE["cascor"]["color"] == "#D55E00"
    assert DROPOUT_STYLE["dropout"]["color"] == "#009E73"


def test_the_style_sheet_is_to_be_had_by_name_and_is_the_report_s() -> None:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.style.use("oldschool.report.oldschool")
        by_name = dict(matplotlib.rcParams)
    with report_style():
        assert dict(matplotlib.rcParams) == by_name
    assert by_name["savefig.dpi"] == DPI and by_name["svg.hashsalt"] == "oldschool"


def test_a_figure_is_redrawn_when_the_style_sheet_changes(tmp_path) -> None:
    sheet = tmp_path / "oldschool.mplstyle"
    digests = set()
    for text in ("font.size: 8", "font.size: 9"):
        sheet.write_text(text)
        digests.add(code_digest(draw, "oldschool.report.style", files=[sheet]))
    assert len(digests) == 2


def test_the_papers_value_is_black_dash_dotted_and_says_its_number() -> None:
    with report_style():
        _, ax = subplots()
        level = paper_line(ax, 14)
        upright = paper_line(ax, 93.4, "Table 1", axis="x")
        stars = paper_points(ax, [1, 2], [3, 4])
    assert level.get_label() == "paper: 14" and upright.get_label() == "Table 1"
    assert list(level.get_ydata()) == [14, 14] and list(upright.get_xdata()) == [93.4, 93.4]
    for line in (level, upright):
        assert (line.get_color(), line.get_linestyle()) == ("black", "-.")
    assert all(style["linestyle"] != "-." for style in METHOD_STYLE.values())
    assert (stars.get_color(), stars.get_marker()) == ("black", "*")
    assert all(style["marker"] != "*" for style in METHOD_STYLE.values())


def test_nobodys_matplotlibrc_shows() -> None:
    theirs_rc = {"font.size": 30, "lines.linewidth": 9, "figure.dpi": 31}
    with matplotlib.rc_context(theirs_rc), report_style():
        theirs = render(draw())
    with report_style():
        assert render(draw()) == theirs


SCRIPT = """
import hashlib, json
from tests.report.test_style import draw
from oldschool.report.style import render, report_style
with report_style():
    images = render(draw())
print(json.dumps({kind: hashlib.sha256(image).hexdigest() for kind, image in images.items()}))
"""


def test_two_processes_give_the_same_bytes() -> None:
    def run(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip

    assert run("1") == run("2")


def test_files_hold_no_date_and_no_name_of_software() -> None:
    with report_style():
        images = render(draw())
    assert b"<dc:date>" not in images["svg"] and b"CreationDate" not in images["pdf"]
    assert Image.open(io.BytesIO(images["png"])).info.keys() <= {"dpi"}
    assert Image.open(io.BytesIO(images["png"])).size == (1400, 500)


@pytest.mark.parametrize("axis", ["z", ""])
def test_an_unknown_axis_is_refused(axis: str) -> None:
    with report_style():
        _, ax = subplots()
        with pytest.raises(KeyError):
            paper_line(ax, 1, axis=axis)
