"""What the priors of the plane look like: numbers and outlines. No torch, so that a window may draw them."""
from __future__ import annotations

import math
from functools import cache

import numpy as np

from ..errors import ConfigError
from ..fields import shown
from .config import MAX_COMPONENTS, PRIORS

__all__ = [
    "MAX_COMPONENTS", "MIXTURE_SPREAD", "PLANE_PRIORS", "RING_RADIUS", "RING_WIDTH", "ellipses", "mixture_width", "outline",
]  # fmt: skip

PLANE_PRIORS = tuple(PRIORS)
RING_RADIUS, RING_WIDTH = 2.0, 0.3
MIXTURE_SPREAD = 2.0
"""Radius of the circle that a mixture's centres start on."""
OUTLINE_POINTS = 97
MASSES = (1 - math.exp(-0.5), 1 - math.exp(-2.0), 1 - math.exp(-4.5))
"""The share of a round Gaussian within 1, 2 and 3 standard deviations."""


def mixture_width(components: int) -> float:
    """The standard deviation of each of a mixture's Gaussians: a third of the way to its neighbour, 1 where it is alone."""
    if components == 1:
        return 1.0
    return min(0.6, 2 * MIXTURE_SPREAD * math.sin(math.pi / components) / 3.2)


@cache
def outline(kind: str, components: int = 8) -> np.ndarray:
    """Closed lines of equal density of a prior that is as it was at the start: (lines, OUTLINE_POINTS, 2) float64.

    The Gaussian's are its first three standard deviations, and the logistic's hold as much as the first two of them; a
    mixture has the first and the second deviation about each centre; a ring its circle, and two deviations to either side.

    Raises:
        ConfigError: for another kind.
    """
    circle = _circle()
    if kind == "gaussian":
        return np.stack([radius * circle for radius in (1.0, 2.0, 3.0)])
    if kind == "ring":
        return np.stack([radius * circle for radius in (RING_RADIUS - 2 * RING_WIDTH, RING_RADIUS, RING_RADIUS + 2 * RING_WIDTH)])
    if kind == "mixture":
        angles = 2 * math.pi * np.arange(components) / components
        spread = MIXTURE_SPREAD if components > 1 else 0.0
        centres = spread * np.column_stack([np.cos(angles), np.sin(angles)])
        return ellipses(centres, np.full((components, 2), mixture_width(components)))
    if kind == "logistic":
        return np.stack([_logistic_radii(level)[:, None] * circle for level in _logistic_levels()[:2]])
    raise ConfigError(f"A prior of the plane is one of {', '.join(PLANE_PRIORS)}, not {shown(kind)}.")


def ellipses(centres: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """One and two standard deviations about every centre: centres and widths (k, 2) -> (2k, OUTLINE_POINTS, 2)."""
    return np.concatenate([centres[:, None] + times * widths[:, None] * _circle() for times in (1.0, 2.0)])


def _circle() -> np.ndarray:
    turn = np.linspace(0, 2 * math.pi, OUTLINE_POINTS)
    return np.column_stack([np.cos(turn), np.sin(turn)])


def _logistic_height(points: np.ndarray) -> np.ndarray:
    """−log π up to a constant: Σ 2 ln cosh(z/2), (..., 2) -> (...)."""
    return (2 * np.logaddexp(points / 2, -points / 2)).sum(-1)


def _logistic_levels() -> list[float]:
    axis = (np.arange(400) + 0.5) * 0.05  # a quarter of the plane out to 20
    heights = np.sort(_logistic_height(np.stack(np.meshgrid(axis, axis), -1)).ravel())
    held = np.cumsum(np.exp(-heights))
    return [float(np.interp(mass, held / held[-1], heights)) for mass in MASSES]


def _logistic_radii(level: float) -> np.ndarray:
    """How far the level line is in each direction: by halving, since the density falls along every ray."""
    circle = _circle()
    low, high = np.zeros(OUTLINE_POINTS), np.full(OUTLINE_POINTS, 40.0)
    for _ in range(50):
        middle = (low + high) / 2
        inside = _logistic_height(middle[:, None] * circle) < level
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low
