"""The window's end of the engine: starts the process, sends requests, delivers answers, restarts it when it dies.

No torch here. Everything runs in the thread that made the client (the GUI thread); nothing blocks except
`wait_until_idle`, which turns the event loop, and `stop`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shiboken6
from PySide6.QtCore import (
    QCoreApplication, QDeadlineTimer, QElapsedTimer, QEventLoop, QObject, QProcess, QProcessEnvironment, QTimer, Signal,
)  # fmt: skip

from .protocol import FrameReader, ProtocolError, encode_frame
from .requests import Request, to_fields

__all__ = ["EngineClient", "Message"]

HEALTHY_MS = 10_000
"""An engine that dies sooner than this after it was started counts as a quick death."""
BACK_OFF_MS = (0, 500, 2000)
"""How long to wait before the first, second, third start after a quick death; then it gives up."""
MAX_TRIES = 2
"""A must-finish request that saw the engine die this often is not sent again: it may be what kills it."""
LOG_BYTES = 32_768
STOP_MS = 1500


@dataclass(frozen=True, eq=False)
class Message:
    """An answer: what the job sent (`kind`, `data`, `arrays`) and the request that it answers.

    `done` is True on the last answer. An answer's `kind` is the request's kind unless the job named another.
    """

    id: int
    kind: str
    data: dict[str, Any]
    arrays: dict[str, np.ndarray]
    done: bool
    request: Request


@dataclass
class _Pending:
    id: int
    request: Request
    on_answer: Callable[[Message], object] | None
    on_error: Callable[[str, str], object] | None
    on_progress: Callable[[float, str], object] | None
    sent: bool = False
    tries: int = 0
    silenced: bool = False


class EngineClient(QObject):
    """One engine process, and its replacement when it dies.

    States: "starting" (no answer yet), "ready" (nothing to do), "busy", "restarting", "stopped" (stopped, or given up).
    Requests sent in any state are kept and go out as soon as the engine says hello.

    A request in a slot: an older answer is never delivered after a newer one; for a `strict` request the older ones are
    silent from the moment the newer is sent. After a restart, unanswered must-finish requests have already been sent
    again when `restarted` is emitted; replaceable ones are forgotten, and workspaces send what their state needs.
    """

    answered = Signal(int, object)
    """(id, `Message`)"""
    progressed = Signal(int, float, str)
    """(id, fraction from 0 to 1, what is being done)"""
    failed = Signal(int, str, str)
    """(id, a sentence for the person, the traceback for the log)"""
    finished = Signal(int)
    """(id): the request is over: answered, failed, cancelled or replaced."""
    state_changed = Signal(str)
    notice = Signal(str)
    """A sentence that the window should show: the engine was restarted, the GPU ran out of memory…"""
    ready = Signal(object)
    """{devices: [{id, title}], device, versions}: the engine has loaded torch. Emitted again after a restart."""
    restarted = Signal()
    device_changed = Signal(str)
    idle = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        preload: str | os.PathLike[str] | None = None,
        device: str | None = None,
        module: str = "app.engine",
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        """`preload`: a model to load as soon as torch is there. `device`: "cpu", "cuda", "cuda:1", "mps" or None
        (the engine chooses). `module`, `arguments`, `environment` are for tests."""
        super().__init__(parent)
        self._preload = os.fspath(preload) if preload is not None else None
        self._wanted_device = device
        self._module, self._arguments, self._environment = module, arguments, dict(environment or {})
        self._process: QProcess | None = None
        self._reader = FrameReader()
        self._pending: dict[int, _Pending] = {}
        self._newest: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        self._next_id = 1
        self._state = "stopped"
        self._connected = False
        self._stopping = False
        self._deaths = 0
        self._is_restart = False
        self._age = QElapsedTimer()
        self._log = b""
        self._info: dict[str, Any] = {}
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._launch)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    # What it is

    @property
    def state(self) -> str:
        return self._state

    @property
    def pid(self) -> int:
        """The engine's process number, 0 when there is none."""
        return self._process.processId() if self._process is not None else 0

    @property
    def devices(self) -> list[dict[str, str]]:
        """[{"id": "cpu", "title": "CPU, 2 threads"}, …]; empty until `ready`."""
        return list(self._info.get("devices", ()))

    @property
    def device(self) -> str | None:
        return self._info.get("device")

    @property
    def versions(self) -> dict[str, str]:
        return dict(self._info.get("versions", {}))

    @property
    def log(self) -> str:
        """The last of what the engine wrote to its error output."""
        return self._log.decode(errors="replace")

    def is_idle(self) -> bool:
        """Nothing asked is unanswered (background requests aside), and no start is under way."""
        return self._state in ("ready", "stopped") and not self._counting()

    def wait_until_idle(self, ms: int = 30_000) -> bool:
        """Turn the event loop until idle, at most `ms` milliseconds; True if idle."""
        loop, deadline = QEventLoop(), QDeadlineTimer(ms)
        self.idle.connect(loop.quit)
        QTimer.singleShot(ms, loop, loop.quit)
        # An answer may have asked for more, so one `idle` is not the end.
        while not self.is_idle() and not deadline.hasExpired():
            loop.exec()
        self.idle.disconnect(loop.quit)
        return self.is_idle()

    # What one does with it

    def start(self) -> None:
        """Start the engine, if it is not running. Also starts afresh after it has given up."""
        if self._process is None and not self._again.isActive():
            self._stopping, self._deaths = False, 0
            self._is_restart = False
            self._set_state("starting")
            self._launch()

    def stop(self) -> None:
        """End the engine and forget every request. Waits for its end, at most about a second."""
        self._stopping = True
        self._again.stop()
        process, self._process, self._connected = self._process, None, False
        if process is not None and shiboken6.isValid(process):
            process.blockSignals(True)
            process.closeWriteChannel()
            if not process.waitForFinished(STOP_MS):
                process.kill()
                process.waitForFinished(STOP_MS)
            process.deleteLater()
        self._pending.clear()
        self._newest.clear()
        self._shown.clear()
        self._set_state("stopped")
        self.idle.emit()

    def send(
        self,
        request: Request,
        *,
        on_answer: Callable[[Message], object] | None = None,
        on_error: Callable[[str, str], object] | None = None,
        on_progress: Callable[[float, str], object] | None = None,
    ) -> int:
        """Ask; returns the request's number. Callbacks get a `Message`, (sentence, traceback), (fraction, text)."""
        entry = _Pending(self._next_id, request, on_answer, on_error, on_progress)
        self._next_id += 1
        if request.slot is not None:
            for older in [e for e in self._pending.values() if e.request.slot == request.slot]:
                if not older.sent:
                    self._over(older, quietly=True)
                elif request.strict:
                    older.silenced = True
            self._newest[request.slot] = entry.id
        self._pending[entry.id] = entry
        if self._connected:
            self._send_request(entry)
        if self._state == "ready":
            self._set_state(self._rest_state())
        return entry.id

    def cancel(self, id: int) -> None:
        """Stop a request; no answer of it is delivered any more. A number that is over is ignored."""
        entry = self._pending.get(id)
        if entry is None:
            return
        entry.silenced = True
        if entry.sent and self._connected:
            self._write({"type": "cancel", "id": id})
        if not entry.sent:
            self._over(entry)

    def cancel_slot(self, slot: str) -> None:
        """Cancel whatever runs or waits in a slot."""
        for entry in [e for e in self._pending.values() if e.request.slot == slot]:
            self.cancel(entry.id)

    def set_device(self, id: str) -> None:
        """Compute on another device from now on; `device_changed` tells when, `notice` if it cannot be had."""
        self._wanted_device = id
        if self._connected:
            self._write({"type": "device", "device": id})

    # The process

    def _launch(self) -> None:
        root = Path(__file__).resolve().parents[2]
        environment = QProcessEnvironment.systemEnvironment()
        inherited = environment.value("PYTHONPATH", "")
        environment.insert("PYTHONPATH", os.pathsep.join(filter(None, [str(root), inherited])))
        for name, value in self._environment.items():
            environment.insert(name, value)
        # -P keeps a file called torch.py in the person's current folder from being imported.
        arguments = ["-P", "-X", "faulthandler", "-m", self._module]
        if self._preload is not None:
            arguments += ["--preload", self._preload]
        if self._wanted_device is not None:
            arguments += ["--device", self._wanted_device]
        process = QProcess(self)
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_process_error)
        self._process, self._reader, self._connected = process, FrameReader(), False
        self._age.start()
        process.start(sys.executable, [*arguments, *self._arguments])

    def _on_output(self) -> None:
        if self._process is None:
            return
        try:
            frames = self._reader.feed(self._process.readAllStandardOutput().data())
        except ProtocolError as error:
            self._log += f"\n{error}\n".encode()
            self._process.kill()
            return
        process = self._process
        for header, arrays in frames:
            self._take(header, arrays)
            if self._process is not process:
                return

    def _on_log(self) -> None:
        if self._process is not None:
            data = self._process.readAllStandardError().data()
            self._log = (self._log + data)[-LOG_BYTES:]
            if os.environ.get("FLOW_EXPLORER_ENGINE_LOG"):
                sys.stderr.write(data.decode(errors="replace"))

    def _on_process_error(self, error: QProcess.ProcessError) -> None:
        # A process that never started emits no `finished`.
        if error == QProcess.ProcessError.FailedToStart:
            self._on_finished(-1, QProcess.ExitStatus.CrashExit)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        process, self._process = self._process, None
        if process is None or self._stopping:
            return
        self._on_last_words(process)
        process.blockSignals(True)
        process.deleteLater()
        self._connected = False
        self._deaths = self._deaths + 1 if self._age.elapsed() < HEALTHY_MS else 1
        self._after_death()
        if self._deaths > len(BACK_OFF_MS):
            self._give_up()
            return
        self._is_restart = True
        self._set_state("restarting")
        self.notice.emit(self.tr("The engine stopped unexpectedly and is being started again."))
        self._again.start(BACK_OFF_MS[self._deaths - 1])

    def _on_last_words(self, process: QProcess) -> None:
        self._log = (self._log + process.readAllStandardError().data())[-LOG_BYTES:]

    def _after_death(self) -> None:
        """Keep the must-finish requests for the next engine; forget the rest, and those that it died of twice."""
        for entry in list(self._pending.values()):
            if not entry.sent:
                continue
            if entry.request.slot is not None or entry.silenced:
                self._over(entry)
            elif entry.tries >= MAX_TRIES:
                self._fail(entry, self.tr("The engine stopped twice while working on this, so it was given up."), self.log)
            else:
                entry.sent = False

    def _give_up(self) -> None:
        sentence = self.tr("The engine keeps stopping and was not started again; restarting the program may help.")
        for entry in list(self._pending.values()):
            self._fail(entry, sentence, self.log)
        self._set_state("stopped")
        self.notice.emit(sentence)
        self.idle.emit()

    # Messages

    def _take(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        type_, id_ = header.get("type"), header.get("id", 0)
        entry = self._pending.get(id_)
        if type_ == "answer":
            if entry is not None:
                self._deliver(entry, header, arrays)
            if header.get("stream"):
                self._write({"type": "ack", "id": id_})
        elif type_ == "progress":
            if entry is not None and not entry.silenced:
                fraction, text = float(header["fraction"]), str(header["text"])
                self.progressed.emit(id_, fraction, text)
                _call(entry.on_progress, fraction, text)
        elif type_ == "error":
            if entry is not None:
                self._fail(entry, header["sentence"], header["traceback"])
        elif type_ == "over":
            if entry is not None:
                self._over(entry)
        elif type_ == "hello":
            self._on_hello()
        elif type_ == "ready":
            self._info = header["info"]
            self._set_state(self._rest_state())
            self.ready.emit(dict(self._info))
            self._tell_if_idle()
        elif type_ == "device":
            self._info["device"] = header["device"]
            self.device_changed.emit(header["device"])
        elif type_ == "notice":
            self.notice.emit(header["sentence"])

    def _on_hello(self) -> None:
        self._connected = True
        for entry in list(self._pending.values()):
            if not entry.sent:
                self._send_request(entry)
        if self._is_restart:
            self._is_restart = False
            self.restarted.emit()

    def _deliver(self, entry: _Pending, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        slot = entry.request.slot
        if entry.silenced or (slot is not None and entry.id < self._shown.get(slot, 0)):
            return
        if slot is not None:
            self._shown[slot] = entry.id
        message = Message(entry.id, header["kind"], header["data"], arrays, bool(header["done"]), entry.request)
        self.answered.emit(entry.id, message)
        _call(entry.on_answer, message)

    def _fail(self, entry: _Pending, sentence: str, traceback: str) -> None:
        stale = entry.silenced or (
            entry.request.slot is not None and entry.id < self._newest.get(entry.request.slot, 0)
        )
        if not stale:
            self.failed.emit(entry.id, sentence, traceback)
            _call(entry.on_error, sentence, traceback)
        self._over(entry)

    def _over(self, entry: _Pending, quietly: bool = False) -> None:
        if self._pending.pop(entry.id, None) is None:
            return
        self.finished.emit(entry.id)
        if not quietly:
            self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._state in ("ready", "busy"):
            self._set_state(self._rest_state())
        if self.is_idle():
            self.idle.emit()

    def _counting(self) -> bool:
        return any(not entry.request.background for entry in self._pending.values())

    def _rest_state(self) -> str:
        return "busy" if self._counting() else "ready"

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _send_request(self, entry: _Pending) -> None:
        fields, arrays = to_fields(entry.request)
        request = entry.request
        entry.sent, entry.tries = True, entry.tries + 1
        self._write({"type": "request", "id": entry.id, "kind": request.kind, "fields": fields}, arrays)

    def _write(self, header: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> None:
        if self._process is not None and self._connected:
            self._process.write(encode_frame(header, arrays))


def _call(callback: Callable[..., object] | None, *values: object) -> None:
    """Call, unless it is a method of a widget that Qt has already deleted."""
    if callback is None:
        return
    receiver = getattr(callback, "__self__", None)
    if isinstance(receiver, QObject) and not shiboken6.isValid(receiver):
        return
    callback(*values)
