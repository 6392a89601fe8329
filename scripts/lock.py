"""Write requirements.lock, requirements-cuda.lock and environment.yml from pyproject.toml.

    python scripts/lock.py              # versions locked before stay as far as they fit
    python scripts/lock.py --upgrade    # the newest that fit

The first lock has everything that any extra of pyproject.toml wants, with the hash of every file of
the release. What only a CUDA build of torch wants is in the second, so that a CPU build does
without its gigabytes. environment.yml has the same versions under their names on conda-forge.
Versions and hashes are resolved by uv (``pip install uv``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oldschool.errors import UserError

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
CUDA = ("cuda-", "nvidia-", "triton")

# PyPI's torch for Linux is a CUDA build. These are PyTorch's own CPU builds of the same version,
# of which PyPI has no hash.
CPU_BUILDS = {
    "2.13.0": {
        "cp311-manylinux_2_28_aarch64": (
            "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7"
        ),
        "cp311-manylinux_2_28_x86_64": (
            "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
        ),
        "cp312-manylinux_2_28_aarch64": (
            "6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604"
        ),
        "cp312-manylinux_2_28_x86_64": (
            "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2"
        ),
        "cp313-manylinux_2_28_aarch64": (
            "0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d"
        ),
        "cp313-manylinux_2_28_x86_64": (
            "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6"
        ),
    }
}

CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
# Not on conda-forge, or not known to be.
PIP_ONLY = {
    "backpack-for-pytorch",
    "curvlinops-for-pytorch",
    "hydra-joblib-launcher",
    "hydra-submitit-launcher",
}


def read(lock: str) -> dict[str, tuple[str, list[str]]]:
    """{package: (version with marker, its hashes)} of a lock's text.

    Raises:
        UserError: a package has two pins.
    """
    pins: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"\n(?=\w)", lock):
        found = re.match(r"([\w.-]+)==([^\s;]+(?: ?;[^\\\n]+)?)", entry)
        if found:
            hashes = sorted(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry))
            name = canonicalize_name(found[1])
            if name in pins:
                raise UserError(f"{name} has two pins, which the locks cannot hold")
            pins[name] = (found[2].strip(), hashes)
    return pins


def write(pins: Mapping[str, tuple[str, Iterable[str]]], head: Iterable[str]) -> str:
    """A lock's text: ``head`` as comments, then the pins by name."""
    lines = [f"# {line}" for line in head]
    for name, (version, hashes) in sorted(pins.items()):
        lines.append(
            " \\\n".join([f"{name}=={version}", *(f"    --hash={each}" for each in hashes)])
        )
    return "\n".join(lines) + "\n"


def resolve(before: str, *options: str) -> dict[str, tuple[str, list[str]]]:
    """All that pyproject.toml with all its extras wants, of ``before``'s versions where they fit.

    Raises:
        UserError: there is no uv, or it finds no solution or no index.
    """
    with TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.txt"
        output.write_text(before)
        command = [
            *("uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal"),
            *("--generate-hashes", "--python-version", PYTHON, "--quiet", "-o", str(output)),
            *options,
        ]
        try:
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        except FileNotFoundError as error:
            raise UserError("uv is not installed: pip install uv") from error
        except subprocess.CalledProcessError as error:
            raise UserError("uv found no versions that fit (see above)") from error
        return read(output.read_text())


def environment(project: Mapping[str, Any], pins: Mapping[str, tuple[str, list[str]]]) -> str:
    """environment.yml's text: what pyproject.toml asks for by name, at the locked versions."""
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    names = sorted({canonicalize_name(Requirement(each).name) for each in wanted})
    versions = {name: pins[name][0].partition(" ")[0] for name in names}
    conda = [f"{CONDA_NAMES.get(n, n)}={versions[n]}" for n in names if n not in PIP_ONLY]
    pip = [f"{name}=={versions[name]}" for name in names if name in PIP_ONLY]
    return "\n".join(
        [
            "# Written by `make lock`.",
            "# conda env create -f environment.yml && conda activate oldschool && make",
            "name: oldschool",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            *(f"  - {each}" for each in [f"python={PYTHON}", "pip", "make", "c-compiler"]),
            *(f"  - {each}" for each in conda),
            "  - pip:",
            *(f"      - {each}" for each in pip),
            "",
        ]
    )


def main(*options: str) -> int:
    """Resolve and write.

    Returns:
        Exit code: 0, or 1 if nothing could be resolved.
    """
    run, cuda = ROOT / "requirements.lock", ROOT / "requirements-cuda.lock"
    before = "".join(file.read_text() for file in (run, cuda) if file.is_file())
    try:
        pins = resolve(before, *options)
        torch, hashes = pins["torch"]
        if torch not in CPU_BUILDS:
            raise UserError(f"add the hashes of torch {torch}'s CPU builds to scripts/lock.py")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    cpu_builds = {f"sha256:{digest}" for digest in CPU_BUILDS[torch].values()}
    pins["torch"] = torch, sorted(cpu_builds.union(hashes))
    made = "Written by `make lock`."
    only_cuda = {name: pin for name, pin in pins.items() if name.startswith(CUDA)}
    rest = {name: pin for name, pin in pins.items() if name not in only_cuda}
    how = "pip install --no-deps --require-hashes -r"
    run.write_text(write(rest, [made, f"{how} {run.name}"]))
    cuda.write_text(write(only_cuda, [made, "Where torch is a CUDA build:", f"{how} {cuda.name}"]))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (ROOT / "environment.yml").write_text(environment(project, pins))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
