"""Points of a map: who is near whom, who lies inside a line drawn by hand, who stands apart. numpy alone, without torch."""

from __future__ import annotations

import numpy as np

from ...errors import DataError

__all__ = ["NEIGHBOURS", "inside", "nearest", "pack", "unpack", "unusual"]

NEIGHBOURS = 8
_AT_ONCE = 512


def nearest(points: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` nearest other points of each of (n, d): numbers (n, c) int32 and distances (n, c) float32, exact, the
    nearest first, the lower number first among equals; c is n − 1 where there are fewer.

    Raises:
        DataError: for a number that is not finite.
    """
    points = np.asarray(points, np.float64)
    if not np.isfinite(points).all():
        raise DataError("A point that is not finite has no neighbours.")
    total = len(points)
    count = max(0, min(count, total - 1))
    numbers, distances = np.zeros((total, count), np.int32), np.zeros((total, count), np.float32)
    if not count:
        return numbers, distances
    points = points - points.mean(0)
    squares = np.square(points).sum(1)
    # Some more than wanted come from the quick formula, which cancels for near ones; the difference itself decides.
    wanted = min(total - 1, count + 8)
    for start in range(0, total, _AT_ONCE):
        block = points[start : start + _AT_ONCE]
        rough = squares - 2.0 * (block @ points.T)
        rough[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        near = np.sort(np.argpartition(rough, wanted - 1, axis=1)[:, :wanted], axis=1)
        exact = np.sqrt(np.square(points[near] - block[:, None]).sum(2))
        order = np.argsort(exact, axis=1, kind="stable")[:, :count]
        numbers[start : start + len(block)] = np.take_along_axis(near, order, 1)
        distances[start : start + len(block)] = np.take_along_axis(exact, order, 1)
    return numbers, distances


def inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which of the points (n, 2) lie inside a polygon (m, 2), (n,) bool; where it crosses itself, by the even-odd rule."""
    points, polygon = np.asarray(points, np.float64), np.asarray(polygon, np.float64)
    result = np.zeros(len(points), bool)
    if len(polygon) < 3:
        return result
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        result ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return result


def unusual(bpd: np.ndarray, limit: float = 3.5) -> np.ndarray:
    """Which pictures' bits per dimension (n,) lie apart from the others', on either side, (n,) bool.

    By the modified z-score |0.6745 (b − median) / MAD| > 3.5 (Iglewicz & Hoaglin 1993), which one far value cannot move.
    """
    bpd = np.asarray(bpd, np.float64)
    if len(bpd) < 3:
        return np.zeros(len(bpd), bool)
    away = np.abs(bpd - np.median(bpd))
    spread = np.median(away)
    return away > limit * spread / 0.6745 if spread > 0 else np.zeros(len(bpd), bool)


def pack(members: np.ndarray) -> bytes:
    """(n,) bool as bytes, eight to one, without the zeros at the end."""
    return np.packbits(np.asarray(members, bool)).tobytes().rstrip(b"\0")


def unpack(packed: bytes, count: int) -> np.ndarray:
    """What :func:`pack` packed, (count,) bool."""
    bits = np.unpackbits(np.frombuffer(packed, np.uint8)).astype(bool)[:count]
    return np.concatenate([bits, np.zeros(count - len(bits), bool)])
