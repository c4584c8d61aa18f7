"""Strokes of a brush on a small picture, and the few colours that a picture is made of. Needs neither torch nor a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["Stroke", "coverage", "paint", "palette"]


@dataclass(frozen=True)
class Stroke:
    """A line drawn with a round brush. Lengths are in pixels, (0, 0) the upper left corner of the picture."""

    points: tuple[tuple[float, float], ...]
    """(x, y) of each place that the brush went through; one alone is a dot."""
    radius: float
    colour: tuple[int, int, int] | None
    """8-bit red, green, blue; None takes the original back (an eraser)."""


def coverage(points: Sequence[tuple[float, float]], radius: float, height: int, width: int) -> np.ndarray:
    """How much of each pixel a stroke covers, 0 to 1: float32 (height, width). The brush's edge is one pixel soft."""
    centres_y, centres_x = np.mgrid[:height, :width] + 0.5
    nearest = np.full((height, width), np.inf)
    ends = [points[0], *points[1:]] if len(points) > 1 else [points[0], points[0]]
    for (x0, y0), (x1, y1) in zip(ends, ends[1:], strict=False):
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        along = np.clip(((centres_x - x0) * dx + (centres_y - y0) * dy) / length, 0, 1) if length > 0 else 0.0
        distance = (centres_x - (x0 + along * dx)) ** 2 + (centres_y - (y0 + along * dy)) ** 2
        np.minimum(nearest, distance, out=nearest)
    return np.clip(radius + 0.5 - np.sqrt(nearest), 0, 1).astype(np.float32)


def paint(picture: np.ndarray, strokes: Iterable[Stroke]) -> tuple[np.ndarray, np.ndarray]:
    """Strokes one over the other on a picture: uint8 (H, W, C) -> (painted, the same shape; bool (H, W), where it was painted).

    On a grey picture a colour counts by its luma (Rec. 601). What an eraser took back wholly is not painted any more.
    """
    height, width, channels = picture.shape
    original = picture.astype(np.float32)
    painted, share = original.copy(), np.zeros((height, width), np.float32)
    for stroke in strokes:
        if not stroke.points:
            continue
        cover = coverage(stroke.points, stroke.radius, height, width)
        if stroke.colour is None:
            painted += cover[..., None] * (original - painted)
            share *= 1 - cover
        else:
            painted += cover[..., None] * (_in_channels(stroke.colour, channels) - painted)
            share += cover * (1 - share)
    result = np.clip(np.rint(painted), 0, 255).astype(np.uint8)
    where = (share > 0.02) & (result != picture).any(2)
    return np.where(where[..., None], result, picture), where


def _in_channels(colour: tuple[int, int, int], channels: int) -> np.ndarray:
    if channels == 1:
        return np.array([0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]], np.float32)
    return np.array(colour, np.float32)


def palette(picture: np.ndarray, count: int = 6) -> list[tuple[int, int, int]]:
    """Up to ``count`` colours that a picture is made of, the dark ones first: uint8 (H, W, C) -> 8-bit red, green, blue."""
    rgb = np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture[..., :3]
    image = Image.fromarray(np.ascontiguousarray(rgb)).quantize(count, Image.Quantize.MEDIANCUT, kmeans=4)
    table = np.array(image.getpalette()[: 3 * count], np.uint8).reshape(-1, 3)
    used = {tuple(int(value) for value in table[index]) for _, index in image.getcolors(count) or [] if index < len(table)}
    return sorted(used, key=lambda colour: 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
