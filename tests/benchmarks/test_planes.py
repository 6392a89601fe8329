"""Nets of planes: saliencies against gradients and a peer, batches, and what pruning saves."""

import csv
import io
import warnings
from collections.abc import Callable, Iterable
from functools import cache

import pytest
import torch
from torch import Tensor

from oldschool import paths
from oldschool.compiled.stack import compiled
from oldschool.curvature import recursion
from oldschool.curvature.module import gauss_newton_diagonal
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.from_module import stack_of
from oldschool.nets.parameters import flat, free_parameters
from oldschool.nets.sparse import Unrolled, unrolled
from oldschool.pruning.rounds import LeastFirst, obd_saliency
from oldschool.report.speed import CLASSIFICATION, measured_folder
from oldschool.runs import files, provenance
from oldschool.runs.results import load_frames
from oldschool.training import diagonal_lm
from oldschool.training.diagonal_lm import DiagonalSchedule, stochastic_diagonal_lm
from replications.lecun1989_obd.digits import digits, weights_of
from replications.lecun1989_obd.nets import small_net
from tests.benchmarks import plain_planes
from tests.benchmarks.conftest import least_seconds
from tests.problems import generator

NET = small_net("lecun_tanh")
SALIENCIES = "saliencies of the 2578-parameter digit net over 7291 digits, {}, float32"
BAR = f"{1 / 2.2:.4f}"  # a saliency pass in at most 2.2 gradient passes
FEW = 500  # digits for BackPACK
PART, BATCH = 400, 4  # of a pass of training, and digits a step
NETS = 10
COUNTS = (0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000, 2250)  # deleted
PRUNED = 1500
CLASSIFIED = (1, 100)  # digits at a time


@cache
def trained() -> Tensor:
    """The first net of the report, (1, N); trained for a pass if there is none."""
    rows = load_frames(paths.reports(), "obd").get("digit_weights")
    if rows is not None:
        return weights_of(rows[rows.replicate == 0], torch.float32)
    theta = NET.uniform([generator(0)], 2.4, torch.float32)
    return train(theta, DiagonalSchedule(1e-3, 0.1, 1.0, BATCH))


def train(theta: Tensor, schedule: DiagonalSchedule, kept: Tensor | None = None) -> Tensor:
    generators = [generator(seed) for seed in range(len(theta))]
    task = digits(28, torch.float32).train
    return stochastic_diagonal_lm(NET, theta, task, schedule, generators, kept)


def gradient_pass(theta: Tensor, task: Task) -> Tensor:
    """The weights after steps of nought: a gradient pass in the batches of the recursion."""
    code, w = compiled(NET, theta), theta.clone()
    assert code is not None
    order = torch.arange(len(task)).expand(len(theta), -1)
    code.descend(w, torch.zeros_like(w), task.x, task.t, order, 8, 0, len(task))
    return w


