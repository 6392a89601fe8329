"""NETtalk: the corpus, the codes, the best guess."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import replace
from importlib import resources

import pytest
import torch

from oldschool import paths
from oldschool.data import nettalk
from oldschool.data.nettalk import FEATURES, PHONEMES, STRESSES, Windows
from oldschool.errors import DataError

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
