"""Ink on a square sheet, to draw a density with: pen, air brush, eraser, and a magnet that moves ink without losing any.

A sheet is (side, side) float32 from 0 (bare) to 1 (black; the magnet may pile up a little more), row 0 on top. Places and
radii are in cells, (x, y) with the upper left corner at (0, 0), so that the middle of the first cell is (0.5, 0.5). Every
tool returns a new sheet.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["SIDE", "SPACING", "TOOLS", "blank", "magnet", "pen", "spray", "stroke", "wipe"]

SIDE = 128
TOOLS = ("pen", "air", "eraser", "magnet")
SPACING = 0.25
"""How far apart, in radii, the dabs of the air brush and the magnet are on their way."""

FLOW = 0.09
"""What one dab of the air brush adds in its middle to bare paper."""
PULL = 0.16
"""Share of its way to the pointer that ink takes in one dab of the magnet, at most."""
_CORE = 0.15
"""Within this share of the radius the magnet leaves ink alone: a pile of one cell would be no density."""
_SETTLING, _ROOM = 24, 16
"""Rounds of flowing apart, and how far beyond the magnet's rim, in cells, that may reach."""

Place = tuple[float, float]


def blank(side: int = SIDE) -> np.ndarray:
    """A bare sheet."""
    return np.zeros((side, side), np.float32)


def stroke(sheet: np.ndarray, tool: str, start: Place, end: Place, radius: float) -> np.ndarray:
    """The sheet after a tool went straight from one place to another (the same: one dab).

    Raises:
        ValueError: for an unknown tool.
    """
    if tool not in TOOLS:
        raise ValueError(f"there is no tool named {tool!r}")
    if tool in ("pen", "eraser"):
        return (pen if tool == "pen" else wipe)(sheet, start, end, radius)
    dab = spray if tool == "air" else magnet
    count = max(1, math.ceil(math.dist(start, end) / max(0.5, SPACING * radius)))
    for part in np.arange(1, count + 1) / count:
        place = (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
        sheet = dab(sheet, place, radius)
    return sheet


def pen(sheet: np.ndarray, start: Place, end: Place, radius: float) -> np.ndarray:
    """Black, with an edge that is one cell soft: how often it goes over a place makes no difference."""
    return np.maximum(sheet, _cover(len(sheet), start, end, radius))


def wipe(sheet: np.ndarray, start: Place, end: Place, radius: float) -> np.ndarray:
    """The opposite of the pen: bare paper."""
    return np.minimum(sheet, 1 - _cover(len(sheet), start, end, radius))


def spray(sheet: np.ndarray, place: Place, radius: float) -> np.ndarray:
    """A soft dab, a Gaussian of standard deviation radius / 2: the longer it stays, the darker it gets, black at most."""
    y, x = _away(len(sheet), place)
    dab = FLOW * np.exp(-2 * (x * x + y * y) / max(radius, 0.5) ** 2)
    return (sheet + dab * (1 - sheet)).astype(np.float32)


def magnet(sheet: np.ndarray, place: Place, radius: float) -> np.ndarray:
    """Ink within the radius moves towards the place; its sum stays as it was.

    A cell's ink is shared among the four cells that its new place lies between, by area. Where more gathers than a cell
    can hold, what is over flows to the neighbours.
    """
    side = len(sheet)
    at = (min(max(place[0], 0.5), side - 0.5), min(max(place[1], 0.5), side - 0.5))
    y, x = _away(side, at)
    far = np.sqrt(x * x + y * y)
    rows, columns = np.nonzero((far < radius) & (sheet > 0))
    if not len(rows):
        return sheet
    ink, d = sheet[rows, columns].astype(np.float64), far[rows, columns]
    # No pull at the rim and little beside it, so that no gap opens there.
    share = PULL * (1 - (d / radius) ** 2) ** 2 * np.maximum(0.0, 1 - _CORE * radius / np.maximum(d, 1e-9))
    to_x = columns + share * (at[0] - columns - 0.5)
    to_y = rows + share * (at[1] - rows - 0.5)
    left, top = np.floor(to_x).astype(int), np.floor(to_y).astype(int)
    part_x, part_y = to_x - left, to_y - top
    moved = sheet.astype(np.float64)
    moved[rows, columns] = 0.0
    for dx, dy, part in (
        (0, 0, (1 - part_x) * (1 - part_y)), (1, 0, part_x * (1 - part_y)),
        (0, 1, (1 - part_x) * part_y), (1, 1, part_x * part_y),
    ):  # fmt: skip
        place_x, place_y = np.minimum(left + dx, side - 1), np.minimum(top + dy, side - 1)
        moved += np.bincount(place_y * side + place_x, part * ink, side * side).reshape(side, side)
    reach = radius + _ROOM
    near = tuple(slice(max(0, math.floor(c - reach)), max(0, math.ceil(c + reach))) for c in (at[1], at[0]))
    moved[near] = _settled(moved[near])
    return moved.astype(np.float32)


def _settled(sheet: np.ndarray) -> np.ndarray:
    """What is over black flows apart in four directions, a few times, far and near; nothing flows over the edge."""
    for turn in range(_SETTLING):
        over = np.maximum(sheet - 1, 0)
        if over.max() < 1e-3:
            break
        far, share = (4, 2, 1)[turn % 3], over / 4
        sheet = sheet - over
        for own, part in ((sheet, share), (sheet.T, share.T)):
            own[far:] += part[:-far]
            own[:-far] += part[far:]
            # What would flow over the edge stays where it is.
            own[:far] += part[:far]
            own[-far:] += part[-far:]
    return sheet


def _away(side: int, place: Place) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.ogrid[:side, :side]
    return y + 0.5 - place[1], x + 0.5 - place[0]


def _cover(side: int, start: Place, end: Place, radius: float) -> np.ndarray:
    """How much of each cell a round tool covers on its way, 0 to 1."""
    y, x = _away(side, start)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = np.clip((x * dx + y * dy) / length, 0, 1) if length > 0 else 0.0
    far = np.sqrt((x - along * dx) ** 2 + (y - along * dy) ** 2)
    return np.clip(radius + 0.5 - far, 0, 1).astype(np.float32)
