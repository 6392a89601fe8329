"""The one text form of a tidy frame: what is stored is what is collected and read back."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FLOAT_FORMAT = "%.9g"


def to_csv(frame: pd.DataFrame) -> bytes:
    """A frame as CSV: floats ``%.9g``, bools true/false, missing values empty, no index."""
    from pandas.api.types import is_bool_dtype, is_object_dtype

    shown = frame.copy(deep=False)
    for column in shown.columns:
        if is_bool_dtype(shown[column].dtype) or is_object_dtype(shown[column].dtype):
            shown[column] = shown[column].astype(object).map(_text, na_action="ignore")
    text: str = shown.to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")
    return text.encode()


def _text(value: object) -> object:
    # bool() also for numpy's bools, which object columns may hold
    return str(bool(value)).lower() if type(value).__name__ in ("bool", "bool_") else value


def from_csv(content: bytes) -> pd.DataFrame:
    """Read what :func:`to_csv` wrote; only empty fields are missing values."""
    import pandas as pd

    return pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])


class Parsed(Mapping[str, "pd.DataFrame"]):
    """Frames by name, each read from its text when it is first asked for."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = from_csv(self._texts[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def header(content: bytes) -> bytes:
    """The first line, with its end."""
    return content[: content.index(b"\n") + 1]


def concatenate(parts: list[bytes]) -> bytes:
    """Several CSV texts of the same columns as one, in the order given."""
    first = header(parts[0])
    return b"".join([first, *(part[len(first) :] for part in parts)])


def sha256(content: bytes) -> str:
    """Hash by which a damaged file is noticed."""
    return hashlib.sha256(content).hexdigest()
