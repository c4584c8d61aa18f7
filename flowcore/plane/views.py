"""What else there is to see of a toy run: where points go, where space stretches, which layer learns how much."""
from __future__ import annotations

import numpy as np
import torch

from .contours import contours
from .frames import ToyFrames, cells
from .trainer import ToyTrainer

__all__ = ["ARROWS", "CONTOUR_LEVELS", "ToyViews", "density_contours"]

ARROWS = 13
"""Arrows along a side of the displacement field."""
ARROW_REACH = 2.8
CONTOUR_LEVELS = (-8.0, -6.0, -4.0, -2.0, 0.0)
"""Of log p, in nats: the lines on the density."""
_FAINTEST = 1e-30


def density_contours(heat: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    """The lines of equal log p on a map of √p (k, k): (n, 5) as :func:`flowcore.plane.contours.contours` gives them."""
    return contours(2.0 * np.log(np.maximum(heat, _FAINTEST)), CONTOUR_LEVELS, bounds)


class ToyViews:
    """Further frames of one trainer, from its averaged weights. Everything is numpy float32; the trainer stays as it is."""

    def __init__(self, frames: ToyFrames) -> None:
        self.frames, self.trainer = frames, frames.trainer
        along = torch.linspace(-ARROW_REACH, ARROW_REACH, ARROWS)
        grid = torch.stack(torch.meshgrid(along, along, indexing="xy"), -1).reshape(-1, 2)
        self._starts = grid.to(self.trainer.device)
        self._cells: dict[int, torch.Tensor] = {}

    def displacement(self) -> np.ndarray:
        """A regular grid in z on its way to x: (K + 1, ARROWS², 2), as :meth:`ToyFrames.through_layers` counts layers.

        The displacement of the whole flow is the last minus the first, x − z; a layer's that of its two neighbours.
        """
        return self.frames.through_layers(self._starts)

    @torch.no_grad()
    def log_det_part(self, resolution: int, start: int) -> np.ndarray:
        """log|det ∂f/∂x| in nats at the cells from ``start`` on, at most `frames.chunk` of them, flat.

        Above 0 a small square at x is larger in z: the flow stretches space there; below 0 it shrinks it.
        """
        if resolution not in self._cells:
            places = torch.from_numpy(cells(self.trainer.density.bounds, resolution)).to(self.trainer.device)
            # The coarse cells serve every frame and stay; of the fine ones those last used.
            self._cells = {k: v for k, v in self._cells.items() if k < resolution and k <= 64} | {resolution: places}
        _, log_det = self.trainer.shown.encode(self._cells[resolution][start : start + self.frames.chunk])
        return log_det.to("cpu", torch.float32).numpy()

    def log_det(self, resolution: int = 64) -> np.ndarray:
        """log|det ∂f/∂x| over the density's bounds: (resolution, resolution), row 0 lowest."""
        parts = [self.log_det_part(resolution, start) for start in range(0, resolution**2, self.frames.chunk)]
        return np.concatenate(parts).reshape(resolution, resolution)

    def gradient_norms(self) -> tuple[list[str], np.ndarray] | None:
        """The names of the layers that learn, and the Euclidean norms (layers,) of their gradients at the last step.

        Of the loss on the step's own batch, as the step used it: after clipping. None before the first step.
        """
        return gradient_norms(self.trainer)


def gradient_norms(trainer: ToyTrainer) -> tuple[list[str], np.ndarray] | None:
    """See :meth:`ToyViews.gradient_norms`."""
    gradients = trainer.last_gradients()
    if gradients is None:
        return None
    titles = [name for name, _ in trainer.flow.named_layers()]
    squares: dict[str, float] = {}
    for name, gradient in gradients.items():
        first, _, rest = name.partition(".")
        number = rest.partition(".")[0]
        title = titles[int(number)] if first == "layers" and number.isdigit() else first
        squares[title] = squares.get(title, 0.0) + float(torch.dot(gradient.flatten(), gradient.flatten()))
    return list(squares), np.sqrt(np.array(list(squares.values()), dtype=np.float64)).astype(np.float32)
