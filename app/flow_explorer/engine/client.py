"""The window's end of the engine: sends requests, delivers answers, puts things back when the engine has died.

No torch here. Everything runs in the thread that made the client (the GUI thread); nothing blocks except
`wait_until_idle`, which turns the event loop, and `stop`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np
import shiboken6
from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEventLoop, QObject, QTimer, Signal

from ..i18n import tr
from . import frames
from .answers import Answer, to_answer
from .process import EngineProcess
from .protocol import ProtocolError
from .requests.base import Request, to_fields
from .watchdog import Watchdog

__all__ = ["EngineClient", "Message"]

logger = logging.getLogger("flow-explorer")

A = TypeVar("A")

MAX_TRIES = 2
"""A must-finish request that saw the engine die this often is not sent again: it may be what kills it."""


@dataclass(frozen=True, eq=False)
class Message:
    """An answer to a request that declares none of its own: what the job sent (`kind`, `data`, `arrays`) and the request.

    `done` is True on the last answer. An answer's `kind` is the request's kind unless the job named another.
    """

    id: int
    kind: str
    data: dict[str, Any]
    arrays: dict[str, np.ndarray]
    done: bool
    request: Request


@dataclass(eq=False)
class _Pending:
    id: int
    request: Request
    on_answer: Callable[[Any], object] | None
    on_error: Callable[[str, str], object] | None
    on_progress: Callable[[float, str], object] | None
    sent: bool = False
    tries: int = 0
    cancelled: bool = False
    lost: bool = False
    """Replaceable, and asked of an engine that died: forgotten when another is there, failed when none comes."""


class EngineClient(QObject):
    """The engine, whichever process it is at the moment.

    States: "starting" (torch is being imported), "ready" (nothing to do), "busy", "restarting", "stopped" (stopped,
    or given up). Requests sent in any state are kept and go out as soon as the engine says hello.

    A request in a slot: an older answer never comes after a newer one, since the engine's loop runs one job of a slot at a time;
    whether an answer is still wanted when it comes is asked by `query.Query`. After a restart, unanswered must-finish requests
    have already been sent again when `restarted` is emitted; replaceable ones are forgotten: workspaces send what their state
    needs.
    """

    asked = Signal(int, object)
    """(id, `Request`): it was asked; it goes out at once, or when the engine is there."""
    answered = Signal(int, object)
    """(id, the `Answer`, or a `Message` where the request declares none)"""
    progressed = Signal(int, float, str)
    """(id, fraction from 0 to 1, what is being done)"""
    failed = Signal(int, str, str)
    """(id, a sentence for the person, the traceback for the log)"""
    finished = Signal(int)
    """(id): the request is over: answered, failed, cancelled or replaced."""
    state_changed = Signal(str)
    trouble = Signal(str, str)
    """(a sentence, what a button that helps is called): it does not answer, or keeps stopping; ("", "") when that is over."""
    notice = Signal(str)
    """A sentence that the window should show: the engine was restarted, the GPU ran out of memory…"""
    ready = Signal(object)
    """{devices: [{id, title}], device, versions}: torch is loaded. Emitted again after a restart."""
    restarted = Signal()
    device_changed = Signal(str)
    idle = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        preload: str | os.PathLike[str] | None = None,
        device: str | None = None,
        module: str = "flow_explorer.engine",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            preload: a model to load as soon as torch is there.
            device: "cpu", "cuda", "cuda:1", "mps", or None: the engine chooses.
            module, environment: what is run, and with which variables added; tests set them.
        """
        super().__init__(parent)
        self._process = EngineProcess(
            self, module, environment or {}, os.fspath(preload) if preload is not None else None, device
        )
        self._process.received.connect(self._on_message)
        self._process.died.connect(self._on_death)
        self._watchdog = Watchdog(lambda: self._process.write({"type": "ping"}), self._on_silence, self)
        self._process.started.connect(self._watchdog.started)
        self._asked_to_restart = False
        self._pending: dict[int, _Pending] = {}
        self._next_id = 1
        self._state = "stopped"
        self._connected = False
        self._is_restart = False
        self._info: frames.Info | None = None
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
        return self._process.pid

    @property
    def devices(self) -> list[dict[str, str]]:
        """[{"id": "cpu", "title": "CPU, 2 threads"}, …]; empty until `ready`."""
        return list(self._info.devices) if self._info is not None else []

    @property
    def device(self) -> str | None:
        return self._info.device if self._info is not None else None

    @property
    def versions(self) -> dict[str, str]:
        return dict(self._info.versions) if self._info is not None else {}

    @property
    def log(self) -> str:
        """The last of what the engine wrote to its error output."""
        return self._process.log

    def is_idle(self) -> bool:
        """Nothing asked is unanswered (background requests aside), and no start is under way."""
        return self._state in ("ready", "stopped") and not self._is_asked()

    def wait_until_idle(self, ms: int = 30_000) -> bool:
        """Turn the event loop until idle, at most `ms` milliseconds; True if idle."""
        loop, deadline = QEventLoop(), QDeadlineTimer(ms)
        self.idle.connect(loop.quit)
        # An answer may have asked for more, so one `idle` is not the end; and a timer may fire a little before the deadline.
        while not self.is_idle() and not deadline.hasExpired():
            QTimer.singleShot(max(1, deadline.remainingTime()), loop, loop.quit)
            loop.exec()
        self.idle.disconnect(loop.quit)
        return self.is_idle()

    # What one does with it

    def start(self) -> None:
        """Start the engine, if it is not running. Also starts afresh after it has given up."""
        if self._state == "stopped":
            self._is_restart = False
            self._set_state("starting")
            self.trouble.emit("", "")
            self._process.start()

    @property
    def silent(self) -> bool:
        """Whether it has not answered for long."""
        return self._watchdog.silent

    def restart(self) -> None:
        """End the engine at once, whatever it does, and start another: what it must finish is begun anew."""
        self.trouble.emit("", "")
        if self._state == "stopped":
            self.start()
            return
        self._asked_to_restart = True
        self._process.restart()

    def stop(self) -> None:
        """End the engine and forget every request. Waits for its end, a moment as a rule."""
        self._connected = False
        self._watchdog.gone()
        self._process.stop()
        self._pending.clear()
        self._set_state("stopped")
        self.idle.emit()

    def send(
        self,
        request: Request[A],
        *,
        on_answer: Callable[[A], object] | None = None,
        on_error: Callable[[str, str], object] | None = None,
        on_progress: Callable[[float, str], object] | None = None,
    ) -> int:
        """Ask; returns the request's number.

        The callbacks get an answer that the request declares (else a `Message`), (sentence, traceback), and (fraction, text);
        the signals are emitted as well.
        """
        entry = _Pending(self._next_id, request, on_answer, on_error, on_progress)
        self._next_id += 1
        if request.slot is not None:
            for older in self._in_slot(request.slot):
                if not older.sent:
                    self._over(older, tell=False)
        self._pending[entry.id] = entry
        self.asked.emit(entry.id, request)
        if self._connected:
            self._send(entry)
        if self._state == "ready":
            self._set_state(self._rest_state())
        return entry.id

    def cancel(self, id: int) -> None:
        """Stop a request; no answer of it is delivered any more. A number that is over is ignored."""
        entry = self._pending.get(id)
        if entry is None:
            return
        entry.cancelled = True
        if entry.sent:
            self._process.write({"type": "cancel", "id": id})
        else:
            self._over(entry)

    def cancel_slot(self, slot: str) -> None:
        """Cancel whatever runs or waits in a slot."""
        for entry in self._in_slot(slot):
            self.cancel(entry.id)

    def set_device(self, id: str) -> None:
        """Compute on another device from now on; `device_changed` tells when, `notice` if it cannot be had."""
        self._process.device = id
        if self._connected:
            self._process.write({"type": "device", "device": id})

    # What the process tells

    def _on_message(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self._watchdog.heard()
        try:
            told = frames.read(header)
        except ProtocolError as error:
            self._on_odd(header.get("id"), error)
            return
        if isinstance(told, frames.AnswerFrame):
            try:
                self._on_answer(told, arrays)
            finally:  # a callback that raises must not stop the stream
                if told.stream:
                    self._process.write({"type": "ack", "id": told.id})
        elif isinstance(told, frames.ProgressFrame | frames.ErrorFrame | frames.OverFrame):
            entry = self._pending.get(told.id)
            if entry is None:
                return
            if isinstance(told, frames.OverFrame):
                self._over(entry)
            elif isinstance(told, frames.ErrorFrame):
                self._fail(entry, told.sentence, told.traceback)
            elif not entry.cancelled:
                self.progressed.emit(told.id, told.fraction, told.text)
                _call(entry.on_progress, told.fraction, told.text)
        elif isinstance(told, frames.HelloFrame):
            self._on_hello()
        elif isinstance(told, frames.PongFrame):
            pass  # that it was heard is all there is to it
        elif isinstance(told, frames.ReadyFrame):
            self._info = told.info
            self._watchdog.ready()
            self._watchdog.await_answer(bool(self._pending))
            self._set_state(self._rest_state())
            self.ready.emit(asdict(told.info))
            self._tell_if_idle()
        elif isinstance(told, frames.DeviceFrame):
            if self._info is not None:
                self._info = replace(self._info, device=told.device)
            self.device_changed.emit(told.device)
        else:
            self.notice.emit(told.sentence)

    def _on_odd(self, id_: Any, error: ProtocolError) -> None:
        """What the engine said does not fit the protocol: the request that it was about fails, and the engine leaves it."""
        logger.warning("the engine's answer is not as the protocol has it: %s", error)
        sentence = tr("The engine's answer could not be read, so this was given up; trying again may help.")
        entry = self._pending.get(id_) if isinstance(id_, int) else None
        if entry is None:
            self.notice.emit(tr("The engine said something that could not be read; the log has the details."))
            return
        self._process.write({"type": "cancel", "id": entry.id})
        self._fail(entry, sentence, str(error))

    def _on_hello(self) -> None:
        self._connected = True
        for entry in list(self._pending.values()):
            if entry.lost:
                self._over(entry, tell=False)
            else:
                self._send(entry)
        if self._is_restart:
            self._is_restart = False
            self.restarted.emit()

    def _on_silence(self, silent: bool) -> None:
        words = tr("The engine does not answer: it may hang, or wait for a slow disk. Its work is begun anew if you restart it.")
        self.trouble.emit(words if silent else "", tr("Restart the engine") if silent else "")

    def _on_death(self, again: bool) -> None:
        self._connected = False
        self._watchdog.gone()
        if not again:
            self._give_up()
            return
        for entry in [entry for entry in self._pending.values() if entry.sent]:
            entry.sent = False
            if entry.cancelled:
                self._over(entry, tell=False)
            elif entry.request.slot is not None:
                entry.lost = True
            elif entry.tries >= MAX_TRIES:
                self._fail(entry, tr("The engine stopped twice while doing this, so it was given up."), self.log)
        self._is_restart = True
        self._set_state("restarting")
        self.notice.emit(tr("The engine is being started again.") if self._asked_to_restart else
                         tr("The engine stopped unexpectedly and is being started again."))
        self._asked_to_restart = False

    def _give_up(self) -> None:
        sentence = tr("The engine keeps stopping and is not started again. “Start the engine again” in the menu of the device, "
                      "in the top bar, tries anew.")  # fmt: skip
        for entry in list(self._pending.values()):
            self._fail(entry, sentence, self.log)
        self._set_state("stopped")
        self.notice.emit(sentence)
        self.trouble.emit(sentence, tr("Start the engine again"))
        self.idle.emit()

    # Requests that are under way

    def _on_answer(self, told: frames.AnswerFrame, arrays: dict[str, np.ndarray]) -> None:
        entry = self._pending.get(told.id)
        if entry is None or entry.cancelled:
            return
        request = entry.request
        answer: Answer | Message = Message(entry.id, told.kind, told.data, arrays, told.done, request)
        if request.answers:
            try:
                answer = to_answer(request.answers, told.kind, told.data, arrays)
            except ProtocolError as error:
                self._on_odd(entry.id, error)
                return
        self.answered.emit(entry.id, answer)
        _call(entry.on_answer, answer)

    def _fail(self, entry: _Pending, sentence: str, traceback: str) -> None:
        if not entry.cancelled:
            self.failed.emit(entry.id, sentence, traceback)
            _call(entry.on_error, sentence, traceback)
        self._over(entry)

    def _over(self, entry: _Pending, tell: bool = True) -> None:
        if self._pending.pop(entry.id, None) is not None:
            self._watchdog.await_answer(bool(self._pending))
            self.finished.emit(entry.id)
            if tell:
                self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._state in ("ready", "busy"):
            self._set_state(self._rest_state())
        if self.is_idle():
            self.idle.emit()

    def _in_slot(self, slot: str) -> list[_Pending]:
        return [entry for entry in self._pending.values() if entry.request.slot == slot]

    def _is_asked(self) -> bool:
        return any(not entry.request.background for entry in self._pending.values())

    def _rest_state(self) -> str:
        return "busy" if self._is_asked() else "ready"

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _send(self, entry: _Pending) -> None:
        fields, arrays = to_fields(entry.request)
        self._process.write(
            {"type": "request", "id": entry.id, "kind": entry.request.kind, "fields": fields}, arrays
        )
        entry.sent, entry.tries = True, entry.tries + 1
        self._watchdog.await_answer(True)


def _call(callback: Callable[..., object] | None, *values: object) -> None:
    """Call, unless it is a method of a widget that Qt has already deleted."""
    if callback is None:
        return
    receiver = getattr(callback, "__self__", None)
    if isinstance(receiver, QObject) and not shiboken6.isValid(receiver):
        return
    callback(*values)
