"""Numbers as text, with as many digits as they are good for."""

from __future__ import annotations

import math


def fmt(value: float, low: float | None = None, high: float | None = None) -> str:
    """A number as text: ``14.2`` or, with its interval, ``14.2 [13.8, 14.7]``.

    Whole numbers stay whole. Else an interval sets the decimals, so that its width shows two
    digits, and a number alone has three significant digits. ``NaN`` becomes a dash.
    """
    if math.isnan(value):
        return "-"
    if low is None or high is None:
        return _fixed(value, 0 if _is_whole(value) else 2 - _exponent(value))
    ends = (value, low, high)
    decimals = 0 if all(map(_is_whole, ends)) else 1 - _exponent((high - low) or value / 10)
    centre, lower, upper = (_fixed(end, decimals) for end in ends)
    return f"{centre} [{lower}, {upper}]"


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and value == round(value)


def _exponent(value: float) -> int:
    """The power of ten of the first digit; 0 for nought and for the infinite."""
    return math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0


def _fixed(value: float, decimals: int) -> str:
    """``value`` to so many decimals; in scientific form where most would be noughts."""
    if not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.2e}" if decimals > 6 else f"{value + 0.0:.{max(decimals, 0)}f}"
