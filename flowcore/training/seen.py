"""Which pictures a run sees, as little as tells others apart: so that one that goes on with others is told of."""
from __future__ import annotations

import zlib
from typing import Any

import numpy as np

__all__ = ["difference", "of_data", "number_of"]

LOOKED_AT = 64
"""Pictures whose pixels are looked at, evenly among all: those that are read from disk are decoded for it."""


def of_data(data: Any, by_class: bool) -> dict[str, Any]:
    """Of what has ``pictures`` (N, H, W, C) and their ``labels`` (N,) or None: how many, and a digest of what they show.

    The labels count where the run learns them (``by_class``).
    """
    return {"count": len(data.pictures), "digest": f"{_digest(data, by_class):08x}"}


def number_of(data: Any) -> int:
    """The same as one number, labels counted: whether several processes see the same."""
    return _digest(data, True)


def _digest(data: Any, by_class: bool) -> int:
    count = len(data.pictures)
    places = np.unique(np.linspace(0, count - 1, min(count, LOOKED_AT)).astype(np.int64))
    value = zlib.crc32(np.ascontiguousarray(data.pictures[places]).tobytes(), count)
    if by_class and data.labels is not None:
        value = zlib.crc32(np.ascontiguousarray(data.labels, dtype="<i8").tobytes(), value)
    return value


def difference(before: Any, now: dict[str, Any]) -> str:
    """A sentence where a run has seen other pictures than it is to go on with; "" where not, or where nobody knows."""
    if not isinstance(before, dict) or not {"count", "digest"} <= set(before) or before == now:
        return ""
    other = "as many, but others"
    if before["count"] != now["count"]:
        other = f"{now['count']:,} where there were {_whole(before['count'])}"
    return (
        f"The data has changed since this run was stopped ({other}): it goes on, and will not be the run that it would have been "
        "with the pictures of before."
    )


def _whole(value: Any) -> str:
    return f"{value:,}" if type(value) is int and 0 <= value < 2**53 else "others"
