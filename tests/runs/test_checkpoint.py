"""Checkpoints of the unit that is being run."""

from __future__ import annotations

import pytest
import torch

from oldschool.runs import checkpoint

CPU = torch.device("cpu")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "_SECONDS", 0.0)
    return tmp_path / "store" / "unit.checkpoint"


def state(value: int):
    return lambda: {"weights": torch.full((2,), float(value)), "rows": [{"step": value}]}


def test_a_killed_unit_goes_on_from_its_last_state(file):
    with pytest.raises(KeyboardInterrupt), checkpoint.kept_in(file):
        assert checkpoint.load(CPU) is None
        checkpoint.save(state(1), CPU)
        checkpoint.save(state(2), CPU)
        raise KeyboardInterrupt
    with checkpoint.kept_in(file):
        found = checkpoint.load(CPU)
        assert found is not None
        assert found["weights"].tolist() == [2.0, 2.0]
        assert found["rows"] == [{"step": 2}]
    assert list(file.parent.iterdir()) == []  # the unit is done


def test_outside_a_unit_nothing_is_kept():
    checkpoint.save(lambda: pytest.fail("asked for a state that nobody keeps"), CPU)
    assert checkpoint.load(CPU) is None


def test_states_are_asked_for_once_a_minute(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "_SECONDS", 60.0)
    with checkpoint.kept_in(file):
        checkpoint.save(lambda: pytest.fail("too soon"), CPU)
        monkeypatch.setattr(checkpoint.time, "monotonic", lambda: float("inf"))
        checkpoint.save(state(1), CPU)
        assert file.exists()


def test_a_state_of_another_kind_of_device_is_passed_over(file):
    with pytest.raises(KeyboardInterrupt), checkpoint.kept_in(file):
        checkpoint.save(state(1), CPU)
        raise KeyboardInterrupt
    with checkpoint.kept_in(file):
        assert checkpoint.load(torch.device("cuda")) is None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not all of it", b"something else"])
def test_a_damaged_file_is_passed_over(file, damage):
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    with checkpoint.kept_in(file):
        assert checkpoint.load(CPU) is None


def test_a_state_is_written_whole_or_not_at_all(file, monkeypatch):
    with pytest.raises(OSError, match="full"), checkpoint.kept_in(file):
        checkpoint.save(state(1), CPU)

        def fails(*_):
            raise OSError("full")

        monkeypatch.setattr(torch, "save", fails)
        checkpoint.save(state(2), CPU)
    with checkpoint.kept_in(file):
        assert checkpoint.load(CPU)["rows"] == [{"step": 1}]
