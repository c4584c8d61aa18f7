"""A density on a square grid: drawn ink, a picture's darkness, a formula's values. Torch-free."""
from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Generator

import numpy as np
from PIL import Image

from ...errors import ConfigError, PictureError
from ...fields import shown
from ..densities import BOUNDS
from .entropy import MeasuredEntropy

__all__ = ["MAX_SIDE", "SIDE", "GridDensity", "from_grid", "from_pixels", "grid_of", "pack", "unpack"]

SIDE = 128
MAX_SIDE = 512
MAX_TITLE = 200
_NODES = 6
_ROWS = 8


class GridDensity(MeasuredEntropy):
    """Bilinear between the middles of side × side cells over the square from -4 to 4.

    That is the mixture of one tent (|x| < one cell, along each axis) a cell, weighted by the cell's value: a sample is a
    cell's middle plus a triangular variate on each axis, and its log-density is the exact one of what is sampled. It
    is zero, and its logarithm -inf, more than half a cell beyond the last ink.

    ``weights`` (side, side) ≥ 0, row 0 on top, not all zero; ``log_normaliser`` is what a formula had to be divided by.
    """

    known = True
    bounds = BOUNDS

    def __init__(self, name: str, title: str, weights: np.ndarray, log_normaliser: float = 0.0) -> None:
        self.name, self.title, self.log_normaliser = name, title, log_normaliser
        side = len(weights)
        self.cell = (BOUNDS[1] - BOUNDS[0]) / side
        # Row 0 lowest from here on, and a rim of nothing, to which the tents of the outermost cells reach down.
        mass = np.asarray(weights, np.float64)[::-1]
        self._table = np.pad(mass / mass.sum(), 2) / self.cell**2
        # Ends at 1 exactly: by a sum rounded otherwise a draw could fall behind the last ink, into a bare cell.
        self._cumulative = np.cumsum(mass.ravel())
        self._cumulative /= self._cumulative[-1]
        self._side = side

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``n`` independent points: (n, 2) float64."""
        which = np.searchsorted(self._cumulative, rng.random(n), side="right")
        row, column = np.divmod(which, self._side)
        tent = rng.random((n, 2)) + rng.random((n, 2)) - 1
        return BOUNDS[0] + self.cell * (np.column_stack([column, row]) + 0.5 + tent)

    held_out = sample

    def log_prob(self, points: np.ndarray) -> np.ndarray:
        """The exact log-density in nats at points (..., 2): (...) float64."""
        points = np.asarray(points, dtype=np.float64)
        if points.shape[-1:] != (2,):
            raise ValueError(f"points must be (..., 2), got {points.shape}")
        # In units of cells from the middle of the rim's first; beyond the rim everything is as on it, zero.
        place = np.clip((points - BOUNDS[0]) / self.cell + 1.5, 0, self._side + 3 - 1e-9)
        low = np.floor(place).astype(int)
        (u, v), (x, y) = np.moveaxis(place - low, -1, 0), np.moveaxis(low, -1, 0)
        t = self._table
        below = t[y, x] * (1 - u) + t[y, x + 1] * u
        above = t[y + 1, x] * (1 - u) + t[y + 1, x + 1] * u
        with np.errstate(divide="ignore"):
            return np.log(below * (1 - v) + above * v)

    def _integrate(self) -> Generator[None, None, tuple[float, float]]:
        """A few rows of cells at a time, by Gauss and Legendre's rule in each patch.

        The error is how far the rule with two nodes fewer along each axis is from it.
        """
        totals = [0.0, 0.0]
        for start in range(0, len(self._table) - 1, _ROWS):
            t = self._table[start : start + _ROWS + 1, :, None, None]
            for index, count in enumerate((_NODES, _NODES - 2)):
                nodes, weights = np.polynomial.legendre.leggauss(count)
                u, w = (nodes + 1) / 2, weights / 2
                across = t[:, :-1] * (1 - u) + t[:, 1:] * u
                p = across[:-1] * (1 - u[:, None]) + across[1:] * u[:, None]
                totals[index] -= float((p * np.log(np.maximum(p, 1e-300)) * w * w[:, None]).sum()) * self.cell**2
            yield
        return totals[0], abs(totals[0] - totals[1])


def pack(data: bytes) -> str:
    """Bytes as text for JSON."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpack(text: object, size: int, words: str) -> bytes:
    """The opposite of :func:`pack`; never more than ``size`` bytes, whatever the text claims.

    Raises:
        ConfigError: that ``words`` are damaged.
    """
    broken = ConfigError(f"{words} damaged, so it cannot be used: make it anew.")
    if not isinstance(text, str) or len(text) > 2 * size + 1000:
        raise broken
    try:
        machine = zlib.decompressobj()
        data = machine.decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise broken from error
    if len(data) > size or not machine.eof:
        raise broken
    return data


