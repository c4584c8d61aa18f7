"""What the facet of layers asks: one picture, or one z, through the model layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label

from ..answers import Answer, Numbers, Pictures, Points, same_length
from .base import Priority, Request, check_label, check_latent

__all__ = [
    "Against", "AgainstPrior", "Checked", "DecodeLayers", "EncodeLayers", "Followed", "Outline", "Place", "Stages", "Terms",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A layer's place, as `flowcore.latents.anatomy.Layer` has it."""

    kind: str
    level: int
    step: int


@dataclass(frozen=True, eq=False)
class Against:
    """z, or one level of it, against the prior, as `flowcore.latents.qq.Against` has it."""

    expected: Numbers
    found: Numbers
    low: Numbers
    high: Numbers
    """(points,) each."""
    count: int
    kind: str
    distance: float
    p_value: float
    mean: float
    deviation: float
    kurtosis: float
    prior_deviation: float
    prior_kurtosis: float
    shell: tuple[float, float, float, float]
    """(|z|, low, centre, high): the middle 95 % of the prior's own draws lie from low to high."""

    @property
    def inside(self) -> int:
        """How many points of the curve are in their band."""
        return int(((self.found >= self.low) & (self.found <= self.high)).sum())


@dataclass(frozen=True, eq=False)
class Outline(Answer):
    """The first: one place a stage, as in `flowcore.latents.anatomy.outline`, and z's levels as (name, numbers)."""

    layers: tuple[Place, ...]
    levels: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class Stages(Answer):
    """Stages `first` and following: their pictures, what black and white stand for in each (n, 2), and on the way to z their
    log-dets in nats."""

    first: int
    pictures: Pictures
    ranges: Points
    log_dets: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        same_length(self.pictures, self.ranges, self.pictures if self.log_dets is None else self.log_dets)


@dataclass(frozen=True, eq=False)
class Terms(Answer):
    """The log-dets of all stages and the prior's terms, one a level, in nats; their sum, and bits per dimension."""

    log_dets: tuple[float, ...]
    prior: tuple[float, ...]
    log_prob: float
    bpd: float


@dataclass(frozen=True, eq=False)
class AgainstPrior(Answer):
    """The z of each level, and all of it, against the prior; None where that is no standard distribution."""

    levels: tuple[Against | None, ...]
    whole: Against | None


@dataclass(frozen=True, eq=False)
class Checked(Answer):
    """The last: the way back gives the same stages, up to `difference` as a share of the range shown."""

    difference: float


Followed = Outline | Stages | Terms | AgainstPrior | Checked


@dataclass(frozen=True, eq=False)
class EncodeLayers(Request[Followed]):
    """An 8-bit picture (uint8 (H, W, C)) on its way to z."""

    kind = "layers.encode"
    slot = "layers"
    priority = Priority.PAGE
    strict = True

    model: str
    picture: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to follow through the layers must be 8-bit, height by width by channels.")
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class DecodeLayers(Request[Followed]):
    """One z (D,) on its way to pixels; the stages come from the last to the first, without `log_dets`.

    The terms are those of the decoded pixels before they are rounded to bytes.
    """

    kind = "layers.decode"
    slot = "layers"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_label(self.label)
