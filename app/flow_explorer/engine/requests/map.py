"""What the map of a folder in z asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.map import METHODS

from .base import Priority, Request, check_whole

__all__ = ["LIMIT", "MapDirection", "MapEncode", "MapPicture", "MapPile", "MapPlace"]

LIMIT = 20_000
"""Pictures on one map at most: more are drawn from by chance."""


def _none() -> np.ndarray:
    return np.empty((0, 0, 0, 0), np.uint8)


def _numbers(value: object) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.int64 or value.ndim != 1 or not len(value) or value.min() < 0:
        raise ConfigError("A pile or a direction is made of pictures on the map, by their numbers.")


@dataclass(frozen=True, eq=False)
class MapEncode(Request):
    """Encode the pictures of a data set, or those given, and lay them out. Many answers, by their `stage`:

    - "reading" `{done, total}`: files are looked at;
    - "found" `{total, classes, first, side}`: pictures on the map in the end, names of their classes; `first` is the first
      picture that is sent again (the window keeps those before it); `side` 1 where they come at the model's own size, else
      the whole number of pixels that became one;
    - "rows" `{first, names}` with `pictures` uint8 (n, h, w, c), `bpd` float64 (n,), `classes` int64 (n,) (-1 where none is
      known), and, once there are axes, `points` float32 (n, 2);
    - "layout" `{share: [x, y]}` with `points` float32 (count, 2): everything so far on newer axes;
    - "arranging" `{}`: all are encoded, the rest is neighbours and places;
    - "done" `{share, kept, skipped: [[name, sentence], …], skipped_count}` with `points`, `neighbours` int32 (count, k) and
      `distances` float32 (count, k), the last.

    Pictures come in an order drawn by chance but always the same, so that the first hundreds stand for all. What has been
    encoded is kept for the next request of the same model and data: other levels, another method or limit encode nothing anew.
    """

    kind = "map.encode"
    slot = "map.encode"
    priority = Priority.EXPORT
    strict = True

    model: str
    path: str
    levels: tuple[int, ...] = ()
    method: str = "pca"
    limit: int = 0
    """Stop after so many pictures; 0 for all."""
    have: int = 0
    """Pictures of this data set that the window has already."""
    pictures: np.ndarray = field(default_factory=_none)
    """Without a path: uint8 (n, H, W, C) as the model sees them."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"A map is laid out by {' or '.join(METHODS)}, not by {self.method!r}.")
        check_whole("The limit", self.limit, 0, LIMIT)
        check_whole("The count", self.have, 0, LIMIT)
        for level in self.levels:
            check_whole("A level", level, 0, 9)
        if not self.path and not (self.pictures.dtype == np.uint8 and self.pictures.ndim == 4 and len(self.pictures)):
            raise ConfigError("A map is of a folder, or of pictures that are given.")


@dataclass(frozen=True, eq=False)
class MapPlace(Request):
    """Where another picture, uint8 (H, W, C), lies on the map that was laid out last: `{place: [x, y]}`, null without a map."""

    kind = "map.place"
    priority = Priority.PAGE
    strict = True

    model: str
    well: str
    picture: np.ndarray

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"map.place.{self.well}"


@dataclass(frozen=True, eq=False)
class MapPicture(Request):
    """Picture `number` of the map at the model's own size: `picture` uint8 (H, W, C)."""

    kind = "map.picture"
    slot = "map.picture"
    priority = Priority.INTERACTIVE
    strict = True

    model: str
    path: str
    number: int

    def __post_init__(self) -> None:
        check_whole("The picture's number", self.number, 0, LIMIT)


@dataclass(frozen=True, eq=False)
class MapPile(Request):
    """Copy the files of some of the map's pictures into a folder; pictures that are no files are written as PNG.

    Reports progress, answers `{saved, failed: [[name, sentence], …]}`. No file is ever replaced: one of a name that is taken
    gets a number.
    """

    kind = "map.pile"
    priority = Priority.EXPORT

    model: str
    path: str
    numbers: np.ndarray
    folder: str

    def __post_init__(self) -> None:
        _numbers(self.numbers)


@dataclass(frozen=True, eq=False)
class MapDirection(Request):
    """Write the direction from the rest of the map to some of its pictures: `{file, inside, outside}`. Reports progress."""

    kind = "map.direction"
    priority = Priority.EXPORT

    model: str
    path: str
    numbers: np.ndarray
    file: str

    def __post_init__(self) -> None:
        _numbers(self.numbers)
