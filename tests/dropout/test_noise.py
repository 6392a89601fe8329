"""Noise has the moments it should have, and what a net draws is its own affair."""

import math

import pytest
import torch

from oldschool.dropout.network import Architecture
from oldschool.dropout.noise import Noise, keep_probabilities
from oldschool.dropout.streams import LEVELS, TorchStreams
from tests.dropout.cases import noise_for

F64 = torch.float64
NET = Architecture((300, 200, 10))
KEEP = [[0.8, 0.5], [0.1, 0.93]]
SAMPLES = 2000
SIGMAS = 5.0  # of the estimate; the seeds are fixed, and chance would pass these once in 10^6


@pytest.mark.parametrize("source", ["words", "torch"])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_bernoulli_noise_keeps_the_share_p(dtype, source):
    noise = noise_for(NET, "bernoulli", KEEP, SAMPLES, dtype)
    if source == "torch":  # as on a GPU
        noise._source = TorchStreams([1, 2], torch.device("cpu"))
    factors = noise.draw()
    for layer, r in enumerate(factors):
        assert r is not None and r.dtype == dtype
        assert set(r.unique().tolist()) == {0.0, 1.0}
        for net, p in enumerate(row[layer] for row in KEEP):
            error = SIGMAS * math.sqrt(p * (1 - p) / r[net].numel())
            assert float(r[net].mean()) == pytest.approx(p, abs=error)


def test_masks_are_independent_of_their_neighbours():
    # Four units share a word of 64 bits, and units of other cases, draws and nets other words.
    noise = noise_for(NET, "bernoulli", [[0.5, 0.5]] * 2, SAMPLES)
    first = [r.clone() - 0.5 for r in noise.draw() if r is not None]
    second = [r - 0.5 for r in noise.draw() if r is not None]
    flat = first[0].flatten(1)
    pairs = [(flat[:, lag:], flat[:, : flat.shape[1] - lag]) for lag in (1, 2, 3, 4)]
    pairs += [(first[0][:, 1:], first[0][:, :-1]), (first[0], second[0])]
    pairs += [(first[0][0], first[0][1]), (first[0][..., :200], first[1])]
    for one, other in pairs:
        products = 4 * one * other
        assert abs(float(products.mean())) < SIGMAS / math.sqrt(products.numel())


@pytest.mark.parametrize("p", [0.5, 0.8, 0.1, 1 - 1e-5, 1e-9])
def test_bernoulli_probability_is_p_to_the_resolution(p):
    class Every:
        """Each of the 16-bit words once."""

        def fill(self, buffer):
            buffer[:] = torch.arange(-LEVELS // 2, LEVELS // 2, dtype=torch.int16)

    noise = Noise("bernoulli", torch.tensor([[p]], dtype=F64), [LEVELS], 1, [0])
    noise._source = Every()
    (r,) = noise.draw()
    assert r is not None and int(r.sum()) == max(1, round(p * LEVELS))


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_gaussian_noise_has_mean_1_and_the_variance_of_bernoulli_noise(dtype):
    factors = noise_for(NET, "gaussian", KEEP, SAMPLES, dtype).draw()
    for layer, r in enumerate(factors):
        assert r is not None
        for net, p in enumerate(row[layer] for row in KEEP):
            variance, count = (1 - p) / p, r[net].numel()
            off = r[net].double() - 1
            assert abs(float(off.mean())) < SIGMAS * math.sqrt(variance / count)
            squares = float(off.pow(2).mean())
            assert squares == pytest.approx(variance, rel=SIGMAS * math.sqrt(2 / count))
            fourth = float(off.pow(4).mean()) / variance**2  # 3, with a variance of 96 / count
            assert fourth == pytest.approx(3, abs=SIGMAS * math.sqrt(96 / count))


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_a_net_draws_the_same_whatever_is_beside_it(kind):
    keep = torch.tensor([[0.5, 0.8], [1.0, 0.5], [0.7, 1.0]], dtype=F64)
    together = Noise(kind, keep, (6, 5), 4, [11, 12, 13])
    for net, seed in enumerate((11, 12, 13)):
        alone = Noise(kind, keep[net : net + 1], (6, 5), 4, [seed])
        again = Noise(kind, keep, (6, 5), 4, [11, 12, 13])
        for _ in range(3):
            for mine, ours in zip(alone.draw(), again.draw(), strict=True):
                assert ours is not None
                expected = torch.ones_like(ours[net]) if mine is None else mine[0]
                assert torch.equal(ours[net], expected)
    first = together.draw()[0]
    assert first is not None
    assert not torch.equal(first[0], first[2])


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_streams_go_on_where_their_state_was_taken(kind):
    noise, other = (noise_for(NET, kind, KEEP, 3) for _ in range(2))
    noise.draw()
    state = noise.state_dict()
    expected = [r.clone() for r in noise.draw() if r is not None]
    other.load_state_dict(state)
    assert all(map(torch.equal, expected, [r for r in other.draw() if r is not None]))


def test_nothing_is_drawn_where_nothing_is_dropped():
    noise = noise_for(NET, "bernoulli", [[1.0, 0.5]], 3)
    assert noise.draw()[0] is None and noise.draw()[1] is not None


@pytest.mark.parametrize("keep", [[0.5], [[0.5, 0.5]] * 3, [0.0, 0.5], [0.5, 1.1]])
def test_probabilities_that_are_none(keep):
    with pytest.raises(ValueError, match="keep"):
        keep_probabilities(keep, 2, 2)


def test_state_of_another_kind_is_refused():
    state = noise_for(NET, "gaussian", KEEP, 3).state_dict()
    with pytest.raises(ValueError, match="gaussian noise"):
        noise_for(NET, "bernoulli", KEEP, 3).load_state_dict(state)
