"""C sources compiled on first use: kept, remade when they change, done without if they fail."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys

import pytest
import torch

from oldschool.compiled import library as module
from oldschool.compiled import stack
from oldschool.compiled.library import NotCompiledWarning, library, version
from oldschool.nets.planes import Dense, Planes
from oldschool.nets.stack import Stack
from tests.compiled.openmp import is_gcc, torch_has_gnu_threads

NET = Stack((Dense(Planes(4), 2),))

needs_gcc = pytest.mark.skipif(not is_gcc("cc"), reason="cc is not GCC")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch, tmp_path):
    """Nothing is compiled yet, in this process or on disk."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for cached in (library, module._said, module._warn, stack._compiled):
        cached.cache_clear()
    yield
    for cached in (library, module._said, module._warn, stack._compiled):
        cached.cache_clear()


def made(tmp_path):
    return sorted((tmp_path / "cache" / "oldschool" / "compiled").iterdir())


def pretend(tmp_path, monkeypatch, script):
    """CC is a Python script."""
    file = tmp_path / "compiler.py"
    file.write_text(script)
    monkeypatch.setenv("CC", shlex.join([sys.executable, str(file)]))


def test_a_library_is_made_once_and_kept(tmp_path, monkeypatch):
    assert isinstance(library("stack"), ctypes.CDLL)
    files = made(tmp_path)
    assert [file.suffix for file in files] == [".so"]
    library.cache_clear()
    monkeypatch.setattr(module, "_compile", lambda *_: pytest.fail("compiled again"))
    assert library("stack") is not None


def test_a_damaged_library_is_made_again(tmp_path):
    """In another process, as to load half a library ends it."""
    script = "from oldschool.compiled.library import library; print(library('stack') is not None)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
        for file in made(tmp_path):
            os.truncate(file, file.stat().st_size // 2)


def test_a_compiler_with_other_flags_makes_another(tmp_path, monkeypatch):
    library("stack")
    library.cache_clear()
    monkeypatch.setenv("CC", "cc -DOTHER")
    library("stack")
    assert len(made(tmp_path)) == 2


def test_other_macros_make_another(tmp_path):
    library("stack")
    library("stack", "REAL=double")
    assert len(made(tmp_path)) == 2


def in_another_process(tmp_path, script, compiler):
    """What a script prints, torch not loaded beforehand; the compiler is a Python script."""
    wrapper = tmp_path / "cc.py"
    wrapper.write_text("import subprocess, sys\n" + compiler)
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CC": shlex.join([sys.executable, str(wrapper)]),
    }
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


CALLED = "if '--version' in sys.argv: sys.exit(print('{} 1.0'))\n"
A_GCC = CALLED.format("a compiler 1.0 (C) Free Software Foundation")
COMPILES = "sys.exit(subprocess.run(['cc', *sys.argv[1:]]).returncode)\n"
HAS_NO_RUNTIME = "if '-fopenmp' in sys.argv: sys.exit('error: no libgomp.spec')\n"
COUNTS = """
import sys, {}
from oldschool.compiled.library import library
counted = []
for threads in (1, 3, 2):
    if 'torch' in sys.modules:
        torch.set_num_threads(threads)
    counted.append(library('descent', openmp=True).threads())
print(*counted)
"""


@needs_gcc
@pytest.mark.skipif(not torch_has_gnu_threads(), reason="torch's threads are not GNU's")
def test_loops_run_on_torchs_threads(tmp_path):
    compiler = A_GCC + COMPILES
    assert in_another_process(tmp_path, COUNTS.format("torch"), compiler) == "1 3 2\n"


@needs_gcc
@pytest.mark.parametrize(
    ("imported", "compiler"),
    [
        ("torch", CALLED.format("clang")),
        ("torch", A_GCC + HAS_NO_RUNTIME),
        ("json", A_GCC),
    ],
    ids=["clang", "no runtime", "no torch"],
)
def test_loops_run_on_no_threads_but_torchs(tmp_path, imported, compiler):
    counted = in_another_process(tmp_path, COUNTS.format(imported), compiler + COMPILES)
    assert counted == "1 1 1\n"


def test_without_a_compiler_tensors_do_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    theta = torch.zeros(1, NET.weights)
    with pytest.warns(NotCompiledWarning, match="no C compiler was found"):
        assert stack.compiled(NET, theta) is None
    assert version() is None


def test_a_failing_compiler_is_quoted_and_leaves_nothing(tmp_path, monkeypatch):
    said = "stack.c:1: error: no such luck\\n  1 | #\\n    | ^"
    pretend(tmp_path, monkeypatch, f"import sys; sys.exit('{said}')")
    with pytest.warns(NotCompiledWarning, match="no such luck"):
        assert library("stack") is None
    assert made(tmp_path) == []


def test_a_compiler_that_makes_no_library(tmp_path, monkeypatch):
    script = "import sys; open(sys.argv[sys.argv.index('-o') + 1], 'w').write('not a library')"
    pretend(tmp_path, monkeypatch, script)
    with pytest.warns(NotCompiledWarning, match="so"):
        assert library("stack") is None


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file in the folder's place")
    with pytest.warns(NotCompiledWarning):
        assert library("stack") is None


def test_without_a_home_folder(monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(module.Path, "home", home)
    with pytest.warns(NotCompiledWarning, match="home directory"):
        assert library("stack") is None


def test_a_setting_of_the_compiler_that_cannot_be_read(monkeypatch):
    monkeypatch.setenv("CC", 'gcc "')
    assert library("stack") is not None


def test_the_version_is_the_compilers_first_line(tmp_path, monkeypatch):
    pretend(tmp_path, monkeypatch, "print('a compiler 1.0\\nmore')")
    assert version() == "a compiler 1.0"


def test_nothing_undefined_is_done_even_to_what_is_no_number(tmp_path):
    script = """
import torch
from oldschool.compiled.stack import compiled
from oldschool.nets.planes import Dense, Planes
from oldschool.nets.stack import Stack

net = Stack((Dense(Planes(3), 2), Dense(Planes(2), 2)), "tanh")
theta = torch.tensor([[torch.nan, torch.inf, -torch.inf, 1e30, *range(10)]])
x, order = torch.ones(5, 3), torch.arange(5)[None]
compiled(net, theta).derivatives(theta, x, x[:, :2], order, full=True)
print("done")
"""
    trap = "cc -fsanitize=undefined -fsanitize-undefined-trap-on-error"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "CC": trap, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", (done.returncode, done.stderr)
