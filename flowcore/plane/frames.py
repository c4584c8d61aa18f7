"""What there is to see of a toy run at one step: points on both sides, a density, a warped grid, every layer between."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..fast.points.continuous import ContinuousPasses
from ..model.priors import MixturePrior
from .matching import piece
from .prior_shapes import ellipses
from .priors import draw_points, moves, replace_noise, start_noise
from .targets import targets as toy_targets

if TYPE_CHECKING:
    from .trainer import ToyTrainer

__all__ = ["DATA_POINTS", "GRID_LINES", "GRID_POINTS", "LAYER_POINTS", "SAMPLES", "ToyFrames", "cells", "true_heat"]

SAMPLES = 1000
DATA_POINTS = 1000
LAYER_POINTS = 500
GRID_LINES = 13
GRID_POINTS = 49
GRID_REACH = 3.0
CHUNK = 4096
"""Points encoded together: about 10 ms of work, so that a full density can be computed between other things."""

_EPS_SEED = 2**32
_DATA_SEED = 2**41


def cells(bounds: tuple[float, float, float, float], resolution: int) -> np.ndarray:
    """Centres of resolution × resolution cells, (resolution², 2) float32, row by row from the lowest y."""
    x_min, x_max, y_min, y_max = bounds
    steps = (np.arange(resolution) + 0.5) / resolution
    xs, ys = np.meshgrid(x_min + steps * (x_max - x_min), y_min + steps * (y_max - y_min))
    return np.stack([xs.ravel(), ys.ravel()], 1).astype(np.float32)


def true_heat(name: str, resolution: int, target: dict | None = None) -> np.ndarray:
    """√p of the density itself, (resolution, resolution) float32, row 0 lowest; p per unit of area."""
    density = toy_targets.make(target, name)
    log_p = density.log_prob(cells(density.bounds, resolution).astype(np.float64))
    return np.exp(0.5 * log_p).astype(np.float32).reshape(resolution, resolution)


class ToyFrames:
    """Frames of one trainer, from its averaged weights. The same eps and the same data points in every frame.

    Everything is numpy float32; nothing here changes the trainer or its random numbers.
    """

    def __init__(self, trainer: ToyTrainer) -> None:
        self.trainer = trainer
        flow = trainer.average
        rng = np.random.default_rng(_DATA_SEED)
        self.data = trainer.density.sample(DATA_POINTS, rng).astype(np.float32)
        self._data = torch.from_numpy(self.data).to(trainer.device)
        seed = _EPS_SEED + trainer.config.seed
        # A prior that learns moves its draws: what decides them stays the same instead.
        self._noise = start_noise(np.random.default_rng(seed), SAMPLES) if moves(trainer.flow.prior) else None
        if trainer.config.prior in ("gaussian", "logistic"):
            drawn = flow.sample(SAMPLES, seed=seed)
        else:
            drawn = torch.from_numpy(draw_points(flow.prior, np.random.default_rng(seed), SAMPLES))
        self._drawn = drawn.to(trainer.device)
        self.chunk = CHUNK if trainer.config.flow != "continuous" else piece(trainer.config.width)
        self._grid = _grid().to(trainer.device)
        self._cells: dict[int, Tensor] = {}

    @property
    def _eps(self) -> Tensor:
        """The fixed noise in z: (SAMPLES, 2)."""
        prior = self.trainer.average.prior
        if self._noise is None or not isinstance(prior, MixturePrior):
            return self._drawn
        return torch.from_numpy(replace_noise(prior, self._noise)).to(self.trainer.device)

    @torch.no_grad()
    def outline(self) -> np.ndarray | None:
        """Where a learned mixture has its Gaussians now: (2 · components, points, 2); None for a prior that stays."""
        prior = self.trainer.average.prior
        if self._noise is None or not isinstance(prior, MixturePrior):
            return None
        return ellipses(_numpy(prior.location), np.exp(_numpy(prior.log_scale))).astype(np.float32)

    @torch.no_grad()
    def samples(self) -> np.ndarray:
        """Decoded fixed eps: (SAMPLES, 2)."""
        return _numpy(self.trainer.shown.decode(self._eps))

    @torch.no_grad()
    def prior(self) -> np.ndarray:
        """Where f sends the fixed data points: (DATA_POINTS, 2)."""
        shown = self.trainer.shown
        if isinstance(shown, ContinuousPasses):
            return _numpy(shown.encode_points(self._data))
        return _numpy(shown.encode(self._data)[0])

    @torch.no_grad()
    def grid(self) -> np.ndarray:
        """f⁻¹ of a regular grid in z: (2 · GRID_LINES, GRID_POINTS, 2), first the upright lines, then the level ones."""
        return _numpy(self.trainer.shown.decode(self._grid)).reshape(2 * GRID_LINES, GRID_POINTS, 2)

    @torch.no_grad()
    def samples_and_grid(self) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`samples` and :meth:`grid` in one pass."""
        decoded = _numpy(self.trainer.shown.decode(torch.cat([self._eps, self._grid])))
        return decoded[:SAMPLES], decoded[SAMPLES:].reshape(2 * GRID_LINES, GRID_POINTS, 2)

    @torch.no_grad()
    def heat(self, resolution: int = 64) -> np.ndarray:
        """√q of the model over the density's bounds: (resolution, resolution), row 0 lowest."""
        rows = [self.heat_part(resolution, start) for start in range(0, resolution**2, self.chunk)]
        return np.concatenate(rows).reshape(resolution, resolution)

    @torch.no_grad()
    def heat_part(self, resolution: int, start: int) -> np.ndarray:
        """√q of the cells from ``start`` on, at most ``chunk`` of them, flat; integrated more finely where there are many."""
        if resolution not in self._cells:
            places = torch.from_numpy(cells(self.trainer.density.bounds, resolution))
            self._cells = {resolution: places.to(self.trainer.device)} | (
                {64: self._cells[64]} if 64 in self._cells else {}
            )
        passes = self.trainer.shown if resolution <= 64 else self.trainer.measured
        log_prob = passes.log_prob(self._cells[resolution][start : start + self.chunk])
        return _numpy(torch.exp(0.5 * log_prob))

    def layers(self) -> np.ndarray:
        """The first fixed eps after 0, 1, … K layers on their way to x: (K + 1, LAYER_POINTS, 2), K the depth."""
        return self.through_layers(self._eps[:LAYER_POINTS])

    @torch.no_grad()
    def through_layers(self, z: Tensor) -> np.ndarray:
        """z (n, 2) after 0, 1, … K layers on its way to x: (K + 1, n, 2), K the depth.

        A Glow step (coupling, linear map, actnorm) counts as one layer, and NICE's scaling goes with its last coupling; of an
        edited list each layer counts. A continuous flow's layers are stretches of time.
        """
        starts, states = self.layer_starts(), []
        for step in self.trainer.shown.decode_steps(z):
            if not states:
                states.append(z)
            if step.name in starts:
                states.append(step.h)
        return _numpy(torch.stack(states))

    def layer_starts(self) -> list[str]:
        """The names of the stages that a layer begins with, in the order of encoding: (K,)."""
        flow, depth = self.trainer.average, self.trainer.config.stages
        group = max(1, len(flow.layers) // depth)
        return [name for number, (name, _) in enumerate(flow.named_layers()) if number % group == 0 and number < group * depth]


def _grid() -> Tensor:
    fixed = torch.linspace(-GRID_REACH, GRID_REACH, GRID_LINES)
    along = torch.linspace(-GRID_REACH, GRID_REACH, GRID_POINTS)
    upright = torch.stack(torch.meshgrid(fixed, along, indexing="ij"), -1)
    return torch.cat([upright, upright.flip(-1)]).reshape(-1, 2)


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().to("cpu", torch.float32).contiguous().numpy()
