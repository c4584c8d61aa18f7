"""How a toy run came to where it is: which live settings from which step on. Neither torch nor a class to unpickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import plain_json
from ..errors import CheckpointError, ConfigError
from ..fields import settings
from .config import FIRST_FIELD, LIVE, ToyConfig

__all__ = [
    "MAX_CHANGES", "WARM_UP", "Schedule", "header", "snapshot_config", "snapshot_schedule", "snapshot_step", "written_config",
]  # fmt: skip

MAX_CHANGES = 100_000
WARM_UP = 50
"""Steps over which the learning rate rises from nothing."""
_MAX_HEADER = 64 * 2**20
_WRITTEN = 2
"""So many live settings are always written; those after them only up to the last that is off its default."""
_SETTINGS = tuple(settings(ToyConfig)[name] for name in LIVE)
_DEFAULTS = tuple(getattr(ToyConfig, name) for name in LIVE)


@dataclass(frozen=True)
class Schedule:
    """``changes`` holds (step, *values of the live settings* in the order of ``LIVE``), each from that step on; the first is of
    step 0. Settings that are left out at the end have their defaults.

    Together with the settings it says a run exactly, unless it began with weights that another run had learned
    (``inherited``).

    Raises:
        CheckpointError: if the changes are not in order, or no numbers of a run.
    """

    changes: tuple[tuple[Any, ...], ...]
    inherited: bool = False

    def __post_init__(self) -> None:
        broken = CheckpointError("The course of this training is damaged, so the run has to start again.")
        if not 0 < len(self.changes) <= MAX_CHANGES or not isinstance(self.inherited, bool):
            raise broken
        last = -1
        for change in self.changes:
            if not isinstance(change, tuple) or not _WRITTEN < len(change) <= 1 + len(LIVE):
                raise broken
            step, *values = change
            if isinstance(step, bool) or not isinstance(step, int) or step <= last or (last < 0 and step != 0):
                raise broken
            try:
                for setting, value in zip(_SETTINGS, values, strict=False):
                    setting.legal(value, "A setting")
            except ConfigError as error:
                raise broken from error
            last = step

    @classmethod
    def begin(cls, *values: Any, inherited: bool = False) -> Schedule:
        """The course of a run at its first step, from the values of the live settings."""
        return cls(((0, *_trimmed(values)),), inherited)

    def changed(self, step: int, *values: Any) -> Schedule:
        """The course where, from ``step`` on, these hold; what was meant for later never happens."""
        values = _trimmed(values)
        before = [change for change in self.changes if change[0] < step]
        if before and before[-1][1:] == values:
            return self if len(before) == len(self.changes) else Schedule(tuple(before), self.inherited)
        return Schedule((*before[: MAX_CHANGES - 1], (step, *values)), self.inherited)

    def at(self, step: int) -> dict[str, Any]:
        """The live settings of the step after ``step`` steps, by name."""
        found = self.changes[0]
        for change in self.changes:
            if change[0] > step:
                break
            found = change
        return live(found)

    def learning_rate(self, step: int) -> float:
        """The learning rate of the step after ``step`` steps, its warm-up counted in, for a run without a horizon."""
        return self.at(step)["learning_rate"] * min(1.0, (step + 1) / WARM_UP)

    def to_list(self) -> list[list[float | int]]:
        """Plain JSON values."""
        return [list(change) for change in self.changes]

    @classmethod
    def from_list(cls, values: object, inherited: bool = False) -> Schedule:
        """The opposite of :meth:`to_list`. Raises CheckpointError."""
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise CheckpointError("The course of this training is damaged, so the run has to start again.")
        return cls(tuple(tuple(part) if isinstance(part, list | tuple) else part for part in values), inherited)


def live(change: tuple[Any, ...]) -> dict[str, Any]:
    """The live settings of one of a course's changes, by name."""
    return dict(zip(LIVE, (*change[1:], *_DEFAULTS[len(change) - 1 :]), strict=True))


def _trimmed(values: Sequence[Any]) -> tuple[Any, ...]:
    count = len(values)
    while count > _WRITTEN and values[count - 1] == _DEFAULTS[count - 1]:
        count -= 1
    return tuple(values[:count])


def header(data: bytes) -> dict[str, Any]:
    """What a snapshot says about itself, without its numbers: ``config``, ``step``, ``course`` where it has one.

    Raises:
        CheckpointError: if the bytes are no snapshot of a toy run.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        if not 2 <= length <= min(len(data) - 8, _MAX_HEADER):
            raise ValueError("no header")
        about = plain_json.loads(plain_json.loads(data[8 : 8 + length])["__metadata__"]["run"])
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
        return {**config, "field": FIRST_FIELD}
    return config


def snapshot_config(data: bytes) -> dict[str, Any]:
    """The settings of the run, as plain values. Raises CheckpointError."""
    return header(data)["config"]


def snapshot_step(data: bytes) -> int:
    """How many steps the run had taken. Raises CheckpointError."""
    return header(data)["step"]


def snapshot_schedule(data: bytes) -> Schedule:
    """The course of the run; of a snapshot that says none, its settings from the start on. Raises CheckpointError."""
    about = header(data)
    if "course" in about:
        return Schedule.from_list(about["course"], about.get("inherited", False))
    config = about["config"]
    return Schedule.from_list([[0, *(config.get(name, default) for name, default in zip(LIVE, _DEFAULTS, strict=True))]])
