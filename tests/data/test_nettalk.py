"""NETtalk: the corpus, the codes, the best guess; where the files come from."""

from __future__ import annotations

import csv
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources

import pytest
import torch

from oldschool import paths
from oldschool.data import nettalk, source
from oldschool.data.nettalk import FEATURES, PHONEMES, STRESSES, Windows
from oldschool.errors import DataError, UnavailableError

TEXT = """A header that says what this is.

aback\txb@k-\t0>1<<\t0
able\tebL-\t1>>0\t0
gunpowder\tg^npW-d-R\t0\t
the\tD-x\t>>0\t0
the\tD-i\t>>1\t0
"""
LIST = "Words are THE property of nobody.\n(THE ABLE ANODE)\n"


def test_a_corpus_is_read_word_by_word():
    words = nettalk.parse_corpus(TEXT)
    assert list(words) == ["aback", "able", "the"]  # no header, no row without stresses
    assert words["the"] == ("D-x", ">>0")  # the first of two
    assert nettalk.parse_list(LIST) == ["the", "able", "anode"]
    parts = nettalk.split(words, ["the", "able", "anode", "the"])
    assert (parts.common_words, parts.rest_words) == (2, 1)
    assert (len(parts.common), len(parts.rest)) == (7, 5)


def test_windows_have_three_letters_on_either_side():
    found = nettalk.windows({"able": ("ebL-", "1>>0")})
    edge, a, b, e, ell = nettalk.BOUNDARY, 0, 1, 4, 11
    assert found.letters.tolist() == [
        [edge, edge, edge, a, b, ell, e],
        [edge, edge, a, b, ell, e, edge],
        [edge, a, b, ell, e, edge, edge],
        [a, b, ell, e, edge, edge, edge],
    ]
    task = found.task()
    assert task.x.shape == (4, 203)
    assert task.t.shape == (4, 26)
    assert task.x[0].nonzero()[:, 0].tolist() == [
        place * 29 + code for place, code in enumerate(found.letters[0].tolist())
    ]
    assert [PHONEMES[index] for index in found.phoneme.tolist()] == list("ebL-")
    assert [STRESSES[index] for index in found.stress.tolist()] == list("1>>0")
    assert task.t[3, 21:].tolist() == [0, 0, 1, 0, 0]


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


def test_best_guess_is_the_code_of_the_smallest_angle():
    random = torch.Generator().manual_seed(1)
    count = 50
    words = Windows(
        torch.zeros(count, 7, dtype=torch.int64),
        torch.randint(0, 55, (count,), generator=random),
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
            cosines = [float(o @ c / (o.norm() * c.norm())) for c in codes]
            right[0] += cosines.index(max(cosines)) == int(words.phoneme[k])
            units = outputs[net, 21:, k].tolist()
            right[1] += units.index(max(units)) == int(words.stress[k])
        assert float(phoneme[net]) == right[0] / count
        assert float(stress[net]) == right[1] / count
        assert 0 < right[0] < count
    perfect = nettalk.best_guess(words.targets().T[None], words)
    assert [float(share) for share in perfect] == [1.0, 1.0]


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
    assert (found.common_words, len(found.common)) == (1000, 5438)
    distinct = {line.split("\t")[0] for line in lines}
    assert found.common_words + found.rest_words == len(distinct) - 1  # gunpowder
    both = torch.cat([found.common.phoneme, found.rest.phoneme])
    assert len(both.unique()) == 51


# Where files come from.

CONTENT = b"some data\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A web server on this machine; returns its folder, its address and the requests it had."""
    folder, asked = tmp_path / "host", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(source.pooch, "os_cache", lambda _: tmp_path / "cache")
    source._downloaded.cache_clear()
    yield folder, f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    server.server_close()
    source._downloaded.cache_clear()


def wanted(address: str) -> source.Source:
    return source.Source("file.data", "set", address + "file.data", SHA256)


def test_a_local_file_is_taken_without_asking(host, tmp_path):
    local = tmp_path / "local"
    for place in (local / "set", local):
        place.mkdir(parents=True, exist_ok=True)
        (place / "file.data").write_bytes(CONTENT)
        assert source.find(wanted(host[1]), local) == place / "file.data"
        (place / "file.data").unlink()
    assert host[2] == []


def test_a_damaged_local_file_is_named(host, tmp_path):
    (tmp_path / "file.data").write_bytes(CONTENT + b"!")
    with pytest.raises(DataError, match=r"file\.data is not the file expected.*replace or remove"):
        source.find(wanted(host[1]), tmp_path)


def test_a_download_is_kept(host, tmp_path):
    folder, address, asked = host
    (folder / "file.data").write_bytes(CONTENT)
    found = source.find(wanted(address), None)
    assert found.read_bytes() == CONTENT
    source._downloaded.cache_clear()
    assert source.find(wanted(address), tmp_path) == found
    assert len(asked) == 1


@pytest.mark.parametrize("content", [None, b"another file\n"])
def test_what_cannot_be_had_is_one_clear_line(host, content):
    folder, address, _ = host
    if content is not None:
        (folder / "file.data").write_bytes(content)
    with pytest.raises(UnavailableError) as told:
        source.find(wanted(address), None)
    line = str(told.value)
    assert "\n" not in line
    assert line.startswith("file.data cannot be had: no local data folder is set, and http://127")
    assert line.endswith("put the file into a folder and name that in data.dir or OLDSCHOOL_DATA")


def test_no_network_is_one_clear_line(host, tmp_path):
    gone = source.Source("file.data", "set", "http://127.0.0.1:9/file.data", SHA256)
    with pytest.raises(UnavailableError, match=f"not in {tmp_path}, and http://127.0.0.1:9"):
        source.find(gone, tmp_path)
