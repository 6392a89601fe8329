"""What a run tells the person in front of it: lines, and on a terminal a live bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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

    def _show(self, advance: int) -> None:
        if self._live is None or self._task is None:
            return
        shown = "  ".join(self._running[:RUNNING_SHOWN])
        more = len(self._running) - RUNNING_SHOWN
        if more > 0:
            shown += f"  and {more} more"
        self._live.update(self._task, advance=advance, running=shown)


class Display:
    """Lines for a file or a pipe; lines above a live bar for a terminal."""

    def __init__(self) -> None:
        self.is_live = sys.stdout.isatty()
        self._live: Progress | None = None

    def say(self, line: str) -> None:
        """Print one line."""
        if self._live is not None:
            self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, flush=True)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """Show progress while ``total`` units are run."""
        if not self.is_live or total == 0:
            yield Bar(None, None)
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        columns = (
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
        )
        with Progress(*columns, transient=True, expand=True) as live:
            self._live = live
            try:
                yield Bar(live, live.add_task(title, total=total, running=""))
            finally:
                self._live = None
