"""What a person has set in the facet of layers; without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError

__all__ = ["PARTS", "STAGES_MAX", "WAYS", "State"]

PARTS = ("layers", "prior")
WAYS = ("encode", "decode")
"""From the picture's bytes, or from its z."""
STAGES_MAX = 4096
LEVELS_MAX = 64


@dataclass(frozen=True)
class State(FacetState):
    """Where one stands, and what is looked at."""

    part: str = "layers"
    """The layers, or z against its prior."""
    way: str = "encode"
    stage: int = 0
    """After how many layers; 0 are the pixels. A model with fewer layers shows its last."""
    level: int = -1
    """The level whose figures are shown beside the prior, 0 the finest; -1 for all of z."""

    def to_dict(self) -> dict[str, Any]:
        first = State()
        return {name: value for name, value in vars(self).items() if value != getattr(first, name)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(
            part=_one_of(data, "part", PARTS), way=_one_of(data, "way", WAYS),
            stage=_whole(data, "stage", 0, 0, STAGES_MAX), level=_whole(data, "level", -1, -1, LEVELS_MAX),
        )  # fmt: skip


def _one_of(data: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = data.get(name, known[0])
    if value not in known:
        raise ConfigError(f"The saved settings cannot be used: the layers' {name} can be {' or '.join(known)}, not {value!r}.")
    return value


def _whole(data: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"The saved settings cannot be used: the layers' {name} must be a whole number from {low} to {high}.")
    return value
