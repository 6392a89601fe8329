"""What tests make data files of: pickles of Python 2, pickles of bad intent, images."""

from __future__ import annotations

import io
import os
import pickle
import struct
from pathlib import Path
from typing import ClassVar


class _Python2(pickle._Pickler):
    """Protocol 2, text and bytes as the one kind of string that Python 2 had."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def _string(self, value: str | bytes) -> None:
        raw = value.encode() if isinstance(value, str) else value
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = _string


def python2(value: object) -> bytes:
    """The pickle of plain values and arrays that numpy 1 wrote under Python 2."""
    file = io.BytesIO()
    _Python2(file, protocol=2).dump(value)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


class Touching:
    """Whoever unpickles this without care makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def pixel(image, channel, row, column):
    """A grey level for each place of coloured images; whole arrays of places, too."""
    return (7 * image + 31 * channel + 3 * row + 101 * column) % 256
