"""Plays the stages: from pixels to noise, or back, once, at a calm pace."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

__all__ = ["StagePlayer"]

TICK_MS = 33
SECONDS_A_STAGE = 0.16
SHORTEST, LONGEST = 4.0, 14.0


class StagePlayer(QObject):
    """Emits places between 0 and the last stage while it plays."""

    moved = Signal(float)
    changed = Signal(bool)
    """Started or stopped."""
    arrived = Signal()
    """At the end, by itself."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = QElapsedTimer()
        self._from, self._to, self._speed = 0.0, 0.0, 1.0
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def play(self, at: float, last: int, back: bool = False) -> None:
        """Go on from a place towards the noise, or back to the pixels; from the other end where it is there already."""
        self._to = 0.0 if back else float(last)
        self._from = at if abs(at - self._to) > 0.5 else last - self._to
        seconds = min(max(SECONDS_A_STAGE * last, SHORTEST), LONGEST)
        self._speed = last / seconds
        self._clock.start()
        if not self.playing:
            self._timer.start()
            self.changed.emit(True)

    def stop(self) -> None:
        if self.playing:
            self._timer.stop()
            self.changed.emit(False)

    def place_after(self, seconds: float) -> float:
        """Where it is this long after it started."""
        far = self._speed * seconds
        return min(self._from + far, self._to) if self._to > self._from else max(self._from - far, self._to)

    def _tick(self) -> None:
        at = self.place_after(self._clock.elapsed() / 1000)
        self.moved.emit(at)
        if at == self._to:
            self.stop()
            self.arrived.emit()
