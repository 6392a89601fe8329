"""Worker processes that die with their parent and whose death is one failed unit, no more."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
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

from oldschool.compiled.library import NotCompiledWarning
from oldschool.runs.worker import Outcome, Task, execute, fail

NextTask = Callable[[], Task | None]
OnStart = Callable[[Task], None]
_Given = tuple[Task, bool]  # and whether to wait for another process that is at it
_Give = Callable[[bool], _Given | None]


class Pool:
    """Up to ``jobs`` processes; with one job the tasks run in this process.

    A task that another process is at is put off until nothing else can be done, then waited for;
    a worker that waits does nothing else, whatever becomes ready.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._hired = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def run(self, next_task: NextTask, on_start: OnStart) -> Iterator[tuple[Task, Outcome]]:
        """Run tasks until there are no more; yields each with its outcome, in any order.

        Args:
            next_task: gives a task whenever a worker is free; None if there is none before one
                that is being run is done, and at the end.
            on_start: is told once of every task that is begun.
        """
        put_off: deque[Task] = deque()

        def give(others_run: bool) -> _Given | None:
            task = next_task()
            if task is not None:
                on_start(task)
                return task, False
            # What others run may make tasks ready that want a worker.
            return (put_off.popleft(), True) if put_off and not others_run else None

        for task, outcome in self._here(give) if self._jobs == 1 else self._by_workers(give):
            if outcome.status == "busy":
                put_off.append(task)
            else:
                yield task, outcome

    @staticmethod
    def _here(give: _Give) -> Iterator[tuple[Task, Outcome]]:
        while (given := give(False)) is not None:
            yield given[0], execute(*given)

    def _by_workers(self, give: _Give) -> Iterator[tuple[Task, Outcome]]:
        idle: list[_Worker] = []
        busy: dict[Connection, tuple[_Worker, _Given]] = {}
        while True:
            now: list[_Given] = []
            running = any(not waits for _, (_, waits) in busy.values())
            while len(busy) + len(now) < self._jobs and (given := give(running)) is not None:
                now.append(given)
                running |= not given[1]
            # All are hired before the first is given its task, so that they start side by side.
            workers = [idle.pop() if idle else self._hire() for _ in now]
            for worker, given in zip(workers, now, strict=True):
                worker.give(*given)
                busy[worker.connection] = (worker, given)
            if not busy:
                return
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                worker, (task, _) = busy.pop(connection)
                try:
                    outcome = connection.recv()
                except (EOFError, ConnectionError):
                    outcome = fail(task, worker.cause_of_death())
                    worker.kill()
                    self._workers.remove(worker)
                else:
                    idle.append(worker)
                yield task, outcome

    def _hire(self) -> _Worker:
        worker = _Worker(quiet=self._hired > 0)
        self._hired += 1
        self._workers.append(worker)
        return worker


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
