"""A session as one file: every workspace's state, with its pictures by content, as JSON that opens on another machine.

The file is only ever parsed as JSON, within bounds on its size; what is inside a workspace's part is that workspace's to
check, before any of them is changed.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.i18n import tr
from flowcore.atomic import replacing
from flowcore.errors import ConfigError, FlowError
from flowcore.images import read_file

__all__ = ["MAX_BYTES", "SUFFIX", "SessionFile", "is_session", "read", "write"]

SUFFIX = ".flowsession"
SCHEMA = 1
KEY = "flow_explorer_session"
MAX_BYTES = 256 * 2**20
"""Larger files are refused before they are read: a session holds a few photographs and latents."""


@dataclass(frozen=True)
class SessionFile:
    """What a file holds: parts by workspace, and the one that was in front."""

    workspaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    front: str = ""


def is_session(path: Path) -> bool:
    """Whether a dropped path looks like a session."""
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def write(path: Path, session: SessionFile) -> None:
    """Write a session, whole or not at all. Raises `ConfigError` in one sentence: a full disk, a folder that is read-only."""
    value = {KEY: SCHEMA, "saved": round(time.time()), "front": session.front, "workspaces": session.workspaces}
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if len(text) > MAX_BYTES:
            raise ConfigError(tr("The session is {size} MiB, more than the {most} that one file may have: clear a well or two.",
                                 size=len(text) >> 20, most=MAX_BYTES >> 20))  # fmt: skip
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(tr("The session cannot be written to {path} ({why}).", path=str(path),
                             why=error.strerror or str(error))) from error  # fmt: skip
    except (ValueError, TypeError) as error:
        raise ConfigError(tr("The session cannot be written: {why}.", why=str(error))) from error


def read(path: str | os.PathLike[str]) -> SessionFile:
    """Read a session file's envelope. Raises `FlowError` in one sentence for whatever is none."""
    name = os.path.basename(os.fspath(path))
    try:
        value = json.loads(_text(path, name), parse_constant=_refuse)
    except (ValueError, RecursionError, MemoryError):
        raise ConfigError(tr("{name} is not a session, or it is damaged.", name=name)) from None
    if not isinstance(value, dict) or KEY not in value:
        raise ConfigError(tr("{name} is not a session of Flow Explorer.", name=name))
    schema = value[KEY]
    if isinstance(schema, bool) or schema != SCHEMA:
        raise ConfigError(tr("{name} was written by another version (schema {schema}); this one reads {own}.",
                             name=name, schema=repr(schema)[:40], own=SCHEMA))  # fmt: skip
    parts = value.get("workspaces")
    if not isinstance(parts, dict) or not all(isinstance(part, dict) for part in parts.values()):
        raise ConfigError(tr("{name} is damaged: it holds no workspaces.", name=name))
    front = value.get("front")
    return SessionFile(parts, front if isinstance(front, str) else "")


def _text(path: str | os.PathLike[str], name: str) -> str:
    try:
        return read_file(path, name, MAX_BYTES).decode("utf-8")
    except FlowError as error:
        raise ConfigError(str(error)) from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
