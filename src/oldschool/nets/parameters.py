"""The free parameters of a torch module, under the masks of torch.nn.utils.prune if it has any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod

from oldschool.errors import UserError

# Their forward passes read parameters past the hooks that torch.nn.utils.prune masks them by.
_PAST_HOOKS = (nn.RNNBase, nn.MultiheadAttention)


class UnmaskableError(UserError, ValueError):
    """A module's parameters cannot be masked by torch.nn.utils.prune."""


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter that is trained, with the places that hold it; a tied one has several.

    Attributes:
        names: dotted names of the places, without the ``_orig`` of a masked one.
        owners: the module and attribute of each place.
        leaf: what the optimizer sees.
    """

    names: tuple[str, ...]
    owners: tuple[tuple[nn.Module, str], ...]
    leaf: nn.Parameter

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def key(self) -> str:
        """Its name in the module's ``named_parameters``, as torch.func takes it."""
        return self.name if self._mask is None else f"{self.name}_orig"

    @property
    def kept(self) -> Tensor:
        """False where pruned already, bool of the parameter's shape."""
        mask = self._mask
        return torch.ones_like(self.leaf, dtype=torch.bool) if mask is None else mask != 0

    @property
    def value(self) -> Tensor:
        """The parameter as the forward pass sees it, detached; nought where pruned already."""
        return self.leaf.detach() * self.kept

    @property
    def is_bias(self) -> bool:
        return self.owners[0][1].endswith("bias")

    @property
    def _mask(self) -> Tensor | None:
        module, attribute = self.owners[0]
        mask = getattr(module, f"{attribute}_mask", None)
        return mask if isinstance(mask, Tensor) else None


def free_parameters(model: nn.Module) -> list[Parameter]:
    """Those that require a gradient, in the order of the module's ``named_parameters``.

    Raises:
        UnmaskableError: a part of the model is parametrized, or reads its parameters past the
            hooks that mask them, or there are no free parameters.
    """
    leaves: dict[int, nn.Parameter] = {}
    places: dict[int, list[tuple[str, nn.Module, str]]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        _check(path, module)
        for attribute, leaf in module.named_parameters(recurse=False):
            if leaf.requires_grad:
                attribute = _unmasked(module, attribute)
                name = f"{path}.{attribute}" if path else attribute
                leaves[id(leaf)] = leaf
                places.setdefault(id(leaf), []).append((name, module, attribute))
    if not leaves:
        raise UnmaskableError(f"{type(model).__name__} has no parameters that require a gradient")
    return [
        Parameter(
            tuple(name for name, _, _ in places[key]),
            tuple((module, attribute) for _, module, attribute in places[key]),
            leaf,
        )
        for key, leaf in leaves.items()
    ]


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """One vector of them all."""
    return torch.cat([tensor.flatten() for tensor in tensors])


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode with masks up to date, and afterwards every part's mode as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    _mask(model)  # an optimizer's step leaves the masked parameters behind until a forward pass
    try:
        yield
    finally:
        for module in training:
            module.training = True
        _mask(model)  # a transform of torch.func leaves its own tensors in their places


@torch.no_grad()  # so that the model can be copied: deepcopy takes no tensor with a graph
def _mask(model: nn.Module) -> None:
    for module in model.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, BasePruningMethod):
                hook(module, ())


def _unmasked(module: nn.Module, attribute: str) -> str:
    bare = attribute.removesuffix("_orig")
    return bare if hasattr(module, f"{bare}_mask") else attribute


def _check(path: str, module: nn.Module) -> None:
    kind = f"{path or 'the model'} ({type(module).__name__})"
    if parametrize.is_parametrized(module):
        raise UnmaskableError(
            f"{kind} is parametrized: call torch.nn.utils.parametrize.remove_parametrizations first"
        )
    if isinstance(module, _PAST_HOOKS):
        raise UnmaskableError(
            f"{kind} reads its parameters past the hooks that torch.nn.utils.prune masks them by: "
            "hand over the parts of the model without it"
        )
