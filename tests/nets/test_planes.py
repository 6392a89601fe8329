"""Connections between planes: torch's own layers, automatic differentiation, and plain counting."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, linear, pad

from oldschool.nets.planes import Connections, Convolution, Dense, Planes, Subsampling
from tests.problems import generator

FIELD = Planes(4, 5, 6)
SCHEMES: dict[str, Connections] = {
    "dense": Dense(Planes(2, 3, 2), 5),
    "dense, one unit": Dense(Planes(3), 1),
    "kernels": Convolution(Planes(2, 6, 5), 3, 3),
    "a single map of a single plane": Convolution(Planes(1, 4, 4), 1, 2),
    "stride that leaves a row over": Convolution(Planes(1, 6, 5), 2, 3, stride=2),
    "stride wider than the kernel": Convolution(Planes(2, 7, 8), 2, 2, stride=3),
    "border": Convolution(FIELD, 3, 3, padding=1, border=-1.0),
    "all at once": Convolution(
        FIELD, 3, 5, 2, 2, border=-1.5, table=((0, 1, 3), (2,), (0, 2)), shared_bias=False
    ),
    "padding wider than the kernel": Convolution(Planes(1, 2, 3), 2, 2, padding=3, border=0.5),
    "kernel of the whole": Convolution(Planes(2, 3, 3), 3, 5, padding=1, border=2.0),
    "table": Convolution(FIELD, 4, 2, table=((0,), (0, 1, 2, 3), (1, 3), (3,))),
    "table of all": Convolution(Planes(2, 3, 3), 2, 2, table=((0, 1), (0, 1))),
    "table across": Convolution(Planes(2, 3, 3), 2, 2, table=((1,), (0,))),
    "plane nobody reads": Convolution(Planes(3, 3, 3), 2, 2, table=((0,), (0, 2))),
    "each map a plane": Convolution(Planes(3, 4, 3), 3, 2, table=((0,), (1,), (2,))),
    "two groups": Convolution(
        FIELD, 6, 3, table=((0,), (1,), (0, 1), (2,), (3,), (2, 3)), shared_bias=False
    ),
    "groups with a border": Convolution(
        FIELD, 4, 3, 2, 1, border=-1.0, table=((0, 1), (0, 1), (2, 3), (2, 3))
    ),
    "averages": Subsampling(Planes(3, 4, 6)),
    "averages of threes": Subsampling(Planes(2, 3, 6), size=3),
    "averages of ones": Subsampling(Planes(2, 2, 3), size=1),
}
each = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
NETS, SAMPLES = 3, 4


def by_torch(scheme: Connections, w: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """Net inputs (P, units above) of one net, weights (N,), for x (P, units below)."""
    below, above = scheme.below, scheme.above
    if isinstance(scheme, Dense):
        return linear(x, w.view(scheme.units, -1), b)
    planes = x.view(-1, *below)
    if isinstance(scheme, Subsampling):
        means = avg_pool2d(planes, scheme.size)
        return (scheme.size**2 * means * w[:, None, None] + b[:, None, None]).flatten(1)
    assert isinstance(scheme, Convolution)
    planes = pad(planes, (scheme.padding,) * 4, value=scheme.border)
    maps, start = [], 0
    for row in scheme.table or [tuple(range(below.maps))] * scheme.maps:
        area = len(row) * scheme.kernel**2
        kernel = w[start : start + area].view(1, len(row), scheme.kernel, scheme.kernel)
        maps.append(conv2d(planes[:, list(row)], kernel, stride=scheme.stride))
        start += area
    assert start == len(w)
    bias = b[:, None, None] if scheme.shared_bias else b.view(above)
    return (torch.cat(maps, dim=1) + bias).flatten(1)


def problem(scheme: Connections, own: bool, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights, biases, inputs (samples last) and deltas of a few nets."""
    draw = generator(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    x = normal(*((NETS,) if own else ()), scheme.below.units, SAMPLES)
    delta = normal(NETS, scheme.above.units, SAMPLES)
    return normal(NETS, scheme.weights), normal(NETS, scheme.biases), x, delta


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-11)


