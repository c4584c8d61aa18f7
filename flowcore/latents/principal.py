"""Principal axes of rows that may be many and long: exact where that is quick, by block Krylov iteration elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

__all__ = ["Dense", "Factored", "Principal", "principal"]

EXACT = 1024
"""Up to so many rows or columns the whole spectrum is computed."""
EXACT_NUMBERS = 4_000_000
"""Up to so many numbers that is done in float64."""
STEPS = 6
SPARE = 14
"""Directions of a block beyond those that are wanted, and how often it is multiplied: with 6 blocks a flat spectrum's
leading variances come within some thousandths (Musco & Musco, "Randomized block Krylov methods", NeurIPS 2015)."""
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Dense:
    """Rows as they are: arrays (n, d₁), (n, d₂), … that stand side by side."""

    blocks: Sequence[np.ndarray]

    @property
    def count(self) -> int:
        return len(self.blocks[0])

    @property
    def width(self) -> int:
        return sum(block.shape[1] for block in self.blocks)

    def times(self, right: np.ndarray) -> np.ndarray:
        """X B: (width, b) -> (n, b)."""
        first, *others = self.blocks
        start = first.shape[1]
        result = first @ right[:start]
        for block in others:
            result = result + block @ right[start : start + block.shape[1]]
            start += block.shape[1]
        return result

    def transposed_times(self, left: np.ndarray) -> np.ndarray:
        """Xᵀ Q: (n, b) -> (width, b)."""
        return np.concatenate([block.T @ left for block in self.blocks])

    def sum(self) -> np.ndarray:
        return np.concatenate([block.sum(0, dtype=np.float64) for block in self.blocks])

    def squares(self, mean: np.ndarray) -> float:
        """The sum of all squared distances from a mean."""
        total, start = 0.0, 0
        for block in self.blocks:
            middle = mean[start : start + block.shape[1]]
            for first in range(0, len(block), ROWS_AT_ONCE):
                total += float(np.square(block[first : first + ROWS_AT_ONCE] - middle).sum(dtype=np.float64))
            start += block.shape[1]
        return total


@dataclass(frozen=True)
class Factored:
    """Rows that are known by their coordinates (n, r) on orthonormal axes (width, r) around a mean (width,)."""

    coordinates: np.ndarray
    axes: np.ndarray
    mean: np.ndarray

    @property
    def count(self) -> int:
        return len(self.coordinates)

    @property
    def width(self) -> int:
        return len(self.axes)

    def times(self, right: np.ndarray) -> np.ndarray:
        return self.coordinates @ (self.axes.T @ right) + self.mean @ right

    def transposed_times(self, left: np.ndarray) -> np.ndarray:
        return self.axes @ (self.coordinates.T @ left) + np.outer(self.mean, left.sum(0))

    def sum(self) -> np.ndarray:
        return self.axes @ self.coordinates.sum(0, dtype=np.float64) + self.count * self.mean.astype(np.float64)

    def squares(self, mean: np.ndarray) -> float:
        shift = self.mean.astype(np.float64) - mean
        cross = float(self.coordinates.sum(0, dtype=np.float64) @ (self.axes.T @ shift))
        return float(np.square(self.coordinates, dtype=np.float64).sum()) + 2.0 * cross + self.count * float(shift @ shift)


@dataclass(frozen=True)
class Principal:
    """The leading principal axes of some rows."""

    mean: np.ndarray
    """(D,) float64."""
    axes: np.ndarray
    """(D, k) float32, orthonormal columns, the largest variance first. Each one's sign is that of its product with one
    fixed vector, so that it stays when rows are added."""
    variances: np.ndarray
    """(k,) float64: of the rows along each axis, by n − 1."""
    total: float
    """Variance in all D directions together."""

    @property
    def shares(self) -> np.ndarray:
        """(k,) of the total variance; zeros where there is none."""
        return self.variances / self.total if self.total > 0 else np.zeros_like(self.variances)

    def coordinates(self, parts: Sequence[Dense | Factored]) -> np.ndarray:
        """Rows on the axes, (n, k) float32."""
        shift = self.mean @ self.axes
        return np.concatenate([part.times(self.axes) for part in parts]).astype(np.float32) - shift.astype(np.float32)


def principal(parts: Sequence[Dense | Factored], rank: int, steps: int = STEPS) -> Principal:
    """The ``rank`` leading principal axes (fewer where there are fewer) of the rows of all parts together.

    Raises:
        DataError: with fewer than two rows, or a number among them that is not finite.
    """
    count, width = sum(part.count for part in parts), parts[0].width
    if count < 2:
        raise DataError("At least two pictures are needed for axes between them.")
    mean = np.asarray(sum(part.sum() for part in parts)) / count
    total = sum(part.squares(mean) for part in parts) / (count - 1) if np.isfinite(mean).all() else np.nan
    if not np.isfinite(total):
        raise DataError("A z that is not finite has no place among others.")
    rank = max(1, min(rank, width, count - 1))
    dense = [part for part in parts if isinstance(part, Dense)]
    if len(dense) == len(parts) and min(count, width) <= EXACT:
        axes, variances = _exact(dense, mean, rank)
    else:
        axes, variances = _krylov(parts, mean.astype(np.float32), rank, steps)
    signs = np.sign(_fixed(width) @ axes)
    return Principal(mean, (axes * np.where(signs == 0, 1.0, signs)).astype(np.float32), variances / (count - 1), total)


def _fixed(width: int) -> np.ndarray:
    """One vector that decides signs, and the first block of the iteration."""
    return np.random.Generator(np.random.Philox(key=[width, 1])).standard_normal(width)


def _exact(parts: Sequence[Dense], mean: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Axes and scatter from the smaller of the two Gram matrices."""
    count, width = sum(part.count for part in parts), parts[0].width
    kind = np.float64 if count * width <= EXACT_NUMBERS else np.float32
    if width <= count:
        gram = np.zeros((width, width))
        for part in parts:
            for first in range(0, part.count, ROWS_AT_ONCE):
                rows = np.concatenate([block[first : first + ROWS_AT_ONCE] for block in part.blocks], 1)
                rows = (rows - mean).astype(kind)
                gram += rows.T @ rows
        values, vectors = np.linalg.eigh(gram)
        return vectors[:, ::-1][:, :rank], np.maximum(values[::-1][:rank], 0.0)
    rows = np.concatenate([np.concatenate(list(part.blocks), 1) for part in parts])
    rows = (rows - mean).astype(kind)
    values, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    values, vectors = np.maximum(values[::-1][:rank], 0.0), vectors[:, ::-1][:, :rank]
    axes = rows.T @ vectors.astype(kind)
    # Where the rows do not span so many directions any orthonormal ones do; their variance is 0.
    return np.linalg.qr(axes.astype(np.float64))[0], values


