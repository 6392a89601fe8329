"""NETtalk: the corpus, the codes, the best guess; where the files come from."""

from __future__ import annotations

import csv
import errno
import hashlib
import math
import socket
import threading
import time
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pytest
import torch

from oldschool import paths
from oldschool.data import nettalk, source
from oldschool.data.nettalk import FEATURES, PHONEMES, STRESSES, Windows
from oldschool.errors import DataError, UnavailableError

# Words of no language: the corpus itself is not for others to publish.
TEXT = """A header that says what this is.

blick\tbl-Ik\t>>1<<\t0
wuzo\twYzo\t>1>0\t0
florpe\tflOrp-\t0\t
the\tD-x\t>>0\t0
the\tD-i\t>>1\t0
"""
LIST = "Words are THE property of nobody.\n(THE WUZO SNERF)\n"


def test_a_corpus_is_read_word_by_word():
    words = nettalk.parse_corpus(TEXT)
    assert list(words) == ["blick", "wuzo", "the"]  # no header, no row without stresses
    assert words["the"] == ("D-x", ">>0")  # the first of two
    assert nettalk.parse_list(LIST) == ["the", "wuzo", "snerf"]
    parts = nettalk.split(words, ["the", "wuzo", "snerf", "the"])
    assert (parts.words_common, parts.words_rest) == (2, 1)
    assert (len(parts.common), len(parts.rest)) == (7, 5)


def test_windows_have_three_letters_on_either_side():
    found = nettalk.windows({"wuzo": ("wYzo", ">1>0")})
    edge, w, u, z, o = nettalk.BOUNDARY, 22, 20, 25, 14
    assert found.letters.tolist() == [
        [edge, edge, edge, w, u, z, o],
        [edge, edge, w, u, z, o, edge],
        [edge, w, u, z, o, edge, edge],
        [w, u, z, o, edge, edge, edge],
    ]
    task = found.task()
    assert task.x.shape == (4, 203)
    assert task.t.shape == (4, 26)
    assert task.x[0].nonzero()[:, 0].tolist() == [
        place * 29 + code for place, code in enumerate(found.letters[0].tolist())
    ]
    assert [PHONEMES[index] for index in found.phoneme.tolist()] == list("wYzo")
    assert [STRESSES[index] for index in found.stress.tolist()] == list(">1>0")
    assert task.t[3, 21:].tolist() == [0, 0, 1, 0, 0]


def test_words_do_not_see_each_other():
    words = {"wuzo": ("wYzo", ">1>0"), "blick": ("bl-Ik", ">>1<<")}
    both, one = nettalk.windows(words), nettalk.windows({"blick": words["blick"]})
    assert both.letters[4:].equal(one.letters)


def test_the_table_of_features_is_what_the_codes_are():
    text = resources.files("oldschool.data").joinpath("nettalk_articulatory.csv").read_text()
    rows = list(csv.reader(text.splitlines()))
    assert len(FEATURES) == 21
    assert len(PHONEMES) == len(set(PHONEMES)) == len(rows) - 1 == 55
    codes = nettalk.phoneme_codes()
    assert codes.shape == (55, 21)
    assert set(codes.unique().tolist()) == {0.0, 1.0}
    assert len(codes.unique(dim=0)) == 55  # no two phonemes have one code
    b = dict(zip(FEATURES, codes[PHONEMES.index("b")].tolist(), strict=True))
    assert {name for name, value in b.items() if value} == {"Labial", "Stop", "Voiced"}


@pytest.mark.parametrize("at_once", [1, 1000, 10**9])
def test_best_guess_is_the_code_of_the_smallest_angle(monkeypatch, at_once):
    monkeypatch.setattr(nettalk, "_AT_ONCE", at_once)
    random = torch.Generator().manual_seed(1)
    count = 50
    spoken = [index for index, symbol in enumerate(PHONEMES) if symbol not in (".", ":", "Q", "_")]
    words = Windows(
        torch.zeros(count, 7, dtype=torch.int64),
        torch.tensor(spoken)[torch.randint(0, 51, (count,), generator=random)],
        torch.randint(0, 5, (count,), generator=random),
    )
    noise = torch.rand(2, 26, count, generator=random, dtype=torch.float64)
    outputs = words.targets().T * 0.6 + noise * 0.9
    phoneme, stress = nettalk.best_guess(outputs, words)
    codes = nettalk.phoneme_codes()
    for net in range(2):
        right = [0, 0]
        for k in range(count):
            o = outputs[net, :21, k]
            angles = {
                index: math.acos(float(o @ codes[index] / (o.norm() * codes[index].norm())))
                for index in spoken
            }
            right[0] += min(angles, key=angles.__getitem__) == int(words.phoneme[k])
            units = outputs[net, 21:, k].tolist()
            right[1] += units.index(max(units)) == int(words.stress[k])
        assert float(phoneme[net]) == right[0] / count
        assert float(stress[net]) == right[1] / count
        assert 0 < right[0] < count
        assert 0 < right[1] < count
    perfect = nettalk.best_guess(words.targets().T[None], words)
    assert [float(share) for share in perfect] == [1.0, 1.0]