def from_grid(values: np.ndarray, title: str, source: str = "drawn") -> dict:
    """Ink (side, side) uint8, row 0 on top, as a target.

    Raises:
        ConfigError: if it is no such grid, or bare.
    """
    values = np.asarray(values)
    if values.dtype != np.uint8 or values.ndim != 2 or values.shape[0] != values.shape[1] or not 2 <= len(values) <= MAX_SIDE:
        raise ConfigError(f"A drawn density is a square of bytes, 2 to {MAX_SIDE} cells wide.")
    if not values.any():
        raise ConfigError("There is no ink, so there is no density: draw something first.")
    return {
        "kind": "grid", "title": str(title)[:MAX_TITLE], "source": source, "side": len(values),
        "values": pack(np.ascontiguousarray(values).tobytes()),
    }  # fmt: skip


def from_pixels(pixels: np.ndarray, title: str) -> dict:
    """A picture's darkness, (H, W, 1 | 3 | 4) uint8, times its alpha, fitted whole into the square.

    Raises:
        PictureError: if it is no picture, or equally dark everywhere.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or not pixels.size:
        raise PictureError("This is no picture of 8-bit grey, RGB or RGBA pixels.")
    color = pixels[..., :3].astype(np.float32)
    grey = color[..., 0] if pixels.shape[2] == 1 else color @ np.array([0.299, 0.587, 0.114], np.float32)
    dark = 255 - grey
    if pixels.shape[2] == 4:
        dark *= pixels[..., 3] / np.float32(255)
    if float(dark.max()) < 1:
        raise PictureError(f"{title} is white or transparent everywhere, so it gives no density: choose one with dark parts.")
    if float(np.ptp(dark)) < 1:
        raise PictureError(f"{title} is equally dark everywhere, so there is nothing to learn: choose one with light parts too.")
    height, width = dark.shape
    scale = SIDE / max(height, width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(dark).resize((wide, tall), way))
    values = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (SIDE - tall) // 2, (SIDE - wide) // 2
    values[top : top + tall, left : left + wide] = np.rint(np.clip(small, 0, 255))
    if not values.any():
        raise PictureError(f"{title} has too little darkness for a density: choose one with larger dark parts.")
    return from_grid(values, title, "picture")


def grid_of(target: dict) -> np.ndarray:
    """The ink of a grid target: (side, side) uint8, row 0 on top.

    Raises:
        ConfigError: if the target is damaged.
    """
    side = target.get("side")
    if isinstance(side, bool) or not isinstance(side, int) or not 2 <= side <= MAX_SIDE:
        raise ConfigError(f"A drawn density is 2 to {MAX_SIDE} cells wide, not {shown(side)}.")
    if target.get("source") not in ("drawn", "picture") or not isinstance(target.get("title"), str):
        raise ConfigError("The drawn density is damaged, so it cannot be used: make it anew.")
    data = unpack(target.get("values"), side * side, "The drawn density is")
    if len(data) != side * side or not any(data):
        raise ConfigError("The drawn density is damaged or bare, so it cannot be used: make it anew.")
    return np.frombuffer(data, np.uint8).reshape(side, side)
