"""Ratios measured in one run are kept in the report, with the machine they were measured on."""

import csv
import io
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from oldschool import paths
from oldschool.report.speed import COLUMNS, read, speed_file
from oldschool.runs import files, provenance

RATIOS: list[dict[str, str]] = []
K = TypeVar("K")


@pytest.fixture(autouse=True)
def one_thread(set_threads):
    """Both sides of every ratio on one thread, unless a benchmark says otherwise."""
    set_threads(1)


@pytest.fixture
def keep_ratio(benchmark) -> Callable[..., float]:
    """Records seconds of the benchmarked side and of what it is held against."""

    def keep(what: str, against: str, seconds: float, other: float, bar: str = "") -> float:
        ratio = other / seconds
        benchmark.extra_info["ratio"] = ratio
        RATIOS.append(
            {
                "what": what,
                "seconds": f"{seconds:.3g}",
                "against": against,
                "against_seconds": f"{other:.3g}",
                "ratio": f"{ratio:.3g}",
                "bar": bar,
                "machine": provenance.environment()["cpu"],
            }
        )
        return ratio

    return keep


def seconds_of(function: Callable[[], object], repeats: int = 3) -> float:
    """The least wall time of a few calls, the first not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def least_seconds(
    ways: Mapping[K, Callable[[], object]], rounds: int, window: float = 5e-3
) -> dict[K, float]:
    """Seconds a call of each of several ways.

    The least of so many rounds through all of them, so that a busy moment is not one way's alone;
    quick calls are repeated for ``window`` seconds and averaged. A first round is not counted.
    """
    once = {key: seconds_of(way, 1) for key, way in ways.items()}
    found = dict.fromkeys(ways, math.inf)
    for _ in range(rounds):
        for key, way in ways.items():
            calls = math.ceil(window / once[key])
            start = time.perf_counter()
            for _ in range(calls):
                way()
            found[key] = min(found[key], (time.perf_counter() - start) / calls)
    return found


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the ratios; a run of some benchmarks leaves the rows of the others."""
    if exitstatus == 0 and RATIOS:
        rows = {(row["what"], row["against"]): row for row in RATIOS}
        chosen = session.config.getoption("keyword") or session.config.getoption("markexpr")
        if chosen or [Path(one).resolve() for one in session.config.args] != [
            Path(__file__).parent
        ]:
            kept = {(row["what"], row["against"]): row for row in read(paths.reports())}
            rows = kept | rows
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
        files.replace_if_different(speed_file(paths.reports()), text.getvalue().encode())
