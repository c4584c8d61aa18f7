"""How well a small network, trained for nothing else, tells samples from pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .networks import batches, floats, mirrored, trunk, trunk_outputs

__all__ = ["COARSE", "SEEDS", "auc", "coarse", "tell_apart"]

SEEDS = (0, 1, 2)
EPOCHS = 12
COARSE = 7
"""The least side of coarse pictures."""


def coarse(pictures: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C) -> the means over the largest squares of whole pixels that leave a side of 7 or more, rounded.

    Grain gives nearly every flow's sample away, and would hide whether the whole is right.
    """
    count, height, width, channels = pictures.shape
    both = math.gcd(height, width)
    factor = max(k for k in range(1, both + 1) if both % k == 0 and (k == 1 or min(height, width) // k >= COARSE))
    squares = pictures.reshape(count, height // factor, factor, width // factor, factor, channels)
    return np.floor(squares.mean((2, 4)) + 0.5).astype(np.uint8)


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """How often one of ``positive`` is above one of ``negative``, ties counting half: the area under the ROC curve."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / 2 / len(negative))


def tell_apart(
    pictures: np.ndarray, samples: np.ndarray, seeds: Sequence[int] = SEEDS, flip: bool = False, epochs: int = EPOCHS
) -> list[float]:
    """The AUC of each seed: trained on half of both piles uint8 (N, H, W, C), asked of the other halves. 0.5 is guessing."""
    return [_one(pictures, samples, seed, flip, epochs) for seed in seeds]


def _one(pictures: np.ndarray, samples: np.ndarray, seed: int, flip: bool, epochs: int) -> float:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    halves = [np.array_split(pile[rng.permutation(len(pile))], 2) for pile in (pictures, samples)]
    learnt = np.concatenate([halves[0][0], halves[1][0]])
    wanted = torch.cat([torch.ones(len(halves[0][0])), torch.zeros(len(halves[1][0]))])
    shape = pictures.shape[1:]
    network = nn.Sequential(trunk(shape), nn.Dropout(0.3), nn.Linear(trunk_outputs(shape), 1), nn.Flatten(0))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    steps = epochs * len(batches(rng, len(learnt)))
    frame_steps = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for rows in batches(rng, len(learnt)):
            x = floats(learnt[rows])
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(network(mirrored(x) if flip else x), wanted[torch.from_numpy(rows)]).backward()
            optimiser.step()
            frame_steps.step()
    network.eval()
    with torch.no_grad():
        real, made = (torch.cat([network(floats(part)) for part in np.array_split(half[1], max(1, len(half[1]) // 256))]).numpy()
                      for half in halves)  # fmt: skip
    return auc(real, made)
