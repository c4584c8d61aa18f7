"""Ctrl-C, SIGTERM and the end of the terminal end the window properly, at once and without polling."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier, QTimer

from flow_explorer.terminal.ending import HANGUP


class Signals(QObject):
    """While it lives, SIGINT, SIGTERM and SIGHUP call ``quit``; the last not where it is ignored, as nohup has it.

    Python runs signal handlers between bytecodes, and Qt's loop runs none while it waits; so the interpreter
    is told to write a byte to a socket that Qt watches.
    """

    def __init__(self, quit: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._quit = quit
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        numbers = [signal.SIGINT, signal.SIGTERM]
        if HANGUP is not None and signal.getsignal(HANGUP) != signal.SIG_IGN:
            numbers.append(HANGUP)
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}
        self._watch = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._watch.activated.connect(self._drain)

    def _on_signal(self, *_unused: object) -> None:
        QTimer.singleShot(0, self._quit)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ours.recv(64)

    def restore(self) -> None:
        """Put the former handlers back."""
        self._watch.setEnabled(False)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._ours.close()
        self._theirs.close()
