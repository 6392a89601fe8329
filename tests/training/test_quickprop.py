"""Quickprop: every branch by hand, and the tensor form against the branches."""

import math

import pytest
import torch

from oldschool.training.quickprop import Quickprop, quickprop_step

EPSILON, MU = 0.1, 2.0  # shrink = 2/3


@pytest.mark.parametrize(
    ("s", "p", "d", "step"),
    [
        # No step before: gradient descent.
        (3.0, 0.0, 0.0, -0.3),
        (-3.0, 5.0, 0.0, 0.3),
        (0.0, 0.0, 0.0, 0.0),
        # Last step down, slope still positive but much smaller: parabola and linear term.
        (1.0, 3.0, -0.5, -0.1 - 0.5 * 1.0 / 2.0),
        # ... not much smaller, at the limit, and greater: twice the step and linear term.
        (2.5, 3.0, -0.5, -0.25 - 1.0),
        (2.0, 3.0, -0.5, -0.2 - 1.0),
        (4.0, 3.0, -0.5, -0.4 - 1.0),
        # Last step down, slope has turned: back to the parabola's minimum, no linear term.
        (-1.0, 3.0, -0.5, 0.5 * 1.0 / 4.0),
        (0.0, 3.0, -0.5, 0.0),
        # Mirror images: last step up.
        (-1.0, -3.0, 0.5, 0.1 + 0.5 * 1.0 / 2.0),
        (-2.5, -3.0, 0.5, 0.25 + 1.0),
        (-2.0, -3.0, 0.5, 0.2 + 1.0),
        (-4.0, -3.0, 0.5, 0.4 + 1.0),
        (1.0, -3.0, 0.5, -0.5 * 1.0 / 4.0),
        (0.0, -3.0, 0.5, 0.0),
        # No slope before a step: only one side is limited.
        (-1.0, 0.0, 0.5, 0.1 + 1.0),
        (1.0, 0.0, 0.5, -0.5),
        (0.0, 0.0, 0.5, 1.0),
        # A step uphill, which is never taken: the parabola has a maximum.
        (1.0, 3.0, 0.5, 1.0),
        (2.5, 3.0, 0.5, 0.5 * 2.5 / 0.5),
        (4.0, 3.0, 0.5, -0.5 * 4.0),
        (3.0, 3.0, 0.5, math.inf),  # no extremum at all, as the C program divides
        (-3.0, -3.0, -0.5, math.inf),  # not the mirror image: p - s is +0 in both
    ],
)
def test_every_branch_by_hand(s, p, d, step):
    assert quickprop_step(s, p, d, epsilon=EPSILON, mu=MU) == pytest.approx(step, rel=1e-15)
    assert step_of(s, p, d) == pytest.approx(step, rel=1e-15)


def step_of(s: float, p: float, d: float) -> float:
    state = Quickprop(*(torch.tensor([v], dtype=torch.float64) for v in (0.0, d, p)))
    state.update(torch.tensor([s], dtype=torch.float64), epsilon=EPSILON, mu=MU)
    return float(state.steps)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
@pytest.mark.parametrize("decay", [0.0, 1e-2])
def test_tensors_take_the_branches(dtype, tolerance, decay):
    random = torch.Generator().manual_seed(0)
    edges = torch.tensor([0.0, -0.0, 1.0, -1.0, 2 / 3, -2 / 3, 1.5, -1.5, 1e-20, -1e-20])
    edge_cases = torch.cartesian_prod(edges, edges, edges, edges)
    sizes = 10 ** (6 * torch.rand(20000, 4, generator=random) - 3)
    random_cases = sizes * torch.randn(20000, 4, generator=random)
    for cases in (edge_cases, random_cases):
        w, s, p, d = cases.to(dtype).T.contiguous()
        state = Quickprop(w.clone(), d.clone(), p.clone())
        state.update(s.clone(), epsilon=0.35, mu=1.75, decay=decay)
        decayed = s.clone().add_(w, alpha=decay)
        steps = [
            quickprop_step(*case, epsilon=0.35, mu=1.75)
            for case in zip(decayed.tolist(), p.tolist(), d.tolist(), strict=True)
        ]
        expected = torch.tensor(steps, dtype=torch.float64)
        # In float32 p - s is rounded, and the smallest numbers lose digits.
        near = 1e-3 if dtype == torch.float32 else 0.0
        well = ((p - decayed).abs() >= near * p.abs()) | (p == decayed)
        torch.testing.assert_close(
            state.steps.double()[well], expected[well], rtol=tolerance, atol=1e-40
        )
        assert torch.equal(state.slopes, decayed)
        assert torch.equal(state.weights, w + state.steps)


def test_a_parabola_is_solved_in_one_step_after_the_first():
    """E = (w - 3)^2 / 2 for the first weight, an even flatter one for the second."""
    curvature, minimum = torch.tensor([1.0, 0.2]), torch.tensor([3.0, 3.0])
    state = Quickprop.start(torch.zeros(2))
    state.update(curvature * (state.weights - minimum), epsilon=0.9, mu=10.0)
    torch.testing.assert_close(state.weights, torch.tensor([2.7, 0.54]))
    state.update(curvature * (state.weights - minimum), epsilon=0.0, mu=10.0)
    torch.testing.assert_close(state.weights, minimum)


def test_a_slope_that_is_no_number_is_not_swallowed():
    state = Quickprop(torch.zeros(3), torch.tensor([0.0, 1.0, -1.0]), torch.tensor([0.0, -1, 1]))
    state.update(torch.full((3,), torch.nan), epsilon=0.1, mu=2.0)
    assert bool(state.weights.isnan().all())


def test_rows_can_be_taken_and_connections_joined():
    state = Quickprop(*(torch.arange(6.0).view(3, 2) + shift for shift in (0, 10, 20)))
    rows = state.map(lambda tensor: tensor[1:])
    assert rows.steps.tolist() == [[12, 13], [14, 15]]
    joined = rows.join(Quickprop.start(torch.full((2, 1), 7.0)))
    assert joined.weights.tolist() == [[2, 3, 7], [4, 5, 7]]
    assert joined.slopes.tolist() == [[22, 23, 0], [24, 25, 0]]
