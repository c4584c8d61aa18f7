"""How far from the middle of the prior z is drawn: one temperature, or one for each level of z, the finest first. Torch-free.

Temperatures by level are a *profile*. It is moved as a whole by one number, its highest level's temperature: all levels are
scaled together and keep their ratios.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import SupportsFloat

from ..errors import ConfigError

__all__ = ["TEMPERATURE_MAX", "Temperature", "by_level", "scaled", "split"]

Temperature = float | tuple[float, ...]

TEMPERATURE_MAX = 1.5
"""The highest that the window offers, and that a card's profile may have."""
DECIMALS = 2
"""Of a scaled level's temperature: those that the window shows, so that what it shows is what it draws at."""


def by_level(temperature: SupportsFloat | Iterable[float], levels: int) -> tuple[float, ...]:
    """One temperature a level, from one number for all of them or from as many as there are levels.

    Raises:
        ConfigError: for another number of them, or one that is not finite or below 0.
    """
    try:
        values = tuple(float(t) for t in temperature) if isinstance(temperature, Iterable) else (float(temperature),) * levels
    except (TypeError, ValueError):
        values = ()
    if len(values) != levels or not all(math.isfinite(t) and t >= 0 for t in values):
        told = list(values) if values else repr(temperature)
        raise ConfigError(f"Temperature must be one number of 0 or more, or {levels} of them, not {told}.")
    return values


def split(temperature: float | Sequence[float]) -> tuple[float, tuple[float, ...]]:
    """(the highest, the profile) of temperatures; the profile is () for one number, and where all levels have the same."""
    if not isinstance(temperature, Iterable):
        return float(temperature), ()
    return max(temperature), () if len(set(temperature)) == 1 else tuple(temperature)


def scaled(profile: Sequence[float], temperature: float) -> tuple[float, ...]:
    """The profile with its highest level at ``temperature``: level l at temperature · p_l / max p, rounded to hundredths.

    At its own highest temperature it is the profile itself, to the last bit.
    """
    highest = max(profile)
    if temperature == highest:
        return tuple(profile)
    return tuple(temperature if each == highest else round(temperature * each / highest, DECIMALS) for each in profile)
