"""SVHN: small files of its format, from a folder and from a host."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.io import savemat

from oldschool.data import svhn
from oldschool.errors import DataError, UnavailableError
from tests.data.formats import pixel

SIZES = {"TRAIN": 5, "TEST": 3, "EXTRA": 4}


@pytest.fixture
def files(monkeypatch, host):
    """Content of three small files by name; the module expects these, at the host."""
    contents = {}
    for part, size in SIZES.items():
        row, column, channel, image = np.indices((32, 32, 3, size))
        mat = io.BytesIO()
        x = pixel(image, channel, row, column).astype(np.uint8)
        y = np.arange(10, 10 - size, -1, dtype=np.uint8)[:, None]  # 10 is the digit 0
        savemat(mat, {"X": x, "y": y}, do_compression=True)
        source = getattr(svhn, part)
        contents[source.name] = mat.getvalue()
        pinned = replace(
            source,
            sha256=hashlib.sha256(mat.getvalue()).hexdigest(),
            urls=host.urls(source.name),
        )
        monkeypatch.setattr(svhn, part, pinned)
    svhn.svhn.cache_clear()
    yield contents
    svhn.svhn.cache_clear()


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def test_images_are_read_by_channel_and_ten_is_the_digit_0(tmp_path, files, host):
    write(tmp_path / "svhn", files)
    found = svhn.svhn(tmp_path)
    for part, size in SIZES.items():
        x, y = getattr(found, f"{part.lower()}_x"), getattr(found, f"{part.lower()}_y")
        assert (x.shape, x.dtype) == ((size, 3, 32, 32), torch.uint8)
        assert (y.dtype, y.tolist()) == (torch.int64, [0, 9, 8, 7, 6][:size])
        for place in ((0, 0, 0, 0), (2, 1, 5, 30), (size - 1, 2, 31, 8)):
            assert int(x[place]) == pixel(*place)
    assert svhn.svhn(tmp_path) is found
    assert host.asked == []


def test_what_is_not_there_comes_from_the_host(tmp_path, files, host):
    write(host.folder, files)
    (tmp_path / "test_32x32.mat").write_bytes(files["test_32x32.mat"])
    assert len(svhn.svhn(tmp_path).extra_y) == SIZES["EXTRA"]
    assert host.asked == ["/train_32x32.mat", "/extra_32x32.mat"]


def test_a_damaged_or_missing_file_is_named(tmp_path, files):
    write(tmp_path, files)
    (tmp_path / "extra_32x32.mat").write_bytes(files["extra_32x32.mat"][:-1])
    with pytest.raises(DataError, match=r"/extra_32x32\.mat is not the file expected \(sha256 "):
        svhn.svhn(tmp_path)
    (tmp_path / "extra_32x32.mat").unlink()
    with pytest.raises(UnavailableError, match=r"^extra_32x32\.mat cannot .* gave 404\): put it"):
        svhn.svhn(tmp_path)
