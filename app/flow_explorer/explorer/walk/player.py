"""Plays the walk there and back at a calm pace: slow at both ends, so that A and B can be looked at."""

from __future__ import annotations

import math

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

__all__ = ["Player"]

PERIOD_S = 9.0
"""Seconds from A to B and back."""
TICK_MS = 33


class Player(QObject):
    """Emits positions along the walk while it plays."""

    moved = Signal(float)
    changed = Signal(bool)
    """Started or stopped."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = QElapsedTimer()
        self._phase = 0.0
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def play(self, t: float) -> None:
        """Go on from position `t`, towards B unless it is there."""
        self._phase = math.acos(1 - 2 * min(max(t, 0.0), 1.0)) / math.pi / 2
        self._clock.start()
        if not self._timer.isActive():
            self._timer.start()
            self.changed.emit(True)

    def stop(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit(False)

    def position_after(self, seconds: float) -> float:
        """Where the walk is this long after it started."""
        turn = self._phase + seconds / PERIOD_S
        return (1 - math.cos(2 * math.pi * turn)) / 2

    def _tick(self) -> None:
        self.moved.emit(self.position_after(self._clock.elapsed() / 1000))
