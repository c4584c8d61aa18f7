"""What the map of a folder in z asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.map import METHODS

from ..answers import Answer, Counts, Indices, Numbers, Pictures, Points, same_length
from .base import Priority, Request, check_whole
from .explorer import OnePicture

__all__ = [
    "LIMIT", "LassoDirection", "MapArranging", "MapDirection", "MapDone", "MapEncode", "MapFound", "MapLayout", "MapPicture",
    "MapPile", "MapPlace", "MapPlaced", "MapReading", "MapRows", "Mapped", "PileCopied",
]  # fmt: skip

LIMIT = 20_000
"""Pictures on one map at most: more are drawn from by chance."""


def _none() -> np.ndarray:
    return np.empty((0, 0, 0, 0), np.uint8)


def _numbers(value: object) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.int64 or value.ndim != 1 or not len(value) or value.min() < 0:
        raise ConfigError("A pile or a direction is made of pictures on the map, by their numbers.")


@dataclass(frozen=True, eq=False)
class MapReading(Answer):
    """Files are looked at: so many of so many."""

    read: int
    total: int


@dataclass(frozen=True, eq=False)
class MapFound(Answer):
    """The data set is open: how many pictures will be on the map, and of how many; the names of their classes."""

    total: int
    of: int
    classes: tuple[str, ...]
    first: int
    """The first picture that is sent again: the window keeps those before it."""
    factor: int
    """1 where they come at the model's own size, else the whole number of pixels that became one."""


@dataclass(frozen=True, eq=False)
class MapRows(Answer):
    """Pictures `first` and following, when `taken` have been encoded, broken ones counted."""

    first: int
    names: tuple[str, ...]
    taken: int
    pictures: Pictures
    bpd: Numbers
    classes: Counts
    """-1 where none is known."""
    points: Points | None = None
    """Once there are axes."""

    def __post_init__(self) -> None:
        same_length(self.names, self.pictures, self.bpd, self.classes, self.names if self.points is None else self.points)


@dataclass(frozen=True, eq=False)
class MapLayout(Answer):
    """Everything so far on newer axes, and what share of the variance each of them has."""

    share: tuple[float, float]
    points: Points


@dataclass(frozen=True, eq=False)
class MapArranging(Answer):
    """All are encoded, the rest is neighbours and places."""


@dataclass(frozen=True, eq=False)
class MapDone(MapLayout):
    """The last: where everything lies, who is next to whom (count, k), and how far."""

    neighbours: Indices = field(kw_only=True)
    distances: Points = field(kw_only=True)
    method: str = field(kw_only=True)
    exact: bool = field(kw_only=True)
    """Whether the axes are those of all of z."""
    taken: int = field(kw_only=True)
    skipped: tuple[tuple[str, str], ...] = field(kw_only=True)
    """(name, sentence) of the first that could not be read, …"""
    skipped_count: int = field(kw_only=True)
    """… and how many there are."""


Mapped = MapReading | MapFound | MapRows | MapLayout | MapArranging | MapDone


@dataclass(frozen=True, eq=False)
class MapEncode(Request[Mapped]):
    """Encode the pictures of a data set, or those given, and lay them out.

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
class MapPlaced(Answer):
    """(x, y); None without a map."""

    place: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class MapPlace(Request[MapPlaced]):
    """Where another picture, uint8 (H, W, C), lies on the map that was laid out last."""

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
class MapPicture(Request[OnePicture]):
    """Picture `number` of the map at the model's own size."""

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
class PileCopied(Answer):
    """How many are in the folder, the first of those that are not as (name, sentence), and how many these are."""

    saved: int
    failed: tuple[tuple[str, str], ...]
    failed_count: int


@dataclass(frozen=True, eq=False)
class MapPile(Request[PileCopied]):
    """Copy the files of some of the map's pictures into a folder; pictures that are no files are written as PNG.

    Reports progress. No file is ever replaced: one of a name that is taken gets a number.
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
class LassoDirection(Answer):
    """Of how many pictures it was made on either side."""

    inside: int
    outside: int


@dataclass(frozen=True, eq=False)
class MapDirection(Request[LassoDirection]):
    """Write the direction from the rest of the map to some of its pictures. Reports progress."""

    kind = "map.direction"
    priority = Priority.EXPORT

    model: str
    path: str
    numbers: np.ndarray
    file: str

    def __post_init__(self) -> None:
        _numbers(self.numbers)
