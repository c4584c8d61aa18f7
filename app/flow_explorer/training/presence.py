"""Whether a run folder has a process at work in it: process.json, which the training itself writes. No Qt, no torch.

A process that is killed cannot say so; then the file still names it, and it is gone. Its number is not enough to tell,
because numbers are used again: where the system tells when a process was born, that is compared too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from flowcore.atomic import replacing
from flowcore.errors import FlowError

__all__ = [
    "LOG", "AtWork", "Presence", "at_work", "end_now", "is_alive", "read_presence", "request_stop", "stop_requested",
    "write_presence",
]  # fmt: skip

FILE = "process.json"
STOP = "stop.request"
LOG = "train.log"
"""What the process says on stderr, where the window started it."""
STARTING_SECONDS = 30.0
"""How long a run may be about to start without a process."""


@dataclass(frozen=True)
class Presence:
    """Who trains in a run folder, or how that ended: ``outcome`` is "" while it runs, else "done", "stopped" or "failed"."""

    pid: int = 0
    host: str = ""
    born: float | None = None
    since: float = 0.0
    outcome: str = ""
    sentence: str = ""
    data: str = ""
    """Where the pictures are, for going on."""

    @property
    def is_here(self) -> bool:
        """Whether that process is one of this machine's."""
        return self.host in ("", socket.gethostname())

    @property
    def is_live(self) -> bool:
        """Whether it still runs; of another machine's process only its own word is known."""
        if self.outcome:
            return False
        if not self.is_here:
            return True
        if not self.pid:
            return time.time() - self.since < STARTING_SECONDS
        return is_alive(self.pid, self.born)


def is_alive(pid: int, born: float | None = None) -> bool:
    """Whether process ``pid`` runs, and (where both are known) is the one that was born at ``born``."""
    if pid <= 0:
        return False
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
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


def read_presence(folder: Path) -> Presence | None:
    """What the run folder says, None where it says nothing that can be read."""
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    plain = Presence()
    kept = {}
    for field in fields(Presence):
        value, default = values.get(field.name), getattr(plain, field.name)
        wanted = (int, float, type(None)) if default is None or isinstance(default, float) else type(default)
        if isinstance(value, wanted) and not isinstance(value, bool):
            kept[field.name] = value
    if kept.get("since") is None:
        kept.pop("since", None)
    return Presence(**kept)


def write_presence(folder: Path, presence: Presence) -> None:
    """Replace process.json; does nothing where the folder is gone or cannot be written: the training matters more."""
    with contextlib.suppress(OSError), replacing(folder / FILE, durable=False) as temporary:
        temporary.write_text(json.dumps(asdict(presence), indent=1) + "\n", encoding="utf-8")


class AtWork:
    """What a training process tells the run folder of itself; ``stopped`` is set where a person ended it."""

    def __init__(self, folder: Path, data: str) -> None:
        where = os.path.abspath(os.path.expanduser(data)) if data else ""
        pid = os.getpid()
        self.folder, self.stopped = folder, False
        self._here = Presence(pid, socket.gethostname(), _born(pid), time.time(), data=where)
        # Of several processes that share a training the first one speaks.
        self._speaks = os.environ.get("RANK", "0") == "0"

    def begin(self) -> None:
        """The run is about to be written: make its folder, and say in it that this process trains there."""
        with contextlib.suppress(OSError):  # what trains will say why the folder cannot be made
            self.folder.mkdir(parents=True, exist_ok=True)
        self.tell("")

    def tell(self, outcome: str, sentence: str = "") -> None:
        """Say how it stands, where there is a folder."""
        if self._speaks:
            if not outcome:
                (self.folder / STOP).unlink(missing_ok=True)
            write_presence(self.folder, replace(self._here, outcome=outcome, sentence=sentence))


@contextmanager
def at_work(folder: Path, data: str = "") -> Iterator[AtWork]:
    """While inside, the folder says that this process trains in it; afterwards, how that ended."""
    work = AtWork(folder, data)
    work.tell("")
    try:
        yield work
    except FlowError as error:
        work.tell("failed", str(error))
        raise
    except KeyboardInterrupt:
        work.tell("stopped")
        raise
    except BaseException as error:
        work.tell("failed", str(error) or type(error).__name__)
        raise
    work.tell("stopped" if work.stopped else "done")


def request_stop(folder: Path, presence: Presence) -> None:
    """Ask the process to save after this step and end: by SIGTERM, or by a file where signals do not reach it."""
    if os.name == "posix" and presence.is_here and presence.pid and is_alive(presence.pid, presence.born):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(presence.pid, signal.SIGTERM)
            return
    with contextlib.suppress(OSError):
        (folder / STOP).touch()


def end_now(presence: Presence) -> None:
    """End the process without saving; does nothing where it is another machine's, or gone."""
    if presence.is_here and presence.pid and is_alive(presence.pid, presence.born):
        with contextlib.suppress(OSError):
            # Windows knows one way to end a process, and calls it by this name.
            os.kill(presence.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def stop_requested(folder: Path) -> bool:
    """Whether somebody asked by the file; a millionth of a second, so it may be asked after every step."""
    return (folder / STOP).exists()
