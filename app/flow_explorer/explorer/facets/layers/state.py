"""What a person has set in the facet of layers; without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flow_explorer.explorer.facets import FacetState
from flowcore.fields import choice, whole

__all__ = ["PARTS", "STAGES_MAX", "WAYS", "State"]

PARTS = ("layers", "prior")
WAYS = ("encode", "decode")
"""From the picture's bytes, or from its z."""
STAGES_MAX = 4096
LEVELS_MAX = 64


@dataclass(frozen=True)
class State(FacetState):
    """Where one stands, and what is looked at."""

    OWNER: ClassVar[str] = "The layers'"

    part: str = choice("layers", PARTS)
    """The layers, or z against its prior."""
    way: str = choice("encode", WAYS)
    stage: int = whole(0, 0, STAGES_MAX)
    """After how many layers; 0 are the pixels. A model with fewer layers shows its last."""
    level: int = whole(-1, -1, LEVELS_MAX)
    """The level whose figures are shown beside the prior, 0 the finest; -1 for all of z."""
