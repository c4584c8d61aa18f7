"""Samples of a model at its temperatures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np
import torch

from flowcore.errors import ConfigError
from flowcore.fields import is_number
from flowcore.model.codec import as_label, decode_batch
from flowcore.model.flow import Flow
from flowcore.pictures import images

__all__ = ["SEED", "as_levels", "default_temperatures", "draw", "said", "sheet"]

SEED = 0
"""Of all samples: none is picked."""
BATCH = 64


def default_temperatures(card: Mapping, levels: int) -> tuple[float, ...]:
    """The temperatures that a card gives, one a level, finest first: its ``default_temperatures``, else its one
    ``default_temperature``, else 0.7."""
    several, one = card.get("default_temperatures"), card.get("default_temperature")
    if isinstance(several, list) and len(several) == levels and all(_usable(value) for value in several):
        return tuple(float(value) for value in several)
    return (float(one) if _usable(one) else 0.7,) * levels


def _usable(value: object) -> TypeGuard[float]:
    return is_number(value) and math.isfinite(value) and value >= 0


def as_levels(temperatures: Sequence[float], levels: int) -> tuple[float, ...]:
    """One a level, of one for all or as many as there are.

    Raises:
        ConfigError: for any other number of them.
    """
    if len(temperatures) == 1:
        return tuple(temperatures) * levels
    if len(temperatures) != levels:
        raise ConfigError(
            f"A profile of this model has {levels} temperatures, the finest level's first, not {len(temperatures)}."
        )
    return tuple(temperatures)


def said(temperatures: Sequence[float]) -> str:
    """In words: one number where all are alike."""
    return f"{temperatures[0]:g}" if len(set(temperatures)) == 1 else " / ".join(f"{t:g}" for t in temperatures)


@torch.no_grad()
def draw(flow: Flow, temperatures: Sequence[float], count: int, labels: np.ndarray | None = None) -> np.ndarray:
    """The first ``count`` samples of seed 0, uint8 (count, H, W, C).

    ``labels`` (count,) are the classes to draw them of; a model without classes passes over them.
    """
    made = []
    for first in range(0, count, BATCH):
        z = flow.sample(min(BATCH, count - first), temperatures, seed=SEED, first=first).numpy()
        label = None if labels is None or not flow.num_classes else as_label(flow, labels[first : first + len(z)])
        made.append(decode_batch(flow, z, label))
    return np.concatenate(made)


def sheet(flow: Flow, temperatures: Sequence[float]) -> np.ndarray:
    """The first 64 samples of seed 0, eight a row; of a model with classes these follow each other."""
    labels = np.arange(64) * flow.num_classes // 64 if flow.num_classes else None
    return images.grid(list(draw(flow, temperatures, 64, labels)), columns=8)
