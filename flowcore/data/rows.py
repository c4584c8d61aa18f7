"""Rows of an array that stays on disk, such as a .npy mapped into memory, made to fit as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..pictures.images import Picture
from .reading import Reading, fit_picture

__all__ = ["MappedRows", "row_numbers"]


class MappedRows:
    """An array (N, H, W, C) uint8: the rows ``chosen`` of ``array`` (M, h, w, c), made to fit ``shape``.

    It is indexed by a number, a slice, or an array of numbers, and gives the bytes that a copy would have given.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self, array: np.ndarray, chosen: Sequence[int], reading: Reading, shape: tuple[int, int, int]
    ) -> None:
        self.array, self.chosen, self.reading = array, np.asarray(chosen, np.int64), reading
        self.shape = (len(self.chosen), *shape)
        self._as_it_is = array.shape[1:] == shape and reading.crop is None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return self[np.array([index])][0]
        rows = np.asarray(self.array[self.chosen[row_numbers(index, len(self))]])
        if self._as_it_is:
            return rows
        fitted = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for row, source in zip(fitted, rows, strict=True):
            row[...] = fit_picture(Picture.from_array(source), self.reading, row.shape)
        return fitted


def row_numbers(index: slice | np.ndarray, count: int) -> np.ndarray:
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
