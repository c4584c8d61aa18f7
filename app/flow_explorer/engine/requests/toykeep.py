"""What the toy lab asks of the engine to keep its trainings: a film of one, and whether a saved one is sound. No torch, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowcore.errors import CheckpointError, ConfigError
from flowcore.plane.schedule import Schedule

from .base import Priority, Request, check_whole

__all__ = ["MAX_FRAMES", "CheckToy", "FilmToy"]

MAX_FRAMES = 2000


@dataclass(frozen=True, eq=False)
class FilmToy(Request):
    """Train a run again from its seed, by its `course` (a list of (step, learning rate, batch)), and show it after each of
    `steps`: must finish, and reports progress.

    Answers "scene" `{title, about, reach, entropy}` with `truth` and `data`, then for each step "shot" `{step, nll,
    standard_error, learning_rate}` with `samples`, `prior`, `grid`, `heat`; the last one is done.
    """

    kind = "toykeep.film"
    priority = Priority.EXPORT

    config: dict[str, Any]
    schedule: tuple[tuple[int, float, int], ...]
    steps: tuple[int, ...]
    inherited: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.config, dict) or not 1 <= len(self.steps) <= MAX_FRAMES:
            raise ConfigError(f"A film needs a run's settings, and one to {MAX_FRAMES:,} moments of it.")
        before = -1
        for step in self.steps:
            check_whole("A moment of a film", step, 0, 2**53)
            if step <= before:
                raise ConfigError("The moments of a film have to follow each other.")
            before = step
        try:
            Schedule.from_list(self.schedule, self.inherited)
        except CheckpointError as error:
            raise ConfigError(str(error)) from error


@dataclass(frozen=True, eq=False)
class CheckToy(Request):
    """Whether a snapshot is sound and of the run that `config` says (but for its learning rate and batch): must finish.
    Answers `{step}`."""

    kind = "toykeep.check"
    priority = Priority.INTERACTIVE

    config: dict[str, Any]
    snapshot: np.ndarray

    def __post_init__(self) -> None:
        if not isinstance(self.config, dict):
            raise ConfigError("A toy run needs its settings.")
        if not isinstance(self.snapshot, np.ndarray) or self.snapshot.dtype != np.uint8 or self.snapshot.ndim != 1:
            raise ConfigError("A snapshot must be bytes.")
