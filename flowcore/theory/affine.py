"""The change of variables in one dimension at its simplest: a uniform on [0, 1] under x = slope · z + offset."""
from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ConfigError

__all__ = ["Affine"]


@dataclass(frozen=True)
class Affine:
    """x = slope · z + offset for z uniform on [0, 1].

    Raises:
        ConfigError: for a slope of 0, which has no inverse, or a number that is not finite.
    """

    slope: float = 2.0
    offset: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.offset)) or self.slope == 0:
            raise ConfigError(f"x = {self.slope} z + {self.offset} has no inverse: the slope must be a number other than 0.")

    def x(self, z: float) -> float:
        """Where z goes."""
        return self.slope * z + self.offset

    def z(self, x: float) -> float:
        """Where x came from."""
        return (x - self.offset) / self.slope

    @property
    def ends(self) -> tuple[float, float]:
        """The lower and the upper end of what [0, 1] becomes."""
        first, second = self.x(0.0), self.x(1.0)
        return min(first, second), max(first, second)

    @property
    def width(self) -> float:
        """The length of what [0, 1] becomes: |slope|."""
        low, high = self.ends
        return high - low

    @property
    def density(self) -> float:
        """p(x) between the ends: π(z) |dz/dx| = 1 / |slope|."""
        return 1.0 / abs(self.slope)

    @property
    def signed(self) -> float:
        """What would stand in its place without the bars: 1 / slope, below zero where the slope is."""
        return 1.0 / self.slope

    @property
    def area(self) -> float:
        """Width times density of what [0, 1] becomes; always 1."""
        return self.width * self.density

    @property
    def log_det(self) -> float:
        """log |dz/dx|, in nats: what encoding adds to log π(z)."""
        return -math.log(abs(self.slope))

    def log_prob(self, x: float) -> float:
        """log p(x) in nats, minus infinity outside the ends."""
        low, high = self.ends
        return self.log_det if low <= x <= high else -math.inf
