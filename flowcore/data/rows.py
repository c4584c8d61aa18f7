"""Rows of an array that are made to fit as they are asked for: of one on disk, or to be cut anew at each visit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..pictures.images import Picture
from .idx_npz import Sources
from .reading import Reading, fit_picture, moved_box

__all__ = ["MappedRows", "row_numbers", "visited"]


class MappedRows:
    """An array (N, H, W, C) uint8: the rows ``chosen`` of ``array`` (M, h, w, c), made to fit ``shape``.

    It is indexed by a number, a slice, or an array of numbers, and gives the bytes that a copy would have given.
    ``sources`` are what the pictures of ``array`` were cut from, to cut them anew; they serve where those are not cut again.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        array: np.ndarray,
        chosen: Sequence[int] | np.ndarray,
        reading: Reading,
        shape: tuple[int, int, int],
        sources: Sources | None = None,
    ) -> None:
        self.array, self.chosen, self.reading = array, np.asarray(chosen, np.int64), reading
        self.shape = (len(self.chosen), *shape)
        self._as_it_is = array.shape[1:] == shape and reading.crop is None
        self._sources = sources if array.shape[1:3] == shape[:2] and reading.crop is None else None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return self[np.array([index])][0]
        rows = np.asarray(self.array[self.chosen[row_numbers(index, len(self))]])
        if self._as_it_is:
            return rows
        fitted = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for row, source in zip(fitted, rows, strict=True):
            row[...] = fit_picture(Picture.from_array(source), self.reading, row.shape)
        return fitted

    def visited(self, index: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """The rows of those numbers, each cut anew with its move (n, 4); where that is zero, as indexing gives it."""
        rows = np.empty((len(index), *self.shape[1:]), np.uint8)
        unmoved = ~moves.any(axis=1)
        rows[unmoved] = self[index[unmoved]]
        numbers = self.chosen[row_numbers(index, len(self))]
        for position in np.flatnonzero(~unmoved):
            row, number, move = rows[position], numbers[position], moves[position]
            if self._sources is not None:
                row[...] = moved_box(self._sources.pictures[number], self._sources.box, move, row.shape)
            else:
                row[...] = fit_picture(Picture.from_array(self.array[number]), self.reading, row.shape, move)
        return rows


def visited(pictures: Any, indices: np.ndarray, moves: np.ndarray | None) -> np.ndarray:
    """Rows of a set's ``pictures`` as a training step sees them: uint8 (n, H, W, C), each cut anew with its move (n, 4).

    Of a plain array each picture is its own source. Without moves it is indexing.
    """
    if moves is None:
        return pictures[indices]
    if isinstance(pictures, np.ndarray):
        pictures = MappedRows(pictures, np.arange(len(pictures)), Reading(), pictures.shape[1:])
    return pictures.visited(indices, moves)


def row_numbers(index: slice | Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """The numbers, from 0 on, of the rows that a slice or an array of whole numbers means, int64.

    Raises:
        IndexError: for anything else, or a number outside.
    """
    if isinstance(index, slice):
        return np.arange(*index.indices(count))
    numbers = np.asarray(index)
    if numbers.ndim != 1 or (numbers.dtype.kind not in "iu" and numbers.size):
        raise IndexError("streamed pictures are indexed by a number, a slice, or whole numbers")
    numbers = numbers.astype(np.int64)
    if numbers.size and (numbers.min() < -count or numbers.max() >= count):
        raise IndexError(f"a number outside the {count} pictures")
    return np.where(numbers < 0, numbers + count, numbers)
