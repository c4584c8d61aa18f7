"""The layers' gradient norms over the steps of one training, thinned where it is long. No Qt."""

from __future__ import annotations

import numpy as np

__all__ = ["GradientCurve"]

MOST = 2000


class GradientCurve:
    """``names`` of the layers (the flow's order) and their norms at ``steps``; ``version`` counts up when one arrives."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.steps: list[int] = []
        self.norms: list[list[float]] = []
        self.version = 0

    def add(self, step: int, names: list[str], norms: list[float]) -> None:
        """Take up the norms of a step; other names begin the curve anew."""
        if names != self.names:
            self.names, self.steps, self.norms = list(names), [], []
        if self.steps and step <= self.steps[-1]:
            if step < self.steps[-1]:
                return
            self.norms[-1] = list(norms)
        else:
            self.steps.append(step)
            self.norms.append(list(norms))
        if len(self.steps) > MOST:
            half = MOST // 2
            self.steps[:half], self.norms[:half] = self.steps[:half:2], self.norms[:half:2]
        self.version += 1

    def forget_after(self, step: int) -> None:
        """A training that was taken up from a snapshot has lost what came after it."""
        while self.steps and self.steps[-1] > step:
            self.steps.pop()
            self.norms.pop()
        self.version += 1

    def table(self) -> np.ndarray:
        """The norms, (steps, layers) float64."""
        return np.asarray(self.norms, dtype=np.float64).reshape(len(self.steps), len(self.names))
