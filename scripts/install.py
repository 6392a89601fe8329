"""Install the locked packages and this checkout into the environment of the Python that runs this.

    python scripts/install.py

Every file is checked against its hash in requirements.lock. torch is the build that pip prefers on
this machine, the CUDA build or the CPU build; the packages of requirements-cuda.lock follow only
where torch asks for them. A torch of the locked version that is there already stays.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
CUDA_LOCK = ROOT / "requirements-cuda.lock"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq")
OLDEST = (3, 11)


def pip(*words: str) -> None:
    """Run pip, of which only errors are shown."""
    subprocess.run([*PIP, *words], cwd=ROOT, check=True)


def install(*words: str) -> None:
    """Let pip install just what is named, nothing that this in turn asks for."""
    pip("install", "--no-deps", *words)


def torch_lines(lock: str) -> str:
    """torch and its hashes as they stand in the lock."""
    found = re.search(r"^torch==.*(?:\n    --hash=.*)*", lock, re.MULTILINE)
    assert found is not None
    return found[0] + "\n"


def install_torch(lines: str) -> None:
    """The build of torch that pip prefers here, if its hash is among ``lines``.

    Asked for with hashes at once, pip takes the files of its index before any that lie on a disk.
    """
    pin = lines.split()[0]
    try:
        if metadata.version("torch").partition("+")[0] == pin.partition("==")[2]:
            return
    except metadata.PackageNotFoundError:
        pass
    with TemporaryDirectory() as folder:
        pip("download", "--no-deps", "--dest", folder, pin)
        (wanted := Path(folder) / "torch.lock").write_text(lines)
        install("--require-hashes", "--no-index", "--find-links", folder, "-r", str(wanted))


def is_cuda_build() -> bool:
    """Whether the torch that is installed asks for the CUDA packages of the lock.

    A build for another CUDA that was there before brought its own.
    """
    locked = CUDA_LOCK.read_text()
    wanted = [re.split(r"[^\w.-]", each)[0] for each in metadata.requires("torch") or []]
    named = [each for each in wanted if each.startswith(("nvidia", "cuda"))]
    return bool(named) and all(f"\n{each}==" in locked for each in named)


def checkout() -> Path | None:
    """The checkout that the environment's oldschool is of; None if there is none."""
    try:
        origin = metadata.distribution("oldschool").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    url = json.loads(origin or "{}").get("url", "")
    return Path(unquote(urlparse(url).path)) if url.startswith("file:") else None


def main() -> int:
    """Install everything.

    Returns:
        Exit code: 0, or 1 if this Python is too old or pip failed.
    """
    if sys.version_info < OLDEST:
        print(f"error: {sys.executable} is older than Python 3.11", file=sys.stderr)
        return 1
    try:
        print(f"installing the packages of {LOCK.name}: it takes some minutes", flush=True)
        install_torch(torch_lines(LOCK.read_text()))
        install("--require-hashes", "-r", str(LOCK))
        if is_cuda_build():
            print(f"torch is a CUDA build: installing the packages of {CUDA_LOCK.name}", flush=True)
            install("--require-hashes", "-r", str(CUDA_LOCK))
        other = checkout()
        if other is not None and other.resolve() != ROOT.resolve():
            print(f"the oldschool of this environment was {other}: now it is {ROOT}", flush=True)
        install("--no-build-isolation", "--editable", ".")
    except subprocess.CalledProcessError:
        print(
            "error: pip could not install the locked packages, see above; "
            "check the network and `pip config list`, then start again",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
