"""JSON from a file that nobody vouches for, read strictly. Torch-free."""
from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["loads"]

_MOST_BRACKETS, _MOST_COMMAS = 1_000_000, 4_000_000
"""Of a text: each table or list costs a hundred bytes and a microsecond. What holds many numbers has them as base64."""
_MOST_DIGITS = 100
"""Of a whole number. A generator's state has 39; one of 400 is no float any more, and one of 5,000 Python does not write."""


def loads(text: str | bytes) -> Any:
    """What JSON says, and nothing else: no NaN, no Infinity, no number that only looks finite (1e999), no endless nesting.

    Raises:
        ValueError: for anything that is none.
    """
    if not isinstance(text, str | bytes):  # where a text was looked for, a file may hold anything
        raise ValueError("it is no text")
    text = text if isinstance(text, str) else text.decode("utf-8")
    if text.count("[") + text.count("{") > _MOST_BRACKETS or text.count(",") > _MOST_COMMAS:
        raise ValueError("it has too many parts")
    try:
        return json.loads(text, parse_constant=_constant, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number beyond all bounds")
    return value


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)
