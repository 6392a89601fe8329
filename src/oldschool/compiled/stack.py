"""The compiled form of nets of planes: see ``stack.c``.

The forms to read are :class:`oldschool.nets.stack.Stack`,
:func:`oldschool.curvature.recursion.recursive_diagonal` and
:func:`oldschool.training.diagonal_lm.stochastic_diagonal_lm`, which call this one where they can.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from torch import Tensor

from oldschool.compiled.library import library
from oldschool.nets.planes import Connections, Convolution, Dense, Subsampling
from oldschool.nets.stack import Place, Stack
from oldschool.nets.units import LECUN_SCALE, LECUN_SLOPE

_REALS = {torch.float32: (), torch.float64: ("REAL=double",)}
_UNITS = ("linear", "tanh", "logistic", "lecun_tanh", "relu")
_KINDS: tuple[type[Connections], ...] = (Dense, Convolution, Subsampling)
_INT = ctypes.POINTER(ctypes.c_int32)


class _Layer(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("kind", "transfer")),
        *((name, ctypes.c_int32) for name in ("maps_below", "height_below", "width_below")),
        *((name, ctypes.c_int32) for name in ("maps", "height", "width")),
        *((name, ctypes.c_int32) for name in ("kernel", "stride", "padding", "shared_bias")),
        *((name, ctypes.c_int32) for name in ("weights", "biases")),
        ("start", _INT),
        ("planes", _INT),
        ("border", ctypes.c_double),
    )


class _Net(ctypes.Structure):
    _fields_ = (
        ("depth", ctypes.c_int32),
        ("parameters", ctypes.c_int32),
        ("scale", ctypes.c_double),
        ("slope", ctypes.c_double),
        ("layers", ctypes.POINTER(_Layer)),
    )


class CompiledStack:
    """Passes through R nets of one architecture, on as many threads as torch has.

    All tensors are of ``dtype``, on the CPU. What does not fit the net is a ValueError here, as
    the library would read and write beside it.

    Args:
        net: the architecture.
        dtype: of the library's reals.
        code: the library.
    """

    def __init__(self, net: Stack, dtype: torch.dtype, code: ctypes.CDLL):
        self._stack, self._dtype = net, dtype
        self._layers = (_Layer * len(net.layers))(*map(_layer, net.layers))
        self._net = _Net(len(net.layers), net.weights, LECUN_SCALE, LECUN_SLOPE, self._layers)
        # Places in what is kept of a step are 32 bits wide; a step is filled up by 15 at most.
        self._most = 2**31 // max(map(_reals, self._layers)) - 16
        self._code = code
        code.derivatives.restype = ctypes.c_double

    def outputs(self, theta: Tensor, x: Tensor) -> Tensor:
        """(R, K, P) for weights (R, N) and inputs (P, inputs)."""
        self._require(theta, x)
        theta, x = theta.contiguous(), x.contiguous()
        found = theta.new_empty(len(theta), self._stack.outputs_count, len(x))

        def one(k: int) -> None:
            self._code.outputs(
                ctypes.byref(self._net), _at(theta[k]), _at(x), _count(len(x)), _at(found[k])
            )

        _each(len(theta), one)
        return found

    def derivatives(
        self, theta: Tensor, x: Tensor, t: Tensor, order: Tensor, *, full: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sums of E = 1/2 |t - o|^2 over samples, (R,), of its gradient and h_kk, (R, N).

        Args:
            theta: weights (R, N).
            x: inputs (P, inputs).
            t: targets (P, K).
            order: each net's samples, (R, S) int64.
            full: with the f'' terms; else the gradient is NaN.
        """
        self._require(theta, x, t, order)
        theta, x, t, order = (one.contiguous() for one in (theta, x, t, order))
        error = torch.zeros(len(theta), dtype=torch.float64)
        gradient, diagonal = (torch.zeros_like(theta, dtype=torch.float64) for _ in range(2))

        def one(k: int) -> None:
            error[k] = self._code.derivatives(
                ctypes.byref(self._net), _at(theta[k]), _at(x), _at(t), _at(order[k]),
                _count(order.shape[1]), int(full), _at(gradient[k]), _at(diagonal[k]),
            )  # fmt: skip

        _each(len(theta), one)
        if not full:
            gradient.fill_(torch.nan)
        return error.to(theta), gradient.to(theta), diagonal.to(theta)

    def descend(
        self, theta: Tensor, scale: Tensor, x: Tensor, t: Tensor, order: Tensor, batch: int,
        taken: int, shown: int,
    ) -> None:  # fmt: skip
        """A pass of stochastic descent, theta -= (1 - taken / shown) scale dE/dtheta, in place.

        Args:
            theta: weights (R, N), contiguous.
            scale: of the step of each weight, (R, N).
            x: inputs (P, inputs).
            t: targets (P, K).
            order: each net's samples, (R, S) int64.
            batch: samples of a step.
            taken: samples shown before this pass.
            shown: samples of the whole training.
        """
        self._require(theta, x, t, order, scale)
        batch = min(batch, max(1, order.shape[1]))
        if not 1 <= batch <= self._most:
            raise ValueError(f"a step of this net takes 1 to {self._most} samples, not {batch}")
        if not theta.is_contiguous():
            raise ValueError("weights that are changed in place have to be contiguous")
        scale, x, t, order = (one.contiguous() for one in (scale, x, t, order))

        def one(k: int) -> None:
            self._code.descend(
                ctypes.byref(self._net), _at(theta[k]), _at(scale[k]), _at(x), _at(t),
                _at(order[k]), _count(order.shape[1]), batch, ctypes.c_double(taken),
                ctypes.c_double(shown),
            )  # fmt: skip

        _each(len(theta), one)

    def _require(
        self, theta: Tensor, x: Tensor, t: Tensor | None = None, order: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> None:  # fmt: skip
        self._stack.require(theta, x)
        reals = [one for one in (theta, x, t, scale) if one is not None]
        fits = [
            x.ndim == 2,
            all(one.dtype == self._dtype and one.device.type == "cpu" for one in reals),
            t is None or t.shape == (len(x), self._stack.outputs_count),
            scale is None or scale.shape == theta.shape,
            order is None or _selects(order, len(theta), len(x)),
        ]
        if not all(fits):
            given = [one for one in (theta, x, t, scale, order) if one is not None]
            raise ValueError(
                f"the net takes weights, inputs, targets (P, {self._stack.outputs_count}), "
                f"scales and orders of samples that fit one another, {self._dtype} on the CPU, "
                f"not {', '.join(f'{tuple(one.shape)} {one.dtype}' for one in given)}"
            )


def compiled(net: Stack, *tensors: Tensor) -> CompiledStack | None:
    """The compiled form of a net, or None where there is none for these tensors."""
    dtype = tensors[0].dtype
    plain = (
        type(net) is Stack
        and dtype in _REALS
        and all(
            one.device.type == "cpu" and one.dtype == dtype and not one.requires_grad
            for one in tensors
        )
    )
    return _compiled(net, dtype) if plain else None


@cache
def _compiled(net: Stack, dtype: torch.dtype) -> CompiledStack | None:
    known = all(
        type(layer.scheme) in _KINDS and layer.transfer.name in _UNITS for layer in net.layers
    )
    code = library("stack", *_REALS[dtype]) if known else None
    return None if code is None else CompiledStack(net, dtype, code)


def _layer(layer: Place) -> _Layer:
    scheme = layer.scheme
    maps, height, width = scheme.above
    kernel, stride, padding, shared, border = 1, 1, 0, False, 0.0
    table: tuple[tuple[int, ...], ...] = ()
    if isinstance(scheme, Convolution):
        kernel, stride, padding = scheme.kernel, scheme.stride, scheme.padding
        shared, border = scheme.shared_bias, scheme.border
        table = scheme.table or (tuple(range(scheme.below.maps)),) * scheme.maps
    elif isinstance(scheme, Subsampling):
        kernel, shared = scheme.size, True
    starts = [sum(map(len, table[:row])) for row in range(len(table) + 1)]
    planes = [plane for row in table for plane in row]
    return _Layer(
        _KINDS.index(type(scheme)), _UNITS.index(layer.transfer.name), *scheme.below,
        maps, height, width, kernel, stride, padding, shared,
        layer.weights.start, layer.biases.start,
        (ctypes.c_int32 * len(starts))(*starts), (ctypes.c_int32 * len(planes))(*planes), border,
    )  # fmt: skip


def _reals(layer: _Layer) -> int:
    """At least as many as are kept of one sample for a layer."""
    height, width = (
        side + 2 * layer.padding + layer.stride for side in (layer.height_below, layer.width_below)
    )
    return int(max(layer.maps_below * height * width, layer.maps * layer.height * layer.width))


def _selects(order: Tensor, nets: int, samples: int) -> bool:
    """Whether it is samples of each net, (R, S) int64, from 0 to P - 1."""
    if order.dtype != torch.int64 or order.ndim != 2 or len(order) != nets:
        return False
    return order.numel() == 0 or (int(order.min()) >= 0 and int(order.max()) < samples)


def _each(count: int, one: Callable[[int], None]) -> None:
    """``one`` of every net; the library's calls let the other threads run."""
    threads = min(count, torch.get_num_threads())
    if threads <= 1:
        for k in range(count):
            one(k)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))


def _at(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def _count(count: int) -> ctypes.c_int64:
    return ctypes.c_int64(count)
