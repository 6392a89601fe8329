"""Derivatives of any torch module's outputs by its parameters, by torch.func."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from oldschool.nets.parameters import Parameter, evaluating, flat

_HELD = 8_000_000  # numbers of a block held at a time


def gradient_blocks(
    model: nn.Module, parameters: Sequence[Parameter], x: Tensor, held: int = _HELD
) -> Iterator[Tensor]:
    """X^T for every sample and output, in evaluation, block by block.

    Args:
        model: takes samples with a leading dimension for them and gives a tensor.
        parameters: those to derive by, n numbers in all.
        x: samples, (P, ...).
        held: numbers that a block may have; one row's n at least.

    Yields:
        (b, n): derivatives of one output of one sample by each weight; 0 where pruned.
    """
    leaves = {one.key: one.leaf.detach() for one in parameters}
    weights = sum(leaf.numel() for leaf in leaves.values())

    def of_sample(sample: Tensor, rows: Tensor) -> dict[str, Tensor]:
        def outputs(leaves: dict[str, Tensor]) -> Tensor:
            found: Tensor = functional_call(model, leaves, (sample[None],))
            return found.flatten()

        pull = vjp(outputs, leaves)[1]
        found: dict[str, Tensor] = vmap(pull)(rows)[0]
        return found

    with torch.no_grad(), evaluating(model):
        first = model(x[:1])
    selectors = torch.eye(first.numel(), dtype=first.dtype, device=first.device)
    for rows in torch.split(selectors, max(1, held // weights)):
        for samples in torch.split(x, max(1, held // (weights * len(rows)))):
            with evaluating(model):
                found = vmap(of_sample, in_dims=(0, None))(samples, rows)
            yield torch.cat([found[key].flatten(2) for key in leaves], 2).flatten(0, 1)


def gauss_newton_diagonal(
    model: nn.Module, parameters: Sequence[Parameter], x: Tensor, held: int = _HELD
) -> Tensor:
    """h_kk = 1/P sum over samples and outputs of (do/dw_k)^2, exactly: (n,), never negative.

    Arguments as for :func:`gradient_blocks`.
    """
    found = torch.zeros_like(flat([one.leaf.detach() for one in parameters]))
    for block in gradient_blocks(model, parameters, x, held):
        found += block.square_().sum(0)
    return found / len(x)


def error_and_gradient(
    model: nn.Module, parameters: Sequence[Parameter], x: Tensor, t: Tensor, batch: int = 256
) -> tuple[float, Tensor]:
    """E = 1/(2P) sum |t - o|^2 in evaluation, and dE/dw.

    Args:
        model: as for :func:`gradient_blocks`.
        parameters: those to derive by, n numbers in all.
        x: samples, (P, ...).
        t: targets, of the shape of the outputs.
        batch: samples taken at a time.

    Returns:
        E, and the gradient (n,), 0 where pruned.

    Raises:
        ValueError: the targets are not of the outputs' shape, or not one a sample.
    """
    if len(x) != len(t):
        raise ValueError(f"{len(t)} targets for {len(x)} samples")
    leaves = [one.leaf for one in parameters]
    total, gradient = 0.0, torch.zeros_like(flat([leaf.detach() for leaf in leaves]))
    for samples, targets in zip(torch.split(x, batch), torch.split(t, batch), strict=True):
        with evaluating(model), torch.enable_grad():
            outputs = model(samples)
            if outputs.shape != targets.shape:
                raise ValueError(
                    f"targets of shape {(len(t), *t.shape[1:])} for outputs of shape "
                    f"{(len(x), *outputs.shape[1:])}"
                )
            summed = 0.5 * (outputs - targets).square().sum()
            gradient += flat(torch.autograd.grad(summed, leaves, materialize_grads=True))
        total += float(summed.detach())
    return total / len(x), gradient / len(x)


def error_of(model: nn.Module, x: Tensor, t: Tensor, batch: int = 256) -> float:
    """E alone; arguments as for :func:`error_and_gradient`."""
    total = 0.0
    for samples, targets in zip(torch.split(x, batch), torch.split(t, batch), strict=True):
        with torch.no_grad(), evaluating(model):
            total += 0.5 * float((model(samples) - targets).square().sum())
    return total / len(x)
