"""One estimate a claim."""

from __future__ import annotations

ESTIMATES: dict[str, object] = {}
