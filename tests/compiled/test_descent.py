"""The compiled step with max-norm against the three operations on tensors that it stands for."""

from __future__ import annotations

import math
import subprocess
import sys
from unittest.mock import Mock

import pytest
import torch

from oldschool.compiled import descent as compiled_descent
from oldschool.compiled.descent import compiled
from oldschool.dropout import descent
from oldschool.dropout.descent import descend_
from tests.compiled.openmp import is_gcc, torch_has_gnu_threads
from tests.problems import generator

CLOSE = {torch.float32: {"rtol": 1e-5, "atol": 1e-6}, torch.float64: {"rtol": 1e-13, "atol": 1e-14}}


@pytest.fixture(autouse=True)
def one_thread(set_threads):
    set_threads(1)


def layer(dtype, nets=1, units=7, inputs=37, more=5):
    """Weights, velocities and further weights of the same units."""
    random = generator(3)
    shapes = ((nets, units, inputs), (nets, units, inputs), (nets, units, more))
    return [torch.randn(*shape, dtype=dtype, generator=random) for shape in shapes]


@pytest.fixture
def both(monkeypatch):
    """A step in the compiled and in the tensor form, from copies."""
    steps = []

    def counted(*tensors):
        step = compiled(*tensors)
        return step and (lambda *layer: (steps.append(layer), step(*layer)))

    monkeypatch.setattr(descent, "compiled", counted)

    def run(w, v, rate, factors, limit, others, compiled_nets=None):
        found = []
        for large in (1, math.inf):
            monkeypatch.setattr(descent, "LARGE", large)
            mine = [w.clone(), None if others is None else others.clone()]
            descend_(mine[0], v, rate, factors, limit, mine[1])
            found.append(mine)
            assert len(steps) == (len(w) if compiled_nets is None else compiled_nets)
        return found

    return run


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("inputs", [1, 15, 16, 17, 64, 131])
@pytest.mark.parametrize("further", [False, True])
def test_both_forms_give_the_same_weights(both, dtype, inputs, further):
    w, v, others = layer(dtype, nets=3, inputs=inputs)
    factors = torch.tensor([0.5, 1.0, 2.0], dtype=dtype).view(-1, 1, 1)
    norm = (w.square().sum(-1) + (others.square().sum(-1) if further else 0)).sqrt().median()
    limit = torch.tensor([float(norm), 1e-3, math.inf], dtype=dtype).view(-1, 1)
    ours, theirs = both(w, v, 0.1, factors, limit, others if further else None)
    assert not torch.equal(ours[0], w)
    for mine, reference in zip(ours, theirs, strict=True):
        if mine is not None:
            torch.testing.assert_close(mine, reference, **CLOSE[dtype])
    if further:  # of the net that max-norm leaves free, and of the one that it does not
        assert torch.equal(ours[1][2], others[2]) and not torch.equal(ours[1][1], others[1])


@pytest.mark.parametrize("limit", [2.0, math.inf])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e25])  # its square overflows
def test_a_unit_whose_norm_is_not_finite_leaves_the_others(both, bad, limit):
    w, v, others = layer(torch.float32)
    w[0, 2, 3] = bad
    ours, theirs = both(w, v, 0.1, None, torch.tensor([[limit]]), others)
    left = ours[0][0, 2].isfinite()
    if limit == math.inf and bad == 1e25:  # no unit is too long
        assert left.all()
    elif bad != 1e25:
        assert not left.all()
    assert ours[0][0, 3].isfinite().all()
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, equal_nan=True, **CLOSE[torch.float32])


def test_one_factor_serves_all_nets(both):
    w, v, _ = layer(torch.float64, nets=3)
    limit = torch.tensor([[2.0]], dtype=torch.float64)
    ours, theirs = both(w, v, 0.1, torch.full((1, 1, 1), 0.5, dtype=torch.float64), limit, None)
    torch.testing.assert_close(ours[0], theirs[0], **CLOSE[torch.float64])


