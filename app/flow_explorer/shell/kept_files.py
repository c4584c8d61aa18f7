"""The files of the person's sessions: which one is this window's, what is set aside, and which contents any of them names.

Every window has a session of its own, ``session.json``, ``session-2.json`` and so on, by a lock that ends with its process. What
cannot be read is renamed, never removed. Contents (pictures, latents, weights) lie beside them in folders of the workspaces, a
file a key, and a file may go only when no session names it, those that were set aside included.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from flowcore.atomic import make_private, replacing
from flowcore.folder_lock import hold
from flowcore.regular import read_regular

__all__ = ["KEY", "MAX_BYTES", "left_behind", "move_aside", "named", "read_json_file", "take_place", "write_aside"]

KEY = re.compile(r"[pzt][0-9a-f]{32}")
"""What contents are called: a letter for the kind and half of a SHA-256."""
_KEY_BYTES = re.compile(KEY.pattern.encode())
MAX_BYTES = 64 * 2**20
"""No session of ours is larger: contents lie beside it."""
MAX_WINDOWS = 64
NAMES = ".names"
"""Ends the name of a file beside a session that was set aside unread: it names all contents that there were."""


def take_place(path: Path) -> tuple[Path, int | None]:
    """The first of ``session.json``, ``session-2.json``, … that no other window has, and its lock's descriptor.

    None for the lock where none can be had (a folder that cannot be written, a disk without locks).

    Raises:
        BlockingIOError: where so many windows are open that there is none left.
    """
    for number in range(1, MAX_WINDOWS + 1):
        place = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            return place, hold(place.with_suffix(".lock"))
        except BlockingIOError:
            continue
    raise BlockingIOError(f"{MAX_WINDOWS} windows are open")


def left_behind(path: Path) -> bool:
    """Whether the session of a further window ended without a goodbye, and waits for one to open it."""
    for number in range(2, MAX_WINDOWS + 1):
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
        if not place.is_file():
            continue
        try:
            lock = hold(place.with_suffix(".lock"))
            stored = read_json_file(place)
        except (OSError, ValueError):  # it is open, or it is damaged, which its window will say
            continue
        if lock is not None:
            os.close(lock)
        if isinstance(stored, dict) and stored.get("running"):
            return True
    return False


def read_json_file(path: Path) -> object:
    """What is in a JSON file.

    Raises:
        OSError: for what cannot be read, or is no regular file.
        ValueError: for what is not JSON; a `RecursionError` of a text that is nested too deep is one here.
    """
    try:
        return json.loads(read_regular(path, MAX_BYTES).decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def move_aside(path: Path, folders: Iterable[Path]) -> Path:
    """Rename what cannot be read, whatever it is; returns where it is now. Raises OSError where that is not possible.

    Which contents it named is not known, so the contents of ``folders`` are named beside it, all of them.
    """
    there = _free(path)
    os.rename(path, there)
    make_private(there)
    names = sorted(entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()
                   if KEY.fullmatch(entry.name))  # fmt: skip
    with replacing(there.with_suffix(NAMES), private=True) as temporary:
        temporary.write_text("\n".join(names), encoding="ascii")
    return there


def write_aside(path: Path, text: str) -> Path:
    """Keep a text beside ``path``, once; returns where it is. Raises OSError where it cannot be written."""
    data = text.encode("utf-8", "backslashreplace")
    for kept in sorted(path.parent.glob("session-kept*.json")):
        try:
            if kept.stat().st_size == len(data) and read_regular(kept, MAX_BYTES) == data:
                return kept
        except OSError:
            continue
    there = _free(path)
    with replacing(there, private=True) as temporary:
        temporary.write_bytes(data)
    return there


def named(folder: Path) -> set[str] | None:
    """The keys that any session in a folder names; None where that cannot be told, and nothing may be removed."""
    found: set[str] = set()
    try:
        entries = [entry for entry in folder.iterdir() if entry.name.startswith("session") and entry.suffix != ".lock"]
        for entry in entries:
            if entry.suffix != NAMES and entry.with_suffix(NAMES).exists():
                continue
            data = read_regular(entry, MAX_BYTES)
            found.update(key.decode() for key in _KEY_BYTES.findall(data))
            if entry.suffix != NAMES:
                json.loads(data)  # of a part of a session it cannot be told what it named
    except (OSError, ValueError, RecursionError):
        return None
    return found


def _free(path: Path) -> Path:
    """A name for what is set aside, which nothing has yet."""
    for number in range(1, 100_000):
        there = path.with_name(f"session-kept{f'-{number}' if number > 1 else ''}.json")
        if not os.path.lexists(there) and not os.path.lexists(there.with_suffix(NAMES)):
            return there
    raise OSError(f"there are too many sessions set aside in '{path.parent}'")