def _krylov(parts: Sequence[Dense | Factored], mean: np.ndarray, rank: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Axes and scatter within the Krylov space of the scatter matrix that a random block spans."""
    width = parts[0].width
    block = min(rank + SPARE, width)

    def times(right: np.ndarray) -> list[np.ndarray]:
        shift = mean @ right
        return [part.times(right) - shift for part in parts]

    def back(left: list[np.ndarray]) -> np.ndarray:
        result = sum(part.transposed_times(rows) for part, rows in zip(parts, left, strict=True))
        return result - np.outer(mean, sum(rows.sum(0) for rows in left))

    start = np.random.Generator(np.random.Philox(key=[width, 2])).standard_normal((width, block))
    here, found = start.astype(np.float32), []
    for _ in range(steps):
        here = back(times(here))
        for _twice in range(2):
            for before in found:
                here -= before @ (before.T @ here)
            here = np.linalg.qr(here)[0].astype(np.float32)
        found.append(here)
        if sum(each.shape[1] for each in found) + block > width:
            break
    basis = np.concatenate(found, 1)
    inside = times(basis)
    scatter = sum(rows.T.astype(np.float64) @ rows.astype(np.float64) for rows in inside)
    values, vectors = np.linalg.eigh(scatter)
    return basis @ vectors[:, ::-1][:, :rank], np.maximum(values[::-1][:rank], 0.0)