@pytest.mark.parametrize("turned", ["v", "others"])
def test_tensors_that_are_not_contiguous_are_left_to_torch(both, turned):
    w, v, others = layer(torch.float64)
    if turned == "v":
        v = v.mT.contiguous().mT
    else:
        others = others.mT.contiguous().mT
    limit = torch.tensor([[2.0]], dtype=torch.float64)
    ours, theirs = both(w, v, 0.1, None, limit, others, compiled_nets=0)
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])


SHARED = pytest.mark.skipif(
    not torch_has_gnu_threads() or not is_gcc("cc"), reason="loops do not run on torch's threads"
)


@SHARED
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_weights_are_the_same_on_any_number_of_threads(set_threads, dtype):
    w, v, others = (one[0] for one in layer(dtype, units=1000, inputs=800))
    limit = float(w.norm(dim=1).median())
    found = []
    for threads in (1, 2, 5):
        set_threads(threads)
        mine = [w.clone(), others.clone()]
        compiled(w, v, others)(mine[0], v, 0.1, limit, mine[1])
        found.append(mine)
    assert not torch.equal(found[0][1], others)
    for mine in found[1:]:
        assert torch.equal(mine[0], found[0][0]) and torch.equal(mine[1], found[0][1])


@SHARED
def test_a_step_is_shared_out_among_threads():
    """In another process, where no other operation has started any."""
    script = """
import os, torch
from oldschool.compiled.descent import compiled
torch.set_num_threads(3)
w, v = torch.zeros(30, 40), torch.zeros(30, 40)
step, before = compiled(w, v), len(os.listdir("/proc/self/task"))
step(w, v, 0.1, 1.0, None)
print(len(os.listdir("/proc/self/task")) - before)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


def test_large_layers_are_compiled(monkeypatch):
    calls = []
    monkeypatch.setattr(descent, "compiled", lambda *_: lambda *layer: calls.append(layer))
    limit, inputs = torch.tensor([[2.0]]), descent.LARGE // 8
    w, v, _ = layer(torch.float32, nets=2, units=8, inputs=inputs - 1)
    descend_(w, v, 0.1, None, limit)
    assert calls == []
    w, v, _ = layer(torch.float32, nets=2, units=8, inputs=inputs)
    descend_(w, v, 0.1, None, None)
    assert calls == []
    descend_(w, v, 0.1, None, limit)
    assert [call[2:] for call in calls] == [(pytest.approx(0.1), 2.0, None)] * 2


def test_what_has_no_compiled_form():
    w, v, _ = (one[0] for one in layer(torch.float32))
    assert compiled(w, v) is not None
    assert compiled(w, v.double()) is None
    assert compiled(w.bfloat16(), v.bfloat16()) is None
    assert compiled(w.mT, v.mT) is None
    assert compiled(w, v, v.mT) is None
    assert compiled(*(torch.empty(7, 37, device="meta"),) * 2) is None


def test_none_on_fewer_threads_than_torchs(set_threads, monkeypatch):
    serial = Mock(threads=lambda: 1)
    monkeypatch.setattr(compiled_descent, "library", lambda *_, **__: serial)
    w, v, _ = (one[0] for one in layer(torch.float32))
    assert compiled(w, v) is not None
    set_threads(2)
    assert compiled(w, v) is None


def test_without_a_compiler_the_tensors_are_changed(both, monkeypatch):
    monkeypatch.setattr(compiled_descent, "library", lambda *_, **__: None)
    w, v, others = layer(torch.float64)
    limit = torch.tensor([[2.0]], dtype=torch.float64)
    ours, theirs = both(w, v, 0.1, None, limit, others, compiled_nets=0)
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])


def test_what_does_not_fit_is_refused():
    w, v, others = (one[0] for one in layer(torch.float32))
    step = compiled(w, v)
    for wrong in ((v[1:], None), (v, others[1:])):
        with pytest.raises(ValueError, match="of the same units"):
            step(w, wrong[0], 0.1, 1.0, wrong[1])
