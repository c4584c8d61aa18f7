"""The person's preferences, one JSON file, written atomically.

Preferences are not work: the state of a workspace goes to the session file (``flow_explorer.shell.session``), never here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from flowcore import plain_json
from flowcore.atomic import replacing

VERSION = 1
_APPLICATION = "flow-explorer"


def config_folder() -> Path:
    """Where preferences live; ``FLOW_EXPLORER_HOME`` moves this and every other folder of ours (used by tests)."""
    home = os.environ.get("FLOW_EXPLORER_HOME")
    return Path(home) / "config" if home else Path(platformdirs.user_config_dir(_APPLICATION, appauthor=False))


def state_folder() -> Path:
    """Where the session and the log live."""
    home = os.environ.get("FLOW_EXPLORER_HOME")
    return Path(home) / "state" if home else Path(platformdirs.user_state_dir(_APPLICATION, appauthor=False))


def write_json(path: Path, value: Any, durable: bool = True) -> None:
    """Write ``value`` as JSON to ``path`` so that a reader sees the old file or the new one, never a part.

    Only the owner may read it, or list its folder where that is made. ``durable`` also waits until the disk has it (an autosave
    every second does not).

    Raises OSError when the folder cannot be made or written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path, durable=durable, private=True) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``, or None where there is no file, no JSON or no object in it."""
    try:
        value = plain_json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Settings:
    """A mapping of dotted names ("theme", "explorer.fold.per-level") to JSON values, saved at every change.

    A file that cannot be read, or of another version, counts as empty; a folder that cannot be written costs
    the preference, not the window.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read ``path`` (by default ``settings.json`` in the configuration folder)."""
        self.path = path if path is not None else config_folder() / "settings.json"
        stored = read_json(self.path) or {}
        values = stored.get("values")
        self._values: dict[str, Any] = values if stored.get("version") == VERSION and isinstance(values, dict) else {}
        self._listeners: list[Callable[[str], None]] = []

    def get(self, name: str, default: Any = None) -> Any:
        """The value called ``name``; ``default`` where it is missing or of another type than ``default``."""
        value = self._values.get(name, default)
        if default is not None and not isinstance(value, type(default)):
            return default
        return value

    def set(self, name: str, value: Any) -> None:
        """Keep ``value`` (anything JSON can hold) under ``name`` and save, when it differs from what was there."""
        if name in self._values and self._values[name] == value:
            return
        self._values[name] = value
        self.save()
        for listener in list(self._listeners):
            listener(name)

    def save(self) -> bool:
        """Write the file; returns False where that is not possible."""
        try:
            write_json(self.path, {"version": VERSION, "values": self._values})
        except OSError:
            return False
        return True

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener(name)`` after every change."""
        self._listeners.append(listener)