def test_the_plain_module_is_the_net():
    task, module = first(50), plain_planes.PlainDigits(NET, trained()[0])
    torch.testing.assert_close(module(task.x).T, NET.outputs(trained(), task.x)[0])
    at = recursive_diagonal(NET, trained(), task)
    by_module = plain_planes.gradient(module, task, 32)
    h1 = NET.layers[0].weights
    torch.testing.assert_close(by_module[0].flatten(), at.gradient[0, h1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        by_module[-2].flatten(), at.gradient[0, NET.layers[-1].weights], atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("form", ["full", "Levenberg-Marquardt"])
def test_saliencies_against_gradients(benchmark, keep_ratio, form):
    theta, task = trained(), digits(28, torch.float32).train
    lm = form != "full"

    def saliencies() -> Tensor:
        at = recursive_diagonal(NET, theta, task, levenberg_marquardt=lm)
        return 0.5 * at.diagonal * theta * theta

    module = plain_planes.PlainDigits(NET, theta[0])
    ways: dict[object, Callable[[], object]] = {
        "saliencies": saliencies,
        "gradient": lambda: gradient_pass(theta, task),
        **{n: lambda n=n: plain_planes.gradient(module, task, n) for n in (32, 128)},
    }
    benchmark.pedantic(saliencies, rounds=1)
    seconds = least_seconds(ways, rounds=6)
    taken, what = seconds["saliencies"], SALIENCIES.format(f"{form} form")
    keep_ratio(what, "a gradient pass in the same code", taken, seconds["gradient"], BAR)
    against = "a gradient pass of a torch module by autograd, batches of 32 or 128"
    keep_ratio(what, against, taken, min(seconds[32], seconds[128]), BAR)


def test_against_backpack(benchmark, keep_ratio):
    torch.manual_seed(0)
    module, task = plain_planes.averaged(), first(FEW)
    net, theta = stack_of(module, (1, 28, 28))
    x = task.x.view(-1, 1, 28, 28)
    torch.testing.assert_close(net.outputs(theta, task.x)[0].T, module(x).detach())
    theirs = {size: backpack_diagonal(module, x, task.t, size) for size in (50, 250)}
    parameters = free_parameters(module)
    ways: dict[object, Callable[[], Tensor]] = {
        "recursion": lambda: (
            recursive_diagonal(net, theta, task, levenberg_marquardt=True).diagonal
        ),
        "exact": lambda: gauss_newton_diagonal(module, parameters, x),
        **theirs,
    }
    torch.testing.assert_close(ways[50](), ways["exact"](), atol=1e-6, rtol=1e-3)
    benchmark.pedantic(ways["recursion"], rounds=1)
    seconds = least_seconds(ways, rounds=6)
    other = min(seconds[50], seconds[250])
    peer = (
        f"BackPACK's DiagGGNExact, {FEW} digits in batches of 50 or 250, averages in place of "
        "subsampling"
    )
    what = f"Levenberg-Marquardt diagonal of a digit net, {FEW} digits"
    keep_ratio(what, peer, seconds["recursion"], other, "5")
    what = f"exact Gauss-Newton diagonal of a digit net as a torch module, {FEW} digits"
    keep_ratio(what, peer, seconds["exact"], other)


def backpack_diagonal(
    module: torch.nn.Sequential, x: Tensor, t: Tensor, batch: int
) -> Callable[[], Tensor]:
    """A pass that gives 1/P sum (do/dw)^2, (n,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backpack = pytest.importorskip("backpack")
        from backpack.extensions import DiagGGNExact

        twin = backpack.extend(plain_planes.averaged())
        loss = backpack.extend(torch.nn.MSELoss(reduction="sum"))
    twin.load_state_dict(module.state_dict())

    def diagonal() -> Tensor:
        total = torch.zeros(sum(one.numel() for one in twin.parameters()))
        for some, wanted in zip(x.split(batch), t.split(batch), strict=True):
            twin.zero_grad()
            with warnings.catch_warnings(), backpack.backpack(DiagGGNExact()):
                warnings.simplefilter("ignore")
                loss(twin(some), wanted).backward()
            total += flat([one.diag_ggn_exact for one in twin.parameters()])
        return total / (2 * len(x))

    return diagonal


def test_training_of_several_nets(benchmark, keep_ratio, monkeypatch):
    task = digits(28, torch.float32).train
    share = PART / len(task)
    schedule = DiagonalSchedule(1e-3, 0.1, share, BATCH, looked_at=round(500 * share))
    theta = NET.uniform([generator(seed) for seed in range(NETS)], 2.4, torch.float32)
    module, seen = plain_planes.PlainDigits(NET, theta[0]), first(PART)
    scales = [torch.full_like(one, 1e-3) for one in module.parameters()]

    def by_tensors(nets: Tensor) -> Tensor:
        with monkeypatch.context() as patch:
            for place in (recursion, diagonal_lm):
                patch.setattr(place, "compiled", lambda *_: None)
            return train(nets, schedule)

    ways: dict[str, Callable[[], object]] = {
        "compiled": lambda: train(theta, schedule),
        "batch": lambda: by_tensors(theta),
        "one": lambda: by_tensors(theta[:1]),
        "plain": lambda: plain_planes.train(module, seen, scales, BATCH),
    }
    torch.testing.assert_close(ways["compiled"](), ways["batch"](), rtol=1e-3, atol=1e-4)
    benchmark.pedantic(ways["compiled"], rounds=1)
    seconds = least_seconds(ways, rounds=8)
    what = f"{PART} digits of training for {NETS} digit nets, {BATCH} digits a step, float32, {{}}"
    plain = "the straightforward loop: torch modules, autograd; no second derivatives"
    for form, way in (("compiled", "compiled"), ("as one batch of tensors", "batch")):
        keep_ratio(what.format(form), plain, seconds[way], NETS * seconds["plain"])
    against = "the same as one batch of tensors"
    keep_ratio(what.format("compiled"), against, seconds["compiled"], seconds["batch"])
    against = "the same code, one net at a time"
    keep_ratio(
        what.format("as one batch of tensors"), against, seconds["batch"], NETS * seconds["one"]
    )


def test_classification(benchmark, keep_ratio):
    """A net pruned by OBD in rounds, a pass of retraining each, as dense and as sparse."""
    nets, test = pruned(), digits(28, torch.float32).test
    sparse = {deleted: unrolled(NET, theta[0]) for deleted, theta in nets.items()}
    one = test.x[:1].contiguous()
    benchmark(lambda: sparse[PRUNED].classify(one))
    ways = {
        (form, deleted, batch): way
        for deleted, theta in nets.items()
        for batch in CLASSIFIED
        for form, way in classifiers(theta, sparse[deleted], test.x[:batch].contiguous()).items()
    }
    with torch.inference_mode():
        seconds = least_seconds(ways, rounds=40)
    for batch in CLASSIFIED:
        digit = "one digit" if batch == 1 else f"{batch} digits"
        what = f"classifying {digit}, {PRUNED} of 2578 weights deleted by OBD, {{}}"
        left_out = what.format("zeros left out (sparse matrices)")
        for form, against in (
            ("sparse", "no weight deleted, sparse matrices"),
            ("dense", "no weight deleted, dense"),
            ("module", "no weight deleted, torch module with conv2d"),
        ):
            whole = seconds[form, 0, batch]
            keep_ratio(left_out, against, seconds["sparse", PRUNED, batch], whole)
        dense = [seconds["dense", deleted, batch] for deleted in (PRUNED, 0)]
        keep_ratio(what.format("dense"), "no weight deleted, dense", *dense)
    wrong = {
        deleted: float((net.classify(test.x) != test.t.argmax(1)).double().mean())
        for deleted, net in sparse.items()
    }
    keep_times(
        {
            "form": form,
            "deleted": deleted,
            "batch": batch,
            "seconds": f"{taken:.4g}",
            "connections": int(((nets[deleted] != 0) * NET.uses).sum()),
            "test_wrong": f"{100 * wrong[deleted]:.4g}",
            "machine": provenance.environment()["cpu"],
        }
        for (form, deleted, batch), taken in seconds.items()
    )


def classifiers(theta: Tensor, sparse: Unrolled, x: Tensor) -> dict[str, Callable[[], Tensor]]:
    """The forms of a net, each made sure to classify as the others do."""
    module = plain_planes.PlainDigits(NET, theta[0])
    ways: dict[str, Callable[[], Tensor]] = {
        "dense": lambda: NET.outputs(theta, x)[0].argmax(0),
        "module": lambda: module(x).argmax(1),
        "sparse": lambda: sparse.classify(x),
    }
    assert len({tuple(way().tolist()) for way in ways.values()}) == 1
    return ways


def keep_times(rows: Iterable[dict[str, object]]) -> None:
    """Writes the frame that the report draws."""
    rows, text = list(rows), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file = measured_folder(paths.reports()) / f"{CLASSIFICATION}.csv"
    files.replace_if_different(file, text.getvalue().encode())


@cache
def pruned() -> dict[int, Tensor]:
    """{deleted: weights (1, N)}."""
    theta, task = trained(), digits(28, torch.float32).train
    kept = torch.ones_like(theta, dtype=torch.bool)
    method, found = LeastFirst("obd", obd_saliency), {0: theta}
    for deleted in COUNTS[1:]:
        at = method.prune(NET, theta, kept, task, [NET.weights - deleted])[0]
        theta, kept = train(at.theta, DiagonalSchedule(5e-4, 0.1, 1.0, 8), at.kept), at.kept
        found[deleted] = theta
    return found


def first(count: int) -> Task:
    task = digits(28, torch.float32).train
    return Task(task.x[:count].contiguous(), task.t[:count].contiguous())
