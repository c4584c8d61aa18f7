"""What is random in a training batch, each row a function of (seed, step, row) alone.

So a row's noise does not depend on how many processes share the batch, nor on what was drawn before. Philox (Salmon et al.
2011, Parallel Random Numbers: As Easy as 1, 2, 3) is a function of a key and a counter: (seed, step) is the key, and a row
owns a range of counters, so that any range of rows is one call.
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..data.jitter import AMOUNTS

__all__ = ["dequantisation_noise", "flips", "jitters"]

_NOISE, _FLIPS, _JITTERS = 1, 2, 3
"""The counter's highest word: these never meet, nor what evaluation and samples draw, where it is 0."""

_PER_COUNT = 8
"""float32 values that one value of the counter gives: four words of 64 bits, each two of them."""


def _stream(seed: int, step: int, what: int, count: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed % 2**64, step % 2**64], counter=[count, 0, 0, what]))


def dequantisation_noise(seed: int, step: int, rows: slice, shape: Sequence[int]) -> np.ndarray:
    """Uniform noise on [0, 1) of some rows of a step's batch: (rows, *shape) float32."""
    count = rows.stop - rows.start
    size = math.prod(shape)
    counts = -(-size // _PER_COUNT)
    drawn = _stream(seed, step, _NOISE, rows.start * counts).random((count, counts * _PER_COUNT), dtype=np.float32)
    return drawn[:, :size].reshape(count, *shape)


def flips(seed: int, step: int, rows: slice) -> np.ndarray:
    """Which of some rows of a step's batch are mirrored: (rows,) bool, each with probability a half."""
    drawn = _stream(seed, step, _FLIPS, 0).random(rows.stop, dtype=np.float32)
    return drawn[rows.start :] < 0.5


def jitters(seed: int, step: int, rows: slice) -> np.ndarray:
    """How some rows of a step's batch are moved: (rows, 4) of :mod:`flowcore.data.jitter`, uniform within its amounts."""
    drawn = _stream(seed, step, _JITTERS, 0).random((rows.stop, len(AMOUNTS)))
    return (2 * drawn[rows.start :] - 1) * AMOUNTS
