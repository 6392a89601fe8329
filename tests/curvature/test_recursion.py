"""Second derivatives of nets of planes: automatic differentiation, a peer, and plain loops."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from oldschool.compiled.stack import compiled
from oldschool.curvature import recursion
from oldschool.curvature.jets import exact_diagonals
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.error import CROSS_ENTROPY, SQUARED, Error
from oldschool.nets.from_module import translate
from oldschool.nets.planes import Connections, Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack
from tests.problems import generator

DENSE = Stack((Dense(Planes(4), 3), Dense(Planes(3), 3), Dense(Planes(3), 2)), "tanh")
# Border, stride and unshared biases; then maps that read some planes; then averages.
BORDERED = Stack(
    (
        Convolution(Planes(1, 5, 5), 2, 3, 2, 1, border=-1.0, shared_bias=False),
        Convolution(Planes(2, 3, 3), 3, 2, table=((0,), (0, 1), (1,)), border=-1.0),
        Dense(Planes(3, 2, 2), 2),
    ),
    ("lecun_tanh", "tanh", "logistic"),
)
GROUPED = Stack(
    (
        Convolution(Planes(2, 6, 5), 2, 3, padding=1, border=-1.0, table=((0,), (1,))),
        Convolution(Planes(2, 6, 5), 4, 2, table=((0,), (0,), (1,), (1,)), shared_bias=False),
        Dense(Planes(4, 5, 4), 2),
    ),
    ("logistic", "lecun_tanh", "linear"),
)
AVERAGED = Stack(
    (
        Convolution(Planes(1, 6, 6), 2, 3),
        Subsampling(Planes(2, 4, 4)),
        Convolution(Planes(2, 2, 2), 2, 2, padding=1, border=-1.0),
        Dense(Planes(2, 3, 3), 2),
    ),
    "lecun_tanh",
)
FIRST_AVERAGED = Stack((Subsampling(Planes(2, 4, 6)), Dense(Planes(2, 2, 3), 2)), "logistic")
NETS = {
    "dense": DENSE,
    "bordered": BORDERED,
    "grouped": GROUPED,
    "averaged": AVERAGED,
    "first averaged": FIRST_AVERAGED,
}
# One hidden layer, no weight used twice: a kernel as large as what it reads has one place.
UNSHARED = {
    "dense": Stack((Dense(Planes(4), 3), Dense(Planes(3), 2)), ("tanh", "logistic")),
    "lecun": Stack((Dense(Planes(4), 3), Dense(Planes(3), 2)), "lecun_tanh"),
    "convolution": Stack(
        (
            Convolution(Planes(2, 3, 3), 3, 5, padding=1, border=-1.0, table=((0,), (0, 1), (1,))),
            Dense(Planes(3), 2),
        ),
        ("logistic", "tanh"),
    ),
}
each_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)
each_unshared = pytest.mark.parametrize("net", UNSHARED.values(), ids=UNSHARED)


@pytest.fixture(autouse=True, params=["compiled", "tensors"])
def form(request, monkeypatch):
    """Every test holds for both forms."""
    if request.param == "compiled":
        assert all(compiled(net, torch.empty(0)) is not None for net in NETS.values())
    else:
        monkeypatch.setattr(recursion, "compiled", lambda *_: None)


def weights_for(net: Stack, nets: int = 1) -> Tensor:
    return net.uniform([generator(seed) for seed in range(nets)], 4.0)


def task_for(net: Stack, samples: int = 7, nets: int | None = None) -> Task:
    lead = (samples,) if nets is None else (nets, samples)
    random = generator(99)
    x = torch.randn(*lead, net.inputs.units, generator=random, dtype=torch.float64)
    return Task(x, torch.rand(*lead, net.outputs_count, generator=random, dtype=torch.float64))


def error_of(net: Stack, task: Task, error: Error = SQUARED) -> Callable[[Tensor], Tensor]:
    return lambda w: error.value(net.outputs(w[None], task.x), task.t)[0]


def hessian_diagonal(net: Stack, theta: Tensor, task: Task, error: Error = SQUARED) -> Tensor:
    return torch.func.hessian(error_of(net, task, error))(theta).diagonal()


def gauss_newton_diagonal(net: Stack, theta: Tensor, task: Task) -> Tensor:
    jacobian = torch.func.jacrev(lambda w: net.outputs(w[None], task.x)[0])(theta)
    return jacobian.square().sum((0, 1)) / len(task)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-13, rtol=1e-10)


@each_net
def test_the_exact_diagonal_is_that_of_torch_func(net):
    theta, task = weights_for(net)[0], task_for(net)
    close(exact_diagonals(net, theta, task).hessian, hessian_diagonal(net, theta, task))


@each_net
def test_its_gauss_newton_form_is_that_of_torch_func(net):
    theta, task = weights_for(net)[0], task_for(net)
    found = exact_diagonals(net, theta, task).gauss_newton
    close(found, gauss_newton_diagonal(net, theta, task))
    assert bool((found >= 0).all())


@each_net
def test_the_exact_diagonal_by_central_differences_of_the_gradient(net):
    theta, task, step = weights_for(net), task_for(net), 1e-6
    exact = exact_diagonals(net, theta[0], task).hessian
    for layer in net.layers:
        for k in (layer.weights.start, layer.biases.stop - 1):
            shift = torch.zeros_like(theta)
            shift[0, k] = step
            up, down = (
                recursive_diagonal(net, theta + sign * shift, task).gradient[0, k]
                for sign in (1, -1)
            )
            torch.testing.assert_close((up - down) / (2 * step), exact[k], atol=1e-8, rtol=1e-6)


def test_the_exact_diagonal_of_many_samples_is_the_mean_of_its_parts(monkeypatch):
    net = AVERAGED
    theta, task = weights_for(net)[0], task_for(net, samples=9)
    whole = exact_diagonals(net, theta, task).hessian
    monkeypatch.setattr("oldschool.curvature.jets._HELD", 1)
    close(exact_diagonals(net, theta, task).hessian, whole)


@each_net
def test_error_and_gradient_are_those_of_torch_func(net):
    theta, task = weights_for(net), task_for(net)
    found = recursive_diagonal(net, theta, task)
    gradient, error = torch.func.grad_and_value(error_of(net, task))(theta[0])
    close(found.gradient[0], gradient)
    close(found.error[0], error)
    trace = net.forward(theta, task.x)
    pulled = net.pull_back(theta, trace, SQUARED.slope(trace.outputs, task.t))
    close(pulled[0] / len(task), gradient)


@each_unshared
def test_the_recursion_is_exact_for_one_hidden_layer_without_sharing(net):
    theta, task = weights_for(net), task_for(net)
    full = recursive_diagonal(net, theta, task).diagonal[0]
    close(full, hessian_diagonal(net, theta[0], task))
    half = recursive_diagonal(net, theta, task, levenberg_marquardt=True)
    close(half.diagonal[0], gauss_newton_diagonal(net, theta[0], task))
    assert bool(half.gradient.isnan().all())


def test_the_recursion_is_exact_for_the_cross_entropy_too():
    net = Stack((Dense(Planes(4), 3), Dense(Planes(3), 2)), ("lecun_tanh", "logistic"))
    theta, task = weights_for(net), task_for(net)
    expected = hessian_diagonal(net, theta[0], task, CROSS_ENTROPY)
    close(recursive_diagonal(net, theta, task, error=CROSS_ENTROPY).diagonal[0], expected)
    close(exact_diagonals(net, theta[0], task, error=CROSS_ENTROPY).hessian, expected)


@pytest.mark.parametrize("levenberg_marquardt", [False, True])
@pytest.mark.parametrize("transfer", [nn.Tanh, nn.Sigmoid])
def test_the_recursion_gives_the_diagonals_of_backpack(transfer, levenberg_marquardt):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backpack = pytest.importorskip("backpack")
        from backpack.extensions import DiagGGNExact, DiagHessian
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 3), transfer(), nn.Linear(3, 2), nn.Tanh()).double()
    found = translate(module, (4,))
    task = task_for(found.net)
    ours = recursive_diagonal(
        found.net, found.theta, task, levenberg_marquardt=levenberg_marquardt
    ).diagonal[0]
    loss = backpack.extend(nn.MSELoss(reduction="sum"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with backpack.backpack(DiagGGNExact() if levenberg_marquardt else DiagHessian()):
            loss(backpack.extend(module)(task.x), task.t).backward()
    name = "diag_ggn_exact" if levenberg_marquardt else "diag_h"
    theirs = torch.cat([getattr(one, name).flatten() for one in module.parameters()])
    close(2 * len(task) * ours, theirs)  # theirs is of the sum of squares


# ---- the paper's equations, connection by connection ----


def connections(scheme: Connections) -> Iterator[tuple[int, int | None, int]]:
    """(i, j, k): unit i reads unit j below through weight k; j is None for the border."""
    below = scheme.below

    def unit(plane: int, row: int, column: int) -> int | None:
        inside = 0 <= row < below.height and 0 <= column < below.width
        return (plane * below.height + row) * below.width + column if inside else None

    _, height, width = scheme.above
    if isinstance(scheme, Dense):
        for i in range(scheme.units):
            for j in range(below.units):
                yield i, j, i * below.units + j
    elif isinstance(scheme, Subsampling):
        for plane in range(below.maps):
            for row in range(below.height):
                for column in range(below.width):
                    place = (row // scheme.size) * width + column // scheme.size
                    yield plane * height * width + place, unit(plane, row, column), plane
    else:
        assert isinstance(scheme, Convolution)
        first = 0
        for number in range(scheme.maps):
            planes = range(below.maps) if scheme.table is None else scheme.table[number]
            for plane in planes:
                for r in range(height):
                    for c in range(width):
                        for k in range(scheme.kernel**2):
                            row = r * scheme.stride - scheme.padding + k // scheme.kernel
                            column = c * scheme.stride - scheme.padding + k % scheme.kernel
                            i = (number * height + r) * width + c
                            yield i, unit(plane, row, column), first + k
                first += scheme.kernel**2


def bias_of(scheme: Connections, i: int) -> int:
    """Which of the biases unit i has."""
    shared = isinstance(scheme, Subsampling) or (
        isinstance(scheme, Convolution) and scheme.shared_bias
    )
    return i // (scheme.above.height * scheme.above.width) if shared else i


# f, f' and f'' of the net input a.
def _tanh(a: float, s: float = 1.0, height: float = 1.0) -> tuple[float, float, float]:
    y = math.tanh(s * a)
    return height * y, height * s * (1 - y * y), -2 * height * s * s * y * (1 - y * y)


def _logistic(a: float) -> tuple[float, float, float]:
    y = 1 / (1 + math.exp(-a))
    return y, y * (1 - y), y * (1 - y) * (1 - 2 * y)


FUNCTIONS = {
    "tanh": _tanh,
    "logistic": _logistic,
    "linear": lambda a: (a, 1.0, 0.0),
    "lecun_tanh": lambda a: _tanh(a, 2 / 3, 1.7159),
}


def by_loops(
    net: Stack, theta: list[float], x: list[float], t: list[float], full: bool
) -> tuple[list[float], list[float], list[float]]:
    """Outputs, dE/dw and h_kk of one sample by the paper's eqs. 7-10, E = 1/2 sum (t - o)^2."""
    layers = []
    for layer in net.layers:
        border = getattr(layer.scheme, "border", 0.0)
        a = [
            theta[layer.biases.start + bias_of(layer.scheme, i)]
            for i in range(layer.scheme.above.units)
        ]
        read = [
            (i, j, layer.weights.start + k, border if j is None else x[j])
            for i, j, k in connections(layer.scheme)
        ]
        for i, _, k, value in read:
            a[i] += theta[k] * value
        found = [FUNCTIONS[layer.transfer.name](one) for one in a]
        layers.append((layer, read, found))
        x = [one[0] for one in found]
    outputs = x
    gradient, h = [0.0] * len(theta), [0.0] * len(theta)
    first = [o - target for o, target in zip(outputs, t, strict=True)]  # dE/dx_i
    second = [1.0] * len(outputs)  # what sum_l w_li^2 d2E/da_l^2 is for the outputs
    for layer, read, found in reversed(layers):
        da = [slope * pull for (_, slope, _), pull in zip(found, first, strict=True)]
        d2a = [
            slope**2 * bow + (bend * pull if full else 0.0)
            for (_, slope, bend), pull, bow in zip(found, first, second, strict=True)
        ]
        first, second = ([0.0] * layer.scheme.below.units for _ in range(2))
        for i, j, k, value in read:
            gradient[k] += value * da[i]
            h[k] += value**2 * d2a[i]
            if j is not None:
                first[j] += theta[k] * da[i]
                second[j] += theta[k] ** 2 * d2a[i]
        for i in range(layer.scheme.above.units):
            k = layer.biases.start + bias_of(layer.scheme, i)
            gradient[k] += da[i]
            h[k] += d2a[i]
    return outputs, gradient, h


