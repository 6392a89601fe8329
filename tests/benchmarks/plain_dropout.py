"""Dropout the straightforward way: an ordinary torch module, autograd, torch's optimiser."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn


def module(sizes: tuple[int, ...], dropped: tuple[float, ...]) -> nn.Sequential:
    """ReLU layers with ``nn.Dropout`` before each layer of weights."""
    parts: list[nn.Module] = []
    for inputs, outputs, q in zip(sizes, sizes[1:], dropped, strict=False):
        parts += [nn.Dropout(q), nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def updates(
    model: nn.Sequential, x: Tensor, labels: Tensor, batch: int, limit: float
) -> Callable[[], None]:
    """An update with momentum and max-norm a call, on mini-batches drawn with replacement."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    linear = [part for part in model if isinstance(part, nn.Linear)]

    def update() -> None:
        index = torch.randint(len(x), (batch,), device=x.device)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x[index]), labels[index]).backward()
        optimiser.step()
        with torch.no_grad():
            for part in linear:
                part.weight.copy_(torch.renorm(part.weight, 2, 0, limit))

    return update


def bare_products(sizes: tuple[int, ...], batch: int, device: str) -> Callable[[], None]:
    """The matrix products of an update alone: forward, back but for the inputs, gradients."""

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device)

    layers = [
        (random(batch, i), random(o, i), random(batch, o), random(batch, o), random(batch, i))
        for i, o in itertools.pairwise(sizes)
    ]
    gradients = [torch.empty_like(w) for _, w, *_ in layers]

    def products() -> None:
        for depth, (x, w, delta, z, pull) in enumerate(layers):
            torch.mm(x, w.T, out=z)
            if depth:
                torch.mm(delta, w, out=pull)
            torch.mm(delta.T, x, out=gradients[depth])

    return products
