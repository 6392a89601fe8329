"""Whitening: the covariance it leaves, and what a floor does to it."""

import pytest
import torch

from oldschool.data.zca import zca
from tests.problems import generator

CASES, SIZE = 400, 12


def cases() -> torch.Tensor:
    """Correlated, and of very different variances."""
    draw = generator(1)
    mixed = torch.randn(CASES, SIZE, generator=draw) * torch.logspace(0, -2, SIZE)
    return mixed @ torch.randn(SIZE, SIZE, generator=draw) + 3.0


def covariance(x: torch.Tensor) -> torch.Tensor:
    return torch.cov(x.double().mT, correction=0)


def test_without_a_floor_the_covariance_is_the_identity():
    x = cases()
    white = zca(x, 0.0)(x)
    assert white.dtype == torch.float32
    torch.testing.assert_close(
        white.mean(0).double(), torch.zeros(SIZE, dtype=torch.float64), atol=1e-4, rtol=0
    )
    identity = torch.eye(SIZE, dtype=torch.float64)
    torch.testing.assert_close(covariance(white), identity, atol=1e-3, rtol=0)


def test_with_a_floor_a_component_keeps_its_share_above_it():
    x, floor = cases(), 0.1
    before, after = covariance(x), covariance(zca(x, floor)(x))
    variances, axes = torch.linalg.eigh(before)
    expected = variances / (variances + floor * variances.mean())
    torch.testing.assert_close((axes.mT @ after @ axes).diag(), expected, atol=1e-4, rtol=1e-4)


def test_it_turns_back():
    """Of all whitenings this one is symmetric: the nearest to the data."""
    made = zca(cases(), 0.01)
    torch.testing.assert_close(made.matrix, made.matrix.mT)
    assert float(torch.linalg.eigvalsh(made.matrix).min()) > 0


def test_other_cases_are_whitened_by_the_first_ones():
    x, other = cases(), torch.randn(5, SIZE, generator=generator(2))
    made = zca(x, 0.1)
    torch.testing.assert_close(made(torch.cat([x, other]))[-5:], made(other))
    assert float(made(other).mean().abs()) > 0.1


def test_bytes_are_summed_without_overflow():
    x = torch.randint(256, (6000, 3), dtype=torch.uint8, generator=generator(3))
    made = zca(x, 0.0)
    torch.testing.assert_close(made.mean, x.double().mean(0))
    white = covariance(made(x))
    torch.testing.assert_close(white, torch.eye(3, dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.parametrize("floor", [0.0, -0.1])
def test_a_component_that_does_not_vary_needs_a_floor(floor):
    x = cases()
    x[:, 0] = x[:, 1]
    with pytest.raises(ValueError, match="do not vary"):
        zca(x, floor)
    white = zca(x, 0.1)(x)
    assert bool(white.isfinite().all())
