"""The pictures of a data set, encoded one batch after the other, as the rows of a map."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from ...data.picture_set import PictureSet
from ...model.flow import Flow
from ...work import beside
from .encoding import Rows, encode_rows_job
from .layout import ZMap

__all__ = ["READ", "Batch", "Gathered", "gather_job"]

READ = 64
"""Pictures read together."""


@dataclass(eq=False)
class Gathered:
    """What is known of the pictures that have been encoded; what is broken, or has no finite z, is named and left out."""

    data: PictureSet
    zmap: ZMap
    classes: list[str]
    """The data's own, by the model's names where the data have numbers alone; else the model's."""
    numbers: list[int] = field(default_factory=list)
    """Which picture of the data each row of the map is."""
    bpd: list[float] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    """Into `classes`: the data's labels, or each picture's likeliest class; -1 for none."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """(name, sentence), the data's own first."""

    @classmethod
    def begin(cls, data: PictureSet, flow: Flow, known: Sequence[str], **more: Any) -> Self:
        """Nothing of a data set yet; ``known`` are the model's classes."""
        classes = list(data.classes if data.labels is not None else known)
        if known and classes == [str(number) for number in range(len(known))]:
            # Arrays have numbers where the model that was trained on them has names.
            classes = list(known)
        zmap = ZMap([(level.start, level.stop) for level in flow.levels])
        return cls(data, zmap, classes, skipped=list(data.skipped), **more)

    @property
    def count(self) -> int:
        return len(self.numbers)

    def name(self, row: int) -> str:
        """Where the picture of a row came from."""
        return _name(self.data, self.numbers[row])

    def pictures(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """uint8 (n, H, W, C)."""
        return self.data.pictures[np.array([self.numbers[row] for row in rows], np.int64)]

    def take(self, numbers: np.ndarray, rows: Rows) -> np.ndarray:
        """Put a batch on the map; which of it came, bool (n,)."""
        broken = getattr(self.data.pictures, "broken", {})
        good = np.isfinite(rows.bpd)
        for place, number in enumerate(numbers):
            name = _name(self.data, int(number))
            if name in broken:
                good[place] = False
                self.skipped.append((name, broken[name]))
            elif not good[place]:
                self.skipped.append((name, f"{name} has no finite z under this model."))
        self.zmap.add(rows.z[good])
        labels = self.data.labels
        self.numbers += [int(number) for number in numbers[good]]
        self.bpd += rows.bpd[good].tolist()
        self.kinds += (labels[numbers[good]] if labels is not None else rows.classes[good]).tolist()
        return good


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch that has been taken up."""

    count: int
    """Of pictures that were tried."""
    z: np.ndarray
    """(n, D) float32 of those that came."""


def gather_job(
    flow: Flow, gathered: Gathered, order: np.ndarray, size: int
) -> Generator[None | float | Batch, None, None]:
    """Encode the pictures of these numbers, ``size`` together, and take them up; yields after every layer, and each `Batch`."""
    for start in range(0, len(order), READ):
        numbers = order[start : start + READ]
        pictures = yield from beside(lambda _told, numbers=numbers: gathered.data.pictures[numbers])
        for first in range(0, len(numbers), size):
            part = slice(first, first + size)
            rows = yield from encode_rows_job(flow, pictures[part])
            good = gathered.take(numbers[part], rows)
            yield Batch(len(numbers[part]), rows.z[good])


def _name(data: PictureSet, number: int) -> str:
    return data.names[number] if data.names else str(number)
