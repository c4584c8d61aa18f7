"""Between two frames of a training its points are on their way: the window draws at the screen's pace, the engine at its own."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

__all__ = ["Glide"]

LONGEST_S = 0.12
"""What comes later than this after the frame before is no stream: it is shown at once."""
USUAL_S = 0.025


class Glide:
    """Points (n, 2) that move from where they are seen to where a frame puts them, in the time that frames usually take.

    The i-th point is always the same point. Other points, or a frame after a pause, are there at once, and in the end all are
    exactly where the last frame put them.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._from: np.ndarray | None = None
        self._to = np.empty((0, 2), np.float32)
        self._of: object = None
        self._began = float("-inf")
        self._lasts = USUAL_S

    @property
    def moving(self) -> bool:
        """Whether the points are still on their way."""
        return self._from is not None

    def go(self, of: object, points: np.ndarray) -> None:
        """A frame has come; ``of`` says of what, and of anything else points do not come near."""
        now = self._clock()
        gap, before, was, self._of = now - self._began, self._to, self._of, of
        if was != of or before.shape != points.shape or gap > LONGEST_S:
            self._from, self._lasts = None, USUAL_S
        else:
            self._from = self._at(now)
            self._lasts += 0.2 * (gap - self._lasts)
        self._to, self._began = points, now

    def points(self) -> np.ndarray:
        """Where they are now."""
        now = self._clock()
        if now - self._began >= self._lasts:
            self._from = None
        return self._at(now)

    def _at(self, now: float) -> np.ndarray:
        if self._from is None:
            return self._to
        share = min(1.0, (now - self._began) / self._lasts)
        return self._from + np.float32(share) * (self._to - self._from)
