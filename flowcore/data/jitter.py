"""A picture cut anew from its source: the ordinary cut's window, moved a little.

A *move* is (right, down, growth, turn): the window's shift in pixels of the source, by how much of its size it grows, and its
turn about its centre, clockwise in degrees. All zero is the ordinary cut, and no work for this module. Torch-free.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided
from PIL import Image, ImageColor

__all__ = ["AMOUNTS", "cut_moved", "moved_corners"]

AMOUNTS = (1.5, 1.5, 0.04, 2.0)
"""The most that jitter moves a window by, either way."""

_DENSITY = 4
"""Of a large source so many pixels each way are kept for one that is seen, before it is turned: as the ordinary cut's
``reducing_gap`` does, within a grey level of the full filter."""

_TAPS = 3
"""Lanczos' lobes, and so the pixels on either side that a shifted one is made of."""

_PHASES = 1024
"""Of a pixel: a shift is rounded to these."""


def _lanczos() -> np.ndarray:
    """By phase, the weights of the pixels around: (phases + 1, 2 taps) float32, each row's sum one."""
    phases = np.arange(_PHASES + 1)[:, None] / _PHASES
    distance = phases + (_TAPS - 1 - np.arange(2 * _TAPS))
    weights = np.sinc(distance) * np.sinc(distance / _TAPS)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


_WEIGHTS = _lanczos()


def moved_corners(corners: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The window's corners (4, 2) after a move (4,)."""
    right, down, growth, turn = (float(value) for value in move)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    centre = corners.mean(axis=0)
    # y points down, so this matrix turns clockwise on the screen
    return (1 + growth) * (corners - centre) @ np.array([(cos, sin), (-sin, cos)]) + centre + (right, down)


def cut_moved(
    pixels: np.ndarray, corners: np.ndarray, move: np.ndarray, background: str | None, height: int, width: int
) -> Image.Image:
    """What lies in a moved window: an "L" or "RGB" image of ``width`` × ``height``, antialiased.

    Turned first, at the source's resolution, then reduced by Lanczos as the ordinary cut is, so little sharpness is lost.
    Beyond the source's edge lies its mirror image. A repeated edge would be streaks without texture, which a likelihood would
    learn: of faces as large as the model, the outermost neighbours differ (squared) by 1.06 of what they do in the middle,
    mirrored by 0.92, repeated by 0.65.

    Args:
        pixels: uint8 (H, W, C) with C of 1, 3 or 4, the last over ``background`` ("#rrggbb"; None where nothing shows through).
        corners: of the ordinary window, which is upright and lies on the picture, as of
            :func:`flowcore.pictures.crop.crop_corners`.
    """
    # Plain numbers from here: arrays of four would take a third of the time of a small picture.
    (x0, y0), _, (x1, y1), _ = corners.tolist()
    right, down, growth, turn = map(float, move)
    method = Image.Resampling.LANCZOS if x1 - x0 >= width else Image.Resampling.BICUBIC
    x, y = (x0 + x1) / 2 + right, (y0 + y1) / 2 + down
    across, along = (x1 - x0) * (1 + growth) / 2, (y1 - y0) * (1 + growth) / 2
    scale = max(1.0, 2 * across / width, 2 * along / height)
    factor = max(1, int(scale / _DENSITY))
    reach = 2.5 * scale  # of Lanczos beyond the window: three seen pixels from the middle of the outermost
    # The turn is two shears and a scaling, which the window's sides take up: R(t) = [1 -tan t; 0 1] [1 0; sin t cos t 1] D
    # with D = diag(1 / cos t, cos t).
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    across, along, by_row, by_column = across / cos, along * cos, -sin / cos, sin * cos
    far_x, far_y = across + reach, along + reach
    margin = (_TAPS + 2) * factor  # two of them since pixels begin at whole numbers
    high = far_y + abs(by_column) * far_x + margin
    wide = far_x + abs(by_row) * high + margin
    left, top = math.floor(x - wide), math.floor(y - high)
    columns, rows = (-(-math.ceil(2 * far + 1) // factor) * factor for far in (wide, high))
    part = _region(pixels, left, top, columns, rows, background)
    x, y = x - left, y - top
    if factor > 1:
        part = np.array(_image(part).reduce(factor)).reshape(rows // factor, columns // factor, -1)
        x, y, across, along, far_x, far_y = (value / factor for value in (x, y, across, along, far_x, far_y))
    if sin == 0:
        image = _image(part)
    else:
        left, top = math.floor(x - far_x), math.floor(y - far_y)
        part = part.astype(np.float32)
        part = _shifted(part, left + by_row * (np.arange(len(part)) + 0.5 - y), math.ceil(x + far_x) - left)
        part = part.transpose(1, 0, 2)
        part = _shifted(part, top + by_column * (np.arange(len(part)) + left + 0.5 - x), math.ceil(y + far_y) - top)
        image = _image(np.clip(part + 0.5, 0, 255).astype(np.uint8)).transpose(Image.Transpose.TRANSPOSE)
        x, y = x - left, y - top
    return image.resize((width, height), method, box=(x - across, y - along, x + across, y + along))


def _shifted(rows: np.ndarray, first: np.ndarray, count: int) -> np.ndarray:
    """Row r (n, C) of float32 (R, n, C) read at ``first[r]``, ``first[r]`` + 1 … by Lanczos: (R, count, C)."""
    start = np.floor(first)
    weights = _WEIGHTS[((first - start) * _PHASES + 0.5).astype(np.int64)]
    number, length, channels = rows.shape
    taken = count + 2 * _TAPS - 1
    along, within = rows.strides[1:]
    windows = as_strided(
        rows, (number, length - taken + 1, taken, channels), (rows.strides[0], along, along, within), writeable=False
    )
    windows = windows[np.arange(number), start.astype(np.int64) - (_TAPS - 1)]  # a copy, each row's own part
    shape, item = (number, 2 * _TAPS, count * channels), windows.itemsize
    shifted = np.ndarray(shape, np.float32, windows, strides=(windows.strides[0], channels * item, item))
    return np.einsum("nt,ntk->nk", weights, shifted).reshape(number, count, channels)


def _region(
    pixels: np.ndarray, left: int, top: int, columns: int, rows: int, background: str | None
) -> np.ndarray:
    """The part of the picture that begins there (rows, columns, 1 or 3), mirrored where it reaches beyond an edge."""
    height, width, channels = pixels.shape
    if left >= 0 and top >= 0 and left + columns <= width and top + rows <= height:
        part = pixels[top : top + rows, left : left + columns]
    else:
        part = pixels.take(_mirrored(top, rows, height), 0).take(_mirrored(left, columns, width), 1)
    if channels < 4 or background is None:
        return part[..., :3]
    base = Image.new("RGBA", (columns, rows), (*ImageColor.getrgb(background), 255))
    return np.array(Image.alpha_composite(base, Image.fromarray(np.ascontiguousarray(part))).convert("RGB"))


def _image(part: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(part[..., 0] if part.shape[2] == 1 else part))


def _mirrored(first: int, count: int, size: int) -> np.ndarray:
    """The numbers from ``first`` on, each beyond 0 to size - 1 as its mirror image there: … 2 1 0 1 2 … size-1 size-2 …"""
    period = max(1, 2 * size - 2)
    around = np.arange(first, first + count) % period
    return np.where(around < size, around, period - around)
