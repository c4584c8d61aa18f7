"""A map as one picture: thumbnails where there is room, dots elsewhere."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from ...errors import ConfigError

__all__ = ["map_picture"]

GROUND = (16, 17, 19)
TONES = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (213, 94, 0), (240, 228, 66), (0, 114, 178),
         (244, 205, 125), (190, 225, 245), (110, 215, 185), (235, 195, 220), (245, 165, 110), (160, 160, 160))  # fmt: skip
"""Okabe and Ito's, safe for colour-blind eyes, then lighter ones; of more than twelve classes they come again. The last is for
none."""
MARGIN = 0.04
FRAME = 2
DOT = 6


def map_picture(
    points: np.ndarray, pictures: np.ndarray, classes: np.ndarray | None = None, width: int = 1600, height: int = 1200
) -> np.ndarray:
    """Points (n, 2) and their pictures uint8 (n, h, w, c) as one picture, uint8 (height, width, 3).

    Equal scales on both axes, y upwards. A class, a number from 0 on (-1 for none), gives dot and frame their colour. A
    thumbnail that would cover an earlier one is a dot.

    Raises:
        ConfigError: where there is nothing to draw, or too little room.
    """
    if not len(points) or width < 64 or height < 64:
        raise ConfigError("A picture of a map needs pictures on it, and 64 pixels each way.")
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    room = np.array([width, height]) * (1 - 2 * MARGIN)
    side = int(min(96, max(12, math.sqrt(0.5 * width * height / len(points)))))
    scale = ((room - side) / np.maximum(high - low, 1e-9)).min()
    places = (points - (low + high) / 2) * [scale, -scale] + [width / 2, height / 2]
    sheet = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    shown = _apart(places, side + 2 * FRAME + 2)
    dot = _dot()
    for row in np.setdiff1d(np.arange(len(points)), shown):
        left, top = (round(value - DOT / 2) for value in places[row])
        sheet.paste(_tone(classes, row), (left, top, left + DOT, top + DOT), dot)
    tall, wide = pictures.shape[1:3]
    size = (max(1, round(side * wide / max(tall, wide))), max(1, round(side * tall / max(tall, wide))))
    for row in shown:
        picture = pictures[row]
        picture = np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture
        thumb = Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.LANCZOS)
        left, top = round(places[row][0] - size[0] / 2), round(places[row][1] - size[1] / 2)
        if classes is not None:
            box = (left - FRAME, top - FRAME, left + size[0] + FRAME - 1, top + size[1] + FRAME - 1)
            draw.rectangle(box, fill=_tone(classes, row))
        sheet.paste(thumb, (left, top))
    return np.asarray(sheet).copy()


def _dot() -> Image.Image:
    """How much of each pixel a dot covers."""
    large = Image.new("L", (8 * DOT, 8 * DOT))
    ImageDraw.Draw(large).ellipse((0, 0, 8 * DOT - 1, 8 * DOT - 1), fill=255)
    return large.resize((DOT, DOT), Image.Resampling.BOX)


def _tone(classes: np.ndarray | None, row: int) -> tuple[int, int, int]:
    if classes is None:
        return TONES[3]
    return TONES[-1] if classes[row] < 0 else TONES[int(classes[row]) % (len(TONES) - 1)]


def _apart(places: np.ndarray, pitch: float) -> np.ndarray:
    """Rows that lie at least so far from all rows before them that are shown."""
    cells: dict[tuple[int, int], list[np.ndarray]] = {}
    kept = []
    for row, place in enumerate(places):
        column, line = (place // pitch).astype(int)
        near = [other for i in (-1, 0, 1) for j in (-1, 0, 1) for other in cells.get((column + i, line + j), ())]
        if all(np.abs(place - other).max() >= pitch for other in near):
            cells.setdefault((column, line), []).append(place)
            kept.append(row)
    return np.array(kept, np.int64)
