"""Pickles of arrays are read, anything else is refused before it can do anything."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from oldschool.data import unpickle
from oldschool.errors import DataError
from tests.data.formats import Touching, python2

VALUES = {
    "data": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "grey": np.array([0.25, 0.5], dtype=np.float32),
    "labels": [3, 1, 2],
    "name": "batch",
}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (python2(VALUES), str.encode),
        (python2(VALUES).replace(b"numpy.core.", b"numpy._core."), str.encode),
        (pickle.dumps(VALUES, protocol=4), str),
    ],
)
def test_arrays_and_plain_values_are_read(content, key):
    found = unpickle.arrays(io.BytesIO(content), "batch")
    for name in ("data", "grey"):
        np.testing.assert_array_equal(found[key(name)], VALUES[name], strict=True)
    assert found[key("labels")] == [3, 1, 2]
    assert found[key("name")] == key("batch")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("within", ["alone", "list", "array"])
def test_nothing_is_run(tmp_path, protocol, within):
    bad = Touching(tmp_path / "made")
    value = {"alone": bad, "list": [1, bad], "array": np.array([bad], dtype=object)}[within]
    content = pickle.dumps(value, protocol)
    with pytest.raises(DataError, match=r"^batch is no pickle of numpy arrays alone, .*: it asks"):
        unpickle.arrays(io.BytesIO(content), "batch")
    assert not (tmp_path / "made").exists()
    pickle.loads(content)
    assert (tmp_path / "made").is_dir()  # the pickle was bad indeed


@pytest.mark.parametrize("content", [b"", b"no pickle", python2(VALUES)[:-20]])
def test_a_damaged_pickle_is_one_clear_line(content):
    with pytest.raises(DataError, match=r"^batch is no pickle [^\n]*$"):
        unpickle.arrays(io.BytesIO(content), "batch")
