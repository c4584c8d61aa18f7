"""Lines of equal height through a grid of values: marching squares, all cells at once. Torch-free."""
from __future__ import annotations

import numpy as np

__all__ = ["contours"]

# Corners of a cell: lower left 1, lower right 2, upper right 4, upper left 8, added up where the value is above the level.
# Its sides: 0 below, 1 right, 2 above, 3 left. A line enters by one side and leaves by the other.
_CASES = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 6: ((0, 2),), 7: ((3, 2),), 8: ((2, 3),), 9: ((0, 2),),
    11: ((1, 2),), 12: ((1, 3),), 13: ((0, 1),), 14: ((0, 3),),
}  # fmt: skip
_APART, _TOGETHER = ((3, 0), (1, 2)), ((0, 1), (2, 3))
"""A saddle with its lower left and upper right corners above: those two apart, or joined across the middle."""


def contours(values: np.ndarray, levels: tuple[float, ...], bounds: tuple[float, float, float, float]) -> np.ndarray:
    """Segments of the lines where ``values`` equals each of ``levels``.

    ``values`` (R, C) stand at the centres of R × C cells over ``bounds`` (x_min, x_max, y_min, y_max), row 0 lowest. Along a
    side of the grid the value is taken as linear. Returns (n, 5) float32: x₀, y₀, x₁, y₁ and the number of the level.
    Cells with a corner that is not finite have no line.
    """
    rows, columns = values.shape
    found = [np.empty((0, 5), np.float32)]
    if min(rows, columns) < 2:
        return found[0]
    x_min, x_max, y_min, y_max = bounds
    dx, dy = (x_max - x_min) / columns, (y_max - y_min) / rows
    corners = (values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1])
    finite = np.logical_and.reduce([np.isfinite(corner) for corner in corners])
    for number, level in enumerate(levels):
        case = np.bitwise_or.reduce([(corner > level).astype(np.uint8) << bit for bit, corner in enumerate(corners)])
        row, column = np.nonzero(finite & (case > 0) & (case < 15))
        if not len(row):
            continue
        case = case[row, column]
        low_left, low_right, high_right, high_left = (corner[row, column].astype(np.float64) for corner in corners)
        x, y = x_min + (column + 0.5) * dx, y_min + (row + 0.5) * dy
        sides = np.stack([
            np.stack([x + _part(low_left, low_right, level) * dx, y], -1),
            np.stack([x + dx, y + _part(low_right, high_right, level) * dy], -1),
            np.stack([x + _part(high_left, high_right, level) * dx, y + dy], -1),
            np.stack([x, y + _part(low_left, high_left, level) * dy], -1),
        ])  # fmt: skip
        middle = (low_left + low_right + high_right + high_left) > 4 * level
        picked = [(case == which, pairs) for which, pairs in _CASES.items()]
        picked += [((case == 5) & ~middle | (case == 10) & middle, _APART)]
        picked += [((case == 5) & middle | (case == 10) & ~middle, _TOGETHER)]
        for mask, pairs in picked:
            for first, second in pairs:
                ends = np.concatenate([sides[first][mask], sides[second][mask]], 1)
                found.append(np.pad(ends, ((0, 0), (0, 1)), constant_values=number).astype(np.float32))
    return np.concatenate(found)


def _part(first: np.ndarray, second: np.ndarray, level: float) -> np.ndarray:
    """How far along a side from ``first`` to ``second`` the level is met, 0..1; whatever where it is not."""
    gap = second - first
    return np.clip(np.divide(level - first, gap, out=np.full_like(gap, 0.5), where=gap != 0), 0.0, 1.0)
