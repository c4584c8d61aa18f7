"""A monotone curve x = g(z) between a simple density of z and what it becomes, bent by hand or by maximum likelihood.

g is a rational-quadratic spline (Gregory and Delbourgo 1982; Durkan et al. 2019, section 3.1) through knots at fixed, even z;
beyond the outermost it goes on straight. The person or the learner moves the knots' heights alone; the slopes at the knots
follow, each the geometric mean of the pieces beside it, so that a curve through rising knots rises everywhere.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ConfigError

__all__ = ["BASES", "KNOTS", "MIN_RISE", "REACH", "Curve", "base_log_prob", "straight"]

KNOTS = 12
REACH = 3.0
"""The outermost knots stand at z = ±REACH."""
MIN_RISE = 0.02
"""From a knot to the next one the curve rises at least by so much."""
BASES = ("gaussian", "logistic")
_LOG_2PI = math.log(2 * math.pi)


def straight(slope: float = 1.0) -> tuple[float, ...]:
    """Knots of the line x = slope · z."""
    return tuple(float(slope * z) for z in np.linspace(-REACH, REACH, KNOTS))


def base_log_prob(z: np.ndarray, base: str = "gaussian") -> np.ndarray:
    """log π(z) in nats of the standard Gaussian, or of the logistic density that NICE uses."""
    if base == "gaussian":
        return -0.5 * z**2 - 0.5 * _LOG_2PI
    if base == "logistic":
        return -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z)))
    raise ConfigError(f"The base density is one of {', '.join(BASES)}, not {base!r}.")


@dataclass(frozen=True)
class Curve:
    """The curve through ``heights`` (KNOTS of them, rising by at least MIN_RISE each) at even z from −REACH to REACH.

    Raises:
        ConfigError: for another number of knots, knots that do not rise, or numbers that are not finite.
    """

    heights: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.asarray(self.heights, float)
        if values.shape != (KNOTS,) or not np.isfinite(values).all():
            raise ConfigError(f"A curve has {KNOTS} knots, each a finite number.")
        if np.diff(values).min() < MIN_RISE * 0.999:
            raise ConfigError(f"A curve's knots must rise by at least {MIN_RISE} each, so that it can be taken back.")

    @cached_property
    def _knots(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return knots_and_slopes(np.asarray(self.heights, float))

    def x(self, z: np.ndarray | float) -> np.ndarray:
        """g(z)."""
        return forward(self._knots, np.asarray(z, float))[0]

    def slope(self, z: np.ndarray | float) -> np.ndarray:
        """dx/dz at z, always above 0."""
        return forward(self._knots, np.asarray(z, float))[1]

    def z(self, x: np.ndarray | float) -> np.ndarray:
        """g⁻¹(x)."""
        return self._back(x)[0]

    def _back(self, x: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        at, heights, slopes = self._knots
        x = np.asarray(x, float)
        z, slope = backward((at, heights[None], slopes[None]), x.reshape(-1))
        return z[0].reshape(x.shape), slope[0].reshape(x.shape)

    def log_prob(self, x: np.ndarray | float, base: str = "gaussian") -> np.ndarray:
        """log p(x) = log π(z) + log dz/dx in nats, z = g⁻¹(x)."""
        z, slope = self._back(x)
        return base_log_prob(z, base) - np.log(slope)

    def strip(self, z: float, width: float, base: str = "gaussian") -> tuple[float, float, float, float]:
        """x at both ends of the strip of z's ``width`` about ``z``, and the probability in it on either side.

        The probabilities are integrals, of π over the strip and of p over its image; they are the same number, found in
        two ways (Gauss–Legendre in z, and in x piece by piece).
        """
        low, high = z - width / 2, z + width / 2
        ends = self.x(np.array([low, high]))
        lower, upper = float(ends[0]), float(ends[1])
        return lower, upper, self.mass_of_z(low, high, base), self.mass_of_x(lower, upper, base)

    def mass_of_z(self, low: float, high: float, base: str = "gaussian") -> float:
        """∫ π(z) dz from ``low`` to ``high``."""
        return _integral(lambda z: np.exp(base_log_prob(z, base)), low, high, np.linspace(-REACH, REACH, KNOTS))

    def mass_of_x(self, low: float, high: float, base: str = "gaussian") -> float:
        """∫ p(x) dx from ``low`` to ``high``."""
        return _integral(lambda x: np.exp(self.log_prob(x, base)), low, high, np.asarray(self.heights))


def knots_and_slopes(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots' z (K,), their x (..., K) and the slopes there (..., K)."""
    at = np.linspace(-REACH, REACH, KNOTS)
    secants = np.diff(heights, axis=-1) / (at[1] - at[0])
    inner = np.sqrt(secants[..., :-1] * secants[..., 1:])
    return at, heights, np.concatenate([secants[..., :1], inner, secants[..., -1:]], axis=-1)