def check(scheme: Connections, own: bool, power: int = 1, seed: int = 0) -> None:
    """All three products of all nets against torch, one net after the other."""
    w, b, x, delta = problem(scheme, own, seed)
    columns = scheme.columns(x, power)
    forward, back = scheme.forward(w, b, columns), scheme.back(w, delta)
    weights, biases = scheme.gather(delta, columns)
    assert forward.shape == delta.shape
    alone = scheme
    if isinstance(scheme, Convolution) and power == 2:
        alone = replace(scheme, border=scheme.border**2)
    for net in range(NETS):
        inputs = ((x[net] if own else x) ** power).T.contiguous().requires_grad_()
        one, bias = (part[net].clone().requires_grad_() for part in (w, b))
        a = by_torch(alone, one, bias, inputs)
        close(forward[net], a.detach().T)
        slopes = torch.autograd.grad(a, (inputs, one, bias), delta[net].T)
        for found, expected in zip((back[net].T, weights[net], biases[net]), slopes, strict=True):
            close(found, expected)


@each
@pytest.mark.parametrize("own", [False, True], ids=["shared inputs", "own inputs"])
def test_the_products_are_those_of_torch(scheme, own):
    check(scheme, own)


@each
@pytest.mark.parametrize("own", [False, True], ids=["shared inputs", "own inputs"])
def test_with_squares_they_are_those_of_the_squared_inputs_and_border(scheme, own):
    check(scheme, own, power=2)


