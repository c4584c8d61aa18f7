"""Requests of the Levels view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.latents.resample import ACTIONS, LOCKS
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

from .base import MAX_COUNT, Priority, Request, check_label, check_latent, check_temperature, check_whole

__all__ = ["Variations"]


@dataclass(frozen=True, eq=False)
class Variations(Request):
    """Variations `first` to `first + count` of the picture that `z` (D,) decodes to, as `flowcore.latents.resample` mixes them.

    Several answers `{first, count, bpd: [...], done}` with `pictures` uint8 (n, H, W, C) and `z` (n, D); bpd is of the 8-bit
    picture at its bin centres. Variation i depends on (seed, i) alone. `region` is uint8 (H, W), above 0 where brushed; `other`
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
