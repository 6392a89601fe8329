"""Small nets with masks, and the same computed by automatic differentiation."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters, fan_in_sds
from oldschool.dropout.noise import Kind, Noise
from oldschool.dropout.penalties import Penalties
from tests.problems import generator

F64 = torch.float64
SIZES, BATCH = (5, 7, 6, 4), 9
NETS = [
    Architecture(SIZES, "relu", "softmax"),
    Architecture(SIZES, "logistic", "softmax"),
    Architecture(SIZES, "relu", "logistic"),
    Architecture(SIZES, "logistic", "linear"),
    Architecture((5, 4), "relu", "softmax"),
]


def start(net: Architecture, nets: int = 3, dtype: torch.dtype = F64) -> Parameters:
    """Weights that make about half of the ReLU units active; biases not nought."""
    parameters = net.gaussian(
        [generator(seed) for seed in range(nets)], fan_in_sds(net.sizes, 1.5), dtype
    )
    for depth, bias in enumerate(parameters.biases):
        for one in range(nets):
            bias[one].normal_(0.0, 0.3, generator=generator(1000 + 10 * depth + one))
    return parameters


def data(net: Architecture, nets: int = 3, samples: int = BATCH) -> tuple[Tensor, Tensor]:
    """Inputs (R, P, inputs) and targets (R, P, outputs); one-hot for softmax outputs."""
    random = generator(7)
    x = torch.randn(nets, samples, net.sizes[0], generator=random, dtype=F64)
    if net.output == "softmax":
        labels = torch.randint(net.sizes[-1], (nets, samples), generator=random)
        return x, torch.nn.functional.one_hot(labels, net.sizes[-1]).to(F64)
    return x, torch.rand(nets, samples, net.sizes[-1], generator=random, dtype=F64)


def noise_for(
    net: Architecture,
    kind: Kind,
    keep: Sequence[Sequence[float]],
    samples: int = BATCH,
    dtype: torch.dtype = F64,
) -> Noise:
    """Noise with p (R, layers)."""
    p = torch.tensor(keep, dtype=F64)
    return Noise(kind, p, net.sizes[:-1], samples, range(len(p)), dtype=dtype)


def errors(
    net: Architecture,
    parameters: Parameters,
    x: Tensor,
    t: Tensor,
    factors: Sequence[Tensor | None],
    penalties: Penalties,
) -> Tensor:
    """The sum of the nets' errors with penalties, from torch's own functions, net by net."""
    total = x.new_zeros(())
    functional = torch.nn.functional
    for one in range(len(parameters)):
        y = x[one]
        for depth, (w, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
            r = factors[depth]
            y = y if r is None else y * r[one]
            if depth and penalties.sparsity:
                rho, mean = penalties.sparsity.target, y.mean(0)
                mean = mean[mean > 0]  # dead units pay what nothing can change
                ratio = rho * (rho / mean).log()
                if net.hidden == "relu":
                    divergence = ratio - rho + mean
                else:
                    divergence = ratio + (1 - rho) * ((1 - rho) / (1 - mean)).log()
                total = total + penalties.sparsity.cost * divergence.sum()
            z = functional.linear(y, w[one], b[one])
            y = torch.relu(z) if net.hidden == "relu" else torch.sigmoid(z)
            total = total + 0.5 * penalties.l2 * w[one].pow(2).sum()
            total = total + penalties.l1 * w[one].abs().sum()
        if net.output == "softmax":
            error = functional.cross_entropy(z, t[one], reduction="sum")
        elif net.output == "logistic":
            error = functional.binary_cross_entropy_with_logits(z, t[one], reduction="sum")
        else:
            error = 0.5 * functional.mse_loss(z, t[one], reduction="sum")
        total = total + error / x.shape[1]
    return total


def gradient(*args) -> list[Tensor]:
    """d errors / d weights and biases, in the order of ``Parameters.tensors``."""
    net, parameters, *rest = args
    free = [tensor.clone().requires_grad_() for tensor in parameters.tensors]
    layers = net.layers
    split = Parameters(tuple(free[:layers]), tuple(free[layers:]))
    return list(torch.autograd.grad(errors(net, split, *rest), free))


def all_masks(units: int) -> Tensor:
    """Every mask of 0 and 1, (2^units, units)."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=units)), dtype=F64)