def any_convolution(seed: int) -> Convolution:
    draw = random.Random(seed)
    kernel, padding, maps = draw.randint(1, 4), draw.randint(0, 2), draw.randint(1, 5)
    least = max(1, kernel - 2 * padding)
    below = Planes(draw.randint(1, 4), draw.randint(least, 7), draw.randint(least, 7))
    table = None
    if draw.random() < 0.7:
        planes = range(below.maps)
        table = tuple(
            tuple(sorted(draw.sample(planes, draw.randint(1, below.maps)))) for _ in range(maps)
        )
    return Convolution(
        below, maps, kernel, draw.randint(1, 3), padding, draw.choice([0.0, -1.0, 0.7]), table,
        draw.random() < 0.5,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_any_geometry_does(seed):
    scheme = any_convolution(seed)
    check(scheme, own=bool(seed % 2), power=1 + seed // 2 % 2, seed=seed)
    counted(scheme)


@each
def test_a_net_alone_and_a_single_sample_are_no_exceptions(scheme):
    w, b, x, delta = problem(scheme, own=True)
    columns = scheme.columns(x)
    forward, back = scheme.forward(w, b, columns), scheme.back(w, delta)
    one = slice(1, 2)
    part = scheme.columns(x[one, :, :1])
    close(scheme.forward(w[one], b[one], part), forward[one, :, :1])
    close(scheme.back(w[one], delta[one, :, :1]), back[one, :, :1])
    sums = [torch.zeros(1, scheme.weights).double(), torch.zeros(1, scheme.biases).double()]
    for k in range(SAMPLES):
        found = scheme.gather(delta[one, :, k : k + 1], scheme.columns(x[one, :, k : k + 1]))
        sums = [total + more for total, more in zip(sums, found, strict=True)]
    for total, whole in zip(sums, scheme.gather(delta, columns), strict=True):
        close(total, whole[one])


@each
def test_for_changes_what_surrounds_the_planes_is_nought(scheme):
    w, b, x, _ = problem(scheme, own=True)
    change = problem(scheme, own=True, seed=1)[2]
    before, after = (scheme.forward(w, b, scheme.columns(at)) for at in (x, x + change))
    none = torch.zeros_like(b)
    close(scheme.still.forward(w, none, scheme.still.columns(change)), after - before)
    assert scheme.still.weights == scheme.weights


# ---- counts ----


def reads(scheme: Connections) -> Iterator[tuple[int, int]]:
    """(unit, weight) of every connection, those to the border too, one after the other."""
    below, (_, height, width) = scheme.below, scheme.above
    if isinstance(scheme, Dense):
        for unit in range(scheme.units):
            for source in range(below.units):
                yield unit, unit * below.units + source
    elif isinstance(scheme, Subsampling):
        for plane in range(below.maps):
            for row in range(below.height):
                for column in range(below.width):
                    above = (plane * height + row // scheme.size) * width + column // scheme.size
                    yield above, plane
    else:
        assert isinstance(scheme, Convolution)
        kernel = 0
        for number in range(scheme.maps):
            for _ in scheme.table[number] if scheme.table else range(below.maps):
                top = 0
                for row in range(height):
                    left = 0
                    for column in range(width):
                        for k in range(scheme.kernel**2):
                            yield (number * height + row) * width + column, kernel + k
                        left += scheme.stride
                    assert left - scheme.stride + scheme.kernel <= below.width + 2 * scheme.padding
                    top += scheme.stride
                assert top - scheme.stride + scheme.kernel <= below.height + 2 * scheme.padding
                kernel += scheme.kernel**2


def counted(scheme: Connections) -> None:
    units, area = scheme.above.units, scheme.above.height * scheme.above.width
    shared = isinstance(scheme, Subsampling) or getattr(scheme, "shared_bias", False)
    links = [*reads(scheme)]
    links += [(unit, scheme.weights + (unit // area if shared else unit)) for unit in range(units)]
    uses, of_unit = Counter(k for _, k in links), Counter(unit for unit, _ in links)
    leads = dict((k, unit) for unit, k in links)
    total = scheme.weights + scheme.biases
    assert scheme.uses.dtype == torch.int64
    assert scheme.uses.tolist() == [uses[k] for k in range(total)]
    assert scheme.fan_in.tolist() == [of_unit[leads[k]] for k in range(total)]


@each
def test_uses_and_fan_in_are_those_of_a_plain_count(scheme):
    counted(scheme)


def test_a_layer_of_twelve_maps_has_the_counts_of_1989():
    h1 = Convolution(Planes(1, 16, 16), 12, 5, 2, 2, border=-1.0, shared_bias=False)
    assert (h1.above, h1.weights, h1.biases) == (Planes(12, 8, 8), 300, 768)
    assert int(h1.uses.sum()) == 19_968
    assert set(h1.fan_in.tolist()) == {26}


# ---- misfits ----

PLANES = Planes(2, 4, 5)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("units", lambda: Dense(PLANES, 0)),
        ("maps", lambda: Convolution(PLANES, 0, 3)),
        ("kernel", lambda: Convolution(PLANES, 1, 0)),
        ("kernel", lambda: Convolution(PLANES, 1, 5)),
        ("kernel", lambda: Convolution(PLANES, 1, 7, padding=1)),
        ("stride", lambda: Convolution(PLANES, 1, 3, stride=0)),
        ("padding", lambda: Convolution(PLANES, 1, 3, padding=-1)),
        ("size", lambda: Subsampling(PLANES)),
        ("size", lambda: Subsampling(PLANES, size=0)),
        ("size", lambda: Subsampling(PLANES, size=-1)),
    ],
)
def test_what_does_not_fit_is_named(name, make):
    with pytest.raises(ValueError, match=f"^{name} does not fit the planes: "):
        make()


@pytest.mark.parametrize(
    "table",
    [
        ((0,),), ((0,), (1,), (0,)), ((0,), ()), ((1, 0), (0,)), ((0, 0), (1,)), ((0,), (2,)),
        ((-1,), (0,)), (),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_told(table):
    with pytest.raises(ValueError, match=r"^table does not fit the planes: \("):
        Convolution(PLANES, 2, 3, table=table)


def test_a_kernel_as_large_as_the_field_with_its_border_fits():
    assert Convolution(PLANES, 1, 6, padding=1).above == Planes(1, 1, 2)
