"""A web server on this machine, in place of the hosts of data files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from oldschool.data.source import Source

CONTENT = b"some data\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass(frozen=True)
class Host:
    """A web server on this machine: the folder it serves, its name, the paths it was asked for."""

    folder: Path
    name: str
    asked: list[str]

    def source(self, *files: str) -> Source:
        return Source("file.data", "set", self.urls(*files or ("file.data",)), SHA256)

    def urls(self, *files: str) -> tuple[str, ...]:
        return tuple(f"http://{self.name}/{file}" for file in files)
