"""How far two files of a report differ: text exactly, images within a tolerance."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import PurePath

import numpy as np

PIXEL_RMS = 1.0  # of 255: anti-aliasing may differ between machines, a moved label is above it
POINTS = 0.05  # in points or pixels: positions may differ in their last digits

_NUMBER = re.compile(rb"(?<![\w.#])-?\d+\.?\d*(?:e[+-]?\d+)?(?![\w.])")
_SVG_ID = re.compile(rb"(?<=[\"#])[a-zA-Z]+[0-9a-f]{10}(?=[\")])")
_SVG_BITMAP = re.compile(rb"data:image/png;base64,[^\"]*")
_PDF_STREAM = re.compile(rb" obj\n(<<(?:(?!endobj).)*?>>)\s*stream\n(.*?)\nendstream", re.DOTALL)
_PDF_OTHER = (b"/Length1 ", b"/Subtype /Image", b"/Type /XRef")  # fonts, bitmaps, offsets


def difference(name: str, committed: bytes, made: bytes) -> str:
    """What differs between a committed file and the one made anew; "" if they agree."""
    if committed == made:
        return ""
    comparison = _COMPARISONS.get(PurePath(name).suffix, _text)
    return comparison(committed, made)


def _text(committed: bytes, made: bytes) -> str:
    ours, theirs = committed.splitlines(), made.splitlines()
    for number, (old, new) in enumerate(zip(ours, theirs, strict=False), start=1):
        if old != new:
            return f"line {number} is {_shorten(old, new)}, the results give {_shorten(new, old)}"
    return f"has {len(ours)} lines, the results give {len(theirs)}"


def _shorten(line: bytes, other: bytes) -> str:
    """The part of a line around its first difference from another."""
    text, against = line.decode(errors="replace"), other.decode(errors="replace")
    same = next(
        (k for k, (a, b) in enumerate(zip(text, against, strict=False)) if a != b),
        min(len(text), len(against)),
    )
    start = max(0, same - 20)
    return repr(text[start : start + 60])


def _png(committed: bytes, made: bytes) -> str:
    from PIL import Image

    try:
        old, new = (
            np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=np.float64)
            for content in (committed, made)
        )
    except OSError:
        return "is no readable PNG"
    if old.shape != new.shape:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (old, new)]
        return f"is {sizes[0]} pixels, the results give {sizes[1]}"
    rms = float(np.sqrt(np.mean((old - new) ** 2)))
    return f"differs by {rms:.1f} of 255 (RMS)" if rms > PIXEL_RMS else ""


def _svg(committed: bytes, made: bytes) -> str:
    return _drawing(_svg_text(committed), _svg_text(made))


def _svg_text(content: bytes) -> bytes:
    """SVG without bitmaps, its ids numbered as they come instead of hashed."""
    order: dict[bytes, bytes] = {}
    return _SVG_ID.sub(
        lambda match: order.setdefault(match[0], b"id%d" % len(order)),
        _SVG_BITMAP.sub(b"bitmap", content),
    )


def _pdf(committed: bytes, made: bytes) -> str:
    return _drawing(_pdf_text(committed), _pdf_text(made))


def _pdf_text(content: bytes) -> bytes:
    """What a PDF draws: its streams of drawing commands, without fonts and bitmaps."""
    return b"\n".join(
        zlib.decompress(packed) if b"/FlateDecode" in head else packed
        for head, packed in _PDF_STREAM.findall(content)
        if not any(other in head for other in _PDF_OTHER)
    )


def _drawing(committed: bytes, made: bytes) -> str:
    """Whether two drawings say the same, with all numbers within ``POINTS``."""
    if _NUMBER.split(committed) != _NUMBER.split(made):
        return "draws something else than the results give"
    old, new = (
        np.array([float(number) for number in _NUMBER.findall(content)])
        for content in (committed, made)
    )
    farthest = float(np.abs(old - new).max(initial=0.0))
    return f"differs in a position by {farthest:.3g}" if farthest > POINTS else ""


_COMPARISONS: dict[str, Callable[[bytes, bytes], str]] = {
    ".png": _png,
    ".svg": _svg,
    ".pdf": _pdf,
}
