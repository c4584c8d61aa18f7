"""Requests of the Levels view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.resample import ACTIONS, LOCKS
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

from ..answers import Answer, Pictures, Rows, same_length
from .base import MAX_COUNT, Priority, Request, check_label, check_latent, check_temperature, check_whole

__all__ = ["Variations", "VariationsPart"]


@dataclass(frozen=True, eq=False)
class VariationsPart(Answer):
    """Variations `first` and following, their z, and bits per dimension of the 8-bit pictures at their bin centres."""

    first: int
    pictures: Pictures
    z: Rows
    bpd: tuple[float, ...]

    def __post_init__(self) -> None:
        same_length(self.pictures, self.z, self.bpd)


@dataclass(frozen=True, eq=False)
class Variations(Request[VariationsPart]):
    """Variations `first` to `first + count` of the picture that `z` (D,) decodes to, as `flowcore.latents.resample` mixes them.

    Variation i depends on (seed, i) alone. `region` is uint8 (H, W), above 0 where brushed; `other`
    is empty where no level is another picture's.
    """

    kind = "levels.page"
    slot = "levels.page"
    priority = Priority.PAGE
    grace = 0.15

    model: str
    z: np.ndarray
    other: np.ndarray
    region: np.ndarray
    actions: tuple[str, ...]
    lock: str
    seed: int
    first: int
    count: int
    temperature: Temperature
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_latent("The other latent", self.other)
        check_label(self.label)
        if not isinstance(self.region, np.ndarray) or self.region.dtype != np.uint8 or self.region.ndim != 2:
            raise ConfigError("A region must be a mask, height by width.")
        if not isinstance(self.actions, tuple) or set(self.actions) - set(ACTIONS) or self.lock not in LOCKS:
            raise ConfigError("The levels' actions cannot be read.")
        check_whole("The seed", self.seed, 0, 2**63 - 1)
        check_whole("The first variation's number", self.first, 0, 2**53)
        check_whole("The count", self.count, 1, MAX_COUNT)
        check_temperature(self.temperature)
