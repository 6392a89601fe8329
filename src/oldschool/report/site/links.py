"""Links from a page to files of the project."""

from __future__ import annotations

import os
from pathlib import Path


def relative(target: Path, folder: Path) -> str:
    """The address of ``target`` in a page that lies in ``folder``."""
    return Path(os.path.relpath(target.resolve(), folder.resolve())).as_posix()
