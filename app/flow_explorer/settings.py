"""The person's preferences, one JSON file, written atomically.

Preferences are not work: the state of a workspace goes to the session file (``flow_explorer.shell.session``), never here.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from flow_explorer.i18n import tr
from flowcore.atomic import make_private, replacing
from flowcore.regular import read_regular

VERSION = 1
_APPLICATION = "flow-explorer"
MAX_BYTES = 4 * 2**20
"""No settings of ours are larger."""


def config_folder() -> Path:
    """Where preferences live; ``FLOW_EXPLORER_HOME`` moves this and every other folder of ours (used by tests)."""
    home = os.environ.get("FLOW_EXPLORER_HOME")
    return Path(home) / "config" if home else Path(platformdirs.user_config_dir(_APPLICATION, appauthor=False))


def state_folder() -> Path:
    """Where the session and the log live."""
    home = os.environ.get("FLOW_EXPLORER_HOME")
    return Path(home) / "state" if home else Path(platformdirs.user_state_dir(_APPLICATION, appauthor=False))


def json_text(value: Any, indent: int | None = 1) -> str:
    """``value`` as the text of a JSON file, without ``indent`` on one line, which is quicker.

    Raises ValueError for NaN and Infinity, TypeError for what JSON does not know.
    """
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)


def write_text(path: Path, text: str) -> None:
    """Write a JSON text to ``path`` so that a reader sees the old file or the new one, never a part, a power cut included.

    Only the owner may read it, or list its folder where that is made. Half a character, as in the name of a file that is no
    Unicode, becomes JSON's escape of it.

    Raises OSError when the folder cannot be made or written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path, private=True) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, as `write_text` does. Raises OSError, and what `json_text` raises."""
    write_text(path, json_text(value))


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``, or None where there is no file, no JSON or no object in it."""
    try:
        value = json.loads(read_regular(path, MAX_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Settings:
    """A mapping of dotted names ("theme", "explorer.fold.per-level") to JSON values, saved at every change.

    A file that cannot be read, or of another version, counts as empty, and is kept beside the one that takes its place; a value
    that no file can hold counts as missing. A folder that cannot be written costs the preference, not the window. Where two
    windows are open, each writes what was changed in it, over what the other wrote.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read ``path`` (by default ``settings.json`` in the configuration folder)."""
        self.path = path if path is not None else config_folder() / "settings.json"
        self.said = ""
        """What the person must know of how the file was found; "" for nothing."""
        self._changed: set[str] = set()
        self._listeners: list[Callable[[str], None]] = []
        values = self._stored()
        self._odd: Path | None = None
        """Where a file that could not be read goes before another takes its place."""
        if values is None:
            self._odd = self.path.with_name(f"settings-kept-{time.strftime('%Y-%m-%d-%H%M%S')}-{os.getpid()}.json")
            self.said = tr("The settings could not be read, so they are as at the first start; the old file is kept as {path} "
                           "as soon as a setting is changed.", path=str(self._odd))  # fmt: skip
        self._values: dict[str, Any] = values or {}

    def _stored(self) -> dict[str, Any] | None:
        """The values in the file, none where there is no file; None for a file of another kind."""
        if not os.path.lexists(self.path):
            return {}
        stored = read_json(self.path)
        values = stored.get("values") if stored is not None else None
        if stored is None or stored.get("version") != VERSION or not isinstance(values, dict):
            return None
        return {name: value for name, value in values.items() if _is_storable(value)}

    def _put_aside(self) -> None:
        """Keep the file that could not be read; raises OSError where that is not possible."""
        if self._odd is not None:
            if self._stored() is None:  # another window may have put a whole one in its place
                self.path.rename(self._odd)
                make_private(self._odd)
            self._odd = None

    def get(self, name: str, default: Any = None) -> Any:
        """The value called ``name``; ``default`` where it is missing or of another type than ``default``."""
        value = self._values.get(name, default)
        if default is not None and type(value) is not type(default):
            return default
        return value

    def set(self, name: str, value: Any) -> None:
        """Keep ``value`` (anything JSON can hold) under ``name`` and save, when it differs from what was there."""
        if name in self._values and self._values[name] == value:
            return
        self._values[name] = value
        self._changed.add(name)
        self.save()
        for listener in list(self._listeners):
            listener(name)

    def save(self) -> bool:
        """Write the file; returns False where that is not possible."""
        own = {name: self._values[name] for name in self._changed if _is_storable(self._values[name])}
        try:
            self._put_aside()
            others = self._stored()
            values = {**(self._values if others is None else others), **own}
            write_json(self.path, {"version": VERSION, "values": {k: v for k, v in values.items() if _is_storable(v)}})
        except (OSError, ValueError, TypeError):
            return False
        return True

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener(name)`` after every change."""
        self._listeners.append(listener)


def _is_storable(value: Any) -> bool:
    """Whether a file can hold it, and Qt show it: JSON without NaN, Infinity, half characters and NULs, and not too deep."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        os.fsencode(text)  # half a character is fine where the name of a file has it
    except (ValueError, TypeError, RecursionError):
        return False
    return "\\u0000" not in text
