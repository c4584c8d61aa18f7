"""What the window may ask of the engine about directions in z. Imports neither torch nor Qt.

A direction travels as its vector, a row of an array, and its card: `flowcore.latents.directions.files.card_of` as JSON text,
since the window keeps both and computes with neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label

from ..answers import Answer, Rows, same_length
from .base import Priority, Request, check_label, check_latent, check_number
from .explorer import BitsAt, FramesPart, PictureAt

__all__ = [
    "AMOUNT_MAX", "DirectionSaved", "Directions", "Edit", "FromFolders", "FromLatents", "ListDirections", "Moved",
    "OpenDirection", "SaveDirection", "Strip",
]  # fmt: skip

AMOUNT_MAX = 10.0
MAX_DIRECTIONS = 64
MAX_LATENTS = 4096
MAX_STRIP = 64

Moved = tuple[int, float, float, tuple[int, ...] | None, tuple[int, ...]]
"""One direction's part in a move: (its row of `vectors`, standard deviations, the deviation, the levels that it is limited to or
None for all, the rows of those that it is to be orthogonal to)."""


def _rows(name: str, value: object, most: int) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.ndim != 2 or len(value) > most:
        raise ConfigError(f"{name} must be at most {most} rows of 32-bit floats.")
    if not np.isfinite(value).all():
        raise ConfigError(f"{name} hold a number that is not finite.")


def _moves(moves: object, rows: int) -> None:
    if not isinstance(moves, tuple) or len(moves) > MAX_DIRECTIONS:
        raise ConfigError(f"At most {MAX_DIRECTIONS} directions add up.")
    for move in moves:
        row, amount, deviation, levels, others = move
        check_number("An amount", amount, -AMOUNT_MAX, AMOUNT_MAX)
        check_number("A deviation", deviation, 0.0, 1e6)
        if not all(type(index) is int and 0 <= index < rows for index in (row, *others)):
            raise ConfigError("A direction is named that was not sent.")
        if levels is not None and not all(type(level) is int and level >= 0 for level in levels):
            raise ConfigError("A level is a number of 0 or more.")


def _names(*texts: object) -> None:
    if not all(isinstance(text, str) and len(text) <= 4096 for text in texts):
        raise ConfigError("A name or a path is a text.")


@dataclass(frozen=True, eq=False)
class Directions(Answer):
    """Directions, each its card and its row of `vectors` (n, D), and the fingerprint of the model that they are of."""

    cards: tuple[dict[str, Any], ...]
    vectors: Rows
    fingerprint: str
    files: tuple[str, ...] = ()
    """Of those that were listed, one file name each."""
    problems: tuple[str, ...] = ()
    """A sentence for every file that is broken, or of another model."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(file, sentence) of pictures that could not be read."""

    def __post_init__(self) -> None:
        same_length(self.cards, self.vectors)


@dataclass(frozen=True, eq=False)
class ListDirections(Request[Directions]):
    """The directions that ship with a model, `folder`'s files."""

    kind = "directions.list"
    slot = "directions.list"
    priority = Priority.INTERACTIVE
    strict = True

    model: str
    folder: str


@dataclass(frozen=True, eq=False)
class OpenDirection(Request[Directions]):
    """Read a file; fails where it is none, or of another model."""

    kind = "directions.open"

    model: str
    path: str


@dataclass(frozen=True, eq=False)
class DirectionSaved(Answer):
    """It is in this file."""

    path: str


@dataclass(frozen=True, eq=False)
class SaveDirection(Request[DirectionSaved]):
    """Write a direction to a file."""

    kind = "directions.save"

    path: str
    vector: np.ndarray
    card: str
    """JSON."""

    def __post_init__(self) -> None:
        check_latent("A direction", self.vector)
        _names(self.path)


@dataclass(frozen=True, eq=False)
class FromLatents(Request[Directions]):
    """Make a direction of two sets of latents, "more" and "less"; or, with `axes` above 0, that many principal axes of `more`."""

    kind = "directions.latents"

    model: str
    model_name: str
    name: str
    more: np.ndarray
    less: np.ndarray
    axes: int = 0

    def __post_init__(self) -> None:
        _rows("The latents of more", self.more, MAX_LATENTS)
        _rows("The latents of less", self.less, MAX_LATENTS)
        check_number("The number of axes", self.axes, 0, MAX_DIRECTIONS)
        _names(self.model, self.model_name, self.name)


@dataclass(frozen=True, eq=False)
class FromFolders(Request[Directions]):
    """Make a direction of two folders of pictures, or with `axes` above 0 principal axes of `more`. Tells its progress."""

    kind = "directions.folders"

    model: str
    model_name: str
    name: str
    more: str
    less: str = ""
    axes: int = 0

    def __post_init__(self) -> None:
        check_number("The number of axes", self.axes, 0, MAX_DIRECTIONS)
        _names(self.model, self.model_name, self.name, self.more, self.less)


@dataclass(frozen=True, eq=False)
class Edit(Request[PictureAt | BitsAt]):
    """A latent moved along directions: its picture at once, then its bits per dimension."""

    kind = "directions.edit"
    slot = "directions.edit"
    priority = Priority.INTERACTIVE

    model: str
    z: np.ndarray
    vectors: np.ndarray
    moves: tuple[Moved, ...]
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        _rows("The directions", self.vectors, MAX_DIRECTIONS)
        _moves(self.moves, len(self.vectors))
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class Strip(Request[FramesPart]):
    """The same at several amounts of `hand`, whose own amount does not count, with all `moves` beside it, in parts."""

    kind = "directions.strip"
    slot = "directions.strip"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    vectors: np.ndarray
    moves: tuple[Moved, ...]
    hand: Moved
    amounts: tuple[float, ...]
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        _rows("The directions", self.vectors, MAX_DIRECTIONS)
        _moves((*self.moves, self.hand), len(self.vectors))
        if not isinstance(self.amounts, tuple) or not 1 <= len(self.amounts) <= MAX_STRIP:
            raise ConfigError(f"A strip has from 1 to {MAX_STRIP} pictures.")
        for amount in self.amounts:
            check_number("An amount", amount, -AMOUNT_MAX, AMOUNT_MAX)
        check_label(self.label)
