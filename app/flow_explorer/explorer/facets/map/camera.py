"""From the map's own coordinates to the screen's and back. Without Qt, without painting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Camera"]

MARGIN = 1.04
FAR = 4.0
"""Where all of it is so much wider than its body, the body is shown first."""
ZOOM_MAX = 2_000.0


@dataclass(frozen=True)
class Camera:
    """What is seen: the middle, and how many of the map's units the shorter side of the view shows."""

    x: float = 0.0
    y: float = 0.0
    span: float = 1.0

    @classmethod
    def fit(cls, points: np.ndarray, width: float, height: float, body: bool = True, pad: float = 0.0) -> Camera:
        """All points in view, ``pad`` pixels from its edges; with ``body`` only their bulk where single ones lie very far off."""
        if not len(points):
            return cls()
        low, high = points.min(0), points.max(0)
        if body and len(points) >= 20:
            near, far = np.quantile(points, [0.02, 0.98], axis=0)
            if ((high - low) > FAR * np.maximum(far - near, 1e-9)).any():
                reach = 0.75 * (far - near)
                low, high = np.maximum(low, near - reach), np.minimum(high, far + reach)
        x, y = (low + high) / 2
        room = np.maximum([width - 2 * pad, height - 2 * pad], 1.0)
        units = float(((high - low) / room).max()) * MARGIN
        return cls(float(x), float(y), max(units * max(1.0, min(width, height)), 1e-6))

    def scale(self, width: float, height: float) -> float:
        """Pixels of a unit."""
        return max(1.0, min(width, height)) / self.span

    def to_screen(self, points: np.ndarray, width: float, height: float) -> np.ndarray:
        """(n, 2) on the map -> (n, 2) in pixels; y goes up on the map."""
        scale = self.scale(width, height)
        return (np.asarray(points, np.float64) - [self.x, self.y]) * [scale, -scale] + [width / 2, height / 2]

    def to_map(self, points: np.ndarray, width: float, height: float) -> np.ndarray:
        """(n, 2) in pixels -> (n, 2) on the map."""
        scale = self.scale(width, height)
        return (np.asarray(points, np.float64) - [width / 2, height / 2]) / [scale, -scale] + [self.x, self.y]

    def zoomed(self, factor: float, at: tuple[float, float], width: float, height: float, whole: float) -> Camera:
        """Nearer by a factor, the place under ``at`` staying where it is; ``whole`` is the span that shows everything."""
        span = min(max(self.span / factor, whole / ZOOM_MAX), whole * 8)
        x, y = self.to_map(np.array([at]), width, height)[0]
        share = span / self.span
        return Camera(float(x + (self.x - x) * share), float(y + (self.y - y) * share), span)

    def moved(self, dx: float, dy: float, width: float, height: float) -> Camera:
        """Dragged by so many pixels."""
        scale = self.scale(width, height)
        return Camera(self.x - dx / scale, self.y + dy / scale, self.span)

    def toward(self, other: Camera, t: float) -> Camera:
        """At t on the way to another."""
        return Camera(*(a + (b - a) * t for a, b in zip((self.x, self.y, self.span), (other.x, other.y, other.span),
                                                        strict=True)))  # fmt: skip
