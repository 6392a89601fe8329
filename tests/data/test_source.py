"""Where data files come from: the local folder, the cache, the hosts, a fallback."""

from __future__ import annotations

import errno
import socket
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from oldschool.data import source
from oldschool.errors import DataError, UnavailableError
from tests.data.hosts import CONTENT, Host


def refused(wanted: source.Source, local: Path | None = None) -> UnavailableError:
    with pytest.raises(UnavailableError) as told:
        source.find(wanted, local)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(told.value.reason)
    advice = "): put it into a folder and name that in data.dir or OLDSCHOOL_DATA"
    assert str(told.value).endswith(advice)
    return told.value


def test_a_local_file_is_taken_without_asking(host, tmp_path):
    local = tmp_path / "local"
    for place in (local / "set", local):
        place.mkdir(parents=True, exist_ok=True)
        (place / "file.data").write_bytes(CONTENT)
        assert source.find(host.source(), local) == place / "file.data"
        (place / "file.data").unlink()
    assert host.asked == []


def test_a_damaged_local_file_is_named(host, tmp_path):
    (tmp_path / "file.data").write_bytes(CONTENT + b"!")
    with pytest.raises(DataError, match=r"file\.data is not the file expected.*replace or remove"):
        source.find(host.source(), tmp_path)
    assert host.asked == []


def test_a_download_is_kept_and_nothing_else(host, cache, tmp_path, capfd):
    (host.folder / "file.data").write_bytes(CONTENT)
    found = source.find(host.source(), None)
    assert found.read_bytes() == CONTENT
    source._from_cache_or_host.cache_clear()
    assert source.find(host.source(), tmp_path) == found
    assert len(host.asked) == 1
    assert [file.name for file in (cache / "set").iterdir()] == ["file.data"]
    assert capfd.readouterr() == ("", "")


def test_a_damaged_download_is_replaced_or_named(host, cache):
    (cache / "set").mkdir(parents=True)
    (cache / "set" / "file.data").write_bytes(b"half")
    damaged = f"the earlier download {cache / 'set' / 'file.data'} is damaged"
    assert damaged in str(refused(host.source()))
    (host.folder / "file.data").write_bytes(CONTENT)
    source._from_cache_or_host.cache_clear()
    assert source.find(host.source(), None).read_bytes() == CONTENT


def test_the_next_address_is_asked_and_may_be_an_archive(host, cache):
    (host.folder / "file.data").write_bytes(b"sorry, moved\n")
    with zipfile.ZipFile(host.folder / "all.zip", "w") as archive:
        archive.writestr("inner/file.data", CONTENT)
        archive.writestr("inner/other.data", b"")
    found = source.find(host.source("gone.data", "file.data", "all.zip"), None)
    assert (found, found.read_bytes()) == (cache / "set" / "file.data", CONTENT)
    assert [file.name for file in (cache / "set").iterdir()] == ["file.data"]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("file.data", None, "file.data gave 404)"),
        ("file.data", b"another file\n", "file.data gave another file (not of sha256 "),
        ("all.zip", b"not an archive", "all.zip gave BadZipFile)"),
        ("all.zip", None, "all.zip gave 404)"),
    ],
)
def test_what_a_host_does_not_have_is_one_clear_line(host, tmp_path, name, content, what):
    if content is not None:
        (host.folder / name).write_bytes(content)
    told = refused(host.source(name))
    assert f"(no local data folder is set; http://{host.name}/{what}" in str(told)
    assert told.reason == (f"file.data cannot be had from a local data folder or from {host.name}")
    assert f"(it is not in {tmp_path}; " in str(refused(host.source(name), tmp_path))
    assert host.asked == [f"/{name}"]  # once a process


def test_a_host_that_is_silent_is_asked_once(cache, monkeypatch):
    monkeypatch.setattr(source, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = f"127.0.0.1:{silent.getsockname()[1]}"
        first = Host(Path(), name, []).source("file.data", "all.zip")
        began = time.monotonic()
        for wanted in (first, first, replace(first, name="other.data")):
            assert f"; {name} gave no answer, ReadTimeout)" in str(refused(wanted))
        assert time.monotonic() - began < 2
        silent.settimeout(0.1)
        silent.accept()
        with pytest.raises(TimeoutError):
            silent.accept()


def test_no_network_is_one_clear_line(cache):
    told = refused(Host(Path(), "127.0.0.1:9", []).source("file.data", "all.zip"))
    assert "; 127.0.0.1:9 gave no answer, ConnectionError)" in str(told)


def test_a_folder_for_downloads_that_cannot_be_written_is_named(host, cache):
    cache.write_text("in the way")
    (host.folder / "file.data").write_bytes(CONTENT)
    what = f"the folder for downloads, {cache / 'set'}, cannot be written: Not a directory"
    assert what in str(refused(host.source()))
    assert host.asked == []


def test_a_full_disk_is_named(host, cache, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(source.pooch, "retrieve", full)
    assert "cannot be written: No space left on device" in str(refused(host.source()))
