"""What the Explorer's paths ask: the same walk in several ways, a pad between four latents, keyframes in time.

Every class of a conditional model's latents comes as its label; between them the labels' weights go as z does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.latent import MODES
from flowcore.latents.timeline import MAX_FRAMES, PIXELS, Timeline
from flowcore.model.labels import Label

from ..answers import Answer, Pictures, Rows, Z, same_length
from .base import Priority, Request, check_label, check_latent, check_number, check_times, check_whole
from .explorer import BitsAt, FramesPart, PictureAt, WalkPart

__all__ = [
    "PadAt", "PadGrid", "PathPart", "PathRows", "PathsAt", "PicturesAt", "TimelineAt", "TimelineExport", "TimelineFrames",
    "TimelinePart", "WaysBits",
]  # fmt: skip

A = TypeVar("A")

GRID_MAX = 15
KEYS_MAX = 200


def _ways(values: Any) -> None:
    if not isinstance(values, tuple) or not values or not set(values) <= {*MODES, PIXELS}:
        raise ConfigError(f"The ways of a walk are some of {', '.join((*MODES, PIXELS))}.")


def _pictures(*values: Any) -> None:
    for value in values:
        if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
            raise ConfigError("A picture must be 8-bit, height by width by channels.")


def _latents(value: Any, least: int, most: int) -> None:
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.dtype not in (np.float32, np.float64):
        raise ConfigError("Latents must be rows of 32- or 64-bit floats.")
    if not least <= len(value) <= most:
        raise ConfigError(f"There must be from {least} to {most} latents, not {len(value)}.")
    if not np.isfinite(value).all():
        raise ConfigError("A latent holds a number that is not finite.")


def _labels(values: Any, count: int) -> None:
    if not isinstance(values, tuple) or len(values) != count:
        raise ConfigError("Every latent needs its label.")
    for value in values:
        check_label(value)


@dataclass(frozen=True, eq=False)
class PathPart(WalkPart):
    """Pictures of a walk in one way."""

    way: str = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class PathRows(Request[PathPart]):
    """The pictures at `ts` between A and B, in each of the `ways`: the walks through z of `flowcore.latents.latent`, and
    "pixels", a cross-fade of the two pictures. In parts, way after way for each few of the `ts`; their `first` indexes `ts`.
    """

    kind = "paths.rows"
    slot = "paths.rows"
    priority = Priority.PAGE
    strict = True

    model: str
    a: np.ndarray
    b: np.ndarray
    picture_a: np.ndarray
    picture_b: np.ndarray
    ways: tuple[str, ...]
    ts: tuple[float, ...]
    label_a: Label = ()
    label_b: Label = ()

    def __post_init__(self) -> None:
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        _pictures(self.picture_a, self.picture_b)
        _ways(self.ways)
        check_times(self.ts)
        check_label(self.label_a)
        check_label(self.label_b)


@dataclass(frozen=True, eq=False)
class PicturesAt(Answer):
    """One picture a way, and the z (n, D) of those that go through z, in their order."""

    pictures: Pictures
    z: Rows


@dataclass(frozen=True, eq=False)
class WaysBits(Answer):
    """Bits per dimension, one a way, and the z that the cross-fade is encoded to, where it is among them."""

    bpd: tuple[float, ...]
    z_pixels: Z | None = None


@dataclass(frozen=True, eq=False)
class PathsAt(Request[PicturesAt | WaysBits]):
    """The pictures at `t` in each of the `ways` at once, then, when nothing newer waits, their bits per dimension."""

    kind = "paths.at"
    slot = "paths.at"
    priority = Priority.INTERACTIVE

    model: str
    a: np.ndarray
    b: np.ndarray
    picture_a: np.ndarray
    picture_b: np.ndarray
    ways: tuple[str, ...]
    t: float
    label_a: Label = ()
    label_b: Label = ()

    def __post_init__(self) -> None:
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        _pictures(self.picture_a, self.picture_b)
        _ways(self.ways)
        check_number("The position on the walk", self.t, 0.0, 1.0)
        check_label(self.label_a)
        check_label(self.label_b)


@dataclass(frozen=True, eq=False)
class PadGrid(Request[FramesPart]):
    """The pictures on a grid of `side` × `side` points of a pad, row by row from the top left. `corners` is (4, D): top left, top
    right, bottom left, bottom right.
    """

    kind = "paths.pad"
    slot = "paths.pad"
    priority = Priority.PAGE
    strict = True

    model: str
    corners: np.ndarray
    side: int
    norm_kept: bool
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        _latents(self.corners, 4, 4)
        check_whole("The grid's side", self.side, 2, GRID_MAX)
        _labels(self.labels, 4)


@dataclass(frozen=True, eq=False)
class PadAt(Request[PictureAt | BitsAt]):
    """The picture at one point of a pad at once, then its bits per dimension."""

    kind = "paths.pad.at"
    slot = "paths.pad.at"
    priority = Priority.INTERACTIVE

    model: str
    corners: np.ndarray
    x: float
    y: float
    norm_kept: bool
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        _latents(self.corners, 4, 4)
        check_number("x", self.x, 0.0, 1.0)
        check_number("y", self.y, 0.0, 1.0)
        _labels(self.labels, 4)


@dataclass(frozen=True, eq=False)
class _OfTimeline(Request[A]):
    """The fields that a timeline's requests share, and their checks. `keys` is (K, D)."""

    model: str
    keys: np.ndarray
    seconds: tuple[float, ...]
    easings: tuple[str, ...]
    loop: bool
    path: str
    labels: tuple[Label, ...]

    def _check(self) -> None:
        _latents(self.keys, 1, KEYS_MAX)
        _labels(self.labels, len(self.keys))
        self.timeline()

    def timeline(self) -> Timeline:
        """The timeline of these fields; raises `ConfigError`."""
        return Timeline(self.seconds, self.easings, self.loop, self.path)


@dataclass(frozen=True, eq=False)
class TimelineAt(_OfTimeline[PictureAt | BitsAt]):
    """The picture at one time at once, then its bits per dimension."""

    kind = "paths.timeline.at"
    slot = "paths.timeline.at"
    priority = Priority.INTERACTIVE

    time: float

    def __post_init__(self) -> None:
        self._check()
        check_number("The time", self.time, 0.0, 1e6)


@dataclass(frozen=True, eq=False)
class TimelinePart(Answer):
    """Some frames, by their numbers among the times."""

    indices: tuple[int, ...]
    pictures: Pictures

    def __post_init__(self) -> None:
        same_length(self.indices, self.pictures)


@dataclass(frozen=True, eq=False)
class TimelineFrames(_OfTimeline[TimelinePart]):
    """The pictures at many `times`, of which the first to come are spread over all of it."""

    kind = "paths.timeline"
    slot = "paths.timeline"
    priority = Priority.PAGE
    strict = True

    times: tuple[float, ...]

    def __post_init__(self) -> None:
        self._check()
        if not isinstance(self.times, tuple) or not 1 <= len(self.times) <= MAX_FRAMES + 1:
            raise ConfigError(f"An animation has from 1 to {MAX_FRAMES} frames.")
        for time in self.times:
            check_number("A frame's time", time, 0.0, 1e6)


@dataclass(frozen=True, eq=False)
class TimelineExport(TimelineFrames):
    """The same for a file: it must finish, and reports progress."""

    kind = "paths.export"
    slot = None
    priority = Priority.EXPORT
    strict = False
