"""Whether a run folder has a process at work in it, how the last one ended, and how to end it. No Qt, no torch.

process.json is what the training says of itself. Whether it still runs is told by the lock that it holds,
`flowcore.folder_lock`, never by the numbers in the file: those outlive it, are given to other programs, and may have been
written by anybody. For the same reason nobody is sent a signal because a file names him: a training is asked by a file, which
it looks for itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from flowcore.atomic import replacing
from flowcore.errors import FlowError
from flowcore.folder_lock import FolderLock, is_locked
from flowcore.one_line import one_line
from flowcore.regular import read_regular

__all__ = [
    "LOG",
    "ProcessRecord",
    "RunLock",
    "at_work",
    "end_now",
    "forget_stop",
    "is_alive",
    "read_process_record",
    "request_stop",
    "stop_requested",
    "write_process_record",
]  # fmt: skip

FILE = "process.json"
STOP = "stop.request"
LOG = "train.log"
"""What the process says on stderr, where the window started it."""
STARTING_SECONDS = 30.0
"""How long a run that the window started may be about to begin."""
_LOOK_SECONDS = 0.2
_NOW = b"now"
_ENDED = 137
"""The exit code of a process that was ended without saving, as a shell counts the signal that cannot be caught."""
_MOST = 64 * 1024


@dataclass(frozen=True)
class ProcessRecord:
    """Who trains in a run folder, or how that ended: ``outcome`` is "" while it runs, else "done", "stopped" or "failed"."""

    pid: int = 0
    host: str = ""
    """The machine's name, as the training writes it; "" where the window has started one that is yet to begin."""
    born: float | None = None
    since: float = 0.0
    outcome: str = ""
    sentence: str = ""
    data: str = ""
    """Where the pictures are, for going on."""
    held: bool = False
    """Whether a process holds the folder. Not in the file."""

    @property
    def is_starting(self) -> bool:
        """Whether the window has just started a process that holds nothing yet."""
        recent = 0 <= time.time() - self.since < STARTING_SECONDS
        return not self.outcome and not self.host and recent and (not self.pid or is_alive(self.pid))

    @property
    def is_live(self) -> bool:
        """Whether a process is at work, or about to begin."""
        return self.held or self.is_starting


def is_alive(pid: int, born: float | None = None) -> bool:
    """Whether process ``pid`` runs, and (where both are known) is the one that was born at ``born``."""
    if type(pid) is not int or not 0 < pid < 2**31:
        return False
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    now = _born(pid)
    if now is not None and now < 0:
        return False  # a zombie: it has ended, and only its parent has not looked yet
    return born is None or now is None or now == born


def _born(pid: int) -> float | None:
    """When a process began, in ticks since the system did; −1 for one that has ended; None where that cannot be told."""
    try:
        fields_ = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return -1.0 if fields_[0] in ("Z", "X") else float(fields_[19])
    except (OSError, IndexError, ValueError):
        return None


def _is_alive_on_windows(pid: int) -> bool:
    # os.kill(pid, 0) would end the process there.
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(known) and code.value == still_active


