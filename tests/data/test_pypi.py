"""Files by pip: from the index that pip is set to, of the right hash or not at all."""

from __future__ import annotations

import hashlib
import zipfile

import pytest

from oldschool.data import pypi
from oldschool.errors import UnavailableError

METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel in the one folder where pip looks."""
    index = tmp_path / "index"
    index.mkdir()
    file = index / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("demo/data.txt", "some data\n")
        archive.writestr("demo-1.0.dist-info/METADATA", METADATA)
        archive.writestr("demo-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return file


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_a_release_is_fetched_and_nothing_else(wheel, empty, capfd):
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    found = pypi.download("demo==1.0", sha256, empty)
    assert (found.name, found.read_bytes()) == (wheel.name, wheel.read_bytes())
    assert list(empty.iterdir()) == [found]
    assert capfd.readouterr() == ("", "")


def test_another_hash_is_refused(wheel, empty):
    with pytest.raises(UnavailableError, match=r"^pip cannot download demo==1\.0: [^\n]*HASHES"):
        pypi.download("demo==1.0", "0" * 64, empty)


def test_no_such_release_is_one_clear_line(wheel, empty):
    what = r"^pip cannot download demo==2\.0: Could not find a version [^\n]*demo==2\.0[^\n]*$"
    with pytest.raises(UnavailableError, match=what):
        pypi.download("demo==2.0", "0" * 64, empty)


def test_an_environment_without_pip_is_one_clear_line(tmp_path, empty, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(pypi.sys, "executable", str(python))
    with pytest.raises(UnavailableError, match=r"^pip cannot .*==1\.0: No module named pip$"):
        pypi.download("demo==1.0", "0" * 64, empty)
