"""The bars of a terminal: one an experiment, whole lines, gone at the end."""

from __future__ import annotations

import io
import re

import pytest
import rich.progress
from rich.console import Console

from oldschool.runs.progress import Display


@pytest.fixture(params=[80, 100])
def console(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A terminal of so many columns."""
    console = Console(
        width=request.param, file=io.StringIO(), force_terminal=True, color_system=None
    )
    monkeypatch.setattr(rich.progress, "get_console", lambda: console)
    return console


@pytest.fixture
def display() -> Display:
    display = Display()
    display.is_live = True
    return display


def drawn(console: Console, display: Display) -> list[str]:
    """The lines of the bars as they are now."""
    console.file = file = io.StringIO()
    assert display._live is not None
    display._live.refresh()
    return [line for line in file.getvalue().splitlines() if " left " in line]


def test_a_bar_stays_whole_where_the_names_of_units_do_not_fit(
    console: Console, display: Display
) -> None:
    with display:
        bar = display.bar("toy/a_rather_long_name", 40)
        for start in range(0, 150, 50):
            bar.start(f"draw[name=a,method=magnitude] {start}-{start + 49}")
        bar.finish("draw[name=a,method=magnitude] 0-49")
        (line,) = drawn(console, display)
    assert re.search(
        r"toy/a_rather_long_name .* 1/40 0:00:0\d left [-\d]:[-\d]{2}:[-\d]{2} draw\[name.*\u2026",
        line,
    )


def test_bars_of_two_experiments_stand_below_one_another_until_they_are_over(
    console: Console, display: Display, capsys: pytest.CaptureFixture[str]
) -> None:
    with display:
        first, second = display.bar("toy/draw", 2), display.bar("toy/fit", 5)
        first.start("draw[name=a] 0-2")
        second.start("fit[name=a] 0-2")
        upper, lower = drawn(console, display)
        assert re.search(r"toy/draw .* 0/2 .* draw\[name=a\] 0-2", upper)
        assert re.search(r"toy/fit .* 0/5 .* fit\[name=a\] 0-2", lower)
        first.finish("draw[name=a] 0-2")
        first.close()
        (line,) = drawn(console, display)
        assert "toy/fit" in line
        console.file = said = io.StringIO()
        display.say("a line")
        assert "a line" in said.getvalue()
    display.say("another")
    assert capsys.readouterr().out == "another\n"
    assert "another" not in said.getvalue()


def test_no_bar_where_there_is_nothing_to_do_or_no_terminal(
    display: Display, capsys: pytest.CaptureFixture[str]
) -> None:
    with display:
        display.bar("toy/draw", 0).close()
    display.is_live = False
    with display:
        bar = display.bar("toy/draw", 1)
        bar.start("draw[name=a] 0-2")
        display.say("a line")
        bar.finish("draw[name=a] 0-2")
        bar.close()
    assert capsys.readouterr().out == "a line\n"
