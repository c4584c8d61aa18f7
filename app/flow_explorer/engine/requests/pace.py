"""What the toy lab's slow motion asks of the engine. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError

from .base import Priority, Request, check_number, check_whole

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
    learning_rate: float
    batch: int

    def __post_init__(self) -> None:
        check_number("The learning rate", self.learning_rate, 1e-9, 1.0)
        check_whole("The batch", self.batch, 2, 1_000_000)
        if not isinstance(self.snapshot, np.ndarray) or self.snapshot.dtype != np.uint8 or not self.snapshot.size:
            raise ConfigError("Slow motion needs a training's snapshot.")
