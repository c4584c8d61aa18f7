"""Requests of the Compare view. Each is of one side, so that a side that moves leaves the other where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

from ..answers import Answer, Picture, Z
from .base import Priority, Request, check_label, check_latent, check_temperature, check_whole
from .explorer import BitsAt, OnePicture, SamplePage

__all__ = [
    "SIDES", "ComparePage", "DecodeSame", "Exchange", "Exchanged", "PictureRead", "ReadPicture", "Release", "Released", "Shares",
]  # fmt: skip

A = TypeVar("A")

SIDES = ("left", "right")


def check_side(value: object) -> None:
    if value not in SIDES:
        raise ConfigError(f"A side is left or right, not {value!r}.")


@dataclass(frozen=True, eq=False)
class _OfOneSide(Request[A]):
    """One slot a side: what is looked at changes for both at once, a checkpoint for one alone."""

    priority = Priority.PAGE

    side: str
    model: str

    @property
    def slot(self) -> str:  # type: ignore[override]
        return f"compare.{self.side}"


@dataclass(frozen=True, eq=False)
class PictureRead(Answer):
    """What a model makes of a picture, as `flowcore.latents.comparison.Reading` has it."""

    bpd: float
    z: Z
    label: Label
    redrawn: Picture
    drawn: int


@dataclass(frozen=True, eq=False)
class Shares(Answer):
    """What each level adds to the bits per dimension, as `flowcore.latents.comparison.Shares` has it."""

    before: float
    levels: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ReadPicture(_OfOneSide[PictureRead | Shares]):
    """What a model makes of a picture uint8 (H, W, C); see `flowcore.latents.comparison.read_job`. With () for a label, a
    conditional model takes the class under which the picture is likeliest.
    """

    kind = "compare.picture"

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
class DecodeSame(_OfOneSide[OnePicture | BitsAt]):
    """What a z (D,) is to a model: its picture at once, then the bits per dimension of it."""

    kind = "compare.z"

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
    """Whether a z of the left model can be decoded by the right one."""

    kind = "compare.exchange"
    slot = "compare.exchange"
    priority = Priority.INTERACTIVE
    strict = True

    left: str
    right: str


@dataclass(frozen=True, eq=False)
class Released(Answer):
    """They are let go."""


@dataclass(frozen=True, eq=False)
class Release(Request[Released]):
    """Nobody compares any more: the models that were held for it may go."""

    kind = "compare.release"
    slot = "compare.release"
    priority = Priority.INTERACTIVE
