"""Small nets and tasks that several tests share."""

import torch

from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp

ARCHITECTURES = [
    Mlp((3, 2), "tanh", "logistic"),
    Mlp((4, 3, 1), "logistic", "logistic"),
    Mlp((3, 4, 2), "tanh", "linear"),
    Mlp((2, 3, 4, 2), "tanh", "logistic"),
    Mlp((2, 3, 3, 3, 2), "lecun_tanh", "lecun_tanh"),
]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def task_for(net: Mlp, samples: int = 7, seed: int = 0) -> Task:
    random = generator(seed)
    x = torch.randn(samples, net.sizes[0], generator=random, dtype=torch.float64)
    t = torch.rand(samples, net.sizes[-1], generator=random, dtype=torch.float64)
    return Task(x, t)


def own_tasks(net: Mlp, nets: int, samples: int = 7) -> Task:
    """A task of its own for each of several nets: x (R, P, inputs), t (R, P, outputs)."""
    tasks = [task_for(net, samples, seed) for seed in range(nets)]
    return Task(torch.stack([task.x for task in tasks]), torch.stack([task.t for task in tasks]))


def weights_for(net: Mlp, nets: int = 3, bound: float = 1.5) -> torch.Tensor:
    return net.uniform([generator(seed) for seed in range(nets)], bound)


def as_module(net: Mlp, theta: torch.Tensor) -> torch.nn.Sequential:
    """One net, weights (N,), as an ordinary torch module: written apart from ``Mlp``."""
    units = {"tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid, "linear": torch.nn.Identity}
    parts: list[torch.nn.Module] = []
    place = 0
    for depth, (inputs, outputs) in enumerate(zip(net.sizes, net.sizes[1:], strict=False)):
        linear = torch.nn.Linear(inputs, outputs, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(theta[place : place + inputs * outputs].view(outputs, inputs))
            place += inputs * outputs
            linear.bias.copy_(theta[place : place + outputs])
            place += outputs
        last = depth == len(net.sizes) - 2
        parts += [linear, units[net.output if last else net.hidden]()]
    return torch.nn.Sequential(*parts)
