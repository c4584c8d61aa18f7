"""A square under a 2×2 matrix: the parallelogram, its signed area, and the density in it."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError

__all__ = ["Matrix"]


@dataclass(frozen=True)
class Matrix:
    """W = [[a, b], [c, d]], x = W z for z uniform on the unit square. Its columns are the parallelogram's edges.

    Raises:
        ConfigError: for a number that is not finite.
    """

    a: float = 1.5
    b: float = 0.5
    c: float = 0.4
    d: float = 1.2

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.a, self.b, self.c, self.d)):
            raise ConfigError("The entries of a matrix must be finite numbers.")

    @property
    def array(self) -> np.ndarray:
        """W as float64 (2, 2)."""
        return np.array([[self.a, self.b], [self.c, self.d]])

    @property
    def det(self) -> float:
        """The parallelogram's area with a sign: below zero where W turns the square over."""
        return self.a * self.d - self.b * self.c

    @property
    def singular(self) -> bool:
        """The square has become a line or a point: there is no inverse, and no density."""
        return abs(self.det) < 1e-9

    @property
    def density(self) -> float:
        """p(x) inside the parallelogram, 1 / |det W|; infinite where W is singular."""
        return math.inf if self.singular else 1.0 / abs(self.det)

    @property
    def log_abs_det(self) -> float:
        """log |det W| in nats; minus infinity where W is singular."""
        return -math.inf if self.singular else math.log(abs(self.det))

    def apply(self, points: np.ndarray) -> np.ndarray:
        """W z for each row of ``points``, (n, 2)."""
        return np.asarray(points, float) @ self.array.T

    @property
    def corners(self) -> np.ndarray:
        """The square's corners (0, 0), (1, 0), (1, 1), (0, 1) after W: (4, 2)."""
        return self.apply(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))

    @staticmethod
    def shoelace(corners: np.ndarray) -> float:
        """The signed area that a polygon's corners (n, 2) enclose, above zero where they go round anticlockwise."""
        x, y = np.asarray(corners, float).T
        return float(0.5 * (x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
