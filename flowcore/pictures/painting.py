"""Strokes of a brush on a small picture, and the few colours that a picture is made of. Needs neither torch nor a window."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image

__all__ = ["Stroke", "coverage", "paint", "palette"]


COVERAGES = 320


@dataclass(frozen=True)
class Stroke:
    """A line drawn with a round brush. Lengths are in pixels, (0, 0) the upper left corner of the picture."""

    points: tuple[tuple[float, float], ...]
    """(x, y) of each place that the brush went through; one alone is a dot."""
    radius: float
    colour: tuple[int, int, int] | None
    """8-bit red, green, blue; None takes the original back (an eraser)."""


@lru_cache(maxsize=COVERAGES)
def coverage(points: tuple[tuple[float, float], ...], radius: float, height: int, width: int) -> np.ndarray:
    """How much of each pixel a stroke covers, 0 to 1: float32 (height, width), not to be written to. The brush's edge is one
    pixel soft. Kept for the strokes used last, so that one that grows costs no more for those that lie under it."""
    nearest = np.full((height, width), np.inf)
    reach = radius + 1
    for (x0, y0), (x1, y1) in pairwise(points if len(points) > 1 else points * 2):
        top, bottom = max(0, math.floor(min(y0, y1) - reach)), min(height, math.ceil(max(y0, y1) + reach))
        left, right = max(0, math.floor(min(x0, x1) - reach)), min(width, math.ceil(max(x0, x1) + reach))
        if top >= bottom or left >= right:
            continue
        y, x = np.ogrid[top:bottom, left:right]
        y, x = y + 0.5 - y0, x + 0.5 - x0
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        along = np.clip((x * dx + y * dy) / length, 0, 1) if length > 0 else 0.0
        near = nearest[top:bottom, left:right]
        np.minimum(near, (x - along * dx) ** 2 + (y - along * dy) ** 2, out=near)
    cover = np.clip(radius + 0.5 - np.sqrt(nearest), 0, 1).astype(np.float32)
    cover.setflags(write=False)
    return cover


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
    table = np.array((image.getpalette() or [])[: 3 * count], np.uint8).reshape(-1, 3)
    colours = [(int(red), int(green), int(blue)) for red, green, blue in table]
    indices = [index for _, index in image.getcolors(count) or [] if isinstance(index, int)]
    used = {colours[index] for index in indices if index < len(colours)}
    return sorted(used, key=lambda colour: 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2])
