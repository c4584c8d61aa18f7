"""What Pixels asks of the engine: which z a pixel moves, which pixels a z moves, and what painting does to z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label

from .base import Priority, Request, check_label, check_latent, check_number, check_whole

__all__ = ["MovedByPixel", "PixelsMoved", "Repaint"]

SIDE_MAX = 4096


def _picture(name: str, value: object) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
        raise ConfigError(f"{name} must be 8-bit, height by width by channels.")


@dataclass(frozen=True, eq=False)
class MovedByPixel(Request):
    """Which z move as a pixel of `picture` (uint8 (H, W, C)) and those within `radius` pixels of it do.

    Answers `{shares: [one a level, adding up to 1], sizes: [[C, h, w], …], done}` with arrays `map0`, `map1`, … float32 (h, w) in
    standard deviations of z a grey level, the finest level first; see `flowcore.latents.sensitivity.Moved`.
    """

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
class PixelsMoved(Request):
    """Which pixels one place of a level of `z` (D,) moves, or with `channel` ≥ 0 one of its numbers.

    Several answers `{fraction, done}` with `map` float32 (H, W) in grey levels a standard deviation: an estimate that gets
    better, and at a fraction of 1 is exact; see `flowcore.latents.sensitivity.Reached`.
    """

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
class Repaint(Request):
    """What painting on `before` (uint8 (H, W, C)) does to its z, and the same made plausible by an `amount` from 0 to 1.

    `where` (uint8 (H, W), not 0 where it was painted) says what the stroke is. Up to three answers, figures as
    `flowcore.model.evaluation.describe` gives them: `{before, painted, channels: [C of each level]}` with `change0`, … float32
    (h, w), the change of z a level; the plausible `picture` uint8 (H, W, C); and `{amount, plausible, kept, inside, outside,
    done}` with that `picture`, its `z` (D,), and `left0`, …, what is left of the change. See `flowcore.latents.plausible`.
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
