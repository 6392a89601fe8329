"""The locks and environment.yml have what pyproject.toml asks for, and are what is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata, util
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [
    Requirement(each)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for each in group
]


def script(name: str) -> ModuleType:
    spec = util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock, install = script("lock"), script("install")
PINS = lock.read((ROOT / "requirements.lock").read_text())
CUDA_PINS = lock.read((ROOT / "requirements-cuda.lock").read_text())


def version(pin: tuple[str, list[str]]) -> str:
    return pin[0].partition(" ")[0]


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_every_requirement_is_met_by_a_pin(wanted: Requirement) -> None:
    assert wanted.specifier.contains(version(PINS[canonicalize_name(wanted.name)]))


def test_every_pin_has_its_hashes_and_stands_once() -> None:
    for name, pins in (("requirements.lock", PINS), ("requirements-cuda.lock", CUDA_PINS)):
        text = (ROOT / name).read_text()
        assert text.count("==") - text.count(" == ") == len(pins)
        assert text.count("--hash=sha256:") == sum(len(hashes) for _, hashes in pins.values())
        assert all(hashes and len(set(hashes)) == len(hashes) for _, hashes in pins.values())
        assert lock.write(pins, re.findall(r"^# (.*)", text, re.MULTILINE)) == text


def test_both_builds_of_torch_are_accepted_and_only_one_needs_cuda() -> None:
    hashes = {each.partition(":")[2] for each in PINS["torch"][1]}
    cpu = set(lock.CPU_BUILDS[version(PINS["torch"])].values())
    assert len(cpu) == 6 and cpu < hashes
    assert not any(name.startswith(lock.CUDA) for name in PINS)
    assert "nvidia-cudnn-cu13" in CUDA_PINS
    assert all("sys_platform == 'linux'" in pin for pin, _ in CUDA_PINS.values())


def test_what_the_locked_packages_ask_for_is_locked() -> None:
    """As ``pip check``, but of the packages here alone; pip installs them without looking."""
    for name in PINS:
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another platform, or not installed here
        for requirement in map(Requirement, asked):
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            needed = canonicalize_name(requirement.name)
            pin = PINS.get(needed) or CUDA_PINS[needed]
            assert requirement.specifier.contains(version(pin)), f"{name} wants {requirement}"


def test_the_conda_environment_is_written_from_the_same_pins() -> None:
    text = (ROOT / "environment.yml").read_text()
    assert text == lock.environment(PROJECT, PINS)
    *conda, pip = yaml.safe_load(text)["dependencies"]
    named = dict(each.split("=", 1) for each in conda if "=" in each)
    named |= {name: pin for name, _, pin in (each.partition("==") for each in pip["pip"])}
    pypi = {canonicalize_name(wanted.name) for wanted in WANTED}
    names = {lock.CONDA_NAMES.get(name, name): name for name in pypi}
    assert named.pop("python") == "3.11" and named["pytorch"] == "2.13.0"
    assert named == {conda_name: version(PINS[name]) for conda_name, name in names.items()}


def test_reading_a_lock_twice_adds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "requirements.lock", "requirements-cuda.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "resolve", lambda before, *options: lock.read(before))
    assert lock.main() == 0
    for name in ("requirements.lock", "requirements-cuda.lock", "environment.yml"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_without_uv_the_lock_script_says_so_in_a_line() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "lock.py")],
        env={"PATH": "", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "error: uv is not installed: pip install uv\n")


class Pip:
    """Takes down what pip is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *words: str) -> None:
        self.asked.append(" ".join(words))


@pytest.mark.parametrize("asks_for", [[], ["nvidia-nccl-cu13==2; sys_platform == 'linux'"]])
def test_cuda_packages_follow_a_cuda_build_alone(
    asks_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip()
    monkeypatch.setattr(install, "pip", pip)
    monkeypatch.setattr(metadata, "version", lambda name: "2.13.0+cpu")
    monkeypatch.setattr(metadata, "requires", lambda name: ["sympy", *asks_for])
    assert install.main() == 0
    assert all(line.startswith("install --no-deps ") for line in pip.asked)
    hashed = [line for line in pip.asked if "--require-hashes" in line]
    assert [line.endswith("requirements-cuda.lock") for line in hashed] == [False, True][
        : 1 + bool(asks_for)
    ]


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("file:///else/my%20clone", "/else/my clone"),
        (ROOT.as_uri(), ""),
        ("https://example.org/oldschool.whl", ""),
        (None, ""),
    ],
)
def test_an_environment_of_another_checkout_is_told_of(
    url: str | None,
    other: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def distribution(name: str) -> Mock:
        assert name == "oldschool"
        if url is None:
            raise metadata.PackageNotFoundError(name)
        return Mock(read_text=Mock(return_value=json.dumps({"url": url})))

    monkeypatch.setattr(install, "pip", Pip())
    monkeypatch.setattr(metadata, "version", lambda name: "2.13.0+cpu")
    monkeypatch.setattr(metadata, "requires", lambda name: [])
    monkeypatch.setattr(metadata, "distribution", distribution)
    assert install.main() == 0
    said = f"the oldschool of this environment was {other}: now it is {ROOT}\n"
    assert capsys.readouterr().out.endswith(said if other else "some minutes\n")


def test_torch_is_fetched_as_pip_likes_and_held_to_the_locks_hashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pip = Pip()
    monkeypatch.setattr(install, "pip", pip)
    monkeypatch.setattr(metadata, "version", lambda name: "2.12.0")
    install.install_torch(install.torch_lines((ROOT / "requirements.lock").read_text()))
    download, checked = pip.asked
    assert download.startswith("download --no-deps ") and download.endswith(" torch==2.13.0")
    assert "--require-hashes --no-index" in checked


def test_what_pip_cannot_do_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(*words: str) -> None:
        raise subprocess.CalledProcessError(1, words)

    monkeypatch.setattr(install, "pip", failing)
    assert install.main() == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: pip could not install the locked packages")