def read_process_record(folder: Path) -> ProcessRecord | None:
    """What the run folder says, and whether it is held; None where neither says anything."""
    held = is_locked(folder)
    try:
        values = json.loads(read_regular(folder / FILE, _MOST))
    except (OSError, ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        return ProcessRecord(held=True) if held else None
    kept: dict[str, Any] = {"held": held}
    for field in fields(ProcessRecord):
        value = values.get(field.name)
        if field.name in ("since", "born"):
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53:  # NaN is not
                kept[field.name] = float(value)
        elif field.name == "pid":
            if type(value) is int and 0 < value < 2**31:
                kept["pid"] = value
        elif field.name != "held" and isinstance(value, str):
            kept[field.name] = value if field.name == "data" else one_line(value)
    return ProcessRecord(**kept)


def write_process_record(folder: Path, presence: ProcessRecord) -> None:
    """Replace process.json; does nothing where the folder is gone or cannot be written: the training matters more."""
    path = folder / FILE
    values = asdict(presence)
    del values["held"]
    with contextlib.suppress(OSError):
        if path.is_symlink():  # what it points to is not ours to replace
            path.unlink()
        with replacing(path, durable=False) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


class RunLock:
    """What a training process tells the run folder of itself; ``stopped`` is set where a person ended it."""

    def __init__(self, folder: Path, data: str, tell: Callable[[str], object]) -> None:
        where = os.path.abspath(os.path.expanduser(data)) if data else ""
        pid = os.getpid()
        self.folder, self.stopped, self._say = folder, False, tell
        self.stepping = False
        """Whether steps are taken: each of them looks for a wish to stop, which before the first one ends the process."""
        self._here = ProcessRecord(pid, socket.gethostname(), _born(pid), time.time(), data=where)
        self._lock = FolderLock(folder)
        self._over = threading.Event()
        self._watch: threading.Thread | None = None
        # Of several processes that share a training the first one speaks.
        self._speaks = os.environ.get("RANK", "0") == "0"

    def begin(self) -> None:
        """The run is about to be written: make its folder, and say in it that this process trains there.

        Raises:
            ConfigError: if another process does.
        """
        with contextlib.suppress(OSError):  # what trains will say why the folder cannot be made
            self.folder.mkdir(parents=True, exist_ok=True)
        self.enter()

    def enter(self) -> None:
        """Hold the folder, where there is one. Raises ConfigError if another process does."""
        if not self._speaks or self._watch is not None or not self.folder.is_dir():
            return
        before = read_process_record(self.folder)
        self._lock.take(self._say)
        if before is None or not before.is_starting:
            forget_stop(self.folder)  # a wish of before; the window, which starts what it may stop at once, has done so itself
        self._tell("")
        self._watch = threading.Thread(target=self._listen, name="wishes to stop", daemon=True)
        self._watch.start()

    def end(self, outcome: str, sentence: str = "") -> None:
        """Say how it ended, where the folder was held, and let go of it."""
        if self._watch is None:
            return
        self._over.set()
        if self._watch is not threading.current_thread():
            self._watch.join()
        self._tell(outcome, sentence)
        self._lock.release()

    def _tell(self, outcome: str, sentence: str = "") -> None:
        if self.folder.is_dir():
            write_process_record(self.folder, replace(self._here, outcome=outcome, sentence=one_line(sentence)))

    def _listen(self) -> None:
        """On a thread of its own, so that reading a million pictures is ended at once too."""
        while not self._over.wait(_LOOK_SECONDS):
            wish = _wish(self.folder)
            if wish == _NOW:
                self._tell("stopped")
                os._exit(_ENDED)
            if wish is not None and not self.stepping:
                _interrupt()
                return


def _interrupt() -> None:
    """End this process as a signal from outside would, by what its main thread does about one."""
    import _thread

    if not callable(signal.getsignal(signal.SIGTERM)):
        _thread.interrupt_main()
    elif hasattr(signal, "pthread_kill"):  # which also ends a wait of the main thread
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)


@contextmanager
def at_work(
    folder: Path, data: str = "", tell: Callable[[str], object] = lambda _sentence: None
) -> Iterator[RunLock]:
    """While inside, the folder says that this process trains in it; afterwards, how that ended. ``tell`` gets sentences.

    Raises:
        ConfigError: if another process trains there.
    """
    work = RunLock(folder, data, tell)
    work.enter()
    try:
        yield work
    except FlowError as error:
        work.end("failed", str(error))
        raise
    except KeyboardInterrupt:
        work.end("stopped")
        raise
    except BaseException as error:
        work.end("failed", str(error) or type(error).__name__)
        raise
    work.end("stopped" if work.stopped else "done")


def request_stop(folder: Path) -> None:
    """Ask whatever trains there to save after this step and end; before its first step, to end."""
    _ask(folder, b"")


def end_now(folder: Path) -> None:
    """Ask whatever trains there to end at once, without saving."""
    _ask(folder, _NOW)


def _ask(folder: Path, wish: bytes) -> None:
    with contextlib.suppress(OSError):  # a new file put in place, so that nothing is written where a link points to
        temporary = folder / f".{STOP}.{secrets.token_hex(6)}.part"
        temporary.write_bytes(wish)
        os.replace(temporary, folder / STOP)


def forget_stop(folder: Path) -> None:
    """Take a wish back."""
    with contextlib.suppress(OSError):
        (folder / STOP).unlink()


def stop_requested(folder: Path) -> bool:
    """Whether somebody asked to save and end; a millionth of a second, so it may be asked after every step."""
    return _wish(folder) not in (None, _NOW)


def _wish(folder: Path) -> bytes | None:
    """What somebody asked for, None where nobody did."""
    try:
        if not stat.S_ISREG(os.lstat(folder / STOP).st_mode):
            return None
        return read_regular(folder / STOP, 64).strip()
    except OSError:
        return None
