"""The two nets of the papers, with the papers' own counts asserted."""

from __future__ import annotations

from functools import cache, partial

from oldschool.nets.planes import Connections, Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack

BACKGROUND = -1.0  # paper, without ink
SMALL = {"parameters": 2578, "connections": 98_442, "units": 4635}
LARGE = {"parameters": 9760, "connections": 64_660, "units": 1256}

# Two modules of two H2 planes and six H3 maps: one map from each plane alone, four from both.
H3_TABLE = ((0,), (1,), *((0, 1),) * 4, (2,), (3,), *((2, 3),) * 4)
# Each map of H2 reads eight of the twelve of H1, a third of the maps the same eight.
H2_TABLE = (
    *(tuple(range(8)),) * 4,
    *(tuple(range(4, 12)),) * 4,
    *((0, 1, 2, 3, 8, 9, 10, 11),) * 4,
)


@cache
def small_net(unit: str) -> Stack:
    """LeCun et al., NIPS 2: 28 x 28 inputs, two convolutions, each with its subsampling."""
    h1 = Convolution(Planes(1, 28, 28), maps=4, kernel=5)
    h2 = Subsampling(h1.above, size=2)
    h3 = Convolution(h2.above, maps=12, kernel=5, table=H3_TABLE)
    h4 = Subsampling(h3.above, size=2)
    output = Dense(h4.above, 10)
    net = Stack((h1, h2, h3, h4, output), unit, ("H1", "H2", "H3", "H4", "output"))
    # The paper counts the unit that is always on, the source of all biases.
    _check(net, net.units_count + 1, SMALL)
    return net


def _below_h3() -> tuple[Connections, Connections]:
    # The field of the first layer goes two beyond the image, where it sees the background.
    edge = partial(Convolution, kernel=5, stride=2, padding=2, border=BACKGROUND, shared_bias=False)
    h1 = edge(Planes(1, 16, 16), maps=12)
    return h1, edge(h1.above, maps=12, table=H2_TABLE)


@cache
def large_net(unit: str) -> Stack:
    """LeCun et al. 1989: 16 x 16 inputs, two convolutions of stride 2, thirty hidden units."""
    h1, h2 = _below_h3()
    h3 = Dense(h2.above, 30)
    output = Dense(h3.above, 10)
    net = Stack((h1, h2, h3, output), unit, ("H1", "H2", "H3", "output"))
    _check(net, net.units_count, LARGE)
    return net


@cache
def without_h3(unit: str) -> Stack:
    """The larger net without its second-to-last layer: its outputs read H2."""
    h1, h2 = _below_h3()
    return Stack((h1, h2, Dense(h2.above, 10)), unit, ("H1", "H2", "output"))


def counts(net: Stack) -> dict[str, int]:
    """Free parameters, connections, and units, the inputs and not the bias counted."""
    return {
        "parameters": net.weights, "connections": net.connections, "units": net.units_count
    }  # fmt: skip


def _check(net: Stack, units: int, wanted: dict[str, int]) -> None:
    found = {**counts(net), "units": units}
    if found != wanted:
        raise AssertionError(f"the net is not the paper's: {found} instead of {wanted}")