@each_net
@pytest.mark.parametrize("full", [True, False], ids=["full", "levenberg-marquardt"])
def test_the_recursion_is_the_papers_by_loops_over_connections(net, full):
    theta, task = weights_for(net), task_for(net, samples=2)
    samples = [
        by_loops(net, theta[0].tolist(), x, t, full)
        for x, t in zip(task.x.tolist(), task.t.tolist(), strict=True)
    ]
    outputs, gradient, h = (
        torch.tensor(part, dtype=torch.float64) for part in zip(*samples, strict=True)
    )
    found = recursive_diagonal(net, theta, task, levenberg_marquardt=not full)
    close(net.outputs(theta, task.x)[0].T, outputs)
    close(found.diagonal[0], h.mean(0))
    if full:
        close(found.gradient[0], gradient.mean(0))


@each_net
def test_connections_are_as_many_as_the_loops_make(net):
    for scheme in net.schemes:
        assert int(scheme.uses.sum()) == sum(1 for _ in connections(scheme)) + scheme.above.units


@each_net
@pytest.mark.parametrize("levenberg_marquardt", [False, True])
def test_any_chunk_of_samples_gives_the_same(net, levenberg_marquardt):
    theta, task = weights_for(net, 2), task_for(net, samples=7)
    whole, *parts = (
        recursive_diagonal(net, theta, task, levenberg_marquardt=levenberg_marquardt, chunk=chunk)
        for chunk in (7, 1, 3, 100)
    )
    for part in parts:
        close(part.error, whole.error)
        close(part.diagonal, whole.diagonal)
        if not levenberg_marquardt:
            close(part.gradient, whole.gradient)


