"""The NETtalk corpus: 20,008 English words letter by letter with phonemes and stresses.

(C) 1988 T. J. Sejnowski, for non-commercial research; it is not part of this package, see
:mod:`oldschool.data.source`. The list of the 1000 most common words is the reconstruction that
comes with the corpus.

A net sees a window of seven letters and says how the middle one is spoken: 21 articulatory
features of its phoneme and 5 units of stress and syllable boundary (Sejnowski & Rosenberg
1987). ``nettalk_articulatory.csv`` has the features of each phoneme as recalled from their table;
its rows ``J`` and ``+`` are assumptions. The stress units are one for each of the corpus's five
stress symbols, an assumption, too. The phonemes ``.``, ``:``, ``Q`` and ``_`` of the table do
not occur in the corpus, so they are no candidates for what a net says.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from oldschool.data import source
from oldschool.data.source import Source, find
from oldschool.data.task import Task
from oldschool.errors import DataError

_HOST = "https://archive.ics.uci.edu/"


def _source(name: str, sha256: str) -> Source:
    """A file of UCI's "Connectionist Bench (Nettalk Corpus)", at its older and newer address."""
    older = f"ml/machine-learning-databases/undocumented/connectionist-bench/nettalk/{name}"
    newer = "static/public/150/connectionist+bench+nettalk+corpus.zip"
    return Source(name, "nettalk", (_HOST + older, _HOST + newer), sha256)


CORPUS = _source("nettalk.data", "bf5628ee4368e5348e22189a9e2236bf86853363dd5832d07f6d7223b614f8ab")
COMMON = _source("nettalk.list", "07c47f92dba791e5525b757ee5797953bb42b50a7de5937dd3af5cb0e112b856")

WINDOW = 7
# 26 letters, two codes of punctuation that words alone never use, and the word boundary.
LETTER_CODES = 29
BOUNDARY = LETTER_CODES - 1
STRESSES = ("<", ">", "0", "1", "2")


def _table() -> tuple[tuple[str, ...], dict[str, list[int]]]:
    text = resources.files("oldschool.data").joinpath("nettalk_articulatory.csv").read_text()
    head, *rows = csv.reader(text.splitlines())
    return tuple(head[1:]), {row[0]: [int(value) for value in row[1:]] for row in rows}


FEATURES, _CODES = _table()
PHONEMES = tuple(_CODES)
# Of the table, those that the corpus has: indices into PHONEMES.
CANDIDATES = torch.tensor([k for k, symbol in enumerate(PHONEMES) if symbol not in ".:Q_"])
_AT_ONCE = 8_000_000  # similarities of outputs and codes held at a time


def phoneme_codes(dtype: torch.dtype = torch.float64) -> Tensor:
    """The articulatory features of each of ``PHONEMES``, 0 or 1: (phonemes, 21)."""
    return torch.tensor(list(_CODES.values()), dtype=dtype)


