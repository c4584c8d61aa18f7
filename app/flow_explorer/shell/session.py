"""The person's work between two runs: every workspace's state in one JSON file, saved soon after each change.

A window that finds the session in use by another one has a session of its own. A file that says ``running`` although its lock is
free means that the last run ended without a goodbye; the state in it is then what was saved within a second of the last act.
What cannot be read is set aside, and said; what cannot be written is said as long as that lasts, and tried again.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from flow_explorer.i18n import tr
from flow_explorer.settings import json_text, state_folder, write_text
from flow_explorer.shell.content_files import ContentFiles
from flow_explorer.shell.kept_files import (
    left_behind,
    move_aside,
    named,
    read_json_file,
    take_place,
    write_aside,
)
from flow_explorer.shell.log import logger

VERSION = 1
DELAY_MS = 800
AGAIN_MS = 5000
"""After a save that failed the next is tried this much later, whether anything changed or not."""
CONTENTS = ("explorer", "toylab")
"""Folders beside the session with what its states name by key."""


class WindowSession(QObject):
    """Reads the last session at once; writes the present one ``DELAY_MS`` after ``touch``, and at ``close``."""

    problem = Signal(str)
    """A sentence at the first save that failed, "" at the first that worked again."""

    def __init__(self, path: Path | None = None, keep: bool = True, parent: QObject | None = None) -> None:
        """Read ``path``, by default ``session.json`` of the person; without ``keep`` nothing is read or written."""
        super().__init__(parent)
        first = path if path is not None else state_folder() / "session.json"
        self._keep, self._closed = keep, False
        self._lock: int | None = None
        self.path = first
        self.said: list[str] = []
        """What the person must know of how the session was found."""
        self.has_kept = False
        """Whether something was set aside."""
        self.trouble = ""
        """Why the last save failed, "" where it did not."""
        self._hindrance = ""
        self._written = ""
        if keep:
            self._take_place(first)
        stored = self._read() if keep else {}
        self.workspace: str = _text(stored.get("workspace"))
        self.geometry: str = _text(stored.get("geometry"))
        self.states: dict[str, dict[str, Any]] = {}
        self.pasts: dict[str, dict[str, Any]] = {}
        """What can be undone, by workspace, as `flow_explorer.past` writes it."""
        self._take_parts(stored)
        running = stored.get("running")
        self.saved_at = stat.st_mtime if (stat := _stat(self.path)) is not None else 0.0
        """When what is restored was saved, in seconds since 1970."""
        self.crashed = bool(running) and (self._lock is not None or _gone(running))
        self.collect: Callable[[], None] = lambda: None
        """Called before a write: puts the present states into ``states``, and their contents on disk. Raises OSError."""
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.save)

    def _take_place(self, first: Path) -> None:
        try:
            first.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return  # saving says it
        try:
            self.path, self._lock = take_place(first)
        except BlockingIOError as error:
            self._hindrance = tr("What you do here is not kept for the next start: {why}.", why=str(error))
            return
        if self.path == first and left_behind(first):
            self.said.append(tr("The work of a further window is kept as well: it is there when you open another window."))
        if self.path != first:
            self.said.append(tr("Flow Explorer is open in another window, so this one has a session of its own, {path}. It comes "
                                "back when a second window is opened again.", path=str(self.path)))  # fmt: skip

    def _read(self) -> dict[str, Any]:
        """What the file holds; what cannot be read is set aside."""
        if self._hindrance or not os.path.lexists(self.path):
            return {}
        try:
            stored = read_json_file(self.path)
        except OSError as error:
            return self._put_aside(error.strerror or str(error))
        except ValueError:
            return self._put_aside(tr("it is damaged"))
        if not isinstance(stored, dict) or "version" not in stored:
            return self._put_aside(tr("it is damaged"))
        version = stored["version"]
        if version != VERSION or isinstance(version, bool):
            return self._put_aside(tr("another version wrote it"))
        if not isinstance(stored.get("workspaces", {}), dict):
            return self._put_aside(tr("it is damaged"))
        return stored

    def _put_aside(self, why: str) -> dict[str, Any]:
        try:
            there = move_aside(self.path, [self.path.parent / name for name in CONTENTS])
        except OSError as error:
            if os.path.lexists(self.path):  # a save would take its place
                self._hindrance = tr("The last session cannot be read ({why}), nor can it be set aside ({reason}). So that it is "
                                     "not lost, what you do now is not kept for the next start.", why=why,
                                     reason=error.strerror or str(error))  # fmt: skip
                self.said.append(self._hindrance)
                return {}
            there = self.path.parent
        self.has_kept = True
        self.said.append(tr("The last session could not be read: {why}. It is kept as {path}, and so are its pictures.", why=why,
                            path=str(there)))  # fmt: skip
        logger.warning(self.said[-1])
        return {}

    def _take_parts(self, stored: dict[str, Any]) -> None:
        """The parts that hold what a session can; where one does not, the file is kept as it was."""
        odd = []
        for name, state in stored.get("workspaces", {}).items():
            if isinstance(state, dict) and _is_json(state):
                self.states[name] = state
            else:
                odd.append(name)
        pasts = stored.get("pasts")
        for name, past in (pasts.items() if isinstance(pasts, dict) else ()):
            if isinstance(past, dict) and _is_json(past):
                self.pasts[name] = past
        if odd:
            self.said.append(self.keep_copy(tr("A part of the last session is damaged ({names}).", names=", ".join(odd))))

    def keep_copy(self, why: str) -> str:
        """Keep what is on disk as a copy, since not all of it can be taken up; returns ``why`` with where that is."""
        if not self._keep:
            return why
        try:
            text = self.path.read_text(encoding="utf-8")
            kept = write_aside(self.path, text)
            self.has_kept = True
        except (OSError, ValueError) as error:
            logger.warning("the session could not be copied: %s", error)
            self._hindrance = tr("{why} It could not be copied, and so that it is not lost, what you do now is not kept for the "
                                 "next start.", why=why)  # fmt: skip
            return self._hindrance
        return tr("{why} The session as it was is kept as {path}, and so are its pictures.", why=why, path=str(kept))

    def touch(self) -> None:
        """Something changed: save soon. Steady changes (a drag) are saved every ``DELAY_MS``, not only at their end."""
        if not self._timer.isActive() and not self._closed:
            self._timer.start()

    def save(self, running: bool = True) -> bool:
        """Write now; returns False where that cannot be (then the work lives as long as the window, and `problem` says so)."""
        self._timer.stop()
        if not self._keep or self._closed:
            return False
        why = self._hindrance
        if not why:
            try:
                self._write(running)
            except OSError as error:
                why = _cannot(error, self.path.parent)
            except (ValueError, TypeError) as error:
                logger.exception("the session cannot be written")
                why = tr("What you do now cannot be kept for the next start ({why}): save the session as a file.", why=str(error))
        before, self.trouble = self.trouble, why
        if bool(before) != bool(why):
            self.problem.emit(why)
        if why and not self._hindrance and running:
            QTimer.singleShot(AGAIN_MS, self, self.touch)
        return not why

    def _write(self, running: bool) -> None:
        failed: OSError | None = None
        try:
            self.collect()
        except OSError as error:  # the states without their pictures are better than nothing
            failed = error
        text = json_text({
            "version": VERSION, "running": os.getpid() if running else None, "workspace": self.workspace,
            "geometry": self.geometry, "workspaces": self.states, "pasts": self.pasts,
        }, indent=None)  # fmt: skip
        if text != self._written:
            write_text(self.path, text)
            self._written = text
        if failed is not None:
            raise failed

    def close(self) -> bool:
        """Write for the last time, as a run that ended well; let others have the session, and remove what none of them names.

        Returns False, and keeps the session, where it cannot be written: whoever closes the window can be told.
        """
        if self._closed or not self._keep:
            return True
        if not self.save(running=False):
            return False
        self._remove_unnamed()
        self.release()
        return True

    def release(self) -> None:
        """Write no more, and let others have the session."""
        self._timer.stop()
        self._closed = True
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __del__(self) -> None:
        lock, self._lock = getattr(self, "_lock", None), None
        if lock is not None:
            os.close(lock)

    def _remove_unnamed(self) -> None:
        """Remove contents that no session names. Of what is young another window may be about to write the name."""
        keys = named(self.path.parent)
        if keys is not None:
            for name in CONTENTS:
                ContentFiles(self.path.parent / name).remove_unnamed(keys)


def _cannot(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return tr("The disk is full: what you do now is not kept for the next start until there is room. Or save the session to "
                  "another disk.")  # fmt: skip
    return tr("What you do now cannot be kept for the next start: {folder} cannot be written ({why}). Save the session to "
              "another place, or make it writable.", folder=str(folder), why=error.strerror or str(error))  # fmt: skip


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_json(value: object) -> bool:
    """Whether it can be written again: neither NaN nor Infinity is JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def _gone(pid: object) -> bool:
    """Whether ``pid`` names a process that no longer runs, where no lock tells it."""
    if isinstance(pid, bool) or not isinstance(pid, int) or pid <= 0 or pid == os.getpid() or os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
