"""Work beside the window: one thread, which ends before the application does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, QThreadPool, Signal

__all__ = ["OneThread"]


@dataclass(eq=False)
class _Call:
    """What is to be told when a work is through."""

    done: Callable[[Any], object]
    failed: Callable[[Exception], object] | None


class OneThread(QObject):
    """Owner of what works on another thread; one work at a time, in order."""

    _came = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: set[_Call] = set()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._came.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.wait)

    def run_in_thread(
        self, work: Callable[[], Any], done: Callable[[Any], object], failed: Callable[[Exception], object] | None = None
    ) -> None:
        """Do ``work``, a function without widgets, on the thread, then ``done(result)`` here.

        ``failed(error)`` has what it raised; without it that is raised here, where the log hears of it. Neither is called once
        this object is gone, or after :meth:`abandon`.
        """
        call = _Call(done, failed)
        self._calls.add(call)
        self._pool.start(lambda: self._run(work, call))

    def abandon(self) -> None:
        """Nobody waits any more for what was begun; what has not begun is not begun."""
        self._calls.clear()
        self._pool.clear()

    def wait(self) -> None:
        """Let the thread end (the window closes); nothing is told."""
        self.abandon()
        self._pool.waitForDone()

    @property
    def awaited(self) -> int:
        """How many works are still to be told of."""
        return len(self._calls)

    def _run(self, work: Callable[[], Any], call: _Call) -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # somebody waits on the other thread, whatever it is
            error = raised
        with contextlib.suppress(RuntimeError):  # the object went away meanwhile
            self._came.emit(call, result, error)

    def _hand_over(self, call: _Call, result: Any, error: Exception | None) -> None:
        if call not in self._calls:
            return
        self._calls.discard(call)
        if error is None:
            call.done(result)
        elif call.failed is not None:
            call.failed(error)
        else:
            raise error
