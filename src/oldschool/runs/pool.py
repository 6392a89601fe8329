"""Worker processes that die with their parent and whose death is one failed unit, no more."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import (
    get_all_start_methods,
    get_context,
    get_start_method,
    parent_process,
    resource_tracker,
    set_start_method,
)
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType

from oldschool.compiled.library import NotCompiledWarning
from oldschool.runs.worker import Outcome, Task, execute, fail

OnStart = Callable[[Task], None]


class Pool:
    """``jobs`` processes; with one job the tasks run in this process.

    A task that another process is at is put off until the others are done, then waited for.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def run(self, tasks: Sequence[Task], on_start: OnStart) -> Iterator[tuple[Task, Outcome]]:
        """Run the tasks; yields each with its outcome as it is done, in any order."""
        put_off = []
        for task, outcome in self._pass(tasks, False, on_start):
            if outcome.status == "busy":
                put_off.append(task)
            else:
                yield task, outcome
        yield from self._pass(put_off, True, on_start)

    def _pass(
        self, tasks: Sequence[Task], wait_for_others: bool, on_start: OnStart
    ) -> Iterator[tuple[Task, Outcome]]:
        if self._jobs == 1:
            for task in tasks:
                on_start(task)
                yield task, execute(task, wait_for_others)
            return
        while len(self._workers) < min(self._jobs, len(tasks)):
            self._workers.append(_Worker(quiet=bool(self._workers)))
        queue = deque(tasks)
        idle = list(self._workers)
        busy: dict[Connection, tuple[_Worker, Task]] = {}
        while queue or busy:
            while queue and idle:
                worker, task = idle.pop(), queue.popleft()
                on_start(task)
                worker.give(task, wait_for_others)
                busy[worker.connection] = (worker, task)
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                worker, task = busy.pop(connection)
                try:
                    outcome = connection.recv()
                except (EOFError, ConnectionError):
                    outcome = fail(task, worker.cause_of_death())
                    self._workers.remove(worker)
                    worker = _Worker(quiet=True)
                    self._workers.append(worker)
                idle.append(worker)
                yield task, outcome


class _Worker:
    def __init__(self, quiet: bool) -> None:
        if get_start_method() not in get_all_start_methods():
            # Another library's default (loky's, in a launcher's process); a worker would be told
            # to take it over, and does not know it.
            set_start_method("spawn", force=True)
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, quiet))
        # A worker is born with Ctrl-C blocked, as one that is still importing would die of it with
        # a traceback; the tracker, which the first start would start, unblocks it.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()  # so that the worker's death ends the pipe

    def give(self, task: Task, wait_for_others: bool) -> None:
        with suppress(ConnectionError):  # if it has died, receiving from it says so
            self.connection.send((task, wait_for_others))

    def cause_of_death(self) -> str:
        self._process.join()
        code = self._process.exitcode or 0
        if code < 0:
            hint = " (often lack of memory: fewer jobs may help)" if code == -signal.SIGKILL else ""
            return f"the worker process was killed by signal {-code}{hint}"
        return f"the worker process ended with exit code {code} (what it said is printed above)"

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, quiet: bool) -> None:
    """A worker's life: tasks in, outcomes out, until the parent hangs up or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if quiet:  # another worker says so
        warnings.simplefilter("ignore", NotCompiledWarning)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            task, wait_for_others = connection.recv()
        except EOFError:
            return
        connection.send(execute(task, wait_for_others))


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
