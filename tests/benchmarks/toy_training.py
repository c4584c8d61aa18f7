"""Training on a density of the plane, the same loop for every library, and the toy lab's own trainer for ours."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from flowcore.plane import densities
from flowcore.plane.trainer import HELD_OUT, ToyConfig, ToyTrainer

from .peers import Model
from .peers.base import BINS

__all__ = ["BATCH", "DENSITY", "OURS", "PeerTrainer", "Recipe", "Trainer", "draw", "excess_nats", "our_trainer"]

DENSITY = "two-moons"
BATCH = 512
CLIP_NORM = 20.0
WARM_UP = 50
OURS = {"ours, plain": False, "ours, fast": True}
"""Name in the tables -> whether the trainer takes the fast path."""


class Trainer(Protocol):
    """What both kinds of trainer can do."""

    def step(self, count: int = 1) -> float: ...


@dataclass(frozen=True)
class Recipe:
    """How a library's flow is trained: ``average`` is an exponential moving average of the weights (decay 0.99), which is
    then what is measured; ``gain`` widens the networks' first layer at the start, as ours does."""

    learning_rate: float = 2e-3
    average: bool = False
    gain: float = 1.0


def draw(count: int, *key: int) -> Tensor:
    """Points of the density, (count, 2) float32, decided by the key."""
    sample = densities.get(DENSITY).sample(count, np.random.default_rng(list(key)))
    return torch.from_numpy(sample.astype(np.float32))


class PeerTrainer:
    """Fused Adam (0.9, 0.99) with a linear warm-up and clipped gradients on fresh points, as the toy lab trains."""

    def __init__(self, model: Model, recipe: Recipe, seed: int = 0) -> None:
        self.model, self.recipe, self.seed, self.step_count = model, recipe, seed, 0
        self.parameters = model.parameters
        with torch.no_grad():
            for network in model._networks():
                for parameter in next(m for m in network.modules() if getattr(m, "weight", None) is not None).parameters():
                    parameter.mul_(recipe.gain)
        self.optimiser = torch.optim.Adam(self.parameters, lr=recipe.learning_rate, betas=(0.9, 0.99), fused=True)
        self.averages = [p.detach().clone() for p in self.parameters] if recipe.average else []

    def step(self, count: int = 1) -> float:
        self.model.module.train()
        for _ in range(count):
            self.step_count += 1
            x = draw(BATCH, self.seed, 2, self.step_count)
            self.optimiser.zero_grad(set_to_none=True)
            loss = -self.model.log_prob(x).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
            self.optimiser.param_groups[0]["lr"] = self.recipe.learning_rate * min(1.0, self.step_count / WARM_UP)
            self.optimiser.step()
            if self.averages:
                decay = min(0.99, self.step_count / (10.0 + self.step_count))
                with torch.no_grad():
                    now = [p.detach() for p in self.parameters]
                    torch._foreach_lerp_(self.averages, now, 1.0 - decay)  # pyright: ignore[reportPrivateImportUsage]
        return float(loss.detach())

    @torch.no_grad()
    def log_prob(self, x: Tensor, averaged: bool = True) -> Tensor:
        """Of the averaged weights where the recipe keeps them."""
        self.model.module.eval()
        if not (self.averages and averaged):
            return self.model.log_prob(x)
        own = [p.detach().clone() for p in self.parameters]
        _put(self.parameters, self.averages)
        result = self.model.log_prob(x)
        _put(self.parameters, own)
        return result


def _put(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Give the parameters other values."""
    torch._foreach_copy_([p.detach() for p in parameters], list(values))  # pyright: ignore[reportPrivateImportUsage]


def our_trainer(fast: bool, flow: str = "realnvp", seed: int = 0) -> ToyTrainer | None:
    """The toy lab's trainer as it comes, on the fast path or not; None where this flowcore has no such path."""
    config = ToyConfig(DENSITY, flow, bins=BINS, seed=seed)
    if "fast" not in inspect.signature(ToyTrainer).parameters:
        return None if fast else ToyTrainer(config)
    return ToyTrainer(config, fast=fast)


class _HeldOut:
    """Points that nobody trains on, and what the density itself says of them."""

    points: Tensor | None = None
    truth: Tensor | None = None

    @classmethod
    def get(cls) -> tuple[Tensor, Tensor]:
        if cls.points is None or cls.truth is None:
            density = densities.get(DENSITY)
            points = density.sample(HELD_OUT, np.random.default_rng([2**40, 1]))
            cls.points = torch.from_numpy(points.astype(np.float32))
            cls.truth = torch.from_numpy(density.log_prob(points))
        return cls.points, cls.truth


def excess_nats(trainer: PeerTrainer | ToyTrainer, averaged: bool = True) -> tuple[float, float]:
    """How far the held-out loss is above the density's entropy, in nats, and its standard error; the same points for all."""
    points, truth = _HeldOut.get()
    pieces = []
    for piece in points.split(2048):
        with torch.no_grad():
            if isinstance(trainer, PeerTrainer):
                pieces.append(trainer.log_prob(piece, averaged).double())
            else:
                pieces.append(trainer.average.log_prob(piece).double())
    excess = truth - torch.cat(pieces)
    if not torch.isfinite(excess).all():
        return math.inf, math.inf
    return float(excess.mean()), float(excess.std()) / math.sqrt(len(excess))
