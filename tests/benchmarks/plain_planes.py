"""The digit net the straightforward way: one net, an ordinary torch module, autograd."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

from oldschool.data.task import Task
from oldschool.nets.planes import Convolution
from oldschool.nets.stack import Stack


class PlainDigits(nn.Module):
    """The 2578-parameter net; H3 as two groups, with zeros for the planes that are not read."""

    mask: Tensor

    def __init__(self, net: Stack, theta: Tensor) -> None:
        super().__init__()
        pieces = [theta[place] for one in net.layers for place in (one.weights, one.biases)]
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = pieces
        h3 = net.schemes[2]
        assert isinstance(h3, Convolution) and h3.table is not None
        kernels, mask = theta.new_zeros(12, 2, 5, 5), theta.new_zeros(12, 2, 5, 5)
        places = [(number, plane % 2) for number, row in enumerate(h3.table) for plane in row]
        for place, kernel in zip(places, w3.view(-1, 5, 5), strict=True):
            kernels[place], mask[place] = kernel, 1.0
        self.register_buffer("mask", mask)
        self.h1, self.h1_bias = nn.Parameter(w1.view(4, 1, 5, 5).clone()), nn.Parameter(b1.clone())
        self.h2, self.h2_bias = nn.Parameter(w2.clone()), nn.Parameter(b2.clone())
        self.h3, self.h3_bias = nn.Parameter(kernels), nn.Parameter(b3.clone())
        self.h4, self.h4_bias = nn.Parameter(w4.clone()), nn.Parameter(b4.clone())
        self.output = nn.Linear(192, 10, dtype=theta.dtype)
        with torch.no_grad():
            self.output.weight.copy_(w5.view(10, 192))
            self.output.bias.copy_(b5)

    def forward(self, x: Tensor) -> Tensor:
        x = squash(conv2d(x.view(-1, 1, 28, 28), self.h1, self.h1_bias))
        x = squash(subsample(x, self.h2, self.h2_bias))
        x = squash(conv2d(x, self.h3 * self.mask, self.h3_bias, groups=2))
        x = squash(subsample(x, self.h4, self.h4_bias))
        return squash(self.output(x.flatten(1)))


def squash(a: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 / 3 * a)


def subsample(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = avg_pool2d(x, 2, divisor_override=1)
    return sums * weight[:, None, None] + bias[:, None, None]


def gradient(module: nn.Module, task: Task, batch: int) -> list[Tensor]:
    """dE/dw of every parameter, a mean over the samples."""
    module.zero_grad()
    for x, t in zip(task.x.split(batch), task.t.split(batch), strict=True):
        (0.5 * (module(x) - t).square().sum()).backward()
    return [parameter.grad / len(task) for parameter in module.parameters()]


def train(module: nn.Module, task: Task, scales: list[Tensor], batch: int) -> None:
    """On-line descent with a step a weight; the look that gives the steps is not counted."""
    parameters, left = list(module.parameters()), 1.0
    for part in torch.randperm(len(task)).split(batch):
        module.zero_grad()
        (0.5 * (module(task.x[part]) - task.t[part]).square().sum()).backward()
        with torch.no_grad():
            for parameter, scale in zip(parameters, scales, strict=True):
                parameter.addcmul_(scale, parameter.grad, value=-left)
        left -= len(part) / len(task)


def averaged() -> nn.Sequential:
    """A peer that other libraries have rules for: averages for weighted subsampling, H3 dense."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Tanh(),
        nn.Conv2d(4, 12, 5, groups=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(192, 10),
        nn.Tanh(),
    )
