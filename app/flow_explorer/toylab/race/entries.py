"""The flows that race against the one of the settings, as plain data: no Qt, no mathematics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from flowcore.errors import ConfigError
from flowcore.fields import check, like, read
from flowcore.plane.config import ToyConfig

__all__ = ["MAX_RIVALS", "RaceEntry", "next_rival", "racers", "read_rivals"]

MAX_RIVALS = 3
_OWNER = "In a race a flow's"


@dataclass(frozen=True)
class RaceEntry:
    """What may differ between the flows of a race; all else is the settings' own.

    Raises:
        ConfigError: for a value out of range.
    """

    flow: str = like(ToyConfig, "flow")
    depth: int = like(ToyConfig, "depth", help="How many couplings follow each other.", when=None)
    width: int = like(ToyConfig, "width")
    learning_rate: float = like(ToyConfig, "learning_rate", help="How far each step goes.")

    def __post_init__(self) -> None:
        check(self, _OWNER)


def read_rivals(values: Any) -> tuple[RaceEntry, ...]:
    """At most three rivals, also from JSON values.

    Raises:
        ConfigError: where they are none.
    """
    if not isinstance(values, list | tuple):
        raise ConfigError("The flows of a race are a list.")
    if len(values) > MAX_RIVALS:
        raise ConfigError(f"At most {MAX_RIVALS + 1} flows race.")
    return tuple(value if isinstance(value, RaceEntry) else read(RaceEntry, value, _OWNER, strict=True) for value in values)


def next_rival(taken: Iterable[str], flows: Iterable[str], own: RaceEntry) -> RaceEntry:
    """Another flow for the race: the first kind that is not in it yet, as large as ``own``."""
    taken, order = set(taken), [name for name in ("spline", "realnvp", "glow", "nice") if name in flows]
    order += [name for name in flows if name not in order]
    flow = next((name for name in order if name not in taken), own.flow)
    return replace(own, flow=flow)


def racers(config: Mapping[str, Any], rivals: Iterable[RaceEntry]) -> list[dict[str, Any]]:
    """The configurations of all in the race: the settings' own first, each rival's with the same target, seed and batch."""
    found = [dict(config)]
    for rival in rivals:
        # An edited list of layers belongs to the flow that it was edited for.
        found.append({**config, **asdict(rival), **({"layers": None} if "layers" in config else {})})
    return found
