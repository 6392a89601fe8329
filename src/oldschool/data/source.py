"""Data files outside the package: a local folder, an earlier download, the original host."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pooch

from oldschool.errors import DataError, UnavailableError

_TIMEOUT = 10  # seconds to connect and between two answers


@dataclass(frozen=True)
class Source:
    """One file and where it comes from.

    Attributes:
        name: file name, in the local folder and in the cache.
        folder: the subfolder it may lie in, within the local folder and the cache.
        url: the original host's address.
        sha256: what its content must hash to.
    """

    name: str
    folder: str
    url: str
    sha256: str


def find(source: Source, local: Path | None) -> Path:
    """The file, checked: from the local folder, else an earlier download, else downloaded.

    Args:
        source: what is wanted.
        local: the local data folder (``data.dir`` or ``OLDSCHOOL_DATA``); the file may lie in
            it or in its subfolder ``source.folder``.

    Raises:
        DataError: a file in the local folder is not the one wanted.
        UnavailableError: it is nowhere and cannot be downloaded.
    """
    if local is not None:
        for file in (local / source.folder / source.name, local / source.name):
            if file.is_file():
                if _sha256(file) != source.sha256:
                    raise DataError(
                        f"{file} is not the file expected (sha256 {source.sha256[:16]}...): it is "
                        "damaged or another version; replace or remove it"
                    )
                return file
    return _downloaded(source, local)


@lru_cache  # a host that does not answer is asked once
def _downloaded(source: Source, local: Path | None) -> Path:
    cache = Path(pooch.os_cache("oldschool")) / source.folder
    if (cache / source.name).is_file() and _sha256(cache / source.name) == source.sha256:
        return cache / source.name
    try:
        found = pooch.retrieve(
            source.url,
            known_hash=f"sha256:{source.sha256}",
            fname=source.name,
            path=cache,
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT),
        )
    except Exception as error:  # requests', the system's, pooch's own
        tried = f"not in {local}, and" if local is not None else "no local data folder is set, and"
        raise UnavailableError(
            f"{source.name} cannot be had: {tried} {source.url} gave {_line(error)}; put the file "
            "into a folder and name that in data.dir or OLDSCHOOL_DATA"
        ) from error
    return Path(found)


def _line(error: Exception) -> str:
    """The first line of an error, short: addresses repeat themselves in connection errors."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}" + (f" ({text[:80]}...)" if len(text) > 80 else f" ({text})")


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}") from error