@dataclass(frozen=True)
class Windows:
    """A list of words, letter by letter.

    Attributes:
        letters: codes 0 to 28 of the seven letters around each, (P, 7) int64.
        phoneme: index into ``PHONEMES``, (P,) int64.
        stress: index into ``STRESSES``, (P,) int64.
    """

    letters: Tensor
    phoneme: Tensor
    stress: Tensor

    def __len__(self) -> int:
        return len(self.letters)

    def targets(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """Features, then stress units, 0 or 1: (P, 26)."""
        stress = torch.eye(len(STRESSES), dtype=dtype)[self.stress]
        return torch.cat([phoneme_codes(dtype)[self.phoneme], stress], dim=1)

    def task(self, dtype: torch.dtype = torch.float64) -> Task:
        """One-hot letters (P, 203), position by position, and targets (P, 26)."""
        one_hot = torch.nn.functional.one_hot(self.letters, LETTER_CODES).flatten(1)
        return Task(one_hot.to(dtype), self.targets(dtype))


@dataclass(frozen=True)
class Nettalk:
    """The corpus in two lists of words.

    Attributes:
        common: the words of the list of common ones that the corpus has.
        rest: all other words.
        words_common: how many words ``common`` has.
        words_rest: how many ``rest`` has.
    """

    common: Windows
    rest: Windows
    words_common: int
    words_rest: int


def hashes(folder: Path | None) -> Mapping[str, str]:
    """{file: sha256} of what :func:`nettalk` reads, after a look whether it can be had.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    return source.hashes((CORPUS, COMMON), folder)


@lru_cache
def nettalk(folder: Path | None) -> Nettalk:
    """The corpus, read once a process.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    words = parse_corpus(find(CORPUS, folder).read_text(encoding="latin-1"))
    listed = parse_list(find(COMMON, folder).read_text(encoding="latin-1"))
    return split(words, listed)


def split(words: Mapping[str, tuple[str, str]], listed: Iterable[str]) -> Nettalk:
    """The corpus ``words`` parted into those ``listed`` and the rest, each word once."""
    common = [word for word in dict.fromkeys(listed) if word in words]
    known = set(common)
    rest = [word for word in words if word not in known]
    return Nettalk(
        windows({word: words[word] for word in common}),
        windows({word: words[word] for word in rest}),
        len(common),
        len(rest),
    )


def parse_corpus(text: str) -> dict[str, tuple[str, str]]:
    """{word: (phonemes, stresses)}, a symbol a letter; of homographs the first is kept.

    A row whose three columns are not of one length is left out: the corpus has one,
    ``gunpowder``, without stresses.

    Raises:
        DataError: there is no word, or a symbol is unknown.
    """
    words: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        word, *rest = line.split("\t")
        if len(rest) < 2 or not re.fullmatch("[a-z]+", word):
            continue  # the header
        phonemes, stresses = rest[0], rest[1]
        if len(word) == len(phonemes) == len(stresses):
            words.setdefault(word, (phonemes, stresses))
    unknown = {symbol for phonemes, _ in words.values() for symbol in phonemes} - set(PHONEMES)
    unknown |= {symbol for _, stresses in words.values() for symbol in stresses} - set(STRESSES)
    if not words or unknown:
        what = f"unknown symbols {sorted(unknown)}" if words else "no words"
        raise DataError(f"nettalk.data: {what}: this is not the corpus")
    return words


def parse_list(text: str) -> list[str]:
    """The words between the parentheses, in lower case."""
    _, _, inside = text.partition("(THE ")
    return ["the", *(word.lower() for word in re.findall("[A-Z]+", inside))]


def windows(words: Mapping[str, tuple[str, str]]) -> Windows:
    """Each letter of each word with three on either side, the word standing alone."""
    edge = bytes([BOUNDARY]) * (WINDOW // 2)
    codes = b"".join(edge + bytes(ord(c) - ord("a") for c in word) + edge for word in words)
    everything = torch.frombuffer(bytearray(codes), dtype=torch.uint8).to(torch.int64)
    seen = everything.unfold(0, WINDOW, 1)
    seen = seen[seen[:, WINDOW // 2] != BOUNDARY]
    phoneme = {symbol: index for index, symbol in enumerate(PHONEMES)}
    stress = {symbol: index for index, symbol in enumerate(STRESSES)}
    return Windows(
        seen.contiguous(),
        torch.tensor([phoneme[symbol] for entry in words.values() for symbol in entry[0]]),
        torch.tensor([stress[symbol] for entry in words.values() for symbol in entry[1]]),
    )


def best_guess(outputs: Tensor, words: Windows) -> tuple[Tensor, Tensor]:
    """Share of letters whose phoneme, and whose stress, is the net's best guess.

    The best guess is the code that makes the smallest angle with the output vector, over the 21
    articulatory units for phonemes and over the 5 others for stress (Sejnowski & Rosenberg
    1987). The candidates are the 51 phonemes that occur in the corpus.

    Args:
        outputs: (R, 26, P).
        words: the P letters.

    Returns:
        (R,) and (R,), 0 to 1, float64.
    """
    codes = phoneme_codes(outputs.dtype)[CANDIDATES]
    codes = codes / codes.norm(dim=1, keepdim=True)
    features = len(FEATURES)
    right = torch.zeros(2, len(outputs), dtype=torch.float64)
    letters = max(1, _AT_ONCE // (len(outputs) * len(codes)))
    for start in range(0, len(words), letters):
        part = slice(start, start + letters)
        # The largest of a row is found faster than that of a column.
        by_letter = outputs[..., part].mT.contiguous()
        phoneme = CANDIDATES[torch.matmul(by_letter[..., :features], codes.T).argmax(dim=2)]
        stress = by_letter[..., features:].argmax(dim=2)
        right[0] += (phoneme == words.phoneme[part]).sum(dim=1)
        right[1] += (stress == words.stress[part]).sum(dim=1)
    phonemes, stresses = right / len(words)
    return phonemes, stresses
