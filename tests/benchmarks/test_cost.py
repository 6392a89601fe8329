"""Cost of H^-1 and of deletions against the number of weights, kept for the report's figure."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from oldschool import paths
from oldschool.data import nettalk
from oldschool.errors import DataError
from oldschool.report.speed import COST, measured_folder
from oldschool.runs import files, provenance

CORES = os.cpu_count() or 1
# Weights of NETtalk-like nets with 4, 11, 24, 43 and 80 hidden units.
SIZES = (946, 2556, 5546, 9916, 18426)
ROWS = 18_000  # gradients that times are told for
MEASURED = {"rank-1": 12, "blocked": 4096, "direct": 4096}  # gradients a time is taken on
COSTS: list[dict[str, str]] = []


def measure(form: str, n: int, rows: int) -> dict[str, float]:
    threads = {name: str(CORES) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    words = [sys.executable, "-m", "tests.benchmarks.cost", form, str(n), str(rows), str(CORES)]
    environment = os.environ | threads | {"PYTHONPATH": str(paths.root())}
    done = subprocess.run(
        words, cwd=paths.root(), env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", MEASURED)
@pytest.mark.parametrize("n", SIZES)
def test_inverse_cost(benchmark, keep_ratio, form, n):
    found = benchmark.pedantic(measure, args=(form, n, MEASURED[form]), rounds=1)
    seconds = found["seconds_once"] + ROWS * found["seconds_a_row"]
    COSTS.append(
        {
            "form": form,
            "weights": str(n),
            "seconds": f"{seconds:.4g}",
            "gigabytes": f"{found['bytes'] / 1e9:.3g}",
            "measured_rows": str(MEASURED[form]),
            "rows": str(ROWS),
            "threads": str(CORES),
            "machine": provenance.environment()["cpu"],
        }
    )
    if "operations" in found and n >= SIZES[1]:
        taken = found["seconds_once"] + MEASURED[form] * found["seconds_a_row"]
        keep_ratio(
            f"H^-1 of {n} weights, {form} form, {MEASURED[form]} gradients, {CORES} threads",
            "as many operations at the machine's peak (3000 x 3000 matrix product); "
            "ratio 1 is the peak",
            taken,
            found["operations"] / found["peak"],
            "0.75" if form == "blocked" else "0.6",
        )


def test_deletions(benchmark, keep_ratio):
    found = benchmark.pedantic(measure, args=("deletions", SIZES[2], 2048), rounds=1)
    keep_ratio(
        f"a deletion from H^-1 of {SIZES[2]} weights by lazily blocked downdates",
        "a rank-1 downdate in place",
        found["seconds_a_row"],
        found["rank_1"],
        "10",
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("hidden", "weights", "bar"), [(24, 5546, 30.0), (80, 18426, 300.0)])
def test_nettalk_pruning(benchmark, keep_ratio, hidden, weights, bar):
    try:
        nettalk.hashes(paths.data(None))
    except DataError as error:
        pytest.skip(str(error))
    found = benchmark.pedantic(measure, args=("pruning", hidden, 0), rounds=1)
    keep_ratio(
        f"NETtalk, {weights} -> 1560 weights, all deletions of all stages, "
        f"{found['bytes'] / 1e9:.1f} GB, {CORES} threads",
        f"the {bar:g} s aimed at",
        found["seconds"],
        bar,
        "1",
    )


@pytest.fixture(scope="module", autouse=True)
def keep_costs():
    """Writes the costs beside the results when all of them were measured."""
    yield
    if len(COSTS) == len(MEASURED) * len(SIZES):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(COSTS[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(COSTS)
        file = measured_folder(paths.reports()) / f"{COST}.csv"
        files.replace_if_different(file, text.getvalue().encode())