def test_a_phoneme_that_the_corpus_lacks_is_no_guess():
    nearest = nettalk.phoneme_codes()[PHONEMES.index("Q")]  # a net that says exactly this
    outputs = torch.cat([nearest, torch.zeros(5, dtype=torch.float64)])[None, :, None]
    words = Windows(
        torch.zeros(1, 7, dtype=torch.int64),
        torch.tensor([PHONEMES.index("b")]),
        torch.tensor([0]),
    )
    # Labial, Velar, Stop, Affricative, Voiced; of the others b shares the most of its own
    assert float(nettalk.best_guess(outputs, words)[0]) == 1.0


@pytest.mark.parametrize("text", ["", "only a header\n", "able\tebL?\t1>>0\t0\n"])
def test_what_is_not_the_corpus_is_refused(text):
    with pytest.raises(DataError, match="this is not the corpus"):
        nettalk.parse_corpus(text)


def test_the_corpus_itself():
    folder = paths.data(None)
    if folder is None or not (folder / "nettalk").is_dir():
        pytest.skip("OLDSCHOOL_DATA names no folder with nettalk/")
    corpus = (folder / "nettalk" / "nettalk.data").read_text(encoding="latin-1")
    lines = [line for line in corpus.splitlines() if "\t" in line.strip()]
    assert len(lines) == 20_008
    assert sum(len(line.split("\t")[0]) for line in lines) == 146_943
    found = nettalk.nettalk(folder)
    # Sejnowski and Rosenberg's list has 1000 words and 5438 letters, too.
    assert (found.words_common, len(found.common)) == (1000, 5438)
    distinct = {line.split("\t")[0] for line in lines}
    assert found.words_common + found.words_rest == len(distinct) - 1  # gunpowder
    both = torch.cat([found.common.phoneme, found.rest.phoneme])
    assert both.unique().equal(nettalk.CANDIDATES)
    assert len(nettalk.CANDIDATES) == 51


def test_what_is_hashed_is_what_is_read(tmp_path, monkeypatch):
    content = {nettalk.CORPUS: TEXT.encode(), nettalk.COMMON: LIST.encode()}
    for one, text in content.items():
        (tmp_path / one.name).write_bytes(text)
    with pytest.raises(DataError, match=r"nettalk\.data is not the file expected"):
        nettalk.hashes(tmp_path)
    pinned = {key: replace(key, sha256=hashlib.sha256(text).hexdigest())
              for key, text in content.items()}  # fmt: skip
    monkeypatch.setattr(nettalk, "CORPUS", pinned[nettalk.CORPUS])
    monkeypatch.setattr(nettalk, "COMMON", pinned[nettalk.COMMON])
    assert nettalk.hashes(tmp_path) == {
        "nettalk.data": nettalk.CORPUS.sha256,
        "nettalk.list": nettalk.COMMON.sha256,
    }
    found = nettalk.nettalk(tmp_path)
    assert (found.words_common, found.words_rest) == (2, 1)
    assert nettalk.nettalk(tmp_path) is found


# Where files come from.

CONTENT = b"some data\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass(frozen=True)
class Host:
    """A web server on this machine: the folder it serves, its name, the paths it was asked for."""

    folder: Path
    name: str
    asked: list[str]

    def source(self, *files: str) -> source.Source:
        urls = tuple(f"http://{self.name}/{file}" for file in files or ("file.data",))
        return source.Source("file.data", "set", urls, SHA256)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder for downloads, and nothing remembered of earlier ones."""
    monkeypatch.setattr(source.pooch, "os_cache", lambda _: tmp_path / "cache")
    monkeypatch.setattr(source, "_silent", {})
    source._from_cache_or_host.cache_clear()
    yield tmp_path / "cache"
    source._from_cache_or_host.cache_clear()


@pytest.fixture
def host(tmp_path, cache):
    folder, asked = tmp_path / "host", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Host(folder, f"127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()


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
