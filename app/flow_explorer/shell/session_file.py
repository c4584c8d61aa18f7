"""A session as one file: every workspace's state, with its pictures by content, as JSON that opens on another machine.

The file is only ever parsed as JSON, within bounds on its size; what is inside a workspace's part is that workspace's to
check, before any of them is changed.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow_explorer.envelope import Envelope
from flow_explorer.i18n import tr
from flowcore.errors import ConfigError

__all__ = ["MAX_BYTES", "SUFFIX", "TRAINING_SUFFIX", "SessionFile", "is_session", "read", "write"]

SUFFIX = ".flowsession"
TRAINING_SUFFIX = ".flowtoy"
"""A training of the toy lab, which opens wherever a session does."""
SCHEMA = 1
KEY = "flow_explorer_session"
MAX_BYTES = 256 * 2**20
"""Larger files are refused before they are read: a session holds a few photographs and latents."""
ENVELOPE = Envelope("session", KEY, SCHEMA, MAX_BYTES, ": clear a well or two")


@dataclass(frozen=True)
class SessionFile:
    """What a file holds: parts by workspace, and the one that was in front."""

    workspaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    front: str = ""


def is_session(path: Path) -> bool:
    """Whether a dropped path looks like a session, or a training."""
    return path.suffix.lower() in (SUFFIX, TRAINING_SUFFIX) and not path.is_dir()


def write(path: Path, session: SessionFile) -> None:
    """Write a session, whole or not at all. Raises `ConfigError` in one sentence: a full disk, a folder that is read-only."""
    ENVELOPE.write(path, {"saved": round(time.time()), "front": session.front, "workspaces": session.workspaces})


def read(path: str | os.PathLike[str]) -> SessionFile:
    """Read a session file's envelope. Raises `FlowError` in one sentence for whatever is none."""
    value = ENVELOPE.read(path)
    parts = value.get("workspaces")
    if not isinstance(parts, dict) or not all(isinstance(part, dict) for part in parts.values()):
        raise ConfigError(tr("{name} is damaged: it holds no workspaces.", name=os.path.basename(os.fspath(path))))
    front = value.get("front")
    return SessionFile(parts, front if isinstance(front, str) else "")
