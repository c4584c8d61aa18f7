"""A training as one file: the settings, the run's weights and optimiser, its curve. Neither Qt nor torch.

JSON with the weights as base64 of safetensors, like a session with its pictures: nothing is unpacked, so nothing can swell.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow_explorer.envelope import Envelope
from flow_explorer.i18n import tr
from flow_explorer.shell.session_file import TRAINING_SUFFIX as SUFFIX
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.state import ToyState
from flowcore.errors import ConfigError, FlowError
from flowcore.plane.schedule import snapshot_schedule, snapshot_step

__all__ = ["ENVELOPE", "SUFFIX", "Training", "from_part", "is_training", "read", "to_part", "write"]

ENVELOPE = Envelope("training", "flow_explorer_toy", 1, 128 * 2**20, ": choose fewer or narrower layers")
"""The largest flow of the toy lab's sliders, with its optimiser, is a third of that."""


@dataclass(frozen=True, eq=False)
class Training:
    """What a file holds: the settings, and where the run was. ``snapshot`` is empty for a run that had not begun."""

    state: ToyState
    snapshot: bytes = b""
    curve: Curve = field(default_factory=Curve)

    @property
    def step(self) -> int:
        """How many steps the run had taken."""
        return snapshot_step(self.snapshot) if self.snapshot else 0


def is_training(path: str | os.PathLike[str]) -> bool:
    """Whether a dropped path looks like a training."""
    return os.fspath(path).lower().endswith(SUFFIX)


def to_part(training: Training) -> dict[str, Any]:
    """A training as plain JSON values. The curve ends where the snapshot was taken."""
    part: dict[str, Any] = {"state": training.state.to_dict()}
    if training.snapshot:
        part["training"] = {
            "step": training.step, "curve": training.curve.to_list(training.step),
            "snapshot": base64.b64encode(training.snapshot).decode(),
        }  # fmt: skip
    return part


def from_part(part: Mapping[str, Any]) -> Training:
    """The opposite of `to_part`; the weights' own numbers are the engine's to check.

    Raises:
        FlowError: in one sentence, for whatever is no training.
    """
    state, kept = part.get("state"), part.get("training")
    if not isinstance(state, dict):
        raise ConfigError(tr("It holds no settings of the toy lab."))
    made = ToyState.from_dict(state)
    if kept is None:
        return Training(made)
    if not isinstance(kept, dict) or not isinstance(kept.get("snapshot"), str):
        raise ConfigError(tr("The weights of its training are missing."))
    try:
        snapshot = base64.b64decode(kept["snapshot"].encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise ConfigError(tr("The weights of its training are damaged.")) from error
    training = Training(made, snapshot, Curve.from_list(kept.get("curve", [])))
    snapshot_schedule(snapshot)
    if training.curve.points and training.curve.points[-1].step > training.step:
        raise ConfigError(tr("The curve of its training goes on after its weights."))
    return training


def write(path: Path, training: Training) -> None:
    """Write a training, whole or not at all. Raises `ConfigError` in one sentence."""
    ENVELOPE.write(path, {"saved": round(time.time()), **to_part(training)})


def read(path: str | os.PathLike[str]) -> Training:
    """Read a training file. Raises `FlowError` in one sentence for whatever is none."""
    value, name = ENVELOPE.read(path), os.path.basename(os.fspath(path))
    try:
        return from_part(value)
    except FlowError as error:
        raise ConfigError(tr("{name} cannot be opened: {why}", name=name, why=str(error))) from error
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(tr("{name} is damaged: its settings cannot be read.", name=name)) from error
