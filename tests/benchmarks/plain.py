"""The straightforward way: one net at a time, ordinary torch modules, the paper's recursion.

What a reader of the paper would write: autograd for every gradient, ``torch.func`` for second
derivatives, a rank-1 step for every training case. The benchmarks hold the batch against it.
"""

import torch
from torch import Tensor

from oldschool.curvature.inverse import recursive_inverse
from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp
from tests.problems import as_module


def train(net: Mlp, theta: Tensor, task: Task, decay: float, epochs: int, tolerance: float):
    """Back-propagation with momentum, then damped Newton steps to a gradient norm."""
    module = as_module(net, theta)
    samples = len(task)
    sgd = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=samples * decay)
    for _ in range(epochs):
        sgd.zero_grad()
        (0.5 * (module(task.x) - task.t).square().sum()).backward()
        sgd.step()
    w = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])

    def objective(one: Tensor) -> Tensor:
        outputs = net.outputs(one[None], task.x)[0]
        return 0.5 * (outputs - task.t.T).square().sum() / samples + 0.5 * decay * one @ one

    gradient, hessian = torch.func.grad(objective), torch.func.hessian(objective)
    damping, value = 1e-2, objective(w)
    eye = torch.eye(len(w), dtype=w.dtype)
    for _ in range(160):
        slope = gradient(w)
        if slope.norm() <= tolerance:
            break
        factor, failed = torch.linalg.cholesky_ex(hessian(w) + damping * eye)
        trial = w - torch.cholesky_solve(slope[:, None], factor)[:, 0]
        if not failed and objective(trial) < value:
            w, value, damping = trial, objective(trial), max(damping / 10, 1e-14)
        else:
            damping *= 4
    return w


def prune(net: Mlp, w: Tensor, task: Task, alpha: float):
    """Optimal Brain Surgeon until a training case would be lost; the number of weights left."""
    kept = list(range(net.weights))
    jacobian = torch.func.jacrev(lambda one: net.outputs(one[None], task.x)[0, 0])
    while kept:
        x = jacobian(w)[:, kept].T[:, None]
        inverse = recursive_inverse(x, alpha)
        rise = w[kept] ** 2 / (2 * inverse.diagonal())
        k = int(rise.argmin())
        trial = w.clone()
        trial[kept] = w[kept] - w[kept[k]] / inverse[k, k] * inverse[:, k]
        trial[kept[k]] = 0
        outputs = net.outputs(trial[None], task.x)[0, 0]
        if not bool(((outputs > 0.5) == (task.t[:, 0] > 0.5)).all()):
            break
        w = trial
        kept.pop(k)
    return len(kept)
