"""Notices an engine that does not answer: one that hangs in a job, was stopped, or waits for a disk that is not there.

While anything is asked it is called once a second, and its loop answers between two turns. Only seconds that the window's own
loop has lived through count, so a computer that slept, or a window that was busy, blames nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

__all__ = ["SILENCE_S", "START_S", "Watchdog"]

BEAT_MS = 1000
SILENCE_S = 10
"""Seconds without an answer after which it is said."""
START_S = 60
"""The same while torch is being loaded, when the loop does not turn yet: a cold disk takes its time."""


class Watchdog(QObject):
    """``call()`` calls the engine; ``tell(silent)`` is told when it falls silent, and when it is heard again."""

    def __init__(self, call: Callable[[], object], tell: Callable[[bool], object], parent: QObject) -> None:
        super().__init__(parent)
        self._call, self._tell = call, tell
        self._beats = 0
        self.silent = False
        self._timer = QTimer(self, interval=BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._is_ready = False

    def started(self) -> None:
        """A process has been started: torch comes first."""
        self._is_ready = False
        self.heard()
        self._timer.start()

    def ready(self) -> None:
        """Its loop turns."""
        self._is_ready = True
        self.heard()

    def await_answer(self, awaited: bool) -> None:
        """Whether anything is asked of it."""
        if not self._is_ready:
            return
        if awaited and not self._timer.isActive():
            self._beats = 0
            self._timer.start()
        elif not awaited and not self.silent:
            self._timer.stop()

    def heard(self) -> None:
        """It said something."""
        self._beats = 0
        if self.silent:
            self.silent = False
            self._tell(False)

    def gone(self) -> None:
        """There is no process to wait for."""
        self._timer.stop()
        self.heard()

    def _beat(self) -> None:
        self._beats += 1
        if not self.silent and self._beats > (SILENCE_S if self._is_ready else START_S):
            self.silent = True
            self._tell(True)
        if self._is_ready:
            self._call()
