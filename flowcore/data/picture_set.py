"""Pictures ready for a model, whether in memory or decoded as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .reading import Reading

if TYPE_CHECKING:
    from .rows import MappedRows
    from .stream import StreamedPictures

    Pictures: TypeAlias = np.ndarray | StreamedPictures | MappedRows

__all__ = ["PictureSet"]


@dataclass
class PictureSet:
    """Pictures ready for a model: ``pictures`` is uint8 (N, H, W, C), an array or one that is read as it is used.

    ``labels`` is int64 (N,) into ``classes``, or None; ``names`` tells where each picture came from (a
    relative file name, or a number within its array); ``skipped`` are (file, sentence) pairs of what could
    not be read; ``padding`` is the (top, bottom, left, right) rows and columns around every picture, the same
    for all, which a likelihood must not be credited for. ``attributes`` is int8 (N, A) of -1 and 1, its
    columns named by ``attribute_names``, or None. ``reading`` is how each picture was made to fit.
    """

    pictures: Pictures
    labels: np.ndarray | None
    classes: list[str]
    name: str = ""
    split: str = "all"
    names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    attributes: np.ndarray | None = None
    attribute_names: list[str] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W), as a model takes it."""
        _, height, width, channels = self.pictures.shape
        return channels, height, width

    @property
    def streamed(self) -> bool:
        """Whether the pictures are decoded as they are used, and not held in memory."""
        return not isinstance(self.pictures, np.ndarray)

    def first(self, count: int | None) -> tuple[Pictures, np.ndarray | None]:
        """The first ``count`` pictures and their labels; all of them for None, still streamed where they are."""
        if count is None or count >= len(self):
            return self.pictures, self.labels
        return self.pictures[:count], None if self.labels is None else self.labels[:count]