@each_net
def test_many_nets_are_each_as_alone(net):
    theta, task = weights_for(net, 3), task_for(net)
    together = recursive_diagonal(net, theta, task)
    for row in range(3):
        alone = recursive_diagonal(net, theta[row : row + 1], task)
        close(together.error[row], alone.error[0])
        close(together.gradient[row], alone.gradient[0])
        close(together.diagonal[row], alone.diagonal[0])


@each_net
@pytest.mark.parametrize("levenberg_marquardt", [False, True])
def test_nets_with_data_of_their_own_are_each_as_alone(net, levenberg_marquardt):
    theta, own = weights_for(net, 3), task_for(net, nets=3)
    together = recursive_diagonal(net, theta, own, levenberg_marquardt=levenberg_marquardt, chunk=4)
    for row in range(3):
        task = Task(own.x[row], own.t[row])
        alone = recursive_diagonal(
            net, theta[row : row + 1], task, levenberg_marquardt=levenberg_marquardt
        )
        close(together.error[row], alone.error[0])
        close(together.diagonal[row], alone.diagonal[0])
        if not levenberg_marquardt:
            close(together.gradient[row], alone.gradient[0])


@each_net
def test_the_levenberg_marquardt_form_is_never_negative(net):
    theta, task = weights_for(net, 3), task_for(net)
    found = recursive_diagonal(net, theta, task, levenberg_marquardt=True)
    assert bool((found.diagonal >= 0).all())


@pytest.mark.parametrize("nets", [1, 2, 4])
def test_data_of_other_nets_are_refused(nets):
    task = task_for(DENSE, nets=nets)
    with pytest.raises(ValueError, match="the net takes"):
        recursive_diagonal(DENSE, weights_for(DENSE, 3), task)
