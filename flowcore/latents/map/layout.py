"""A map of many pictures' z: principal axes or UMAP, neighbours, and the direction from a set to the rest.

The z of ten thousand pictures of 64×64 are half a gigabyte. A :class:`ZMap` takes them batch by batch and never holds more
than ``BUDGET`` bytes of them: up to there all that it says is exact; beyond, each level's z are known by their ``RANK``
leading principal coordinates, which are brought up to date whenever half of the budget has come in again.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigError, DataError
from ..principal import Dense, Factored, Principal, principal

__all__ = ["BUDGET", "COORDINATES", "UMAP_COMMAND", "Layout", "ZMap", "has_umap", "save_lasso", "umap_layout"]

BUDGET = 256 * 2**20
"""Bytes of z that are held at most, beside 4 · ``RANK`` bytes a picture and level."""
RANK = 128
COORDINATES = 50
"""Principal coordinates that a picture keeps, for its neighbours and for UMAP."""
UMAP_COMMAND = "pip install 'flow-explorer[map]'"


@dataclass(frozen=True)
class Layout:
    """Where pictures lie, seen from chosen levels."""

    levels: tuple[int, ...]
    coordinates: np.ndarray
    """(n, k ≤ 50) float32: principal coordinates; the first two are the map."""
    shares: np.ndarray
    """(k,): the share of the chosen levels' variance along each axis."""
    _fitted: Principal
    _represent: Callable[[np.ndarray], np.ndarray]

    @property
    def points(self) -> np.ndarray:
        """(n, 2) float32; of two pictures the second coordinate is 0."""
        points = np.zeros((len(self.coordinates), 2), np.float32)
        points[:, : self.coordinates.shape[1]] = self.coordinates[:, :2]
        return points

    @property
    def share(self) -> list[float]:
        """Of the variance across the map and up."""
        return [*(float(share) for share in self.shares[:2]), 0.0][:2]

    def place(self, z: np.ndarray) -> np.ndarray:
        """Where other pictures' z (m, D) lie on the same axes, (m, k) float32."""
        rows = self._represent(np.atleast_2d(z))
        return ((rows - self._fitted.mean) @ self._fitted.axes).astype(np.float32)