def forward(knots: tuple[np.ndarray, np.ndarray, np.ndarray], z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and dx/dz at each z (equations 4 and 5)."""
    at, heights, slopes = knots
    inside = np.clip(z, at[0], at[-1])
    index = np.clip(np.searchsorted(at, inside, side="right") - 1, 0, KNOTS - 2)
    width = at[1] - at[0]
    low, height = heights[index], heights[index + 1] - heights[index]
    secant = height / width
    start, end = slopes[index], slopes[index + 1]
    right = (inside - at[index]) / width
    left = 1 - right
    both = secant + (start + end - 2 * secant) * right * left
    x = low + height * (secant * right**2 + start * right * left) / both
    slope = secant**2 * (end * right**2 + 2 * secant * right * left + start * left**2) / both**2
    # Beyond the outermost knots: straight on.
    x = x + np.where(z < at[0], (z - at[0]) * slopes[0], 0.0) + np.where(z > at[-1], (z - at[-1]) * slopes[-1], 0.0)
    return x, slope


def backward(knots: tuple[np.ndarray, np.ndarray, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z and dx/dz at each x: (P, n) for P curves, heights and slopes (P, K), and x (n,).

    z is the root of equations 6 to 8 as a quotient of positive numbers, so that no digits are lost at either end.
    """
    at, heights, slopes = knots
    width = at[1] - at[0]
    first, last = heights[:, :1], heights[:, -1:]
    inside = np.clip(x, first, last)
    index = (inside[:, None, :] >= heights[:, 1:-1, None]).sum(1)
    low, high = np.take_along_axis(heights, index, 1), np.take_along_axis(heights, index + 1, 1)
    height = high - low
    secant = height / width
    start, end = np.take_along_axis(slopes, index, 1) / secant, np.take_along_axis(slopes, index + 1, 1) / secant
    above = np.clip((inside - low) / height, 0, 1)
    below = 1 - above
    lean = start * below - end * above
    root = 0.5 * (np.abs(lean) + np.sqrt(lean**2 + 4 * above * below))
    right = np.where(lean >= 0, above / (above + root), root / (below + root))
    left = 1 - right
    both = right * right + start * right * left + left * (left + end * right)
    slope = secant * (end * right**2 + 2 * right * left + start * left**2) / both**2
    z = at[index] + width * right
    z = z + np.where(x < first, (x - first) / slopes[:, :1], 0.0) + np.where(x > last, (x - last) / slopes[:, -1:], 0.0)
    return z, slope


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def _integral(function, low: float, high: float, breaks: np.ndarray) -> float:
    """∫ function from ``low`` to ``high`` by Gauss–Legendre on each smooth piece between ``breaks``."""
    cuts = np.array([low, *(b for b in breaks if low < b < high), high])
    # Long pieces in several, so that a tail of many widths is as exact as the middle.
    pieces = [np.linspace(a, b, max(2, math.ceil(b - a) + 1))[:-1] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    cuts = np.concatenate([*pieces, cuts[-1:]])
    half = np.diff(cuts)[:, None] / 2
    middle = (cuts[1:] + cuts[:-1])[:, None] / 2
    return float((half * _WEIGHTS * function(middle + half * _NODES)).sum())
