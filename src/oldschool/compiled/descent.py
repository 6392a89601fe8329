"""The compiled form of a step with max-norm: see ``descent.c``.

The form to read is :func:`oldschool.dropout.descent.descend_`, which calls this one where it can.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from oldschool.compiled.library import library

_REALS = {torch.float32: (), torch.float64: ("REAL=double",)}

Descend = Callable[[Tensor, Tensor, float, float, Tensor | None], None]


def compiled(*tensors: Tensor) -> Descend | None:
    """The compiled step of one net's layer, or None where there is none for these tensors.

    It takes w (units, inputs), its velocity, the rate, c, and further weights (units, more) of
    the same units or None, all as of the tensors given here, and changes weights in place. It
    runs on as many threads as torch does, or not at all.
    """
    dtype = tensors[0].dtype
    plain = dtype in _REALS and all(
        one.device.type == "cpu" and one.dtype == dtype and one.is_contiguous() for one in tensors
    )
    code = library("descent", *_REALS[dtype], openmp=True) if plain else None
    # On one thread of several it gains nothing over operations on tensors. Torch is asked first:
    # in a thread that has not used it yet, that sets the count of both.
    if code is None or torch.get_num_threads() != code.threads():
        return None
    return _descend(code)


@cache
def _descend(code: ctypes.CDLL) -> Descend:
    address, real, count = ctypes.c_void_p, ctypes.c_double, ctypes.c_int64

    def descend(w: Tensor, v: Tensor, rate: float, limit: float, others: Tensor | None) -> None:
        units, inputs = w.shape
        more, further = (0, None) if others is None else (others.shape[1], others.data_ptr())
        if v.shape != w.shape or (others is not None and len(others) != units):
            raise ValueError(
                "a velocity, and further weights, are of the same units as the weights"
            )
        code.descend(
            address(w.data_ptr()), address(v.data_ptr()), address(further),
            real(rate), real(limit), count(units), count(inputs), count(more),
        )  # fmt: skip

    return descend
