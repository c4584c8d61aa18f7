"""Requests of the Compare view. Each is of one side, so that a side that moves leaves the other where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

from ..answers import Answer, Picture, Z
from .base import Priority, Request, check_label, check_latent, check_temperature, check_whole
from .explorer import SamplePage

__all__ = [
    "SIDES", "ComparePage", "DecodeSame", "Exchange", "Exchanged", "LevelShares", "PictureReading", "ReadPicture", "Release",
    "Released", "SameBits", "SamePicture",
]  # fmt: skip

SIDES = ("left", "right")


def check_side(value: object) -> None:
    if value not in SIDES:
        raise ConfigError(f"A side is left or right, not {value!r}.")


class _OfOneSide:
    """One slot a side: what is looked at changes for both at once, a checkpoint for one alone."""

    priority = Priority.PAGE

    side: str

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"compare.{self.side}"


@dataclass(frozen=True, eq=False)
class PictureReading(Answer):
    """What a model makes of a picture; see `flowcore.latents.comparison.Reading`."""

    bpd: float
    z: Z
    label: Label
    redrawn: Picture
    drawn: int


@dataclass(frozen=True, eq=False)
class LevelShares(Answer):
    """What of its bits per dimension comes before the first level, and from each level, the finest first."""

    before: float
    levels: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ReadPicture(_OfOneSide, Request[PictureReading | LevelShares]):
    """What a model makes of a picture uint8 (H, W, C), then where its bits come from; see `flowcore.latents.comparison.read_job`.

    With () for a label, a conditional model takes the class under which the picture is likeliest.
    """

    kind = "compare.picture"

    side: str
    model: str
    picture: np.ndarray
    label: Label
    drawn: int
    seed: int
    temperature: Temperature

    def __post_init__(self) -> None:
        check_side(self.side)
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to compare must be 8-bit, height by width by channels.")
        check_label(self.label)
        check_whole("The number of levels that are drawn", self.drawn, 0, 100)
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_temperature(self.temperature)


@dataclass(frozen=True, eq=False)
class SamePicture(Answer):
    """What a z is to a model."""

    picture: Picture


@dataclass(frozen=True, eq=False)
class SameBits(Answer):
    """The bits per dimension of that picture."""

    bpd: float


@dataclass(frozen=True, eq=False)
class DecodeSame(_OfOneSide, Request[SamePicture | SameBits]):
    """What a z (D,) is to a model: the picture at once, then its bits per dimension."""

    kind = "compare.z"

    side: str
    model: str
    z: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        check_side(self.side)
        check_latent("The latent", self.z)
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class ComparePage(SamplePage):
    """A page of samples, as `SamplePage` has it, of the model on one side."""

    kind = "compare.page"
    grace = 0.0

    side: str = "right"

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"compare.{self.side}"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_side(self.side)


@dataclass(frozen=True, eq=False)
class Exchanged(Answer):
    """Why a z of the left model cannot be decoded by the right one, in a sentence; "" where it can."""

    why_not: str


@dataclass(frozen=True, eq=False)
class Exchange(Request[Exchanged]):
    """Whether a z of the left model means anything to the right one."""

    kind = "compare.exchange"
    slot = "compare.exchange"
    priority = Priority.INTERACTIVE
    strict = True

    left: str
    right: str


@dataclass(frozen=True, eq=False)
class Released(Answer):
    """They may go."""


@dataclass(frozen=True, eq=False)
class Release(Request[Released]):
    """Nobody compares any more: the models that were held for it may go."""

    kind = "compare.release"
    slot = "compare.release"
    priority = Priority.INTERACTIVE
