"""One process at a time trains in a run folder: a lock that the system takes away when its process ends, however that ends.

A number in a file would outlive its process, and be given to another one. Torch-free.

Some network disks know no locks, or keep them to one machine. So the file also says who holds it, and is touched while it is
held: what another machine goes on touching is held.
"""
from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .errors import ConfigError
from .regular import open_regular

__all__ = ["FILE", "FolderLock", "hold", "is_locked"]

FILE = "train.lock"
BEAT = 10.0
"""Seconds between the signs of life."""
SILENCE = 30.0
"""Seconds without one after which another machine's process counts as ended."""
_LOOK = 0.2
_TRIES, _PAUSE = 10, 0.02  # whoever looks whether it is held holds it for a moment
_PLACE = 1 << 30  # what is locked on Windows cannot be read, so a byte is locked where none is

_held: dict[tuple[int, int], FolderLock] = {}


class FolderLock:
    """``take`` and ``release``, or ``with``. Within one thread it may be taken again: the outermost one holds it."""

    def __init__(self, folder: str | os.PathLike) -> None:
        self.path = Path(folder) / FILE
        self.held = False
        self._file = -1
        self._key = (0, 0)
        self._thread = 0
        self._inner = False
        self._over = threading.Event()
        self._beats: threading.Thread | None = None

    def take(self, tell: Callable[[str], object] = lambda _sentence: None) -> None:
        """Hold the folder, which must be there, until ``release`` or the end of the process.

        Where the folder cannot be written nothing is held: whatever wants to write into it will say so. Where another machine's
        process left no word, it is waited for its signs of life, and ``tell`` is given a sentence on that.

        Raises:
            ConfigError: if another process holds it.
        """
        if self.held:
            return
        try:
            try:
                file = _open(self.path, os.O_RDWR | os.O_CREAT)
            except PermissionError:  # a colleague's, in a folder that is shared
                file = _open(self.path, os.O_RDONLY)
        except OSError:
            return
        try:
            self._take(file, tell)
        except BaseException:
            os.close(file)
            raise

    def _take(self, file: int, tell: Callable[[str], object]) -> None:
        status = os.fstat(file)
        self._key, self._thread = (status.st_dev, status.st_ino), threading.get_ident()
        outer = _held.get(self._key)
        if outer is not None and outer._thread == self._thread:
            os.close(file)
            self.held = self._inner = True
            return
        locked = _locked(file, patient=True)
        if locked is False or not (_is_silent(file, locked) or self._falls_silent(file, tell)):
            raise ConfigError(self._sentence(file))
        self._file, self.held = file, True
        _held[self._key] = self
        _write(file, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        self._beats = threading.Thread(target=self._beat, name="run folder's lock", daemon=True)
        self._beats.start()

    def _falls_silent(self, file: int, tell: Callable[[str], object]) -> bool:
        """Wait for longer than from one sign of life to the next. No clock is asked: another machine's may go wrong."""
        pid, host = _holder(file)
        tell(f"Process {pid} on {host} trained in '{self.path.parent}' and left no word: waiting whether it still does.")
        before, until = os.fstat(file).st_mtime_ns, time.monotonic() + 2.5 * BEAT
        while time.monotonic() < until:
            time.sleep(_LOOK)
            if _stamp(self.path) != before:  # by its name, since a network disk looks again when a file is opened
                return False
        return True

    def _sentence(self, file: int) -> str:
        pid, host = _holder(file)
        here = "" if host in ("", socket.gethostname()) else f" on {host}"
        who = f" (number {pid}{here})" if pid else here
        return f"A process{who} trains in '{self.path.parent}' already: wait until it has ended, or stop it first."

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._file if os.utime in os.supports_fd else self.path)

    def release(self) -> None:
        """Let others have it."""
        if not self.held:
            return
        self.held = False
        if self._inner:
            self._inner = False
            return
        self._over.set()
        if self._beats is not None:
            self._beats.join()
        _held.pop(self._key, None)
        _write(self._file, "")
        os.close(self._file)

    def __enter__(self) -> FolderLock:
        self.take()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.release()


def is_locked(folder: str | os.PathLike) -> bool:
    """Whether a process trains in a folder, this one or another; looking changes nothing."""
    try:
        file = _open(Path(folder) / FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        locked = _locked(file, patient=False)
        return locked is False or _is_silent(file, locked) is False
    except OSError:
        return False
    finally:
        os.close(file)


def hold(path: str | os.PathLike[str]) -> int | None:
    """Hold a lock of any name until the descriptor that is returned is closed, at the latest with the process.

    None where no such file can be made or opened, or where the disk knows no locks: nothing is held then.

    Raises:
        BlockingIOError: if another holds it, in this process or in another one.
    """
    try:
        file = _open(Path(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    locked = _locked(file, patient=True)
    if locked:
        return file
    os.close(file)
    if locked is None:
        return None
    raise BlockingIOError(f"'{path}' is held by another process")


def _open(path: Path, flags: int, mode: int = 0o666) -> int:
    """A descriptor of the lock's file, which is no link to a file elsewhere."""
    return open_regular(path, flags | getattr(os, "O_NOFOLLOW", 0), mode)


def _locked(file: int, patient: bool) -> bool | None:
    """Lock an open file: whether that is done, or None where the disk knows no locks. One who only looks lets go by closing."""
    for attempt in range(_TRIES if patient else 1):
        if attempt:
            time.sleep(_PAUSE)
        try:
            if os.name == "nt":
                import msvcrt

                os.lseek(file, _PLACE, os.SEEK_SET)
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
                if not patient:
                    os.lseek(file, _PLACE, os.SEEK_SET)
                    msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, (fcntl.LOCK_EX if patient else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            return True
        except (BlockingIOError, PermissionError):
            continue
        except OSError:
            return None
    return False


def _is_silent(file: int, locked: bool | None) -> bool:
    """Whether nobody gives signs of life whom the lock does not tell of."""
    pid, host = _holder(file)
    if not pid or (locked and host == socket.gethostname()):
        return True
    if host == socket.gethostname() and os.name == "posix":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
    return abs(time.time() - os.fstat(file).st_mtime) > SILENCE


def _stamp(path: Path) -> int:
    try:
        file = _open(path, os.O_RDONLY)
    except OSError:
        return 0
    try:
        return os.fstat(file).st_mtime_ns
    finally:
        os.close(file)


def _holder(file: int) -> tuple[int, str]:
    """Number and machine of the process that the file names, (0, "") where it names none."""
    try:
        os.lseek(file, 0, os.SEEK_SET)
        values = json.loads(os.read(file, 1000))
        pid, host = values["pid"], values["host"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return 0, ""
    known = type(pid) is int and 0 < pid < 2**31 and isinstance(host, str)
    return (pid, host) if known else (0, "")


def _write(file: int, text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, text.encode())
