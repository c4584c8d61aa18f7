"""What the Explorer asks of the engine, and what it is answered: pages of samples, single pictures, encoding, walks.

Imports neither torch nor Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

from ..answers import Answer, Picture, Pictures, Rows, Z, same_length
from .base import (
    MAX_COUNT,
    MAX_FRAMES,
    Priority,
    Request,
    check_label,
    check_latent,
    check_mode,
    check_number,
    check_temperature,
    check_times,
    check_whole,
)

__all__ = [
    "BitsAt",
    "DescribeLatent",
    "Described",
    "DraftPage",
    "DraftPart",
    "Edited",
    "EncodePicture",
    "Encoded",
    "Encoding",
    "FramesPart",
    "OnePicture",
    "OpenModel",
    "Opened",
    "PagePart",
    "PageScores",
    "PictureAt",
    "SamplePage",
    "ScorePage",
    "TemperatureFrames",
    "WalkAt",
    "WalkFrames",
    "WalkPart",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Opened(Answer):
    """A model that is loaded; `levels` as (name, start, stop)."""

    card: dict[str, Any]
    path: str
    device: str
    num_dims: int
    event_shape: tuple[int, ...]
    levels: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, eq=False)
class OpenModel(Request[Opened]):
    """Load a model."""

    kind = "explorer.open"
    priority = Priority.INTERACTIVE

    model: str


@dataclass(frozen=True, eq=False)
class PagePart(Answer):
    """Pictures `first` and following of a page, with their z already at the temperature."""

    first: int
    pictures: Pictures
    z: Rows
    labels: tuple[Label, ...] = ()
    """One a picture; () of a model without classes."""

    def __post_init__(self) -> None:
        same_length(self.pictures, self.z, self.labels or self.z)


@dataclass(frozen=True, eq=False)
class SamplePage(Request[PagePart]):
    """Pictures `first` to `first + count` of a seed, answered in parts as they are ready.

    `temperature` is one number, or one per level (finest first). Picture i depends on (seed, i) and its class alone.
    """

    kind = "explorer.page"
    slot = "explorer.page"
    priority = Priority.PAGE
    grace = 0.15

    model: str
    seed: int
    first: int
    count: int
    temperature: Temperature = 1.0
    label: Label = ()
    """The class of all of them; () for all classes of a conditional model in turn: picture i is of class i mod classes."""

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The first picture's number", self.first, 0, 2**53)
        check_whole("The count", self.count, 1, MAX_COUNT)
        check_temperature(self.temperature)


@dataclass(frozen=True, eq=False)
class PageScores(Answer):
    """Bits per dimension, one a picture."""

    bpd: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ScorePage(Request[PageScores]):
    """How likely the 8-bit pictures are that the z's (n, D) decode to, each under its own label, at their bin centres."""

    kind = "explorer.score"
    slot = "explorer.score"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        good = isinstance(self.z, np.ndarray) and self.z.dtype in (np.float32, np.float64) and self.z.ndim == 2
        if not good or not 1 <= len(self.z) <= MAX_COUNT or not np.isfinite(self.z).all():
            raise ConfigError("A page to score must be latents of finite 32- or 64-bit floats.")
        if len(self.labels) not in (0, len(self.z)):
            raise ConfigError("A page to score has a label for each picture, or none.")
        for label in self.labels:
            check_label(label)


@dataclass(frozen=True, eq=False)
class DraftPart(Answer):
    """Some samples of a draft, by their numbers; see `PagePart`."""

    indices: tuple[int, ...]
    pictures: Pictures
    z: Rows
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        same_length(self.indices, self.pictures, self.z, self.labels or self.z)


@dataclass(frozen=True, eq=False)
class DraftPage(Request[DraftPart]):
    """Samples of a seed for the eye, while their temperature is dragged: those of `indices` whose last draft is oldest come
    first, and sample `hand` (-1 for none), the one that is looked at, comes with the first few of them.

    z is exact, but the networks may compute in bfloat16 where that is faster, so that a picture may be off by a grey level:
    never to be kept. `SamplePage` draws what is.
    """

    kind = "explorer.draft"
    slot = "explorer.draft"
    priority = Priority.INTERACTIVE

    model: str
    seed: int
    indices: tuple[int, ...]
    temperature: Temperature = 1.0
    label: Label = ()
    hand: int = -1

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The sample in hand", self.hand, -1, 2**53)
        if not isinstance(self.indices, tuple) or not 1 <= len(self.indices) <= MAX_COUNT:
            raise ConfigError(f"A draft has from 1 to {MAX_COUNT} samples.")
        for index in self.indices:
            check_whole("A sample's number", index, 0, 2**53)
        check_temperature(self.temperature)


@dataclass(frozen=True, eq=False)
class FramesPart(Answer):
    """Pictures `first` and following of a row of them."""

    first: int
    pictures: Pictures


@dataclass(frozen=True, eq=False)
class TemperatureFrames(Request[FramesPart]):
    """One sample's z at many temperatures, in parts whose `first` indexes `temperatures`, each one number or one a level (finest
    first). The sample is number `index` of `seed`, as in `SamplePage`.
    """

    kind = "explorer.temperatures"
    slot = "explorer.temperatures"
    priority = Priority.PAGE

    model: str
    seed: int
    index: int
    temperatures: tuple[Temperature, ...]
    label: Label = ()

    def __post_init__(self) -> None:
        check_label(self.label)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The sample's number", self.index, 0, 2**53)
        if not isinstance(self.temperatures, tuple) or not 1 <= len(self.temperatures) <= MAX_FRAMES:
            raise ConfigError(f"A strip has from 1 to {MAX_FRAMES} temperatures.")
        for temperature in self.temperatures:
            check_temperature(temperature)


