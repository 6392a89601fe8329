"""CIFAR-10 and CIFAR-100: small archives of their format, from a folder and from a host."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from oldschool.data import cifar
from oldschool.errors import DataError, UnavailableError
from tests.data.formats import Touching, pixel, python2

SIZE = 4  # images a batch
# In no order, as in the real archive, and with what is not asked for.
TEN = ["data_batch_4", "readme.html", "test_batch", "data_batch_3", "batches.meta",
       "data_batch_2", "data_batch_5", "data_batch_1"]  # fmt: skip


def batch(first, labels):
    """Images ``first`` and the next, pickled by Python 2 as rows red, green, blue."""
    image, channel, row, column = np.indices((SIZE, 3, 32, 32))
    x = pixel(first + image, channel, row, column).astype(np.uint8).reshape(SIZE, 3072)
    return python2({"data": x, "batch_label": "some", "filenames": ["a.png"] * SIZE, **labels})


def archive(folder, members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        inner = tarfile.TarInfo(folder)
        inner.type = tarfile.DIRTYPE
        tar.addfile(inner)
        for name, content in members.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def ten():
    def member(name):
        k = 6 if name == "test_batch" else int(name[-1]) if name[-1].isdigit() else None
        if k is None:
            return b"neither images nor a pickle"
        return batch(SIZE * (k - 1), {"labels": [(k + i) % 10 for i in range(SIZE)]})

    return archive("cifar-10-batches-py", {name: member(name) for name in TEN})


def hundred():
    members = {
        name: batch(
            first,
            {"fine_labels": [first + 90 + i for i in range(SIZE)], "coarse_labels": [3] * SIZE},
        )
        for name, first in (("test", SIZE), ("train", 0))
    }
    return archive("cifar-100-python", {"meta": b"not asked for", **members})


@pytest.fixture
def expect(monkeypatch, host):
    """Let a set be what an archive holds, by the name of its source."""

    def pin(name, content):
        source = getattr(cifar, name)
        sha256 = hashlib.sha256(content).hexdigest()
        pinned = replace(source, sha256=sha256, urls=host.urls(source.name))
        monkeypatch.setattr(cifar, name, pinned)
        return source.name

    for read in (cifar.cifar10, cifar.cifar100):
        read.cache_clear()
    yield pin
    for read in (cifar.cifar10, cifar.cifar100):
        read.cache_clear()


def right(found, train, test):
    """Whether the images are those of ``pixel`` in order, with these labels."""
    assert found.train_x.dtype == found.test_x.dtype == torch.uint8
    assert found.train_y.dtype == found.test_y.dtype == torch.int64
    assert (found.train_y.tolist(), found.test_y.tolist()) == (train, test)
    both = torch.cat([found.train_x, found.test_x])
    assert len(found.test_x) == SIZE
    return both.equal(torch.from_numpy(pixel(*np.indices(both.shape)).astype(np.uint8)))


def test_the_batches_are_joined_in_their_order(tmp_path, expect, host):
    name = expect("CIFAR10", ten())
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar" / name).write_bytes(ten())
    found = cifar.cifar10(tmp_path)
    train = [(k + i) % 10 for k in range(1, 6) for i in range(SIZE)]
    assert right(found, train, [6, 7, 8, 9])
    assert found.train_x.shape == (5 * SIZE, 3, 32, 32)
    assert cifar.cifar10(tmp_path) is found
    assert host.asked == []


def test_the_hundred_classes_are_the_fine_ones(expect, host):
    name = expect("CIFAR100", hundred())
    (host.folder / name).write_bytes(hundred())
    assert right(cifar.cifar100(None), [90, 91, 92, 93], [94, 95, 96, 97])
    assert host.asked == [f"/{name}"]


def test_a_damaged_or_missing_archive_is_named(tmp_path, expect):
    for source, read in (("CIFAR10", cifar.cifar10), ("CIFAR100", cifar.cifar100)):
        name = expect(source, ten())
        (tmp_path / name).write_bytes(ten()[:-1])
        with pytest.raises(DataError, match=rf"/{name} is not the file expected \(sha256 "):
            read(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(UnavailableError, match=rf"^{name} cannot .* gave 404\): put it"):
            read(tmp_path)


def test_a_pickle_of_bad_intent_is_refused(tmp_path, expect):
    content = archive(
        "cifar-100-python",
        {"train": batch(0, {"fine_labels": Touching(tmp_path / "made")}), "test": b""},
    )
    (tmp_path / expect("CIFAR100", content)).write_bytes(content)
    with pytest.raises(DataError, match=r"cifar-100-python/train is no pickle of numpy arrays"):
        cifar.cifar100(tmp_path)
    assert not (tmp_path / "made").exists()
