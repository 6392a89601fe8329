"""What a pool gives to whom, and when: with workers that are threads and do as they are told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from multiprocessing import Pipe
from typing import Any

import pytest

from oldschool.runs import pool
from oldschool.runs.pool import Pool
from oldschool.runs.worker import Outcome

DONE, BUSY = Outcome("run"), Outcome("busy")
LIMIT = 20.0  # seconds after which a test gives up
Do = Callable[[str, bool], Outcome | None]


class Hall:
    """The workers of a pool.

    Attributes:
        do: (task, whether to wait) -> outcome; None for a worker that dies.
        events: hires and gifts, in their order.
        workers: all there were.
    """

    def __init__(self, do: Do) -> None:
        self.do, self.events = do, []
        self.workers: list[Any] = []

    def hire(self, quiet: bool) -> Any:
        worker = Worker(self)
        self.events.append(("hire", quiet))
        self.workers.append(worker)
        return worker


class Worker:
    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.connection, theirs = Pipe()
        threading.Thread(target=self.serve, args=(theirs,), daemon=True).start()

    def serve(self, connection: Any) -> None:
        try:
            while (outcome := self.hall.do(*connection.recv())) is not None:
                connection.send(outcome)
        except (EOFError, OSError):  # the pool has hung up
            pass
        connection.close()

    def give(self, task: str, wait: bool) -> None:
        self.hall.events.append(("give", task, wait))
        self.connection.send((task, wait))

    def cause_of_death(self) -> str:
        return "died"

    def kill(self) -> None:
        self.connection.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Hall, list[Any], list[str]]]:
    """Runs tasks; the hall, (task, outcome) as they came, and the tasks that were begun."""
    monkeypatch.setattr(pool, "fail", lambda task, message: Outcome("failed", message))

    def run(
        do: Do, tasks: list[str], jobs: int, after: dict[str, list[str]] | None = None
    ) -> tuple[Hall, list[Any], list[str]]:
        hall, queue, begun, found = Hall(do), deque(tasks), [], []
        monkeypatch.setattr(pool, "_Worker", hall.hire)
        with Pool(jobs) as opened:
            given = lambda: queue.popleft() if queue else None  # noqa: E731
            for task, outcome in opened.run(given, begun.append):  # type: ignore[arg-type]
                found.append((task, outcome))
                queue.extend((after or {}).get(str(task), ()))
        assert all(worker.connection.closed for worker in hall.workers)
        return hall, found, begun

    return run


def test_no_more_workers_than_jobs_or_tasks(run: Any) -> None:
    tasks = [str(number) for number in range(20)]
    hall, found, begun = run(lambda task, wait: DONE, tasks, 3)
    assert len(hall.workers) == 3
    assert sorted(task for task, _ in found) == sorted(tasks)
    assert begun == tasks
    assert [quiet for what, quiet, *_ in hall.events if what == "hire"] == [False, True, True]
    assert len(run(lambda task, wait: DONE, ["a"], 3)[0].workers) == 1


def test_workers_start_side_by_side(run: Any) -> None:
    hall, *_ = run(lambda task, wait: DONE, ["a", "b", "c"], 3)
    assert [event[0] for event in hall.events] == ["hire"] * 3 + ["give"] * 3


def test_a_worker_that_dies_is_replaced_and_leaves_nothing_open(run: Any) -> None:
    tasks = [str(number) for number in range(8)]
    hall, found, _ = run(lambda task, wait: None, tasks, 2)
    assert {(task, outcome.status) for task, outcome in found} == {(t, "failed") for t in tasks}
    assert len(hall.workers) == 8
    # Only the first says what all would say.
    assert [quiet for what, quiet, *_ in hall.events if what == "hire"] == [False] + [True] * 7


def test_a_dead_worker_is_let_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "fail", lambda task, message: Outcome("failed", message))
    hall, queue = Hall(lambda task, wait: None), deque(["a", "b", "c"])
    monkeypatch.setattr(pool, "_Worker", hall.hire)
    with Pool(2) as opened:
        for _ in opened.run(lambda: queue.popleft() if queue else None, lambda task: None):
            assert sum(not worker.connection.closed for worker in hall.workers) <= 2
        assert opened._workers == []


def test_what_another_process_is_at_is_waited_for_last_and_begun_once(run: Any) -> None:
    def do(task: str, wait: bool) -> Outcome:
        return BUSY if task == "held" and not wait else DONE

    for jobs in (2, 3):
        hall, found, begun = run(do, ["held", "a", "b", "c"], jobs)
        assert begun == ["held", "a", "b", "c"]
        assert len(found) == 4 and found[-1] == ("held", DONE)
        assert hall.events[-1] == ("give", "held", True)


def test_no_worker_waits_for_another_process_while_tasks_may_become_ready(run: Any) -> None:
    """``first`` makes ``long`` ready, and that two more, which both workers run at a time."""
    put_off, both = threading.Event(), threading.Barrier(2)

    def do(task: str, wait: bool) -> Outcome:
        if task == "held" and not wait:
            put_off.set()
            return BUSY
        if task in ("first", "long"):
            put_off.wait(LIMIT)
            threading.Event().wait(0.2)  # time to make the mistake
        if task.startswith("ready"):
            both.wait(LIMIT)
        return DONE

    _, found, _ = run(do, ["held", "first"], 2, {"first": ["long"], "long": ["ready 1", "ready 2"]})
    assert not both.broken
    assert found[-1] == ("held", DONE)


def test_what_all_wait_for_is_waited_for_by_all(run: Any) -> None:
    both = threading.Barrier(2)

    def do(task: str, wait: bool) -> Outcome:
        if not wait:
            return BUSY
        both.wait(LIMIT)
        return DONE

    _, found, _ = run(do, ["a", "b"], 2)
    assert not both.broken
    assert sorted(found) == [("a", DONE), ("b", DONE)]
