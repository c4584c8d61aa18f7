"""The person's work between two runs: every workspace's state in one JSON file, saved soon after each change.

A file that says ``running`` by a process that is gone means that the last run ended without a goodbye; the
state in it is then what was saved within a second of the last act.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from flow_explorer.settings import read_json, state_folder, write_json
from flowcore.atomic import replacing

VERSION = 1
DELAY_MS = 800


class Session(QObject):
    """Reads the last session at once; writes the present one ``DELAY_MS`` after ``touch``, and at ``close``."""

    def __init__(self, path: Path | None = None, keep: bool = True, parent: QObject | None = None) -> None:
        """Read ``path``, by default ``session.json`` of the person; without ``keep`` nothing is read or written."""
        super().__init__(parent)
        self.path = path if path is not None else state_folder() / "session.json"
        self._keep = keep
        stored = (read_json(self.path) or {}) if keep else {}
        if stored.get("version") != VERSION:
            stored = {}
            self.set_aside()
        self.workspace: str = _text(stored.get("workspace"))
        self.geometry: str = _text(stored.get("geometry"))
        states = stored.get("workspaces")
        self.states: dict[str, dict[str, Any]] = {
            name: state for name, state in (states.items() if isinstance(states, dict) else ())
            if isinstance(state, dict)
        }
        self.crashed = _gone(stored.get("running"))
        self.collect: Callable[[], None] = lambda: None
        """Called before a write: puts the present states into ``states``."""
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.save)

    def set_aside(self) -> None:
        """Keep a copy of what cannot be read (a newer version's, a damaged one), since the next save takes its place."""
        if not self._keep:
            return
        try:
            data = self.path.read_bytes()
            if data:
                with replacing(self.path.with_name("session-kept.json"), durable=False, private=True) as temporary:
                    temporary.write_bytes(data)
        except (OSError, ValueError):
            return

    def touch(self) -> None:
        """Something changed: save soon. Steady changes (a drag) are saved every ``DELAY_MS``, not only at their end."""
        if not self._timer.isActive():
            self._timer.start()

    def save(self, running: bool = True) -> bool:
        """Write now; returns False where the folder cannot be written (then the work lives as long as the window)."""
        self._timer.stop()
        if not self._keep:
            return False
        self.collect()
        try:
            write_json(
                self.path,
                {
                    "version": VERSION, "running": os.getpid() if running else None, "workspace": self.workspace,
                    "geometry": self.geometry, "workspaces": self.states,
                },
                durable=not running,
            )
        except (OSError, ValueError, TypeError):
            return False
        return True

    def close(self) -> None:
        """Write for the last time, as a run that ended well."""
        self.save(running=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _gone(pid: object) -> bool:
    """Whether ``pid`` names a process that no longer runs (another window of ours may well be open)."""
    if not isinstance(pid, int) or pid <= 0 or pid == os.getpid():
        return False
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
