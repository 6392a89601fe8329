"""Second-order training: Levenberg-Marquardt far from a minimum, Newton's method close to it."""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.curvature.gauss_newton import outputs_and_gradients
from oldschool.curvature.hessian import hessian, submatrix
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained, outcome

_SMALLEST_DAMPING, _LARGEST_DAMPING = 1e-14, 1e10


def damped_newton(
    objective: Objective,
    theta: Tensor,
    *,
    iterations: int,
    exact: bool = False,
    gradient_tolerance: float = 0.0,
    stop_error: float = 0.0,
    least_progress: float = 0.0,
    damping: float = 1e-2,
) -> Trained:
    """Damped second-order steps -(H + mu I)^-1 g, each net with its own mu.

    With the Gauss-Newton matrix as H this is Levenberg-Marquardt (Marquardt 1963), robust from
    anywhere but slow at the end where residuals or decay remain; with the exact Hessian it is
    Newton's method, quadratic at the end. A step that lowers a net's objective is taken and its
    mu divided by 10; else the net stays and its mu is multiplied by 4, also where H + mu I is
    not positive definite. Nets that are done leave the batch.

    Args:
        objective: what is minimised.
        theta: starting weights (R, N); not changed.
        iterations: most steps a net is given.
        exact: take the exact Hessian in place of the Gauss-Newton matrix.
        gradient_tolerance: a net is done when its gradient norm is at or below it.
        stop_error: a net is done when the data term of its objective is at or below it.
        least_progress: a net is done when a step lowers its objective by no more than this
            share of it.
        damping: first mu of every net.
    """
    theta = theta.clone()
    spent = torch.zeros(len(theta), dtype=torch.int64)
    alive = torch.arange(len(theta))
    part, now = objective, theta.clone()
    index = _kept_columns(objective, theta)
    mu = theta.new_full((len(theta),), damping)
    value, error, gradient, matrix = _expand(part, now, index, exact)
    moving = torch.ones_like(alive, dtype=torch.bool)
    for _ in range(iterations):
        going = (
            (gradient.norm(dim=1) > gradient_tolerance)
            & (error > stop_error)
            & (mu < _LARGEST_DAMPING)
            & value.isfinite()
            & moving
        )
        if not going.all():
            theta[alive] = now
            keep = going.nonzero()[:, 0]
            alive, now, mu, part = alive[keep], now[keep], mu[keep], part.subset(keep)
            value, error, index = value[keep], error[keep], index[keep]
            gradient, matrix = gradient[keep], matrix.index_select(0, keep)
            if len(keep) == 0:
                break
        damped = matrix.clone()
        damped.diagonal(dim1=1, dim2=2).add_(mu[:, None])
        factor, failed = torch.linalg.cholesky_ex(damped)
        step = torch.cholesky_solve(gradient[:, :, None], factor)[:, :, 0]
        trial = now.scatter_add(1, index, -step)
        new_value, new_error, new_gradient, new_matrix = _expand(part, trial, index, exact)
        better = (new_value < value) & (failed == 0)
        mu = torch.where(better, mu / 10, mu * 4).clamp_min(_SMALLEST_DAMPING)
        now = torch.where(better[:, None], trial, now)
        moving = ~better | (value - new_value > least_progress * value)
        value = torch.where(better, new_value, value)
        error = torch.where(better, new_error, error)
        gradient = torch.where(better[:, None], new_gradient, gradient)
        matrix = torch.where(better[:, None, None], new_matrix, matrix)
        spent[alive] += 1
    theta[alive] = now
    return outcome(objective, theta, spent)


def to_minimum(
    objective: Objective,
    theta: Tensor,
    *,
    iterations: int,
    newton_iterations: int,
    gradient_tolerance: float,
    stop_error: float = 0.0,
) -> Trained:
    """Levenberg-Marquardt, then Newton's method, to a gradient norm of ``gradient_tolerance``.

    ``iterations`` of the outcome counts both phases.
    """
    far = damped_newton(
        objective,
        theta,
        iterations=iterations,
        gradient_tolerance=gradient_tolerance,
        stop_error=stop_error,
    )
    near = damped_newton(
        objective,
        far.theta,
        iterations=newton_iterations,
        exact=True,
        gradient_tolerance=gradient_tolerance,
        stop_error=stop_error,
        damping=1e-4,
    )
    return outcome(objective, near.theta, far.iterations + near.iterations)


def _kept_columns(objective: Objective, theta: Tensor) -> Tensor:
    """Indices (R, n) of each net's kept weights, filled up with deleted ones to a common n."""
    if objective.mask is None:
        return torch.arange(theta.shape[1]).expand(len(theta), -1)
    kept = objective.mask.to(torch.int8)
    order = kept.argsort(dim=1, descending=True, stable=True)
    return order[:, : int(kept.sum(1).max())]


def _expand(
    objective: Objective, theta: Tensor, index: Tensor, exact: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Objective and data term (R,), gradient (R, n), second-derivative matrix (R, n, n).

    The last two are for the n weights of each net that ``index`` names; zero where deleted.
    """
    net, task = objective.net, objective.task
    live = None if objective.mask is None else objective.mask.gather(1, index)
    if exact:
        value, gradient = objective.value_and_gradient(theta)
        error = value - objective.penalty(theta)
        gradient = gradient.gather(1, index)
        matrix = hessian(net, theta, task, objective.error)
        if live is not None:
            matrix = submatrix(matrix, index) * (live[:, :, None] & live[:, None, :])
    else:
        outputs, gradients = outputs_and_gradients(net, theta, task.x, objective.error)
        # X sqrt(a) is what comes, so the gradient X dd/do takes dd/do over sqrt(a)
        residuals = objective.error.slope(outputs, task.t) / objective.error.weight(outputs).sqrt()
        x = gradients.flatten(2)
        decay = objective.penalty_gradient(theta).gather(1, index)
        if live is not None:
            # Rows as they lie in memory: several times as fast as an index of two dimensions.
            rows = (index + x.shape[1] * torch.arange(len(theta))[:, None]).flatten()
            x = x.flatten(0, 1).index_select(0, rows).view(*index.shape, x.shape[2])
            if not live.all():
                x *= live[:, :, None]
                decay = decay * live
        error = objective.error.value(outputs, task.t)
        value = error + objective.penalty(theta)
        gradient = torch.bmm(x, residuals.flatten(1)[:, :, None])[:, :, 0] / len(task) + decay
        matrix = torch.bmm(x, x.mT) / len(task)
    matrix.diagonal(dim1=1, dim2=2).add_(
        torch.as_tensor(objective.decay, dtype=theta.dtype).expand(len(theta))[:, None]
    )
    return value, error, gradient, matrix
