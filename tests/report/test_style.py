"""One look: fixed styles that read in grey, and the same bytes every time."""

import io
import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

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


def test_methods_differ_in_grey() -> None:
    assert list(METHOD_STYLE) == ["magnitude", "obd", "obs", "random"]
    grey = sorted(
        np.dot(to_rgb(s["color"]), [0.2126, 0.7152, 0.0722]) for s in METHOD_STYLE.values()
    )
    assert grey[0] < 0.45 and grey[-1] > 0.6


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
