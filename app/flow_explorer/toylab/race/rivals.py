"""The flows that race against the one of the settings, as plain data: no Qt, no mathematics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flowcore.errors import ConfigError

__all__ = ["MAX_RIVALS", "Rival", "check_rivals", "next_rival", "racers", "read_rivals"]

MAX_RIVALS = 3
_DEPTH, _WIDTH, _RATE = (1, 64), (1, 1024), (1e-6, 1.0)


@dataclass(frozen=True)
class Rival:
    """What may differ between the flows of a race; all else is the settings' own.

    Raises:
        ConfigError: for a value out of range.
    """

    flow: str
    depth: int = 8
    width: int = 64
    learning_rate: float = 4e-3

    def __post_init__(self) -> None:
        if not isinstance(self.flow, str) or not self.flow:
            raise ConfigError("Each flow of a race needs its name.")
        for name, (low, high) in (("depth", _DEPTH), ("width", _WIDTH)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"The {name} of a flow in a race must be a whole number from {low} to {high}, not {value!r}.")
        rate = self.learning_rate
        right = isinstance(rate, int | float) and not isinstance(rate, bool) and math.isfinite(rate)
        if not right or not _RATE[0] <= rate <= _RATE[1]:
            raise ConfigError(f"The learning rate of a flow in a race must be a number up to {_RATE[1]:g}, not {rate!r}.")


def read_rivals(values: Any) -> tuple[Rival, ...]:
    """Rivals from JSON values.

    Raises:
        ConfigError: where they are none.
    """
    if not isinstance(values, list | tuple):
        raise ConfigError("The flows of a race are a list.")
    try:
        return tuple(value if isinstance(value, Rival) else Rival(**value) for value in values)
    except TypeError as error:
        raise ConfigError("The settings of a flow in a race are damaged.") from error


def check_rivals(rivals: Any, flows: Iterable[str]) -> None:
    """Raise ConfigError unless these are at most three rivals with flows that are known."""
    if not isinstance(rivals, tuple) or not all(isinstance(rival, Rival) for rival in rivals):
        raise ConfigError("The flows of a race are damaged.")
    if len(rivals) > MAX_RIVALS:
        raise ConfigError(f"At most {MAX_RIVALS + 1} flows race.")
    for rival in rivals:
        if rival.flow not in flows:
            raise ConfigError(f"There is no flow named {rival.flow!r} to race with: choose one of {', '.join(flows)}.")


def next_rival(taken: Iterable[str], flows: Iterable[str], own: Rival) -> Rival:
    """Another flow for the race: the first kind that is not in it yet, as large as ``own``."""
    taken, order = set(taken), [name for name in ("spline", "realnvp", "glow", "nice") if name in flows]
    order += [name for name in flows if name not in order]
    flow = next((name for name in order if name not in taken), own.flow)
    return Rival(flow, own.depth, own.width, own.learning_rate)


def racers(config: Mapping[str, Any], rivals: Iterable[Rival]) -> list[dict[str, Any]]:
    """The configurations of all in the race: the settings' own first, each rival's with the same target, seed and batch."""
    found = [dict(config)]
    for rival in rivals:
        # An edited list of layers belongs to the flow that it was edited for.
        found.append({**config, **asdict(rival), **({"layers": None} if "layers" in config else {})})
    return found
