"""Images agree within a tolerance, everything else to the byte."""

import io

import numpy as np
import pytest
from PIL import Image

from oldschool.report.compare import difference
from oldschool.report.style import METHOD_STYLE, render, report_style, subplots


def drawn(shift: float = 0.0, title: str = "1.50 apples \u2212 a pear", height: float = 2.0):
    with report_style():
        figure, ax = subplots(width=3.0, height=height)
        ax.plot([0, 1, 2], [0, 1.0 + shift, 0], **METHOD_STYLE["obs"])
        ax.imshow(np.eye(2), extent=(0, 1, 0, 1), rasterized=True)
        ax.set(title=title, aspect="auto")
        return render(figure)


@pytest.fixture(scope="module")
def images():
    return drawn()


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_last_digit_may_differ_and_a_drawing_may_not(images, kind: str) -> None:
    assert difference(f"a.{kind}", images[kind], drawn(shift=1e-6)[kind]) == ""
    assert difference(f"a.{kind}", images[kind], drawn(shift=0.2)[kind])
    assert difference(f"a.{kind}", images[kind], drawn(title="1.50 apples \u2212 a pean")[kind])
    assert difference(f"a.{kind}", images[kind], drawn(height=2.1)[kind])


def test_the_differences_that_are_let_pass_are_there(images) -> None:
    near = drawn(shift=1e-6)
    assert near["svg"] != images["svg"] and near["pdf"] != images["pdf"]


def test_sizes_and_unreadable_images_are_told() -> None:
    def png(width: int) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (width, 3)).save(buffer, "PNG")
        return buffer.getvalue()

    assert difference("a.png", png(3), png(4)) == "is 3x3 pixels, the results give 4x3"
    assert difference("a.png", b"no image", png(3)) == "is no readable PNG"


def test_a_text_differs_at_a_line_or_in_length() -> None:
    assert difference("a.csv", b"a\n1\n", b"a\n1\n") == ""
    assert difference("a.csv", b"a\n1\n", b"a\n2\n") == "line 2 is '1', the results give '2'"
    assert difference("a.md", b"a\n", b"a\nb\n") == "has 1 lines, the results give 2"
    long = b"x" * 500
    found = difference("a.html", long + b"1" + long, long + b"2" + long)
    assert "x1x" in found and "x2x" in found and len(found) < 200
