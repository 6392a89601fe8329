"""What a run tells the person in front of it: lines, and on a terminal live bars."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

RUNNING_SHOWN = 3


class Bar:
    """Progress through the units of one experiment."""

    def __init__(self, live: Progress | None, task: TaskID | None) -> None:
        self._live = live
        self._task = task
        self._running: list[str] = []

    def start(self, label: str) -> None:
        """A unit is being run."""
        self._running.append(label)
        self._show(0)

    def finish(self, label: str) -> None:
        """A unit is done or has failed."""
        self._running.remove(label)
        self._show(1)

    def close(self) -> None:
        """The experiment is over."""
        if self._live is not None and self._task is not None:
            self._live.remove_task(self._task)

    def _show(self, advance: int) -> None:
        if self._live is None or self._task is None:
            return
        shown = "  ".join(self._running[:RUNNING_SHOWN])
        more = len(self._running) - RUNNING_SHOWN
        if more > 0:
            shown += f"  and {more} more"
        self._live.update(self._task, advance=advance, running=shown)


class Display:
    """Lines for a file or a pipe; lines above live bars for a terminal."""

    def __init__(self) -> None:
        self.is_live = sys.stdout.isatty()
        self._live: Progress | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        """All bars are gone, however it ends."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """Print one line."""
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, flush=True)

    def bar(self, title: str, total: int) -> Bar:
        """Show progress while ``total`` units are run; several bars stand below one another."""
        if not self.is_live or total == 0:
            return Bar(None, None)
        if self._live is None:
            self._live = _progress()
            self._live.start()
        return Bar(self._live, self._live.add_task(title, total=total, running=""))


def _progress() -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        # On a narrow terminal it is the units' names that give way.
        TextColumn(
            "{task.fields[running]}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        transient=True,
        expand=True,
    )
