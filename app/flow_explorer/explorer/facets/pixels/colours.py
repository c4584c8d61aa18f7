"""The purple scale that maps of z are painted in: even steps look even, and nothing is the colour of the ground."""

from __future__ import annotations

from functools import cache

import numpy as np

from flow_explorer import theme

__all__ = ["overlay", "scale", "shade", "to_oklab"]

_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
_ENDS = {True: "#fff0f8", False: "#43103a"}
"""The strongest value on a dark and on a light ground."""


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """sRGB in 0 to 1, (..., 3) -> OKLab (Ottosson 2020), in which equal distances look about equal."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def _from_oklab(lab: np.ndarray) -> np.ndarray:
    linear = ((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T).clip(0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def _rgb(name: str) -> np.ndarray:
    return np.array([int(name[place : place + 2], 16) for place in (1, 3, 5)]) / 255


@cache
def _table(ground: str, middle: str, end: str) -> np.ndarray:
    """256 colours at even distances along the way from the ground over the middle to the end."""
    knots = np.stack([to_oklab(_rgb(name)) for name in (ground, middle, end)])
    places = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    even = np.linspace(0, places[-1], 256)
    lab = np.stack([np.interp(even, places, knots[:, axis]) for axis in range(3)], 1)
    return np.rint(255 * _from_oklab(lab)).astype(np.uint8)


def scale() -> np.ndarray:
    """The current theme's scale, (256, 3) uint8: from nothing to the strongest."""
    tones = theme.current()
    return _table(tones.raised, tones.z, _ENDS[tones.dark])


def _parts(values: np.ndarray, top: float) -> np.ndarray:
    """Where values lie on the scale: by their square root, or one strong place would leave all others dark."""
    return np.sqrt(np.clip(values / top, 0, 1)) if top > 0 else np.zeros(values.shape)


def shade(values: np.ndarray, top: float) -> np.ndarray:
    """Values from 0 to ``top`` as a picture: (h, w) -> uint8 (h, w, 3)."""
    return scale()[np.rint(255 * _parts(values, top)).astype(int)]


def overlay(values: np.ndarray, top: float, opacity: float) -> np.ndarray:
    """Values from 0 to ``top`` to lay over a picture: (h, w) -> uint8 (h, w, 4)."""
    parts = _parts(values, top)
    colour = np.empty((*values.shape, 4), np.uint8)
    # On any picture, light or dark, in either theme: what does not move is dimmed, what moves glows.
    colour[..., :3] = _table("#101014", theme.current().z, _ENDS[True])[np.rint(255 * parts).astype(int)]
    colour[..., 3] = np.rint(255 * opacity * (0.55 + 0.45 * parts))
    return colour