@dataclass(frozen=True, eq=False)
class Encoding(Answer):
    """A picture's z and its bits per dimension, before the round trip is proved."""

    z: Z
    bpd: float
    label: Label = ()
    """Of a conditional model the class asked for, or the one under which the picture is likeliest."""


@dataclass(frozen=True, eq=False)
class Encoded(Encoding):
    """The same with the round trip proved: the `picture` that z decodes to, how many of its bytes differ from those that were
    encoded, and by how many grey levels at most before rounding."""

    picture: Picture = field(kw_only=True)
    differing: int = field(kw_only=True)
    max_error: float = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Edited(Answer):
    """The z that a picture came with is not that of its pixels: it was edited since it was saved."""


@dataclass(frozen=True, eq=False)
class EncodePicture(Request[Encoding | Encoded | Edited]):
    """Encode an 8-bit picture (uint8 (H, W, C), as the model sees it) for slot "A" or "B".

    With a `z` (D,) that it came with nothing is encoded: what is proved is that this z decodes to the picture, and `Edited` is
    answered where it does not. With `in_hand` its crop is being moved: an `Encoding` is answered first; the round trip is proved
    when nothing newer waits by then.
    """

    kind = "explorer.encode"
    priority = Priority.INTERACTIVE

    model: str
    place: str
    picture: np.ndarray
    label: Label = ()
    in_hand: bool = False
    z: np.ndarray | None = None

    @property
    def strict(self) -> bool:  # type: ignore[override]
        """A crop in the hand would never come to its z if every move began anew."""
        return not self.in_hand

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"explorer.encode.{self.place}"

    def __post_init__(self) -> None:
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to encode must be 8-bit, height by width by channels.")
        if self.z is not None:
            check_latent("The picture's z", self.z)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class Described(Answer):
    """A picture's bits per dimension."""

    bpd: float


@dataclass(frozen=True, eq=False)
class DescribeLatent(Request[Described]):
    """How likely the 8-bit picture is that `z` (D,) decodes to, under its own class."""

    kind = "explorer.describe"
    slot = "explorer.describe"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class WalkPart(Answer):
    """Pictures `first` and following of a walk, each with its bits per dimension."""

    first: int
    pictures: Pictures
    bpd: tuple[float, ...]

    def __post_init__(self) -> None:
        same_length(self.pictures, self.bpd)


@dataclass(frozen=True, eq=False)
class WalkFrames(Request[WalkPart]):
    """The pictures at `ts` (0 is A, 1 is B) between two latents, in parts whose `first` indexes `ts`.

    A conditional model needs the ends' labels. Where they differ, the class goes evenly with z: at t the prior's locations
    and log-scales lie at t between those of A's and B's class, so that the walk has no jump and ends exactly in both.
    Each bpd is under the label of its place.
    """

    kind = "explorer.walk"
    slot = "explorer.walk"
    priority = Priority.PAGE
    strict = True

    model: str
    a: np.ndarray
    b: np.ndarray
    mode: str
    ts: tuple[float, ...]
    label_a: Label = ()
    label_b: Label = ()

    def __post_init__(self) -> None:
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        check_mode(self.mode)
        check_times(self.ts)
        check_label(self.label_a)
        check_label(self.label_b)


@dataclass(frozen=True, eq=False)
class OnePicture(Answer):
    """A picture."""

    picture: Picture


@dataclass(frozen=True, eq=False)
class PictureAt(Answer):
    """A picture at one place of a path, with its z."""

    picture: Picture
    z: Z


@dataclass(frozen=True, eq=False)
class BitsAt(Answer):
    """The bits per dimension of the picture that came before."""

    bpd: float


@dataclass(frozen=True, eq=False)
class WalkAt(Request[PictureAt | BitsAt]):
    """The picture at `t` between two latents at once, then its bits per dimension when nothing newer waits. Labels are as in
    `WalkFrames`.

    A `draft`, while an end is being moved, is for the eye: a third of a grey level off where the processor draws it faster so,
    and its bits per dimension are not asked for.
    """

    kind = "explorer.walk.at"
    slot = "explorer.walk.at"

    model: str
    a: np.ndarray
    b: np.ndarray
    mode: str
    t: float
    label_a: Label = ()
    label_b: Label = ()
    draft: bool = False

    @property
    def priority(self) -> Priority:  # type: ignore[override]
        """The end that is in the hand comes first, …"""
        return Priority.PAGE if self.draft else Priority.INTERACTIVE

    @property
    def patience(self) -> float:  # type: ignore[override]
        """… and what follows it draws on in the time between."""
        return 0.04 if self.draft else Request.patience

    def __post_init__(self) -> None:
        check_label(self.label_a)
        check_label(self.label_b)
        check_latent("End A", self.a)
        check_latent("End B", self.b)
        check_mode(self.mode)
        check_number("The position on the walk", self.t, 0.0, 1.0)