class _Level:
    """One level's z: as they came, or what has been made of them."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[np.ndarray] = []
        self.known: Factored | None = None

    def compress(self) -> None:
        parts: list[Dense | Factored] = [Dense([np.concatenate(self.rows)])] if self.rows else []
        if self.known is not None:
            parts.insert(0, self.known)
        found = principal(parts, RANK, steps=2)
        self.known = Factored(found.coordinates(parts), found.axes, found.mean.astype(np.float32))
        self.rows = []

    def matrix(self) -> np.ndarray:
        """Every row, as it came or by its coordinates: distances between rows are the same in both."""
        if self.known is not None:
            return self.known.coordinates
        if len(self.rows) > 1:
            self.rows = [np.concatenate(self.rows)]
        return self.rows[0]


class ZMap:
    """Gathers the z of pictures and lays them out. ``levels`` are (start, stop) of each in z, the finest first."""

    def __init__(self, levels: Sequence[tuple[int, int]], budget: int = BUDGET) -> None:
        self.levels = [(int(start), int(stop)) for start, stop in levels]
        self.budget = budget
        self.count = 0
        self._levels = [_Level(stop - start) for start, stop in self.levels]
        self._sum = np.zeros(self.dims)
        self._squares = np.zeros(self.dims)
        self._offset: np.ndarray | None = None

    @property
    def dims(self) -> int:
        """How many numbers a z has."""
        return self.levels[-1][1]

    @property
    def exact(self) -> bool:
        """Whether every z is still held as it came."""
        return all(level.known is None for level in self._levels)

    @property
    def held(self) -> int:
        """Bytes of z that are held as they came."""
        return sum(rows.nbytes for level in self._levels for rows in level.rows)

    def mean(self) -> np.ndarray:
        """The mean z (D,), float64."""
        return self._sum / max(1, self.count)

    def variance(self, levels: Sequence[int] = ()) -> float:
        """Variance of the z as they came in all directions of some levels, by n − 1; all levels for ()."""
        if self.count < 2 or self._offset is None:
            return 0.0
        # Distances from the first batch's mean: squares of a z far from 0 would leave no digits.
        shifted = self._sum - self.count * self._offset
        each = np.maximum(self._squares - shifted**2 / self.count, 0.0) / (self.count - 1)
        return float(sum(each[slice(*self.levels[level])].sum() for level in self.chosen(levels)))

    def add(self, z: np.ndarray) -> None:
        """Take up further z (n, D).

        Raises:
            ConfigError: if they have another length.
            DataError: if one is not finite.
        """
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.dims:
            raise ConfigError(f"This map is of z of {self.dims} numbers, not of {z.shape[-1]}.")
        if not np.isfinite(z).all():
            raise DataError("A z that is not finite has no place among others.")
        if not len(z):
            return
        if self._offset is None:
            self._offset = z.mean(0, dtype=np.float64)
        self.count += len(z)
        self._sum += z.sum(0, dtype=np.float64)
        self._squares += np.square(z - self._offset).sum(0)
        for (start, stop), level in zip(self.levels, self._levels, strict=True):
            level.rows.append(np.ascontiguousarray(z[:, start:stop]))
        limit = self.budget if self.exact else self.budget // 2
        if self.held > limit and self.count > RANK:
            self._compress()

    def _compress(self) -> None:
        for level in self._levels:
            level.compress()

    def chosen(self, levels: Sequence[int]) -> tuple[int, ...]:
        """The levels that a choice means, () for all of them.

        Raises:
            ConfigError: for one that there is not.
        """
        if not all(0 <= level < len(self.levels) for level in levels):
            raise ConfigError(f"This model's z has levels 1 to {len(self.levels)}, the finest first.")
        return tuple(sorted(set(levels))) or tuple(range(len(self.levels)))

    def layout(self, levels: Sequence[int] = ()) -> Layout:
        """Principal coordinates of all that has come, by the chosen levels (numbers from 0, the finest) alone.

        Raises:
            ConfigError: for a level that there is not.
            DataError: with fewer than two pictures.
        """
        chosen = self.chosen(levels)
        if self.count < 2:
            raise DataError("A map needs at least two pictures.")
        if not self.exact and self.held:
            self._compress()
        parts = [Dense([self._levels[level].matrix() for level in chosen])]
        found = principal(parts, COORDINATES)
        total = self.variance(chosen)
        # Later compressions turn the axes of a level: what this layout represents by is what there is now.
        frozen = [(self.levels[level], self._levels[level].known) for level in chosen]

        def represent(z: np.ndarray) -> np.ndarray:
            return np.concatenate([z[:, slice(*span)] if known is None else (z[:, slice(*span)] - known.mean) @ known.axes
                                   for span, known in frozen], 1)  # fmt: skip

        shares = found.variances / total if total > 0 else np.zeros_like(found.variances)
        return Layout(chosen, found.coordinates(parts), shares, found, represent)


def has_umap() -> bool:
    """Whether UMAP can be asked for; nothing of it is imported."""
    return importlib.util.find_spec("umap") is not None


def umap_layout(coordinates: np.ndarray, neighbours: int = 15, seed: int = 0) -> np.ndarray:
    """UMAP of principal coordinates (n, k) -> (n, 2) float32, the same for the same seed (McInnes et al. 2018).

    Raises:
        ConfigError: where the library is not installed, saying how to.
        DataError: with fewer than four pictures.
    """
    if not has_umap():
        raise ConfigError(f"UMAP needs the library umap-learn: {UMAP_COMMAND} installs it; PCA works without.")
    if len(coordinates) < 4:
        raise DataError("UMAP needs at least four pictures; PCA needs two.")
    # It takes seconds to import (its compiler): not before it is asked for.
    umap = importlib.import_module("umap")
    # A few points have no spectral start.
    start = "spectral" if len(coordinates) > 32 else "random"
    made = umap.UMAP(n_components=2, n_neighbors=min(neighbours, len(coordinates) - 1), min_dist=0.1, init=start,
                     random_state=seed, n_jobs=1)  # fmt: skip
    points = np.asarray(made.fit_transform(np.asarray(coordinates, np.float32)), np.float32)
    if points.shape != (len(coordinates), 2) or not np.isfinite(points).all():
        raise DataError("UMAP found no places for these pictures; PCA does.")
    return points


def save_lasso(path: Path, z_in: np.ndarray, z_out: np.ndarray, flow: Any, model: str, made: dict[str, Any]) -> None:
    """Write the direction from z_out (m, D) to z_in (n, D) of a flow to a safetensors file, named after it, atomically.

    Raises:
        FlowError: for an empty side, sides that do not differ, or where the file cannot be written.
    """
    from ..directions import directions, files

    if not len(z_in) or not len(z_out):
        raise DataError("A direction needs pictures in the lasso and pictures outside of it.")
    bounds = [(level.start, level.stop) for level in flow.levels]
    direction = directions.from_sets(Path(path).stem, z_in, z_out, bounds, made={"by": "picks", "from": "lasso", **made})
    files.save_direction(path, replace(direction, model=model, fingerprint=files.fingerprint(flow)))
