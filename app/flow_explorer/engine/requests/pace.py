"""What the toy lab's slow motion asks of the engine. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowcore.errors import ConfigError
from flowcore.plane.config import ToyConfig

from .base import Priority, Request

__all__ = ["StepInStages"]


@dataclass(frozen=True, eq=False)
class StepInStages(Request):
    """What the step after a snapshot does, in its stages; the training itself is not touched.

    Answers, of a flow of layers, `{trained_by: "likelihood", step, loss, prior_term, log_det_term, learning_rate, norm, scale}`
    and `norms` (K,), `path` (K + 1, n, 2), `before`, `after` (n, 2): see `flowcore.plane.step.StepInDetail`. Of a continuous one
    `{trained_by: "matching", step, loss, …}` and what `flowcore.plane.step_matching.MatchingInDetail` tells.
    """

    kind = "pace.stages"
    slot = "pace.stages"
    priority = Priority.TOY
    strict = True

    snapshot: np.ndarray
    live: dict[str, Any]
    """The training's live settings, by name."""

    def __post_init__(self) -> None:
        ToyConfig.from_dict(self.live)
        if not isinstance(self.snapshot, np.ndarray) or self.snapshot.dtype != np.uint8 or not self.snapshot.size:
            raise ConfigError("Slow motion needs a training's snapshot.")
