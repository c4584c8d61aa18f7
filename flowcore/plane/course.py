"""How a toy run came to where it is: which learning rate and batch from which step on. Neither torch nor a class to unpickle."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CheckpointError

__all__ = [
    "FIELDS", "MAX_CHANGES", "NEW_FIELD", "WARM_UP", "Course", "header", "snapshot_config", "snapshot_course", "snapshot_step",
    "written_config",
]  # fmt: skip

MAX_CHANGES = 100_000
WARM_UP = 50
"""Steps over which the learning rate rises from nothing."""
NEW_FIELD, _FIRST_FIELD = "waves", "plain"
FIELDS = (NEW_FIELD, _FIRST_FIELD)
"""Of a continuous flow; see ``flowcore.plane.velocity``."""
_MAX_HEADER = 64 * 2**20


@dataclass(frozen=True)
class Course:
    """``changes`` holds (step, learning rate, batch), each from that step on; the first is of step 0.

    Together with the settings it says a run exactly, unless it began with weights that another run had learned
    (``inherited``).

    Raises:
        CheckpointError: if the changes are not in order, or no numbers of a run.
    """

    changes: tuple[tuple[int, float, int], ...]
    inherited: bool = False

    def __post_init__(self) -> None:
        broken = CheckpointError("The course of this training is damaged, so the run has to start again.")
        if not 0 < len(self.changes) <= MAX_CHANGES or not isinstance(self.inherited, bool):
            raise broken
        last = -1
        for change in self.changes:
            if not isinstance(change, tuple) or len(change) != 3:
                raise broken
            step, rate, batch = change
            for whole in (step, batch):
                if isinstance(whole, bool) or not isinstance(whole, int):
                    raise broken
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not (math.isfinite(rate) and rate > 0):
                raise broken
            if step <= last or batch < 1 or (last < 0 and step != 0):
                raise broken
            last = step

    @classmethod
    def begin(cls, learning_rate: float, batch: int, inherited: bool = False) -> Course:
        """The course of a run at its first step."""
        return cls(((0, learning_rate, batch),), inherited)

    def changed(self, step: int, learning_rate: float, batch: int) -> Course:
        """The course where, from ``step`` on, these hold; what was meant for later never happens."""
        before = [change for change in self.changes if change[0] < step]
        if before and before[-1][1:] == (learning_rate, batch):
            return self if len(before) == len(self.changes) else Course(tuple(before), self.inherited)
        return Course((*before[: MAX_CHANGES - 1], (step, learning_rate, batch)), self.inherited)

    def at(self, step: int) -> tuple[float, int]:
        """(learning rate, batch) of the step after ``step`` steps."""
        found = self.changes[0]
        for change in self.changes:
            if change[0] > step:
                break
            found = change
        return found[1], found[2]

    def learning_rate(self, step: int) -> float:
        """The learning rate of the step after ``step`` steps, its warm-up counted in, for a run without a horizon."""
        return self.at(step)[0] * min(1.0, (step + 1) / WARM_UP)

    def to_list(self) -> list[list[float | int]]:
        """Plain JSON values."""
        return [list(change) for change in self.changes]

    @classmethod
    def from_list(cls, values: object, inherited: bool = False) -> Course:
        """The opposite of :meth:`to_list`. Raises CheckpointError."""
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise CheckpointError("The course of this training is damaged, so the run has to start again.")
        return cls(tuple(tuple(part) if isinstance(part, list | tuple) else part for part in values), inherited)


def header(data: bytes) -> dict[str, Any]:
    """What a snapshot says about itself, without its numbers: ``config``, ``step``, ``course`` where it has one.

    Raises:
        CheckpointError: if the bytes are no snapshot of a toy run.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        if not 2 <= length <= min(len(data) - 8, _MAX_HEADER):
            raise ValueError("no header")
        about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["run"])
        if not isinstance(about, dict) or not isinstance(about["config"], dict) or not isinstance(about["format"], str):
            raise ValueError("no run")
        step = about["step"]
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise ValueError("no step")
        about["config"] = written_config(about["config"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError("This snapshot of a toy run is damaged, so the run has to start again.") from error
    return about


def written_config(config: dict[str, Any]) -> dict[str, Any]:
    """The settings that a snapshot holds, as they were meant: a continuous flow that names no field has the first there was."""
    if isinstance(config, dict) and config.get("flow") == "continuous" and "field" not in config:
        return {**config, "field": _FIRST_FIELD}
    return config


def snapshot_config(data: bytes) -> dict[str, Any]:
    """The settings of the run, as plain values. Raises CheckpointError."""
    return header(data)["config"]


def snapshot_step(data: bytes) -> int:
    """How many steps the run had taken. Raises CheckpointError."""
    return header(data)["step"]


def snapshot_course(data: bytes) -> Course:
    """The course of the run; of a snapshot that says none, its settings from the start on. Raises CheckpointError."""
    about = header(data)
    if "course" in about:
        return Course.from_list(about["course"], about.get("inherited", False))
    config = about["config"]
    return Course.from_list([[0, config.get("learning_rate"), config.get("batch")]])
