"""What Pixels asks of the engine: which z a pixel moves, which pixels a z moves, and what painting does to z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label

from ..answers import Answer, Map, Picture, Z, same_length
from .base import Priority, Request, check_label, check_latent, check_number, check_whole

__all__ = ["Change", "MovedByPixel", "MovedMaps", "PixelsMoved", "Plausible", "PlausibleDraft", "ReachedMap", "Repaint"]

SIDE_MAX = 4096


def _picture(name: str, value: object) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
        raise ConfigError(f"{name} must be 8-bit, height by width by channels.")


@dataclass(frozen=True, eq=False)
class MovedMaps(Answer):
    """One a level, the finest first: how z moves in standard deviations a grey level, its share (they add up to 1), and the
    level's (C, h, w); see `flowcore.latents.sensitivity.Moved`."""

    maps: tuple[Map, ...]
    shares: tuple[float, ...]
    sizes: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        same_length(self.maps, self.shares, self.sizes)


@dataclass(frozen=True, eq=False)
class MovedByPixel(Request[MovedMaps]):
    """Which z move as a pixel of `picture` (uint8 (H, W, C)) and those within `radius` pixels of it do."""

    kind = "pixels.moved"
    slot = "pixels.moved"
    priority = Priority.INTERACTIVE

    model: str
    picture: np.ndarray
    row: int
    column: int
    radius: float = 0.0
    label: Label = ()

    def __post_init__(self) -> None:
        _picture("A picture to look at", self.picture)
        check_whole("The row", self.row, 0, SIDE_MAX)
        check_whole("The column", self.column, 0, SIDE_MAX)
        check_number("The radius", self.radius, 0.0, SIDE_MAX)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class ReachedMap(Answer):
    """How pixels move in grey levels a standard deviation: an estimate that gets better, and at a fraction of 1 is exact; see
    `flowcore.latents.sensitivity.Reached`."""

    fraction: float
    map: Map


@dataclass(frozen=True, eq=False)
class PixelsMoved(Request[ReachedMap]):
    """Which pixels one place of a level of `z` (D,) moves, or with `channel` ≥ 0 one of its numbers."""

    kind = "pixels.reached"
    slot = "pixels.reached"
    priority = Priority.PAGE
    grace = 0.3

    model: str
    z: np.ndarray
    level: int
    row: int
    column: int
    channel: int = -1
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_whole("The level", self.level, 0, 64)
        check_whole("The row", self.row, 0, SIDE_MAX)
        check_whole("The column", self.column, 0, SIDE_MAX)
        check_whole("The number of a place", self.channel, -1, 2**20)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class Change(Answer):
    """What a stroke changes: bits per dimension before and painted, and for each level the change of z and its channels."""

    before: float
    painted: float
    maps: tuple[Map, ...]
    channels: tuple[int, ...]

    def __post_init__(self) -> None:
        same_length(self.maps, self.channels)


@dataclass(frozen=True, eq=False)
class PlausibleDraft(Answer):
    """The plausible picture, before its z is known."""

    picture: Picture


@dataclass(frozen=True, eq=False)
class Plausible(Answer):
    """The plausible picture with its z and bits per dimension; what it keeps of the stroke and how far it is from what was
    painted, as `flowcore.latents.plausible.Kept`; and what is `left` of the change of z, one map a level."""

    picture: Picture
    z: Z
    bpd: float
    kept: float | None
    inside: float
    outside: float
    left: tuple[Map, ...]


@dataclass(frozen=True, eq=False)
class Repaint(Request[Change | PlausibleDraft | Plausible]):
    """What painting on `before` (uint8 (H, W, C)) does to its z, and the same made plausible by an `amount` from 0 to 1.

    `where` (uint8 (H, W), not 0 where it was painted) says what the stroke is. See `flowcore.latents.plausible`.
    """

    kind = "pixels.paint"
    slot = "pixels.paint"
    priority = Priority.INTERACTIVE
    grace = 0.5

    model: str
    before: np.ndarray
    painted: np.ndarray
    where: np.ndarray
    amount: float
    label: Label = ()

    def __post_init__(self) -> None:
        _picture("The picture before", self.before)
        _picture("The painted picture", self.painted)
        if self.before.shape != self.painted.shape or getattr(self.where, "shape", None) != self.before.shape[:2]:
            raise ConfigError("What was painted must be of the picture's own size.")
        check_number("The amount", self.amount, 0.0, 1.0)
        check_label(self.label)
