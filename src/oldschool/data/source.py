"""Data files outside the package: a local folder, an earlier download, the original host."""

from __future__ import annotations

import gzip
import hashlib
import logging
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pooch

from oldschool.errors import DataError, UnavailableError

_TIMEOUT = (4, 10)  # seconds to connect, and between two answers
# {host: what became of asking it}: hosts that gave no answer are not asked again in a process
_silent: dict[str, str] = {}


@dataclass(frozen=True)
class Fallback:
    """Another way to all files of a set, for where no host of theirs answers.

    Attributes:
        name: what is asked, for messages.
        put: writes the files into an empty folder, which must exist; raises an
            :class:`~oldschool.errors.UnavailableError` that says why it cannot.
    """

    name: str
    put: Callable[[Path], None]


@dataclass(frozen=True)
class Source:
    """One file and where it comes from.

    Attributes:
        name: file name, in the local folder, in the cache and at the host.
        folder: the subfolder it may lie in, within the local folder and the cache.
        urls: the original host's addresses, tried in order: of the file itself, or of a zip
            archive (``.zip``) that has it in any of its folders.
        sha256: what its content must hash to.
        unpacked: the hash is that of what this gzip file unpacks to, whoever compressed it.
        fallback: asked after all ``urls``.
    """

    name: str
    folder: str
    urls: tuple[str, ...]
    sha256: str
    unpacked: bool = False
    fallback: Fallback | None = None

    @property
    def pin(self) -> str:
        """The hash, for messages."""
        return f"sha256 {self.sha256[:16]}..." + " unpacked" * self.unpacked

    @property
    def hosts(self) -> tuple[str, ...]:
        """All that are asked, in order, for messages."""
        last = () if self.fallback is None else (self.fallback.name,)
        return (*dict.fromkeys(urlsplit(url).netloc for url in self.urls), *last)


def hashes(sources: Iterable[Source], local: Path | None) -> dict[str, str]:
    """{file: sha256} of ``sources``, after a look whether each can be had, as by :func:`find`.

    Raises:
        DataError: a local file is damaged.
        UnavailableError: a file cannot be had.
    """
    for source in sources:
        find(source, local)
    return {source.name: source.sha256 for source in sources}


def find(source: Source, local: Path | None) -> Path:
    """The file, checked: from the local folder, else an earlier download, else downloaded.

    Args:
        source: what is wanted.
        local: the local data folder (``data.dir`` or ``OLDSCHOOL_DATA``); the file may lie in
            it or in its subfolder ``source.folder``.

    Raises:
        DataError: a file in the local folder is not the one wanted, or cannot be read.
        UnavailableError: it is nowhere and cannot be downloaded.
    """
    if local is not None:
        for file in (local / source.folder / source.name, local / source.name):
            if file.is_file():
                if not _is_right(file, source):
                    raise DataError(
                        f"{file} is not the file expected ({source.pin}): it is "
                        "damaged or another version; replace or remove it"
                    )
                return file
    found = _from_cache_or_host(source)
    if isinstance(found, Path):
        return found
    where = f"it is not in {local}" if local is not None else "no local data folder is set"
    raise UnavailableError(
        f"{source.name} cannot be had from a local data folder or from {' or '.join(source.hosts)}",
        f" ({where}; {found}): put it into a folder and name that in data.dir or OLDSCHOOL_DATA",
    )


@lru_cache  # asked once a process, whether it can be had or not
def _from_cache_or_host(source: Source) -> Path | str:
    """The checked file in the cache, or what was tried and came to nothing."""
    cache = Path(pooch.os_cache("oldschool")) / source.folder
    file = cache / source.name
    tried = []
    if file.is_file():
        if _is_right(file, source):
            return file
        tried.append(f"the earlier download {file} is damaged")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for url in source.urls:
            host = urlsplit(url).netloc
            if host not in _silent:
                with TemporaryDirectory(dir=cache) as folder:
                    got = _download(url, source, folder)
                    if isinstance(got, Path):
                        return got.replace(file)
                tried.append(got)
            elif _silent[host] not in tried:
                tried.append(_silent[host])
        if source.fallback is not None:
            _put(source.fallback, cache)
            if file.is_file() and _is_right(file, source):
                return file
            tried.append(f"{source.fallback.name} gave another file (not of {source.pin})")
    except UnavailableError as error:
        tried.append(str(error))
    except OSError as error:
        tried.append(
            f"the folder for downloads, {cache}, cannot be written: {error.strerror or error}"
        )
    return "; ".join(tried)


def _put(fallback: Fallback, cache: Path) -> None:
    """All files that the fallback gives, into the cache.

    Raises:
        UnavailableError: it gives none.
        OSError: the cache cannot be written.
    """
    with TemporaryDirectory(dir=cache) as folder:
        fallback.put(Path(folder))
        for file in Path(folder).iterdir():
            file.replace(cache / file.name)


def _download(url: str, source: Source, folder: str) -> Path | str:
    """The checked file in ``folder``, or why it did not come.

    Raises:
        OSError: ``folder`` cannot be written.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        found = pooch.retrieve(
            url,
            known_hash=None,  # an archive's is not known; the file's is checked below
            fname=urlsplit(url).path.rpartition("/")[2],
            path=folder,
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT),
            processor=pooch.Unzip() if url.endswith(".zip") else None,
        )
    except Exception as error:  # requests', zipfile's, the system's
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if isinstance(error, OSError) and status is None:
            host = urlsplit(url).netloc
            _silent[host] = f"{host} gave no answer, {type(error).__name__}"
            return _silent[host]
        return f"{url} gave {status or type(error).__name__}"
    files = [Path(name) for name in ([found] if isinstance(found, str) else found)]
    for file in files:
        if file.name == source.name and _is_right(file, source):
            return file
    return f"{url} gave another file (not of {source.pin})"


def _is_right(file: Path, source: Source) -> bool:
    try:
        status = file.stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return _content_hash(file, source.unpacked, seen) == source.sha256
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}") from error


@lru_cache  # of a file as it is, once a process: every experiment asks for its data
def _content_hash(file: Path, unpacked: bool, seen: tuple[int, ...]) -> str:
    with gzip.open(file) if unpacked else file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
