"""Pickles from elsewhere: numpy arrays and plain values are read, anything else is refused."""

from __future__ import annotations

import gzip
import pickle
from typing import IO, Any

import numpy as np

from oldschool.errors import DataError

_RECONSTRUCT = np.empty(0).__reduce__()[0]  # wherever this version of numpy keeps it
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ALLOWED[module, name]


def arrays(file: IO[bytes] | gzip.GzipFile, name: str) -> Any:
    """What is pickled: arrays, numbers, text, and tuples, lists and dicts of these.

    Args:
        file: a pickle; the strings of a Python 2 one come as bytes.
        name: of the file, for messages.

    Raises:
        DataError: it is no such pickle.
    """
    try:
        return _Arrays(file, encoding="bytes").load()
    except Exception as error:  # a damaged pickle may raise whatever it likes
        raise DataError(
            f"{name} is no pickle of numpy arrays alone, so it is not read: {error}"
        ) from error
