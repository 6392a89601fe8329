"""The store: whole units or none, damage noticed, one holder of a lock at a time."""

from __future__ import annotations

import errno
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from oldschool.runs import files, frames, store
from oldschool.runs.locks import lock
from tests.conftest import Toy

CONTENTS = {"rows": b"a,b\n1,2\n", "more": b"c\n3\n"}


def manifest(digest: str = "d1") -> dict[str, Any]:
    return {
        "digest": digest,
        "started": "2000-01-01",
        "frames": {
            name: {"rows": 1, "sha256": frames.sha256(content)}
            for name, content in CONTENTS.items()
        },
    }


@pytest.fixture
def unit(toy_here: Toy) -> Path:
    folder = store.folder("toy", "draw", "d1")
    store.save(folder, CONTENTS, manifest())
    return folder


def test_what_is_saved_is_loaded(unit: Path) -> None:
    assert store.load(unit) == manifest()
    assert store.frame(unit, "rows", manifest()) == CONTENTS["rows"]
    assert [path.name for path in unit.parent.iterdir()] == ["d1"]


def test_a_unit_never_saved_is_missing(unit: Path) -> None:
    with pytest.raises(store.MissingError):
        store.load(unit.with_name("d2"))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def edit(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"1", b"4"))


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("name", ["rows.csv", "manifest.json"])
@pytest.mark.parametrize("damage", [cut, edit, empty, Path.unlink])
def test_any_damage_is_noticed_and_named(unit: Path, name: str, damage: Any) -> None:
    damage(unit / name)
    with pytest.raises(store.DamagedError, match=f"runs/store/toy/draw/d1/{name}"):
        store.load(unit)
    store.save(unit, CONTENTS, manifest())
    assert store.load(unit) == manifest()
    assert [path.name for path in unit.parent.iterdir()] == ["d1"]


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"seal": 1}'])
def test_a_manifest_of_another_kind_is_damage(unit: Path, text: str) -> None:
    (unit / "manifest.json").write_text(text)
    with pytest.raises(store.DamagedError):
        store.load(unit)


def test_a_unit_copied_to_another_digest_is_damage(unit: Path) -> None:
    unit.rename(unit.with_name("d2"))
    with pytest.raises(store.DamagedError, match="edited"):
        store.load(unit.with_name("d2"))


@pytest.mark.parametrize("failing", range(3))
def test_a_full_disk_leaves_the_former_state(
    unit: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = files.write_bytes, []

    def full(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) > failing:
            path.write_bytes(content[:2])
            raise OSError(errno.ENOSPC, "No space left on device")
        original(path, content)

    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        store.save(unit.with_name("d2"), CONTENTS, manifest("d2"))
    assert [path.name for path in unit.parent.iterdir()] == ["d1"]
    with pytest.raises(OSError, match="No space"):
        store.save(unit, {}, {**manifest(), "frames": {}})
    assert store.load(unit) == manifest()


def test_leftovers_of_a_killed_process_are_removed(unit: Path) -> None:
    leftover = unit.with_name(".d1.4711.tmp")
    leftover.mkdir()
    (leftover / "rows.csv").write_text("half")
    other = unit.with_name(".d2.4711.tmp")
    other.mkdir()
    store.save(unit, CONTENTS, manifest())
    assert not leftover.exists()
    assert other.exists()  # another process may be at it


def test_an_error_is_recorded_until_the_unit_succeeds(toy_here: Toy) -> None:
    folder = store.folder("toy", "draw", "d1")
    store.save_error(folder, {"error": "why"})
    record = folder.with_name("d1.error.json")
    assert json.loads(record.read_text()) == {"error": "why"}
    with pytest.raises(store.MissingError):
        store.load(folder)
    store.save(folder, CONTENTS, manifest())
    assert not record.exists()


def test_manifests_are_newest_first_and_skip_the_broken(unit: Path) -> None:
    for digest, started in [("d2", "2002"), ("d3", "2001")]:
        store.save(unit.with_name(digest), CONTENTS, {**manifest(digest), "started": started})
    cut(unit.with_name("d3") / "manifest.json")
    assert [one["digest"] for one in store.manifests("toy", "draw")] == ["d2", "d1"]


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.lock"
    with lock(path) as held:
        assert held
        with lock(path, wait=False) as second:
            assert not second
    with lock(path, wait=False) as again:
        assert again
    assert not path.exists()


def add_one(path: Path, counter: Path, times: int) -> None:
    for _ in range(times):
        with lock(path):
            counter.write_text(str(int(counter.read_text()) + 1))


def test_a_lock_excludes_other_processes(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "a.lock", counter, 100)
    processes = [context.Process(target=add_one, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert counter.read_text() == "400"
