"""What is recorded of the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oldschool.report.rerun import _same_machine
from oldschool.runs import provenance

EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: {family}
model\t\t: {model}
model name\t: AMD EPYC

processor\t: 1
cpu family\t: 0
"""
ARM = "processor\t: 0\nCPU implementer\t: 0x41\n\n"


@pytest.fixture
def cpu_of(monkeypatch: pytest.MonkeyPatch):
    """The processor as recorded where /proc/cpuinfo says this; None where there is none."""
    provenance._cpu.cache_clear()
    monkeypatch.setattr(provenance.platform, "machine", lambda: "machine")
    monkeypatch.setattr(provenance.platform, "processor", lambda: "processor")

    def read(text: str | None) -> str:
        def read_text(path: Path) -> str:
            assert path == Path("/proc/cpuinfo")
            if text is None:
                raise FileNotFoundError(path)
            return text

        monkeypatch.setattr(Path, "read_text", read_text)
        provenance._cpu.cache_clear()
        return provenance._cpu()

    yield read
    provenance._cpu.cache_clear()


def test_processors_of_one_name_are_told_apart(cpu_of) -> None:
    assert cpu_of(EPYC.format(family=25, model=1)) == "AMD EPYC (family 25, model 1)"
    assert cpu_of(EPYC.format(family=26, model=2)) == "AMD EPYC (family 26, model 2)"
    assert cpu_of("model name\t: Known by name\n\n") == "Known by name"
    assert cpu_of(ARM) == "machine"
    assert cpu_of(None) == "processor"


def test_rows_depend_on_the_processor_not_on_how_much_of_it_there_is() -> None:
    here = provenance.environment()
    assert _same_machine(here | {"cores": 64, "memory": 512, "commit": "x"}, here)
    without = {key: value for key, value in here.items() if key not in ("cores", "memory")}
    assert _same_machine(without, here)
    assert not _same_machine(here | {"cpu": "AMD EPYC"}, here)


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert provenance.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert provenance.cores() == 1


def test_a_system_that_does_not_tell_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(provenance._memory(), int)

    def sysconf(name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", sysconf)
    assert provenance._memory() is None
