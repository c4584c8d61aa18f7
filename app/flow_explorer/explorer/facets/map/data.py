"""What the window knows of the map so far: pictures, places, likelihoods, classes, neighbours. Without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow_explorer.engine.requests.map import MapDone, MapFound, MapLayout, MapRows
from flowcore.latents.map.points import unusual
from flowcore.model.card import typicality

__all__ = ["MapData"]


@dataclass(eq=False)
class MapData:
    """Rows come in order; `count` are there, `placed` of them have a place."""

    total: int = 0
    """How many there will be, broken ones counted."""
    of: int = 0
    """How many the data set has."""
    taken: int = 0
    """How many have been encoded, broken ones counted."""
    factor: int = 1
    """How many pixels of the model's own became one here."""
    class_names: Sequence[str] = ()
    names: list[str] = field(default_factory=list)
    stage: str = ""
    """"", "reading", "encoding", "arranging" or "done"."""
    read: tuple[int, int] = (0, 0)
    error: str = ""
    method: str = "pca"
    share: tuple[float, float] = (0.0, 0.0)
    exact: bool = True
    skipped: list[tuple[str, str]] = field(default_factory=list)
    skipped_count: int = 0
    neighbours: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.int32))
    distances: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    version: int = 0
    """Goes up when places changed that were there before."""

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every row."""
        self.names = []
        self._pictures: np.ndarray | None = None
        self._bpd, self._classes = np.empty(0), np.empty(0, np.int64)
        self._points = np.empty((0, 2), np.float32)
        self._typicality: np.ndarray | None = None
        self._unusual: np.ndarray | None = None
        self.neighbours = np.empty((0, 0), np.int32)
        self.distances = np.empty((0, 0), np.float32)
        self.skipped, self.skipped_count = [], 0
        self.version += 1

    @property
    def count(self) -> int:
        return len(self.names)

    @property
    def placed(self) -> int:
        return min(len(self._points), self.count)

    @property
    def points(self) -> np.ndarray:
        """(placed, 2) float32."""
        return self._points[: self.count]

    @property
    def bpd(self) -> np.ndarray:
        return self._bpd[: self.count]

    @property
    def classes(self) -> np.ndarray:
        """(count,) int64, -1 where none is known."""
        return self._classes[: self.count]

    @property
    def complete(self) -> bool:
        return self.stage == "done"

    @property
    def partial(self) -> bool:
        """Whether it stands, and some of the data are not on it because the person stopped."""
        return self.complete and self.taken < min(self.of, 20_000)

    def picture(self, row: int) -> np.ndarray | None:
        """uint8 (h, w, c)."""
        return self._pictures[row] if self._pictures is not None and 0 <= row < self.count else None

    def pictures(self, start: int, stop: int) -> np.ndarray:
        """uint8 (n, h, w, c) of a range of rows."""
        return np.empty((0, 1, 1, 1), np.uint8) if self._pictures is None else self._pictures[start : min(stop, self.count)]

    def class_of(self, row: int) -> str:
        """The name of a picture's class; empty where none is known."""
        number = int(self._classes[row])
        return str(self.class_names[number]) if 0 <= number < len(self.class_names) else ""

    def typicality(self, card: Mapping[str, Any]) -> np.ndarray:
        """(count,) percent, NaN where the card knows no held-out pictures."""
        known = np.empty(0) if self._typicality is None else self._typicality
        if len(known) < self.count:
            values = [typicality(card, float(bpd)) for bpd in self.bpd[len(known) :]]
            known = np.concatenate([known, [np.nan if value is None else value for value in values]])
            self._typicality = known
        return known

    def unusual(self) -> np.ndarray:
        """Rows whose bpd lies far from the others', the farthest first."""
        if self._unusual is None or len(self._unusual) != self.count:
            self._unusual = unusual(self.bpd)
        rows = np.flatnonzero(self._unusual)
        return rows[np.argsort(-np.abs(self.bpd[rows] - np.median(self.bpd)), kind="stable")] if len(rows) else rows

    # What comes in

    def found(self, answer: MapFound) -> None:
        """The data set is open."""
        if answer.first == 0 and self.count:
            self.clear()
        self.total, self.of, self.factor = answer.total, answer.of, answer.factor
        self.class_names = answer.classes
        self.stage = "encoding"

    def rows(self, rows: MapRows) -> None:
        """Further pictures."""
        first, names = rows.first, rows.names
        self.taken = max(self.taken, rows.taken)
        if first != self.count or not names:
            return
        stop = first + len(names)
        self._room_for(stop, rows.pictures)[first:stop] = rows.pictures
        self._bpd[first:stop], self._classes[first:stop] = rows.bpd, rows.classes
        if rows.points is not None and len(self._points) == first:
            self._points = np.concatenate([self._points, rows.points])
        self.names += names

    def laid_out(self, layout: MapLayout) -> None:
        """Everything lies elsewhere."""
        self._points, self.share = np.array(layout.points, np.float32), layout.share
        self.version += 1

    def done(self, answer: MapDone) -> None:
        self.laid_out(answer)
        self.neighbours, self.distances = np.array(answer.neighbours), np.array(answer.distances)
        self.method, self.exact, self.taken = answer.method, answer.exact, answer.taken
        self.skipped, self.skipped_count = list(answer.skipped), answer.skipped_count
        self.stage = "done"

    def _room_for(self, stop: int, pictures: np.ndarray) -> np.ndarray:
        """Where pictures are kept, with room for so many; for their figures there is room then too."""
        kept = self._pictures
        if kept is None:
            kept = np.empty((max(self.total, stop), *pictures.shape[1:]), np.uint8)
        room = len(kept)
        if stop > room:
            more = np.empty((max(stop, self.total, room + room // 2) - room, *kept.shape[1:]), np.uint8)
            kept = np.concatenate([kept, more])
        if len(self._bpd) < len(kept):
            extra = len(kept) - len(self._bpd)
            self._bpd = np.concatenate([self._bpd, np.zeros(extra)])
            self._classes = np.concatenate([self._classes, np.full(extra, -1, np.int64)])
        self._pictures = kept
        return kept
